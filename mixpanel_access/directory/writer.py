"""How the organization is changed: `Writer` sends the writes of all threads.

What several threads want at the same time goes out as one request. A write is sent again only after reading back shows
that it was not applied. What a write must have changed is noted, so that later reads look for it. A request that is
refused is sent again in parts, down to the item that is at fault.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from copy import copy
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any, Final, Generic

from mixpanel_access.api.stopping import Work, work_for, working_for, works
from mixpanel_access.directory.crowd import Crowd
from mixpanel_access.directory.snapshot import Part, Snapshot
from mixpanel_access.directory.writes import Effect, Item, Write
from mixpanel_access.model import errors
from mixpanel_access.model.dates import pauses
from mixpanel_access.model.grouping import grouped

ATTEMPTS: Final = 4
FIRST_WAIT: Final = 0.5
"""Seconds before the second attempt; doubled for each further one."""
PARALLEL: Final = 3
"""Requests of one item each that are under way at once; the transport lets no more through."""
REFUSALS_BORNE: Final = 20
"""Refusals after which the writes of one resource stop: so many of them are nobody's in particular."""

_ONE_MAY_BE_AT_FAULT: Final = (errors.Invalid, errors.Forbidden, errors.NotFound, errors.NotApplied, errors.ServerFault)
"""Answers that may be one item's fault; a string id, for one, gets HTTP 500 (contract, section 1)."""


Progress = Callable[[int], object]
"""Is told how many more items Mixpanel has answered, whatever it answered."""


@dataclass
class _Waiting(Generic[Item]):
    """The items that one thread submits: what has come of them, and how many refusals it bears."""

    items: Sequence[Item]
    borne: int | None = None
    progress: Progress = lambda _: None
    works: tuple[Work, ...] = field(default_factory=works)
    done: Future[dict[Item, Exception]] = field(default_factory=Future)


@dataclass(frozen=True)
class _Request(Generic[Item]):
    """One request, and what it must change, as known before it is sent."""

    write: Write[Item]
    items: Sequence[Item]
    effects: Sequence[Effect[Any]]
    parts: Sequence[Part[Any]]

    @classmethod
    def of(cls, write: Write[Item], items: Sequence[Item]) -> _Request[Item]:
        """The request for some items."""
        effects = [effect for item in items for effect in write.effects(item)]
        parts = [effect.part for effect in effects] + [part for item in items for part in write.touches(item)]
        return cls(write, items, effects, list(dict.fromkeys(parts)))


@dataclass
class _Queue:
    """The items of one kind that wait to go out together."""

    waiting: list[_Waiting[Any]] = field(default_factory=list)
    sending: threading.Lock = field(default_factory=threading.Lock)


@dataclass
class _Refusals:
    """What was refused of some items; at some point it stops the others."""

    borne: int | None
    count: int = 0
    stopped: errors.AccessError | None = None
    missing: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, error: errors.AccessError) -> None:
        """Count a refusal; too many of them, or one that nobody can pass, end the batch."""
        with self.lock:
            self.count += 1
            if self.borne is None:
                return
            hopeless = error.unsettled if isinstance(error, errors.MixpanelError) else True
            hopeless = hopeless or isinstance(error, errors.PlanRefusal) or not isinstance(error, _ONE_MAY_BE_AT_FAULT)
            if self.stopped is None and (hopeless or self.count >= self.borne):
                self.stopped = error


