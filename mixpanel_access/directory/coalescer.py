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

_Item = TypeVar("_Item")
Outcome = Mapping[_Item, Exception | None]
"""Item -> None when it was done, else why not."""


@dataclass
class _Waiting(Generic[_Item]):
    item: _Item
    done: Future[None] = field(default_factory=Future)


class Coalescer(Generic[_Item]):
    """Collects items from threads and sends them in batches, one batch at a time.

    Args:
        send: sends one batch and tells the outcome of each item; if it raises, the whole batch failed so.
        linger: seconds that a batch is held open for more.
        full: the number of items at which nobody else can come, so that the batch goes out at once.
    """

    def __init__(
        self, send: Callable[[Sequence[_Item]], Outcome[_Item]], *, linger: float = LINGER, full: int = WORKERS
    ) -> None:
        self._send = send
        self._linger = linger
        self._full = full
        self._changed = threading.Condition()
        self._queue: list[_Waiting[_Item]] = []
        self._sending = threading.Lock()

    def submit(self, item: _Item) -> None:
        """Send the item with whatever else is waiting; returns when it is done.

        Raises:
            Exception: what `send` told of this item.
        """
        waiting = _Waiting(item)
        with self._changed:
            self._queue.append(waiting)
            self._changed.notify_all()
            leads = len(self._queue) == 1
            if leads:
                self._changed.wait_for(lambda: len(self._queue) >= self._full, timeout=self._linger)
        if leads:
            with self._sending:
                self._flush()
        waiting.done.result()

    def _flush(self) -> None:
        with self._changed:
            batch, self._queue = self._queue, []
        try:
            outcome = self._send([waiting.item for waiting in batch])
        except BaseException as error:
            for waiting in batch:
                waiting.done.set_exception(error)
            if not isinstance(error, Exception):
                raise
            return
        for waiting in batch:
            problem = outcome.get(waiting.item)
            if problem is None:
                waiting.done.set_result(None)
            else:
                waiting.done.set_exception(problem)
