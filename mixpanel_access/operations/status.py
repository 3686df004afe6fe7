"""How everybody stands: invitation and its age, roles declared and actual, the end, and what to do next. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from mixpanel_access.model.access import Invitation
from mixpanel_access.model.address import same_key
from mixpanel_access.model.brakes import Forecast
from mixpanel_access.model.effective_access import EffectivePerson, RosterEntry
from mixpanel_access.model.neighbours import About
from mixpanel_access.model.roles import is_organization_role
from mixpanel_access.operations.expiring import forecasts_of
from mixpanel_access.operations.overview import Overview, PersonOverview, role_there

EXPIRES_SOON: Final = timedelta(hours=48)
"""How long before its end an invitation counts as about to expire."""
SETTLE: Final = "keep in one roster what two have: mixpanel-access preflight shows it"
"""What to do first where two rosters claim the same: an update would have one stack work against the other."""


@dataclass(frozen=True)
class StatusStep:
    """A fact about a person, and what to do about it.

    Attributes:
        text: what to know.
        next_step: what to do; "" for nothing.
        problem: whether it needs action; otherwise it is only for information.
    """

    text: str
    next_step: str = ""
    problem: bool = True


@dataclass(frozen=True)
class RoleHere:
    """One project role, declared and actual.

    Attributes:
        project: the project's id.
        name: its short key, or its name.
        declared: the role that rosters give today, or None.
        actual: the individual role that Mixpanel has, or None.
        effective: the highest role through any grant, or None.
    """

    project: int
    name: str
    declared: str | None
    actual: str | None
    effective: str | None


@dataclass(frozen=True)
class ComparedRole:
    """An organization role, declared and actual.

    Attributes:
        declared: the role in the roster today, or None.
        actual: the role in Mixpanel, or None.
    """

    declared: str | None
    actual: str | None


@dataclass(frozen=True)
class Status:
    """The status of one person.

    Attributes:
        email: the address.
        stacks: the stacks that have the person.
        invitation: the state of the invitation; None if the person is not in the organization.
        invited_at: when the latest invitation was sent, or None if that is unknown.
        expires_at: when it expires, or None if that is unknown.
        last_login: the last login, or None if that is unknown.
        organization_role: the organization role.
        projects: the roles in projects.
        ends: the last day of the access that lasts longest, or None without an end.
        steps: what to know, and what to do next, the problems first.
    """

    email: str
    stacks: Sequence[str]
    invitation: Invitation | None
    invited_at: datetime | None
    expires_at: datetime | None
    last_login: datetime | None
    organization_role: ComparedRole
    projects: Sequence[RoleHere]
    ends: date | None
    steps: Sequence[StatusStep]

    @property
    def problems(self) -> list[StatusStep]:
        """The steps that count as findings."""
        return [step for step in self.steps if step.problem]


def statuses(overview: Overview) -> list[Status]:
    """The status of everybody in the rosters and states, by address."""
    ahead = forecasts_of(overview)
    return [status_of(one, overview, ahead) for one in overview.people]


def status_of(one: PersonOverview, overview: Overview, ahead: Mapping[str, Sequence[Forecast]] | None = None) -> Status:
    """The status of one person.

    Args:
        one: the person.
        overview: what was looked at.
        ahead: what the brakes will hold, by stack.
    """
    invitation = one.invitation(overview.now)
    given = list(one.effective.values())
    declared_role = next((person.organization_role for person in given if person.organization_role), None)
    ends = [entry.ends for _, entry in one.current(overview.today)]
    roles = list(_roles(one, overview))
    steps = [
        *invitation_steps(one, invitation, overview),
        *_role_steps(one, invitation, declared_role, roles, overview),
    ]
    steps += [*_time_steps(one, overview), *_held_steps(one, overview, ahead or {})]
    return Status(
        email=one.email,
        stacks=one.stacks,
        invitation=invitation,
        invited_at=one.invited_at if invitation in (Invitation.PENDING, Invitation.EXPIRED) else None,
        expires_at=one.expires_at if invitation in (Invitation.PENDING, Invitation.EXPIRED) else None,
        last_login=one.person.last_login if one.person else None,
        organization_role=ComparedRole(declared_role, one.person.role if one.person else None),
        projects=roles,
        ends=None if None in ends else max((end for end in ends if end), default=None),
        steps=sorted(steps, key=lambda step: not step.problem),
    )


def _roles(one: PersonOverview, overview: Overview) -> Iterator[RoleHere]:
    declared: dict[int, str] = {}
    for stack, person in one.effective.items():
        roster = overview.stacks[stack].roster
        if roster is not None:
            declared |= {
                roster.projects[key].id: role_there(overview.directory, roster, key, held.role)
                for key, held in person.projects.items()
            }
    there = overview.directory.projects()
    for project in sorted({*declared, *one.access, *(project for _, project in one.grants)}):
        access = one.access.get(project)
        name = _short(project, overview) or (there[project].name if project in there else str(project))
        yield RoleHere(
            project,
            name,
            declared.get(project),
            access.individual if access else None,
            access.effective if access else None,
        )


def _short(project: int, overview: Overview) -> str | None:
    """The roster's key of a project, with its stack where several are looked at."""
    key, stack = overview.projects.get(project, (None, ""))
    return f"{stack}/{key}" if key and len(overview.stacks) > 1 else key


