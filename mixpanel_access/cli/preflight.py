"""`mixpanel-access preflight`: check what must be true before somebody is invited."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mixpanel_access.cli.options import AsJson, Folder, Now, Stacks, read_overview
from mixpanel_access.cli.output import must_be_address, new_table, print_json, print_table
from mixpanel_access.model.similarity import counted


def preflight(
    email: Annotated[str | None, typer.Argument(help="The address that you want to invite.")] = None,
    stack: Stacks = None,
    now: Now = None,
    cwd: Folder = Path(),
    as_json: AsJson = False,
) -> int:
    """Check what must be true before somebody is invited, and show who confirms the rest; exit 1 for a problem.

    Example: `mixpanel-access preflight robin@agency.example.org`
    """
    from mixpanel_access.operations.preflight import Readiness, checks

    must_be_address(email, "cannot check the address")
    with read_overview(cwd, stack, now) as overview:
        found = checks(overview, email)
    problems = [check for check in found if check.verdict is Readiness.PROBLEM]
    if as_json:
        print_json(found)
    else:
        table = new_table("stack", "what", "verdict", "what is so", "by")
        for check in found:
            table.add_row(check.stack, check.what, check.verdict.value, check.text, check.contact)
        print_table(table)
        waiting = sum(1 for check in found if check.verdict is Readiness.CONFIRM)
        typer.echo(f"\n{counted(len(problems), 'problem')}, {waiting} to be confirmed.")
    return 1 if problems else 0
