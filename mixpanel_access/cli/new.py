"""`mixpanel-access new`: make a project."""

from __future__ import annotations

import json
from pathlib import Path

import typer

from mixpanel_access.model import dates
from mixpanel_access.model.new_project import CI
from mixpanel_access.operations.requirements import read_wheel
from mixpanel_access.operations.scaffolding import new_project


def make_project(folder: Path, name: str, ci: CI, wheel: Path | None, *, as_json: bool) -> int:
    """Write the files, and list them."""
    written = new_project(folder, read_wheel(wheel), name, ci, dates.today(None))
    if as_json:
        typer.echo(json.dumps({"folder": str(folder), "files": written}, indent=2))
        return 0
    for file in written:
        typer.echo(f"  {file}")
    typer.echo(f"{folder} is a project of {len(written)} files. What to do with it: {folder / 'README.md'}")
    return 0
