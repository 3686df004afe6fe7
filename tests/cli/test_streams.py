"""Standard output that is closed, or whose reader has gone: the command's own exit code, and no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

COMMANDS: dict[str, tuple[tuple[str, ...], int]] = {
    "help": (("--help",), 0),
    "a table": (("policy", "list"), 0),
    "a long text": (("policy", "reference"), 0),
    "JSON": (("policy", "list", "--json"), 0),
    "an error": (("roster", "none.yaml"), 2),
    "a wrong command": (("nothing",), 2),
}
COMMAND = (sys.executable, "-m", "mixpanel_access")
WAYS = {
    "reader has gone": "{} | true",
    "reader leaves after a line": "{} | head -1",
    "standard error has no reader either": "{} 2>&1 | true",
    "closed": "{} >&-",
    "both closed": "{} >&- 2>&-",
    "all closed": "{} <&- >&- 2>&-",
    "unbuffered": "PYTHONUNBUFFERED=1 {} | true",
}


PAIRS = [
    *(("a table", way) for way in WAYS),
    *(("an error", way) for way in ("closed", "all closed", "standard error has no reader either")),
    *((command, "reader has gone") for command in COMMANDS),
]
"""A process each: every way with a table, every command with the most frequent way."""


@pytest.mark.parametrize(("command", "way"), dict.fromkeys(PAIRS))
def test_a_command_ends_with_its_own_exit_code(command: str, way: str, tmp_path: Path) -> None:
    """Whether or not somebody reads what it says."""
    words, code = COMMANDS[command]
    shown = run(WAYS[way], words, tmp_path)
    assert shown.returncode == code, shown.stderr
    assert "Traceback" not in shown.stderr
    assert "Exception ignored" not in shown.stderr


def run(way: str, words: tuple[str, ...], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command in a shell; the exit code is the command's."""
    line = way.format(" ".join((*COMMAND, *words)))
    return subprocess.run(
        ["bash", "-c", f"{line}; exit ${{PIPESTATUS[0]}}"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")  # noqa: PTH110
def test_output_that_is_lost_is_an_error(tmp_path: Path) -> None:
    """A full disk is no reader that has gone: the file lacks what somebody wants to read."""
    shown = run("{} >/dev/full", ("policy", "reference"), tmp_path)
    assert (shown.returncode, shown.stderr.count("\n")) == (2, 1)
    assert shown.stderr.startswith("error: cannot go on: No space left on device")


def test_no_file_takes_the_place_of_closed_output(tmp_path: Path) -> None:
    """The next file that is opened would be standard output, and what is printed would land in it."""
    probe = (
        "import sys; from mixpanel_access.cli import streams; streams.prepare();"
        "file = open('roster.yaml', 'w'); print('not in there', flush=True); file.write('x'); file.close()"
    )
    subprocess.run(["bash", "-c", f'{sys.executable} -c "{probe}" <&- >&- 2>&-'], cwd=tmp_path, timeout=60, check=True)
    assert (tmp_path / "roster.yaml").read_text() == "x"
