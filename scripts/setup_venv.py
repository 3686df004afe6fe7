"""Create a virtualenv with the locked requirements and this package: setup_venv.py FOLDER.

A virtualenv that works is updated; one that an earlier run did not finish is created again. The file `.made` in it,
which is written last, marks it as finished. This script uses only the standard library.
"""
# ruff: noqa: T201, S603 - it prints and runs fixed commands: that is its job

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

REQUIREMENTS = Path("requirements.lock")
PROJECT = Path("pyproject.toml")
PATIENCE = 10.0  # seconds between two progress lines

VENV_HELP = "On Debian and Ubuntu, install the package python{0}.{1}-venv; elsewhere, a Python with venv and ensurepip."


class Failed(Exception):
    """The setup cannot go on; the text says why and what to do."""


def main(venv: Path) -> int:
    """Set up the virtualenv; return the exit code: 0 for done, 2 for failed, 130 for interrupted."""
    signal.signal(signal.SIGTERM, _terminate)
    try:
        with _locked() as waited:
            if waited and _is_current(venv):
                print("the other run has finished it", flush=True)
                return 0
            _set_up(venv)
    except Failed as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted: the next run starts again", file=sys.stderr)
        return 130
    return 0


def _set_up(venv: Path) -> None:
    unfinished = venv / ".unfinished"
    if unfinished.exists():  # a killed installation can leave packages that break pip
        print(f"removing {venv}: an earlier run did not finish it", flush=True)
        shutil.rmtree(venv)
    if not _works(venv):
        shutil.rmtree(venv, ignore_errors=True)
        venv.mkdir()
        unfinished.touch()
        label = f"creating the virtualenv {venv} with Python {sys.version.split()[0]}"
        if _timed(label, [sys.executable, "-m", "venv", str(venv)]) or not _works(venv):
            shutil.rmtree(venv, ignore_errors=True)
            help_text = VENV_HELP.format(*sys.version_info)
            raise Failed(f"{sys.executable} cannot create a virtualenv with pip. {help_text}")
    unfinished.touch()
    pip = [str(venv / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "-q"]
    count = len(re.findall(r"^\S+==", REQUIREMENTS.read_text("utf-8"), re.MULTILINE))
    label = f"installing the requirements of {REQUIREMENTS} ({count} packages)"
    # The lock is complete. Older releases of pip do not match `coverage==1` with the `coverage[toml]` of another line,
    # and stop as soon as there is a newer release than the locked one.
    if _timed(label, [*pip, "--require-hashes", "--no-deps", "-r", str(REQUIREMENTS)]):
        raise Failed("the requirements could not be installed; see the lines above.")
    if _timed("installing this package", [*pip, "--no-deps", "--no-build-isolation", "-e", "."]):
        raise Failed("this package could not be installed; see the lines above.")
    unfinished.unlink()
    (venv / ".made").touch()


def _works(venv: Path) -> bool:
    """Whether a virtualenv has a Python that this project supports, and pip."""
    python = venv / "bin" / "python"
    probe = "import pip, sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))"
    with contextlib.suppress(OSError):
        return subprocess.run([python, "-c", probe], capture_output=True, check=False).returncode == 0
    return False


def _is_current(venv: Path) -> bool:
    made = venv / ".made"
    if not made.exists() or (venv / ".unfinished").exists():
        return False
    return all(made.stat().st_mtime_ns >= path.stat().st_mtime_ns for path in (REQUIREMENTS, PROJECT))


@contextlib.contextmanager
def _locked() -> Iterator[bool]:
    """Hold a lock on the requirements, which ends with this process; yield whether another run held it first."""
    with REQUIREMENTS.open() as file:
        waited = False
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            print("another run is setting up the virtualenv: waiting for it", flush=True)
            waited = True
            fcntl.flock(file, fcntl.LOCK_EX)
        yield waited


def _timed(label: str, command: list[str]) -> int:
    """Run a command, print a line every ten seconds, and return its exit code."""
    print(label, flush=True)
    begun = time.monotonic()
    # It gets its own session: an interrupt must also stop what the command starts, which would go on writing.
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        while True:
            try:
                code = process.wait(PATIENCE)
                break
            except subprocess.TimeoutExpired:
                print(f"  still running ... {time.monotonic() - begun:.0f} s", flush=True)
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    if code == 0:
        print(f"  done in {time.monotonic() - begun:.0f} s", flush=True)
    return code


def _terminate(number: int, _: FrameType | None) -> None:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
