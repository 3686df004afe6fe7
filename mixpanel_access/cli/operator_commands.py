"""The commands around the grants: they look, write to people, and remind."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mixpanel_access.cli.options import AsJson, Folder, Now, Stacks

commands = typer.Typer(rich_markup_mode=None)


@commands.command(short_help="Look at what an invitation needs first.")
def preflight(
    email: Annotated[str | None, typer.Argument(help="An address that is to be invited.")] = None,
    stack: Stacks = None,
    now: Now = None,
    cwd: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Check what has to be so before somebody is invited, and who confirms the rest; exit 1 for a problem."""
    from mixpanel_access.cli.preflight import run_preflight

    raise typer.Exit(run_preflight(cwd, stack or [], email, now, as_json=as_json))


@commands.command(short_help="Try which calls Mixpanel answers.")
def doctor(
    stack: Stacks = None,
    now: Now = None,
    writes: Annotated[
        str,
        typer.Option(
            metavar="EMAIL", help="Try the writes too, on this throw-away address, and undo them: see docs/verify.md."
        ),
    ] = "",
    project: Annotated[
        int | None, typer.Option(metavar="ID", min=1, help="With --writes: a project that is not production.")
    ] = None,
    yes_write_to: Annotated[
        int | None, typer.Option(metavar="ORGANIZATION_ID", min=1, help="With --writes: the organization to write to.")
    ] = None,
    teams: Annotated[bool, typer.Option("--teams", help="With --writes: try a team too.")] = False,
    accounts: Annotated[bool, typer.Option("--accounts", help="With --writes: try a service account too.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Undo what a stopped run with --writes has left.")] = False,
    to: Annotated[
        Path | None, typer.Option(help="With --writes: the report's file. Default: mixpanel-report.json.")
    ] = None,
    cwd: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Try every call that only reads, and tell what is not as expected; exit 1 when something is missing or refused."""
    if undo or any((writes, project, yes_write_to, teams, accounts, to)):
        from mixpanel_access.cli.verify import WritesOptions, run_undo, run_writes

        parts = frozenset(part for part, wanted in (("teams", teams), ("accounts", accounts)) if wanted)
        wish = WritesOptions(writes, project, yes_write_to, parts, to)
        if undo:
            raise typer.Exit(run_undo(cwd, stack or [], wish, as_json=as_json))
        raise typer.Exit(run_writes(cwd, stack or [], wish, as_json=as_json))
    from mixpanel_access.cli.doctor import run_doctor

    raise typer.Exit(run_doctor(cwd, stack or [], now, as_json=as_json))


@commands.command(short_help="Show how everybody stands, and what is next.")
def status(
    email: Annotated[list[str] | None, typer.Argument(help="Only these people. Default: everybody.")] = None,
    stack: Stacks = None,
    now: Now = None,
    watch: Annotated[
        float | None, typer.Option(help="Look again every so many seconds, until interrupted.", min=1.0)
    ] = None,
    cwd: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Show how everybody stands, and what to do next: invitations, roles, ends; exit 1 when there is any."""
    from mixpanel_access.cli.status import show_status

    raise typer.Exit(show_status(cwd, stack or [], email or [], now, watch=watch, as_json=as_json))


@commands.command(short_help="Send an invitation again.")
def resend(
    email: Annotated[str, typer.Argument(help="Who has not accepted the invitation.")],
    stack: Stacks = None,
    now: Now = None,
    cwd: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Send an invitation again, within Mixpanel's hourly limit."""
    from mixpanel_access.cli.status import send_again

    raise typer.Exit(send_again(cwd, stack or [], email, now, as_json=as_json))


@commands.command(short_help="Print the token of a service account.")
def token(
    name: Annotated[str, typer.Argument(help="The service account: its name in the roster, or its login name.")],
    stack: Stacks = None,
    cwd: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Print the token of one service account, from the state and alone on standard output, for a secret store."""
    from mixpanel_access.cli.token import print_token

    raise typer.Exit(print_token(cwd, name, stack or [], as_json=as_json))


@commands.command(short_help="Find why somebody lacks what they should have.")
def diagnose(
    email: Annotated[str, typer.Argument(help="Who cannot get in, or does not see what they should.")],
    stack: Stacks = None,
    now: Now = None,
    cwd: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Hold every known failure against one person: evidence, the most likely cause first, the fix; exit 1 for any."""
    from mixpanel_access.cli.diagnose import run_diagnose

    raise typer.Exit(run_diagnose(cwd, stack or [], email, now, as_json=as_json))


@commands.command(short_help="Show who has what, by which way, and why.")
def who(
    email: Annotated[str, typer.Argument(help="What one person can reach, and by which ways.")] = "",
    project: Annotated[str, typer.Option(help="Who can reach a project: its id, name, or short key.")] = "",
    stack: Stacks = None,
    now: Now = None,
    cwd: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Show who reaches a project, or what a person reaches: every grant with its type, and why."""
    from mixpanel_access.cli.who import show_who

    raise typer.Exit(show_who(cwd, stack or [], email, project, now, as_json=as_json))


@commands.command(short_help="Write to a new collaborator.")
def welcome(
    email: Annotated[str, typer.Argument(help="To whom.")],
    reminder: Annotated[bool, typer.Option("--reminder", help="The second message, while they have not come.")] = False,
    form: Annotated[
        str, typer.Option("--format", help="markdown, text, html, or eml: a draft that mail programs open.")
    ] = "markdown",
    sender: Annotated[str | None, typer.Option("--from", help="The address that writes, for eml and --send.")] = None,
    templates: Annotated[
        Path | None,
        typer.Option(help="The folder of welcome.md.j2 and reminder.md.j2. Default: templates/, else those built in."),
    ] = None,
    send: Annotated[
        bool, typer.Option("--send", help="Send it by the server that MIXPANEL_ACCESS_SMTP names.")
    ] = False,
    stack: Stacks = None,
    now: Now = None,
    cwd: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Write to a new collaborator: how to log in, what they have, whom to ask."""
    from mixpanel_access.cli.welcome import run_welcome

    raise typer.Exit(
        run_welcome(
            cwd,
            stack or [],
            email,
            now,
            reminder=reminder,
            form=form,
            sender=sender,
            templates=templates,
            sending=send,
            as_json=as_json,
        )
    )


@commands.command(short_help="Show and tick what a new person needs done.")
def onboard(
    email: Annotated[str, typer.Argument(help="Whom. Default: everybody, a line each.")] = "",
    done: Annotated[list[str] | None, typer.Option(help="Tick the task of this key; repeatable.")] = None,
    undo: Annotated[list[str] | None, typer.Option(help="Open the task of this key again; repeatable.")] = None,
    by: Annotated[str, typer.Option(help="The address of who ticks.")] = "",
    file: Annotated[Path | None, typer.Option(help="What keeps the ticks. Default: onboarding.json.")] = None,
    stack: Stacks = None,
    now: Now = None,
    cwd: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Show the checklist of a new person's track, ticked by what is seen and by hand; exit 1 while any is open."""
    from mixpanel_access.cli.onboard import run_onboard

    raise typer.Exit(
        run_onboard(cwd, stack or [], email, now, done=done or [], undo=undo or [], by=by, file=file, as_json=as_json)
    )


@commands.command(short_help="Show what is due; calendar and chat too.")
def remind(
    ics: Annotated[Path | None, typer.Option(help="Write all that comes into this calendar file; - prints it.")] = None,
    post: Annotated[
        bool, typer.Option("--post", help="Post what is due to the chat webhook that MIXPANEL_ACCESS_WEBHOOK names.")
    ] = False,
    stack: Stacks = None,
    now: Now = None,
    cwd: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Show what is due: access that ends, invitations that wait, reviews; exit 1 when there is any."""
    from mixpanel_access.cli.remind import run_remind

    raise typer.Exit(run_remind(cwd, stack or [], now, ics=ics, post=post, as_json=as_json))


@commands.command(short_help="Write the page of who has what.")
def report(
    to: Annotated[
        Path | None, typer.Option(help="The file to write; - prints it. Default: access-report.html, none with --json.")
    ] = None,
    stack: Stacks = None,
    now: Now = None,
    cwd: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Write one page of who has what, by risk, with endings, invitations and findings; exit 1 when there are any."""
    from mixpanel_access.cli.report import write_report

    raise typer.Exit(write_report(cwd, stack or [], now, to=to, as_json=as_json))
