"""No command writes a state past the engine's lock: what another run writes meanwhile stays, and no e-mail goes out."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any

import pytest

from mixpanel_access.engine import Pulumi
from mixpanel_access.operations.project import PulumiProject
from mixpanel_access.operations.releasing import release
from tests.engine.conftest import PROJECT, Workspace

pytestmark = pytest.mark.engine

ROBIN = "robin@agency.example.org"
PERSON = {"email": ROBIN, "projects": {"shop": "analyst"}}


def lock(workspace: Workspace, stack: str) -> Any:
    """Have the stack be locked, as another run does; a file to delete."""
    folder = workspace.folder / "state/.pulumi/locks/organization" / PROJECT / stack
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "0f2c7d1e-6d3b-4f5e-9d57-0c2f7f1f1a11.json"
    file.write_text(json.dumps({"pid": 1, "username": "ana", "hostname": "ci", "timestamp": "2026-05-04T12:00:00Z"}))
    return file


@pytest.mark.python_engine
def test_no_invitation_goes_out_while_a_state_is_locked(workspace: Workspace) -> None:
    """In whichever stack: one line that says so; once it is free, one e-mail, and every state knows of it."""
    workspace.add("staging")
    for stack in ("production", "staging"):
        workspace.roster([PERSON], stack=stack)
        workspace.up(stack)
    sent = workspace.mails(ROBIN)
    for stack in ("production", "staging"):
        file = lock(workspace, stack)
        before = {one: workspace.outputs(ROBIN, one) for one in ("production", "staging")}
        done = workspace.command("resend", ROBIN)
        assert done.returncode == 2
        assert f"cannot send the invitation again for {stack}: no e-mail went out" in done.stderr
        assert "locked" in done.stderr
        assert "Traceback" not in done.stderr
        assert workspace.mails(ROBIN) == sent
        assert {one: workspace.outputs(ROBIN, one) for one in ("production", "staging")} == before
        file.unlink()
    done = workspace.command("resend", ROBIN, "--json")
    assert done.returncode == 0, done.stderr
    assert workspace.mails(ROBIN) == sent + 1
    at = json.loads(done.stdout)["at"]
    assert {workspace.outputs(ROBIN, stack)["invited_at"] for stack in ("production", "staging")} == {at}
    workspace.unchanged("staging")


def test_what_another_run_writes_beside_release_stays(workspace: Workspace) -> None:
    """Two runs on one stack at once: one of them is refused, and the state has all that Mixpanel has of it."""
    emails = [f"p{n}@agency.example.org" for n in range(4)]
    people: list[dict[str, Any]] = [{"email": email, "projects": {"shop": "analyst"}} for email in emails]
    workspace.roster(people)
    workspace.up()
    running = subprocess.Popen(
        [sys.executable, "-m", "mixpanel_access", "release", "--stack", "production", "--email", emails[0]],
        cwd=workspace.pulumi.project,
        env=workspace.pulumi.engine.environment({**workspace.pulumi.environ, **workspace.environ}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    ups = 0
    while running.poll() is None:
        ups += workspace.run("refresh", "--yes", "--skip-preview", "--stack", "production", check=False).returncode == 0
        time.sleep(0.1)
    running.communicate()
    if running.returncode:
        assert workspace.command("release", "--stack", "production", "--email", emails[0]).returncode == 0
    names = {resource["urn"].rpartition("::")[2] for resource in workspace.resources()}
    assert names == {
        "removal-brake",
        *(name for email in emails[1:] for name in (email, f"1234567:{email}")),
    }
    workspace.up("production", "--refresh", "--expect-no-changes")


@pytest.mark.python_engine
def test_a_release_that_is_done_says_so_though_another_run_holds_the_stack(workspace: Workspace) -> None:
    """Only what is noted at the end waits for the next `up`, and a line says so: to run it again has nothing to do."""
    other = "sam@agency.example.org"
    workspace.roster([PERSON, {"email": other, "projects": {"shop": "analyst"}}])
    workspace.up()
    lines: list[str] = []
    locks: list[Any] = []

    def progress(line: str) -> None:
        lines.append(line)
        if line == "noting what depends on what":
            locks.append(lock(workspace, "production"))

    pulumi = workspace.pulumi
    environ = {**pulumi.environ, **workspace.environ}
    released = release(PulumiProject(Pulumi(pulumi.engine, pulumi.project, environ)), "production", [ROBIN], progress)
    assert (released.members, released.grants, released.entries, released.changes) == (1, 1, 1, [])
    assert lines[-1].startswith("not noted, and the next `pulumi up` notes it: ")
    assert "locked" in lines[-1]
    assert "\n" not in lines[-1]
    (file,) = locks
    file.unlink()
    workspace.up("production", "--refresh", "--expect-no-changes")
