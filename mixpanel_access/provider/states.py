"""What the stacks of this Pulumi project hold, read from their states by the provider's process.

A provider is sent one resource at a time, and of its own stack alone. Who has brought a person who is found in the
organization, and what a resource was under another name, stands in the states. They are read with `pulumi stack
export`, only when something depends on it and once a process; nothing is ever written. What cannot be read is unknown.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeVar

from mixpanel_access.model.address import same_key
from mixpanel_access.model.brakes import Limits
from mixpanel_access.model.grouping import grouped
from mixpanel_access.model.groups import Held, part_properties, people_in, unfold
from mixpanel_access.model.resources import KINDS, MEMBER, MEMBERS, PROVIDER_KEY, ResourceKind

if TYPE_CHECKING:
    from mixpanel_access.model.declaration import Declaration  # slow to import

Properties = Mapping[str, Any]


@dataclass(frozen=True)
class ExportedResource:
    """One resource in a state.

    Attributes:
        type: its type.
        urn: its name in the engine.
        id: its id.
        outputs: what the state holds of it, without the provider; a secret is encrypted.
        provider: the URN of the engine's provider that serves it.
    """

    type: str
    urn: str
    id: str
    outputs: Properties = field(default_factory=dict)
    provider: str = ""


@dataclass(frozen=True)
class StackStates:
    """The states of the project's stacks at one moment.

    Attributes:
        stacks: stack -> its resources, those that are about to be deleted included.
        why: why some of them, or all, could not be read; "" if all of them were.
        interrupted: stack -> the resources that a killed run was creating or updating; their inputs are the outputs.
        previewed: the rows of the previewed stack's state; None where it is no preview, or another stack's.
    """

    stacks: Mapping[str, Sequence[ExportedResource]] = field(default_factory=dict)
    why: str = ""
    interrupted: Mapping[str, Sequence[ExportedResource]] = field(default_factory=dict)
    previewed: Sequence[Properties] | None = None


@dataclass(frozen=True)
class RosterPeople:
    """The people that a stack's roster declares on a day, by the keys of their addresses.

    Attributes:
        declared: the people that it declares.
        perhaps: the people that have an entry which cannot be read.
        anybody: whether an entry cannot be read that does not say whose it is.
        declaration: all that it declares on that day, where that was asked for.
        unread_teams: whether a team cannot be read.
    """

    declared: AbstractSet[str]
    perhaps: AbstractSet[str] = frozenset()
    anybody: bool = False
    declaration: Declaration | None = None
    unread_teams: bool = False

    def has(self, key: str) -> bool | None:
        """Whether a person is declared; None if it is unknown."""
        return True if key in self.declared else None if self.anybody or key in self.perhaps else False


class States:
    """The states of this project's stacks.

    Args:
        read: reads them all; by default there are none.
        stack: the stack that the engine works on; None if nobody says.
        declared_in: stack, day -> the people that the stack's roster declares then; None if there is no roster, or it
            cannot be used.
        clock: seconds from any beginning, for how old a reading is.
        ended: stack -> when its last run that came to an end did so; None if it is unknown.
        limits: the brake's limits in the stack's configuration of today; None if it cannot be read.
    """

    def __init__(
        self,
        read: Callable[[], StackStates] = StackStates,
        stack: Callable[[], str | None] = lambda: None,
        declared_in: Callable[[str, date], RosterPeople | None] = lambda stack, day: None,  # noqa: ARG005
        clock: Callable[[], float] = time.monotonic,
        ended: Callable[[str], datetime | None] = lambda stack: None,  # noqa: ARG005
        limits: Callable[[], Limits | None] = lambda: None,
    ) -> None:
        self._read = read
        self._stack = stack
        self._declared_in = declared_in
        self._clock = clock
        self._ended = ended
        self.present_limits = lru_cache(limits)
        self._lock = threading.Lock()
        self._states: StackStates | None = None
        self._ahead = False
        self._read_at = 0.0
        self._ids: tuple[StackStates, dict[str, int]] | None = None
        self._begun: tuple[StackStates, set[str]] | None = None
        self._declared: dict[tuple[str, date], RosterPeople | None] = {}

    def all(self, older_than: float | None = None) -> StackStates:
        """The states of all stacks, read again if they were read more than so many seconds ago."""
        with self._lock:
            now = self._clock()
            if self._states is None or (older_than is not None and now - self._read_at > older_than):
                self._states, self._read_at = self._read(), now
            return self._states

    def read_ahead(self) -> None:
        """Begin to read them, which the engine does on another processor while this process does something else."""
        if self._states is None and not self._ahead:
            self._ahead = True  # not once more for each of many people, who all come before the first reading ends
            threading.Thread(target=self.all, daemon=True).start()

    def previewed(self) -> Sequence[Properties] | None:
        """The rows of the stack's state in a preview, which changes nothing; None if they have not been read here."""
        return None if self._states is None else self._states.previewed

    def own(self) -> Sequence[ExportedResource] | None:
        """What the stack that the engine works on holds; None if it is unknown."""
        states = self.all() if self._stack() else StackStates()
        return next((states.stacks[name] for name in self._mine(states, None)), None)

    def own_stack(self) -> str | None:
        """The name of the stack that the engine works on, as the states have it; None if it is unknown."""
        return next(iter(self._mine(self.all(), None)), None) if self._stack() else None

    def last_run_ended(self, stack: str) -> datetime | None:
        """When the last run of a stack that came to an end did so; None if it is unknown."""
        return self._ended(stack)

    def own_members(self, organization: int) -> Mapping[str, Properties] | None:
        """The outputs of each `Member` in the stack's own state, by the key of the address; None if it is unknown."""
        own = self.own()
        return None if own is None else members(own, organization)

    def own_member(self, organization: int, key: str) -> Properties | None:
        """The outputs of a person's `Member` in the stack's own state, whatever its name; None if there is none."""
        return (self.own_members(organization) or {}).get(key)

    def user_id(self, organization: int, key: str) -> int | None:
        """Mixpanel's id of a person, as any stack's `Member` of that address has it; None if none has it."""
        states = self.all()
        with self._lock:
            if self._ids is None or self._ids[0] is not states:
                found = [members(held, organization) for held in states.stacks.values()]
                ids = {one: int(of["user_id"]) for people in found for one, of in people.items() if of.get("user_id")}
                self._ids = states, ids
            return self._ids[1].get(key)

    def begun_members(self) -> set[str]:
        """The keys of the people whose members a killed run of the stack that the engine works on had begun to make."""
        states = self.all()
        if self._begun is None or self._begun[0] is not states:
            rows = states.interrupted.get(self.own_stack() or "", ())
            singles = [one.outputs for one in rows if one.type == MEMBER.type]
            grouped = [
                part for one in rows if one.type == MEMBERS.type for part in part_properties(MEMBERS, one.outputs)
            ]
            self._begun = states, {same_key(str(one.get("email", ""))) for one in (*singles, *grouped)}
        return self._begun[1]

    def own_member_with(self, organization: int, user_id: int) -> Properties | None:
        """The outputs of a person's `Member` in the stack's own state by Mixpanel's id, whatever address it has."""
        held = members(self.own() or (), organization)
        return next((held[key] for key in held.by_id.get(user_id, ())), None)

    def others(self, own: Properties | None = None, older_than: float | None = None) -> StackStates:
        """The states of the other stacks."""
        states = self.all(older_than)
        mine = set(self._mine(states, own))
        return StackStates({name: held for name, held in states.stacks.items() if name not in mine}, states.why)

    def of_resource(self, props: Properties) -> Mapping[str, Sequence[ExportedResource]]:
        """The stack that the engine works on, by its name.

        If nobody says which stack it is, these are all stacks that hold the person of these properties, or the
        likely ones among them.
        """
        states = self.all()
        return {name: states.stacks[name] for name in self._mine(states, props)}

    def declares(self, stack: str, key: str, day: date) -> bool | None:
        """Whether a stack's roster declares a person on a day; None if it is unknown."""
        found = self.roster(stack, day)
        return None if found is None else found.has(key)

    def roster(self, stack: str, day: date) -> RosterPeople | None:
        """What a stack's roster declares on a day; None if there is none, or it cannot be used."""
        with self._lock:
            if (stack, day) not in self._declared:
                self._declared[stack, day] = self._declared_in(stack, day)
            return self._declared[stack, day]

    def _mine(self, states: StackStates, own: Properties | None) -> list[str]:
        stack = self._stack()
        if stack is not None:
            return [name for name in states.stacks if name.rpartition("/")[2] == stack]
        if own is None:
            return []
        key = same_key(str(own.get("email", "")))
        alike = [name for name, held in states.stacks.items() if any(_same(one.outputs, own) for one in held)]
        return alike or [
            name
            for name, held in states.stacks.items()
            if any(same_key(ref.person or "") == key for ref, _ in unfold(held, MEMBER))
        ]


