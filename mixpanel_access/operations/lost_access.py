"""What somebody who has joined should have today and lacks: roles in projects, places in teams. Pure."""

from __future__ import annotations

from typing import Final

from mixpanel_access.model import roles
from mixpanel_access.model.access import Invitation
from mixpanel_access.model.address import same_key
from mixpanel_access.model.declared_inputs import roles_of_team
from mixpanel_access.model.teams import same_name
from mixpanel_access.operations.drift import DriftKind
from mixpanel_access.operations.next_steps import StatusStep, late_step, step_of
from mixpanel_access.operations.overview import Overview
from mixpanel_access.operations.pending.change import PendingEvent
from mixpanel_access.operations.person_overview import PersonOverview
from mixpanel_access.operations.roles_there import RoleHere, access_there, role_there, roles_of

_LOST: Final = (
    DriftKind.MISSING_TEAM,
    DriftKind.MISSING_PLACE,
    DriftKind.MISSING_TEAM_GRANT,
    DriftKind.CHANGED_TEAM_GRANT,
)


def roles_too_low(someone: PersonOverview, overview: Overview) -> list[RoleHere]:
    """The declared roles that somebody who has joined does not have through any grant."""
    if someone.invitation(overview.now) is not Invitation.ACCEPTED:
        return []
    there = overview.directory.projects()

    def reaches(role: RoleHere) -> bool:
        custom = role.declared is not None and roles.is_custom(role.declared)
        return _reaches(role.actual if custom else role.effective, role.declared)

    declared = [role for role in roles_of(someone, overview) if role.declared is not None]
    return [role for role in declared if role.project in there and not reaches(role)]


def lost_in_teams(someone: PersonOverview, overview: Overview) -> list[StatusStep]:
    """What somebody who has joined lacks of the roles that a roster gives them through teams today."""
    if someone.invitation(overview.now) is not Invitation.ACCEPTED:
        return []
    lacking = _lacking(someone, overview)
    by_name = {same_key(name): projects for (_, _, name), projects in lacking.items()}
    by_key = {(stack, key) for stack, key, _ in lacking}
    lost = [
        step_of(someone, one, overview)
        for one in overview.differences_of(someone)
        if one.kind in _LOST
        and (projects := by_name.get(same_key(one.team or "")))
        and (one.project is None or one.project in projects)
    ]
    late = [
        late_step(someone, stack, change, overview)
        for stack, change in overview.changes_of(someone)
        if change.event is PendingEvent.LATE and any((stack, key) in by_key for key in change.teams)
    ]
    return [*lost, *late]


def _lacking(someone: PersonOverview, overview: Overview) -> dict[tuple[str, str, str], set[int]]:
    """The teams (stack, key and name) that should give more than the person has from any source, and the projects."""
    there = overview.directory.projects()
    found: dict[tuple[str, str, str], set[int]] = {}
    for stack, person in someone.effective.items():
        roster = overview.stacks[stack].roster
        for key in person.teams if roster else ():
            if roster is None:
                continue
            team = roster.teams[key]
            shown = next((one for one in (overview.teams_there or {}).values() if same_name(one.name, team.name)), None)
            wanted = dict(shown.projects) if shown else {}
            for project, role in roles_of_team(roster, team).items():
                wanted[roster.projects[project].id] = role_there(overview.directory, roster, project, role)
            short = {id_ for id_, role in wanted.items() if id_ in there and _lacks(someone, overview, id_, role)}
            if short:
                found[stack, key, team.name] = short
    return found


def _lacks(someone: PersonOverview, overview: Overview, project: int, role: str) -> bool:
    """Whether somebody has less than a role in a project, from all sources together."""
    access = access_there(overview.directory, project, someone.email)
    return role not in {grant.role for grant in access.grants} and not _reaches(access.effective, role)


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
