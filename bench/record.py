"""What was measured, in one file; each figure has its day and its versions, so that parts can be measured apart."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

LISTS: Final = {
    "figures": ("grants", "checkpoints", "command"),
    "states": ("grants",),
    "policies": ("form", "people"),
    "servers": ("server", "command", "grants"),
    "commands": ("people", "grants", "command"),
    "forms": ("form", "people", "grants", "command"),
    "limit": ("strangers", "run"),
    "stacks": ("people", "round"),
    "rosters": ("people",),
}
"""Part of the results that has many figures -> what distinguishes them; the rest have one each."""


class Record:
    """The results of a run, written as they come: a run that is broken off has recorded what it has measured.

    Args:
        measured_on: the date, the machine and the versions.
        file: where the results are.
        keep: whether figures that are there and not measured now stay; those of the official provider always do.

    Raises:
        ValueError: figures of another machine are to be kept.
    """

    def __init__(self, measured_on: dict[str, Any], file: Path, *, keep: bool) -> None:
        self._file = file
        machine, self._run = measured_on["machine"], {name: measured_on[name] for name in ("date", "versions")}
        self.found: dict[str, Any] = {"machine": machine, **{part: [] for part in LISTS}}
        earlier = json.loads(file.read_text()) if keep or file.exists() else {}
        if keep:
            self.found |= earlier
        elif earlier.get("machine") == machine:
            self.found["forms"] = [one for one in earlier.get("forms", []) if one["peer"]]
        if self.found["machine"] != machine:
            raise ValueError(f"the earlier figures are of another machine: {self.found['machine']}; measure all anew")

    def add(self, part: str, figure: dict[str, Any]) -> None:
        """Take a figure in the place of the earlier one of the same."""
        dated = {**figure, **self._run}
        if part in LISTS:
            name = LISTS[part]
            others = [one for one in self.found[part] if [one[key] for key in name] != [dated[key] for key in name]]
            self.found[part] = [*others, dated]
        else:
            self.found[part] = dated
        self._file.parent.mkdir(exist_ok=True)
        self._file.write_text(json.dumps(self.found, indent=2) + "\n")


def runs_in(found: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All figures of some results, of whatever part: each has its date and its versions."""
    for part in found.values():
        rows = part if isinstance(part, list) else [part]
        yield from (one for one in rows if isinstance(one, dict) and "versions" in one)
