"""`make demo` as a user runs it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from demo.sandbox import ROOT
from tests.engine.conftest import QuickEngine

pytestmark = pytest.mark.engine


def environ(tmp_path: Path, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a user who has never set anything up."""
    return {
        **(more or {}),
        **{k: v for k, v in os.environ.items() if not k.startswith(("PULUMI_", "MIXPANEL_A"))},
        "TMPDIR": str(tmp_path),
    }


def test_the_demo_holds_and_leaves_nothing_behind(engine: QuickEngine, tmp_path: Path) -> None:
    """It ends with 0 and the summary that the README shows, and its temporary folder is gone.

    Programs start as in the other tests; where the demo is interrupted, the engine starts the real Python.
    """
    done = subprocess.run(
        [sys.executable, "-m", "demo"],
        cwd=ROOT,
        env=environ(tmp_path, engine.thrift),
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    said = done.stdout.partition("Proved in ")[2].splitlines()
    shown = (ROOT / "README.md").read_text().partition("```text\nProved in ")[2].partition("```")[0].splitlines()
    assert [line for line in shown[1:] if line.strip() != "…" and line not in said] == []
    assert done.stdout.count("$ pulumi up") == 6
    assert list(tmp_path.glob("mixpanel-access-demo-*")) == []
    assert _left(tmp_path) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_stops_what_it_started(engine: QuickEngine, tmp_path: Path, number: signal.Signals) -> None:
    """Ctrl-C in the middle of an up, where all starts as for a user: no emulator, no engine and no folder is left."""
    env = environ(tmp_path, engine.thrift if number == signal.SIGTERM else None)
    command = [sys.executable, "-m", "demo"]
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True) as demo:
        assert demo.stdout is not None
        for line in demo.stdout:
            if line.startswith("$ pulumi up"):
                break
        demo.send_signal(number)
        rest = demo.stdout.read()
        assert demo.wait(60) == 130
    assert "everything that was started is stopped too" in rest
    assert "Traceback" not in rest
    deadline = time.monotonic() + 20
    while _left(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.1)  # the kernel's own time to end a killed process
    assert _left(tmp_path) == []
    assert list(tmp_path.glob("mixpanel-access-demo-*")) == []


def _left(tmp_path: Path) -> list[str]:
    """Processes that run with our temporary folder in their environment."""
    return [f"{pid}: {command}" for pid, command, marked in _processes(f"TMPDIR={tmp_path}".encode()) if marked]


def _processes(mark: bytes) -> Iterator[tuple[int, str, bool]]:
    if not Path("/proc").is_dir():
        pytest.skip("needs /proc to look for processes")
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                yield (
                    int(entry.name),
                    (entry / "cmdline").read_text(),
                    mark in (entry / "environ").read_bytes().split(b"\0"),
                )
            except OSError:
                continue  # ended meanwhile
