"""Roles in projects, as rosters declare them and as Mixpanel has them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mixpanel_access.directory.security import UNTOLD
from mixpanel_access.model.access import AccessInProject, access_in_project
from mixpanel_access.model.roles import declared_role, is_role_id
from mixpanel_access.model.roster.schema import Roster
from mixpanel_access.operations.next_steps import project_name
from mixpanel_access.operations.overview import Overview
from mixpanel_access.operations.person_overview import PersonOverview

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
    """

    project: int
    name: str
    declared: str | None
    actual: str | None
    effective: str | None
    through: str | None = None


def roles_of(one: PersonOverview, overview: Overview) -> Iterator[RoleHere]:
    """The roles of a person in projects."""
    declared: dict[int, str] = {}
    for stack, person in one.effective.items():
        roster = overview.stacks[stack].roster
        if roster is not None:
            declared |= {
                roster.projects[key].id: role_there(overview.directory, roster, key, held.role)
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
        )


def access_there(directory: Directory, project: int, email: str) -> AccessInProject:
    """What a person can do in a project, or will be able to once they accept the invitation, and through what."""
    person = directory.person(email)
    return access_in_project(directory.access(project, email).grants, person.role if person else None)


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
