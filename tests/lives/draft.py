"""A life as far as it is drawn: the organization, the stacks, the present, and the random choices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from tests.lives.organization import CustomRole, Organization, Person, Team
from tests.lives.rosters import Roster
from tests.lives.stacks import Landscape, Stack

FIRST = date(2027, 1, 4)
"""The first day of every life."""
PROJECTS = {
    "production": {"shop": 1234567, "warehouse": 1234568, "vault": 1234569},
    "staging": {"shop": 2345678, "sandbox": 2345679},
}
STACKS = tuple(PROJECTS)
AUTHORITATIVE = frozenset({"vault"})
"""The projects whose grants a roster alone says."""
OWNERS = ("ana@example.com", "omar@example.com")
ROLES = ("consumer", "analyst", "admin")
PERMISSIONS = ("share_reports", "export_reports_csv", "edit_boards", "edit_cohorts")
_GROUPED = 0.5
"""In how many lives one of the rosters is grouped."""
RUNS = ("up", "revoke")
"""The events that are runs."""
HANDS = "hands"
"""The service account by which people change by hand what the emulator's control surface cannot."""
CLAIMED = "example.com"
"""The claimed domain of a life with SCIM."""
ADOPTED_TEAM, ADOPTED_ROLE = "Growth", "Support"
"""What is there before the stacks, and gets into the first roster by its name."""


@dataclass(frozen=True)
class Event:
    """Something that happens: a method of `World`, and its arguments."""

    at: datetime
    what: str
    arguments: tuple[Any, ...] = ()

    def __str__(self) -> str:
        shown = ", ".join(text if len(text := str(one)) < 60 else "…" for one in self.arguments)
        return f"{self.at:%m-%d %H:%M} {self.what}({shown})"


class Draft:
    """A life as far as it is drawn.

    Args:
        seed: what it is drawn with.

    Attributes:
        everybody: who may come into the rosters.
        landscape: the organization and the stacks now.
        now: the present.
    """

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.now = datetime(FIRST.year, FIRST.month, FIRST.day, 8, 17, tzinfo=UTC)
        staff = [f"w{number}@example.com" for number in range(self.random.randint(4, 12))]
        agency = [f"p{number}@agency.example.org" for number in range(self.random.randint(9, 24))]
        self.everybody = [*staff, *agency]
        ids = tuple(id_ for own in PROJECTS.values() for id_ in own.values())
        organization = Organization(ids, {email: Person("owner") for email in OWNERS})
        organization.people |= {email: Person() for email in staff[: self.random.randint(2, 4)]}
        organization.people |= {f"stranger{number}@example.com": Person() for number in range(2)}
        for email in organization.people:
            if email not in OWNERS and self.random.random() < 0.6:
                organization.grants[self.random.choice(ids), email] = self.random.choice(ROLES)
        organization.teams.append(Team(ADOPTED_TEAM, {ids[0]: "consumer"}, {"stranger0@example.com"}))
        organization.custom_roles.append(CustomRole("support", ids[0], ADOPTED_ROLE, frozenset({"share_reports"})))
        organization.grants[ids[0], "stranger1@example.com"] = "support"
        if self.random.random() < 0.4:
            organization.claimed = CLAIMED
        stacks = {
            name: Stack(
                name, Roster(name, projects, name == "production", authoritative=AUTHORITATIVE & projects.keys())
            )
            for name, projects in PROJECTS.items()
        }
        draw = Random(f"{seed} groups")  # of its own, so that what else is drawn depends on the seed alone
        stacks[draw.choice(STACKS)].roster.grouped = draw.random() < _GROUPED
        self.landscape = Landscape(organization, stacks)

    @property
    def organization(self) -> Organization:
        return self.landscape.organization

    @property
    def stacks(self) -> list[Stack]:
        return list(self.landscape.stacks.values())

    @property
    def today(self) -> date:
        return self.now.date()

    def days_ahead(self, low: int, high: int) -> date:
        return self.today + timedelta(days=self.random.randint(low, high))

    def later(self, low: int, high: int) -> None:
        """Let some minutes pass."""
        self.now += timedelta(minutes=self.random.randint(low, high))

    def somebody(self, *, joined: bool = False) -> str | None:
        """Somebody who is in the organization, and no owner."""
        there = [
            email
            for email, person in self.organization.people.items()
            if email not in OWNERS and not (joined and person.invited_at is not None)
        ]
        return self.random.choice(there) if there else None

    def event(self, what: str, *arguments: Any) -> Event:
        """Something that happens now; what comes next is later."""
        now = [self.organization.address(one) if isinstance(one, str) else one for one in arguments]
        event = Event(self.now, what, tuple(now))
        self.now += timedelta(minutes=2)
        return event

    def roster(self, stack: Stack) -> Event:
        """Somebody writes a stack's roster."""
        return self.event("write", stack.name, stack.roster.text())

    # Changed addresses

    def is_between_addresses(self, email: str) -> bool:
        """Whether a state or a roster has another address of somebody than the others: only who is there joins them."""
        has = {self.organization.address(email)}
        for stack in self.stacks:
            has |= {stack.address(email)} if email in stack.people() else set()
            has |= {stack.roster.address(email)} if stack.roster.entries_of(email) else set()
        return len(has) > 1

    def follow_address(self, email: str, stack: Stack, address: str) -> Iterator[Event]:
        """Have a roster have another address of somebody."""
        stack.roster.addresses[email] = address
        if stack.roster.entries_of(email):
            yield self.roster(stack)

    def settle_addresses(self) -> Iterator[Event]:
        """Have all rosters have one address of everybody whom nothing would show to be one person.

        Somebody may have left while the rosters had two addresses of them, or no state has the first one any more.
        """
        organization = self.organization
        for email in sorted(organization.behind):
            behind = [stack for stack in self.stacks if stack.name in organization.behind[email]]
            known = any(email in stack.members and stack.address(email) == email for stack in self.stacks)
            if known and email in organization.people:
                continue
            del organization.behind[email]
            if email not in organization.people and behind == self.stacks:
                del organization.addresses[email]  # who comes back comes by the first address
                continue
            for stack in behind:
                yield from self.follow_address(email, stack, organization.address(email))
