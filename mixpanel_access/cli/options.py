"""Options that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Folder = Annotated[Path, typer.Option("--cwd", "-C", help="The folder of the Pulumi project.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Stacks = Annotated[list[str] | None, typer.Option(help="Only this stack; repeatable. Default: all of the project.")]
Now = Annotated[
    str | None, typer.Option(help="The instant to take as now (ISO 8601). Default: mixpanel:now, else the clock.")
]
Clock = Annotated[str | None, typer.Option("--now", help="The instant to take as now (ISO 8601). Default: the clock.")]
