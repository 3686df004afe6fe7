"""The parts of the organization, each fetched once, by whichever thread asks first, until a write drops it.

After a write, Mixpanel may still show the old state for some seconds (contract, section 16). The effect that an
accepted write must have is noted. A read that does not show it is repeated, with growing pauses and for a bounded time,
before it is believed. A write that shows at once costs no extra request.

An empty list may contradict what this operation has read and written. Whoever is missing in it would be taken out of
the organization as unused, or forgotten. So an odd one is read a second time, and one that cannot be true is refused.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Final, Generic, NamedTuple, TypeVar, cast

from mixpanel_access.api.stopping import STOP
from mixpanel_access.model import errors
from mixpanel_access.model.access import Grant, GrantType, Person
from mixpanel_access.model.address import same_key
from mixpanel_access.model.dates import pauses
from mixpanel_access.model.errors import NotApplied
from mixpanel_access.model.roles import MANAGING_ROLES
from mixpanel_access.model.settings import READ_BACK_SECONDS
from mixpanel_access.model.teams import TeamInfo

FIRST_PAUSE: Final = 0.25
"""Seconds before the second read; doubled for each further one."""
_MOMENT: Final = 0.01
"""Seconds that are not waited for any more."""

IN_USERS: Final = "Organization Settings > Users & Teams"
IN_PROJECT: Final = "Project Settings > Users & Teams"

_T = TypeVar("_T")
Shown = Callable[[Any], bool | None]
"""Whether a part of the organization, as it was read, shows a write; None where it cannot be seen there."""


@dataclass(eq=False)
class _Expected:
    shown: Shown
    since: float
    waited: float = 0.0


class ReadBack:
    """What the writes of one operation must show.

    Args:
        seconds: how long an accepted write is looked for.
        sleep: waits some seconds; returns False if it was woken, and nothing is to be waited for any more.
        clock: seconds from any beginning.
    """

    def __init__(
        self,
        seconds: float = READ_BACK_SECONDS,
        sleep: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.seconds = seconds
        self._sleep = sleep
        self._clock = clock
        self._lock = threading.Lock()
        self._expected: dict[Hashable, dict[Hashable, _Expected]] = {}

    def expect(self, part: Hashable, item: Hashable, shown: Shown) -> None:
        """Note what a part must show of one item; it takes the place of what was noted of the item before.

        Args:
            part: the part of the organization.
            item: who or what the write is about.
            shown: whether the part shows it.
        """
        if self.seconds:
            with self._lock:
                self._expected.setdefault(part, {})[item] = _Expected(shown, self._clock())

    def read(self, part: Hashable, fetch: Callable[[], _T]) -> _T:
        """Fetch a part, until it shows what it must or the time is over: then it is believed as it is."""
        noted, value, waited = self._noted(part), fetch(), 0.0
        for pause in pauses(FIRST_PAUSE):
            missing = self._missing(part, value, noted)
            left = min(max(map(self._left, missing.values()), default=0.0), self.seconds - waited)
            if left < _MOMENT:  # what another thread has written meanwhile has time left: the next read waits for it
                self._forget(part, {item: one for item, one in missing.items() if self._left(one) < _MOMENT})
                break
            wait = min(pause, left)
            if self._sleep(wait) is False:
                break
            waited += wait
            for one in missing.values():
                one.waited += wait
            noted, value = self._noted(part), fetch()
        return value

    def _left(self, one: _Expected) -> float:
        """For how many seconds more an item is waited for."""
        return self.seconds - max(one.waited, self._clock() - one.since)

    def _noted(self, part: Hashable) -> dict[Hashable, _Expected]:
        with self._lock:
            return dict(self._expected.get(part, {}))

    def _missing(self, part: Hashable, value: object, noted: Mapping[Hashable, _Expected]) -> dict[Hashable, _Expected]:
        """The items that a part does not show yet; the others are forgotten.

        What was noted before the value was fetched counts too: another thread may have seen it since, in a newer value.
        """
        expected = {**noted, **self._noted(part)}
        missing = {item: one for item, one in expected.items() if one.shown(value) is False}
        self._forget(part, {item: one for item, one in expected.items() if item not in missing})
        return missing

    def _forget(self, part: Hashable, items: Mapping[Hashable, _Expected]) -> None:
        with self._lock:
            expected = self._expected.get(part, {})
            for item, one in items.items():
                if expected.get(item) is one:  # else another write has come since
                    del expected[item]


def not_shown(what: str, label: str, shows: str, seconds: float, page: str) -> NotApplied:
    """The error of a write that Mixpanel accepted and does not show, though it was looked for.

    Args:
        what: what was not done, as a clause that begins with "cannot".
        label: the person or thing that it was for.
        shows: what Mixpanel shows, as a clause that follows "Mixpanel".
        seconds: how long it was looked for.
        page: where in Mixpanel to look.
    """
    waited = f", {seconds:g} seconds later" if seconds else ""
    if STOP.asked:
        waited = "; since the run was cancelled, it was not looked for any longer"
    return NotApplied(
        what,
        subject=label,
        why=f"Mixpanel took the request and {shows}{waited}",
        next_step=f"Run again: nothing is done twice. If it stays so, look in {page}.",
    )


class Part(NamedTuple, Generic[_T]):
    """One part of the organization, which is read in one go. A tuple, since its hash is asked for thousands of times.

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

    A part whose fetch failed stays failed until it is dropped: within one operation, a thousand resources learn of
    an outage by the requests of one.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, read_back: ReadBack | None = None) -> None:
        self._clock = clock
        self._read_back = read_back or ReadBack(0)
        self._lock = threading.Lock()
        self._asked: dict[Part[Any], float] = {}
        self._parts: dict[Part[Any], Future[Any]] = {}
        self._values: dict[Part[Any], tuple[Future[Any], Any]] = {}
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
        known = self._values.get(part)
        if known is not None and self._parts.get(part) is known[0]:
            return cast("_T", known[1])  # asked for thousands of times, and there without a lock
        with self._lock:
            future = self._parts.get(part)
            mine = future is None
            if future is None:
                future = self._parts[part] = Future()
                self._asked[part] = self._clock()
        if mine:
            try:
                value = self._read_back.read(part, fetch)
                self._values[part] = future, value
                future.set_result(value)
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
                self._values.pop(part, None)

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


