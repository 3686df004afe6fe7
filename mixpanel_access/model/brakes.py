"""The brakes: pure functions that decide what an operation must not do to an organization, today and on coming days.

A brake judges everything that an operation would remove or change together, since two removals can do harm that neither
does alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Any, Final, TypedDict

from mixpanel_access.model import roles
from mixpanel_access.model.access import Person
from mixpanel_access.model.address import few, same_key
from mixpanel_access.model.dates import day_or_none
from mixpanel_access.model.grants import GrantChanges

DEFAULT_REMOVAL_PERCENT: Final = 10
DEFAULT_REMOVAL_MINIMUM: Final = 3
TWO_RUNS: Final = "It takes two runs: make somebody else an owner in the first, and do this in the second."
BY_AN_OWNER: Final = "An owner can do it in Organization Settings > Users & Teams; then run `pulumi refresh`."
ENOUGH_OWNERS: Final = 2
"""Mixpanel recommends two owners."""


class Brake(StrEnum):
    """The brakes, by the names that `mixpanel:releaseBrakes` takes."""

    LAST_OWNER = "lastOwner"
    OWN_IDENTITY = "ownIdentity"
    ABOVE_OWN_ROLE = "aboveOwnRole"
    REMOVAL_SHARE = "removalShare"
    GRANT_SHARE = "grantShare"
    UNKNOWN_PEOPLE = "unknownPeople"


class DeclaredPerson(TypedDict, total=False):
    """A person as a stack declares them, in plain values; at preview, the id of a new project is not known yet."""

    email: str
    role: str
    removal: str
    ownership: str
    projects: Sequence[Any]
    teams: Sequence[str]
    """The names of the teams that the stack puts them into; left out for none."""
    ends: str
    """The last day (ISO 8601) on which the stack declares them; left out for none, and in states of version 0.1.0."""


@dataclass(frozen=True)
class Limits:
    """How far one operation may go.

    Attributes:
        removal_percent: the percentage of the organization's people, and of a project's grants, that it may remove.
        removal_minimum: how many it may remove in any case.
        released: the brakes that the operator has released.
    """

    removal_percent: float = DEFAULT_REMOVAL_PERCENT
    removal_minimum: int = DEFAULT_REMOVAL_MINIMUM
    released: frozenset[str] = frozenset()

    def remembered(self, present: Limits | None = None) -> Limits:
        """The limits from the state of the last `pulumi up`, without releases and raised limits.

        A stricter limit in the stack's present configuration counts, if that can be read.
        """
        known = (self, present or self, Limits())
        return Limits(min(one.removal_percent for one in known), min(one.removal_minimum for one in known))

    def removable(self, people: int) -> int:
        """How many of these people, or of these grants in a project, one operation may remove."""
        return max(self.removal_minimum, math.floor(people * self.removal_percent / 100 + 1e-9))


@dataclass(frozen=True)
class PlannedChanges:
    """What an operation would do to people.

    Attributes:
        removals: the keys of the people who leave the organization.
        roles: key -> the organization role that the person gets.
        planned: the removals whose end was in the state before today (`has_ended`); the share ignores them.
        counted: the removals of people in the organization that the share counts, where that is known already.
    """

    removals: AbstractSet[str] = frozenset()
    roles: Mapping[str, str] = field(default_factory=dict)
    planned: AbstractSet[str] = frozenset()
    counted: AbstractSet[str] | None = None


class Everybody(dict[str, Person]):
    """Everybody in the organization, by the key of their address; what each judgement asks of them is found once."""

    @cached_property
    def able(self) -> Mapping[str, Person]:
        """Those who can log in."""
        return {key: person for key, person in self.items() if not person.invited and not person.deactivated}

    @cached_property
    def owners(self) -> AbstractSet[str]:
        """The keys of the owners."""
        return {key for key, person in self.items() if person.role == roles.OWNER}


@dataclass(frozen=True)
class BrakeFinding:
    """A brake that holds an operation, or warns.

    Attributes:
        brake: the brake.
        people: the addresses concerned.
        words: why, as a clause.
        holds: whether it holds the operation; if not, it is a warning.
        advice: what to do instead of releasing the brake, or "".
    """

    brake: Brake
    people: tuple[str, ...]
    words: str
    holds: bool = True
    advice: str = ""

    def __str__(self) -> str:
        return f"{few(self.people)}: {self.words}"


def has_ended(ends: object, today: date) -> bool:
    """Whether the last day in the state (ISO 8601) has passed, so that a removal today was planned."""
    last = day_or_none(ends)
    return last is not None and last < today


def judge(
    people: Mapping[str, Person], plan: PlannedChanges, *, own_address: str, own_role: str | None, limits: Limits
) -> list[BrakeFinding]:
    """Judge a plan against the organization as it is before the first write; a released brake only warns.

    Args:
        people: everybody in the organization, by the key of their address.
        plan: what the operation would do.
        own_address: the provider's own identity.
        own_role: its organization role, also by its permissions; None if Mixpanel does not show it.
        limits: how far the operation may go.
    """
    people = people if isinstance(people, Everybody) else Everybody(people)
    found = [
        *_owners(people, plan, same_key(own_address) if own_role == roles.OWNER else None),
        *_identity(people, plan, own_address),
        *_above(people, plan, own_role),
        *_share(people, plan, limits),
    ]
    return _released(found, limits)


def judge_grants(
    have: Mapping[str, str],
    changes: GrantChanges,
    *,
    project: int,
    own_address: str,
    limits: Limits,
    planned: AbstractSet[str] = frozenset(),
) -> list[BrakeFinding]:
    """Judge changes of the individual grants in one project, as they are before the first write.

    The share is of this project's grants. A share of the organization's people could empty a small project.

    Args:
        have: the present grants, by the key of the address.
        changes: what the operation would do.
        project: the project's id.
        own_address: the provider's own identity.
        limits: how far the operation may go.
        planned: the keys whose end was in the state before today; they do not count against the share.
    """
    found: list[BrakeFinding] = []
    own, leaving, allowed = same_key(own_address), changes.remove & have.keys(), limits.removable(len(have))
    counted = leaving - planned
    lower = own in changes.change and roles.project_rank(changes.change[own]) < roles.project_rank(have[own])
    if own in leaving or lower:
        words = f"the provider itself runs as this identity, which would lose its role in project {project}"
        found.append(BrakeFinding(Brake.OWN_IDENTITY, (own_address,), words))
    if len(counted) > allowed:
        words = (
            f"one operation may take {allowed} of the {len(have)} individual grants in project {project} away "
            f"({limits.removal_percent:g} %, at least {limits.removal_minimum}), and this would take {len(counted)}"
        )
        found.append(BrakeFinding(Brake.GRANT_SHARE, tuple(sorted(counted)), words))
    return _released(found, limits)


def _released(found: Iterable[BrakeFinding], limits: Limits) -> list[BrakeFinding]:
    return [replace(finding, holds=finding.holds and finding.brake not in limits.released) for finding in found]


def _owners(people: Everybody, plan: PlannedChanges, own: str | None) -> Iterable[BrakeFinding]:
    """Judge that an owner remains; `own` is the key of our own address if our account acts as an owner."""
    able = people.able
    before = people.owners & able.keys()
    joined = {key for key, role in plan.roles.items() if role == roles.OWNER and key in able}
    if not before:  # an owner who cannot log in does not show who the others are
        yield from _possible_owners(able, joined, plan, own)
        return
    after = _left(before | joined, plan, able)
    lost = before - after
    if not lost:
        return
    who = _addresses(people, lost)
    if not after:
        words = "the organization would be left without an owner"
        yield BrakeFinding(Brake.LAST_OWNER, who, words, advice=TWO_RUNS)
    elif len(after) < ENOUGH_OWNERS:
        words = f"the organization would be left with {len(after)} owner; have two"
        yield BrakeFinding(Brake.LAST_OWNER, who, words, holds=False)


def _possible_owners(
    able: Mapping[str, Person], joined: AbstractSet[str], plan: PlannedChanges, own: str | None
) -> Iterable[BrakeFinding]:
    """Judge that somebody remains who may be an owner, if Mixpanel calls nobody an owner: the word may be another."""
    known = able.keys() & ({own} if own else set())
    top = max((_height(person.role) for person in able.values()), default=0)
    highest = {key for key, person in able.items() if _height(person.role) == top}
    for group, why in (
        (known, "this account's permissions are an owner's"),
        (highest, "nobody would be left who has the highest role that it shows"),
    ):
        after = _left(group | joined, plan, able)
        if group - after and not after:
            words = f"Mixpanel calls nobody an owner, and {why}; if an owner stays, set releaseBrakes: lastOwner"
            yield BrakeFinding(Brake.LAST_OWNER, _addresses(able, group), words)
            return


def _height(role: str | None) -> int:
    """The order of roles, of which the highest may be an owner's: those that manage, unknown ones, all others."""
    if role in roles.MANAGING_ROLES:
        return 2
    return 1 if role is not None and not roles.is_organization_role(role) else 0


