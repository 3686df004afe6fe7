"""What is true of a life on a day: the sets with which each command is compared."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cached_property

from tests.lives.expected import (
    Fact,
    beginning,
    drift,
    ending,
    ending_teams,
    rank,
    undone,
    undone_teams,
    waiting,
)
from tests.lives.runs import Run
from tests.lives.stacks import Landscape, Op, Stack


class Truth:
    """What is true of a life on a day; each part is found once.

    Args:
        landscape: the organization and the stacks.
        now: the instant.
        ahead: how many days the commands look ahead.
    """

    def __init__(self, landscape: Landscape, now: datetime, ahead: int) -> None:
        self.landscape, self.now, self.ahead = landscape, now, ahead
        self.today = now.date()
        self.organization = landscape.organization

    @property
    def stacks(self) -> Iterator[Stack]:
        """The stacks."""
        yield from self.landscape.stacks.values()

    @cached_property
    def endings(self) -> set[Fact]:
        """Who loses something after which day."""
        return {fact for one in self.stacks for fact in ending(one.roster, self.today, self.ahead)}

    @cached_property
    def beginnings(self) -> set[Fact]:
        """Who gets something on which day."""
        return {fact for one in self.stacks for fact in beginning(one.roster, self.today, self.ahead)}

    @cached_property
    def ending_teams(self) -> set[Fact]:
        """Which teams end after which day."""
        return {fact for one in self.stacks for fact in ending_teams(one.roster, self.today, self.ahead)}

    @cached_property
    def undone(self) -> set[Fact]:
        """What the next updates take from and give to whom."""
        return {fact for one in self.stacks for fact in undone(one, self.today)}

    @cached_property
    def undone_teams(self) -> set[Fact]:
        """The same of teams as a whole."""
        return {fact for one in self.stacks for fact in undone_teams(one, self.today)}

    @cached_property
    def overdue(self) -> set[Fact]:
        """Who still has what has ended: stack, address."""
        return {fact[1:3] for fact in self.undone if fact[0] == "overdue"}

    @cached_property
    def waiting(self) -> dict[str, tuple[str, datetime | None, datetime | None]]:
        """Who has not accepted the invitation."""
        return waiting(self.landscape, self.now)

    @cached_property
    def drift(self) -> set[Fact]:
        """How the organization differs from the states."""
        return drift(self.landscape)

    @cached_property
    def access(self) -> set[Fact]:
        """Everybody's access by every source: address, project, role, kind, team."""
        organization = self.organization
        return {
            (email, one.project, one.role, one.kind, one.team)
            for email in organization.people
            for one in organization.sources(email)
        }

    @cached_property
    def effective(self) -> set[Fact]:
        """Everybody's highest role in each project."""
        organization = self.organization
        return {(email, *held) for email in organization.people for held in organization.effective(email).items()}

    def troubled(self, pending_hours: int) -> dict[str, set[str]]:
        """Why somebody of the rosters or states needs action."""
        return troubled(self, pending_hours)

    def is_wanted(self, email: str) -> bool:
        """Whether a roster has an entry for somebody that is of today."""
        return any(stack.declares(email, self.today) for stack in self.stacks)

    def is_declared(self, email: str) -> bool:
        """Whether a roster gives somebody anything today: not only places in teams that have ended."""
        given = [(stack.roster, one) for stack in self.stacks if (one := stack.roster.declared_to(email, self.today))]
        over = any(
            (last := roster.place_reasons(entry, key)[2]) is not None and last < self.today
            for roster, _ in given
            for entry in roster.entries_of(email)
            if entry.is_current(self.today)
            for key in entry.teams
        )
        return bool(given) and (not over or any(one.projects or one.teams for _, one in given))

    def has_less(self, email: str) -> bool:
        """Whether somebody who has joined reaches less than the rosters give them, by whatever way."""
        person = self.organization.people.get(email)
        if person is None or person.invited_at is not None:
            return False
        effective, wanted = self.organization.effective(email), list[tuple[int, str]]()
        for stack in self.stacks:
            if given := stack.roster.declared_to(email, self.today):
                wanted += [(project, role) for project, (role, _) in given.projects.items()]
                roles = [held for key in given.teams for held in stack.roster.teams[key].projects.items()]
                wanted += [(stack.roster.projects[project], role) for project, role in roles]
        return any(rank(effective.get(project)) < rank(role) for project, role in wanted)

    # What the next runs do

    def next_up(self, name: str) -> set[Op]:
        """The steps of the next `pulumi up` without `--refresh`, as a preview shows them."""
        copy = self.landscape.copy()
        stack = copy.stacks[name]
        ops = Run(copy, stack, self.now).up(refresh=False)
        # What an update puts out is not known before, so the engine shows an update of what depends on it too.
        changing = {step.removeprefix("team/") for op, step in ops if op == "update"} & stack.teams.keys()
        places = {("update", f"team/{key}:{email}") for key, email in stack.places if key in changing}
        grants = {("update", f"{id_}:team/{key}") for id_, key in stack.team_grants if key in changing}
        return ops | {op for op in places | grants if ("create", op[1]) not in ops}

    def next_revoke(self, name: str) -> set[Op]:
        """The steps of the next `mixpanel-access revoke`."""
        copy = self.landscape.copy()
        return Run(copy, copy.stacks[name], self.now).revoke()


def troubled(truth: Truth, pending_hours: int) -> dict[str, set[str]]:
    """Why somebody of the rosters or states needs action: address -> the reasons."""
    found: dict[str, set[str]] = {}
    landscape, now, today = truth.landscape, truth.now, truth.today
    stacks = landscape.stacks.values()
    everybody = {email for stack in stacks for email in (*stack.people(), *stack.roster.people)}
    waits, differences, undone_now, teams_now = truth.waiting, truth.drift, truth.undone, truth.undone_teams
    for email in everybody:
        why = {f"{fact[0]} in {fact[1]}: {fact[3]}" for fact in undone_now if fact[2] == email}
        given = {stack.name: stack.roster.declared_to(email, today) for stack in stacks}
        if email in waits and any(given.values()):  # else nobody sends the invitation again
            how, sent, until = waits[email]
            if how == "expired":
                why.add("expired")
            elif sent and now - sent > timedelta(hours=pending_hours):
                why.add("pending for long")
            elif until and until - now <= timedelta(hours=48):
                why.add("expires soon")
        places = [(stack.name, key) for stack in stacks for key, one in stack.places if one == email]
        keys = {*places, *((name, key) for name, one in given.items() if one for key in one.teams)}
        why |= {f"{how} in {name}: team {key}" for how, name, key in teams_now if (name, key) in keys}
        names = {
            landscape.stacks[name].roster.teams[key].name
            for name, key in keys
            if key in landscape.stacks[name].roster.teams
        }
        names |= {landscape.stacks[name].teams[key].name for name, key in keys if key in landscape.stacks[name].teams}
        declared = {project for one in given.values() if one for project in one.projects}
        own_names = {landscape.stacks[n].roster.teams[key].name for n, one in given.items() if one for key in one.teams}
        for kind, whose, project, team in differences:
            if whose not in (email, "") or (not whose and team not in names):
                continue
            adopted = {
                "unmanaged member": any(given.values()), "unmanaged grant": project in declared,
                "unmanaged team member": team in own_names,
            }  # fmt: skip
            if not adopted.get(kind, False):
                why.add(f"{kind} {project or ''} {team or ''}")
        if why:
            found[email] = why
    return found
