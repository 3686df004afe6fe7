"""`mixpanel-access tracker`: add to the access log, export it, check it, take old lines out, and merge two logs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypedDict

import typer

from mixpanel_access.cli.options import FORMATS, AsJson, AsJsonFormat, Folder, Format, Now, Stacks, To
from mixpanel_access.cli.output import (
    day_of_option,
    instant_of,
    must_be_format,
    print_json,
    print_or_write,
    print_verified,
    progress,
    record_of,
)
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.similarity import counted, in_words

if TYPE_CHECKING:
    from mixpanel_access.operations.tracker.lines import LogLine
    from mixpanel_access.operations.tracker.pruning import Pruned

NAME: Final = "tracker.jsonl"
"""The log, in the project's folder, unless another is named."""
_MOST_FOUND: Final = 20
"""How many lines of found access `update` prints; the first one finds everybody."""
LogFile = Annotated[Path | None, typer.Option("--file", help="The log. Default: tracker.jsonl of the project.")]


class PruneDocument(TypedDict):
    """What `tracker prune` prints as JSON."""

    done: Annotated[bool, "whether the log was written"]
    lines: Annotated[Sequence[LogLine], "the lines that are removed"]
    people: Annotated[Sequence[str], "the people that the log no longer names"]


class MergeDocument(TypedDict):
    """What `tracker merge` prints as JSON."""

    lines: Annotated[Sequence[LogLine], "the lines of the merged log"]
    added: Annotated[Sequence[LogLine], "those that the log, or the first side of its conflict markers, did not have"]
    repeated: Annotated[Sequence[LogLine], "the lines that say what another line says, and are left out"]


def update(
    file: LogFile = None,
    stack: Stacks = None,
    now: Now = None,
    cwd: Folder = Path(),
    as_json: AsJson = False,
) -> int:
    """Add to the log what has happened since the last time, in the stacks and outside of them.

    Example: `mixpanel-access tracker update`
    """
    from mixpanel_access.operations.project import open_project, stacks_of
    from mixpanel_access.operations.tracker import update as log

    project = open_project(cwd, progress)
    file = file or default_log(project.pulumi.project)
    names = stacks_of(project, stack or [])
    at = instant_of(now) or project.settings(names[0]).clock()
    added = log.update(project, file, names, at, progress)
    if as_json:
        print_json(added)
        return 0
    events = [line for line in added if line.event != "found"]
    found = len(added) - len(events)
    shown = added if found <= _MOST_FOUND else events
    for line in shown:
        typer.echo(_shown(line))
    typer.echo(f"Added {counted(len(added), 'line')} to {file}.")
    if len(shown) < len(added):
        typer.echo(f"{found} of them are `found`: access that no stack has and no event explains.")
    return 0


def _shown(line: LogLine) -> str:
    """One line; another address is the person's own, in no stack, and no event says whose change it was."""
    from mixpanel_access.operations.tracker.lines import LogEvent

    where = f", stack {line.stack}" if line.stack else ", outside of the stacks"
    by = f" by {line.admin}" if line.admin else ""
    tail = "" if line.event == LogEvent.READDRESSED else where + by
    return f"{line.date} {line.event} {line.label}: {line.what}{tail}"


def export(
    file: LogFile = None,
    format_: Format = "csv",
    to: To = None,
    cwd: Folder = Path(),
    as_json: AsJsonFormat = False,
) -> int:
    """Write the log as a table.

    Example: `mixpanel-access tracker export --format xlsx --to access-log.xlsx`
    """
    from mixpanel_access.files.lines import read_lines
    from mixpanel_access.operations.tracker.lines import LogLine

    format_ = "json" if as_json else format_
    must_be_format(format_, to, FORMATS)
    file = existing_log(file, cwd)
    print_or_write(read_lines(file, LogLine, progress), LogLine, format_, to)
    return 0


