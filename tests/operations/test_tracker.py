"""The access log: it is read as it was written, it can be replayed, and its tables hold no formula."""

from __future__ import annotations

import codecs
import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from unicodedata import lookup

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from openpyxl import load_workbook
from openpyxl.utils import get_column_letter

from mixpanel_access.files.lines import append_lines, read_lines
from mixpanel_access.model.errors import UsageError
from mixpanel_access.operations.state import State
from mixpanel_access.operations.tables import exported
from mixpanel_access.operations.tracker.lines import LogEvent, LogLine, state_lines
from mixpanel_access.operations.tracker.replay import differences, replay
from tests.operations.held import (
    held_grant,
    held_member,
    held_team,
    held_team_grant,
    held_team_member,
    state_of_resources,
)
from tests.operations.tracking import problems

COLUMNS = LogLine.columns()


def line(name: str, **more: Any) -> LogLine:
    """A grant in production."""
    given = LogLine(
        date="2026-05-04T12:00:00Z",
        admin="ana@example.com",
        event=LogEvent.GRANTED,
        email=f"{name}@example.com",
        stack="production",
        project=7,
        role="admin",
    )
    return replace(given, **more)


def test_a_state_as_lines() -> None:
    """Members, grants, places in teams and what teams have, with why; who is not put in by the stack has no place."""
    at, why = "2026-05-04T12:00:00Z", {"ticket": "OPS-1"}
    state = state_of_resources(
        {"a": held_member("a", "admin", outputs=why, modified=at)},
        {(7, "a"): held_grant(7, "a", "analyst", outputs=why, modified=at)},
        teams={77: held_team("Data", 77)},
        team_grants={(7, 77): held_team_grant(7, 77, "consumer", outputs=why, modified=at)},
        team_members={
            (77, "a"): held_team_member(77, "a", outputs={**why, "status": "member"}, modified=at),
            (77, "b"): held_team_member(77, "b", outputs={"status": "waiting"}),
            (77, "c"): held_team_member(77, "c", outputs={"status": "left_to_scim"}),
            (78, "a"): held_team_member(78, "a", outputs=why, modified=at),
        },
    )
    found = [one.line for one in state_lines("production", state)]
    assert [(one.label, one.what, one.team, one.team_id) for one in found] == [
        ("a", "organization role admin", "", None),
        ("a", "analyst in project 7", "", None),
        ("a", "member of team Data", "Data", 77),
        ("a", "member of team 78", "78", 78),
        ("team Data", "consumer in project 7", "Data", 77),
    ]
    assert {(one.date, one.stack, one.event, one.ticket) for one in found} == {(at, "production", "granted", "OPS-1")}
    assert len({one.access for one in found}) == len(found)
    assert replace(found[2], team="Date").access == found[2].access


