"""Names that change hands: several objects are renamed, made and deleted in one run, in any order.

The engine creates and updates in any order. One that wants a name may come before the one that gives it up; in a
circle, each wants the name of the next. So whoever cannot have its name yet keeps the one that it has, or is made under
a temporary name, and whoever frees the name passes it on. In a circle, one object takes a temporary name meanwhile.
What is left undone, because a run ended before, shows as a change at the next preview, and the next run does it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from mixpanel_access.model.address import same_key
from mixpanel_access.model.errors import AccessError, Refused

Send = Callable[[str], None]
"""Gives an object another name in Mixpanel."""


@dataclass(frozen=True)
class Named:
    """Objects of which no two have one name: the teams of an organization, or the custom roles of a project.

    Attributes:
        space: what they are.
        names: gives the name of each, by its id.
    """

    space: Hashable
    names: Callable[[], Mapping[Any, str]]

    def holder(self, name: str) -> Hashable | None:
        """The id of the one that has a name; None for a name that is free."""
        return next((id_ for id_, held in self.names().items() if same_key(held) == same_key(name)), None)

    def name_of(self, id_: Hashable) -> str | None:
        """The name of one; None if it is gone."""
        return self.names().get(id_)


@dataclass(frozen=True)
class _Waiting:
    """An object that is to get a name which another one has."""

    objects: Named
    id: Hashable
    name: str
    send: Send


class Renames:
    """The names of one operation's objects."""

    def __init__(self, say: Callable[[str], None] = lambda _: None) -> None:
        self._say = say
        self._one_at_a_time = threading.RLock()
        self._lock = threading.Lock()
        self._declared: dict[tuple[Hashable, Hashable], str] = {}
        self._wanted: set[Hashable] = set()
        self._adopted: set[tuple[Hashable, Hashable]] = set()
        self._others: dict[Hashable, frozenset[str]] = {}
        self._waiting: dict[tuple[Hashable, Hashable], _Waiting] = {}

    # What the program declares

    def declare(self, space: Hashable, id_: Hashable, name: str) -> None:
        """Note the name that the program declares for an object of the state."""
        with self._lock:
            self._declared[space, id_] = name

    def declared_for(self, space: Hashable, id_: Hashable) -> str | None:
        """The name that the program declares for an object; None if it declares none, as far as is known by now."""
        with self._lock:
            return self._declared.get((space, id_))

    def is_declared_as(self, space: Hashable, id_: Hashable, name: str) -> bool:
        """Whether a name that the program declares is this object's; so it is unless another object is known to be it.

        Whether it declares the name at all is known elsewhere.
        """
        with self._lock:
            if (space, id_) in self._adopted:
                return True
            others = [
                other
                for (there, other), declared in self._declared.items()
                if there == space and other != id_ and same_key(declared) == same_key(name)
            ]
        return not others

    def set_others(self, subject: Hashable, names: object) -> None:
        """Note the other resources of one's type in the program."""
        if isinstance(names, list):
            with self._lock:
                self._others[subject] = frozenset(str(name) for name in names)

    def others(self, subject: Hashable) -> frozenset[str] | None:
        """The names of the program's other resources of one's type; None if the program does not say."""
        with self._lock:
            return self._others.get(subject)

    # A rename and a new resource that would adopt what is renamed: told apart where the program does not say it

    def rename(self, subject: Hashable, label: str, space: Hashable, id_: Hashable, name: str) -> str | None:
        """Note that an object gets another name.

        Returns:
            What is wrong with it: a new resource is to adopt it, or has; else None.
        """
        with self._lock:
            self._declared[space, id_] = name
            held = subject in self._wanted or (space, id_) in self._adopted
        return _in_two_runs(label, name) if held else None

    def want(self, subject: Hashable) -> None:
        """Note that a new resource is to adopt what is called so."""
        with self._lock:
            self._wanted.add(subject)

    def made(self, subject: Hashable, label: str, space: Hashable, id_: Hashable, name: str, *, adopted: bool) -> None:
        """Note that a new resource has come to its object, before anything of that is changed.

        Raises:
            Refused: it is another resource's, which gives it another name.
        """
        with self._lock:
            self._wanted.discard(subject)
            other = self._declared.get((space, id_)) if adopted else None
            if other is None or same_key(other) == same_key(name):
                self._declared[space, id_] = name
                if adopted:
                    self._adopted.add((space, id_))
                return
        raise Refused(
            "cannot adopt",
            subject=label,
            why=f"another resource renames it to {other} in this run",
            next_step="Run again: the name is free then, and the new one is made.",
        )

    # Making names true

    @contextmanager
    def one_at_a_time(self) -> Iterator[None]:
        """Names are looked up and changed by one thread at a time."""
        with self._one_at_a_time:
            yield

    def give(self, objects: Named, id_: Hashable, name: str, send: Send) -> None:
        """Give an object its name, or have it wait for the one that has the name.

        Raises:
            MixpanelError: Mixpanel refused a name.
        """
        with self.one_at_a_time():
            self._waiting.pop((objects.space, id_), None)
            former = objects.name_of(id_)
            holder = objects.holder(name)
            if holder is not None and holder != id_:
                self._waiting[objects.space, id_] = _Waiting(objects, id_, name, send)
                if not self._is_circle(objects, id_, name):
                    return
                name = temporary(former or name, id_)
            send(name)
            if former is not None and same_key(former) != same_key(name):
                self.free(objects, former)

    def free(self, objects: Named, name: str) -> None:
        """Pass a name on to whoever waits for it."""
        with self.one_at_a_time():
            for waiting in [*self._waiting.values()]:
                if waiting.objects.space == objects.space and same_key(waiting.name) == same_key(name):
                    try:
                        self.give(waiting.objects, waiting.id, waiting.name, waiting.send)
                    except AccessError as error:  # the next preview shows it, and the next run does it
                        self._say(f"{waiting.name} is not passed on: {error}")

    def waits(self, objects: Named, id_: Hashable) -> bool:
        """Whether an object has not got its name yet."""
        with self.one_at_a_time():
            return (objects.space, id_) in self._waiting

    def _is_circle(self, objects: Named, id_: Hashable, name: str) -> bool:
        """Whether the one that has a name waits, over others or not, for the name of this one."""
        seen: set[Hashable] = set()
        while (holder := objects.holder(name)) is not None and holder not in seen:
            if holder == id_:
                return True
            seen.add(holder)
            waiting = self._waiting.get((objects.space, holder))
            if waiting is None:
                return False
            name = waiting.name
        return False


def temporary(name: str, id_: Hashable = "new") -> str:
    """The name of an object until it can have its own; the ids distinguish two of one name."""
    return f"{name} ({id_}, waits for its name)"


def _in_two_runs(label: str, name: str) -> str:
    return (
        f"{label} is being renamed to {name} in this run, and a new resource is to have its name: declare the rename "
        f"alone, and the new resource in a second `pulumi up`"
    )