def verify(file: LogFile = None, stack: Stacks = None, cwd: Folder = Path(), as_json: AsJson = False) -> int:
    """Replay the log, and compare what it adds up to with the stacks' states; exit 1 when they differ.

    Example: `mixpanel-access tracker verify`
    """
    from mixpanel_access.operations.project import open_project, stacks_of
    from mixpanel_access.operations.tracker import update as log

    file = existing_log(file, cwd)
    project = open_project(cwd, progress)
    names = stacks_of(project, stack or [])
    found = log.verify(project, file, names)
    good = f"they add up to the state{'s' if len(names) > 1 else ''} of {in_words(names)}"
    if found.by_hand:
        changes = f"{counted(len(found.by_hand), 'change')} by hand"
        good += f", except for {changes}. `pulumi up --refresh` makes the access as the roster says"
    next_step = (
        "`mixpanel-access tracker update` adds what has happened since the last time, and "
        f"`git log -p -- {file}` shows who changed a line"
    )
    return print_verified(found, file, good, next_step, as_json=as_json)


def prune(
    before: Annotated[str, typer.Option(help="The first day whose lines all stay (YYYY-MM-DD, UTC).")],
    yes: Annotated[bool, typer.Option("--yes", help="Write the log. Without it: show what would change.")] = False,
    file: LogFile = None,
    now: Now = None,
    cwd: Folder = Path(),
    as_json: AsJson = False,
) -> int:
    """Remove from the log what had ended before a day, and list the people that it no longer names.

    From that day on, the log shows who had access to what, as before.

    Example: `mixpanel-access tracker prune --before 2026-01-01`
    """
    from mixpanel_access.operations.tracker import pruning as log

    first = day_of_option("--before", before)
    file = existing_log(file, cwd)
    pruned = log.prune(file, first, instant_of(now) or datetime.now(UTC), progress, act=yes)
    if as_json:
        print_json(record_of(PruneDocument, pruned, done=yes))
    elif not pruned.lines:
        typer.echo(f"Nothing in {file} had ended before {first}.")
    else:
        _print_pruned(pruned, file, done=yes)
    return 0


def _print_pruned(pruned: Pruned, file: Path, *, done: bool) -> None:
    removed = "removed" if done else "would be removed"
    typer.echo(
        f"{counted(len(pruned.lines), 'line')} of {file} {removed}; it keeps {counted(len(pruned.kept), 'line')}."
    )
    if pruned.people:
        typer.echo(
            f"{'The log no longer names' if done else 'The log would no longer name'}: {', '.join(pruned.people)}"
        )
    if not done:
        typer.echo("Nothing was changed. Add --yes to write the log.")


def merge(
    other: Annotated[list[Path] | None, typer.Argument(help="Other logs, such as that of another branch.")] = None,
    file: LogFile = None,
    cwd: Folder = Path(),
    as_json: AsJson = False,
) -> int:
    """Write the union of the log and other logs, or of both sides of git's conflict markers in the log.

    The same fact stays once, the lines are in the order of time, and lines that contradict each other are an error.

    Example: `mixpanel-access tracker merge`
    """
    from mixpanel_access.operations.tracker import merging

    file = existing_log(file, cwd, *(other or []))
    found = merging.merge(file, other or [])
    if as_json:
        print_json(record_of(MergeDocument, found))
        return 0
    lines, repeated = counted(len(found.lines), "line"), ""
    if found.repeated:
        repeated = f", {len(found.repeated)} left out, as another line says the same"
    if found.had_conflict:
        typer.echo(f"Resolved git's conflict in {file}: {lines}, {len(found.added)} from the other side{repeated}.")
        typer.echo(f"Commit it: git add {file}")
    else:
        added = f"{len(found.added)} added" if found.added or repeated else "nothing to merge"
        typer.echo(f"{file} has {lines}: {added}{repeated}.")
    return 0


def existing_log(file: Path | None, cwd: Path, *others: Path) -> Path:
    """The log that is named, or else the project's; others must exist too.

    Raises:
        UsageError: one does not exist.
    """
    from mixpanel_access.operations.project import project_folder

    file = file or default_log(project_folder(cwd))
    for log in (file, *others):
        if not log.is_file():
            raise UsageError(
                "cannot find the access log", subject=str(log), next_step="Create it: mixpanel-access tracker update"
            )
    return file


def default_log(project: Path) -> Path:
    """The project's log, as one would name it from the current folder."""
    file = project / NAME
    return file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file
