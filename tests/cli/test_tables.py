"""Tables of thousands of rows are printed without the layout of a terminal, and look the same."""

from __future__ import annotations

import io
import sys
from datetime import date
from typing import Any

import pytest
from rich.console import Console
from rich.table import Table

from mixpanel_access.cli.output import new_table, print_table
from mixpanel_access.cli.revoke import WithinStack, _print_within
from mixpanel_access.cli.tracker import _shown
from mixpanel_access.operations.pending.change import PendingChange, PendingEvent
from mixpanel_access.operations.tracker.lines import LogLine

ROWS: dict[str, list[list[str]]] = {
    "nothing": [],
    "plain": [["bo@example.com", "analyst", "shop"], ["x", "", "y"]],
    "cells left out": [["bo@example.com"], []],
    "lines in a cell": [["a\nbb\n\nccc", "x", "one\ntwo"], ["z", "", ""]],
    "wide letters": [["日本", "Itō", "x"], ["ab", "é", "日"]],
    "brackets and blanks": [["[bold]a[/bold]", "  b  ", ":smile:"]],
}


@pytest.mark.parametrize("rows", ROWS.values(), ids=ROWS.keys())
def test_a_table_in_a_file_looks_as_on_a_wide_terminal(rows: list[list[str]]) -> None:
    """Column by column."""
    columns = ("who", "role", "what")
    ours, theirs = new_table(*columns), Table(*columns, box=None, pad_edge=False)
    for row in rows:
        ours.add_row(*row)
        theirs.add_row(*row)
    wide = io.StringIO()
    Console(file=wide, width=1000, markup=False, emoji=False, highlight=False).print(theirs)
    assert f"{ours.text()}\n" == wide.getvalue()


def test_a_narrow_terminal_cuts_nothing_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long address continues on the next line, so that it can be copied."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("COLUMNS", "24")
    shown = Terminal()
    monkeypatch.setattr(sys, "stdout", shown)
    table = new_table("who", "role")
    table.add_row("somebody.with.a.long.name@example.com", "analyst")
    print_table(table)
    lines = shown.getvalue().splitlines()[1:]
    assert "".join(line.split("  ")[0].strip() for line in lines) == "somebody.with.a.long.name@example.com"


def test_control_characters_are_spelled_out() -> None:
    """A terminal does not obey them."""
    table = new_table("who")
    table.add_row("a\x1b[31mb\u202ec")
    assert "\\x1b[31m" in table.text()
    assert "\u202e" not in table.text()


def test_what_ends_soon_fits_on_a_page(capsys: pytest.CaptureFixture[str]) -> None:
    """In a file too: the next step and each role have a line of their own."""
    roles = {f"project-{number}": "analyst" for number in range(4)}
    change = PendingChange(
        event=PendingEvent.ENDS, on=date(2026, 7, 1), days=3, email="robin@agency.example.org", membership=True,
        projects=roles, teams=["reviewers"],
    )  # fmt: skip
    stack = WithinStack(stack="production", today=date(2026, 6, 28), changes=[change], held=[], problems=[])
    _print_within([stack], 14)
    table = capsys.readouterr().out.partition("\n\n")[0].splitlines()
    assert max(map(len, table)) <= 130
    assert [line.strip().partition("  ")[0] for line in table[1:3]] == [
        "in 2 days",
        "extend `ends` in the roster, or let it end",
    ]
    expected = [*(f"analyst in {key}" for key in roles), "the team reviewers"]
    assert [words for line, words in zip(table[1:], expected, strict=True) if not line.rstrip().endswith(words)] == []


def test_another_address_is_not_said_to_be_somebodys_change() -> None:
    """A line of the access log on anything else names the stack, and who did it."""
    common: dict[str, Any] = {
        "date": "2026-06-01T00:00:00Z", "admin": "unknown", "email": "bo@example.com", "stack": "", "project": None,
        "role": "",
    }  # fmt: skip
    readdressed = LogLine(**common, event="readdressed", email_before="robert@example.com")
    assert _shown(readdressed) == "2026-06-01T00:00:00Z readdressed bo@example.com: before: robert@example.com"
    revoked = LogLine(**common, event="revoked")
    assert _shown(revoked) == "2026-06-01T00:00:00Z revoked bo@example.com: member, outside of the stacks by unknown"
