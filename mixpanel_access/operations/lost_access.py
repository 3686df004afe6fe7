"""What somebody who has joined should have today and lacks: roles in projects, places in teams. Pure."""

from __future__ import annotations

from typing import Final

from mixpanel_access.model import roles
from mixpanel_access.model.access import Invitation
from mixpanel_access.model.address import same_key
from mixpanel_access.operations.drift import DriftKind
from mixpanel_access.operations.next_steps import StatusStep, late_step, step_of
from mixpanel_access.operations.overview import Overview
from mixpanel_access.operations.scheduled import ScheduledEvent
from mixpanel_access.operations.stack_view import PersonOverview
from mixpanel_access.operations.status import RoleHere, roles_of

_LOST: Final = (DriftKind.MISSING_TEAM, DriftKind.MISSING_PLACE, DriftKind.MISSING_TEAM_GRANT)


def roles_too_low(someone: PersonOverview, overview: Overview) -> list[RoleHere]:
    """The declared roles that somebody who has joined does not have, by any way."""
    if someone.invitation(overview.now) is not Invitation.ACCEPTED:
        return []
    there = overview.directory.projects()

    def reaches(role: RoleHere) -> bool:
        custom = role.declared is not None and roles.is_custom(role.declared)
        return _reaches(role.actual if custom else role.effective, role.declared)

    declared = [role for role in roles_of(someone, overview) if role.declared is not None]
    return [role for role in declared if role.project in there and not reaches(role)]


def lost_in_teams(someone: PersonOverview, overview: Overview) -> list[StatusStep]:
    """What somebody who has joined lacks of the teams that a roster gives them today."""
    if someone.invitation(overview.now) is not Invitation.ACCEPTED:
        return []
    given = {
        same_key(roster.teams[key].name)
        for stack, person in someone.effective.items()
        if (roster := overview.stacks[stack].roster)
        for key in person.teams
    }
    lost = [
        step_of(someone, one, overview)
        for one in overview.differences_of(someone)
        if same_key(one.team or "") in given
        and (one.kind in _LOST or (one.kind is DriftKind.CHANGED_TEAM_GRANT and not _reaches(one.actual, one.declared)))
    ]
    late = [
        late_step(someone, stack, change, overview)
        for stack, change in overview.changes_of(someone)
        if change.event is ScheduledEvent.LATE and change.teams
    ]
    return [*lost, *late]


def ended_places(someone: PersonOverview, overview: Overview) -> dict[str, str]:
    """The stacks in which a place in a team has ended before the entry that gives it, each with the last one."""
    today = overview.today
    return {
        stack: f"the place in the team {key} in {stack} ended on {place.ends}"
        for stack, entry in someone.current(today)
        for key, place in entry.memberships.items()
        if place.over(today) and key not in someone.effective[stack].teams
    }


def _reaches(actual: str | None, declared: str | None) -> bool:
    """Whether a role gives as much as the declared one; nobody can tell of two custom roles."""
    if declared is None or roles.is_custom(declared):
        return declared == actual
    return roles.project_rank(actual) >= roles.project_rank(declared)
