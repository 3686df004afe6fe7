"""The command line in this process, as a terminal would have it: quicker than a process for each command."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from mixpanel_access.cli import main


@dataclass(frozen=True)
class Typed:
    """What came of a command.

    Attributes:
        code: its exit code; 1 where an exception came through.
        out: what it wrote to standard output.
        err: what it wrote to standard error.
        error: the exception that came through, which a terminal shows as a traceback.
    """

    code: int
    out: str
    err: str
    error: Exception | None = None


def typed(*words: str, cwd: Path | None = None, environ: Mapping[str, str] | None = None) -> Typed:
    """Run a command without input.

    Args:
        words: the command and its arguments.
        cwd: the folder to run it in; this process's own where none is given.
        environ: its whole environment; this process's own where none is given.
    """
    out, err = io.BytesIO(), io.BytesIO()
    streams = (
        io.TextIOWrapper(out, "utf-8", write_through=True),
        io.TextIOWrapper(err, "utf-8", "backslashreplace", write_through=True),
    )
    code, through = 0, None
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(streams[0]), redirect_stderr(streams[1]):
        patch.setattr(sys, "argv", ["mixpanel-access", *words])
        patch.setattr(sys, "stdin", io.StringIO())
        if cwd is not None:
            patch.chdir(cwd)
        if environ is not None:
            for name in os.environ.keys() - environ.keys():
                patch.delenv(name)
            for name, value in environ.items():
                patch.setenv(name, value)
        try:
            main()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        except Exception as error:  # noqa: BLE001  # it is the caller's to judge
            code, through = 1, error
    return Typed(code, out.getvalue().decode(), err.getvalue().decode(), through)