def invitation_steps(one: PersonOverview, invitation: Invitation | None, overview: Overview) -> Iterator[StatusStep]:
    """What to do until the person is in the organization."""
    stack = _stack(one)
    if invitation is None:
        if one.effective:
            yield StatusStep("is declared, and not in the organization", _up(stack, overview))
        return
    if one.effective and one.person and one.person.deactivated:
        activate = _up(stack, overview, before="have the identity provider activate them, or ", after=" in SCIM mode")
        yield StatusStep("is deactivated, and cannot log in", activate)
    if invitation is Invitation.EXPIRED:
        again = _up(stack, overview, after=" sends it again") if one.effective else ""  # else an update would not
        yield StatusStep(f"the invitation expired on {one.expires_at:%Y-%m-%d %H:%M} UTC", again)
    elif invitation is Invitation.PENDING:
        age = overview.now - one.invited_at if one.invited_at else None
        left = one.expires_at - overview.now if one.expires_at else None
        again = f"mixpanel-access resend {one.email}"
        if age is not None and age > overview.pending_too_long(one):
            ask = "ask whether it arrived (spam, allow-list), then "
            yield StatusStep(f"the invitation is pending for {hours(age)}", f"{ask}{again}")
        if left is not None and left <= EXPIRES_SOON:
            yield StatusStep(f"the invitation expires in {hours(left)}", again)


def _role_steps(
    one: PersonOverview,
    invitation: Invitation | None,
    declared: str | None,
    roles: Sequence[RoleHere],
    overview: Overview,
) -> Iterator[StatusStep]:
    if one.person is None:
        return
    if declared is not None and one.person.role not in (None, declared):
        stack = _stack(one)
        twice = _is_claimed_twice(stack, About.ORGANIZATION_ROLES, overview)
        step = SETTLE if twice else _up(stack, overview, after=" --refresh")
        if not is_organization_role(one.person.role):
            step = "this version does not know the role; set it in Organization Settings > Users & Teams"
        yield StatusStep(f"is organization {one.person.role}, and {declared} is declared", step)
    for role in roles:
        refresh = _up(overview.projects[role.project][1], overview, after=" --refresh") if role.declared else ""
        if role.declared == role.actual:
            if role.declared is not None and role.effective != role.actual:
                yield StatusStep(f"has {role.effective} in {role.name} through another grant", problem=False)
        elif role.declared is None:
            if role.actual is not None:
                # No roster has a project that only a state still has, or nothing; the drift of any stack shows it.
                _, stack = overview.projects.get(role.project) or ("", min(overview.stacks))
                holding = next((name for name, project in one.grants if project == role.project), None)
                ends = f"{_revoke(holding)} takes it away" if holding else ""
                listing = f"mixpanel-access drift --stack {stack}"
                yield StatusStep(f"has {role.actual} in {role.name}, which no roster gives", ends or listing)
        elif role.actual is not None:
            yield StatusStep(f"is {role.actual} in {role.name}, and {role.declared} is declared", refresh)
        elif invitation is Invitation.ACCEPTED:
            yield StatusStep(f"has no grant in {role.name}, and {role.declared} is declared", refresh)


