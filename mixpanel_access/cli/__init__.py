"""The command line: thin commands that parse, call, and print. Heavy imports happen inside the commands."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command line; an error of ours is one line and an exit code, with a traceback only when debugging."""
    # httpx brings a command line of its own where it finds what that needs, and every command would wait for it. This
    # is how Python is told that a module is not there.
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
    from mixpanel_access.cli.app import app
    from mixpanel_access.model.errors import DEBUG_VARIABLE, AccessError

    try:
        app()
    except AccessError as error:
        if os.environ.get(DEBUG_VARIABLE) == "1":
            raise
        sys.stderr.write(f"error: {error}\n")
        sys.exit(error.exit_code)
