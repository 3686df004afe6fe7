"""Lines as a table, printed or written: what the commands that export have in common."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import typer

from mixpanel_access.cli.output import progress, write_file
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.similarity import unknown
from mixpanel_access.model.words import counted
from mixpanel_access.operations.chain import Link
from mixpanel_access.operations.tables import FORMS, exported


def must_be_form(form: str, to: Path | None) -> None:
    """Hold a form that is none, or that cannot be printed.

    Raises:
        UsageError: it is one of these.
    """
    if form not in FORMS:
        raise UsageError("cannot use --format", whom=form, why=unknown(form, "format", FORMS))
    if form == "xlsx" and to is None:
        raise UsageError("cannot print a workbook", whom=form, next_step="Name a file with --to.")


def print_or_write(lines: Sequence[Link], kind: type[Link], form: str, to: Path | None) -> None:
    """Print the table, or write it to a file and say so.

    Raises:
        UsageError: it cannot be written.
    """
    content = exported(lines, kind, form)
    if to is None:
        typer.echo(content, nl=False)
        return
    write_file(to, content, "the table", "Name another file.")
    typer.echo(f"Wrote {counted(len(lines), 'line')} to {to}.")


def print_verified(lines: Sequence[Link], file: Path, cut: Sequence[str], *, as_json: bool) -> None:
    """Print that a file's lines are as they were written, and the hash of the last, which is for others to keep.

    Args:
        lines: the lines.
        file: the file.
        cut: what is said of a last line that was cut; nothing for a file that is whole.
        as_json: whether it is for a program.
    """
    for line in cut:
        progress(line)
    last = lines[-1].hash if lines else None
    if as_json:
        typer.echo(json.dumps({"file": str(file), "lines": len(lines), "last": last, "cut": bool(cut)}, indent=2))
    else:
        typer.echo(f"{file} has {counted(len(lines), 'line')}, each as it was written; the last is {last or 'none'}.")
