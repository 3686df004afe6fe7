"""`--help`: every command has one that reads to its end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from mixpanel_access.cli.app import app


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The command and all below it."""
    yield path
    for name, below in getattr(command, "commands", {}).items():
        yield from commands(below, (*path, name))


ALL = list(commands(typer.main.get_command(app)))


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_help_reads_to_its_end(path: tuple[str, ...]) -> None:
    """No summary of a command is cut off, every option says what it does, and it fits a terminal."""
    shown = CliRunner().invoke(app, [*path, "--help"], env={"COLUMNS": "80", "TERMINAL_WIDTH": "80"})
    assert shown.exit_code == 0
    cut = [line for line in shown.output.splitlines() if line.endswith("...") and not line.startswith("Usage: ")]
    assert cut == []
    assert max(map(len, shown.output.splitlines())) <= 80
    lines = shown.output.partition("Options:")[2].splitlines()
    bare = [line for line, after in zip(lines, [*lines[1:], ""], strict=True) if _bare(line, after)]
    assert bare == []


def _bare(line: str, after: str) -> bool:
    """Whether an option stands there without a word about it, on its line or on the next."""
    return line.startswith("  -") and "  " not in line.strip() and not after.startswith("      ")


def test_there_are_many() -> None:
    """The enumeration finds them."""
    assert {("invite",), ("policy", "explain"), ("tracker", "verify")} <= set(ALL)
