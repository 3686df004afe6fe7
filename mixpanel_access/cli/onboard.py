"""`mixpanel-access onboard`: show the checklist of a new person, and tick tasks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypedDict

import typer

from mixpanel_access.cli.options import AsJson, Folder, Now, Stacks, addresses, read_overview
from mixpanel_access.cli.output import (
    must_be_address,
    new_table,
    print_json,
    print_table,
    progress,
    record_of,
)
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.similarity import counted

if TYPE_CHECKING:
    from mixpanel_access.files.onboarding import AutomaticCheck, Checklists, Ticks
    from mixpanel_access.operations.onboarding import Onboarding
    from mixpanel_access.operations.overview import Overview


class ChecklistTick(TypedDict):
    """When a task was done."""

    at: Annotated[str | None, "the instant, or null if Mixpanel shows that it is done"]
    by: Annotated[str | None, "the address of the person who ticked it, or null if Mixpanel shows that it is done"]


class ChecklistTask(TypedDict):
    """A task of a checklist."""

    key: Annotated[str, "the task's key"]
    text: Annotated[str, "what to do"]
    check: Annotated[AutomaticCheck | None, "what ticks it without a person"]
    done: Annotated[ChecklistTick | None, "when it was done"]


class ChecklistDocument(TypedDict):
    """What `onboard` prints as JSON: one of a person, or a list of everybody."""

    email: Annotated[str, "the address of the person"]
    tracks: Annotated[Sequence[str], "the tracks of the checklist"]
    left: Annotated[int, "how many tasks are open"]
    tasks: Annotated[Sequence[ChecklistTask], "all tasks"]


def onboard(
    email: Annotated[
        str, typer.Argument(help="The person's address. Default: everybody, a line each.", autocompletion=addresses)
    ] = "",
    done: Annotated[list[str] | None, typer.Option(help="Tick the task of this key; repeatable.")] = None,
    undo: Annotated[list[str] | None, typer.Option(help="Open the task of this key again; repeatable.")] = None,
    by: Annotated[str, typer.Option(help="The address of the person who ticks.", autocompletion=addresses)] = "",
    file: Annotated[
        Path | None, typer.Option(help="The file that keeps the ticks. Default: onboarding.json of the project.")
    ] = None,
    stack: Stacks = None,
    now: Now = None,
    cwd: Folder = Path(),
    as_json: AsJson = False,
) -> int:
    """Show the checklist of a new person, ticked from what Mixpanel shows and by hand; exit 1 for an open task.

    Example: `mixpanel-access onboard robin@agency.example.org --done unmanaged`
    """
    from mixpanel_access.files.onboarding import read_checklists, read_ticks, write_ticks
    from mixpanel_access.operations.onboarding import onboarding, ticked
    from mixpanel_access.operations.project import open_project

    if (done or undo) and not email:
        raise UsageError("cannot tick", why="nobody is named", next_step="Name the person: onboard EMAIL --done KEY")
    must_be_address(by or None, "cannot use --by")
    project = open_project(cwd, progress)
    checklists = read_checklists(project.pulumi.project / "templates")
    file = file or project.pulumi.project / "onboarding.json"
    before, ticks = read_ticks(file)
    with read_overview(project, stack, now) as overview:
        if warning := overview.logins.warning:
            progress(warning)
        if not email:
            return _everybody(overview, checklists, ticks, as_json=as_json)
        one = onboarding(overview.anybody(email), overview, checklists, ticks)
        if done or undo:
            after = ticked(one, ticks, done or [], undo or [], by, overview.now)
            write_ticks(file, before, after)
            one = onboarding(overview.anybody(email), overview, checklists, after)
    if as_json:
        print_json(_row(one))
    else:
        _print(one)
    return 1 if one.left else 0


def _everybody(overview: Overview, checklists: Checklists, ticks: Ticks, *, as_json: bool) -> int:
    """Print a line for everybody who has access by a roster today."""
    from mixpanel_access.operations.onboarding import onboarding

    found = []
    for someone in overview.people:
        if someone.effective:
            try:
                found.append(onboarding(someone, overview, checklists, ticks))
            except UsageError as error:
                progress(str(error))  # their track has no checklist; the others' have
    left = sum(1 for one in found if one.left)
    if as_json:
        print_json([_row(one) for one in found])
        return 1 if left else 0
    table = new_table("who", "track", "done", "next")
    for one in found:
        following = one.left[0] if one.left else None
        ready = f"{len(one.steps) - len(one.left)} of {len(one.steps)}"
        table.add_row(one.email, _tracks(one), ready, f"{following.key}: {following.text}" if following else "")
    if found:
        print_table(table)
    typer.echo(f"\n{left} of {counted(len(found), 'person', 'people')} with something to do.")
    return 1 if left else 0


def _print(one: Onboarding) -> None:
    table = new_table("", "task", "what", "done")
    for step in one.steps:
        when = f"{step.tick.at[:10]}{f' by {step.tick.by}' if step.tick.by else ''}" if step.tick else ""
        table.add_row("x" if step.done else "-", step.key, step.text, when)
    print_table(table)
    typer.echo(f"\n{one.email}, {_tracks(one)}: {counted(len(one.left), 'task')} of {len(one.steps)} to do.")
    if by_hand := [step.key for step in one.left if step.check is None]:
        typer.echo(f"Tick one with: mixpanel-access onboard {one.email} --done {by_hand[0]}")


def _tracks(one: Onboarding) -> str:
    return " and ".join(track.replace("_", " ") for track in one.tracks)


def _row(one: Onboarding) -> ChecklistDocument:
    tasks = [
        record_of(ChecklistTask, step, done=record_of(ChecklistTick, step.tick) if step.done else None)
        for step in one.steps
    ]
    return record_of(ChecklistDocument, one, left=len(one.left), tasks=tasks)