def _left(keys: AbstractSet[str], plan: PlannedChanges, people: Mapping[str, Person]) -> set[str]:
    """The people among these who keep what they have: the plan neither removes them nor lowers an owner."""
    return {
        key for key in keys if key not in plan.removals and plan.roles.get(key) in (None, roles.OWNER, people[key].role)
    }


def _identity(people: Mapping[str, Person], plan: PlannedChanges, own_address: str) -> Iterable[BrakeFinding]:
    own = same_key(own_address)
    if own in plan.removals:
        yield BrakeFinding(Brake.OWN_IDENTITY, (own_address,), "the provider itself runs as this identity")
    new, old = plan.roles.get(own), people[own].role if own in people else None
    if new is not None and old is not None and _is_lower(new, old):
        words = f"the provider itself runs as this identity, which would be demoted from {old} to {new}"
        yield BrakeFinding(Brake.OWN_IDENTITY, (own_address,), words)


def _is_lower(new: str, old: str) -> bool:
    """Whether a role is, or may be, lower than another one: every role may be lower than an unknown one."""
    return new != old and (
        roles.organization_rank(new) < roles.organization_rank(old) or not roles.is_organization_role(old)
    )


def _above(people: Everybody, plan: PlannedChanges, own_role: str | None) -> Iterable[BrakeFinding]:
    if own_role is None:
        return
    unknown = not roles.is_organization_role(own_role)
    above = {
        key
        for key, role in plan.roles.items()
        if not roles.may_assign(own_role, role) and not (unknown and role == roles.MEMBER)
    }
    if above:
        words = f"the provider's own organization role is {own_role}, and nobody is raised above it"
        yield BrakeFinding(Brake.ABOVE_OWN_ROLE, _addresses(people, above), words)
    if own_role == roles.OWNER:
        return
    if owners := {
        key for key in people.owners if key in plan.removals or plan.roles.get(key) not in (None, roles.OWNER)
    }:
        words = f"only an owner removes or demotes an owner, and the provider's own organization role is {own_role}"
        yield BrakeFinding(Brake.ABOVE_OWN_ROLE, _addresses(people, owners), words, advice=BY_AN_OWNER)


