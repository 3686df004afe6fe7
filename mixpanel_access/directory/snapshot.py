"""Parts of the organization, each fetched once, by whichever thread asks first, until a write drops it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterable
from concurrent.futures import Future
from typing import Any, Final, TypeVar, cast

from mixpanel_access.directory.read_back import ReadBack

_T = TypeVar("_T")


PEOPLE: Final = "people"
"""The name of the part that is everybody in the organization."""
TEAMS: Final = "teams"
"""The name of the part that is the organization's teams."""


def grants_of(project: int) -> Hashable:
    """The name of the part that is a project's grants; several families of writes touch it."""
    return ("grants", project)


class Snapshot:
    """A lazy, single-flight cache of named parts, shared by threads.

    A fetch that does not show yet what was written is repeated for some seconds; see `ReadBack`.

    A part whose fetch failed stays failed until it is dropped: within one operation, a thousand resources are told of
    an outage by the requests of one.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, read_back: ReadBack | None = None) -> None:
        self._clock = clock
        self._read_back = read_back or ReadBack(0)
        self._lock = threading.Lock()
        self._asked: dict[Hashable, float] = {}
        self._parts: dict[Hashable, Future[Any]] = {}

    def get(self, name: Hashable, fetch: Callable[[], _T]) -> _T:
        """The part of that name; fetched now if nobody has, awaited if another thread is fetching it."""
        with self._lock:
            future = self._parts.get(name)
            mine = future is None
            if future is None:
                future = self._parts[name] = Future()
                self._asked[name] = self._clock()
        if mine:
            try:
                future.set_result(self._read_back.read(name, fetch))
            except BaseException as error:
                future.set_exception(error)
                if not isinstance(error, Exception):
                    raise
        return cast("_T", future.result())

    def drop(self, *names: Hashable) -> None:
        """Forget some parts. A fetch that is under way still answers those who wait for it, and nobody after them."""
        with self._lock:
            for name in names:
                self._parts.pop(name, None)

    def drop_older_than(self, seconds: float, names: Iterable[Hashable]) -> None:
        """Forget those of some parts whose fetch began more than so many seconds ago."""
        oldest = self._clock() - seconds
        with self._lock:
            old = [name for name in names if self._asked.get(name, oldest) < oldest]
        self.drop(*old)

    def found(self, names: Iterable[Hashable]) -> list[Any]:
        """Those of some parts that are there without a request."""
        with self._lock:
            futures = [self._parts[name] for name in names if name in self._parts]
        return [future.result() for future in futures if future.done() and future.exception() is None]

    def fetched(self, name: Hashable) -> bool:
        """Whether the part is there without a request."""
        with self._lock:
            future = self._parts.get(name)
        return future is not None and future.done() and future.exception() is None
