"""How the figures of `make bench` are kept and shown; what they are is in docs/figures.md."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from bench.comparison import GROUPED, MEMBERS, NEW, PEER, SINGLE
from bench.crowd import with_everybody
from bench.page import page
from bench.record import Record
from bench.units import Units
from demo.sandbox import SECRET, USERNAME, Emulator
from mixpanel_access.emulator.server import EmulatorServer


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
    record.add("rosters", {"people": 5000, "seconds": 3.0})
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
    assert [(one["seconds"], one["date"]) for one in found["rosters"]] == [(3.0, "2026-05-04")]


def test_a_whole_run_begins_anew(file: Path) -> None:
    """Nothing of the earlier day is left."""
    Record(on("2026-06-01"), file, keep=False).add("figures", figure(100, 1.5))
    found = json.loads(file.read_text())
    assert [one["date"] for one in found["figures"]] == ["2026-06-01"]
    assert found["rosters"] == []


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
    assert rows(text, "reading a roster of 20000 people") == []
    assert rows(text, "0.2.0") == [["0.2.0", "3.259.0", "3.11.7", "2026-06-01"]]


@pytest.mark.parametrize(
    ("date", "version", "growth"), [("2026-05-04", "0.1.0", 1), ("2026-06-01", "0.1.0", 0), ("2026-05-04", "0.2.0", 0)]
)
def test_growth_compares_sizes_of_one_run(file: Path, date: str, version: str, growth: int) -> None:
    """Seconds of two days, or of two versions, do not say how a command grows."""
    record = Record(on(date, version=version), file, keep=True)
    record.add("figures", figure(1000, 4.0))
    assert len(rows(page(record.found), "refresh | yes | 100 | 1000 | x 10")) == growth


def form(name: str, command: str, seconds: float, **more: Any) -> dict[str, Any]:
    """A measured command of the comparison."""
    cost = {"requests": 20, "writes": 12, "bytes_out": 900_000, "seconds": seconds, "provider_mb": 90.0}
    row = {"form": name, "people": NEW, "grants": 1000, "command": command, "cost": cost, "peer": None}
    return row | more


def test_without_the_official_provider_its_last_figures_stay(tmp_path: Path) -> None:
    """A whole run begins anew with everything else; on another machine, they say nothing of the others."""
    file = tmp_path / "latest.json"
    record = Record(on("2026-05-04"), file, keep=False)
    for name, peer in ((PEER, "0.1.0-alpha6, Terraform 1.11.4"), (GROUPED, None)):
        record.add("forms", form(name, "up (create)", 5.9, peer=peer))
    again = Record(on("2026-06-01"), file, keep=False)
    assert [(one["form"], one["date"]) for one in again.found["forms"]] == [(PEER, "2026-05-04")]
    again.add("forms", form(GROUPED, "up (create)", 4.0))
    text = page(again.found)
    assert [row[1:] for row in rows(text, "on")][-1:] == [["2026-05-04", "2026-06-01"]]
    assert rows(text, "up (create) of 1000 grants, grouped, beside the official provider") == [
        ["up (create) of 1000 grants, grouped, beside the official provider", "5.9 s", "4.0", "yes", "0.1.0",
         "2026-06-01"]
    ]  # fmt: skip
    assert Record(on("2026-06-01", cores=8), file, keep=False).found["forms"] == []


@pytest.mark.parametrize(("seconds", "grown", "met"), [(60.0, "12.0", "yes"), (61.0, "12.2", "**no**")])
def test_ten_times_the_grants_may_take_twelve_times_the_seconds(
    file: Path, seconds: float, grown: str, met: str
) -> None:
    """Of people who are members already, in one run."""
    record = Record(on("2026-06-01"), file, keep=False)
    for grants, took in ((1000, 5.0), (10_000, seconds)):
        record.add("forms", form(GROUPED, "up (create)", took, people=MEMBERS, grants=grants))
    (row,) = rows(page(record.found), "growth of up to 10000 grants, grouped")
    assert row[1:4] == ["12 times", grown, met]


def test_the_page_begins_with_what_the_figures_mean(file: Path) -> None:
    """In sentences, of what was measured; nothing if it was not."""
    record = Record(on("2026-06-01"), file, keep=False)
    assert "`pulumi up` takes" not in page(record.found)
    record.add("forms", form(GROUPED, "up (create)", 4.0))
    record.add("forms", form(SINGLE, "up (create)", 235.0))
    record.add("forms", form(GROUPED, "up (create)", 50.0, people=MEMBERS, grants=10_000))
    assert page(record.found).splitlines()[2] == (
        "To give 1,000 grants to 500 new people, `pulumi up` takes 4.0 s and 20 requests with a grouped roster, and "
        "235 s and 20 requests with one resource for each grant. 10,000 grants of 5,000 members take 50.0 s and 20 "
        "requests: above 200 people, use a [grouped roster](scale.md). 4 of 4 [targets](#targets) are met."
    )


UNITS = Units(count=3, people=2, new=2, projects=2)
SHARED, ALONE = "new00000@unit00.example.com", "new00001@unit00.example.com"
"""New people of the first unit; the second one declares the former, too."""


def as_declared() -> dict[str, Any]:
    """The organization as it is after every stack's `up`."""
    people = [person for unit in range(3) for person in UNITS.roster(unit)["people"]]
    assert [sum(one["email"] == address for one in people) for address in (SHARED, ALONE)] == [2, 1]
    document = UNITS.organization()
    document["members"] += [{"email": address, "role": "member"} for address in UNITS.newcomers]
    document["grants"] = [
        {"project": int(key.removeprefix("p")), "email": person["email"], "role": "analyst"}
        for person in people
        for key in person["projects"]
    ]
    return document


