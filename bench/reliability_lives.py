"""The scripted lives of `make reliability`: what was drawn, compared and found in many more than `make test` lives."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any, Final

from tests import tally
from tests.lives.life import DISAGREEMENT, DRAWN, Broken, Life

DAYS: Final = 60
BUSY_DAYS: Final = 8
"""How many days are busy in a life of the shape that `make test` lives."""
SHAPES: Final = {"8 days busy": (1000, BUSY_DAYS), "all days busy": (5000, None)}
"""The shapes of lives -> the first seed, which no test lives, and how many days are busy; None for all."""
COUNTED: Final = {
    "days": "days of scripted lives",
    "checked": "checked days of scripted lives",
    "events": "events of scripted lives",
    "runs": "runs of scripted lives",
    "comparisons": "comparisons of scripted lives",
}
"""Figure -> how the tally calls it."""


def scripted(numbers: dict[str, int], minutes: float, say: Callable[[str], None]) -> dict[str, Any]:
    """What the scripted lives were; a life in which something is otherwise than its script ends there.

    Args:
        numbers: how many lives of each shape.
        minutes: after how many minutes no life begins any more.
        say: shows a line.
    """
    ends, shapes = time.monotonic() + 60 * minutes, {shape: _Figures() for shape in SHAPES}
    for shape, seed in _in_turn(numbers):
        if time.monotonic() > ends:
            break
        say(shapes[shape].live(shape, seed))
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "wanted": numbers,
        "shapes": {shape: one.figures() for shape, one in shapes.items()},
    }


def _in_turn(numbers: dict[str, int]) -> Iterator[tuple[str, int]]:
    """The lives, so that those of all shapes come in turn, as often as there are more of a shape."""
    few = max(1, min(numbers.values(), default=1))
    parts = []
    for shape, number in numbers.items():
        first, _ = SHAPES[shape]
        own = [(shape, seed) for seed in range(first, first + number)]
        size = max(1, number // few)
        parts.append([own[at : at + size] for at in range(0, number, size)])
    yield from chain.from_iterable(chain.from_iterable(zip_longest(*parts, fillvalue=[])))


class _Figures:
    """What the lives of one shape were."""

    def __init__(self) -> None:
        self.lives, self.seconds = 0, 0.0
        self.counts: Counter[str] = Counter()
        self.failed: list[dict[str, Any]] = []

    def live(self, shape: str, seed: int) -> str:
        """Live one life; a line that says how it ended."""
        before, began = Counter(tally.counted()), time.process_time()
        ended = "as its script says"
        with tempfile.TemporaryDirectory(prefix="mixpanel-access-life-") as folder:
            try:
                Life(seed, Path(folder)).live(DAYS, SHAPES[shape][1])
            except Broken as broken:
                ended = str(broken)
                self.failed.append({"seed": seed, "day": broken.day, "kinds": list(broken.kinds)})
        self.lives += 1
        self.seconds += time.process_time() - began
        self.counts += Counter(tally.counted()) - before
        return f"{shape}, seed {seed}, {time.process_time() - began:.1f} s: {ended}"

    def figures(self) -> dict[str, Any]:
        """The figures of the shape."""
        drawn, kinds = f"{DRAWN}: ", f"{DISAGREEMENT}: "
        return {
            "lives": self.lives,
            **{figure: self.counts[name] for figure, name in COUNTED.items()},
            "drawn": {name.removeprefix(drawn): n for name, n in sorted(self.counts.items()) if name.startswith(drawn)},
            "disagreements": {
                name.removeprefix(kinds): n for name, n in sorted(self.counts.items()) if name.startswith(kinds)
            },
            "failed": self.failed,
            "seconds": round(self.seconds),
        }
