"""`mixpanel-access onboard`: print the checklist of a new person, and tick tasks."""

from __future__ import annotations

import json
from pathlib import Path

import typer

from mixpanel_access.cli.output import instant_of, new_table, print_table, progress
from mixpanel_access.files.onboarding import Checklists, Ticks, read_checklists, read_ticks, write_ticks
from mixpanel_access.model.address import problem_with
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.words import counted
from mixpanel_access.operations.onboarding import Onboarding, onboarding, ticked
from mixpanel_access.operations.overview import Overview, load_overview
from mixpanel_access.operations.project import open_project


def run_onboard(
    folder: Path,
    stacks: list[str],
    email: str,
    now: str | None,
    *,
    done: list[str],
    undo: list[str],
    by: str,
    file: Path | None,
    as_json: bool,
) -> int:
    """Look, tick and print; 1 while a task is open, else 0."""
    if (done or undo) and not email:
        raise UsageError("cannot tick", why="nobody is named", next_step="Name the person: onboard EMAIL --done KEY")
    if by and (reason := problem_with(by)):
        raise UsageError("cannot use --by", whom=by, why=reason, next_step="Correct the address.")
    project = open_project(folder, progress)
    root = project.pulumi.project
    checklists = read_checklists(root / "templates")
    file = file or root / "onboarding.json"
    before, ticks = read_ticks(file)
    overview = load_overview(project, stacks, instant_of(now), progress)
    if warning := overview.logins.warning:
        progress(warning)
    if not email:
        return _everybody(overview, checklists, ticks, as_json=as_json)
    one = onboarding(overview.anybody(email), overview, checklists, ticks)
    after = ticked(one, ticks, done, undo, by, overview.now)
    if after != ticks:
        try:
            write_ticks(file, before, after)
        except UsageError as error:
            if done or undo:
                raise
            progress(f"what was seen is not kept: {error}")  # one only looks
        one = onboarding(overview.anybody(email), overview, checklists, after)
    if as_json:
        typer.echo(json.dumps(_row(one), indent=2))
    else:
        _print(one)
    return 1 if one.left else 0


def _everybody(overview: Overview, checklists: Checklists, ticks: Ticks, *, as_json: bool) -> int:
    """Everybody who is given anything today, a line each; nothing is written."""
    found = []
    for someone in overview.people:
        if someone.effective:
            try:
                found.append(onboarding(someone, overview, checklists, ticks))
            except UsageError as error:
                progress(str(error))  # their track has no checklist; the others' have
    left = sum(1 for one in found if one.left)
    if as_json:
        typer.echo(json.dumps([_row(one) for one in found], indent=2))
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
        table.add_row("x" if step.tick else "-", step.key, step.text, when)
    print_table(table)
    typer.echo(f"\n{one.email}, {_tracks(one)}: {counted(len(one.left), 'task')} of {len(one.steps)} to do.")
    if by_hand := [step.key for step in one.left if step.check is None]:
        typer.echo(f"Tick one with: mixpanel-access onboard {one.email} --done {by_hand[0]}")


def _tracks(one: Onboarding) -> str:
    return " and ".join(track.replace("_", " ") for track in one.tracks)


def _row(one: Onboarding) -> dict[str, object]:
    return {
        "email": one.email,
        "tracks": list(one.tracks),
        "left": len(one.left),
        "tasks": [
            {
                "key": step.key,
                "text": step.text,
                "check": step.check.value if step.check else None,
                "done": {"at": step.tick.at, "by": step.tick.by} if step.tick else None,
            }
            for step in one.steps
        ],
    }
