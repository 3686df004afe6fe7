"""The commands that change or check what a stack declares."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mixpanel_access.cli.options import AsJson, Folder, Now, Stacks
from mixpanel_access.model.new_project import CI, NAME

commands = typer.Typer(rich_markup_mode=None)


@commands.command(short_help="Make a project.")
def new(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where; made if it is not there.")],
    name: Annotated[str, typer.Option(help="The project's name for Pulumi.")] = NAME,
    ci: Annotated[CI, typer.Option(help="Whose workflow it gets.")] = CI.GITHUB,
    wheel: Annotated[
        Path | None,
        typer.Option(
            help="The wheel of this version, which goes into the project. Default: the one that was installed."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a project with program, rosters, policies and CI workflow; no file that is there is touched."""
    from mixpanel_access.cli.new import make_project

    raise typer.Exit(make_project(folder, name, ci, wheel, as_json=as_json))


@commands.command(short_help="Check a roster, and show what it gives.")
def roster(
    file: Annotated[Path, typer.Argument(help="The roster's file.")],
    now: Annotated[str | None, typer.Option(help="The instant to take as now (ISO 8601). Default: the clock.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check a roster without the engine, and print what it gives to whom."""
    from mixpanel_access.cli.roster import show_roster

    raise typer.Exit(show_roster(file, now, as_json=as_json))


@commands.command("copy-rosters", short_help="Take only the rosters of a branch.")
def copy_rosters(
    commit: Annotated[str, typer.Argument(help="The branch's commit, by its full id; it must be in this clone.")],
    cwd: Folder = Path(),
) -> None:
    """Copy the rosters of an unreviewed branch into a checkout of reviewed code, for a preview in CI.

    The program, the policies and the configuration stay those of the checkout. Exit 4, and nothing is copied, when the
    branch changes anything else.
    """
    from mixpanel_access.cli.copy_rosters import run_copy_rosters

    raise typer.Exit(run_copy_rosters(cwd, commit))


@commands.command()
def schema(
    common: Annotated[bool, typer.Option("--common", help="Of a file that rosters include.")] = False,
) -> None:
    """Print the JSON schema of a roster, for editors."""
    import json

    from mixpanel_access.model.roster import Common, Roster
    from mixpanel_access.model.roster_schema import json_schema

    typer.echo(json.dumps(json_schema(Common if common else Roster), indent=2))


@commands.command(short_help="Add a person to a roster.")
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
    from mixpanel_access.operations.inviting import InviteRequest

    given = {"type": type_, "sow": sow, "sponsor": sponsor, "ticket": ticket, "approver": approver}
    given |= {"justification": justification, "starts": starts, "ends": ends}
    terms = {key: value for key, value in given.items() if value is not None}
    request = InviteRequest(stack, email, name, engagement, projects_of(project or []), organization_role, terms)
    ask = sys.stdin.isatty() and not yes and not as_json if interactive is None else interactive
    raise typer.Exit(run_invite(cwd, request, yes=yes, ask=ask, as_json=as_json))


@commands.command(short_help="End everything of a person in all stacks.")
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


@commands.command(short_help="Say who was in the organization already.")
def ownership(
    stack: Stacks = None,
    ours: Annotated[
        list[str] | None,
        typer.Option(help="Somebody who leaves with the last entry: an address, or a pattern; repeatable."),
    ] = None,
    found: Annotated[
        list[str] | None,
        typer.Option(help="Somebody who was there before and stays: an address, or a pattern; repeatable."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Write the rosters; else show what would be written.")] = False,
    cwd: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """List people whom a stack may have found in the organization or imported; exit 1 when there are any.

    A state of version 0.1.0 does not say which, and it decides whether they leave with their last entry.

    With --ours and --found, write it into the rosters; exit 1 when something was not written.
    """
    from mixpanel_access.cli.ownership import run_ownership

    raise typer.Exit(run_ownership(cwd, stack or [], ours or [], found or [], yes=yes, as_json=as_json))


@commands.command("import", short_help="Import existing people and grants into a stack.")
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
    """Import existing people and grants into a roster and its stack; exit 1 when its preview then shows a change."""
    from mixpanel_access.cli.import_ import run_import
    from mixpanel_access.operations.import_plan import Wanted
    from mixpanel_access.operations.importing import ImportRequest

    request = ImportRequest(stack, Wanted(email or (), exclude or ()), project or (), environment, organization_roles)
    raise typer.Exit(run_import(cwd, request, file=file, dry_run=dry_run, as_json=as_json))


@commands.command(short_help="Let people out of a stack; they keep access.")
def release(
    stack: Annotated[str, typer.Option(help="The stack that lets them go.")],
    email: Annotated[list[str], typer.Option(help="Whom, by address; repeatable.")],
    cwd: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Take people out of a stack and its roster; in Mixpanel, nothing changes."""
    from mixpanel_access.cli.release import run_release

    raise typer.Exit(run_release(cwd, stack, email, as_json=as_json))


@commands.command(short_help="Take away what has ended, whatever else fails.")
def revoke(
    stack: Stacks = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it. Without it, show what would be taken away.")] = False,
    ended_only: Annotated[
        bool,
        typer.Option(
            "--ended-only", help="Read no roster: take away only what has ended by the last day that the state has."
        ),
    ] = False,
    within: Annotated[
        int | None,
        typer.Option(help="Show what so many days take away and give, and what is overdue.", min=0, max=3660),
    ] = None,
    now: Now = None,
    cwd: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Take away what the states hold and the rosters no longer give, nothing else; exit 1 when something is left."""
    from mixpanel_access.cli.revoke import run_revoke, show_within
    from mixpanel_access.model.errors import UsageError

    if within is None:
        raise typer.Exit(run_revoke(cwd, stack or [], now, yes=yes, as_json=as_json, ended_only=ended_only))
    if ended_only:
        raise UsageError(
            "cannot use --within with --ended-only",
            why="what the next days take away is in the rosters",
            next_step="Leave out one of the two.",
        )
    if yes:
        raise UsageError(
            "cannot use --within with --yes",
            why="what has not ended is not taken away",
            next_step="Leave out --within to take away what has ended.",
        )
    raise typer.Exit(show_within(cwd, stack or [], within, now, as_json=as_json))


@commands.command(short_help="Find access that no stack has, and the reverse.")
def drift(
    stack: Annotated[str, typer.Option(help="The stack to compare; the states of all stacks count as managed.")],
    cwd: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """List unmanaged people and grants, and what the state has and Mixpanel has not; exit 1 when there is any."""
    from mixpanel_access.cli.drift import show_drift

    raise typer.Exit(show_drift(cwd, stack, as_json=as_json))
