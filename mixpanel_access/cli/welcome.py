"""`mixpanel-access welcome`: print the message to a new collaborator, write it as mail, or send it."""

from __future__ import annotations

import json
import os
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mixpanel_access.cli.output import instant_of, progress
from mixpanel_access.model.address import problem_with
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.similarity import unknown
from mixpanel_access.operations.mailing import SERVER_VARIABLE, send
from mixpanel_access.operations.overview import load_overview
from mixpanel_access.operations.project import open_project

if TYPE_CHECKING:
    from mixpanel_access.operations.welcome import Message


class Form(StrEnum):
    """How the message is written."""

    MARKDOWN = "markdown"
    TEXT = "text"
    HTML = "html"
    EML = "eml"


def run_welcome(
    folder: Path,
    stacks: list[str],
    email: str,
    now: str | None,
    *,
    reminder: bool,
    form: str,
    sender: str | None,
    templates: Path | None,
    sending: bool,
    as_json: bool,
) -> int:
    """Compose, and print or send."""
    if form not in list(Form):
        raise UsageError("cannot use --format", whom=form, why=unknown(form, "format", [one.value for one in Form]))
    if sender and (reason := problem_with(sender)):
        raise UsageError("cannot use --from", whom=sender, why=reason, next_step="Correct the address.")
    if templates and not templates.is_dir():
        raise UsageError("cannot use --templates", whom=str(templates), why="it is no folder", next_step="Correct it.")
    project = open_project(folder, progress)
    from mixpanel_access.operations.welcome import REMINDER, WELCOME, compose  # templates and Markdown are slow to come

    overview = load_overview(project, stacks, instant_of(now), progress)
    own = templates or project.pulumi.project / "templates"
    message = compose(overview, email, REMINDER if reminder else WELCOME, own)
    mail = _mail(message, sender, overview.now) if sending or form == Form.EML else None
    if mail and sending:
        del mail["X-Unsent"]
        send(mail, os.environ.get(SERVER_VARIABLE))
    if as_json:
        document = {"to": message.to, "cc": list(message.cc), "subject": message.subject, "sent": sending}
        bodies = {"markdown": message.markdown, "text": message.text, "html": message.html}
        typer.echo(json.dumps({**document, **bodies}, indent=2))
    elif sending:
        copies = f", with copies to {', '.join(message.cc)}" if message.cc else ""
        typer.echo(f"Sent {message.subject!r} to {message.to}{copies}.")
    elif mail:
        typer.echo(mail.as_bytes(policy=SMTP), nl=False)
    else:
        body = {Form.MARKDOWN: message.markdown, Form.TEXT: message.text, Form.HTML: message.html}[Form(form)]
        typer.echo(body, nl=False)
    return 0


def _mail(message: Message, sender: str | None, at: datetime) -> EmailMessage:
    if not sender:
        raise UsageError(
            "cannot write a mail", whom=message.to, why="nobody is its sender", next_step="Name one with --from."
        )
    return message.mail(sender, at)
