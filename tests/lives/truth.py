"""What is true of a life on a day: the sets with which each command is compared."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import cached_property

from tests.lives.expected import (
    Fact,
    beginning,
    drift,
    ending,
    ending_accounts,
    ending_teams,
    rank,
    undone,
    undone_accounts,
    undone_teams,
    waiting,
)
from tests.lives.revocations import Revocation
from tests.lives.rosters import Account, is_custom
from tests.lives.stacks import Landscape, Op, Stack
from tests.lives.steps import Reason, in_short
from tests.lives.updates import Update

REFUSED: Op = ("refuse", "a service account that has expired")
"""The only step of an update that refuses the roster."""

PENDING_FOR_LONG, EXPIRES_SOON = timedelta(hours=72), timedelta(hours=48)


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
    def undone_accounts(self) -> set[Fact]:
        """The same of service accounts."""
        return {fact for one in self.stacks for fact in undone_accounts(one, self.today)}

    @cached_property
    def ending_accounts(self) -> set[Fact]:
        """Which service accounts expire after which day."""
        return {fact for one in self.stacks for fact in ending_accounts(one.roster, self.today, self.ahead)}

    @cached_property
    def overdue(self) -> set[Fact]:
        """Who still has what has ended: stack, address."""
        return {fact[1:3] for fact in self.undone if fact[0] == "overdue"}

    @property
    def undone_by_now(self) -> frozenset[Fact]:
        """What the clock alone adds to: what is left undone, and which invitations have expired."""
        expired = {("expired", email) for email, (how, _, _) in self.waiting.items() if how == "expired"}
        return frozenset({*self.undone, *self.undone_teams, *expired})

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

    @cached_property
    def troubled(self) -> dict[str, set[Reason]]:
        """Why somebody of the rosters or states needs action: address -> the reasons."""
        found: dict[str, set[Reason]] = {}
        for email, reason in _troubled(self):
            found.setdefault(email, set()).add(reason)
        return {email: in_short(reasons) for email, reasons in found.items()}

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
        effective = self.organization.effective(email)
        has = {(source.project, source.role) for source in self.organization.sources(email)}
        wanted = list[tuple[int, str]]()
        for stack in self.stacks:
            if given := stack.roster.declared_to(email, self.today):
                wanted += [(project, stack.word(role)) for project, (role, _) in given.projects.items()]
                roles = [held for key in given.teams for held in stack.roster.teams[key].projects.items()]
                wanted += [(stack.roster.projects[project], stack.word(role)) for project, role in roles]
        return any(
            (project, role) not in has and (is_custom(role) or rank(effective.get(project)) < rank(role))
            for project, role in wanted
        )

    # What the next runs do

    def next_up(self, name: str) -> set[Op]:
        """The steps of the next `pulumi up` without `--refresh`, as a preview shows them."""
        copy = self.landscape.copy()
        stack = copy.stacks[name]
        if any(account.has_expired(self.today) for name, account in _new_accounts(stack)):
            return {REFUSED}
        ops = Update(copy, stack, self.now).up(refresh=False)
        # What an update puts out is not known before, so the engine shows an update of what depends on it too.
        changing = {step.removeprefix("team/") for op, step in ops if op == "update"} & stack.teams.keys()
        places = {("update", f"team/{key}:{stack.address(email)}") for key, email in stack.places if key in changing}
        grants = {("update", f"{id_}:team/{key}") for id_, key in stack.team_grants if key in changing}
        depends = places | grants | _of_changing_roles(stack, ops, self.today)
        return ops | {op for op in depends if ("create", op[1]) not in ops}

    def next_revoke(self, name: str) -> set[Op]:
        """The steps of the next `mixpanel-access revoke`."""
        copy = self.landscape.copy()
        return Revocation(copy, copy.stacks[name], self.now).revoke()


def _new_accounts(stack: Stack) -> list[tuple[str, Account]]:
    return [(name, account) for name, account in stack.roster.accounts.items() if name not in stack.accounts]


def _of_changing_roles(stack: Stack, ops: set[Op], today: date) -> set[Op]:
    """The updates that a preview shows of whatever has a custom role that changes."""
    roster, changing = stack.roster, {step.removeprefix("custom-role/") for op, step in ops if op == "update"}
    whole, found = {roster.projects[key] for key in roster.authoritative}, set[str]()
    for email, one in roster.declared(today).items():
        for project, (role, _) in one.projects.items():
            if role in changing & stack.roles.keys():
                found.add(f"project-access/{project}" if project in whole else f"{project}:{stack.address(email)}")
    holders = {f"team/{key}": team.projects for key, team in roster.current_teams(today).items()}
    holders |= {f"service-account/{name}": account.projects for name, account in roster.accounts.items()}
    for name, held in holders.items():
        found |= {
            f"{roster.projects[key]}:{name}" for key, role in held.items() if role in changing & stack.roles.keys()
        }
    return {("update", name) for name in found}


def _troubled(truth: Truth) -> Iterator[tuple[str, Reason]]:
    """Why somebody of the rosters or states needs action: address and reason."""
    landscape, today, differences = truth.landscape, truth.today, truth.drift
    stacks = landscape.stacks.values()
    names = {id_: f"{stack.name}/{key}" for stack in stacks for key, id_ in stack.roster.projects.items()}
    keys = {id_: key for stack in stacks for key, id_ in stack.roster.projects.items()}
    for how, stack, email, part in truth.undone:
        yield email, (how, stack, str(keys.get(part, part)))
    for email in {email for stack in stacks for email in (*stack.people(), *stack.roster.people)}:
        given = {stack.name: stack.roster.declared_to(email, today) for stack in stacks}
        if any(given.values()):  # else nobody sends the invitation again
            yield from ((email, (reason, " ")) for reason in _waits(truth, email))
            if email in landscape.organization.people and not landscape.organization.people[email].active:
                yield email, ("deactivated", " ")
        places = [(stack.name, key) for stack in stacks for key, one in stack.places if one == email]
        teams = {*places, *((name, key) for name, one in given.items() if one for key in one.teams)}
        for how, name, key in truth.undone_teams:
            if (name, key) in teams and (how, name, email, f"team {key}") not in truth.undone:
                yield email, (how, name, f"team {key}")
        known = {landscape.stacks[name].teams[key].name for name, key in teams if key in landscape.stacks[name].teams}
        known |= {one.name for name, key in teams if (one := landscape.stacks[name].roster.teams.get(key))}
        for kind, whose, project, team in differences:
            if whose not in (email, "") or (not whose and team not in known):
                continue
            address = landscape.organization.address(whose) if kind == "changed address" else None
            having = [stack for stack in stacks if stack.address(whose) != address]
            declares = any(_declares(stack, kind, whose, project, team, today) for stack in having)
            if declares is not kind.startswith("unmanaged"):
                yield email, (kind, f"{names.get(project, project or '')} {team or ''}")


def _declares(stack: Stack, kind: str, email: str, project: int | None, team: str | None, today: date) -> bool:
    """Whether a roster gives today what a difference is about: as the state has it, or what no state has."""
    roster, given = stack.roster, stack.roster.declared_to(email, today)
    current, member = roster.current_teams(today), stack.members.get(email)
    keys = [key for key, held in stack.teams.items() if held.name == team]
    if not kind.startswith("unmanaged"):
        grant = stack.all_grants.get((project or 0, email))
        places = {key for key in keys if (key, email) in stack.places}
        given_to = [(key, role) for key in keys if key in current for key, role in current[key].projects.items()]
        roles = {(roster.projects[key], stack.word(role)) for key, role in given_to}
        held = {(project, stack.team_grants.get((project or 0, key))) for key in keys}
        own = stack.word(given.projects.get(project or 0, ("",))[0]) if given else ""
        return {
            "missing member": bool(member and given), "changed address": bool(member and given),
            "changed member": bool(member and given and member.role == given.role),
            "missing grant": bool(grant and own == grant.role),
            "changed grant": bool(grant and own == grant.role),
            "missing team member": bool(given and places & given.teams.keys()),
            "missing team": any(key in current for key in keys), "changed team": any(key in current for key in keys),
            "missing team grant": bool(held & roles), "changed team grant": bool(held & roles),
        }[kind]  # fmt: skip
    named = [one for one in current.values() if one.name == team]
    return {
        "unmanaged member": bool(given), "unmanaged grant": bool(given and project in given.projects),
        "unmanaged team member": bool(given and any(current[key] in named for key in given.teams)),
        "unmanaged team grant": any(roster.projects[one] == project for team in named for one in team.projects),
    }[kind]  # fmt: skip


def _waits(truth: Truth, email: str) -> Iterator[str]:
    """What is to be done about somebody's invitation."""
    how, sent, until = truth.waiting.get(email, ("", None, None))
    if how == "expired":
        yield "expired"
    elif how:
        if sent and truth.now - sent > PENDING_FOR_LONG:
            yield "pending for long"
        if until and until - truth.now <= EXPIRES_SOON:
            yield "expires soon"