def _time_steps(one: PersonOverview, overview: Overview) -> Iterator[StatusStep]:
    for stack, own in one.entries.items():
        held = stack in one.members or any(name == stack for name, _ in one.grants)
        if stack not in one.effective and held and any(entry.over(overview.today) for entry in own):
            yield StatusStep(f"the access by stack {stack} has ended and is not yet taken away", _revoke(stack))
        for entry in own:
            if entry.current(overview.today):
                for what, ends in _endings(entry, one.effective[stack]):
                    left = (ends - overview.today).days
                    if left <= overview.stacks[stack].policies.ending_days:
                        when = "today" if left == 0 else f"in {left} day{'s' * (left != 1)}"
                        yield StatusStep(
                            f"{what} in stack {stack} ends {when}", "prolong `ends`, or let it end", problem=False
                        )
            elif entry.starts is not None and entry.starts > overview.today:
                yield StatusStep(f"{_what(entry)} in stack {stack} begins on {entry.starts}", problem=False)


def _held_steps(
    one: PersonOverview, overview: Overview, ahead: Mapping[str, Sequence[Forecast]]
) -> Iterator[StatusStep]:
    """The endings of the person that a brake will hold on their day."""
    for stack, some in ahead.items():
        for forecast in some:
            finding = forecast.finding
            if one.key in map(same_key, finding.people):
                soon = (forecast.on - overview.today).days <= overview.stacks[stack].policies.ending_days
                text = f"a brake will hold the end in stack {stack} on {forecast.on}: {finding.words} [{finding.brake}]"
                yield StatusStep(text, forecast.next_step, problem=soon)


def _endings(entry: RosterEntry, given: EffectivePerson) -> Iterator[tuple[str, date]]:
    if entry.ends is not None:
        yield _what(entry), entry.ends
    for team, ends in given.ending_memberships(entry):
        yield f"the place in the team {team}", ends


def _what(entry: RosterEntry) -> str:
    return str(entry) if entry.engagement else "the access"


def _stack(one: PersonOverview) -> str:
    """The stack that updates somebody, the one that declares the organization role before others; "" for none."""
    owners = {stack for stack, person in one.effective.items() if person.organization_role is not None}
    return min(one.effective or one.stacks, key=lambda stack: stack not in owners, default="")


def _up(stack: str, overview: Overview, *, before: str = "", after: str = "") -> str:
    """The command that updates a stack, with words around it; never of one whose roster is refused."""
    if _is_claimed_twice(stack, About.PROJECT, overview):
        return SETTLE
    return f"{before}pulumi up{f' --stack {stack}' if stack else ''}{after}"


def _revoke(stack: str) -> str:
    """The command that takes away what a stack's roster no longer gives, even where `pulumi up` refuses the roster."""
    return f"mixpanel-access revoke --stack {stack} --yes"


def _is_claimed_twice(stack: str, about: About, overview: Overview) -> bool:
    view = overview.stacks.get(stack)
    return view is not None and any(conflict.about is about for conflict in view.other_rosters.conflicts)


def hours(span: timedelta) -> str:
    """A span in whole hours."""
    return f"{int(span.total_seconds() // 3600)} h"
