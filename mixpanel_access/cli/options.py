"""Options that several commands take, each declared once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Folder = Annotated[Path, typer.Option("--cwd", "-C", help="The folder of the Pulumi project.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Stacks = Annotated[
    list[str] | None,
    typer.Option("--stack", "-s", help="Only this stack; repeatable. Without it: all stacks of the project."),
]
"""For a command that only reads, for `revoke` and for `offboard`."""
SelectedStack = Annotated[
    str, typer.Option("--stack", "-s", help="The stack to change. Without it: the stack that Pulumi has selected.")
]
"""For any other command that changes; `operations.project.stack_to_change` takes it."""
Now = Annotated[
    str | None,
    typer.Option(help="The instant to use as now (ISO 8601). Default: mixpanel:now of the stack, else the clock."),
]
