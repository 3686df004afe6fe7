"""Group commit: the writes that several threads want at the same time go out as one request."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

WORKERS: Final = 4
"""Worker threads of a dynamic provider's process: no more writes than this can wait at once."""
LINGER: Final = 0.1
"""Seconds for which the first writer waits for others; a request to Mixpanel takes some times as long."""
LONGEST: Final = 1.0
"""Seconds for which it waits at most, where others come, and slowly."""

_Item = TypeVar("_Item")
Outcome = Mapping[_Item, Exception | None]
"""Item -> None when it was done, else why not."""


class Crowd:
    """The threads that write, over all the coalescers of a process: how many wait, and how long for the others.

    The engine saves its state between one resource and the next, and the larger the state, the slower they come. So
    where one came late, the next batch is held twice as long; where none did, no longer than at first. Once everybody
    waits, for whatever, nobody can come and nothing is held.

    Args:
        linger: seconds for which the first batch is held open.
    """

    def __init__(self, *, linger: float = LINGER) -> None:
        self.changed = threading.Condition()
        self.hold = self._linger = linger
        self._waiting = 0
        self._came = 0
        self._complete = 0

    def enter(self, *, leads: bool) -> None:
        """Come, and if one leads, wait for others; only with `changed` held."""
        complete = self._complete
        self._came += 1
        self._waiting += 1
        if self._waiting >= WORKERS:
            self._complete += 1
            self.changed.notify_all()
        if leads and not self._completed(complete):
            early = self._came
            if not self._completed(complete):
                self.hold = min(LONGEST, 2 * self.hold) if self._came > early else self._linger

    def _completed(self, before: int) -> bool:
        """Wait for half of the hold, or until everybody waits; whether they did.

        It is counted, not looked at: the first of them to wake may be gone again before the next one looks.
        """
        return self.changed.wait_for(lambda: self._complete != before, timeout=self.hold / 2)

    def leave(self, count: int) -> None:
        """So many are served, and may come again; only with `changed` held."""
        self._waiting -= count


@dataclass
class _Waiting(Generic[_Item]):
    item: _Item
    done: Future[None] = field(default_factory=Future)


class Coalescer(Generic[_Item]):
    """Collects items from threads and sends them in batches, one batch at a time.

    Args:
        send: sends one batch and tells the outcome of each item; if it raises, the whole batch failed so.
        crowd: the threads that may come.
    """

    def __init__(self, send: Callable[[Sequence[_Item]], Outcome[_Item]], crowd: Crowd) -> None:
        self._send = send
        self._crowd = crowd
        self._queue: list[_Waiting[_Item]] = []
        self._sending = threading.Lock()

    def submit(self, item: _Item) -> None:
        """Send the item with whatever else is waiting; returns when it is done.

        Raises:
            Exception: what `send` told of this item.
        """
        waiting = _Waiting(item)
        crowd = self._crowd
        with crowd.changed:
            self._queue.append(waiting)
            leads = len(self._queue) == 1
            crowd.enter(leads=leads)
        if leads:
            with self._sending:
                self._flush()
        waiting.done.result()

    def _flush(self) -> None:
        with self._crowd.changed:
            batch, self._queue = self._queue, []
        try:
            outcome = self._send([waiting.item for waiting in batch])
        except BaseException as error:
            self._serve(batch)
            for waiting in batch:
                waiting.done.set_exception(error)
            if not isinstance(error, Exception):
                raise
            return
        self._serve(batch)
        for waiting in batch:
            problem = outcome.get(waiting.item)
            if problem is None:
                waiting.done.set_result(None)
            else:
                waiting.done.set_exception(problem)

    def _serve(self, batch: Sequence[_Waiting[_Item]]) -> None:
        with self._crowd.changed:
            self._crowd.leave(len(batch))
