"""How commands print: results to standard output, progress to standard error."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from unicodedata import category

import typer

from mixpanel_access.files.whole import FileChange, content_of, write_all
from mixpanel_access.model.dates import FIRST_YEAR, LAST_YEAR, instant
from mixpanel_access.model.errors import UsageError

if TYPE_CHECKING:
    from rich.table import Table

_WIDE: Final = 10_000
_OBEYED: Final = frozenset({"Cc", "Cf"})
"""The categories of characters that steer a terminal: controls and formats."""


def new_table(*columns: str) -> Table:
    """A table without lines, for `print_table`; its cells cannot move the cursor or turn the writing round."""
    from rich.table import Table

    class Plain(Table):
        def add_row(self, *cells: Any, **more: Any) -> None:
            super().add_row(*(printable(cell) if isinstance(cell, str) else cell for cell in cells), **more)

    return Plain(*columns, box=None, pad_edge=False)


def print_table(table: Table) -> None:
    """Print a table: as wide as the terminal; a file has no edge to wrap at."""
    from rich.console import Console  # a fifth of a second that every command would wait for

    width = None if sys.stdout.isatty() else _WIDE
    console = Console(width=width, markup=False, emoji=False, highlight=False)  # a reason may have [brackets] in it
    console.print(table)


def printable(text: str) -> str:
    """Text with what a terminal obeys instead of showing (controls, marks of direction) shown as what it is."""
    return "".join(c if c == "\n" or category(c) not in _OBEYED else f"\\x{ord(c):02x}" for c in text)


def day_of(now: str | None) -> date:
    """The day (UTC) of what `--now` says, else of the clock.

    Raises:
        UsageError: it is no instant.
    """
    return (instant_of(now) or datetime.now(UTC)).date()


def instant_of(now: str | None) -> datetime | None:
    """What `--now` says, or None where it is not given.

    Raises:
        UsageError: it is no instant.
    """
    if now is None:
        return None
    try:
        found = instant(now)
        if not FIRST_YEAR <= found.year <= LAST_YEAR:
            raise ValueError(now)
        return found
    except (ValueError, OverflowError):
        raise UsageError(
            "cannot use --now",
            whom=now,
            why=f"it is no ISO 8601 instant of the years {FIRST_YEAR} to {LAST_YEAR}",
            next_step="Write it as 2026-05-01.",
        ) from None


def write_file(file: Path, content: bytes, what: str, next_step: str) -> None:
    """Write a file that somebody named.

    Args:
        file: where.
        content: all of it.
        what: what it is, for the error.
        next_step: what to do when it cannot be written.

    Raises:
        UsageError: it cannot be written.
    """
    try:
        if file.exists() and not file.is_file():  # a pipe or a terminal
            file.write_bytes(content)
        else:
            write_all([FileChange(file, content_of(file, what), content, what)])
    except OSError as error:
        raise UsageError(
            f"cannot write {what}", whom=str(file), why=error.strerror or str(error), next_step=next_step
        ) from None
    except UsageError as error:
        error.next_step = next_step
        raise


def progress(line: str) -> None:
    """Show how far a command is."""
    typer.echo(line, err=True)


def print_changes(changes: Sequence[str]) -> None:
    """What a preview would change, and what to do about it."""
    shown = 20
    for line in changes[:shown]:
        typer.echo(f"  {line}")
    if len(changes) > shown:
        typer.echo(f"  and {len(changes) - shown} more")
    typer.echo(
        "`pulumi up` would do that. If it is not meant, the roster declares something else than Mixpanel has, or the "
        "stack's program something else than its roster: fix that and run again."
    )
