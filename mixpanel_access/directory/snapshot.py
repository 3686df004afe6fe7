"""The parts of the organization, each fetched once, by whichever thread asks first, until a write drops it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar, cast

from mixpanel_access.directory.read_back import ReadBack
from mixpanel_access.model.access import Grant, Person
from mixpanel_access.model.teams import TeamInfo

_T = TypeVar("_T")


@dataclass(frozen=True)
class Part(Generic[_T]):
    """One part of the organization, which is read in one go.

    Attributes:
        kind: what it has.
        key: of which project, or of what else; None where there is one part of the kind.
    """

    kind: str
    key: Hashable = None


PEOPLE: Final[Part[Mapping[str, Person]]] = Part("people")
"""Everybody in the organization, by the key of their address."""
TEAMS: Final[Part[Mapping[int, TeamInfo]]] = Part("teams")
"""The organization's teams, by id."""


def grants_of(project: int) -> Part[Mapping[str, tuple[Grant, ...]]]:
    """The grants of a project, by the key of the person's address."""
    return Part("grants", project)


class Snapshot:
    """A lazy, single-flight cache of parts, shared by threads.

    A fetch that does not show yet what was written is repeated for some seconds; see `ReadBack`.

    A part whose fetch failed stays failed until it is dropped: within one operation, a thousand resources are told of
    an outage by the requests of one.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, read_back: ReadBack | None = None) -> None:
        self._clock = clock
        self._read_back = read_back or ReadBack(0)
        self._lock = threading.Lock()
        self._asked: dict[Part[Any], float] = {}
        self._parts: dict[Part[Any], Future[Any]] = {}
        self._readers: dict[str, Callable[..., Any]] = {}

    def read_by(self, kind: str, reader: Callable[..., Any]) -> None:
        """Have the parts of a kind read by a function, which takes the part's key if it has one."""
        self._readers[kind] = reader

    def read(self, part: Part[_T]) -> _T:
        """A part, by the function that reads its kind."""
        reader = self._readers[part.kind]
        return cast("_T", reader() if part.key is None else reader(part.key))

    def expect(self, part: Part[_T], item: Hashable, shown: Callable[[_T], bool | None]) -> None:
        """Note what a part must show from now on; see `ReadBack`."""
        self._read_back.expect(part, item, shown)

    @property
    def seconds(self) -> float:
        """How long a write is looked for."""
        return self._read_back.seconds

    def get(self, part: Part[_T], fetch: Callable[[], _T]) -> _T:
        """A part; fetched now if nobody has, awaited if another thread is fetching it."""
        with self._lock:
            future = self._parts.get(part)
            mine = future is None
            if future is None:
                future = self._parts[part] = Future()
                self._asked[part] = self._clock()
        if mine:
            try:
                future.set_result(self._read_back.read(part, fetch))
            except BaseException as error:
                future.set_exception(error)
                if not isinstance(error, Exception):
                    raise
        return cast("_T", future.result())

    def drop(self, *parts: Part[Any]) -> None:
        """Forget some parts. A fetch that is under way still answers those who wait for it, and nobody after them."""
        with self._lock:
            for part in parts:
                self._parts.pop(part, None)

    def drop_older_than(self, seconds: float, parts: Iterable[Part[Any]]) -> None:
        """Forget those of some parts whose fetch began more than so many seconds ago."""
        oldest = self._clock() - seconds
        with self._lock:
            old = [part for part in parts if self._asked.get(part, oldest) < oldest]
        self.drop(*old)

    def found(self, parts: Iterable[Part[_T]]) -> list[_T]:
        """Those of some parts that are there without a request."""
        with self._lock:
            futures = [self._parts[part] for part in parts if part in self._parts]
        return [future.result() for future in futures if future.done() and future.exception() is None]

    def fetched(self, part: Part[Any]) -> bool:
        """Whether the part is there without a request."""
        with self._lock:
            future = self._parts.get(part)
        return future is not None and future.done() and future.exception() is None
