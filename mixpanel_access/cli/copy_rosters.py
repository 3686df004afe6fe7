"""`mixpanel-access copy-rosters`: take the rosters of a branch into a checkout of the reviewed code."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import typer

from mixpanel_access.cli.output import printable
from mixpanel_access.operations.branch_rosters import copy_rosters

REFUSED: Final = 4
"""The exit code where the branch changes more than rosters."""
_SHOWN: Final = 20


def run_copy_rosters(folder: Path, commit: str) -> int:
    """Copy and print; 4 where the branch changes more than rosters."""
    found = copy_rosters(folder, commit)
    for path in found.copied:
        typer.echo(f"copied {printable(path)}")
    if not found.refused:
        typer.echo(f"{len(found.copied)} files of the branch are in this checkout; everything else is its own.")
        return 0
    typer.echo("Nothing was copied, because the branch changes more than rosters:")
    for path, why in list(found.refused.items())[:_SHOWN]:
        typer.echo(f"- {_line(path)} {why}")
    if len(found.refused) > _SHOWN:
        typer.echo(f"- and {len(found.refused) - _SHOWN} more")
    typer.echo("Put the rosters into a branch of their own. Have the rest reviewed, and preview it by hand.")
    return REFUSED


def _line(path: str) -> str:
    return printable(path).replace("\n", "\\x0a")
