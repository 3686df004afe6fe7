"""Standard input, output and error, even if they are closed or their reader has gone."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING, Final, TextIO

if TYPE_CHECKING:
    from typing_extensions import Buffer

_STANDARD: Final = (0, 1, 2)
_made: TextIO | None = None
"""Our own standard output."""


def prepare() -> None:
    """Open all three streams, and keep a command running when their reader has gone.

    If the reader has gone (`| head -1`), the rest of the output is dropped; the command does its work and ends with its
    own exit code. A stream that is closed at the start (`>&-`) writes to nowhere. Otherwise the next file that is
    opened would become standard output, for us and for every program that we start.
    """
    for number in _STANDARD:
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
    sys.stdin = sys.stdin or open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  # open for as long as we run
    if sys.stdout is sys.__stdout__:
        global _made  # noqa: PLW0603  # there is one standard output
        _made = sys.stdout = _lasting(sys.stdout, 1)
    if sys.stderr is sys.__stderr__:
        sys.stderr = _lasting(sys.stderr, 2)


def finish() -> None:
    """Write what is still buffered, while an error can still be reported.

    Raises:
        OSError: it cannot be written, for example because the disk is full. The interpreter does not try again at its
            end.
    """
    try:
        sys.stdout.flush()
    except OSError:
        if sys.stdout is _made:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        raise


class _Lasting(io.FileIO):
    """A stream that ignores that its reader has gone."""

    def write(self, data: Buffer, /) -> int:
        """Write; without a reader, drop the data."""
        try:
            return super().write(data)
        except BrokenPipeError:
            return memoryview(data).nbytes


def _lasting(stream: TextIO | None, number: int) -> TextIO:
    raw = _Lasting(number, "wb", closefd=False)
    if not isinstance(stream, io.TextIOWrapper):  # there was none
        return io.TextIOWrapper(io.BufferedWriter(raw), "utf-8", "backslashreplace")
    at_once, by_line = stream.write_through, stream.line_buffering
    binary = raw if at_once else io.BufferedWriter(raw)  # as the interpreter has it with -u
    return io.TextIOWrapper(binary, stream.encoding, stream.errors, line_buffering=by_line, write_through=at_once)
