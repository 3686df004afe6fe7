"""Tables of thousands of rows are printed without the layout of a terminal, and look the same."""

from __future__ import annotations

import io
import sys

import pytest
from rich.console import Console
from rich.table import Table

from mixpanel_access.cli.output import new_table, print_table

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
