"""`mixpanel-access release`: take people out of a stack, and leave Mixpanel as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mixpanel_access.cli.options import AsJson, Folder, SelectedStack, addresses
from mixpanel_access.cli.output import print_changes, print_json, progress
from mixpanel_access.model.similarity import counted


def release(
    email: Annotated[
        list[str], typer.Option(help="The address of a person to release; repeatable.", autocompletion=addresses)
    ],
    stack: SelectedStack = "",
    cwd: Folder = Path(),
    as_json: AsJson = False,
) -> int:
    """Take people out of a stack and its roster; in Mixpanel, nothing changes.

    Exit 1 when the preview then shows a change.

    Example: `mixpanel-access release --email robin@agency.example.org`
    """
    from mixpanel_access.operations import releasing
    from mixpanel_access.operations.project import open_project, stack_to_change

    project = open_project(cwd, progress)
    stack = stack_to_change(project, stack)
    done = releasing.release(project, stack, email, progress)
    if as_json:
        print_json(done)
        return 1 if done.changes else 0
    what = f"Released {counted(done.members, 'member')} and {counted(done.grants, 'grant')} from stack {stack}"
    if done.changes:
        typer.echo(f"{what}; its preview would change:")
        print_changes(done.changes)
        return 1
    typer.echo(f"{what}; its preview shows no change. In Mixpanel they keep their access.")
    return 0
