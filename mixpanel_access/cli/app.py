"""All commands in one table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mixpanel_access import __version__
from mixpanel_access.cli import group_commands, operator_commands, review_commands, roster_commands
from mixpanel_access.cli.output import progress

if TYPE_CHECKING:
    from mixpanel_access.model.errors import UsageError

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
    dialect: Annotated[
        Path | None,
        typer.Option(help="A JSON file that says how to answer where Mixpanel's answers are not known."),
    ] = None,
) -> None:
    """Run a local Mixpanel: no account needed, nothing leaves this machine."""
    try:
        from mixpanel_access.emulator import run
    except ModuleNotFoundError as error:
        raise _lacking(error) from None
    raise typer.Exit(
        run(
            host=host,
            port=port,
            data=data,
            seed=seed,
            demo=demo,
            provider_compat=provider_compat,
            limit_invitations=limit_invitations,
            dialect=dialect,
        )
    )


def _lacking(error: ModuleNotFoundError) -> UsageError:
    """What the emulator needs comes with an extra."""
    from mixpanel_access.model.errors import UsageError

    return UsageError(
        "cannot start the emulator",
        why=f"the Python package {error.name} is not installed",
        next_step="Install it: pip install 'mixpanel-access[emulator]'",
    )


@app.command(short_help="Find the Pulumi engine, or make it.")
def engine() -> None:
    """Find the Pulumi engine, or make it, and print the folder that holds it."""
    from mixpanel_access.engine import ensure_engine

    typer.echo(str(ensure_engine(progress).folder))


app.add_typer(roster_commands.commands)
app.add_typer(operator_commands.commands)
app.add_typer(review_commands.review)
app.add_typer(group_commands.tracker)
app.add_typer(group_commands.policy)
