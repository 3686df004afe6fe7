"""`mixpanel-access evidence`: one document for an auditor, of a project in git, on the engine."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from mixpanel_access import __version__
from tests.engine.conftest import PRODUCTION, WAREHOUSE, Workspace
from tests.repositories import Repository

pytestmark = [pytest.mark.engine, pytest.mark.python_engine]

ROBIN, ANA = "robin@agency.example.org", "ana@example.com"
TODAY = datetime.now(UTC).date()
YESTERDAY, TOMORROW = TODAY - timedelta(days=1), TODAY + timedelta(days=1)
"""The emulator lives today."""
EXCEPTION = {
    "rule": "longest-duration", "email": ROBIN, "reason": "The sale", "ticket": "OPS-1", "approver": ANA,
    "starts": f"{TODAY}", "ends": f"{TODAY + timedelta(days=9)}",
}  # fmt: skip
REVIEWED = {
    "date": f"{TODAY}T00:00:00Z", "event": "listed", "review": "2026-Q2", "stack": "production", "email": ROBIN,
    "project": "shop", "engagement": "", "starts": "", "role": "analyst", "suggestion": "keep", "suggested_role": "",
    "reason": "", "reviewer": ANA,
}  # fmt: skip


def commit(workspace: Workspace) -> str:
    """Commit all files of the project in a new repository; the commit's id."""
    repository = Repository(workspace.pulumi.project)
    repository.git("init", "-q")
    return repository.commit()


def person(role: str = "analyst") -> dict[str, Any]:
    """Robin's entry."""
    projects = {"shop": role}
    why = {"ticket": "OPS-1", "approver": ANA, "justification": "The sale"}
    return {"email": ROBIN, "organizationRole": "member", "projects": projects, **why, "ends": "2998-12-31"}


def others(workspace: Workspace) -> set[str]:
    """Everybody but Robin, and "" for the teams' roles."""
    return {"", *workspace.members()} - {ROBIN}


def document(workspace: Workspace, *args: str, first: object = TODAY, last: object = TODAY) -> dict[str, Any]:
    """The document."""
    done = workspace.command("evidence", "--from", f"{first}", "--to", f"{last}", "--json", *args)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def held(workspace: Workspace) -> set[tuple[int | None, str]]:
    """What Robin has, by the emulator."""
    grants = {(project, role) for project, role in workspace.grants(ROBIN).items()}
    return {(None, workspace.members()[ROBIN]), *grants}


def test_the_document_of_a_day(workspace: Workspace) -> None:
    """Access at both ends, changes, reviews, exceptions, sources and what is not known; the tables say the same."""
    workspace.add("staging")
    workspace.roster([person()], exceptions=[EXCEPTION])
    workspace.up()
    assert workspace.command("tracker", "update").returncode == 0
    review = workspace.pulumi.project / "reviews" / "2026-Q2" / "evidence.jsonl"
    review.parent.mkdir(parents=True)
    decided = {**REVIEWED, "event": "decided", "decided": f"{TODAY}", "decision": "keep", "comment": "=still needed"}
    review.write_text("".join(f"{json.dumps(row)}\n" for row in (REVIEWED, decided)))
    made = commit(workspace)

    found = document(workspace, first=YESTERDAY)
    assert (found["from"], found["to"], found["version"]) == (f"{YESTERDAY}", f"{TODAY}", __version__)
    assert (found["stacks"], found["allStacks"]) == (["production", "staging"], True)
    assert [one["id"] for one in found["organizations"]] == [7654321]
    assert {row["person"] for row in found["accessAtStart"]} == others(workspace)
    assert {(row["stack"], row["since"], row["givenBy"]) for row in found["accessAtStart"]} == {("", None, "unknown")}
    end = [row for row in found["accessAtEnd"] if row["person"] == ROBIN]
    assert (
        {(row["project"], row["role"]) for row in end} == held(workspace) == {(None, "member"), (PRODUCTION, "analyst")}
    )
    assert {(row["stack"], row["ticket"], row["approver"]) for row in end} == {("production", "OPS-1", ANA)}
    assert {(row["event"], row["person"], row["roleBefore"]) for row in found["changes"]} == {("granted", ROBIN, None)}
    assert [(row["status"], row["person"], row["decision"]) for row in found["reviews"]] == [("applied", ROBIN, "keep")]
    exceptions = found["exceptions"]
    assert [(row["rule"], row["person"], row["approver"]) for row in exceptions] == [("longest-duration", ROBIN, ANA)]
    assert found["differences"] == []
    log, state = (next(one for one in found["sources"] if one["kind"] == kind) for kind in ("access log", "state"))
    assert (log["path"], log["lines"], log["commit"], log["changed"]) == ("tracker.jsonl", 13, made, False)
    assert state["dated"] >= f"{TODAY}"
    assert {one["commit"] for one in found["sources"] if one["kind"] != "state"} == {made}
    assert any("The stack staging has no state" in sentence for sentence in found["unknown"])
    _tables_say_the_same(workspace, found)


