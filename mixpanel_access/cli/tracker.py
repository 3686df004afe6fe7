"""`mixpanel-access tracker`: add to the access log, write it as a table, check it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import typer

from mixpanel_access.cli.output import instant_of, progress
from mixpanel_access.cli.tables import must_be_form, print_or_write, print_verified
from mixpanel_access.model.dates import day
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.words import counted
from mixpanel_access.operations.chain import Say, read, verify
from mixpanel_access.operations.project import open_project, project_folder, stacks_of
from mixpanel_access.operations.pruning import prune
from mixpanel_access.operations.tracker import update
from mixpanel_access.operations.tracker_lines import LogLine

NAME: Final = "tracker.jsonl"
"""The log, in the project's folder, unless another is named."""


def add_to_log(folder: Path, file: Path | None, stacks: list[str], now: str | None, *, as_json: bool) -> int:
    """Add and print what was added."""
    project = open_project(folder, progress)
    file = file or _default(project.pulumi.project)
    names = stacks_of(project, stacks)
    at = instant_of(now) or project.settings(names[0]).clock()
    added = update(project, file, names, at, progress)
    if as_json:
        typer.echo(json.dumps([line.row() for line in added], indent=2))
        return 0
    for line in added:
        where = f"stack {line.stack}" if line.stack else "outside of the stacks"
        by = f" by {line.admin}" if line.admin else ""
        typer.echo(f"{line.date} {line.event} {line.whom}: {line.what}, {where}{by}")
    typer.echo(f"Added {counted(len(added), 'line')} to {file}.")
    return 0


def export_log(folder: Path, file: Path | None, form: str, to: Path | None) -> int:
    """Check and write."""
    must_be_form(form, to)
    file = file or _default(project_folder(folder))
    lines = _lines(file, progress)
    verify(lines, file)
    print_or_write(lines, LogLine, form, to)
    return 0


def verify_log(folder: Path, file: Path | None, *, as_json: bool) -> int:
    """Check and print; 1 where the last line was cut. A log that was touched is an error with exit code 1 too."""
    file = file or _default(project_folder(folder))
    cut: list[str] = []
    lines = _lines(file, cut.append)
    verify(lines, file)
    print_verified(lines, file, cut, as_json=as_json)
    return 1 if cut else 0


def prune_log(folder: Path, file: Path | None, before: str, now: str | None, *, yes: bool, as_json: bool) -> int:
    """Take out and print; 0."""
    try:
        first = day(before)
    except ValueError:
        raise UsageError(
            "cannot use --before", whom=before, why="it is not a date", next_step="Write it as 2026-05-01."
        ) from None
    file = file or _default(project_folder(folder))
    _must_be_there(file)
    pruned = prune(file, first, instant_of(now) or datetime.now(UTC), progress, act=yes)
    if as_json:
        rows = [line.row() for line in pruned.lines]
        typer.echo(
            json.dumps({"done": yes, "lines": rows, "people": pruned.people, "hash": pruned.last_hash}, indent=2)
        )
        return 0
    if not pruned.lines:
        typer.echo(f"Nothing in {file} had ended before {first}.")
        return 0
    removed = "removed" if yes else "would be removed"
    typer.echo(
        f"{counted(len(pruned.lines), 'line')} of {file} {removed}; it keeps {counted(len(pruned.kept), 'line')}."
    )
    if pruned.people:
        typer.echo(
            f"{'The log no longer names' if yes else 'The log would no longer name'}: {', '.join(pruned.people)}"
        )
    typer.echo(f"The log {'ended' if yes else 'ends'} with the hash {pruned.last_hash}.")
    if not yes:
        typer.echo("Nothing was changed; run it with --yes to write the log.")
    return 0


def _lines(file: Path, say: Say) -> list[LogLine]:
    _must_be_there(file)
    return read(file, LogLine, say)


def _must_be_there(file: Path) -> None:
    if not file.is_file():
        raise UsageError(
            "cannot find the access log", whom=str(file), next_step="Make it: mixpanel-access tracker update"
        )


def _default(project: Path) -> Path:
    """The project's log, as one would name it from where one is."""
    file = project / NAME
    return file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file