_Held = TypeVar("_Held", bound=Held)
_Found = TypeVar("_Found")


def resources_in(rows: Iterable[Properties]) -> Sequence[ExportedResource]:
    """The resources of an exported state that have an id, without those that a program only reads."""
    return tuple(
        ExportedResource(
            str(row.get("type", "")),
            str(row.get("urn", "")),
            str(row["id"]),
            {key: value for key, value in (row.get("outputs") or {}).items() if key != PROVIDER_KEY},
            str(row.get("provider", "")).rpartition("::")[0],
        )
        for row in rows
        if row.get("id") and not row.get("external")
    )


def of_organization(resources: Iterable[_Held], organization: int) -> Iterator[_Held]:
    """Those of some resources that belong to an organization."""
    return (one for one in resources if one.id.startswith(f"{organization}:"))


class StackMembers(dict[str, Properties]):
    """The outputs of each member of an organization in a stack, by the key of the address."""

    @cached_property
    def by_id(self) -> Mapping[object, Sequence[str]]:
        """Mixpanel's id of a person -> the keys of the addresses that the stack has of them."""
        return grouped((outputs.get("user_id"), key) for key, outputs in self.items())


def members(resources: Iterable[Held], organization: int) -> StackMembers:
    """The outputs of each member of an organization, by the key of the address, which the id has too.

    In the outputs, the address may be a secret. Those of a state are found once: they are asked for with each person.
    """
    return _found_once(_members_in, resources, organization)