def _tables_say_the_same(workspace: Workspace, found: dict[str, Any]) -> None:
    """The workbook has a sheet, and the CSV a section, for each part; with the rows of the JSON, and no formula."""
    span = ("--from", f"{YESTERDAY}", "--to", f"{TODAY}")
    for format_ in ("xlsx", "csv"):
        done = workspace.command("evidence", *span, "--format", format_, "--output", f"evidence.{format_}")
        assert done.stdout.startswith(f"Wrote evidence.{format_}: {YESTERDAY} to {TODAY}, 2 changes, "), done.stderr
    book = load_workbook(io.BytesIO((workspace.pulumi.project / "evidence.xlsx").read_bytes()))
    text = (workspace.pulumi.project / "evidence.csv").read_text("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    parts = ["sources", "accessAtStart", "accessAtEnd", "changes", "reviews", "exceptions", "weakenedRules"]
    parts += ["differences", "unknown"]
    assert book.sheetnames == ["document", *parts]
    heads = [str(cell.value) for cell in next(iter(book["changes"].iter_rows()))]
    assert (heads[:3], heads[-1]) == (["at", "event", "person"], "ends"), "what happened first, and the reasons last"
    for part in parts:
        expected = [one if isinstance(one, dict) else {"sentence": one} for one in found[part]]
        head, *cells = book[part].iter_rows(values_only=True)
        sheet = [dict(zip(map(str, head), row, strict=True)) for row in cells]
        assert [{key: value for key, value in row.items() if value} for row in sheet] == [
            {key: value for key, value in row.items() if value} for row in expected
        ], part
        section = [row for row in rows if row["section"] == part]
        assert [{key: row[key] for key in expected[0]} for row in section] if expected else section == []
        for row, values in zip(section, expected, strict=True):
            assert {key: row[key] for key in values} == {key: _text(value) for key, value in values.items()}, part
    assert [row["to"] for row in rows if row["section"] == "document"] == [f"{TODAY}"]

    done = workspace.command("evidence", "--from", f"{YESTERDAY}", "--to", f"{YESTERDAY}", "--format", "csv")
    printed = csv.DictReader(io.StringIO(done.stdout.removeprefix("\ufeff")))
    past = [row for row in printed if row["section"] == "differences"]
    assert [row["sentence"] for row in past] == ["not compared: the period is in the past"]


def _text(value: Any) -> str:
    """A value of the JSON in CSV, where what would be a formula has a mark in front."""
    if isinstance(value, str) and value.startswith("="):
        return f"'{value}"
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def test_what_is_newer_than_the_log_and_than_git_shows(workspace: Workspace) -> None:
    """A state with access that the log lacks is a difference; a past day has the roster that git had then."""
    workspace.roster([person()], exceptions=[EXCEPTION])
    workspace.up()
    assert workspace.command("tracker", "update").returncode == 0
    made = commit(workspace)
    workspace.roster([{**person(), "projects": {"shop": "analyst", "warehouse": "consumer"}}])
    workspace.up()

    now = document(workspace)
    (difference,) = now["differences"]
    assert f"consumer in project {WAREHOUSE}" in difference
    assert [row["rule"] for row in now["exceptions"]] == []
    assert "stacks/production.yaml has changes that are not committed." in now["unknown"]

    then = document(workspace, "--now", f"{TOMORROW}")
    assert then["differences"] is None
    assert [(row["rule"], row["commit"]) for row in then["exceptions"]] == [("longest-duration", made)]
    before = document(workspace, "--now", f"{TOMORROW}", first=YESTERDAY, last=YESTERDAY)
    assert ({row["person"] for row in before["accessAtEnd"]}, before["changes"]) == (others(workspace), [])
    assert [row["rule"] for row in before["exceptions"]] == []
    said = " ".join(before["unknown"])
    assert f"of its present roster and not of {YESTERDAY}: git has no commit of that day." in said
    assert "The access log begins on " in said


def test_without_git_the_document_says_so(workspace: Workspace) -> None:
    """It is made all the same; a stack without a roster is named too."""
    workspace.up()
    assert workspace.command("tracker", "update").returncode == 0
    found = document(workspace)
    assert {one["commit"] for one in found["sources"]} == {""}
    said = " ".join(found["unknown"])
    assert "No commit can be named for tracker.jsonl, " in said
    assert "which others there were in the period is not known: git does not know it" in said
    (workspace.stacks / "production.yaml").unlink()
    assert "The stack production has no roster: " in " ".join(document(workspace)["unknown"])


WRONG: list[tuple[tuple[str, ...], str]] = [
    (("--from", f"{TODAY}", "--to", f"{YESTERDAY}"), "the period ends before it begins"),
    (("--from", f"{TODAY}", "--to", f"{TOMORROW}"), f"today is {TODAY} in UTC"),
    (("--from", "yesterday", "--to", f"{TODAY}"), "cannot use --from for yesterday"),
    (("--from", "0001-01-01", "--to", f"{TODAY}"), "cannot use --from for 0001-01-01"),
    (("--from", f"{TODAY}", "--to", f"{TODAY}T12:00"), "cannot use --to"),
    (("--from", f"{TODAY}", "--to", f"{TODAY}", "--stack", "nowhere"), "cannot find the stack for nowhere"),
    (("--from", f"{TODAY}", "--to", f"{TODAY}", "--file", "none.jsonl"), "cannot find the access log for none.jsonl"),
    (("--from", f"{TODAY}", "--to", f"{TODAY}", "--format", "markdown"), "'markdown' is not a format"),
    (("--from", f"{TODAY}", "--to", f"{TODAY}", "--format", "xlsx"), "Name a file with --output."),
]


def test_what_cannot_be_is_one_clear_error(workspace: Workspace) -> None:
    """With exit code 2 and nothing printed."""
    Path(workspace.pulumi.project / "tracker.jsonl").write_text("")
    for args, words in WRONG:
        done = workspace.command("evidence", *args)
        assert (done.returncode, done.stdout) == (2, ""), args
        assert words in done.stderr, done.stderr
        assert done.stderr.count("\n") <= 1, done.stderr
