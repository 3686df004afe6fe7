"""`mixpanel-access new`: make a project."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, TypedDict

import typer

from mixpanel_access.cli.options import AsJson
from mixpanel_access.cli.output import print_json
from mixpanel_access.model.new_project import CI, NAME, Backend


class NewDocument(TypedDict):
    """What `new` and `policy pack` print as JSON."""

    folder: Annotated[Path, "the folder"]
    files: Annotated[Sequence[str], "the files that were written"]


def new(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The project's folder; created if it does not exist.")],
    name: Annotated[str, typer.Option(help="The project's name in Pulumi.")] = NAME,
    ci: Annotated[CI, typer.Option(help="The CI system whose workflow the project gets.")] = CI.GITHUB,
    backend: Annotated[Backend, typer.Option(help="Where the states are kept.")] = Backend.S3,
    wheel: Annotated[
        Path | None,
        typer.Option(help="The wheel of this version, which goes into the project. Default: the installed one."),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Create a project with program, rosters, policies and CI workflow; existing files are not touched.

    Example: `mixpanel-access new access`
    """
    from mixpanel_access.model.dates import today
    from mixpanel_access.operations.new_project import new_project, read_wheel

    files = new_project(folder, read_wheel(wheel), name, ci, today(None), backend)
    if as_json:
        print_json(NewDocument(folder=folder, files=files))
        return 0
    for file in files:
        typer.echo(f"  {file}")
    typer.echo(f"{folder} is a project of {len(files)} files. How to go on: {folder / 'README.md'}")
    return 0
