"""The script of a life: what happens on each day, drawn with a seed, and done to the model as it is drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from tests.lives.organization import Organization, Person, Team
from tests.lives.rosters import RANK, Account, Entry, Roster, TeamEntry
from tests.lives.runs import Run
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
HANDS = "hands"
"""The service account by which people change by hand what the emulator's control surface cannot."""


@dataclass(frozen=True)
class Event:
    """Something that happens: a method of `World`, and its arguments."""

    at: datetime
    what: str
    arguments: tuple[Any, ...] = ()

    def __str__(self) -> str:
        shown = ", ".join(text if len(text := str(one)) < 60 else "…" for one in self.arguments)
        return f"{self.at:%m-%d %H:%M} {self.what}({shown})"


class Script:
    """A life as it is drawn.

    Args:
        seed: what it is drawn with.
        runs: how many of the runs take place.
    """

    def __init__(self, seed: int, runs: float = 1.0) -> None:
        self.random = Random(seed)
        self.runs = runs
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
        organization.teams.append(Team("Growth", {ids[0]: "consumer"}, {"stranger0@example.com"}))
        stacks = {
            name: Stack(
                name, Roster(name, projects, name == "production", authoritative=AUTHORITATIVE & projects.keys())
            )
            for name, projects in PROJECTS.items()
        }
        self.landscape = Landscape(organization, stacks)
        self.start = self.landscape.copy().organization
        self._teams = self._renamed = self._accounts = 0

    @property
    def organization(self) -> Organization:
        return self.landscape.organization

    @property
    def today(self) -> date:
        return self.now.date()

    # Days

    def beginning(self) -> Iterator[Event]:
        """The first day: two rosters, and their first runs."""
        for stack in self.landscape.stacks.values():
            for _ in range(self.random.randint(1, 2)):
                self._new_team(stack)
            for _ in range(self.random.randint(7, 11)):
                self._invite(stack)
            yield self._roster(stack)
        for stack in self.landscape.stacks.values():
            yield self.up(stack, refresh=False)

    def quiet_day(self) -> Iterator[Event]:
        """The next day, on which nobody writes anything: some accept, and some nights have a run."""
        self._next_night()
        if self.random.random() < 0.12:
            yield from self._night()
        self.now += timedelta(minutes=self.random.randint(11, 170))
        yield from self._accept()

    def _next_night(self) -> None:
        midnight = datetime.combine(self.today + timedelta(days=1), datetime.min.time(), UTC)
        self.now = midnight + timedelta(hours=2, minutes=self.random.randint(0, 59))

    def day(self) -> Iterator[Event]:
        """The next day."""
        self._next_night()
        yield from self._night()
        happenings: list[Callable[[], Iterator[Event]]] = [self._accept, self._follow_addresses]
        happenings += [self._edit] * self.random.choice((0, 1, 1, 2))
        happenings += [self._hand] * self.random.choice((0, 0, 1, 1, 2))
        self.random.shuffle(happenings)
        for happening in happenings:
            self.now += timedelta(minutes=self.random.randint(11, 170))
            yield from happening()
        self.now += timedelta(minutes=self.random.randint(3, 90))

    def _night(self) -> Iterator[Event]:
        """The nightly run, which may be late, or missed."""
        luck = self.random.random()
        if luck < 0.2:
            return
        if luck < 0.3:
            self.now += timedelta(hours=self.random.randint(2, 6))
        for stack in self.landscape.stacks.values():
            if self.random.random() < 0.8 * self.runs:
                yield self.revoke(stack)
        for stack in self.landscape.stacks.values():
            if self.random.random() < 0.6 * self.runs:
                yield from self._update(stack, refresh=self.random.random() < 0.6)

    def _accept(self) -> Iterator[Event]:
        for email, person in list(self.organization.people.items()):
            if person.invited_at is None or self.random.random() > 0.3:
                continue
            if not self.organization.has_expired(email, self.now):
                person.invited_at = None
                yield self._event("accept", email)

    # What people write

    def _edit(self) -> Iterator[Event]:
        stack = self.random.choice(list(self.landscape.stacks.values()))
        edits: list[Callable[[Stack], object]] = [
            self._invite, self._invite, self._engage, self._move_end, self._move_end, self._move_end, self._change_role,
            self._change_role, self._drop_entry, self._change_projects, self._change_places, self._new_team,
            self._end_team, self._change_team, self._new_account, self._change_account,
        ]  # fmt: skip
        for _ in range(self.random.choice((1, 1, 2))):
            self.random.choice(edits)(stack)
        if len(stack.roster.declared(self.today)) < 9:
            self._invite(stack)
        yield self._roster(stack)
        if self.random.random() < 0.65 * self.runs:
            self.now += timedelta(minutes=self.random.randint(2, 9))
            yield from self._update(stack, refresh=self.random.random() < 0.4)

    def _days_ahead(self, low: int, high: int) -> date:
        return self.today + timedelta(days=self.random.randint(low, high))

    def _invite(self, stack: Stack) -> None:
        """Somebody new, or one more entry of somebody."""
        roster = stack.roster
        free = [email for email in self.everybody if not roster.entries_of(email)]
        if not free:
            return
        email = self.random.choice(free)
        keys = self.random.sample(list(roster.projects), self.random.randint(1, 2))
        entry = Entry(email, {key: self.random.choice(ROLES) for key in keys})
        if roster.owns_roles and self.random.random() < 0.4:
            entry.role = self.random.choice(("member", "member", "admin"))
        if roster.teams and self.random.random() < 0.5:
            entry.teams = [self.random.choice(list(roster.teams))]
        if self.random.random() < 0.2:
            entry.starts = self._days_ahead(0, 6)
        if self.random.random() < 0.6:
            entry.ends = (entry.starts or self.today) + timedelta(days=self.random.randint(1, 22))
        self._fits(roster, entry)
        roster.entries.append(entry)

    def _fits(self, roster: Roster, entry: Entry) -> None:
        """Leave out the teams that share no day with the entry, which a roster must not have."""
        entry.teams = [key for key in entry.teams if _share_a_day(entry, roster.teams[key])]

    def _engage(self, stack: Stack) -> None:
        """An engagement, and an entry for it of somebody who may have one already."""
        roster = stack.roster
        key = f"e{len(roster.engagements)}"
        starts = self._days_ahead(-3, 6)
        roster.engagements[key] = starts, starts + timedelta(days=self.random.randint(4, 25))
        email = self.random.choice(self.everybody)
        if any(entry.engagement is not None for entry in roster.entries_of(email)):
            return
        project = self.random.choice(list(roster.projects))
        entry = Entry(email, {project: self.random.choice(ROLES)}, engagement=key, inherits=True)
        entry.starts, entry.ends = roster.engagements[key]
        if roster.teams and self.random.random() < 0.3:
            entry.teams = [self.random.choice(list(roster.teams))]
        self._fits(roster, entry)
        roster.entries.append(entry)

    def _an_entry(self, stack: Stack) -> Entry | None:
        return self.random.choice(stack.roster.entries) if stack.roster.entries else None

    def _move_end(self, stack: Stack) -> None:
        entry = self._an_entry(stack)
        if entry is None or entry.inherits:
            return
        if entry.ends is not None and self.random.random() < 0.2:
            entry.ends = None
        else:
            earliest = entry.starts or date.min
            entry.ends = max(self._days_ahead(-2, 20), earliest)
        self._fits(stack.roster, entry)

    def _change_role(self, stack: Stack) -> None:
        entry = self._an_entry(stack)
        if entry is None:
            return
        if stack.roster.owns_roles and self.random.random() < 0.3:
            entry.role = self.random.choice((None, "member", "admin"))
        elif entry.projects:
            entry.projects[self.random.choice(list(entry.projects))] = self.random.choice(ROLES)

    def _change_projects(self, stack: Stack) -> None:
        entry = self._an_entry(stack)
        if entry is None:
            return
        key = self.random.choice(list(stack.roster.projects))
        if key in entry.projects:
            del entry.projects[key]
        else:
            entry.projects[key] = self.random.choice(ROLES)

    def _drop_entry(self, stack: Stack) -> None:
        entry = self._an_entry(stack)
        if entry is not None:
            stack.roster.entries.remove(entry)

    def _change_places(self, stack: Stack) -> None:
        entry = self._an_entry(stack)
        if entry is None or not stack.roster.teams:
            return
        key = self.random.choice(list(stack.roster.teams))
        entry.teams = [one for one in entry.teams if one != key] if key in entry.teams else [*entry.teams, key]
        self._fits(stack.roster, entry)

    def _new_team(self, stack: Stack) -> None:
        """A team of the stack; the first adopts one that is there."""
        roster = stack.roster
        if len(roster.teams) >= 3:
            return
        self._teams += 1
        name = "Growth" if self._teams == 2 and stack.name == "production" else f"Team {self._teams}"
        key = f"t{self._teams}"
        roles = {self.random.choice(list(roster.projects)): self.random.choice(ROLES)}
        team = TeamEntry(name, roles)
        if self.random.random() < 0.4:
            team.ends = self._days_ahead(2, 15)
        if self.random.random() < 0.2:
            team.starts = self._days_ahead(0, 2)
        roster.teams[key] = team

    def _end_team(self, stack: Stack) -> None:
        if not stack.roster.teams:
            return
        team = stack.roster.teams[self.random.choice(list(stack.roster.teams))]
        earliest = max([date.min, *([team.starts] if team.starts else [])])
        team.ends = None if self.random.random() < 0.3 else max(self._days_ahead(-1, 12), earliest)
        for entry in stack.roster.entries:
            self._fits(stack.roster, entry)

    def _change_team(self, stack: Stack) -> None:
        """Another role of a team, or another name, or no team any more."""
        roster = stack.roster
        if not roster.teams:
            return
        key = self.random.choice(list(roster.teams))
        luck = self.random.random()
        if luck < 0.15:
            del roster.teams[key]
            for entry in roster.entries:
                entry.teams = [one for one in entry.teams if one != key]
        elif luck < 0.3:
            self._renamed += 1
            roster.teams[key].name = f"{roster.teams[key].name.split(' again')[0]} again {self._renamed}"
        else:
            project = self.random.choice(list(roster.teams[key].projects))
            roster.teams[key].projects[project] = self.random.choice(ROLES)

    def _new_account(self, stack: Stack) -> None:
        """A service account of the stack."""
        self._accounts += 1
        keys = self.random.sample(list(stack.roster.projects), self.random.randint(0, 2))
        expires = self._days_ahead(2, 40) if self.random.random() < 0.6 else None
        account = Account({key: self.random.choice(ROLES) for key in keys}, self.random.choice(ROLES), expires)
        stack.roster.accounts[f"job{self._accounts}"] = account

    def _change_account(self, stack: Stack) -> None:
        """Another role of a service account in a project, or no account any more."""
        accounts = stack.roster.accounts
        if not accounts:
            return
        name = self.random.choice(list(accounts))
        key = self.random.choice(list(stack.roster.projects))
        luck = self.random.random()
        if luck < 0.2:
            del accounts[name]
        elif luck < 0.4:
            accounts[name].projects.pop(key, None)
        else:
            accounts[name].projects[key] = self.random.choice(ROLES)

    # What people do in the product

    def _hand(self) -> Iterator[Event]:
        hands: list[Callable[[], Iterator[Event]]] = [
            self._hand_removes, self._hand_grants, self._hand_grants, self._hand_grants, self._hand_gives_role,
            self._hand_invites, self._hand_changes_team, self._hand_changes_places, self._hand_renames_team,
            self._change_address,
        ]  # fmt: skip
        yield from self.random.choice(hands)()

    def _somebody(self, *, joined: bool = False) -> str | None:
        there = [
            email
            for email, person in self.organization.people.items()
            if email not in OWNERS and not (joined and person.invited_at is not None)
        ]
        return self.random.choice(there) if there else None

    def _hand_removes(self) -> Iterator[Event]:
        if (email := self._somebody()) is not None and not self._is_between_addresses(email):
            removed = self._event("hand_removes", email)
            self.organization.remove(email)
            yield removed

    def _hand_grants(self) -> Iterator[Event]:
        if (email := self._somebody()) is not None:
            project = self.random.choice(self.organization.projects)
            role = self.random.choice((None, *RANK))
            if role is None:
                self.organization.grants.pop((project, email), None)
            else:
                self.organization.grants[project, email] = role
            yield self._event("hand_grants", project, email, role)

    def _hand_gives_role(self) -> Iterator[Event]:
        if (email := self._somebody(joined=True)) is not None:
            role = self.random.choice(("member", "admin", "billing_admin"))
            self.organization.people[email].role = role
            yield self._event("hand_gives_role", email, role)

    def _hand_invites(self) -> Iterator[Event]:
        free = [email for email in self.everybody if email not in self.organization.people]
        if free:
            email = self.random.choice(free)
            self.organization.people[email] = Person("member", self.now)
            yield self._event("hand_invites", email)

    def _a_team(self) -> Team | None:
        return self.random.choice(self.organization.teams) if self.organization.teams else None

    def _hand_changes_team(self) -> Iterator[Event]:
        if (team := self._a_team()) is not None:
            project = self.random.choice(self.organization.projects)
            role = self.random.choice((None, *ROLES))
            if role is None:
                if project not in team.projects:
                    return
                del team.projects[project]
            else:
                team.projects[project] = role
            yield self._event("hand_changes_team", team.name, project, role)

    def _hand_changes_places(self) -> Iterator[Event]:
        team, email = self._a_team(), self._somebody()
        if team is not None and email is not None:
            if team.members and self.random.random() < 0.6:
                email = self.random.choice(sorted(team.members))
                team.members.discard(email)
                yield self._event("hand_takes_out", team.name, email)
            else:
                team.members.add(email)
                yield self._event("hand_puts_in", team.name, email)

    def _hand_renames_team(self) -> Iterator[Event]:
        if (team := self._a_team()) is not None:
            before = team.name
            self._renamed += 1
            team.name = f"{before.split(' by hand')[0]} by hand {self._renamed}"
            yield self._event("hand_renames_team", before, team.name)

    # Runs

    def _update(self, stack: Stack, *, refresh: bool) -> Iterator[Event]:
        """`pulumi up`, as somebody runs it who reads why the one before was refused.

        It makes no service account that has expired, so the roster is corrected.
        """
        late = [one for name, one in stack.roster.accounts.items() if name not in stack.accounts and one.expires]
        if past := [one for one in late if one.expires and one.expires < self.today]:
            for account in past:
                account.expires = None
            yield self._roster(stack)
        yield self.up(stack, refresh=refresh)

    def up(self, stack: Stack, *, refresh: bool) -> Event:
        Run(self.landscape, stack, self.now).up(refresh=refresh)
        return self._event("up", stack.name, refresh)

    def revoke(self, stack: Stack) -> Event:
        Run(self.landscape, stack, self.now).revoke()
        return self._event("revoke", stack.name)

    # Changed addresses

    def _change_address(self) -> Iterator[Event]:
        """Somebody changes their address in Mixpanel, and the rosters follow: at once, or some days later.

        It is somebody of whom the states know Mixpanel's id, and whom all rosters with an entry already have.
        """
        stacks, people = list(self.landscape.stacks.values()), self.organization.people
        known = [
            email
            for email, person in people.items()
            if email not in OWNERS and person.invited_at is None and email not in self.organization.addresses
            and any(email in stack.members for stack in stacks)
            and all(stack.members[email].until is None for stack in stacks if email in stack.members)
            and all(email in stack.members for stack in stacks if stack.roster.entries_of(email))
        ]  # fmt: skip
        if not known:
            return
        email = self.random.choice(known)
        address = email.replace("@", ".new@")
        first = self.random.random() < 0.2
        if first:
            yield from self._follow_address(email, address)
        changed = self._event("hand_changes_address", email, address)
        self.organization.addresses[email] = address
        if not first:
            self.organization.behind.add(email)
        yield changed

    def _is_between_addresses(self, email: str) -> bool:
        """Whether a state still has an address that the rosters have no longer: only who is there joins the two."""
        stacks = self.landscape.stacks.values()
        return any(email in stack.people() and stack.address(email) != stack.roster.address(email) for stack in stacks)

    def _follow_addresses(self) -> Iterator[Event]:
        for email in sorted(self.organization.behind):
            if self.random.random() < 0.4:
                self.organization.behind.discard(email)
                yield from self._follow_address(email, self.organization.address(email))

    def _follow_address(self, email: str, address: str) -> Iterator[Event]:
        for stack in self.landscape.stacks.values():
            stack.roster.addresses[email] = address
            if stack.roster.entries_of(email):
                yield self._roster(stack)

    def _roster(self, stack: Stack) -> Event:
        return self._event("write", stack.name, stack.roster.text())

    def _event(self, what: str, *arguments: Any) -> Event:
        """Something that happens now; what comes next is later."""
        now = [self.organization.address(one) if isinstance(one, str) else one for one in arguments]
        event = Event(self.now, what, tuple(now))
        self.now += timedelta(minutes=2)
        return event


def _share_a_day(entry: Entry, team: TeamEntry) -> bool:
    starts = max(entry.starts or date.min, team.starts or date.min)
    return starts <= min(entry.ends or date.max, team.ends or date.max)
