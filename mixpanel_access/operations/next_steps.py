"""What to do about one person: what to know of invitation, endings and differences, and the next step.

Pure, but for the line of a roster's file in a next step.
What is pending comes from `operations.pending`, and what Mixpanel has otherwise from `operations.drift`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from mixpanel_access.files.roster import lines_of_person
from mixpanel_access.model.access import Invitation
from mixpanel_access.model.address import same_key
from mixpanel_access.model.neighbours import About
from mixpanel_access.model.roles import is_organization_role
from mixpanel_access.operations.declared_today import declaring
from mixpanel_access.operations.drift import AccessDifference, DriftKind
from mixpanel_access.operations.overview import Overview
from mixpanel_access.operations.pending.change import PendingChange, PendingEvent
from mixpanel_access.operations.person_overview import PersonOverview
from mixpanel_access.operations.state import role_words

EXPIRES_SOON: Final = timedelta(hours=48)
"""How long before its end an invitation counts as about to expire."""
SETTLE: Final = "keep in one roster what two have: `mixpanel-access preflight` shows it"
"""What to do first where two rosters claim the same: an update would have one stack work against the other."""

_MOST_HOURS: Final = 14 * 24
_DIFFERENCES: Final = {
    DriftKind.MISSING_MEMBER: "is declared, and not in the organization",
    DriftKind.MISSING_GRANT: "has no grant in {where}, {declared}",
    DriftKind.MISSING_PLACE: "has no membership in {team}, and it is declared",
    DriftKind.MISSING_TEAM: "{team} is declared, and not in the organization",
    DriftKind.MISSING_TEAM_GRANT: "{team} has no role in {where}, {declared}",
    DriftKind.CHANGED_ADDRESS: "now has the address {actual}",
    DriftKind.CHANGED_MEMBER: "is organization {actual}, {declared}",
    DriftKind.CHANGED_GRANT: "is {actual} in {where}, {declared}",
    DriftKind.CHANGED_TEAM: "{team} is now called {actual}",
    DriftKind.CHANGED_TEAM_GRANT: "{team} has {actual} in {where}, {declared}",
    DriftKind.UNMANAGED_MEMBER: "is in the organization, and no stack has them",
    DriftKind.UNMANAGED_GRANT: "has {actual} in {where}, which no roster gives",
    DriftKind.UNMANAGED_PLACE: "has a membership in {team}, which no roster gives",
    DriftKind.UNMANAGED_TEAM_GRANT: "{team} has {actual} in {where}, which no roster gives",
}


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


def invitation_steps(someone: PersonOverview, overview: Overview) -> Iterator[StatusStep]:
    """What to do until the person is in the organization."""
    stack, invitation = stack_of(someone), someone.waiting(overview.now)
    if someone.effective and someone.person and someone.person.deactivated:
        activate = up_of(stack, overview, before="have the identity provider activate them, or ", after=" in SCIM mode")
        yield StatusStep("is deactivated, and cannot log in", activate)
    if invitation is Invitation.EXPIRED:
        again = up_of(stack, overview, after=" sends it again")
        yield StatusStep(f"the invitation expired on {someone.expires_at:%Y-%m-%d %H:%M} UTC", again)
    elif invitation is Invitation.PENDING:
        age = overview.now - someone.invited_at if someone.invited_at else None
        left = someone.expires_at - overview.now if someone.expires_at else None
        again = f"`mixpanel-access resend {someone.email}`"
        if age is not None and age > overview.pending_too_long(someone):
            ask = "ask whether it arrived (spam, allow-list), then "
            yield StatusStep(f"the invitation is pending for {hours(age)}", f"{ask}{again}")
        if left is not None and left <= EXPIRES_SOON:
            yield StatusStep(f"the invitation expires in {hours(left)}", again)


def change_steps(someone: PersonOverview, overview: Overview) -> Iterator[StatusStep]:
    """What ends or begins soon, and what the last updates have left undone."""
    for stack, change in overview.changes_of(someone):
        soon = (change.day - overview.today).days <= overview.stacks[stack].policies.ending_days
        if soon or change.event is not PendingEvent.ENDS:
            sentence = change.sentence(stack, whose=False)
            yield StatusStep(sentence, change_step(change, stack, overview), problem=not change.to_come)


def change_step(change: PendingChange, stack: str, overview: Overview) -> str:
    """What to do about a pending change; no update of a stack whose roster is refused."""
    if change.event is PendingEvent.LATE and _is_claimed_twice(stack, About.PROJECT, overview):
        return SETTLE
    return change.next_step(stack)


def difference_steps(someone: PersonOverview, overview: Overview) -> Iterator[StatusStep]:
    """What Mixpanel has otherwise than is declared today, and unmanaged access.

    What a state alone still has is a pending change, and so is what a roster gives that no state has yet.
    """
    for found in overview.differences_of(someone):
        stacks = declaring(found, someone, overview)
        if found.kind.unmanaged is bool(stacks):
            continue
        declared, words = found.declared or "one", role_words(overview.stacks[stacks[0]].state) if stacks else {}
        text = _DIFFERENCES[found.kind].format(
            where=project_name(found.project, overview) if found.project else "",
            team=f"the team {found.team}",
            actual=found.actual,
            declared=f"and {words.get((found.project or 0, declared), declared)} is declared",
        )
        yield StatusStep(text, _repair(found, someone, overview, *stacks[:1]))


def _repair(found: AccessDifference, someone: PersonOverview, overview: Overview, stack: str = "") -> str:
    """What to do about a difference: have the stack that declares it put it back, where it can."""
    if found.kind.unmanaged:
        _, stack = overview.projects.get(found.project or 0) or ("", min(overview.stacks))
        return f"`mixpanel-access drift --stack {stack}`"
    if found.kind is DriftKind.CHANGED_ADDRESS:
        return _follow(same_key(found.actual or ""), someone, overview, stack)
    if found.kind is DriftKind.CHANGED_MEMBER and not is_organization_role(found.actual):
        return "this version does not know the role; set it in Organization Settings > Users & Teams"
    if found.kind is DriftKind.CHANGED_MEMBER and _is_claimed_twice(stack, About.ORGANIZATION_ROLES, overview):
        return SETTLE
    unseen = "; if it plans nothing, Mixpanel does not show it there: run it again after they have accepted"
    is_invited = found.kind is DriftKind.MISSING_GRANT and someone.person is not None and someone.person.invited
    return up_of(stack, overview, refresh=True, after=unseen if is_invited else "")


def _follow(address: str, someone: PersonOverview, overview: Overview, stack: str) -> str:
    """What to do about a changed address: write it into the rosters that have another, then run the update."""
    if stack not in someone.entries:
        return f"change the address in the program of stack {stack}"
    behind = {name: own[0].person.key for name, own in someone.entries.items() if own[0].person.key != address}
    if not behind:
        return up_of(stack, overview)
    where = []
    for name, key in behind.items():
        view = overview.stacks[name]
        lines = lines_of_person(view.file, view.roster, key) if view.roster else []
        where.append(f"the roster of stack {name}{''.join(f', {view.file.name}:{line}' for line in lines)}")
    return f"write it into {' and '.join(where)}"


def held_steps(someone: PersonOverview, overview: Overview) -> Iterator[StatusStep]:
    """The endings of the person that a brake will hold on their day."""
    for stack, forecast in overview.forecasts_by_key.get(someone.key, ()):
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


def stack_of(someone: PersonOverview) -> str:
    """The stack that updates somebody, the one that declares the organization role before others; "" for none."""
    owners = {stack for stack, person in someone.effective.items() if person.organization_role is not None}
    return min(someone.effective or someone.stacks, key=lambda stack: stack not in owners, default="")


def up_of(stack: str, overview: Overview, *, refresh: bool = False, before: str = "", after: str = "") -> str:
    """The command that updates a stack, with words around it; never of one whose roster is refused."""
    if _is_claimed_twice(stack, About.PROJECT, overview):
        return SETTLE
    options = f"{f' --stack {stack}' if stack else ''}{' --refresh' if refresh else ''}"
    return f"{before}`pulumi up{options}`{after}"


def _is_claimed_twice(stack: str, about: About, overview: Overview) -> bool:
    view = overview.stacks.get(stack)
    return view is not None and any(conflict.about is about for conflict in view.other_rosters.conflicts)


def hours(span: timedelta) -> str:
    """A span in whole hours, or in days where it is long."""
    whole = int(span.total_seconds() // 3600)
    return f"{whole} h" if whole <= _MOST_HOURS else f"{whole // 24} days"
