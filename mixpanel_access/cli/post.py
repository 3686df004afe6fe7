"""`mixpanel-access post`: tell a chat what a run has changed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from mixpanel_access.cli.output import progress, read_output
from mixpanel_access.model.chats import Chat
from mixpanel_access.model.similarity import counted


def post(
    file: Annotated[Path, typer.Argument(help="The output of `pulumi up` or `revoke --yes`; - is standard input.")],
    title: Annotated[str, typer.Option(help="The first line of the message.")],
    outcome: Annotated[
        str, typer.Option(help="How the run ended. Anything but `success` is posted even if nothing changed.")
    ] = "success",
    link: Annotated[str, typer.Option(help="The address of the run's log, which the message ends with.")] = "",
    chat: Annotated[
        Chat | None, typer.Option(help="The kind of chat behind the webhook; by default, its host decides.")
    ] = None,
) -> int:
    """Post what a run changed to the chat webhook that MIXPANEL_ACCESS_WEBHOOK names; without one, post nothing.

    Example: `mixpanel-access post up.txt --title "Update of production"`
    """
    from mixpanel_access.model.run_output import changes_in
    from mixpanel_access.operations import delivery

    webhook = os.environ.get(delivery.WEBHOOK_VARIABLE)
    if not webhook:
        progress(f"nothing is posted: {delivery.WEBHOOK_VARIABLE} is not set")
        return 0
    good = outcome == "success"
    ended_early = not good and str(file) != "-" and not file.exists()  # the run ended before it wrote anything
    lines = [] if ended_early else changes_in(read_output(file, "Name the file of a run."))
    if good and not lines:
        progress("nothing is posted: the run changed nothing")
        return 0
    shown = lines or ["No change is known."]
    ended = title if good else f"{title}: {outcome}; some of this may not be done"
    delivery.post_to_webhook(ended, [*shown, *([link] if link else [])], webhook, chat)
    progress(f"posted {counted(len(lines), 'change')}")
    return 0
