"""`mixpanel-access token`: print the token of one service account, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypedDict

import typer

from mixpanel_access.cli.options import AsJson, Folder, Stacks
from mixpanel_access.cli.output import print_json, progress


class TokenDocument(TypedDict):
    """What `token` prints as JSON."""

    stack: Annotated[str, "the stack that has the account"]
    name: Annotated[str, "the account's name in the roster"]
    login: Annotated[str, "its login name"]
    token: Annotated[str, "its token"]


def token(
    name: Annotated[str, typer.Argument(help="The service account: its name in the roster, or its login name.")],
    stack: Stacks = None,
    cwd: Folder = Path(),
    as_json: AsJson = False,
) -> int:
    """Print the token of one service account, read from the state and alone on standard output, for a secret store.

    Example: `mixpanel-access token etl --stack production`
    """
    from mixpanel_access.operations.project import open_project
    from mixpanel_access.operations.tokens import token_of

    found = token_of(open_project(cwd, progress), name, stack or [])
    secret = found.token.reveal() if found.token else ""
    if as_json:
        print_json(TokenDocument(stack=found.stack, name=found.names[0], login=found.login, token=secret))
    else:
        typer.echo(secret)
    return 0
