"""`mixpanel-access release`: take people out of a stack and leave Mixpanel as it is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import typer

from mixpanel_access.cli.output import print_changes, progress
from mixpanel_access.model.words import counted
from mixpanel_access.operations.project import open_project
from mixpanel_access.operations.releasing import release


def run_release(folder: Path, stack: str, emails: Sequence[str], *, as_json: bool) -> int:
    """Release and print; 1 when the preview shows a change afterwards, else 0."""
    done = release(open_project(folder, progress), stack, emails, progress)
    if as_json:
        typer.echo(json.dumps({"stack": stack, **asdict(done)}, indent=2))
        return 1 if done.changes else 0
    what = f"Released {counted(done.members, 'member')} and {counted(done.grants, 'grant')} from stack {stack}"
    if done.changes:
        typer.echo(f"{what}; its preview would change:")
        print_changes(done.changes)
        return 1
    typer.echo(f"{what}; its preview shows no change. In Mixpanel they have what they had.")
    return 0
