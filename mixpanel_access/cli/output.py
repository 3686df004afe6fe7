"""How commands print: results to standard output, progress to standard error."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from mixpanel_access.model.dates import instant
from mixpanel_access.model.errors import UsageError

if TYPE_CHECKING:
    from rich.table import Table

_WIDE: Final = 10_000


def new_table(*columns: str) -> Table:
    """A table without lines, for `print_table`."""
    from rich.table import Table

    return Table(*columns, box=None, pad_edge=False)


def print_table(table: Table) -> None:
    """Print a table: as wide as the terminal; a file has no edge to wrap at."""
    from rich.console import Console  # a fifth of a second that every command would wait for

    width = None if sys.stdout.isatty() else _WIDE
    console = Console(width=width, markup=False, emoji=False, highlight=False)  # a reason may have [brackets] in it
    console.print(table)


def counted(number: int, thing: str, things: str = "") -> str:
    """`1 member`, `2 members`; `2 people` where the plural is another word."""
    return f"{number} {thing if number == 1 else things or f'{thing}s'}"


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
        return instant(now)
    except ValueError:
        raise UsageError(
            "cannot use --now", whom=now, why="it is no ISO 8601 instant", next_step="Write it as 2026-05-01."
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
        file.write_bytes(content)
    except OSError as error:
        raise UsageError(
            f"cannot write {what}", whom=str(file), why=error.strerror or str(error), next_step=next_step
        ) from None


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
        "stack's program something else than its roster: mend that and run again."
    )
