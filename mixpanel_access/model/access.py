"""People and grants in an organization as plain values: what a read of Mixpanel says, without its wire shapes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from unicodedata import category

from mixpanel_access.model import roles
from mixpanel_access.model.address import same_key
from mixpanel_access.model.rights import OwnRights
from mixpanel_access.model.secret import Secret


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
class CustomRoleInfo:
    """A role of a project's own (Enterprise); `id` is used wherever a project role is.

    Attributes:
        permissions: codes that only Mixpanel knows the meaning of; None where they are not told.
    """

    project: int
    id: str
    name: str
    description: str = ""
    permissions: frozenset[str] | None = None


SERVICE_ACCOUNT_SUFFIX: Final = ".mp-service-account"
"""What Mixpanel ends the login name of a service account with."""
_SERVER_PART: Final = re.compile(rf"\.[^.]+{re.escape(SERVICE_ACCOUNT_SUFFIX)}$")


@dataclass(frozen=True)
class ServiceAccountInfo:
    """One service account of the organization.

    Attributes:
        id: Mixpanel's id of it.
        username: its login name, which ends with what the server has added.
        created: when it was made, or None where it is not told.
        expires: from when on it is refused, or None for never.
        last_used: or None where it is not told.
        role: the organization role, or None where the list does not tell.
        creator: the address of who made it, or None where it is not told.
    """

    id: int
    username: str
    created: datetime | None = None
    expires: datetime | None = None
    last_used: datetime | None = None
    role: str | None = None
    creator: str | None = None

    @property
    def name(self) -> str:
        """The name that it was made with."""
        return service_account_name(self.username)

    def expired(self, now: datetime) -> bool:
        """Whether it is refused at an instant."""
        return self.expires is not None and self.expires <= now


@dataclass(frozen=True)
class NewServiceAccount:
    """What the answer to the making of an account tells, once."""

    account: ServiceAccountInfo
    token: Secret


@dataclass(frozen=True)
class ServiceAccountRole:
    """One way in which a service account holds a role in a project."""

    account: int
    project: int
    role: str
    grant_type: GrantType = GrantType.INDIVIDUAL


@dataclass(frozen=True)
class ScimUser:
    """Somebody as SCIM knows them: its id of them, the address, and whether they may come in (None: it is not told)."""

    id: str
    email: str
    active: bool | None


@dataclass(frozen=True)
class Identity:
    """Who we are to Mixpanel.

    Attributes:
        email: the login name of the service account (or a person's address).
        organizations: organization id -> our role there (None where it is not told).
        permissions: organization id -> the codes of what we may do there; an empty set is unknown.
    """

    email: str
    organizations: Mapping[int, str | None] = field(default_factory=dict)
    permissions: Mapping[int, frozenset[str]] = field(default_factory=dict)

    def rights(self, organization: int) -> OwnRights:
        """What we may do in an organization."""
        return OwnRights(self.organizations.get(organization), self.permissions.get(organization, frozenset()))


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


KEEPING: Final = frozenset({GrantType.INDIVIDUAL, GrantType.TEAM})
"""The ways that somebody has given this person: while one is left, they are not unused."""


def holds_others_role(person: Person, declared: str | None) -> bool:
    """Whether somebody else gave this person an organization role above member: it is none that is declared here.

    A role that we do not know is not held against them: access that has ended does not stay because of a word.
    """
    return declared is None and roles.is_organization_role(person.role) and person.role != roles.MEMBER


WHEN_UNUSED: Final = "when_unused"
ALWAYS: Final = "always"
NEVER: Final = "never"
REMOVALS: Final = (WHEN_UNUSED, ALWAYS, NEVER)
"""What becomes of a person who is no longer declared; see `should_remove`."""


def should_remove(
    removal: str,
    person: Person,
    declared: str | None,
    left: Iterable[Grant],
    *,
    ours: bool | None = None,
    elsewhere: Callable[[], bool] = lambda: False,
) -> bool:
    """Whether a person who is no longer declared leaves the organization.

    Args:
        removal: one of `REMOVALS`; `when_unused` keeps whom the stack found, and whom somebody else still gives
            something.
        person: the person as the organization has them.
        declared: the organization role that was declared, or None.
        left: the grants that are left once the declared ones are gone; only asked for where it matters.
        ours: whether a stack of the project brought the person (see `ownership.is_ours`); None if that is unknown.
        elsewhere: whether another stack declares the person; only asked for where it matters.
    """
    if removal != WHEN_UNUSED:
        return removal == ALWAYS
    if ours is False or holds_others_role(person, declared):
        return False
    return not any(grant.grant_type in KEEPING for grant in left) and not elsewhere()


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
    """How a grant comes about: "the team Data", "an individual grant"."""
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


def service_account_name(username: str) -> str:
    """The name that was asked for: `deploy-bot` of `deploy-bot.1a2b3c.mp-service-account` (contract, section 6)."""
    return _SERVER_PART.sub("", username.strip()).strip()


def problem_with_account_name(name: object) -> str | None:
    """Why this can be no name to make a service account with, in words, or None when it can."""
    text = name.strip() if isinstance(name, str) else ""
    if not isinstance(name, str) or not text or any(char == ":" or category(char) == "Cc" for char in text):
        return f"{name!r} cannot name a service account: use a text without a colon or control characters"
    if service_account_name(name) != text:
        return f"{name!r} is a login name; give the name without what Mixpanel adds to it"
    return None
