"""The other rosters in a roster's folder: what two of them claim, and what they give to its people and teams.

The policies see one stack alone, and get the latter as facts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from mixpanel_access.model import resources as kinds
from mixpanel_access.model.address import same_key
from mixpanel_access.model.declaration import Declaration
from mixpanel_access.model.engagements import EMPLOYEE
from mixpanel_access.model.roster.problems import Path
from mixpanel_access.model.roster.schema import Roster
from mixpanel_access.model.setting_values import organization_in

NEIGHBOURS: Final = "neighbours"
"""The name of these facts among those of a roster as a whole."""
CLAIMED_TWICE: Final = "claimed_twice"
"""The name of the conflicts between the roster and another one of the project, in words."""
CONTACTS_BESIDE: Final = "contacts_beside"
"""The name of the contacts of its service accounts who are in another roster."""
_JUDGED: Final = ("email", "project_id", "role", "environment", "engagement", "engagement_type", "kind", "exceptions")
"""The fields that rules need; nothing else about another stack's people gets into the state."""


@dataclass(frozen=True)
class Neighbour:
    """Another roster of the same organization: its file name, its content, and what it declares today."""

    file: str
    roster: Roster
    declared: Declaration


def neighbour_facts(
    own: Declaration, environments: Mapping[int, str], others: Sequence[Neighbour], unread: Sequence[str]
) -> dict[str, Any]:
    """What policies need to know about the other rosters, as plain data.

    Args:
        own: what the roster itself declares.
        environments: the environments of its projects, by project id.
        others: the other rosters.
        unread: in words, the rosters that cannot be read.

    Returns:
        `environments`: project id, as text -> environment. `reach`: for each file and engagement ("" for none), its
        environment, and the people of this roster who have access there. `teams`: the roles and people that another
        roster gives to a team of this one. `kinds`: what another roster says that this one's people are to the company.
        `unread`, as it is.
    """
    known = dict(environments)
    for other in others:
        known |= {project.id: project.environment for project in other.roster.projects.values()}
    facts = {
        "environments": {str(project): environment for project, environment in sorted(known.items())},
        "reach": [found for other in others for found in _reach(other, own.members)],
        "kinds": [found for other in others for found in _kinds(other, own.members)],
        "teams": [found for other in others for found in _shared_teams(own, other)],
        "unread": list(unread),
    }
    return {name: fact for name, fact in facts.items() if fact}


def _reach(other: Neighbour, members: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The members who also have access in the other roster's projects, by engagement."""
    here, declared = set(members), other.declared
    giving = {team for _, team in declared.team_grants}
    places = [
        *((key, inputs) for (_, key), inputs in declared.grants.items()),
        *((key, inputs) for (team, key), inputs in declared.team_members.items() if team in giving),
    ]
    people: dict[str, set[str]] = {}
    for key, inputs in places:
        if key in here:
            people.setdefault(str(inputs.get("engagement") or ""), set()).add(key)
    for engagement, keys in people.items():
        where = {"file": other.file, "environment": other.roster.environment}
        yield {**where, "engagement": engagement, "people": sorted(keys)}


def _kinds(other: Neighbour, members: Iterable[str]) -> Iterator[dict[str, Any]]:
    for key in members:
        if kind := other.declared.members.get(key, {}).get("kind"):
            yield {"file": other.file, "email": key, "kind": kind}


def _shared_teams(own: Declaration, other: Neighbour) -> Iterator[dict[str, Any]]:
    names = {same_key(str(team["name"])) for team in own.teams.values()}
    shared = {
        key: str(team["name"]) for key, team in other.declared.teams.items() if same_key(str(team["name"])) in names
    }
    for (_, team), inputs in other.declared.team_grants.items():
        if team in shared:
            yield _fact(kinds.TEAM_GRANT_TYPE, shared[team], other.file, inputs)
    for (team, _), inputs in other.declared.team_members.items():
        if team in shared:
            place = {**inputs, "environment": other.roster.environment}
            yield _fact(kinds.TEAM_MEMBER_TYPE, shared[team], other.file, place)


def _fact(type_: str, team: str, file: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    judged = {name: inputs[name] for name in _JUDGED if inputs.get(name) is not None}
    return {"type": type_, "team": team, "file": file, **judged}


@dataclass(frozen=True)
class ProjectClaim:
    """A project of a roster, by its short key; the name can be None, and the environment can be empty."""

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
        organization: the id of its stack's organization, if known.
        organization_roles: whether it declares organization roles.
        projects: its projects.
        people: its people without those marked as external: the key of the address -> the last day, or "".
        line: gives the line of a part of it, from 1.
    """

    file: str
    organization: int | None
    organization_roles: bool
    projects: Sequence[ProjectClaim]
    people: Sequence[tuple[str, str]]
    line: Callable[[Path], int]

    def at(self, *path: str | int) -> str:
        """The place of a part of it: "production.yaml:5"."""
        return f"{self.file}:{self.line(path)}"

    def meets(self, other: Claims) -> bool:
        """Whether both are, or may be, rosters of one organization."""
        return None in (self.organization, other.organization) or self.organization == other.organization


class About(StrEnum):
    """What two rosters both claim."""

    PROJECT = "project"
    """The same project; until this is corrected, neither roster can be used."""
    ORGANIZATION_ROLES = "organization roles"
    NAME = "name"
    """The same name for two projects: one of the ids may be wrong."""


@dataclass(frozen=True)
class Conflict:
    """Two rosters that claim the same; the text has both places, and what to do."""

    about: About
    text: str


def claims_in(document: Mapping[str, Any], file: str, organization: int | None, line: Callable[[Path], int]) -> Claims:
    """What a roster claims, by its plain data; malformed parts claim nothing."""
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
    """The conflicts between a roster and other rosters of the same organization."""
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


def organization_of_config(config: Any) -> int | None:
    """The organization in a stack's configuration file, or None if it has none in plain text."""
    values = config.get("config") if isinstance(config, Mapping) else None
    return organization_in(values.get("mixpanel:organizationId")) if isinstance(values, Mapping) else None


def _flag(value: object, *, otherwise: bool) -> bool:
    return value if isinstance(value, bool) else otherwise
