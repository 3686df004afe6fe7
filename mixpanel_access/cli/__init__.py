"""The command line: commands parse, call and print. Each imports what is slow to load in its own body."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mixpanel_access.model.errors import AccessError


REMOVED: Final = {"expire": "mixpanel-access revoke --within 14"}
"""Command of version 0.1.0 that was removed -> what to use instead."""


def main() -> None:
    """Run the command line; an error of ours is one line and an exit code, with a traceback only when debugging."""
    # httpx loads a command line of its own if it can, and every command would wait for that. None in sys.modules makes
    # Python treat the module as missing.
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
    if sys.argv[1:2] != ["emulator"]:  # which serves for days
        gc.disable()  # a command makes millions of objects that stay to its end, and hardly any garbage
    from mixpanel_access.cli import streams

    streams.prepare()
    from mixpanel_access.cli.app import command_line
    from mixpanel_access.model.errors import DEBUG_VARIABLE, AccessError

    try:
        _must_be_text(sys.argv[1:])
        _must_not_be_removed(sys.argv[1:])
        try:
            command_line()(prog_name="mixpanel-access")
        finally:
            gc.enable()
            streams.finish()
    except (AccessError, OSError) as error:
        if os.environ.get(DEBUG_VARIABLE) == "1":
            raise
        shown = _as_access_error(error) if isinstance(error, OSError) else error
        sys.stderr.write(f"error: {shown}\n")
        sys.exit(shown.exit_code)


def _must_be_text(arguments: Sequence[str]) -> None:
    """Refuse an argument that is not UTF-8: no roster, packet or log can hold it, and half of a file may be written."""
    from mixpanel_access.model.errors import UsageError

    for argument in arguments:
        shown = argument.encode(errors="backslashreplace").decode()
        if shown != argument:
            why = "it has bytes that are not UTF-8"
            raise UsageError("cannot read an argument", subject=shown, why=why, next_step="Write it in UTF-8.")


def _must_not_be_removed(arguments: Sequence[str]) -> None:
    """Refuse a command of version 0.1.0 that was removed, and name what replaces it."""
    from mixpanel_access.model.errors import UsageError

    if arguments and (instead := REMOVED.get(arguments[0])):
        raise UsageError(f"`{arguments[0]}` was removed; use `{instead}`")


def _as_access_error(error: OSError) -> AccessError:
    """An error of the file system that no command has explained: a name that is too long, a full disk."""
    from mixpanel_access.model.errors import DEBUG_VARIABLE, UsageError

    why, step = error.strerror or str(error), f"Fix that; {DEBUG_VARIABLE}=1 shows where it happened."
    return UsageError("cannot go on", subject=str(error.filename or ""), why=why, next_step=step)
