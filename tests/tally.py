"""What the tests have done, counted where it is done: the figures of `make reliability`."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Final

FOLDER_VARIABLE: Final = "MIXPANEL_ACCESS_TALLY"
"""The environment variable with the folder that gets the counts of each test process; not set, nobody wants them."""

_COUNTS: Final[Counter[str]] = Counter()


def count(what: str, by: int = 1) -> None:
    """Count something that a test has just done."""
    _COUNTS[what] += by


def counted() -> dict[str, int]:
    """What this process has counted so far."""
    return dict(_COUNTS)


def write() -> None:
    """Leave the counts of this process, at its end."""
    folder = os.environ.get(FOLDER_VARIABLE)
    if folder and _COUNTS:
        (Path(folder) / f"{os.getpid()}.json").write_text(json.dumps(_COUNTS))


def total(folder: Path) -> Counter[str]:
    """The counts of all processes."""
    return sum((Counter(json.loads(file.read_text())) for file in folder.glob("*.json")), Counter())
