"""How far long work for many people is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

PROGRESS_SECONDS: Final = 10.0
"""How often the progress is shown."""


class Progress:
    """Says every ten seconds how far the work is, and not at its end.

    Args:
        number: for how many people something is done.
        done: what is done of each, in words: `people done`.
        say: shows a line.
        clock: seconds from any beginning.
    """

    def __init__(
        self, number: int, done: str, say: Callable[[str], object], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._number, self._words, self._say, self._clock = number, done, say, clock
        self._done, self._said = 0, clock()
        self._lock = threading.Lock()

    def __call__(self, more: int = 1) -> None:
        """Count people for whom it is done."""
        with self._lock:
            self._done += more
            done, now = self._done, self._clock()
            if now - self._said < PROGRESS_SECONDS or done >= self._number:
                return
            self._said = now
        self._say(f"{done} of {self._number} {self._words}")
