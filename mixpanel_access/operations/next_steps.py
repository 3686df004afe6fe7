"""What to do about one person: what to know of invitation, endings and differences, and the next step. Pure.

What is pending comes from `operations.pending`, and what Mixpanel has otherwise from `operations.drift`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from mixpanel_access.model.access import Invitation
from mixpanel_access.model.neighbours import About
from mixpanel_access.model.roles import is_organization_role
from mixpanel_access.model.teams import same_name
from mixpanel_access.operations.drift import AccessDifference, DriftKind
from mixpanel_access.operations.overview import Overview
from mixpanel_access.operations.pending.change import PendingChange, PendingEvent
from mixpanel_access.operations.person_overview import PersonOverview

EXPIRES_SOON: Final = timedelta(hours=48)
"""How long before its end an invitation counts as about to expire."""
SETTLE: Final = "keep in one roster what two have: mixpanel-access preflight shows it"
"""What to do first where two rosters claim the same: an update would have one stack work against the other."""


_MOST_HOURS: Final = 14 * 24


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


def invitation_steps(one: PersonOverview, invitation: Invitation | None, overview: Overview) -> Iterator[StatusStep]:
    """What to do until the person is in the organization."""
    stack = stack_of(one)
    if invitation is None:
        return
    if one.effective and one.person and one.person.deactivated:
        activate = up_of(stack, overview, before="have the identity provider activate them, or ", after=" in SCIM mode")
        yield StatusStep("is deactivated, and cannot log in", activate)
    if not one.effective:
        return  # no roster gives them anything, so nobody sends the invitation again
    if invitation is Invitation.EXPIRED:
        again = up_of(stack, overview, after=" sends it again")
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


def change_steps(one: PersonOverview, overview: Overview) -> Iterator[StatusStep]:
    """What ends or begins soon, and what the last updates have left undone."""
    for stack, change in overview.changes_of(one):
        soon = (change.day - overview.today).days <= overview.stacks[stack].policies.ending_days
        if soon or change.event is not PendingEvent.ENDS:
            sentence = change.sentence(stack, whose=False)
            yield StatusStep(sentence, change_step(change, stack, overview), problem=not change.to_come)


def change_step(change: PendingChange, stack: str, overview: Overview) -> str:
    """What to do about a pending change; no update of a stack whose roster is refused."""
    if change.event is PendingEvent.LATE and _is_claimed_twice(stack, About.PROJECT, overview):
        return SETTLE
    return change.next_step(stack)


def difference_steps(one: PersonOverview, overview: Overview) -> Iterator[StatusStep]:
    """What Mixpanel has otherwise than the states, unless the roster gives it today and the state will have it."""
    for difference in overview.differences_of(one):
        if difference.kind.unmanaged:
            yield from _unmanaged(one, difference, overview)
        else:
            yield step_of(one, difference, overview)


def step_of(one: PersonOverview, difference: AccessDifference, overview: Overview) -> StatusStep:
    """What to do about something that Mixpanel lacks or has otherwise."""
    if difference.team is not None:
        return _in_team(difference, overview)
    return _of_person(one, difference, overview)


def _of_person(one: PersonOverview, found: AccessDifference, overview: Overview) -> StatusStep:
    having = [stack for stack, member in one.members.items() if found.project or member.role == (found.declared or "")]
    holding = [stack for stack, project in one.grants if project == found.project]
    stack = next(iter(holding or having), stack_of(one))
    again = up_of(stack, overview, after=" --refresh")
    where = project_name(found.project, overview) if found.project else ""
    match found.kind:
        case DriftKind.MISSING_MEMBER:
            return StatusStep("is declared, and not in the organization", again)
        case DriftKind.CHANGED_ADDRESS:
            return StatusStep(f"has the address {found.actual} by now", f"write it into the roster of stack {stack}")
        case DriftKind.CHANGED_MEMBER:
            if not is_organization_role(found.actual):
                again = "this version does not know the role; set it in Organization Settings > Users & Teams"
            elif _is_claimed_twice(stack, About.ORGANIZATION_ROLES, overview):
                again = SETTLE
            return StatusStep(f"is organization {found.actual}, and {found.declared} is declared", again)
        case DriftKind.MISSING_GRANT:
            return StatusStep(f"has no grant in {where}, and {found.declared or 'one'} is declared", again)
        case _:
            return StatusStep(f"is {found.actual} in {where}, and {found.declared} is declared", again)


def _in_team(found: AccessDifference, overview: Overview) -> StatusStep:
    having = (
        name
        for name, view in overview.stacks.items()
        if any(same_name(team.name, found.team or "") for team in view.state.teams.values())
    )
    team, where = f"the team {found.team}", project_name(found.project, overview) if found.project else ""
    texts = {
        DriftKind.MISSING_PLACE: f"has no place in {team}, and it is declared",
        DriftKind.MISSING_TEAM: f"{team} is declared, and not in the organization",
        DriftKind.CHANGED_TEAM: f"{team} is called {found.actual} by now",
        DriftKind.MISSING_TEAM_GRANT: f"{team} has no role in {where}, and {found.declared or 'one'} is declared",
        DriftKind.CHANGED_TEAM_GRANT: f"{team} has {found.actual} in {where}, and {found.declared} is declared",
    }
    return StatusStep(texts[found.kind], up_of(next(having, ""), overview, after=" --refresh"))


def _unmanaged(one: PersonOverview, found: AccessDifference, overview: Overview) -> Iterator[StatusStep]:
    """What no state has; where a roster gives it today, the next update adopts it."""
    declared = {
        roster.projects[key].id
        for stack, person in one.effective.items()
        if (roster := overview.stacks[stack].roster)
        for key in person.projects
    }
    teams = [
        roster.teams[key].name
        for stack, person in one.effective.items()
        if (roster := overview.stacks[stack].roster)
        for key in person.teams
    ]
    _, stack = overview.projects.get(found.project or 0) or ("", min(overview.stacks))
    where = project_name(found.project, overview) if found.project else ""
    texts = {
        DriftKind.UNMANAGED_MEMBER: "" if one.effective else "is in the organization, and no stack has them",
        DriftKind.UNMANAGED_GRANT: "" if found.project in declared else f"has {found.actual} in {where}",
        DriftKind.UNMANAGED_PLACE: "" if found.team in teams else f"has a place in the team {found.team}",
        DriftKind.UNMANAGED_TEAM_GRANT: f"the team {found.team} has {found.actual} in {where}",
    }
    if text := texts[found.kind]:
        gives = "" if found.kind is DriftKind.UNMANAGED_MEMBER else ", which no roster gives"
        yield StatusStep(f"{text}{gives}", f"mixpanel-access drift --stack {stack}")


def held_steps(one: PersonOverview, overview: Overview) -> Iterator[StatusStep]:
    """The endings of the person that a brake will hold on their day."""
    for stack, forecast in overview.forecasts_by_key.get(one.key, ()):
        finding = forecast.finding
        soon = (forecast.on - overview.today).days <= overview.stacks[stack].policies.ending_days
        text = f"a brake will hold the end in stack {stack} on {forecast.on}: {finding.words} [{finding.brake}]"
        yield StatusStep(text, forecast.next_step, problem=soon)


def project_name(project: int, overview: Overview) -> str:
    """A project by the roster's key, else by its name, else by its id."""
    there = overview.directory.projects()
    return _short(project, overview) or (there[project].name if project in there else str(project))


