"""The command line in this process, as a terminal would have it: quicker than a process for each command."""

from __future__ import annotations

import io
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass

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


def typed(*words: str) -> Typed:
    """Run a command without input."""
    out, err = io.BytesIO(), io.BytesIO()
    streams = (
        io.TextIOWrapper(out, "utf-8", write_through=True),
        io.TextIOWrapper(err, "utf-8", "backslashreplace", write_through=True),
    )
    code, through = 0, None
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(streams[0]), redirect_stderr(streams[1]):
        patch.setattr(sys, "argv", ["mixpanel-access", *words])
        patch.setattr(sys, "stdin", io.StringIO())
        try:
            main()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        except Exception as error:  # noqa: BLE001  # it is the caller's to judge
            code, through = 1, error
    return Typed(code, out.getvalue().decode(), err.getvalue().decode(), through)
