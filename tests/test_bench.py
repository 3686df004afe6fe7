"""How the figures of `make bench` are kept; what they are is in docs/figures.md."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench.record import Record


def on(date: str, cores: int = 2) -> dict[str, Any]:
    """A day, a machine and versions."""
    return {"date": date, "machine": {"cores": cores}, "versions": {"python": "3.11.7"}}


def figure(grants: int, seconds: float, *, checkpoints: bool = True) -> dict[str, Any]:
    """A measured command."""
    return {"grants": grants, "checkpoints": checkpoints, "command": "refresh", "seconds": seconds}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The results of an earlier day."""
    file = tmp_path / "results" / "latest.json"
    record = Record(on("2026-05-04"), file, keep=False)
    record.add("figures", figure(100, 1.0))
    record.add("figures", figure(1000, 2.0))
    record.add("roster", {"seconds": 3.0})
    return file


def test_a_figure_takes_the_place_of_the_earlier_one(file: Path) -> None:
    """The others stay, each with its day; it is written at once, since a long run may be broken off."""
    record = Record(on("2026-06-01"), file, keep=True)
    record.add("figures", figure(100, 1.5))
    record.add("figures", figure(1000, 2.5, checkpoints=False))
    found = json.loads(file.read_text())
    assert found == record.found
    assert [(one["grants"], one["seconds"], one["date"]) for one in found["figures"]] == [
        (1000, 2.0, "2026-05-04"), (100, 1.5, "2026-06-01"), (1000, 2.5, "2026-06-01"),
    ]  # fmt: skip
    assert found["roster"] == {"seconds": 3.0, "date": "2026-05-04"}


def test_a_whole_run_begins_anew(file: Path) -> None:
    """Nothing of the earlier day is left."""
    Record(on("2026-06-01"), file, keep=False).add("figures", figure(100, 1.5))
    found = json.loads(file.read_text())
    assert [one["date"] for one in found["figures"]] == ["2026-06-01"]
    assert "roster" not in found


def test_figures_of_another_machine_are_not_kept(file: Path) -> None:
    """One page tells of one machine."""
    with pytest.raises(ValueError, match="of another machine"):
        Record(on("2026-06-01", cores=8), file, keep=True)
