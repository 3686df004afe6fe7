"""Two branches add to the access log: the merge has each fact once, in order, and refuses what cannot both be true."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mixpanel_access.cli.app import app
from mixpanel_access.files.lines import append_lines, read_lines, text_of_lines
from mixpanel_access.model.errors import UsageError
from mixpanel_access.operations.tracker.lines import LogEvent, LogLine
from mixpanel_access.operations.tracker.merging import merge
from tests.cli.json_output import must_be_documented
from tests.operations.readdressed import AT_ONCE
from tests.operations.test_pruning import line, moved
from tests.operations.test_timeline import LIVES, ROLELESS, UNSEEN, UNTOLD, Row
from tests.operations.tracking import World, world

E = LogEvent
BASE = [line("2026-01-10", E.GRANTED, "bo")]
GONE = replace(line("2026-01-20", E.REVOKED, "bo"), audit_id="a7")


def log(folder: Path, lines: Sequence[LogLine], name: str = "tracker.jsonl") -> Path:
    """A log with these lines."""
    file = folder / name
    file.write_text(text_of_lines(lines))
    return file


UNIONS: dict[str, tuple[list[LogLine], list[LogLine], list[LogLine]]] = {
    "each its own, in the order of time": (
        [line("2026-01-12", E.GRANTED, "cy")], [line("2026-01-11", E.GRANTED, "di")],
        [line("2026-01-11", E.GRANTED, "di"), line("2026-01-12", E.GRANTED, "cy")],
    ),
    "the same line": ([GONE], [GONE], [GONE]),
    "the same event, and one read the states of all stacks": ([replace(GONE, stack="")], [GONE], [GONE]),
    "found gone on two days": (
        [line("2026-01-21", E.REVOKED, "bo")], [line("2026-01-23", E.REVOKED, "bo")],
        [line("2026-01-21", E.REVOKED, "bo")],
    ),
    "found gone, and read who did it": ([line("2026-01-21", E.REVOKED, "bo")], [GONE], [GONE]),
    "noted by the engine, and read as an event": (
        [replace(line("2026-01-12", E.GRANTED, "cy"), date="2026-01-12T11:59:30Z")],
        [replace(line("2026-01-12", E.GRANTED, "cy"), audit_id="a9")],
        [replace(line("2026-01-12", E.GRANTED, "cy"), audit_id="a9")],
    ),
    "with the roles of two updates, between which it was changed": (
        [line("2026-01-12", E.GRANTED, "cy", "analyst")],
        [line("2026-01-12", E.GRANTED, "cy", "consumer"), line("2026-01-14", E.CHANGED, "cy", "admin")],
        [line("2026-01-12", E.GRANTED, "cy", "analyst"), line("2026-01-14", E.CHANGED, "cy", "admin")],
    ),
    "the same change of reasons": (
        [replace(line("2026-01-12", E.CHANGED, "bo"), ticket="T-1")],
        [replace(line("2026-01-13", E.CHANGED, "bo"), ticket="T-1")],
        [replace(line("2026-01-12", E.CHANGED, "bo"), ticket="T-1")],
    ),
    "gone, given again, gone: by two branches": (
        [GONE, line("2026-01-22", E.GRANTED, "bo"), line("2026-01-25", E.REVOKED, "bo")],
        [GONE, line("2026-01-22", E.GRANTED, "bo"), line("2026-01-26", E.REVOKED, "bo")],
        [GONE, line("2026-01-22", E.GRANTED, "bo"), line("2026-01-25", E.REVOKED, "bo")],
    ),
    "two events of one access": (
        [GONE, replace(GONE, date="2026-01-20T12:00:01Z", event="granted", audit_id="a8")],
        [replace(GONE, date="2026-01-20T12:00:05Z", audit_id="a9")],
        [GONE, replace(GONE, date="2026-01-20T12:00:01Z", event="granted", audit_id="a8"),
         replace(GONE, date="2026-01-20T12:00:05Z", audit_id="a9")],
    ),
    "another address, seen on two days": (
        [moved("2026-01-12", "bo", "al")], [moved("2026-01-13", "bo", "al")], [moved("2026-01-12", "bo", "al")],
    ),
    "another address, and back, and again": (
        [moved("2026-01-12", "bo", "al"), moved("2026-01-14", "al", "bo"), moved("2026-01-16", "bo", "al")],
        [moved("2026-01-13", "bo", "al"), moved("2026-01-15", "al", "bo"), moved("2026-01-17", "bo", "al")],
        [moved("2026-01-12", "bo", "al"), moved("2026-01-14", "al", "bo"), moved("2026-01-16", "bo", "al")],
    ),
    "another address, and found gone by a branch that does not know it": (
        [moved("2026-01-12", "bo", "al")],
        [line("2026-01-13", E.REVOKED, "bo"), line("2026-01-13", E.FOUND, "al", stack="")],
        [moved("2026-01-12", "bo", "al")],
    ),
    "renamed on two days": (
        [replace(line("2026-01-12", E.RENAMED, "", stack="prod"), renamed_from="production")],
        [replace(line("2026-01-13", E.RENAMED, "", stack="prod"), renamed_from="production")],
        [replace(line("2026-01-12", E.RENAMED, "", stack="prod"), renamed_from="production")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("markers", [False, True], ids=["two files", "conflict markers"])
@pytest.mark.parametrize(("ours", "theirs", "expected"), UNIONS.values(), ids=UNIONS.keys())
def test_a_fact_that_both_branches_have_stays_once(
    ours: list[LogLine], theirs: list[LogLine], expected: list[LogLine], markers: bool, tmp_path: Path
) -> None:
    """In the log of another branch, or between git's conflict markers; a second merge changes nothing."""
    if markers:
        rows = [text_of_lines(BASE), "<<<<<<< HEAD\n", text_of_lines(ours), "=======\n", text_of_lines(theirs)]
        file = tmp_path / "tracker.jsonl"
        file.write_text("".join([*rows, ">>>>>>> other\n"]))
        merge(file, [])
    else:
        file = log(tmp_path, [*BASE, *ours])
        merge(file, [log(tmp_path, [*BASE, *theirs], "other.jsonl")])
    assert read_lines(file, LogLine) == [*BASE, *expected]
    assert merge(file, []).added == []
    assert read_lines(file, LogLine) == [*BASE, *expected]


