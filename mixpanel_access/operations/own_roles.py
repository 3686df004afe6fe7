"""Custom roles that a roster makes, beside what Mixpanel shows: the roster has a key, Mixpanel the role's id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mixpanel_access.directory.security import UNTOLD
from mixpanel_access.model.roles import declared_role, is_role_id
from mixpanel_access.model.roster.schema import Roster

if TYPE_CHECKING:
    from mixpanel_access.directory.directory import Directory


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