GONE = {"event": LogEvent.REVOKED}
HELD = state_of_resources({}, {(7, "a@example.com"): held_grant(7, "a@example.com", "admin")})
A, ADMIN = "a@example.com", "admin in project 7 or other reasons"
NEW = "new@example.com"
MOVED = line(
    "new", date="2026-05-05T12:00:00Z", event=LogEvent.READDRESSED, stack="", project=None, role="", organization=1,
    email_before=A,
)  # fmt: skip
TO_A = replace(MOVED, email=A, email_before="old@example.com")
BOTH = state_of_resources({}, {(7, one): held_grant(7, one, "admin") for one in (A, NEW)})
LEFT = held_team_member(77, "a@example.com", outputs={"status": "left_to_scim"})
REPLAYED: dict[str, tuple[list[LogLine], State, list[str]]] = {
    "as the state": ([line("a")], HELD, []),
    "given again": ([line("a"), line("a", **GONE), line("a")], HELD, []),
    "changed": ([line("a", role="analyst"), line("a", event=LogEvent.CHANGED)], HELD, []),
    "outside of the stacks": ([line("a"), line("a", stack="", **GONE)], HELD, []),
    "another stack, which is not compared": ([line("a"), line("b", stack="staging")], HELD, []),
    "pruned": (
        [line("", event=LogEvent.PRUNED, email="", stack=""), line("a", event=LogEvent.CHANGED)], HELD, [],
    ),
    "granted twice, as by two branches": (
        [line("a"), line("a")], HELD,
        ["line 2 repeats line 1; run `mixpanel-access tracker merge`"],
    ),
    "granted by an event, and as an earlier version noted it later": (
        [line("a", audit_id="a1"), line("a", date="2026-05-04T12:00:01Z")], HELD, [],
    ),
    "granted twice": (
        [line("a"), line("a", date="2026-05-04T12:00:01Z")], HELD,
        [f"line 2 grants {A} (admin in project 7, stack production), which the log shows as granted already"],
    ),
    "a line taken out": (
        [line("a", event=LogEvent.CHANGED)], HELD,
        [f"line 1 changes {A} (admin in project 7, stack production), which no line before it grants"],
    ),
    "moved": (
        [line("a", **GONE), line("a")], HELD,
        [f"line 1 revokes {A} (admin in project 7, stack production), which no line before it grants"],
    ),
    "another role": (
        [line("a", role="analyst")], HELD,
        [f"the log shows {A} (analyst in project 7, stack production), and the stack's state has {ADMIN}"],
    ),
    "the end cut off": (
        [], HELD,
        [f"the stack's state has {A} (admin in project 7, stack production), and the log does not show it"],
    ),
    "one too many": (
        [line("a"), line("b")], HELD,
        ["the log shows b@example.com (admin in project 7, stack production), and the stack's state does not"],
    ),
    "an address that the roster still has": ([line("a"), MOVED], HELD, []),
    "an address that the state has no longer": ([line("a", email="old@example.com"), TO_A], HELD, []),
    "an address that is somebody else's now": (
        [line("a"), MOVED, line("a", date="2026-05-06T12:00:00Z", stack="", event=LogEvent.FOUND)], HELD, [],
    ),
    "somebody else's address, which the state has newly": (
        [line("a"), MOVED], BOTH,
        [f"the stack's state has {A} (admin in project 7, stack production), and the log does not show it"],
    ),
    "taken over by an identity provider": (
        [line("a", project=None, role="", team="Data", team_id=77)],
        state_of_resources({}, {}, team_members={(77, "a@example.com"): LEFT}),
        [],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("lines", "state", "expected"), REPLAYED.values(), ids=REPLAYED.keys())
def test_a_log_is_replayed_against_the_states(lines: list[LogLine], state: State, expected: list[str]) -> None:
    """Each line follows from those before it, and all of them add up to what the state holds."""
    assert problems(lines, {"production": state}) == expected


STILL = f"the stack's state still has {A} (admin in project 7, stack production), which was"
OF_HAND: dict[str, tuple[list[LogLine], list[str]]] = {
    "nothing": ([line("a")], []),
    "taken away": (
        [line("a"), line("a", date="2026-05-05T12:00:00Z", stack="", **GONE)],
        [f"{STILL} taken away by hand on 2026-05-05T12:00:00Z"],
    ),
    "changed": (
        [line("a"), line("a", role="analyst", event=LogEvent.CHANGED)],
        [f"{STILL} changed by hand to analyst"],
    ),
    "taken away, and given again with another role": (
        [
            line("a"),
            line("a", date="2026-05-05T12:00:00Z", stack="", **GONE),
            line("a", date="2026-05-06T12:00:00Z", role="analyst", event=LogEvent.RESTORED),
        ],
        [f"{STILL} changed by hand to analyst"],
    ),
    "taken away from somebody whose address the roster still has": (
        [line("a"), MOVED, line("a", date="2026-05-06T12:00:00Z", email=NEW, stack="", **GONE)],
        [f"{STILL} taken away by hand on 2026-05-06T12:00:00Z"],
    ),
    "changed and put back": (
        [line("a"), line("a", role="analyst", event=LogEvent.CHANGED), line("a", event=LogEvent.RESTORED)],
        [],
    ),
}


@pytest.mark.parametrize(("lines", "expected"), OF_HAND.values(), ids=OF_HAND.keys())
def test_a_change_by_hand_that_a_state_does_not_have_yet_is_said_and_is_no_problem(
    lines: list[LogLine], expected: list[str]
) -> None:
    """Until a refresh."""
    states = {"production": HELD}
    assert [(one.text, one.by_hand) for one in differences(replay(lines), states)] == [
        (text, True) for text in expected
    ]
    assert problems(lines, states) == []


def test_a_log_of_0_1_0_is_read_lines(tmp_path: Path) -> None:
    """Its hashes are ignored, and what is added has none."""
    file, old = tmp_path / "tracker.jsonl", line("a")
    file.write_text(json.dumps({**old.row(), "previous": "0" * 64, "hash": "f" * 64}) + "\n")
    lines = read_lines(file, LogLine)
    assert lines == [old]
    append_lines(file, [line("b")], lines)
    assert read_lines(file, LogLine) == [old, line("b")]
    assert json.loads(file.read_text().splitlines()[1]) == line("b").row()


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    """A line that is none of its lines is told by its number."""
    file, lines = tmp_path / "tracker.jsonl", [line("é", justification='a, "b"\nc\u2028d\x85')]
    file.write_text("".join(json.dumps(one.row(), ensure_ascii=False) + "\n" for one in lines))
    assert read_lines(file, LogLine) == lines
    assert read_lines(tmp_path / "none.jsonl", LogLine) == []
    for bad in ("x\n", "[]\n", '{"date": "x"}\n'):
        file.write_text(json.dumps(lines[0].row()) + "\n" + bad)
        with pytest.raises(UsageError, match="line 2 is none of its lines"):
            read_lines(file, LogLine)


_WIDE = ("EQUALS SIGN", "PLUS SIGN", "HYPHEN-MINUS", "COMMERCIAL AT")
MARKS = ("=", "+", "-", "@", "\t", "\r", "\n", " ", *(lookup(f"FULLWIDTH {name}") for name in _WIDE))


def csv_rows(lines: list[LogLine]) -> list[dict[str, str]]:
    """A CSV as a spreadsheet reads it: in the encoding that its first bytes name."""
    content = exported(lines, LogLine, "csv")
    assert content.startswith(codecs.BOM_UTF8)
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize(
    "text", [*(f"{mark}1+1" for mark in MARKS), "@SUM(A1)", "=cmd|' /C calc'!A0", "#N/A", "é; a = 1"]
)
def test_no_cell_is_taken_for_a_formula(text: str) -> None:
    """CSV marks it as a text; the workbook has the text itself, without a mark; what is harmless stays as it is."""
    lines = [line("a", justification=text, ticket="OPS-1")]
    (row,) = csv_rows(lines)
    marked = f"'{text}" if text.startswith(MARKS) else text
    assert (row["justification"], row["ticket"]) == (marked, "OPS-1")
    sheet = load_workbook(io.BytesIO(exported(lines, LogLine, "xlsx"))).active
    assert sheet is not None
    cells = dict(zip(COLUMNS, sheet[2], strict=True))
    assert (cells["justification"].data_type, cells["justification"].value) == ("s", text.replace("\r", "\n"))
    assert (cells["project"].value, cells["email"].value) == (7, "a@example.com")


@pytest.mark.parametrize("before", [";", "\t", '; "', "a;", "a\n", 'a";\t ', ";;"])
def test_no_part_of_a_cell_is_taken_for_a_formula(before: str) -> None:
    """Where a spreadsheet takes a semicolon, a tab or a line end for the end of a cell."""
    (row,) = csv_rows([line("a", justification=f"{before}=1+1")])
    assert row["justification"].endswith("'=1+1")


@given(st.text())
def test_any_text_is_a_cell(text: str) -> None:
    """Controls and halves of characters too, as an answer may have them; never as a formula."""
    lines = [line("a", justification=text)]
    (row,) = csv_rows(lines)
    sheet = load_workbook(io.BytesIO(exported(lines, LogLine, "xlsx"))).active
    assert sheet is not None
    cell = dict(zip(COLUMNS, sheet[2], strict=True))["justification"]
    assert cell.data_type not in ("f", "e")
    assert not row["justification"].startswith(MARKS)


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("x" * 32_767, True),
        ("=" + "x" * 32_766, True),
        ("x" * 32_768, False),
        ("x" * 40_000, False),
        ("x" + "\U0001f600" * 16_383, True),
        ("x" + "\U0001f600" * 16_384, False),
        ("\U0001f600" * 20_000, False),
    ],
)
def test_a_text_that_a_cell_has_no_room_for_says_that_it_is_cut_off(text: str, fits: bool) -> None:
    """In the workbook, where many signs count twice; in CSV it is whole."""
    lines = [line("a", justification=text)]
    sheet = load_workbook(io.BytesIO(exported(lines, LogLine, "xlsx"))).active
    assert sheet is not None
    shown = str(dict(zip(COLUMNS, sheet[2], strict=True))["justification"].value)
    assert len(shown.encode("utf-16-le")) // 2 in (32_767, 32_766)
    assert (shown == text, shown.endswith("[cut off: a cell has no room for more; CSV and JSON have all of it]")) == (
        (True, False) if fits else (False, True)
    )
    assert text in csv_rows(lines)[0]["justification"]


