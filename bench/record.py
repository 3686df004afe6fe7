"""What was measured, in one file; each figure has its date, and a run may keep the earlier figures of others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

LISTS: Final = {
    "figures": ("grants", "checkpoints", "command"),
    "states": ("grants",),
    "policies": ("resources",),
    "servers": ("server", "command", "grants"),
    "commands": ("people", "grants", "command"),
}
"""Part of the results that has many figures -> what distinguishes them; the rest have one each."""


class Record:
    """The results of a run, written as they come: a run that is broken off has recorded what it has measured.

    Args:
        measured_on: the date, the machine and the versions.
        file: where the results are.
        keep: whether figures that are there and not measured now stay.

    Raises:
        ValueError: figures of another machine or other versions are to be kept.
    """

    def __init__(self, measured_on: dict[str, Any], file: Path, *, keep: bool) -> None:
        self._file = file
        self.found: dict[str, Any] = {**measured_on, **{part: [] for part in LISTS}}
        if not keep:
            return
        earlier = json.loads(file.read_text())
        for fact in ("machine", "versions"):
            if earlier[fact] != measured_on[fact]:
                raise ValueError(f"the earlier figures are of another {fact}: {earlier[fact]}; measure all anew")
        self.found = {**earlier, **measured_on}

    def add(self, part: str, figure: dict[str, Any]) -> None:
        """Take a figure in the place of the earlier one of the same."""
        dated = {**figure, "date": self.found["date"]}
        if part in LISTS:
            name = LISTS[part]
            others = [
                one for one in self.found.get(part, ()) if [one[key] for key in name] != [dated[key] for key in name]
            ]
            self.found[part] = [*others, dated]
        else:
            self.found[part] = dated
        self._file.parent.mkdir(exist_ok=True)
        self._file.write_text(json.dumps(self.found, indent=2) + "\n")
