"""People and grants in an organization as plain values: what a read of Mixpanel says, without its wire shapes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

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
    """

    email: str
    role: str | None
    invited: bool
    name: str | None = None
    last_login: datetime | None = None
    user_id: int | None = None

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
class Identity:
    """Who we are to Mixpanel.

    Attributes:
        email: the login name of the service account (or a person's address).
        organizations: organization id -> our role there (None where it is not told).
    """

    email: str
    organizations: Mapping[int, str | None] = field(default_factory=dict)


@dataclass(frozen=True)
class ProjectAccess:
    """What one person can do in one project, and by which ways.

    Attributes:
        individual: the role of the individual grant, or None.
        effective: the highest role by any way, or None where there is none.
        grant_types: the ways, in the order of `GrantType`.
    """

    individual: str | None
    effective: str | None
    grant_types: tuple[GrantType, ...]


def project_access(grants: Iterable[Grant], organization_role: str | None) -> ProjectAccess:
    """Add up one person's grants in one project with what their organization role gives (contract, section 13)."""
    rows = [(grant.grant_type, grant.role) for grant in grants]
    inherited = roles.project_role_of(organization_role)
    if inherited is not None:
        rows.append((GrantType.ORGANIZATION_ROLE, inherited))
    individual = [role for kind, role in rows if kind is GrantType.INDIVIDUAL]
    found = {kind for kind, _ in rows}
    return ProjectAccess(
        individual=roles.highest(individual),
        effective=roles.highest([role for _, role in rows]),
        grant_types=tuple(kind for kind in GrantType if kind in found),
    )