def last_days(
    resources: Iterable[Held], kind: ResourceKind, organization: int
) -> Mapping[int, Sequence[tuple[str, Any]]]:
    """Project or team -> the key of the address, and the last day, of each grant or membership that a stack has there.

    Those of a state are found once, as `members`.
    """
    return _found_once(_last_days_in, resources, kind, organization)


def _found_once(find: Callable[..., _Found], resources: Iterable[Held], *about: Hashable) -> _Found:
    """What is found in some resources; of a state, which is a tuple, it is found once."""
    if not isinstance(resources, tuple):
        return find(resources, *about)
    place = find, id(resources), *about
    known = _FOUND.get(place)
    if known is None or known[0] is not resources:
        if len(_FOUND) >= _MOST_FOUND:
            _FOUND.clear()
        known = _FOUND[place] = resources, find(resources, *about)
    return known[1]


_MOST_FOUND: Final = 200
_FOUND: Final[dict[Hashable, tuple[object, Any]]] = {}


def _members_in(resources: Iterable[Held], organization: int) -> StackMembers:
    found = unfold(resources, MEMBER, organization)
    return StackMembers((same_key(ref.person or ""), outputs) for ref, outputs in found)


def _last_days_in(resources: Iterable[Held], kind: ResourceKind, organization: int) -> dict[int, list[tuple[str, Any]]]:
    found = unfold(resources, kind, organization)
    return grouped((int(ref.parts[1]), (same_key(ref.person or ""), outputs.get("ends"))) for ref, outputs in found)


def people_of(resources: Iterable[ExportedResource], organization: int) -> set[str]:
    """The keys of the people of some resources."""
    found: set[str] = set()
    for one in of_organization(resources, organization):
        kind = KINDS.get(one.type)
        if kind and kind.of_a_person:
            found.add(same_key(kind.id.parse(one.id).person or ""))
        elif kind:
            found |= people_in(kind, one.outputs)
    return found


def _same(outputs: Properties, props: Properties) -> bool:
    return bool(props) and all(outputs.get(key) == value for key, value in props.items())
