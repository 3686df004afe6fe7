"""People and grants in an organization as plain values: what a read of Mixpanel says, without its wire shapes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from mixpanel_access.model import roles
from mixpanel_access.model.address import same_key


class Invitation(StrEnum):
    """How far a person has come into the organization."""

    PENDING = "pending"
    EXPIRED = "expired"
    ACCEPTED = "accepted"


class GrantType(StrEnum):
    """How a person comes by a project role; roles add up, the highest counts."""

    ORGANIZATION_ROLE = "organization_role"
    TEAM = "team"
    INDIVIDUAL = "individual"
    ALL_USERS = "all_users"


@dataclass(frozen=True)
class Person:
    """One member, or one who is invited, as the organization's list has them.

    Attributes:
        email: the address as the server writes it.
        role: the organization role, normalized; None where the list does not tell.
        invited: True while the invitation is not accepted (pending or expired: the list cannot tell which).
        last_login: the last login, or None where it is unknown (which is not "never").
        user_id: Mixpanel's id of the user, or None before the invitation is accepted.
        deactivated: True for who is known to be kept out, by SCIM.
    """

    email: str
    role: str | None
    invited: bool
    name: str | None = None
    last_login: datetime | None = None
    user_id: int | None = None
    deactivated: bool = False

    @property
    def key(self) -> str:
        """The address in the form in which two spellings are the same."""
        return same_key(self.email)


@dataclass(frozen=True)
class Grant:
    """One way in which one person holds a role in one project."""

    project: int
    email: str
    role: str
    grant_type: GrantType
    team: str | None = None

    @property
    def key(self) -> str:
        """The address in the form in which two spellings are the same."""
        return same_key(self.email)


@dataclass(frozen=True)
class Project:
    """One project of the organization."""

    id: int
    name: str


@dataclass(frozen=True)
class ScimUser:
    """Somebody as SCIM knows them: its id of them, the address, and whether they may come in (None: it is not told)."""

    id: str
    email: str
    active: bool | None


@dataclass(frozen=True)
class AccessInProject:
    """What one person can do in one project, and by which ways.

    Attributes:
        individual: the role of the individual grant, or None.
        effective: the highest role by any way, or None where there is none.
        grant_types: the ways, in the order of `GrantType`.
        grants: each grant on its own, as the project's list has them.
    """

    individual: str | None
    effective: str | None
    grant_types: tuple[GrantType, ...]
    grants: tuple[Grant, ...] = ()


_SOURCES: Final = {
    GrantType.ORGANIZATION_ROLE: "the organization role",
    GrantType.INDIVIDUAL: "an individual grant",
    GrantType.ALL_USERS: "a grant to all users",
}


def another_project(id_: Any, name: str | None, there: Mapping[int, Project]) -> str | None:
    """In words, that a project of this id has another name in Mixpanel, and its declared name is another project's.

    Args:
        id_: the declared id.
        name: the declared name, or None.
        there: the projects that Mixpanel has.
    """
    own = there.get(id_)
    if not name or own is None or same_key(own.name) == same_key(name):
        return None
    other = next((project for project in there.values() if same_key(project.name) == same_key(name)), None)
    return (
        None if other is None else f"{id_} is {own.name!r} in Mixpanel, and {name!r} is the name of project {other.id}"
    )


def source_in_words(grant: Grant) -> str:
    """The source of a grant: "the team Data", "an individual grant"."""
    if grant.grant_type is GrantType.TEAM:
        return f"the team {grant.team}" if grant.team else "a team"
    return _SOURCES[grant.grant_type]


def remaining_access(access: Mapping[int, Iterable[Grant]]) -> str:
    """What somebody can still reach, and why: "analyst in project 7 through the team Data; …"."""
    return (
        "; ".join(
            f"{grant.role} in project {project} through {source_in_words(grant)}"
            for project, grants in sorted(access.items())
            for grant in grants
        )
        or "without access to any project"
    )


def access_in_project(grants: Iterable[Grant], organization_role: str | None) -> AccessInProject:
    """Add up one person's grants in one project with what their organization role gives (contract, section 13)."""
    rows = list(grants)
    inherited = roles.project_role_of(organization_role)
    individual = [grant.role for grant in rows if grant.grant_type is GrantType.INDIVIDUAL]
    found = {grant.grant_type for grant in rows} | ({GrantType.ORGANIZATION_ROLE} if inherited else set())
    return AccessInProject(
        individual=roles.highest(individual),
        effective=roles.highest([grant.role for grant in rows] + ([inherited] if inherited else [])),
        grant_types=tuple(kind for kind in GrantType if kind in found),
        grants=tuple(rows),
    )
