"""Calls of `pulumi` from the provider's process, which only read and answer in JSON."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from typing import Any, Final

_SECONDS: Final = 60.0
"""How long one call may take."""
_OF_THIS_PROCESS: Final = ("PULUMI_CONFIG", "PULUMI_LOG_OTLP_ENDPOINT")
"""What the engine sets for this process alone, and another one has no use for."""


class Unreadable(Exception):
    """`pulumi` did not answer; the text says why."""


def ask(program: str, environ: Mapping[str, str], *args: str) -> Any:
    """What a command of `pulumi` writes, as JSON.

    Args:
        program: the program, by its path or its name on PATH.
        environ: the environment; what the engine has set in it for this process alone is left out.
        args: the command and its arguments.

    Raises:
        Unreadable: it cannot be run, fails, or writes no JSON.
    """
    kept = {key: value for key, value in environ.items() if key not in _OF_THIS_PROCESS}
    command = [program, "--non-interactive", "--color=never", *args]
    try:
        done = subprocess.run(  # noqa: S603  # the engine that runs us, or the one on PATH
            command, env=kept, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise Unreadable(f"`pulumi {args[0]} {args[1]}` cannot be run ({type(error).__name__})") from None
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", errors="replace").strip().splitlines()
        raise Unreadable(f"`pulumi {args[0]} {args[1]}` failed{f': {said[-1]}' if said else ''}")
    try:
        return json.loads(done.stdout)
    except ValueError:
        raise Unreadable(f"`pulumi {args[0]} {args[1]}` wrote no JSON") from None
