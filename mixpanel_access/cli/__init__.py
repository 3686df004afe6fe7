"""The command line: thin commands that parse, call, and print. Heavy imports happen inside the commands."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mixpanel_access.model.errors import AccessError


REMOVED: Final = {"expire": "mixpanel-access revoke --within 14"}
"""The commands of version 0.1.0 that are gone -> what has taken their place."""


def main() -> None:
    """Run the command line; an error of ours is one line and an exit code, with a traceback only when debugging."""
    # httpx brings a command line of its own where it finds what that needs, and every command would wait for it. This
    # is how Python is told that a module is not there.
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
    from mixpanel_access.cli import streams

    streams.prepare()
    from mixpanel_access.cli.app import app
    from mixpanel_access.model.errors import DEBUG_VARIABLE, AccessError

    try:
        _must_be_text(sys.argv[1:])
        _must_not_be_removed(sys.argv[1:])
        try:
            app()
        finally:
            streams.finish()
    except (AccessError, OSError) as error:
        if os.environ.get(DEBUG_VARIABLE) == "1":
            raise
        told = _told(error) if isinstance(error, OSError) else error
        sys.stderr.write(f"error: {told}\n")
        sys.exit(told.exit_code)


def _must_be_text(arguments: Sequence[str]) -> None:
    """Hold what is not UTF-8: no roster, packet or log can keep it, and a command may have written half by then."""
    from mixpanel_access.model.errors import UsageError

    for argument in arguments:
        shown = argument.encode(errors="backslashreplace").decode()
        if shown != argument:
            why = "it has bytes that are not UTF-8"
            raise UsageError("cannot read an argument", whom=shown, why=why, next_step="Write it in UTF-8.")


def _must_not_be_removed(arguments: Sequence[str]) -> None:
    """Name the successor of a command of version 0.1.0."""
    from mixpanel_access.model.errors import UsageError

    if arguments and (instead := REMOVED.get(arguments[0])):
        raise UsageError(f"`{arguments[0]}` was removed; use `{instead}`")


def _told(error: OSError) -> AccessError:
    """The error that a file system has, for whom nobody has said it better: a name too long, a disk that is full."""
    from mixpanel_access.model.errors import DEBUG_VARIABLE, UsageError

    why, step = error.strerror or str(error), f"Fix that; {DEBUG_VARIABLE}=1 shows where it was."
    return UsageError("cannot go on", whom=str(error.filename or ""), why=why, next_step=step)
