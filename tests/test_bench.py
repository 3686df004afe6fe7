"""How the figures of `make bench` are kept and shown; what they are is in docs/figures.md."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench.crowd import with_everybody
from bench.page import page
from bench.record import Record


def on(date: str, cores: int = 2, version: str = "0.1.0") -> dict[str, Any]:
    """A day, a machine and versions."""
    versions = {"mixpanel-access": version, "engine": "3.259.0", "python": "3.11.7"}
    return {
        "date": date,
        "machine": {"cores": cores, "system": "Linux", "machine": "x86_64"},
        "versions": versions,
    }


def figure(grants: int, seconds: float, *, checkpoints: bool = True) -> dict[str, Any]:
    """A measured command."""
    cost = {"requests": 8, "writes": 0, "bytes_out": 20_000, "seconds": seconds, "provider_mb": 67.0}
    measured = {"grants": grants, "checkpoints": checkpoints, "command": "refresh"}
    return {**measured, "ours": cost, "floor": 1.0, "ratio": seconds}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The results of an earlier day."""
    file = tmp_path / "results" / "latest.json"
    record = Record(on("2026-05-04"), file, keep=False)
    record.add("figures", figure(100, 1.0))
    record.add("figures", figure(1000, 2.0))
    record.add("roster", {"people": 5000, "seconds": 3.0})
    return file


def rows(text: str, begin: str) -> list[list[str]]:
    """The cells of the page's rows that begin with these."""
    return [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith(f"| {begin} |")]


def test_a_figure_takes_the_place_of_the_earlier_one(file: Path) -> None:
    """The others stay, each with its day and version; it is written at once, since a long run may be broken off."""
    record = Record(on("2026-06-01", version="0.2.0"), file, keep=True)
    record.add("figures", figure(100, 1.5))
    record.add("figures", figure(1000, 2.5, checkpoints=False))
    found = json.loads(file.read_text())
    assert found == record.found
    assert [
        (one["grants"], one["ratio"], one["date"], one["versions"]["mixpanel-access"]) for one in found["figures"]
    ] == [
        (1000, 2.0, "2026-05-04", "0.1.0"), (100, 1.5, "2026-06-01", "0.2.0"), (1000, 2.5, "2026-06-01", "0.2.0"),
    ]  # fmt: skip
    assert (found["roster"]["seconds"], found["roster"]["date"]) == (3.0, "2026-05-04")


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


def test_each_row_has_its_version_and_its_day(file: Path) -> None:
    """And each target those of its figure, so that nobody takes an old figure for one of the present version."""
    record = Record(on("2026-06-01", version="0.2.0"), file, keep=True)
    record.add("figures", figure(100, 1.5))
    text = page(record.found)
    assert [row[-2:] for row in rows(text, "100 | yes | refresh")] == [["0.2.0", "2026-06-01"]]
    assert [row[-2:] for row in rows(text, "1000 | yes | refresh")] == [["0.1.0", "2026-05-04"]]
    assert [row[3:] for row in rows(text, "refresh of 1000 grants")] == [
        ["**no**", "0.1.0", "2026-05-04"], ["yes", "0.1.0", "2026-05-04"], ["yes", "0.1.0", "2026-05-04"],
    ]  # fmt: skip
    assert [row[2:] for row in rows(text, "reading a roster of 5000 people")] == [["0.1.0", "2026-05-04"]]
    assert rows(text, "0.2.0") == [["0.2.0", "3.259.0", "3.11.7", "2026-06-01"]]


@pytest.mark.parametrize(
    ("date", "version", "growth"), [("2026-05-04", "0.1.0", 1), ("2026-06-01", "0.1.0", 0), ("2026-05-04", "0.2.0", 0)]
)
def test_growth_compares_sizes_of_one_run(file: Path, date: str, version: str, growth: int) -> None:
    """Seconds of two days, or of two versions, do not say how a command grows."""
    record = Record(on(date, version=version), file, keep=True)
    record.add("figures", figure(1000, 4.0))
    assert len(rows(page(record.found), "refresh | yes | 100 | 1000 | x 10")) == growth


def test_what_was_not_measured_has_no_table(file: Path) -> None:
    """A run of some parts makes a page of these."""
    text = page(json.loads(file.read_text()))
    assert "## Single grants" in text
    assert "## Both servers" not in text


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        ("person00000@example.com", ["person00000@example.com", "person00005@example.com"]),
        ({"email": "person00001@example.com"}, [{"email": f"person0000{n}@example.com"} for n in (1, 6)]),
        (
            {"people": ["person00001@example.com"], "ticket": "OPS-1"},
            [{"people": [f"person0000{n}@example.com"], "ticket": f"OPS-{n}"} for n in (1, 6)],
        ),
        ("owner@example.com", ["owner@example.com"]),
    ],
    ids=["an address", "a person", "a reason", "somebody else"],
)
def test_the_measured_crowd_has_what_the_measured_few_have(listed: object, expected: list[object]) -> None:
    """Each with their own address and ticket, as a real `up` of so many would leave them in the state."""
    assert with_everybody({"items": [listed]}, 10) == {"items": expected}