def test_a_sheet_shows_its_columns_and_can_be_filtered() -> None:
    """A column is as wide as what is in it, up to a limit; the filter is of all rows."""
    lines = [line("a", justification="x" * 500), line("b")]
    sheet = load_workbook(io.BytesIO(exported(lines, LogLine, "xlsx"))).active
    assert sheet is not None
    letters = [get_column_letter(COLUMNS.index(name) + 1) for name in ("email", "justification")]
    assert tuple(sheet.column_dimensions[letter].width for letter in letters) == (len("a@example.com") + 3, 60)
    assert sheet.auto_filter.ref == sheet.dimensions


def test_tables_have_every_line() -> None:
    """In Markdown nothing breaks the table, and nothing is HTML or a link; JSON is the lines themselves."""
    lines = [
        line("a", justification="x | y\nz \\ w", ticket="<img src=x> & ![a](b)"),
        line("b"),
    ]
    table = exported(lines, LogLine, "markdown").decode().splitlines()
    assert len(table) == 4
    assert "| x \\| y z \\\\ w |" in table[2]
    html = MarkdownIt("commonmark").enable("table").render("\n".join(table))
    assert "<td>&lt;img src=x&gt; &amp; ![a](b)</td>" in html
    assert json.loads(exported(lines, LogLine, "json")) == [one.row() for one in lines]


