"""What is wrong with a roster's custom roles and security settings."""

from __future__ import annotations

import json
from collections.abc import Iterator

from mixpanel_access.model import roles
from mixpanel_access.model.address import same_key
from mixpanel_access.model.custom_roles import MOST_CUSTOM_ROLES, problem_with_permissions, problem_with_role_name
from mixpanel_access.model.roster import Roster
from mixpanel_access.model.similarity import unknown

_Problems = Iterator[tuple[tuple[str | int, ...], str]]


def is_role(roster: Roster, project: str, role: str) -> bool:
    """Whether a word is a role in a project: one that every project has, an id, or the key of one that is made here."""
    return roles.is_project_role(role) or roles.declared_role(role) in roster.own_roles(project)


def no_role(roster: Roster, project: str, role: str) -> str:
    """Why a word is no role in a project."""
    for key, one in roster.custom_roles.items():
        if roles.declared_role(key) == roles.declared_role(role):
            return f"{key} is a custom role of project {one.project}, and not of {project}"
    ours = map(roles.normalized, roster.own_roles(project).values())
    return unknown(role, "project role", [*roles.PROJECT_ROLES, *ours])


def custom_role_problems(roster: Roster) -> _Problems:
    """Keys, names, projects, permissions, and how many there are."""
    keys: dict[str, str] = {}
    names: dict[tuple[str, str], str] = {}
    for key, one in roster.custom_roles.items():
        at = ("customRoles", key)
        word = roles.normalized(key)
        if not word or roles.is_project_role(word):
            yield at, f"{key!r} can be no custom role's key: it is a role that every project has, or no word"
        if word in keys:
            yield at, f"{key} and {keys[word]} are the same to a person's projects; give one of them another key"
        keys.setdefault(word, key)
        if reason := problem_with_role_name(one.name):
            yield (*at, "name"), f"{key}: {reason}"
        if one.project not in roster.projects:
            yield (*at, "project"), f"{key}: {unknown(one.project, 'project of this roster', roster.projects)}"
        if reason := problem_with_permissions(one.permissions):
            yield (*at, "permissions"), f"{key}: {reason}"
        place = (one.project, same_key(one.name))
        if place in names:
            yield (*at, "name"), f"{key}: {names[place]} is a custom role {one.name} of project {one.project} already"
        names.setdefault(place, key)
        ours = [other for other, its in roster.custom_roles.items() if its.project == one.project]
        if ours.index(key) == MOST_CUSTOM_ROLES:
            words = f"a project has at most {MOST_CUSTOM_ROLES} custom roles, and {one.project} has {len(ours)} here"
            yield (*at, "project"), f"{key}: {words}"


def security_problems(roster: Roster) -> _Problems:
    """Whether they are this roster's to say, and can be sent."""
    if roster.security is None:
        return
    if not roster.organization_roles:
        yield (
            ("security",),
            "security settings are the organization's; only the one roster with organizationRoles: true has those",
        )
    for key, value in roster.security.request_access.items():
        if value is None:
            yield ("security", "requestAccess", key), f"{key} has no value; leave out what is to stay as it is"
        elif not _is_plain(value):
            yield ("security", "requestAccess", key), f"{key}: {value} cannot be sent; put it in quotation marks"


def _is_plain(value: object) -> bool:
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return False
    return True
