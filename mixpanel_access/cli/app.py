"""All commands in one table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mixpanel_access import __version__
from mixpanel_access.cli.output import progress

app = typer.Typer(
    name="mixpanel-access",
    help="Access to a Mixpanel organization as code.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


@app.command(short_help="Run a local Mixpanel.")
def emulator(
    port: Annotated[int, typer.Option(help="The port to listen on; 0 takes a free one.", min=0, max=65535)] = 0,
    host: Annotated[str, typer.Option(help="The address to bind to; anything but loopback is pointed out.")] = (
        "127.0.0.1"
    ),
    data: Annotated[
        Path | None,
        typer.Option(help="The SQLite file that keeps it, else memory; --seed and --demo replace what it holds."),
    ] = None,
    seed: Annotated[Path | None, typer.Option(help="An organization document (JSON) to start with.")] = None,
    demo: Annotated[bool, typer.Option("--demo", help="Start with the demo organization.")] = False,
    provider_compat: Annotated[
        bool, typer.Option("--provider-compat", help="Allow what Mixpanel's own Terraform provider needs.")
    ] = False,
    limit_invitations: Annotated[
        bool, typer.Option(help="Send at most 10 invitation e-mails an hour to one domain, as Mixpanel does.")
    ] = True,
) -> None:
    """Run a local Mixpanel: no account needed, nothing leaves this machine."""
    from mixpanel_access.emulator import run

    raise typer.Exit(
        run(
            host=host,
            port=port,
            data=data,
            seed=seed,
            demo=demo,
            provider_compat=provider_compat,
            limit_invitations=limit_invitations,
        )
    )


@app.command(short_help="Find the Pulumi engine, or make it.")
def engine() -> None:
    """Find the Pulumi engine, or make it, and print the folder that holds it."""
    from mixpanel_access.engine import ensure_engine

    typer.echo(str(ensure_engine(progress).folder))


Folder = Annotated[Path, typer.Option("--cwd", "-C", help="The folder of the Pulumi project.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Stacks = Annotated[list[str] | None, typer.Option(help="Only this stack; repeatable. Default: all of the project.")]
Now = Annotated[
    str | None, typer.Option(help="The instant to take as now (ISO 8601). Default: mixpanel:now, else the clock.")
]


@app.command(short_help="Find access that no stack has, and the reverse.")
def drift(
    stack: Annotated[str, typer.Option(help="The stack to compare; the states of all stacks count as managed.")],
    cwd: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """List unmanaged people and grants, and what the state has and Mixpanel has not; exit 1 when there is any."""
    from mixpanel_access.cli.drift import show_drift

    raise typer.Exit(show_drift(cwd, stack, as_json=as_json))


@app.command(short_help="Show what the clock alone will change.")
def expire(
    stack: Annotated[str, typer.Option(help="The stack to look at.")],
    days: Annotated[int, typer.Option(help="How many days to look ahead.", min=0, max=3660)] = 14,
    now: Annotated[
        str | None, typer.Option(help="The instant to take as now (ISO 8601). Default: mixpanel:now, else the clock.")
    ] = None,
    cwd: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Show what the clock alone will change: access that ends or begins within days; exit 1 when there is any."""
    from mixpanel_access.cli.expire import show_expiry

    raise typer.Exit(show_expiry(cwd, stack, days, now, as_json=as_json))


@app.command(short_help="Show how everybody stands, and what is next.")
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


@app.command(short_help="Send an invitation again.")
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


@app.command(short_help="Show who has what, by which way, and why.")
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


@app.command(short_help="Write to a new collaborator.")
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


@app.command(short_help="Show what is due; calendar and chat too.")
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


