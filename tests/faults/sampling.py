"""Which of many combinations a test takes: all of them for `make reliability`, else a part that has every pair."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations, product
from typing import Any, Final

from hypothesis import settings

MANY: Final = settings().max_examples >= 1000
"""As `make reliability` asks for."""


def every_pair(*axes: Iterable[Any]) -> list[tuple[Any, ...]]:
    """Rows with one value of each axis: all of them if many are asked for, else so many that any two values meet.

    The first two axes meet in the first value of each other axis, so put the most important values first.
    """
    rows = list(product(*axes))
    if MANY:
        return rows
    seen: set[Any] = set()
    chosen = []
    for row in rows:
        pairs = set(combinations(enumerate(row), 2))
        if not pairs <= seen:
            chosen.append(row)
            seen |= pairs
    return chosen