def test_a_log_whose_last_line_end_is_missing_is_added_to(tmp_path: Path) -> None:
    """As some editors leave it: the new line is one of its own."""
    file = tmp_path / "tracker.jsonl"
    append_lines(file, [line("a")], [])
    file.write_text(file.read_text().removesuffix("\n"))
    append_lines(file, [line("b")], read_lines(file, LogLine))
    assert read_lines(file, LogLine) == [line("a"), line("b")]


def test_two_runs_at_once_do_not_add_the_same(tmp_path: Path) -> None:
    """The second sees that the log is no longer what it read, and adds nothing."""
    file = tmp_path / "tracker.jsonl"
    before = read_lines(file, LogLine)
    append_lines(file, [line("a")], before)
    with pytest.raises(UsageError, match="it was changed while this ran"):
        append_lines(file, [line("b")], before)
    assert len(read_lines(file, LogLine)) == 1


def test_half_a_character_is_not_added(tmp_path: Path) -> None:
    """No file can hold it, and there is none then."""
    file = tmp_path / "tracker.jsonl"
    with pytest.raises(UsageError, match=r"cannot write the access log for .*: UTF-8 cannot hold the end of "):
        append_lines(file, [line("a", justification="caf\udce9")], [])
    assert not file.exists()


def test_a_line_nested_beyond_reason_is_none(tmp_path: Path) -> None:
    """It is told as what it is."""
    file = tmp_path / "tracker.jsonl"
    file.write_text("[" * 100_000 + "\n")
    with pytest.raises(UsageError, match="line 1 is none of its lines"):
        read_lines(file, LogLine)


BY_HAND: dict[str, dict[str, object]] = {
    "an address that is none": {"email": None},
    "a number in place of a text": {"role": 5},
    "a text in place of a number": {"project": "1234567"},
    "a list": {"team_id": []},
    "true": {"project": True},
    "a number that no sheet holds": {"project": 10**30},
    "a day that does not exist": {"date": "2026-13-45"},
    "an event that does not exist": {"event": "teleported"},
    "half a character": {"ticket": "\ud800"},
}


@pytest.mark.parametrize("edit", BY_HAND.values(), ids=BY_HAND.keys())
def test_a_line_that_was_edited_into_none_is_refused_with_its_number(tmp_path: Path, edit: dict[str, object]) -> None:
    """No command fails later on a value that it cannot use."""
    file = tmp_path / "tracker.jsonl"
    rows = [line("a").row(), line("b").row() | edit]
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    with pytest.raises(UsageError, match="line 2 is none of its lines"):
        read_lines(file, LogLine)
