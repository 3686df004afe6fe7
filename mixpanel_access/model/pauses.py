"""Look again, with growing pauses, for as long as there is time."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf


def pauses(first: float, longest: float = inf) -> Iterator[float]:
    """Seconds to wait before each further look: twice as long each time.

    Args:
        first: before the second look.
        longest: the most between two looks.
    """
    pause = first
    while True:
        yield min(pause, longest)
        pause *= 2