def _short(project: int, overview: Overview) -> str | None:
    """The roster's key of a project, with its stack where several are looked at."""
    key, stack = overview.projects.get(project, (None, ""))
    return f"{stack}/{key}" if key and len(overview.stacks) > 1 else key


def stack_of(one: PersonOverview) -> str:
    """The stack that updates somebody, the one that declares the organization role before others; "" for none."""
    owners = {stack for stack, person in one.effective.items() if person.organization_role is not None}
    return min(one.effective or one.stacks, key=lambda stack: stack not in owners, default="")


def up_of(stack: str, overview: Overview, *, before: str = "", after: str = "") -> str:
    """The command that updates a stack, with words around it; never of one whose roster is refused."""
    if _is_claimed_twice(stack, About.PROJECT, overview):
        return SETTLE
    return f"{before}pulumi up{f' --stack {stack}' if stack else ''}{after}"


def _is_claimed_twice(stack: str, about: About, overview: Overview) -> bool:
    view = overview.stacks.get(stack)
    return view is not None and any(conflict.about is about for conflict in view.other_rosters.conflicts)


def hours(span: timedelta) -> str:
    """A span in whole hours, or in days where it is long."""
    whole = int(span.total_seconds() // 3600)
    return f"{whole} h" if whole <= _MOST_HOURS else f"{whole // 24} days"