_Rows = Mapping[str, Sequence[Grant]]
"""The grants in a project, by the key of the address."""


class EmptyLists:
    """What has been read of the lists of one operation, and what the operation itself has taken away."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[Hashable, frozenset[Hashable]] = {}
        self._taken: dict[Hashable, set[Hashable]] = {}
        self._removed: set[Hashable] = set()

    def read(self, part: Hashable, members: Iterable[Hashable]) -> None:
        """Note who or what is in a list; that it is empty is not noted."""
        if found := frozenset(members):
            with self._lock:
                self._held[part] = found

    def take(self, part: Hashable, member: Hashable) -> None:
        """Note that we take somebody or something out of a list."""
        with self._lock:
            self._taken.setdefault(part, set()).add(member)

    def remove(self, emails: Iterable[str]) -> None:
        """Note that we remove people from the organization, and so from every list."""
        with self._lock:
            self._removed |= set(map(same_key, emails))

    def has_removed(self, key: str) -> bool:
        """Whether we remove somebody."""
        with self._lock:
            return key in self._removed

    def is_odd(self, part: Hashable) -> bool:
        """Whether a list was not empty before, and we have not taken all of it: it is worth a second look.

        Another stack or a person may have taken the rest, so that a second empty answer is believed.
        """
        with self._lock:
            left = self._held.get(part, frozenset()) - self._taken.get(part, set()) - self._removed
            if left:
                self._held.pop(part)
        return bool(left)


def by_role(lists: Iterable[_Rows]) -> bool:
    """Whether projects show owners or admins of the organization, who have every project: then each must show them."""
    return any(grant.role in MANAGING_ROLES for grant in _of_type(GrantType.ORGANIZATION_ROLE, lists))


def through_teams(lists: Iterable[_Rows]) -> bool:
    """Whether projects show that somebody has them through a team: then there is a team."""
    return any(True for _ in _of_type(GrantType.TEAM, lists))


def _of_type(grant_type: GrantType, lists: Iterable[_Rows]) -> Iterator[Grant]:
    return (grant for rows in lists for held in rows.values() for grant in held if grant.grant_type is grant_type)


def contradiction(what: str, why: str) -> errors.Unintelligible:
    """An empty list that is not believed."""
    return errors.Unintelligible(
        f"cannot {what}",
        why=f"Mixpanel answered with an empty list, and {why}",
        next_step="Nothing was changed on the strength of it. Run again; if it stays so, compare with the product.",
    )
