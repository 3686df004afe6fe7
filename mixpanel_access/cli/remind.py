"""`mixpanel-access remind`: show what is due, write a calendar, post to a chat."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypedDict

import typer

from mixpanel_access.cli.options import AsJson, Folder, Now, Stacks, read_overview
from mixpanel_access.cli.output import print_json, progress, record_of, write_file
from mixpanel_access.model.chats import Chat
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.similarity import counted

if TYPE_CHECKING:
    from mixpanel_access.operations.overview import Overview
    from mixpanel_access.operations.reminding import Reminder, ReminderKind


class ReminderRow(TypedDict):
    """A reminder in `remind`."""

    kind: Annotated[ReminderKind, "what it is about"]
    email: Annotated[str, "the person's address, or empty"]
    stack: Annotated[str | None, "the stack"]
    engagement: Annotated[str | None, "the engagement's key"]
    on: Annotated[date, "the day"]
    stage: Annotated[int | None, "how near that is"]
    due: Annotated[bool, "whether it is due today"]
    text: Annotated[str, "what it is"]
    nextStep: Annotated[str, "what to do"]
    uid: Annotated[str, "its id in the calendar"]


class RemindDocument(TypedDict):
    """What `remind` prints as JSON."""

    today: Annotated[date, "the day"]
    reminders: Annotated[Sequence[ReminderRow], "everything that is due or still to come"]


def remind(
    ics: Annotated[
        Path | None,
        typer.Option(help="Write everything that is still to come into this calendar file, or update it; - prints it."),
    ] = None,
    post: Annotated[
        bool, typer.Option("--post", help="Post what is due to the chat webhook that MIXPANEL_ACCESS_WEBHOOK names.")
    ] = False,
    chat: Annotated[
        Chat | None, typer.Option(help="The kind of chat behind the webhook; by default, its host decides.")
    ] = None,
    stack: Stacks = None,
    now: Now = None,
    cwd: Folder = Path(),
    as_json: AsJson = False,
) -> int:
    """Show what is due: access that ends, pending invitations, reviews; exit 1 when anything is due.

    Example: `mixpanel-access remind --ics access.ics`
    """
    from mixpanel_access.operations.reminding import reminders

    if str(ics) == "-" and as_json:
        raise UsageError(
            "cannot print both", why="--ics - and --json both take standard output", next_step="Name a file with --ics."
        )
    with read_overview(cwd, stack, now) as overview:
        found = reminders(overview)
    due = [one for one in found if one.due(overview.today)]
    lines = [f"{one.text} {one.next_step}" for one in due]
    if ics is not None:
        _write(ics, found, overview)
    if post and lines:
        from mixpanel_access.operations import delivery

        title = f"Mixpanel access: {counted(len(lines), 'reminder')} on {overview.today}"
        delivery.post_to_webhook(title, lines, os.environ.get(delivery.WEBHOOK_VARIABLE), chat)
        progress(f"posted {counted(len(lines), 'reminder')}")
    if as_json:
        rows = [_row(one, overview.today) for one in found]
        print_json(RemindDocument(today=overview.today, reminders=rows))
    elif str(ics) != "-":  # then standard output is the calendar's
        typer.echo("\n".join(lines) or f"Nothing is due on {overview.today}; {len(found)} to come.")
    return 1 if due else 0


def _write(ics: Path, found: Sequence[Reminder], overview: Overview) -> None:
    """Print the calendar, or bring its file up to date."""
    from mixpanel_access.files.whole import content_of
    from mixpanel_access.operations.reminder_calendar import calendar

    if str(ics) == "-":
        typer.echo(calendar(found, overview.now), nl=False)
        return
    earlier = (content_of(ics, "the calendar") or b"") if ics.is_file() else b""
    content = calendar(found, overview.now, earlier, lambda stack: not overview.others or stack in overview.stacks)
    write_file(ics, content, "the calendar", "Name another file with --ics.")
    progress(f"wrote {ics}")


def _row(one: Reminder, today: date) -> ReminderRow:
    return record_of(ReminderRow, one, stack=one.stack or None, stage=one.stage(today), due=one.due(today))