@app.command(short_help="Try which calls Mixpanel answers.")
def doctor(
    stack: Annotated[str, typer.Option(help="The stack whose configuration names organization and account.")],
    cwd: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Try every call that only reads, and tell what is not as expected; exit 1 when something is missing or refused."""
    from mixpanel_access.cli.doctor import run_doctor

    raise typer.Exit(run_doctor(cwd, stack, as_json=as_json))


@app.command(short_help="End everything of a person in all stacks.")
def offboard(
    email: Annotated[str, typer.Argument(help="Whose access ends.")],
    yes: Annotated[
        bool, typer.Option("--yes", help="Do it; else show what would be done, and change nothing.")
    ] = False,
    cwd: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """End everything of a person in every stack, and show what is left; exit 1 while there is any."""
    from mixpanel_access.cli.offboard import run_offboard

    raise typer.Exit(run_offboard(cwd, email, yes=yes, as_json=as_json))


@app.command(short_help="Look at what an invitation needs first.")
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


@app.command(short_help="Add a person to a roster.")
def invite(
    email: Annotated[str, typer.Argument(help="Whom.")] = "",
    stack: Annotated[str, typer.Option(help="The stack whose roster takes the entry.")] = "",
    name: Annotated[str | None, typer.Option(help="Their name, for people.")] = None,
    engagement: Annotated[
        str | None, typer.Option(help="The key of an engagement; one that is new needs --type too.")
    ] = None,
    project: Annotated[
        list[str] | None,
        typer.Option(help="KEY or KEY=ROLE; repeatable. Without a role, the standard one of the engagement's type."),
    ] = None,
    organization_role: Annotated[
        str | None, typer.Option(help="Where the roster declares them. Default: the standard one.")
    ] = None,
    type_: Annotated[str | None, typer.Option("--type", help="Of a new engagement.")] = None,
    sow: Annotated[str | None, typer.Option(help="Of a new engagement: the statement of work.")] = None,
    sponsor: Annotated[str | None, typer.Option(help="Of a new engagement: who wants it.")] = None,
    ticket: Annotated[str | None, typer.Option(help="The ticket that asks for the access.")] = None,
    approver: Annotated[str | None, typer.Option(help="The address of who approves it.")] = None,
    justification: Annotated[str | None, typer.Option(help="Why it is needed.")] = None,
    starts: Annotated[str | None, typer.Option(help="The first day, UTC (2026-01-31).")] = None,
    ends: Annotated[str | None, typer.Option(help="The last day, UTC (2026-03-31).")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Write it without a question.")] = False,
    interactive: Annotated[
        bool | None,
        typer.Option("--ask/--no-ask", help="Ask for what is missing.", show_default="in a terminal"),
    ] = None,
    cwd: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Add a person to a roster: checked, previewed, then written; exit 1 when nothing was written."""
    import sys

    from mixpanel_access.cli.invite import projects_of, run_invite
    from mixpanel_access.operations.inviting import Request

    given = {"type": type_, "sow": sow, "sponsor": sponsor, "ticket": ticket, "approver": approver}
    given |= {"justification": justification, "starts": starts, "ends": ends}
    terms = {key: value for key, value in given.items() if value is not None}
    request = Request(stack, email, name, engagement, projects_of(project or []), organization_role, terms)
    ask = sys.stdin.isatty() and not yes and not as_json if interactive is None else interactive
    raise typer.Exit(run_invite(cwd, request, yes=yes, ask=ask, as_json=as_json))


@app.command("import", short_help="Take what is there into a stack.")
def import_(
    stack: Annotated[str, typer.Option(help="The stack that takes them.")],
    project: Annotated[
        list[str] | None,
        typer.Option(help="A Mixpanel project, by id or name pattern; repeatable. Default: those of the roster."),
    ] = None,
    email: Annotated[
        list[str] | None, typer.Option(help="Only people whose address matches this pattern; repeatable.")
    ] = None,
    exclude: Annotated[
        list[str] | None, typer.Option(help="Nobody whose address matches this pattern; repeatable.")
    ] = None,
    environment: Annotated[
        str | None,
        typer.Option(help="The environment of a new roster. Default: mixpanel:environment, else the stack's name."),
    ] = None,
    organization_roles: Annotated[
        bool,
        typer.Option(
            "--organization-roles", help="Have a new roster declare organization roles, and take everybody; one may."
        ),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show who would come in, and write nothing.")] = False,
    file: Annotated[Path | None, typer.Option(help="Keep the file for `pulumi import` here.")] = None,
    cwd: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Take existing people and grants into a roster and its stack; exit 1 when its preview then shows a change."""
    from mixpanel_access.cli.import_ import run_import
    from mixpanel_access.operations.import_plan import Wanted
    from mixpanel_access.operations.importing import Request

    request = Request(stack, Wanted(email or (), exclude or ()), project or (), environment, organization_roles)
    raise typer.Exit(run_import(cwd, request, file=file, dry_run=dry_run, as_json=as_json))


@app.command(short_help="Let people out of a stack; they keep access.")
def release(
    stack: Annotated[str, typer.Option(help="The stack that lets them go.")],
    email: Annotated[list[str], typer.Option(help="Whom, by address; repeatable.")],
    cwd: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Take people out of a stack and its roster; in Mixpanel, nothing changes."""
    from mixpanel_access.cli.release import run_release

    raise typer.Exit(run_release(cwd, stack, email, as_json=as_json))


@app.command(short_help="Check a roster, and show what it gives.")
def roster(
    file: Annotated[Path, typer.Argument(help="The roster's file.")],
    now: Annotated[str | None, typer.Option(help="The instant to take as now (ISO 8601). Default: the clock.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check a roster without the engine, and print what it gives to whom."""
    from mixpanel_access.cli.roster import show_roster

    raise typer.Exit(show_roster(file, now, as_json=as_json))


@app.command()
def schema(
    common: Annotated[bool, typer.Option("--common", help="Of a file that rosters include.")] = False,
) -> None:
    """Print the JSON schema of a roster, for editors."""
    import json

    from mixpanel_access.model.roster import Common, Roster, json_schema

    typer.echo(json.dumps(json_schema(Common if common else Roster), indent=2))


tracker = typer.Typer(
    name="tracker", help="The access log: who got, changed or lost what.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(tracker)
LogFile = Annotated[Path, typer.Option("--file", help="The log.")]


@tracker.command("update", short_help="Add what has happened.")
def tracker_update(
    file: LogFile = Path("tracker.jsonl"), now: Now = None, cwd: Folder = Path(), as_json: AsJson = False
) -> None:
    """Add to the log what has happened in all stacks since the last time."""
    from mixpanel_access.cli.tracker import add_to_log

    raise typer.Exit(add_to_log(cwd, file, now, as_json=as_json))


@tracker.command("export")
def tracker_export(
    file: LogFile = Path("tracker.jsonl"),
    form: Annotated[str, typer.Option("--format", help="csv, xlsx, markdown or json.")] = "csv",
    to: Annotated[Path | None, typer.Option(help="Where to; xlsx needs it. Default: standard output.")] = None,
) -> None:
    """Write the log as a table."""
    from mixpanel_access.cli.tracker import export_log

    raise typer.Exit(export_log(file, form, to))


@tracker.command("verify", short_help="Check that no line was touched.")
def tracker_verify(file: LogFile = Path("tracker.jsonl"), as_json: AsJson = False) -> None:
    """Check that no line of the log was changed, taken out or put in; exit 1 when one was."""
    from mixpanel_access.cli.tracker import verify_log

    raise typer.Exit(verify_log(file, as_json=as_json))


policy = typer.Typer(name="policy", help="What the policy rules are.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(policy)


@policy.command("list")
def policy_list(as_json: AsJson = False) -> None:
    """List all rules."""
    from mixpanel_access.cli.policy import list_rules

    list_rules(as_json=as_json)


@policy.command("explain", short_help="Explain one rule, and how to set it.")
def policy_explain(
    rule: Annotated[str, typer.Argument(help="The rule's id, as the output of a policy run has it.")],
    as_json: AsJson = False,
) -> None:
    """Explain one rule: what it judges, how to mend a violation, how to set it."""
    from mixpanel_access.cli.policy import explain

    explain(rule, as_json=as_json)


@policy.command("reference")
def policy_reference() -> None:
    """Print the reference page of all rules, in Markdown."""
    from mixpanel_access.cli.policy import print_reference

    print_reference()
