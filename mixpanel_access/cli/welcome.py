"""`mixpanel-access welcome`: write the message to a new collaborator: print it, save it as mail, or send it."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from mixpanel_access.cli.options import AsJson, Folder, Now, Stacks, addresses, read_overview, words
from mixpanel_access.cli.output import must_be_address, print_json, progress
from mixpanel_access.model.errors import UsageError

if TYPE_CHECKING:
    from email.message import EmailMessage

    from mixpanel_access.operations.welcome import Message

FORMATS: Final = ("markdown", "text", "html", "eml")
"""What the message can be printed as."""


def welcome(
    email: Annotated[str, typer.Argument(help="The address of the new collaborator.", autocompletion=addresses)],
    reminder: Annotated[
        bool, typer.Option("--reminder", help="Write the second message, for people who have not accepted yet.")
    ] = False,
    format_: Annotated[
        str,
        typer.Option(
            "--format",
            help="markdown, text, html, or eml: a draft that mail programs open.",
            autocompletion=words(*FORMATS),
        ),
    ] = "markdown",
    sender: Annotated[str | None, typer.Option("--from", help="The sender's address, for eml and --send.")] = None,
    templates: Annotated[
        Path | None,
        typer.Option(help="The folder of welcome.md.j2 and reminder.md.j2. Default: templates/, else those built in."),
    ] = None,
    send: Annotated[
        bool, typer.Option("--send", help="Send it through the server that MIXPANEL_ACCESS_SMTP names.")
    ] = False,
    stack: Stacks = None,
    now: Now = None,
    cwd: Folder = Path(),
    as_json: AsJson = False,
) -> int:
    """Write to a new collaborator: how to log in, which access they have, who helps.

    Example: `mixpanel-access welcome robin@agency.example.org --format text`
    """
    from mixpanel_access.operations.project import open_project

    _must_be_usable(format_, sender, templates)
    project = open_project(cwd, progress)
    from mixpanel_access.operations.welcome import REMINDER, WELCOME, compose  # templates and Markdown are slow to come

    own = templates or project.pulumi.project / "templates"
    with read_overview(project, stack, now) as overview:
        message = compose(overview, email, REMINDER if reminder else WELCOME, own)
    mail = _mail(message, sender, overview.now, draft=not send) if send or format_ == "eml" else None
    if mail and send:
        _send(mail)
    if as_json:
        print_json(replace(message, sent=send))
    else:
        _print(message, mail, format_, sent=send)
    return 0


def _send(mail: EmailMessage) -> None:
    from mixpanel_access.operations import delivery  # HTTP and TLS

    delivery.send_mail(mail, os.environ.get(delivery.SERVER_VARIABLE))


def _print(message: Message, mail: EmailMessage | None, format_: str, *, sent: bool) -> None:
    if sent:
        copies = f", with copies to {', '.join(message.cc)}" if message.cc else ""
        typer.echo(f"Sent {message.subject!r} to {message.to}{copies}.")
    elif mail:
        from email.policy import SMTP

        typer.echo(mail.as_bytes(policy=SMTP), nl=False)
    else:
        typer.echo({"markdown": message.markdown, "text": message.text, "html": message.html}[format_], nl=False)


def _must_be_usable(format_: str, sender: str | None, templates: Path | None) -> None:
    if format_ not in FORMATS:
        from mixpanel_access.model.similarity import unknown

        raise UsageError("cannot use --format", subject=format_, why=unknown(format_, "format", FORMATS))
    must_be_address(sender or None, "cannot use --from")
    if templates and not templates.is_dir():
        raise UsageError(
            "cannot use --templates", subject=str(templates), why="it is not a folder", next_step="Correct it."
        )


def _mail(message: Message, sender: str | None, at: datetime, *, draft: bool) -> EmailMessage:
    if not sender:
        raise UsageError(
            "cannot write a mail", subject=message.to, why="it has no sender", next_step="Name one with --from."
        )
    return message.mail(sender, at, draft=draft)