class Writer:
    """Sends writes over one snapshot.

    Args:
        snapshot: what was read.
        crowd: the threads that write at the same time.
        sleep: waits some seconds between attempts.
    """

    def __init__(self, snapshot: Snapshot, crowd: Crowd, sleep: Callable[[float], object] = time.sleep) -> None:
        self._snapshot = snapshot
        self.crowd = crowd
        self._sleep = sleep
        self._queues: dict[Write[Any], _Queue] = {}

    @property
    def seconds(self) -> float:
        """How long what was written is looked for."""
        return self._snapshot.seconds

    def fate_is_known(self, error: errors.MixpanelError) -> bool:
        """Whether a write that was not answered well, and is not shown by now, was certainly not applied."""
        return isinstance(error, errors.RateLimited) or error.unsent or not self.seconds

    def submit(self, write: Write[Item], item: Item) -> None:
        """Send an item with whatever else of its kind other threads submit now; returns when it is done.

        Raises:
            AccessError: what came of this item.
        """
        for error in self._submit(write, _Waiting([item])).values():
            raise error

    def submit_all(
        self, write: Write[Item], items: Iterable[Item], borne: int | None, progress: Progress
    ) -> dict[Item, errors.AccessError]:
        """Send many items with whatever else of their kind other threads submit now; see `send_all`.

        Items of several threads that go into one request are sent so.
        """
        submitted = list(dict.fromkeys(items))
        found = self._submit(write, _Waiting(submitted, borne, progress)) if submitted else {}
        for error in found.values():
            if not isinstance(error, errors.AccessError):
                raise error
        return found  # type: ignore[return-value]  # the others have been raised

    def _submit(self, write: Write[Item], waiting: _Waiting[Item]) -> dict[Item, Exception]:
        with self.crowd.changed:
            queue = self._queues.setdefault(write, _Queue())
            queue.waiting.append(waiting)
            leads = len(queue.waiting) == 1
            self.crowd.enter()
        if leads:
            with queue.sending:
                with self.crowd.changed:
                    # Only now: those of the batch before are served, and come back.
                    self.crowd.gather(len(waiting.items))
                    batch, queue.waiting = queue.waiting, []
                items = [item for one in batch for item in one.items]
                failures: dict[Item, Exception] = {}
                try:
                    with working_for(work for one in batch for work in one.works):
                        failures |= self.send_all(write, items, _borne(batch), _progress(batch))
                except BaseException as error:
                    self._serve(batch, dict.fromkeys(items, error))
                    if not isinstance(error, Exception):
                        raise
                else:
                    self._serve(batch, failures)
        return waiting.done.result()

    def _serve(self, batch: Sequence[_Waiting[Any]], failures: dict[Any, Any]) -> None:
        """Tell those who wait what came of their items."""
        with self.crowd.changed:
            self.crowd.leave(len(batch))
        for waiting in batch:
            waiting.done.set_result({item: failures[item] for item in waiting.items if item in failures})

    def send_all(
        self,
        write: Write[Item],
        items: Iterable[Item],
        borne: int | None = None,
        answered: Callable[[Item], object] = lambda _: None,
    ) -> dict[Item, errors.AccessError]:
        """Send many items now, in as few requests as they need.

        After `borne` refusals it stops; an error that cannot be one item's fault then stops it at once. None goes on to
        the end. `answered` is called with each item that went out in a request of its own, whatever Mixpanel answered.

        Returns:
            Item -> why it was not done.
        """
        refusals = _Refusals(borne)
        if write.apart:
            # All of them now, before a write drops what they read.
            apart = [_Request.of(write, some) for some in _requests(write, items)]
            with ThreadPoolExecutor(PARALLEL, initializer=work_for, initargs=(works(),)) as pool:
                outcomes = pool.map(self._send_apart, apart, repeat(refusals), repeat(answered))
                return {item: error for found in outcomes for item, error in found.items()}
        failures: dict[Item, errors.AccessError] = {}
        waiting: list[tuple[Sequence[Item], errors.AccessError | None]]
        waiting = [(batch, None) for batch in _requests(write, items)]
        while waiting:
            batch, before = waiting.pop(0)
            limited = {item: error for item in batch if (error := write.refusal(item)) is not None}
            failures |= limited
            if not (batch := [item for item in batch if item not in limited]):
                continue
            if refusals.stopped is not None:
                failures |= dict.fromkeys(batch, refusals.stopped)
                continue
            try:
                self._deliver(_Request.of(write, batch))
            except errors.AccessError as refusal:
                error = _cancelled(before) if before and isinstance(refusal, errors.Cancelled) else refusal
                refusals.add(error)
                if len(batch) == 1:
                    write.refused_alone(batch[0], error)
                ends = refusals.stopped is not None or len(batch) == 1 or not _divides(write, error)
                left = None if ends else batch if before else self._left(write, batch)
                if left is None:  # where it cannot be seen what arrived, nothing is repeated, either
                    failures |= dict.fromkeys(batch, error)
                    continue
                waiting[:0] = [(part, error) for part in write.parts(left, error) if part]
        return failures

    def _left(self, write: Write[Item], batch: Sequence[Item]) -> Sequence[Item] | None:
        """The items of a refused request that were not applied all the same; None where that cannot be read."""
        try:
            return [item for item in batch if not write.arrived(item, self._snapshot)]
        except errors.AccessError:
            return None

    def _send_apart(
        self, request: _Request[Any], refusals: _Refusals, answered: Callable[[Any], object]
    ) -> dict[Any, errors.AccessError]:
        """Send a request among others like it, and in parts if it is refused; item -> why it was not done."""
        error = self._send_alone(request, refusals)
        if error is not None and len(request.items) > 1 and refusals.stopped is None and _divides(request.write, error):
            alone = [_Request.of(request.write, [item]) for item in request.items]
            found = {one.items[0]: self._send_alone(one, refusals) for one in alone}
        else:
            found = dict.fromkeys(request.items, error)
        for item in request.items:
            answered(item)
        return {item: why for item, why in found.items() if why is not None}

    def _send_alone(self, request: _Request[Any], refusals: _Refusals) -> errors.AccessError | None:
        """Send a request among others like it; why it was not done."""
        if refusals.stopped is not None:
            return refusals.stopped
        try:
            self._deliver(request, look=not refusals.missing)
        except errors.AccessError as error:
            refusals.missing = refusals.missing or isinstance(error, errors.NotFound)
            refusals.add(error)
            return error
        return None

    def settle(self, write: Write[Item], items: Sequence[Item]) -> None:
        """Send one request until it is known to be applied.

        An answer that leaves the fate open (no answer, a fault of the server, a rate limit) is followed by reading
        back. Only if that does not show the items is the request sent again. Where reading back fails, nothing is
        repeated. A refusal that follows such an answer may be due to the first attempt: then too it is read back.

        Raises:
            MixpanelError: the last attempt's error; the write was not applied. If it is `unsettled`, it may have been.
        """
        self._deliver(_Request.of(write, items))

    def _deliver(self, request: _Request[Any], *, look: bool = True) -> None:
        """Send one request until it is known to be applied; see `settle`.

        With `look`, a 404 is followed by looking for the effect for some seconds.
        """
        write, items, effects, parts = request.write, request.items, request.effects, request.parts
        lost: errors.MixpanelError | None = None
        for attempt, wait in enumerate(pauses(FIRST_WAIT), 1):
            try:
                write.send(items)
                self.expect(effects)
                return
            except (errors.Unreachable, errors.ServerFault, errors.RateLimited, errors.Unintelligible) as error:
                self._snapshot.drop(*parts)
                may_have_arrived = not isinstance(error, errors.RateLimited) and not error.unsent
                lost = error if may_have_arrived else lost
                if may_have_arrived and write.once:
                    self.expect(effects)
                if self._have_arrived(write, items, error):
                    return
                pause = error.retry_after if error.retry_after is not None else wait
                repeats = write.may_repeat(error)
                if attempt == ATTEMPTS or pause > errors.LONGEST_WAIT or not repeats:
                    if write.once and not repeats:
                        raise _unsettled(error, "Mixpanel does not show it yet") from None
                    raise
            except errors.Cancelled:
                if lost is None:
                    raise
                raise _unsettled(lost, "the run was cancelled before Mixpanel showed it") from None
            except errors.MixpanelError as error:
                self._snapshot.drop(*parts)
                missing = isinstance(error, errors.NotFound)  # gone already, or the call does not exist
                if lost or (missing and look):
                    self.expect(effects)
                if (lost or (missing and write.takes)) and self._left(write, items) == []:
                    return
                if isinstance(error, errors.NotFound):
                    write.explain_missing(error)
                raise
            finally:
                self._snapshot.drop(*parts)
            self._sleep(pause)

    def _have_arrived(self, write: Write[Item], items: Sequence[Item], error: errors.MixpanelError) -> bool:
        """Read back after an error.

        Raises:
            MixpanelError: reading back fails too; the write may have been applied.
        """
        try:
            return all(write.arrived(item, self._snapshot) for item in items)
        except errors.AccessError as unread:
            raise _unsettled(error, f"reading back failed too ({unread.why or unread.what})") from unread

    def expect(self, effects: Iterable[Effect[Any]]) -> None:
        """Have the next reads look for some effects."""
        for effect in effects:
            self._snapshot.expect(effect.part, effect.item, effect.shown)
            self._snapshot.drop(effect.part)


