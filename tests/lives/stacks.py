"""What the states of the stacks hold, as the script of a life alone says."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date, datetime

from tests.lives.organization import CustomRole, Organization, Team
from tests.lives.rosters import Reasons, RoleEntry, Roster

Op = tuple[str, str]
"""A step of the engine: create, update or delete, and the resource's name."""


@dataclass
class HeldMember:
    """A person in the stack's state.

    Attributes:
        role: the organization role that the stack gave, or None; `declared` is the one that the program said.
        ours: whether a stack of the project brought them.
        before: the organization role that they had before the stack gave them one, or None.
        sent: when this stack sent the invitation that waits; None if it has sent none.
        until: until when the invitation can be accepted, at the latest; None where none waits.
        adopted: whether they were there when the stack first declared them.
    """

    role: str | None
    declared: str | None
    reasons: Reasons
    ours: bool
    before: str | None = None
    sent: datetime | None = None
    until: datetime | None = None
    adopted: bool = True

    def waits(self, until: datetime | None, sent: datetime | None = None) -> None:
        """Note what is known of the invitation; nothing for one that nobody waits for."""
        self.until, self.sent = until, sent

    def sends(self, role: str | None) -> bool:
        """Whether this stack is the one to send an expired invitation again."""
        return role is not None or not self.adopted


@dataclass
class HeldGrant:
    """A role in a project that the stack gave."""

    role: str
    reasons: Reasons


@dataclass
class HeldTeam:
    """A team in the state, under the name that the state knows."""

    team: Team
    name: str
    adopted: bool
    days: tuple[date | None, date | None]


@dataclass
class HeldRole:
    """A custom role in the state, as the state knows it."""

    role: CustomRole
    entry: RoleEntry


@dataclass
class HeldPlace:
    """A place in a team; one who waits joins after the invitation was accepted."""

    reasons: Reasons
    waits: bool = False


@dataclass
class HeldProject:
    """All individual grants of a project, where the roster alone says them.

    Attributes:
        grants: whose grants the state shows, declared or not.
        declared: whose grants the program declared last, with the reasons.
    """

    grants: dict[str, str] = field(default_factory=dict)
    declared: dict[str, Reasons] = field(default_factory=dict)

    def given(self) -> dict[str, HeldGrant]:
        """The declared grants that are there."""
        return {
            email: HeldGrant(self.grants[email], why) for email, why in self.declared.items() if email in self.grants
        }

    def given_or_lost(self) -> dict[str, HeldGrant]:
        """All declared grants; the state does not say the role of one that is lost."""
        return {email: HeldGrant(self.grants.get(email, ""), why) for email, why in self.declared.items()}


@dataclass
class Stack:
    """A stack with its roster and what its state has.

    Attributes:
        grants: those that are given one by one.
        whole: the projects whose grants are given together.
        addresses: who has another address in the names of the state than at first -> that one.
    """

    name: str
    roster: Roster
    members: dict[str, HeldMember] = field(default_factory=dict)
    grants: dict[tuple[int, str], HeldGrant] = field(default_factory=dict)
    whole: dict[int, HeldProject] = field(default_factory=dict)
    teams: dict[str, HeldTeam] = field(default_factory=dict)
    team_grants: dict[tuple[int, str], str] = field(default_factory=dict)
    accounts: set[str] = field(default_factory=set)
    account_grants: dict[tuple[int, str], str] = field(default_factory=dict)
    places: dict[tuple[str, str], HeldPlace] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)
    roles: dict[str, HeldRole] = field(default_factory=dict)

    def word(self, role: str) -> str:
        """The organization's word for a role of the roster; the roster's key for a custom role that is not made yet."""
        return self.roles[role].role.word if role in self.roles else role

    def address(self, email: str) -> str:
        """The address that the state has of somebody."""
        return self.addresses.get(email, email)

    def declares(self, email: str, day: date) -> bool:
        return self.roster.declared_to(email, day) is not None

    @property
    def all_grants(self) -> dict[tuple[int, str], HeldGrant]:
        """Every grant that the stack gave, one by one or together."""
        together = {(id_, email): one for id_, held in self.whole.items() for email, one in held.given().items()}
        return {**self.grants, **together}

    @property
    def given_or_lost(self) -> dict[tuple[int, str], HeldGrant]:
        """The same with the grants that a project has lost."""
        whole = self.whole.items()
        together = {(id_, email): one for id_, held in whole for email, one in held.given_or_lost().items()}
        return {**self.grants, **together}

    def people(self) -> set[str]:
        return {*self.members, *(email for _, email in self.given_or_lost), *(email for _, email in self.places)}


@dataclass
class Landscape:
    """The organization and the stacks that share it."""

    organization: Organization
    stacks: dict[str, Stack]

    def copy(self) -> Landscape:
        return deepcopy(self)

    def others(self, stack: Stack) -> list[Stack]:
        return [other for other in self.stacks.values() if other is not stack]
