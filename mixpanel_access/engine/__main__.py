"""Make sure that there is a Pulumi engine: `python -m mixpanel_access.engine`.

Progress goes to stderr, and the folder of the engine, alone, to stdout. With --explain: what each step would give.
"""
# ruff: noqa: T201 - printing is this command's job

from __future__ import annotations

import argparse
import signal
import sys
from types import FrameType

from mixpanel_access.engine.ensure import ensure_engine, explain
from mixpanel_access.engine.progress import show_on
from mixpanel_access.model.errors import EngineError


def main(arguments: list[str] | None = None) -> int:
    """Run the command; its exit code: 0 there is an engine, 2 there is none, 130 interrupted."""
    parser = argparse.ArgumentParser(
        prog="python -m mixpanel_access.engine",
        description="Find the Pulumi engine, or download or build it into the user's cache; print its folder.",
    )
    parser.add_argument("--explain", action="store_true", help="tell what each step would give, and make nothing")
    options = parser.parse_args(arguments)
    # A plain SIGTERM would end this process and leave its children at work: they run in sessions of their own.
    signal.signal(signal.SIGTERM, _terminate)
    try:
        if options.explain:
            print("\n".join(explain()))
            return 0
        engine = ensure_engine(show_on(sys.stderr))
    except EngineError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted: nothing half made is left behind", file=sys.stderr)
        return 130
    print(engine.folder)
    return 0


def _terminate(number: int, _: FrameType | None) -> None:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
