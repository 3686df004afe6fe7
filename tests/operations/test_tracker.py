"""The access log: nothing in it can be touched without a trace, and its tables hold no formula."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unicodedata import lookup

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from mixpanel_access.model import audit
from mixpanel_access.model.audit import AuditEvent
from mixpanel_access.model.errors import Refused, UsageError
from mixpanel_access.operations.chain import FIRST, append, linked, read, verify
from mixpanel_access.operations.state import (
    EMPTY,
    HeldGrant,
    HeldMember,
    HeldTeam,
    HeldTeamGrant,
    HeldTeamMember,
    State,
)
from mixpanel_access.operations.tables import exported
from mixpanel_access.operations.tracker import Audited, lines_of, revocations
from mixpanel_access.operations.tracker_lines import LogEvent, LogLine

FILE = Path("tracker.jsonl")
COLUMNS = LogLine.columns()


def log(*lines: LogLine) -> list[LogLine]:
    """Some lines, one behind the other."""
    return list(linked(lines or (line("a"), line("b"), line("c")), []))


def line(name: str, **more: str) -> LogLine:
    """A line as it is before it is chained."""
    given = LogLine(
        "2026-05-04T12:00:00Z", "ana@example.com", LogEvent.GRANTED, f"{name}@example.com", "production", 7, "admin"
    )
    return replace(given, **more)  # type: ignore[arg-type]  # texts all


def test_a_log_as_it_was_written_is_trusted() -> None:
    """The empty one too; each line follows the one before."""
    lines = log()
    verify(lines, FILE)
    verify([], FILE)
    assert [one.previous for one in lines] == [FIRST, lines[0].hash, lines[1].hash]


@pytest.mark.parametrize("name", [name for name in COLUMNS if name != "hash"])
def test_a_changed_line_shows(name: str) -> None:
    """Whatever is changed in it, and though its own hash be made anew."""
    lines = log()
    changed = replace(lines[1], **{name: 8 if name == "project" else "x"})  # type: ignore[arg-type]  # by name
    with pytest.raises(Refused, match=r"cannot trust the access log for tracker.jsonl: line 2 "):
        verify([lines[0], changed, lines[2]], FILE)
    again = replace(changed, hash=changed.digest())
    with pytest.raises(Refused, match=r"line [23] .* does not follow the line before it"):
        verify([lines[0], again, lines[2]], FILE)


def test_a_log_from_before_there_were_teams_is_trusted() -> None:
    """A line that is about no team has the hash that it had."""
    assert log()[0].hash == "bf83beba18162bf0fa5c9274ea624a622dd8de49cc5ddac22e7ebd2b9d8258fe"


def test_a_state_as_lines() -> None:
    """Members, grants, places in teams and what teams have, with why; who is not put in by the stack has no place."""
    at, why = "2026-05-04T12:00:00Z", {"ticket": "OPS-1"}
    state = State(
        {"a": HeldMember("a", "admin", outputs=why, modified=at)},
        {(7, "a"): HeldGrant(7, "a", "analyst", outputs=why, modified=at)},
        teams={77: HeldTeam("Data", 77)},
        team_grants={(7, 77): HeldTeamGrant(7, 77, "consumer", outputs=why, modified=at)},
        team_members={
            (77, "a"): HeldTeamMember(77, "a", outputs={**why, "status": "member"}, modified=at),
            (77, "b"): HeldTeamMember(77, "b", outputs={"status": "waiting"}),
            (77, "c"): HeldTeamMember(77, "c", outputs={"status": "left_to_scim"}),
            (78, "a"): HeldTeamMember(78, "a", outputs=why, modified=at),
        },
    )
    found = list(lines_of("production", state))
    assert [(one.whom, one.what, one.team, one.team_id) for one in found] == [
        ("a", "member admin", "", None),
        ("a", "analyst in project 7", "", None),
        ("a", "member of team Data", "Data", 77),
        ("a", "member of team 78", "78", 78),
        ("team Data", "consumer in project 7", "Data", 77),
    ]
    assert {(one.date, one.stack, one.event, one.ticket) for one in found} == {(at, "production", "granted", "OPS-1")}
    assert len({one.place for one in found}) == len(found)
    renamed = replace(found[2], team="Date")
    assert renamed.place == found[2].place
    assert renamed.content != found[2].content


NOW = datetime(2026, 5, 6, 12, tzinfo=UTC)
OUT = AuditEvent("", NOW - timedelta(days=1), audit.TEAM_USER_REMOVED, email="a@example.com", source="scim", team=77)
IN_STATE: dict[str, tuple[str | None, list[AuditEvent], list[tuple[str, str]]]] = {
    "as it was": ("member", [], []),
    "left to an identity provider": ("left_to_scim", [], []),
    "and taken out by it": ("left_to_scim", [OUT], [("2026-05-05T12:00:00Z", "scim")]),
    "and somebody else taken out": ("left_to_scim", [replace(OUT, email="b@example.com")], []),
    "gone": (None, [], [("2026-05-06T12:00:00Z", "")]),
}


@pytest.mark.parametrize(("status", "events", "expected"), IN_STATE.values(), ids=IN_STATE.keys())
def test_a_place_is_revoked_when_it_is_gone(
    status: str | None, events: list[AuditEvent], expected: list[tuple[str, str]]
) -> None:
    """And not when an identity provider has come to say who is in the team: then the audit log tells."""
    given = replace(line("a"), project=None, role="", team="Data", team_id=77)
    held = HeldTeamMember(77, "a@example.com", outputs={"status": status})
    state = State({}, {}, team_members={(77, "a@example.com"): held} if status else {})
    found = list(revocations("production", state, {given.place: given}, Audited(events), [], NOW))
    assert [(one.event, one.date, one.admin) for one in found] == [(LogEvent.REVOKED, *words) for words in expected]
    over = replace(given, event=LogEvent.REVOKED)
    for other in (over, replace(given, stack="staging")):
        assert list(revocations("production", state, {other.place: other}, Audited(events), [], NOW)) == []


RUN = {
    "startTime": "2026-05-05T11:59:50Z",
    "endTime": "2026-05-05T12:00:10Z",
    "environment": {"git.author.email": "merger@example.com"},
    "resourceChanges": {"delete": 1},
}
TAKERS = {
    "the stack": (OUT, "merger@example.com"),
    "the stack, and no source": (replace(OUT, source="", service="scim"), "merger@example.com"),
    "an identity provider": (replace(OUT, at=OUT.at - timedelta(hours=1), source="", service="scim"), "scim"),
    "somebody": (replace(OUT, actor="ana@example.com", service="scim"), "ana@example.com"),
}


@pytest.mark.parametrize(("event", "admin"), TAKERS.values(), ids=TAKERS.keys())
def test_who_took_a_place_away_by_scim(event: AuditEvent, admin: str) -> None:
    """The author of the commit for a run of the stack; else whom the audit log has, or that it was SCIM."""
    given = replace(line("a"), project=None, role="", team="Data", team_id=77)
    held = HeldTeamMember(77, "a@example.com", outputs={"status": "left_to_scim"})
    left = State({}, {}, team_members={(77, "a@example.com"): held})
    (kept,) = revocations("production", left, {given.place: given}, Audited([event]), [RUN], NOW)
    assert kept.admin == (event.actor or "scim")  # it was the identity provider's to take
    (gone,) = revocations("production", EMPTY, {given.place: given}, Audited([event]), [RUN], NOW)
    assert gone.admin == admin


def test_a_line_that_is_taken_out_put_in_or_moved_shows() -> None:
    """In the middle and at the front; the end is for version control to keep."""
    first, second, third = log()
    for touched in ([second, third], [first, third], [second, first, third], [first, second, second, third]):
        with pytest.raises(Refused):
            verify(touched, FILE)


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    """A line that is none of its lines is told by its number."""
    file, lines = tmp_path / "tracker.jsonl", log(line("é", justification='a, "b"\nc\u2028d\x85'))
    file.write_text("".join(json.dumps(one.row(), ensure_ascii=False) + "\n" for one in lines))
    assert read(file, LogLine) == lines
    assert read(tmp_path / "none.jsonl", LogLine) == []
    for bad in ("x\n", "[]\n", '{"date": "x"}\n'):
        file.write_text(json.dumps(lines[0].row()) + "\n" + bad)
        with pytest.raises(UsageError, match="line 2 is none of its lines"):
            read(file, LogLine)


_WIDE = ("EQUALS SIGN", "PLUS SIGN", "HYPHEN-MINUS", "COMMERCIAL AT")
MARKS = ("=", "+", "-", "@", "\t", "\r", "\n", " ", *(lookup(f"FULLWIDTH {name}") for name in _WIDE))


@pytest.mark.parametrize("text", [*(f"{mark}1+1" for mark in MARKS), "\t=1", "@SUM(A1)", "=cmd|' /C calc'!A0"])
def test_no_cell_is_taken_for_a_formula(text: str) -> None:
    """In CSV and in the workbook; what is harmless stays as it is."""
    lines = log(line("a", justification=text, ticket="OPS-1"))
    rows = list(csv.DictReader(io.StringIO(exported(lines, LogLine, "csv").decode(), newline="")))
    assert (rows[0]["justification"], rows[0]["ticket"]) == (f"'{text}", "OPS-1")
    sheet = load_workbook(io.BytesIO(exported(lines, LogLine, "xlsx"))).active
    assert sheet is not None
    cells = dict(zip(COLUMNS, sheet[2], strict=True))
    assert cells["justification"].data_type == "s"
    assert str(cells["justification"].value).startswith("'")
    assert (cells["project"].value, cells["email"].value) == (7, "a@example.com")


@given(st.text())
def test_any_text_is_a_cell(text: str) -> None:
    """Controls and halves of characters too, as an answer may have them; never as a formula."""
    lines = log(line("a", justification=text))
    (row,) = csv.DictReader(io.StringIO(exported(lines, LogLine, "csv").decode(), newline=""))
    sheet = load_workbook(io.BytesIO(exported(lines, LogLine, "xlsx"))).active
    assert sheet is not None
    cell = dict(zip(COLUMNS, sheet[2], strict=True))["justification"]
    assert cell.data_type != "f"
    for shown in (row["justification"], str(cell.value or "")):
        assert not shown.startswith(MARKS)


def test_tables_have_every_line() -> None:
    """In Markdown no bar and no line end breaks the table; JSON is the lines themselves."""
    lines = log(line("a", justification="x | y\nz \\ w"), line("b"))
    table = exported(lines, LogLine, "markdown").decode().splitlines()
    assert len(table) == 4
    assert "| x \\| y z \\\\ w |" in table[2]
    assert json.loads(exported(lines, LogLine, "json")) == [one.row() for one in lines]


def test_a_log_whose_last_line_end_is_missing_is_added_to(tmp_path: Path) -> None:
    """As some editors leave it: the new line is one of its own."""
    file = tmp_path / "tracker.jsonl"
    first = append(file, [line("a")], [])
    file.write_text(file.read_text().removesuffix("\n"))
    append(file, [line("b")], read(file, LogLine))
    found = read(file, LogLine)
    verify(found, file)
    assert [one.email for one in found] == ["a@example.com", "b@example.com"]
    assert found[0] == first[0]


def test_two_runs_at_once_do_not_break_the_chain(tmp_path: Path) -> None:
    """The second sees that the log is no longer what it read, and adds nothing."""
    file = tmp_path / "tracker.jsonl"
    before = read(file, LogLine)
    append(file, [line("a")], before)
    with pytest.raises(UsageError, match="it was changed while this ran"):
        append(file, [line("b")], before)
    verify(read(file, LogLine), file)
    assert len(read(file, LogLine)) == 1


def test_half_a_character_is_not_added(tmp_path: Path) -> None:
    """No file can hold it, and there is none then."""
    file = tmp_path / "tracker.jsonl"
    with pytest.raises(UsageError, match=r"cannot write the access log for .*: UTF-8 cannot hold the end of "):
        append(file, [line("a", justification="caf\udce9")], [])
    assert not file.exists()


def test_a_line_nested_beyond_reason_is_none(tmp_path: Path) -> None:
    """It is told as what it is."""
    file = tmp_path / "tracker.jsonl"
    file.write_text("[" * 100_000 + "\n")
    with pytest.raises(UsageError, match="line 1 is none of its lines"):
        read(file, LogLine)
