"""The engine killed in the middle of an up: the next one finishes, and nothing is double."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time

import pytest

from tests.engine.conftest import PRODUCTION, WAREHOUSE, Workspace

pytestmark = pytest.mark.engine

CREW = [
    {
        "email": f"p{n}@d{n}.example.org",
        "organizationRole": "member",
        "projects": {"shop": "analyst", "warehouse": "admin"},
    }
    for n in range(10)
]


def test_the_next_up_finishes_what_a_killed_one_began(workspace: Workspace) -> None:
    """SIGKILL to the engine and all its plugins while twenty grants are being written."""
    workspace.roster(CREW)
    slow = {"method": "POST", "path_prefix": "/", "kind": "delay", "seconds": 0.3, "count": 100}  # as a real server is
    workspace.emulator.control("POST", "faults", [slow])
    with subprocess.Popen(
        [str(workspace.pulumi.engine.folder / "pulumi"), "up", "--yes", "--skip-preview", "--stack", "production"],
        cwd=workspace.pulumi.project,
        env=workspace.pulumi.engine.environment(workspace.pulumi.environ),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as engine:
        deadline = time.monotonic() + 60
        while len(workspace.dump()["grants"]) < 6:  # two of them were there before
            assert time.monotonic() < deadline
            assert engine.poll() is None, "it was done before it could be killed"
        for pid in _session(engine.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    assert engine.returncode == -signal.SIGKILL
    workspace.emulator.control("DELETE", "faults")
    assert len(workspace.dump()["grants"]) < 22
    workspace.run("cancel", "--yes", "--stack", "production")
    workspace.up()
    for person in CREW:
        email = str(person["email"])
        assert workspace.grants(email) == {PRODUCTION: "analyst", WAREHOUSE: "admin"}
        assert workspace.mails(email) == 1
    assert len(workspace.resources()) == 31
    assert len(workspace.members()) == 16
    workspace.unchanged()


def _session(leader: int) -> list[int]:
    """All processes of a session: the engine puts each plugin into a group of its own."""
    listing = subprocess.run(["ps", "-axo", "pid=,sess="], capture_output=True, text=True, check=False).stdout
    rows = (line.split() for line in listing.splitlines())
    return [int(pid) for pid, session in rows if session == str(leader)] or [leader]
