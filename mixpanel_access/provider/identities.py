"""What a resource stands for in Mixpanel: two resources of a program with equal identities are one thing there.

A person is the key of their address, as a text. An id is None where the program does not give it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class GrantIdentity:
    """The individual grant of a person, by the key of their address, in a project."""

    project: int | None
    person: str


@dataclass(frozen=True)
class AllGrantsIdentity:
    """All individual grants of a project: the program declares a `ProjectAccess` there."""

    project: int | None


@dataclass(frozen=True)
class SingleGrantsIdentity:
    """Some individual grants of a project: the program declares a `ProjectGrant` there."""

    project: int | None


@dataclass(frozen=True)
class AccountGrantIdentity:
    """The individual grant of a service account, by its id, in a project."""

    account: int | None
    project: int | None


@dataclass(frozen=True)
class StayingAccount:
    """A service account, by its id, that another one has replaced in this run, and that stays for the overlap."""

    account: int


@dataclass(frozen=True)
class TeamIdentity:
    """The team of a name, by the key of the name."""

    name: str


@dataclass(frozen=True)
class TeamGrantIdentity:
    """The grant of a team, by its id, in a project."""

    team: int | None
    project: int | None


@dataclass(frozen=True)
class TeamMemberIdentity:
    """A person, by the key of their address, in a team, by its id."""

    team: int | None
    person: str


@dataclass(frozen=True)
class CustomRoleIdentity:
    """The custom role of a name, by the key of the name, in a project."""

    project: int | None
    name: str


@dataclass(frozen=True)
class NewCustomRole:
    """A custom role of a name, by its key, that the program adds to a project."""

    project: int | None
    name: str
