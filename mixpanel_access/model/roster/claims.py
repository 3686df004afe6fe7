"""What rosters claim of an organization for themselves alone, and where two rosters of one project claim the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from mixpanel_access.model.address import same_key
from mixpanel_access.model.engagements import EMPLOYEE
from mixpanel_access.model.resources import number_in

Path = tuple[str | int, ...]
"""Where in a roster something is: keys and positions from the top."""


@dataclass(frozen=True)
class ProjectClaim:
    """One project of a roster.

    Attributes:
        key: its short key.
        id: Mixpanel's id of it.
        name: the name that the roster gives it, or None.
        authoritative: whether the roster alone says who has an individual grant in it.
        environment: the environment that the roster gives it, or "".
    """

    key: str
    id: int
    name: str | None
    authoritative: bool
    environment: str = ""


@dataclass(frozen=True)
class Claims:
    """What one roster claims.

    Attributes:
        file: the roster's file name.
        organization: the id of the organization that its stack works on; None where nobody knows.
        organization_roles: whether it declares organization roles.
        projects: its projects.
        people: who is in it, but for whom it calls external: the key of each address, and the last day, or "".
        line: the line of a part of it, from 1.
    """

    file: str
    organization: int | None
    organization_roles: bool
    projects: Sequence[ProjectClaim]
    people: Sequence[tuple[str, str]]
    line: Callable[[Path], int]

    def at(self, *path: str | int) -> str:
        """A part of it with file and line: "production.yaml:5"."""
        return f"{self.file}:{self.line(path)}"

    def meets(self, other: Claims) -> bool:
        """Whether both are of one organization, as far as anybody knows."""
        return None in (self.organization, other.organization) or self.organization == other.organization


class About(StrEnum):
    """What two rosters have both."""

    PROJECT = "project"
    """One project: neither can be used while it is so."""
    ORGANIZATION_ROLES = "organization roles"
    """The organization roles."""
    NAME = "name"
    """One name, for two projects: one of the ids may be wrong."""


@dataclass(frozen=True)
class Conflict:
    """Two rosters that claim the same.

    Attributes:
        about: what both have.
        text: the same in words, with both places, and what to do.
    """

    about: About
    text: str


def claims_in(document: Mapping[str, Any], file: str, organization: int | None, line: Callable[[Path], int]) -> Claims:
    """What a roster claims, of its plain data; parts that are malformed claim nothing."""
    projects = document.get("projects")
    found = [
        ProjectClaim(
            str(key),
            project["id"],
            project["name"] if isinstance(project.get("name"), str) else None,
            _flag(project.get("authoritative"), otherwise=document.get("authoritative") is True),
            str(project.get("environment") or ""),
        )
        for key, project in (projects.items() if isinstance(projects, Mapping) else ())
        if isinstance(project, Mapping) and type(project.get("id")) is int
    ]
    listed = document.get("people")
    people = [
        (same_key(one["email"]), str(one.get("ends") or ""))
        for one in (listed if isinstance(listed, list) else ())
        if isinstance(one, Mapping) and isinstance(one.get("email"), str) and one.get("kind") in (None, EMPLOYEE)
    ]
    return Claims(file, organization, document.get("organizationRoles") is True, found, people, line)


def conflicts(own: Claims, others: Sequence[Claims]) -> list[Conflict]:
    """Where a roster and one beside it claim the same of one organization."""
    return [conflict for other in others if own.meets(other) for conflict in _between(own, other)]


def _between(own: Claims, other: Claims) -> Iterator[Conflict]:
    theirs = {project.id: project for project in other.projects}
    for mine in own.projects:
        if there := theirs.get(mine.id):
            yield Conflict(About.PROJECT, _one_project(own, mine, other, there))
    if own.organization_roles and other.organization_roles:
        yield Conflict(
            About.ORGANIZATION_ROLES,
            f"{own.at('organizationRoles')} has organizationRoles: true, and so has {other.at('organizationRoles')}: "
            f"each stack would set the organization roles its own way; keep it in one roster",
        )
    names = {same_key(project.name): project for project in other.projects if project.name}
    for mine in own.projects:
        there = names.get(same_key(mine.name)) if mine.name else None
        if there and there.id != mine.id:
            yield Conflict(
                About.NAME,
                f"{own.at('projects', mine.key, 'name')} calls project {mine.id} {mine.name!r}, which is what "
                f"{other.at('projects', there.key, 'name')} calls project {there.id}; check the ids and the names",
            )


def _one_project(own: Claims, mine: ProjectClaim, other: Claims, theirs: ProjectClaim) -> str:
    """Two rosters with one project, in words."""
    both = [
        f"{claims.at('projects', project.key, 'id')} (project {project.key}"
        f"{', authoritative' if project.authoritative else ''})"
        for claims, project in ((own, mine), (other, theirs))
    ]
    taken = "each takes away what the other gives" if mine.authoritative or theirs.authoritative else "each sets roles"
    return (
        f"{both[0]} has the id {mine.id}, and so has {both[1]}: {taken} in one Mixpanel project; keep it in the roster "
        f"of its own environment, and move a file that is no stack's roster out of the folder"
    )


def organization_in(config: Any) -> int | None:
    """The organization that a stack's configuration file names; None where it names none in clear."""
    values = config.get("config") if isinstance(config, Mapping) else None
    value = values.get("mixpanel:organizationId") if isinstance(values, Mapping) else None
    return number_in(str(value).strip()) if isinstance(value, str | int) and not isinstance(value, bool) else None


def _flag(value: object, *, otherwise: bool) -> bool:
    return value if isinstance(value, bool) else otherwise
