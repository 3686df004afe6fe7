"""What a read of Mixpanel says about access, as plain values: people, grants, login security, other access.

Other access is what no stack manages: data views, classified data, service accounts' sensitive flag, MCP and
discoverability (contract, section 17). It is only shown.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from mixpanel_access.model import roles
from mixpanel_access.model.address import domain_of, few, same_key


class Invitation(StrEnum):
    """The state of a person's invitation."""

    PENDING = "pending"
    EXPIRED = "expired"
    ACCEPTED = "accepted"


class GrantType(StrEnum):
    """The source of a project role. Roles add up; the highest counts."""

    ORGANIZATION_ROLE = "organization_role"
    TEAM = "team"
    INDIVIDUAL = "individual"
    ALL_USERS = "all_users"


@dataclass(frozen=True)
class Person:
    """A member or an invited person, as the organization's list has them.

    Attributes:
        email: the address as the server writes it.
        role: the organization role, normalized; None if the list does not have it.
        invited: whether the invitation is pending or expired; the list does not say which.
        last_login: the last login; None is unknown, not "never".
        user_id: Mixpanel's id of the user; None before the invitation is accepted.
        deactivated: whether SCIM shows that the person cannot log in.
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
    """One role of a person in a project, from one source."""

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
    """A user of SCIM: the id, the address, and whether they can log in (None: unknown)."""

    id: str
    email: str
    active: bool | None


@dataclass(frozen=True)
class AccessInProject:
    """The access of one person to one project.

    Attributes:
        individual: the role of the individual grant, or None.
        effective: the highest role from any source, or None.
        grant_types: the sources, in the order of `GrantType`.
        grants: the grants, as the project's list has them.
    """

    individual: str | None
    effective: str | None
    grant_types: tuple[GrantType, ...]
    grants: tuple[Grant, ...] = ()

    @property
    def through(self) -> str | None:
        """What gives the highest role, in words: "the team Data"; None for the individual grant, or without access."""
        if self.effective in (None, self.individual):
            return None
        giving = next((grant for grant in self.grants if grant.role == self.effective), None)
        return source_in_words(giving) if giving else _SOURCES[GrantType.ORGANIZATION_ROLE]


_SOURCES: Final = {
    GrantType.ORGANIZATION_ROLE: "the organization role",
    GrantType.INDIVIDUAL: "an individual grant",
    GrantType.ALL_USERS: "a grant to all users",
}


def another_project(id_: Any, name: str | None, there: Mapping[int, Project]) -> str | None:
    """In words, that the declared name belongs to another project in Mixpanel than the declared id, or None."""
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
    """The access that a person still has: "analyst in project 7 through the team Data; …"."""
    return (
        "; ".join(
            f"{grant.role} in project {project} through {source_in_words(grant)}"
            for project, grants in sorted(access.items())
            for grant in grants
        )
        or "without access to any project"
    )


def access_in_project(grants: Iterable[Grant], organization_role: str | None) -> AccessInProject:
    """Add up a person's grants in a project and what their organization role gives there (contract, section 13)."""
    rows = list(grants)
    inherited = roles.project_role_of(organization_role)
    individual = [grant.role for grant in rows if grant.grant_type is GrantType.INDIVIDUAL]
    found = {grant.grant_type for grant in rows} | ({GrantType.ORGANIZATION_ROLE} if inherited else set())
    return AccessInProject(
        individual=roles.highest(individual),
        effective=roles.highest([grant.role for grant in rows] + ([inherited] if inherited else [])),
        grant_types=tuple(grant_type for grant_type in GrantType if grant_type in found),
        grants=tuple(rows),
    )


EVERYBODY: Final = "everybody in the organization"
ORGANIZATION: Final = "the organization"
CLASSIFIED_WORD: Final = "classif"
"""What we assume the permission for classified data to contain, since Mixpanel publishes no codes."""


