"""Make sure that there is a Pulumi engine: `python -m tools.engine`, which `make engine` runs.

It finds or downloads one as `mixpanel-access engine` does, and otherwise builds it from source. Progress goes to
stderr, and the engine's folder, alone, to stdout.
"""
# ruff: noqa: T201 - printing is this command's job

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TextIO

from mixpanel_access.engine import ensure_engine
from mixpanel_access.engine.settings import EngineSettings
from mixpanel_access.model.errors import EngineError
from tools.engine.build import SOURCE, build_engine


def main(settings: EngineSettings | None = None, source: Path = SOURCE) -> int:
    """Run the command.

    Args:
        settings: the surroundings; by default those of this process.
        source: the Go module to build the engine from.

    Returns:
        The exit code: 0 there is an engine, 2 there is none, 130 interrupted.
    """
    # A plain SIGTERM would end this process and leave its children at work: they run in sessions of their own.
    signal.signal(signal.SIGTERM, _terminate)
    try:
        engine = ensure_engine(show_on(sys.stderr), settings, partial(build_engine, source=source))
    except EngineError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted: nothing half made is left behind", file=sys.stderr)
        return 130
    print(engine.folder)
    return 0


def show_on(stream: TextIO) -> Callable[[str], None]:
    """A function that writes progress lines to a stream: on a terminal, a line about a wait overwrites the last one."""
    terminal, transient = stream.isatty(), False

    def show(line: str) -> None:
        nonlocal transient
        clear = "\r\x1b[K" if transient else ""
        transient = terminal and line.startswith("  ") and " ... " in line
        stream.write(f"{clear}{line}{'' if transient else chr(10)}")
        stream.flush()

    return show


def _terminate(number: int, _: FrameType | None) -> None:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
