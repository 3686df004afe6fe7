"""Roles in projects, as rosters declare them and as Mixpanel has them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mixpanel_access.directory.security import UNTOLD
from mixpanel_access.model.access import AccessInProject, Invitation
from mixpanel_access.model.declared_inputs import roles_of_team
from mixpanel_access.model.roles import declared_role, is_custom, is_role_id, project_rank
from mixpanel_access.model.roster.schema import Roster
from mixpanel_access.model.teams import same_name
from mixpanel_access.operations.next_steps import project_name
from mixpanel_access.operations.overview import Overview
from mixpanel_access.operations.person_overview import PersonOverview
from mixpanel_access.operations.state import role_words

if TYPE_CHECKING:
    from mixpanel_access.directory.directory import Directory


@dataclass(frozen=True)
class RoleHere:
    """One project role, declared and actual.

    Attributes:
        project: the project's id.
        name: its short key, or its name.
        declared: the role that rosters give today, or None.
        actual: the individual role that Mixpanel has, or None.
        effective: the highest role from any source, or None.
        through: what gives that, in words, if it is not the individual role; or None.
        hidden: whether Mixpanel does not show us if they have an individual role there.
    """

    project: int
    name: str
    declared: str | None
    actual: str | None
    effective: str | None
    through: str | None = None
    hidden: bool = False


@dataclass(frozen=True)
class LostRole:
    """A role that the rosters give somebody today and that they do not have from any source.

    Attributes:
        project: the project's id.
        stack: the stack whose roster gives it.
        text: what they have instead, in words.
    """

    project: int
    stack: str
    text: str


def roles_of(one: PersonOverview, overview: Overview) -> Iterator[RoleHere]:
    """The roles of a person in projects."""
    declared: dict[int, str] = {}
    for stack, person in one.effective.items():
        roster = overview.stacks[stack].roster
        if roster is not None:
            declared |= {
                roster.projects[key].id: _declared_there(overview, stack, roster, key, held.role)
                for key, held in person.projects.items()
            }
    for project in sorted({*declared, *one.access, *(project for _, project in one.grants)}):
        access = one.access.get(project)
        yield RoleHere(
            project=project,
            name=project_name(project, overview),
            declared=declared.get(project),
            actual=access.individual if access else None,
            effective=access.effective if access else None,
            through=access.through if access else None,
            hidden=not (access and access.individual) and overview.organization.hides(project, one.person),
        )


def lost_roles(someone: PersonOverview, overview: Overview) -> list[LostRole]:
    """What somebody who has joined lacks of the roles that the rosters give them today, or give their teams."""
    if someone.invitation(overview.now) is not Invitation.ACCEPTED:
        return []
    found = []
    for stack, person in someone.effective.items():
        if (roster := overview.stacks[stack].roster) is None:
            continue
        given = [(key, held.role, "") for key, held in person.projects.items()]
        for team in map(roster.teams.__getitem__, person.teams):
            through = _through(team.name, someone, overview)
            given += [(key, role, through) for key, role in roles_of_team(roster, team).items()]
        for key, role, through in given:
            project, declared = roster.projects[key].id, _declared_there(overview, stack, roster, key, role)
            access = someone.access.get(project)
            if project in overview.directory.projects() and not _reaches(access, declared):
                has = f"{(access and access.effective) or 'nothing'} in {project_name(project, overview)}"
                found.append(LostRole(project, stack, f"{has}, and {declared} is declared{through}"))
    return found


def _declared_there(overview: Overview, stack: str, roster: Roster, project: str, role: str) -> str:
    """A declared role as Mixpanel shows it: a custom role by the id that the state has, whatever its name is there."""
    id_, directory = roster.projects[project].id, overview.directory
    words = role_words(overview.stacks[stack].state) if is_custom(role) else {}
    held = [one for (place, one), word in words.items() if (place, word) == (id_, role)]
    try:
        there = directory.custom_roles.in_project(id_) if held else {}
    except UNTOLD:
        return held[0]
    return next((one for one in held if one in there), None) or role_there(directory, roster, project, role)


def _through(team: str, someone: PersonOverview, overview: Overview) -> str:
    """What to say of a role that a team should give, and whether the person is in the team."""
    if overview.teams_there is None:
        return f" through the team {team}"
    there = next((one for one in overview.teams_there.values() if same_name(one.name, team)), None)
    inside = there and there.is_member(someone.person.key if someone.person else someone.key)
    note = ", which they are not in" if inside is False else "" if there else ", which is not in the organization"
    return f" through the team {team}{note}"


def _reaches(access: AccessInProject | None, declared: str) -> bool:
    """Whether somebody has a role from some source, or more; nobody can tell which of two custom roles is more."""
    if access is None or declared in {grant.role for grant in access.grants}:
        return access is not None
    return not is_custom(declared) and project_rank(access.effective) >= project_rank(declared)


def keys_there(directory: Directory, roster: Roster) -> dict[tuple[int, str], str]:
    """The roster's own custom roles that are there already: project id and the role's id -> the key."""
    words = {(one.project, declared_role(key)): key for key, one in roster.custom_roles.items()}
    ids = {
        (roster.projects[project].id, role_there(directory, roster, project, word)): key
        for (project, word), key in words.items()
    }
    return {place: key for place, key in ids.items() if is_role_id(place[1])}


def role_there(directory: Directory, roster: Roster, project: str, role: str) -> str:
    """A declared role as Mixpanel shows it: the id of the roster's own custom role, where it is there already.

    Args:
        directory: the organization.
        roster: the roster.
        project: the project's key.
        role: the role that the roster gives; any other than one of its own is as it is.
    """
    key = roster.own_roles(project).get(role)
    if key is None:
        return role
    try:
        held = directory.custom_roles.by_name(roster.projects[project].id, roster.custom_roles[key].name)
    except UNTOLD:
        return role
    return held.id if held else role
