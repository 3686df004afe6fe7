"""Show progress lines on a stream: each on its own line, except that on a terminal a wait overwrites itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import TextIO


def show_on(stream: TextIO) -> Callable[[str], None]:
    """A function that writes progress lines to a stream."""
    terminal, transient = stream.isatty(), False

    def show(line: str) -> None:
        nonlocal transient
        clear = "\r\x1b[K" if transient else ""
        transient = terminal and line.startswith("  ") and " ... " in line
        stream.write(f"{clear}{line}{'' if transient else chr(10)}")
        stream.flush()

    return show