def _borne(batch: Sequence[_Waiting[Any]]) -> int | None:
    """How many refusals those who wait bear together; None if one of them has its item sent whatever comes."""
    numbers = [one.borne for one in batch if one.borne is not None]
    return sum(numbers) if len(numbers) == len(batch) else None


def _progress(batch: Sequence[_Waiting[Item]]) -> Callable[[Item], object]:
    """Tells each who waits of their own items."""
    whose = {item: one.progress for one in batch for item in one.items}
    return lambda item: whose[item](1)


def _requests(write: Write[Item], items: Iterable[Item]) -> Iterator[Sequence[Item]]:
    """The items by request; each once."""
    for group in grouped((write.request_of(item), item) for item in dict.fromkeys(items)).values():
        for start in range(0, len(group), write.at_once):
            yield group[start : start + write.at_once]


def _divides(write: Write[Any], error: errors.AccessError) -> bool:
    """Whether a request that was refused is sent again in parts."""
    if not isinstance(error, errors.MixpanelError) or error.unsettled or isinstance(error, errors.PlanRefusal):
        return False
    return isinstance(error, _ONE_MAY_BE_AT_FAULT) or (write.limited and isinstance(error, errors.RateLimited))


def _cancelled(before: errors.AccessError) -> errors.AccessError:
    """The error of what was sent together with others, with this outcome, and not again since the run was cancelled."""
    if isinstance(before, errors.ServerFault):
        return _unsettled(copy(before), "the run was cancelled before Mixpanel showed it")
    why = f"{before.why}, of a request with others, and the run was cancelled before this was sent alone"
    return errors.Cancelled(before.what, why=why, next_step="Run `pulumi up` again for the rest.")


def _unsettled(error: errors.MixpanelError, why: str) -> errors.MixpanelError:
    """A write's error where nobody knows whether it was applied; a rate limit alone is a clear no."""
    if not isinstance(error, errors.RateLimited):
        error.unsettled = True
        error.next_step = f"It may have been done all the same, and {why}. Run again: what is done is not done twice."
    return error
