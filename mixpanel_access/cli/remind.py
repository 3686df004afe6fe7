"""`mixpanel-access remind`: print what is due, write a calendar, post to a chat."""

from __future__ import annotations

import json
import os
from pathlib import Path

import typer

from mixpanel_access.cli.output import instant_of, progress, write_file
from mixpanel_access.model.errors import UsageError
from mixpanel_access.operations.overview import load_overview
from mixpanel_access.operations.project import open_project
from mixpanel_access.operations.reminding import calendar, reminders


def run_remind(folder: Path, stacks: list[str], now: str | None, *, ics: Path | None, post: bool, as_json: bool) -> int:
    """Look, and print, write and post; 1 when anything is due, else 0."""
    if str(ics) == "-" and as_json:
        raise UsageError(
            "cannot print both", why="--ics - and --json both take standard output", next_step="Name a file with --ics."
        )
    overview = load_overview(open_project(folder, progress), stacks, instant_of(now), progress)
    found = reminders(overview)
    due = [one for one in found if one.due(overview.today)]
    lines = [f"{one.text} {one.next_step}" for one in due]
    if str(ics) == "-":
        typer.echo(calendar(found, overview.now), nl=False)
    elif ics is not None:
        write_file(ics, calendar(found, overview.now), "the calendar", "Name another file with --ics.")
        progress(f"wrote {ics}")
    if post and lines:
        from mixpanel_access.operations import posting  # HTTP and TLS

        posting.post("\n".join(lines), os.environ.get(posting.WEBHOOK_VARIABLE))
        progress(f"posted {len(lines)} reminders")
    if str(ics) == "-":
        pass  # standard output is the calendar's
    elif as_json:
        rows = [
            {
                "kind": one.kind.value,
                "email": one.email,
                "stack": one.stack or None,
                "engagement": one.engagement,
                "on": one.on.isoformat(),
                "stage": one.stage(overview.today),
                "due": one.due(overview.today),
                "text": one.text,
                "next": one.next_step,
                "uid": one.uid,
            }
            for one in found
        ]
        typer.echo(json.dumps({"today": overview.today.isoformat(), "reminders": rows}, indent=2))
    else:
        for line in lines:
            typer.echo(line)
        if not lines:
            typer.echo(f"Nothing is due on {overview.today}; {len(found)} to come.")
    return 1 if due else 0