AGAINST: dict[str, tuple[LogLine, LogLine, str]] = {
    "one event gives and takes": (GONE, replace(GONE, event="granted"), "revoked and granted"),
    "one event, two people": (GONE, replace(GONE, admin="bob@example.com"), "by ana@example.com and by bob@"),
    "one event, two roles": (
        replace(line("2026-01-12", E.CHANGED, "bo", "admin"), audit_id="a8"),
        replace(line("2026-01-12", E.CHANGED, "bo", "consumer"), audit_id="a8"),
        "has admin in project 7 and consumer in project 7",
    ),
    "one second, given and taken": (
        line("2026-01-12", E.REVOKED, "bo"), line("2026-01-12", E.CHANGED, "bo", "admin"), "revoked and changed",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("ours", "theirs", "words"), AGAINST.values(), ids=AGAINST.keys())
def test_lines_that_cannot_both_be_true_are_refused_by_their_numbers(
    ours: LogLine, theirs: LogLine, words: str, tmp_path: Path
) -> None:
    """And nothing is written."""
    file, other = log(tmp_path, [*BASE, ours]), log(tmp_path, [*BASE, theirs], "other.jsonl")
    before = file.read_bytes()
    with pytest.raises(UsageError) as refused:
        merge(file, [other])
    assert f"line 2 of {file} and line 2 of {other} contradict each other" in str(refused.value)
    assert words in str(refused.value)
    assert file.read_bytes() == before


def test_what_one_branch_has_pruned_does_not_come_back(tmp_path: Path) -> None:
    """Whichever of the two is merged into the other."""
    pruned = [replace(line("2026-01-15", E.PRUNED, "", stack=""), project=None, role=""), GONE]
    old = [*BASE, line("2026-01-14", E.GRANTED, "cy"), GONE]
    one, two = log(tmp_path, pruned, "one.jsonl"), log(tmp_path, old, "two.jsonl")
    assert list(merge(one, [two]).lines) == pruned
    assert list(merge(two, [one]).lines) == pruned


@pytest.mark.parametrize("life", [life for life in LIVES if life not in (*AT_ONCE, *UNSEEN)])
def test_two_branches_of_a_life_make_one_log(life: Callable[[World], list[Row]], tmp_path: Path) -> None:
    """One branch updates after each step, the other now and then; replayed, their union is the truth."""
    with world(eager=True) as there:
        life(there)
        there.update()
        often, there.lines = there.lines, []
        there.update()
        file = log(tmp_path, often)
        merge(file, [log(tmp_path, there.lines, "other.jsonl")])
        there.lines = read_lines(file, LogLine)
        assert there.faults(at_updates=life in UNTOLD, roleless=life in ROLELESS) == []
        assert there.update() == []


def test_the_command_says_what_it_did(tmp_path: Path) -> None:
    """Until then, the other commands name it."""
    (tmp_path / "Pulumi.yaml").write_text("name: x\nruntime: python\n")
    file = tmp_path / "tracker.jsonl"
    append_lines(file, BASE, [])
    file.write_text(f"{file.read_text()}<<<<<<< HEAD\n=======\n{text_of_lines([GONE])}>>>>>>> other\n")
    refused = CliRunner().invoke(app, ["tracker", "export", "--cwd", str(tmp_path)])
    assert "line 2 is a conflict marker of git" in str(refused.exception)
    assert "mixpanel-access tracker merge" in str(refused.exception)
    done = CliRunner().invoke(app, ["tracker", "merge", "--cwd", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert "2 lines, 1 from the other side." in done.output
    again = CliRunner().invoke(app, ["tracker", "merge", "--cwd", str(tmp_path)])
    assert (again.exit_code, again.output.endswith("has 2 lines: nothing to merge.\n")) == (0, True), again.output
    words = ["tracker", "merge", "--json", "--cwd", str(tmp_path)]
    shown = CliRunner().invoke(app, words)
    assert must_be_documented(words, shown.exit_code, shown.output) == "tracker merge"
