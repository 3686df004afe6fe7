"""How long a write waits for the writes of other threads, to go out with them as one request."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

WORKERS: Final = 4
"""Worker threads in which the SDK runs a provider: so many are known until more are seen at once."""
LINGER: Final = 0.1
"""Seconds for which a batch waits for one more writer; a request to Mixpanel takes some times as long."""
LONGEST: Final = 1.0
"""Seconds for which it waits at most for one more, where they come slowly."""
FOR_EACH: Final = 0.002
"""Seconds for each of many items for which their batch waits for one more writer, up to `LONGEST`."""
LOOK_AGAIN: Final = 4
"""Times that everybody waited before it is looked for more; then after twice as many, and so on."""


class Crowd:
    """The threads that write, over all kinds of writes of a process: how many wait, and how long for the others.

    The engine does not say how many there are; a group of people does. The most that have been seen waiting at once
    count. Once so many wait, for whatever, nobody else can come, and nothing is held. Where more than ever wait, there
    may be still more, and a slow engine may have hidden some. Then, and now and again, they go only when nobody has
    come for a while.

    The engine saves its state between one resource and the next, and the larger the state, the slower they come. So
    where one came late, the others are given twice as long; where none did, no longer than at first.

    A fixed wait of 0.1 s was tried in its place. In an `up` it sent 8 % fewer requests without the engine's checkpoints
    (1,000 grants), and 27 % more with them (300 grants), which is how people run it.

    Args:
        linger: seconds without anybody coming after which the first batch goes out.
    """

    def __init__(self, *, linger: float = LINGER) -> None:
        self.changed = threading.Condition()
        self.hold = self._linger = linger
        self._most = WORKERS
        self._may_be_more = False
        self._waiting = 0
        self._came = 0
        self._complete = 0
        self._look_again = LOOK_AGAIN

    @contextmanager
    def of(self, count: int) -> Iterator[None]:
        """Somebody who knows it says that so many may write meanwhile: a batch is held for all of them."""
        with self.changed:
            before, self._most = self._most, max(self._most, count)
        try:
            yield
        finally:
            with self.changed:
                self._most = before
                self.changed.notify_all()

    def enter(self) -> None:
        """Come; only with `changed` held."""
        self._came += 1
        self._waiting += 1
        if self._waiting > self._most:
            self._most = self._waiting
            self._may_be_more = True
        if self._all_wait():
            self._complete += 1
        self.changed.notify_all()

    def gather(self, items: int = 1) -> None:
        """Wait for the others before a batch goes out; only with `changed` held.

        Where one writer has many items, the others may have as many: it waits until nobody comes any more.
        """
        if items > 1 and self._linger:
            patience = min(LONGEST, max(items * FOR_EACH, self._linger))
            while self._somebody_came(self._came, patience):
                pass
        complete, slow = self._complete, False
        while not self._all_wait() and self._complete == complete:
            came = self._came
            if self._somebody_came(came):
                continue
            if not self._somebody_came(came):
                self._may_be_more = False
                if not slow:
                    self.hold = self._linger
                return
            if self._complete == complete:
                slow, self.hold = True, min(LONGEST, 2 * self.hold)
        if self._complete >= self._look_again:
            self._look_again *= 2
            self._may_be_more = True

    def _all_wait(self) -> bool:
        return self._waiting >= self._most and not self._may_be_more

    def _somebody_came(self, before: int, seconds: float | None = None) -> bool:
        """Wait for half of the hold, or so many seconds, or until somebody comes; whether they did.

        It is counted, not looked at: the first of those who wake may be gone again before the next one looks.
        """
        return self.changed.wait_for(
            lambda: self._came != before, timeout=self.hold / 2 if seconds is None else seconds
        )

    def leave(self, count: int) -> None:
        """So many are served, and may come again; only with `changed` held."""
        self._waiting -= count
