"""`mixpanel-access tracker`: add to the access log, write it as a table, check it."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import typer

from mixpanel_access.cli.output import counted, instant_of, progress, write_file
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.likeness import unknown
from mixpanel_access.operations.project import open_project
from mixpanel_access.operations.tracker import Line, exported, read, update, verify

_FORMS = ("csv", "xlsx", "markdown", "json")


def add_to_log(folder: Path, file: Path, now: str | None, *, as_json: bool) -> int:
    """Add and print what was added."""
    added = update(open_project(folder, progress), file, instant_of(now) or datetime.now(UTC))
    if as_json:
        typer.echo(json.dumps([asdict(line) for line in added], indent=2))
        return 0
    for line in added:
        what = f"{line.role} in project {line.project}" if line.project else f"member {line.role}".rstrip()
        by = f" by {line.admin}" if line.admin else ""
        typer.echo(f"{line.date} {line.event} {line.email}: {what}, stack {line.stack}{by}")
    typer.echo(f"Added {counted(len(added), 'line')} to {file}.")
    return 0


def export_log(file: Path, form: str, to: Path | None) -> int:
    """Check and write."""
    if form not in _FORMS:
        raise UsageError("cannot use --format", whom=form, why=unknown(form, "format", _FORMS))
    if form == "xlsx" and to is None:
        raise UsageError("cannot print a workbook", whom=form, next_step="Name a file with --to.")
    lines = _lines(file)
    verify(lines, file)
    content = exported(lines, form)
    if to is None:
        typer.echo(content, nl=False)
        return 0
    write_file(to, content, "the table", "Name another file.")
    typer.echo(f"Wrote {counted(len(lines), 'line')} to {to}.")
    return 0


def verify_log(file: Path, *, as_json: bool) -> int:
    """Check and print; a log that was touched is an error with exit code 1."""
    lines = _lines(file)
    verify(lines, file)
    last = lines[-1].hash if lines else None
    if as_json:
        typer.echo(json.dumps({"file": str(file), "lines": len(lines), "last": last}, indent=2))
    else:
        typer.echo(f"{file} has {counted(len(lines), 'line')}, each as it was written; the last is {last or 'none'}.")
    return 0


def _lines(file: Path) -> list[Line]:
    if not file.is_file():
        raise UsageError(
            "cannot find the access log", whom=str(file), next_step="Make it: mixpanel-access tracker update"
        )
    return read(file)
