"""`mixpanel-access emulator` and `engine`: what runs on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mixpanel_access.cli.output import progress


def emulator(
    port: Annotated[int, typer.Option(help="The port to listen on; 0 takes a free one.", min=0, max=65535)] = 0,
    host: Annotated[str, typer.Option(help="The address to bind to; warns unless it is loopback.")] = "127.0.0.1",
    data: Annotated[
        Path | None,
        typer.Option(help="The SQLite file to keep the data in, else memory; --seed and --demo replace its content."),
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
) -> int:
    """Run a local Mixpanel: it needs no account, and nothing leaves this machine.

    Example: `mixpanel-access emulator --demo --port 8080`
    """
    try:
        from mixpanel_access.emulator.server import EmulatorOptions, run
    except ModuleNotFoundError as error:
        from mixpanel_access.model.errors import UsageError

        raise UsageError(
            "cannot start the emulator",
            why=f"the Python package {error.name} is not installed",
            next_step="Install the wheel's extra: pip install './mixpanel_access-VERSION-py3-none-any.whl[emulator]'",
        ) from None
    options = EmulatorOptions(
        host=host,
        port=port,
        data=data,
        seed=seed,
        demo=demo,
        provider_compat=provider_compat,
        limit_invitations=limit_invitations,
        dialect=dialect,
    )
    return run(options)


def engine() -> int:
    """Find the Pulumi engine or download it, and print the folder that contains it.

    Example: `mixpanel-access engine`
    """
    from mixpanel_access.engine import ensure_engine

    typer.echo(str(ensure_engine(progress).folder))
    return 0