class AccessSource(StrEnum):
    """A kind of other access."""

    DATA_VIEWS = "data views"
    CLASSIFIED = "classified data"
    ACCOUNTS = "sensitive service accounts"
    MCP = "MCP"
    DISCOVERABILITY = "discoverability"


OF_PEOPLE: Final = (AccessSource.DATA_VIEWS, AccessSource.CLASSIFIED, AccessSource.MCP)
"""The kinds that one person can have."""


class Discoverability(StrEnum):
    """How people of the company's domains join the organization."""

    CLOSED = "Closed"
    REQUEST = "Request"
    OPEN = "Open"


@dataclass(frozen=True)
class AccountFlag:
    """A service account in a project's list: its name or id, its role, and whether it has sensitive access if known."""

    name: str
    role: str | None
    sensitive: bool | None


@dataclass(frozen=True)
class OtherAccess:
    """One kind of access that somebody has, or that is unknown.

    Attributes:
        source: the kind of access.
        who: an address, or a team, a service account or the organization in words; "" if it is unknown for everybody.
        what: the access, or why it is unknown.
        project: the project's id, or None.
        known: False if it is unknown whether this access exists.
    """

    source: AccessSource
    who: str
    what: str
    project: int | None = None
    known: bool = True

    def concerns(self, email_key: str) -> bool:
        """Whether it concerns the person of that key; what is unknown may."""
        return not self.known or self.who == EVERYBODY or same_key(self.who) == email_key

    def __str__(self) -> str:
        return f"{self.source}: {self.what}" if self.known else f"{self.source}: unknown ({self.what})"


def gives_classified(permissions: Iterable[str]) -> bool:
    """Whether one of these permissions of a custom role lets people see classified data."""
    return any(CLASSIFIED_WORD in code.lower() for code in permissions)


def unknown_access(source: AccessSource, why: str, projects: Collection[int] = ()) -> OtherAccess:
    """What could not be read, in all projects or in some."""
    only = next(iter(projects)) if len(projects) == 1 else None
    where = f" (projects {few([str(one) for one in sorted(projects)])})" if len(projects) > 1 else ""
    return OtherAccess(source, "", why.rstrip(". ") + where, only, known=False)


class Topic(StrEnum):
    """A setting that Mixpanel can refuse to show while it shows the others."""

    SSO = "single sign-on"
    TWO_FACTOR = "second factor"
    REQUEST_ACCESS = "access requests"


class Feature(StrEnum):
    """A feature that only some plans have (contract, section 13)."""

    CUSTOM_ROLES = "custom roles"
    AUDIT_LOG = "audit log"
    SSO = "single sign-on"


@dataclass(frozen=True)
class SingleSignOn:
    """Single sign-on of the organization.

    Attributes:
        enabled: whether it is set up.
        required: whether everybody but organization owners and admins must use it.
        idp_managed: whether a stranger's first login joins the organization ("IdP managed access").
        idp_name: the identity provider, for people.
        domains: the verified claimed domains, if known.
    """

    enabled: bool | None = None
    required: bool | None = None
    idp_managed: bool | None = None
    idp_name: str | None = None
    domains: frozenset[str] | None = None

    def claims(self, email: str) -> bool | None:
        """Whether the address is of a claimed domain; a subdomain is a domain of its own (contract, section 13)."""
        return None if self.domains is None else domain_of(email) in self.domains


@dataclass(frozen=True)
class Security:
    """The organization's security settings.

    Attributes:
        sso: single sign-on.
        two_factor_required: whether a login with a password needs a second factor.
        request_access: the settings on requests for access, as Mixpanel has them.
        unknown: what could not be read -> why.
        two_factor: the settings on the second factor, as Mixpanel has them.
    """

    sso: SingleSignOn = SingleSignOn()
    two_factor_required: bool | None = None
    request_access: Mapping[str, object] = field(default_factory=dict)
    unknown: Mapping[Topic, str] = field(default_factory=dict)
    two_factor: Mapping[str, object] = field(default_factory=dict)