def without(document: dict[str, Any], email: str, *parts: str) -> dict[str, Any]:
    """The organization without somebody, or without their grants."""
    return document | {part: [row for row in document[part] if row["email"] != email] for part in parts}


@pytest.mark.parametrize(
    ("document", "newcomers", "wrong"),
    [
        (as_declared(), True, []),
        (without(as_declared(), ALONE, "members", "grants"), True, [f"{ALONE} is missing", *(
            f"{ALONE} has no grant in {project}" for project in (1000, 1001))]),
        (without(as_declared(), ALONE, "grants"), True,
         [f"{ALONE} has no grant in {project}" for project in (1000, 1001)]),
        (as_declared(), False, [
            *(f"{address} is left" for address in sorted(UNITS.newcomers)),
            *(f"{row['email']} still has a grant in {row['project']}"
              for row in sorted(as_declared()["grants"], key=lambda row: (row["project"], row["email"]))
              if row["email"].startswith("new"))]),
    ],
    ids=["as declared", "a person is missing", "a grant is missing", "people are left"],
)  # fmt: skip
def test_the_check_of_many_stacks_names_what_is_not_as_declared(
    document: dict[str, Any], newcomers: bool, wrong: list[str]
) -> None:
    """People and grants, missing or left."""
    with EmulatorServer(document, limit_invitations=False) as server:
        assert UNITS.wrong(Emulator(server.url), newcomers=newcomers) == wrong


def test_the_check_of_many_stacks_names_who_was_invited_twice() -> None:
    """As two stacks would that read at the same time who is in the organization."""
    with EmulatorServer(without(as_declared(), SHARED, "members", "grants"), limit_invitations=False) as server:
        for _ in range(2):
            body = {"users": [{"email": SHARED, "role": "member"}]}
            path = f"{server.url}/organizations/7654321/add-users/"
            httpx.post(path, json=body, auth=(USERNAME, SECRET)).raise_for_status()
        assert f"{SHARED} was invited 2 times" in UNITS.wrong(Emulator(server.url), newcomers=True)


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
