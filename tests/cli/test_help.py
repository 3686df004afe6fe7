"""`--help`: every command has one that reads to its end."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from mixpanel_access.cli.app import app


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The command and all below it."""
    yield path
    for name in getattr(command, "commands", {}):
        yield from commands(command.get_command(None, name), (*path, name))


ROOT: Any = typer.main.get_command(app)
ALL = list(commands(ROOT))


def at(path: tuple[str, ...]) -> Any:
    """The command at a path."""
    found = ROOT
    for name in path:
        found = found.get_command(None, name)
    return found


LEAVES = [path for path in ALL if not hasattr(at(path), "commands")]
GROUPS = {"Set up", "Give and take access", "See", "Review"}


@cache
def shown_by(path: tuple[str, ...]) -> str:
    """The help of a command, in a terminal of 80 columns."""
    shown = CliRunner().invoke(app, [*path, "--help"], env={"COLUMNS": "80", "TERMINAL_WIDTH": "80"})
    assert shown.exit_code == 0
    return shown.output


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_help_reads_to_its_end(path: tuple[str, ...]) -> None:
    """No summary of a command is cut off, every option says what it does, and it fits a terminal."""
    shown = shown_by(path)
    cut = [line for line in shown.splitlines() if line.endswith("...") and not line.startswith("Usage: ")]
    assert cut == []
    assert max(map(len, shown.splitlines())) <= 80
    lines = shown.partition("Options:")[2].splitlines()
    bare = [line for line, after in zip(lines, [*lines[1:], ""], strict=True) if _bare(line, after)]
    assert bare == []


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_every_help_has_an_example(path: tuple[str, ...]) -> None:
    """One that the command takes, on a line of its own."""
    (example,) = re.findall(r"^  Example: `mixpanel-access (.*)`$", shown_by(path), re.MULTILINE)
    words = shlex.split(example)
    assert words[: len(path)] == list(path)
    at(path).make_context(path[-1], words[len(path) :])


def test_the_commands_are_in_groups() -> None:
    """Each in one, in the help and in the same words as the command's own panel."""
    assert {command.rich_help_panel for command in ROOT.commands.values()} == GROUPS
    shown = shown_by(())
    sections = dict(re.findall(r"^(\w[\w ]*):\n((?:  .*\n)+)", shown, re.MULTILINE))
    assert sections.keys() > GROUPS
    listed = {group: re.findall(r"^  ([\w-]+)  ", sections[group], re.MULTILINE) for group in GROUPS}
    panels = {group: [n for n, one in ROOT.commands.items() if one.rich_help_panel == group] for group in GROUPS}
    assert listed == panels


def test_stack_is_the_same_option_everywhere() -> None:
    """With its short name, and one of the sentences that say which stacks a command takes without it."""
    rules = {"Without it: all stacks of the project", "Without it: the stack that Pulumi has selected"}
    options = {path: one for path in LEAVES for one in at(path).params if "--stack" in one.opts}
    assert [path for path, one in options.items() if "-s" not in one.opts] == []
    silent = [path for path, one in options.items() if not any(rule in one.help for rule in rules)]
    assert silent == [("review", "decide")]  # which needs a stack only to find an item


def _bare(line: str, after: str) -> bool:
    """Whether an option stands there without a word about it, on its line or on the next."""
    return line.startswith("  -") and "  " not in line.strip() and not after.startswith("      ")


def test_there_are_many() -> None:
    """The enumeration finds them."""
    assert {("invite",), ("policy", "explain"), ("tracker", "verify")} <= set(ALL)
