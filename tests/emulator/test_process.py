"""`mixpanel-access emulator` as a process."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.emulator.conftest import organization

COMMAND = [sys.executable, "-m", "mixpanel_access", "emulator"]


@contextmanager
def running(*options: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The process, and what it listens on."""
    pipe = subprocess.PIPE
    with subprocess.Popen([*COMMAND, *options], stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        try:
            yield line, process
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_listens_and_ends_when_told(number: signal.Signals) -> None:
    """The first line is the address, connections are accepted by then, and the end is clean."""
    with running("--demo") as (line, process):
        assert line.startswith("listening on http://127.0.0.1:")
        url = line.removeprefix("listening on ").strip()
        dump = httpx.get(f"{url}/_emulator/dump").json()
        assert dump["organization"]["id"] == 7654321
        process.send_signal(number)
        out, err = process.communicate(timeout=10)
        assert (process.returncode, out, err) == (0, "", "")


def test_a_data_file_keeps_the_organization(tmp_path: Path) -> None:
    """What was seeded is there after a restart."""
    data, seed = tmp_path / "organization.sqlite", tmp_path / "seed.json"
    seed.write_text(json.dumps(organization()))
    for options in (("--seed", str(seed)), ()):
        with running("--data", str(data), *options) as (line, process):
            dump = httpx.get(f"{line.removeprefix('listening on ').strip()}/_emulator/dump").json()
            assert [member["email"] for member in dump["members"]][:1] == ["ana@example.com"]
            process.terminate()
            process.wait(10)


def test_it_warns_when_it_is_bound_beyond_loopback() -> None:
    """Who asks for another address is told what that means."""
    with running("--host", "0.0.0.0") as (line, process):  # that is what is tested
        assert line.startswith("listening on http://0.0.0.0:")
        process.terminate()
        _, err = process.communicate(timeout=10)
        assert err.startswith("warning: bound to 0.0.0.0")


def test_what_cannot_be_used_is_one_line(tmp_path: Path) -> None:
    """A port in use, a bad seed, a data file that is none, and options that exclude each other: exit 2."""
    broken, wrong, no_data = tmp_path / "broken.json", tmp_path / "wrong.json", tmp_path / "data"
    broken.write_text("{")
    wrong.write_text('{"organization": {"id": "x", "name": "E"}}')
    no_data.write_text("no database at all, " * 100)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        cases = {
            ("--port", str(taken.getsockname()[1])): "cannot listen",
            ("--seed", str(broken)): "it is not JSON",
            ("--seed", str(wrong)): "organization.id",
            ("--seed", str(tmp_path / "missing")): "No such file",
            ("--data", str(no_data)): "not a database",
            ("--seed", str(broken), "--demo"): "exclude each other",
        }
        for options, words in cases.items():
            done = subprocess.run([*COMMAND, *options], capture_output=True, text=True, timeout=30, check=False)
            assert (done.returncode, done.stdout) == (2, ""), options
            assert done.stderr.startswith("error: ")
            assert words in done.stderr
            assert len(done.stderr.splitlines()) == 1
