"""`mixpanel-access token`: print the token of one service account, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import typer

from mixpanel_access.cli.output import progress
from mixpanel_access.operations.project import open_project
from mixpanel_access.operations.tokens import token_of


def print_token(folder: Path, name: str, stacks: list[str], *, as_json: bool) -> int:
    """Read and print."""
    found = token_of(open_project(folder, progress), name, stacks)
    token = found.token.reveal() if found.token else ""
    row = {"stack": found.stack, "name": found.names[0], "login": found.login, "token": token}
    typer.echo(json.dumps(row, indent=2) if as_json else token)
    return 0