def _share(people: Mapping[str, Person], plan: PlannedChanges, limits: Limits) -> Iterable[BrakeFinding]:
    leaving = (plan.removals - plan.planned) & people.keys() if plan.counted is None else plan.counted
    allowed = limits.removable(len(people))
    if len(leaving) > allowed:
        words = (
            f"one operation may remove {allowed} of the {len(people)} people in the organization "
            f"({limits.removal_percent:g} %, at least {limits.removal_minimum}), and this would remove {len(leaving)}"
        )
        yield BrakeFinding(Brake.REMOVAL_SHARE, _addresses(people, leaving), words)


def _addresses(people: Mapping[str, Person], keys: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(people[key].email if key in people else key for key in keys))


NEAR_DAYS: Final = 30
"""An edit that moves an end to within these days counts as one that takes the access away."""
_ALWAYS: Final = (Brake.LAST_OWNER, Brake.OWN_IDENTITY)
"""The brakes that hold planned endings too."""
_A_DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class Forecast:
    """A brake that will hold an ending.

    Attributes:
        on: the first day (UTC) on which it holds.
        finding: the brake, the people, and why.
    """

    on: date
    finding: BrakeFinding

    @property
    def next_step(self) -> str:
        """What to do before that day."""
        if self.finding.brake is Brake.LAST_OWNER:
            return "Make somebody else an owner before, or move the end to a later day."
        return "Run this as another identity before, or move the end to a later day."

    def __str__(self) -> str:
        return f"on {self.on}, this will be held: {self.finding} [{self.finding.brake}]. {self.next_step}"


def forecasts(
    people: Mapping[str, Person],
    declared: Sequence[DeclaredPerson],
    role_ends: Mapping[str, str | None],
    leaves: Callable[[DeclaredPerson], bool],
    own_address: str,
) -> list[Forecast]:
    """The endings of today's declaration that the brakes will hold, if nothing else changes until then.

    Args:
        people: everybody in the organization, by the key of their address.
        declared: the people that the stack declares today.
        role_ends: key of the address -> the last day of the entry that gives the organization role, or None.
        leaves: whether somebody leaves the organization when the stack no longer declares them.
        own_address: the provider's own identity.
    """
    steps: dict[date, list[tuple[str, bool]]] = {}
    for person in declared:
        key, ends = same_key(person["email"]), day_or_none(person.get("ends"))
        role_end = day_or_none(role_ends.get(key)) if person.get("role") else None
        if role_end is not None and (ends is None or role_end < ends):
            steps.setdefault(role_end + _A_DAY, []).append((key, False))
        if ends is not None:
            steps.setdefault(ends + _A_DAY, []).append((key, leaves(person)))
    found: list[Forecast] = []
    removals: set[str] = set()
    lowered: dict[str, str] = {}
    owned = {same_key(person["email"]) for person in declared if person.get("role")}
    for on in sorted(steps):
        for key, goes in steps[on]:
            if goes:
                removals.add(key)
            elif key in owned and key in people:
                lowered[key] = roles.MEMBER
        plan = PlannedChanges(frozenset(removals), lowered, frozenset(removals))
        for finding in judge(people, plan, own_address=own_address, own_role=None, limits=Limits()):
            if finding.holds and finding.brake in _ALWAYS and not any(one.finding == finding for one in found):
                found.append(Forecast(on, finding))
    return found


def brought_forward(before: str | None, now: str | None) -> bool:
    """Whether an edit moves an end to an earlier day; to have no end is later than any day."""
    earlier, later = day_or_none(now), day_or_none(before)
    return earlier is not None and (later is None or earlier < later)


def is_near(ends: str | None, today: date) -> bool:
    """Whether a last day is at most 30 days away."""
    found = day_or_none(ends)
    return found is not None and (found - today).days <= NEAR_DAYS
