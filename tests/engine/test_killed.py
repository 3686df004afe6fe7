"""The engine killed in the middle of an up: the next one finishes, and nothing is double."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pytest
from hypothesis import settings

from mixpanel_access.model.errors import EngineError
from tests.engine.conftest import PRODUCTION, WAREHOUSE, Workspace
from tests.tally import count

pytestmark = pytest.mark.engine


@pytest.fixture
def workspace(workspace: Workspace) -> Workspace:
    """Whose engine writes the state after each step."""
    workspace.environ["PULUMI_SKIP_CHECKPOINTS"] = "false"
    return workspace


CREW = [
    {
        "email": f"p{n}@d{n}.example.org",
        "organizationRole": "member",
        "projects": {"shop": "analyst", "warehouse": "admin"},
    }
    for n in range(10)
]


MANY = settings.get_current_profile_name() == "many"
RUNS = [(point, True) for point in (range(3, 23, 2) if MANY else [6])] + [(6, False)]
"""How many grants are there at the least when the engine is killed, and whether it saves its state with each step.

With the saved steps, our own server serves the resources; else it is the SDK's.
Two grants were there before, 22 are all, and then the state is still to be written.
"""


@pytest.mark.parametrize(("point", "checkpoints"), RUNS)
def test_the_next_up_finishes_what_a_killed_one_began(workspace: Workspace, point: int, *, checkpoints: bool) -> None:
    """SIGKILL to the engine and all its plugins while twenty grants are being written; what was made is adopted."""
    skip = {"PULUMI_SKIP_CHECKPOINTS": str(not checkpoints)}
    if not checkpoints:
        workspace.on_the_sdks_server()
    workspace.roster(CREW)
    slow = {"method": "POST", "path_prefix": "/", "kind": "delay", "seconds": 0.3, "count": 100}  # as a real server is
    workspace.emulator.control("POST", "faults", [slow])
    killed_when(workspace, _up(workspace), lambda: len(workspace.dump()["grants"]) >= point, environ=skip)
    assert bool(workspace.resources()) == checkpoints
    workspace.up()
    emails = [str(person["email"]) for person in CREW]
    lost = [email for email in emails if workspace.grants(email) != {PRODUCTION: "analyst", WAREHOUSE: "admin"}]
    double = [email for email in emails if workspace.mails(email) != 1]
    count("kills")
    count("kills: lost", len(lost))
    count("kills: double", len(double))
    assert (lost, double) == ([], [])
    assert len(workspace.resources()) == 31
    assert len(workspace.members()) == 16
    workspace.unchanged()


REACHED: dict[str, Callable[[dict[str, Any]], bool]] = {
    "Team": lambda there: any(team["name"] == "Loaders" for team in there["teams"]),
    "ProjectAccess": lambda there: any(row["email"] == CREW[0]["email"] for row in there["grants"]),
}
"""What is in Mixpanel, and not in the state, when the engine is killed."""


@pytest.mark.parametrize("kind", REACHED)
def test_a_killed_run_on_the_sdks_server_is_finished_by_the_next(workspace: Workspace, kind: str) -> None:
    """SIGKILL while a team and all grants of a project are made, and no state has them: there is one of each."""
    workspace.on_the_sdks_server()
    crew = [{**person, "teams": ["data"]} for person in CREW[:4]]
    projects = {
        "shop": {"id": PRODUCTION, "environment": "production"},
        "warehouse": {"id": WAREHOUSE, "environment": "production", "authoritative": True},
    }
    workspace.roster(crew, projects=projects, teams={"data": {"name": "Loaders", "projects": {"shop": "consumer"}}})
    slow = {"method": "POST", "path_prefix": "/", "kind": "delay", "seconds": 0.3, "count": 100}
    workspace.emulator.control("POST", "faults", [slow])
    nothing_saved = {"PULUMI_SKIP_CHECKPOINTS": "true"}
    killed_when(workspace, _up(workspace), lambda: REACHED[kind](workspace.dump()), environ=nothing_saved)
    assert workspace.resources() == []
    workspace.up()
    (team,) = (team for team in workspace.dump()["teams"] if team["name"] == "Loaders")
    assert len(team["members"]) == len(crew)
    for email in (str(person["email"]) for person in crew):
        assert workspace.grants(email) == {PRODUCTION: "analyst", WAREHOUSE: "admin"}
        assert workspace.mails(email) == 1
    workspace.unchanged()


@pytest.mark.parametrize("server", ["ours", "the SDK's"])
def test_an_account_that_a_killed_run_has_left_is_found_and_deleted(workspace: Workspace, server: str) -> None:
    """SIGKILL between the creation in Mixpanel and the write of the state: in the end there is one account."""
    if server != "ours":
        workspace.on_the_sdks_server()
    workspace.roster([])
    workspace.up()
    workspace.roster([], serviceAccounts={"etl": {"role": "consumer", "expires": "2999-01-01"}})
    path = "/api/app/organizations"
    lost = {"method": "POST", "path_prefix": path, "kind": "drop_after"}
    slow = {"method": "DELETE", "path_prefix": path, "kind": "delay", "seconds": 20.0}  # of what was lost
    workspace.emulator.control("POST", "faults", [lost, slow])
    # What is made within the second in which the last run ended may be of that run.
    workspace.emulator.control("POST", "clock", {"advance_seconds": 2})

    def accounts() -> list[dict[str, Any]]:
        return [one for one in workspace.dump()["service_accounts"] if one["username"].startswith("etl.")]

    killed_when(workspace, _up(workspace), lambda: bool(accounts()))
    workspace.emulator.control("DELETE", "faults")  # it may have been killed before it asked to delete
    left = accounts()
    said = workspace.up().stdout
    (account,) = accounts()
    assert account["id"] != left[0]["id"]
    assert f"deleted {left[0]['username']} ({left[0]['id']}), which a run that was killed has left" in said
    assert workspace.outputs("service-account/etl")["account_id"] == account["id"]
    workspace.unchanged()


@pytest.mark.parametrize("command", ["up", "revoke"])
def test_revoke_finishes_what_a_killed_run_began(workspace: Workspace, command: str) -> None:
    """SIGKILL while ended access is taken away: `revoke` names the lock that is left, and then takes the rest."""
    crew = [{**person, "ends": "2026-06-30"} for person in CREW[:6]]
    stays = {"email": "stays@example.com", "organizationRole": "member", "projects": {"shop": "consumer"}}
    workspace.run("config", "set", "mixpanel:now", "2026-06-30T12:00:00Z", "--stack", "production")
    workspace.roster([*crew, stays])
    workspace.up()
    workspace.run("config", "set", "mixpanel:now", "2026-07-01T02:00:00Z", "--stack", "production")
    slow = {"method": "POST", "path_prefix": "/", "kind": "delay", "seconds": 0.3, "count": 100}
    workspace.emulator.control("POST", "faults", [slow])
    held = len(workspace.dump()["grants"])
    nightly = [sys.executable, "-m", "mixpanel_access", "revoke", "--yes"] if command == "revoke" else _up(workspace)
    killed_when(workspace, nightly, lambda: len(workspace.dump()["grants"]) <= held - 3, cancel=False)
    locked = workspace.command("revoke", "--yes")
    assert (locked.returncode, "pulumi cancel" in locked.stdout + locked.stderr) == (1, True)
    workspace.run("cancel", "--yes", "--stack", "production")
    done = workspace.command("revoke", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    emails = [str(person["email"]) for person in crew]
    assert [email for email in emails if email in workspace.members() or workspace.grants(email)] == []
    assert workspace.grants("stays@example.com") == {PRODUCTION: "consumer"}
    if command == "revoke":
        workspace.unchanged()


def test_a_state_whose_attributes_a_killed_run_cut_off_is_told_and_mended(workspace: Workspace) -> None:
    """The engine cannot read a stack next to an empty .attrs file: the message says which files to delete."""
    state = workspace.pulumi.environ["PULUMI_BACKEND_URL"]
    folder = url2pathname(urlsplit(state).path)
    assert not list(Path(folder).rglob("*.attrs"))  # so ours writes none
    plain = state.partition("?")[0]
    workspace.run("stack", "init", "third", PULUMI_BACKEND_URL=plain)
    (attributes,) = Path(folder).rglob("third.json.attrs")
    attributes.write_text("")
    with pytest.raises(EngineError, match=r"load checkpoint: EOF.* delete the empty \.attrs files there"):
        workspace.run("cancel", "--yes", "--stack", "third")
    attributes.unlink()
    workspace.run("cancel", "--yes", "--stack", "third")


def _up(workspace: Workspace) -> list[str]:
    return [str(workspace.pulumi.engine.folder / "pulumi"), "up", "--yes", "--skip-preview", "--stack", "production"]


def killed_when(
    workspace: Workspace,
    command: list[str],
    reached: Callable[[], bool],
    *,
    cancel: bool = True,
    environ: Mapping[str, str] | None = None,
) -> None:
    """Run a command, kill it with all its processes once something is reached, and take the engine's lock away."""
    with subprocess.Popen(
        command,
        cwd=workspace.pulumi.project,
        env=workspace.pulumi.engine.environment({**workspace.pulumi.environ, **workspace.environ, **(environ or {})}),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as running:
        deadline = time.monotonic() + 120
        while not reached():
            assert time.monotonic() < deadline
            with contextlib.suppress(subprocess.TimeoutExpired):  # look again in a moment; both need the processor
                running.wait(0.05)
            assert running.returncode is None, "it was done before it could be killed"
        for pid in _session(running.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    assert running.returncode == -signal.SIGKILL
    workspace.emulator.control("DELETE", "faults")
    if cancel:
        workspace.run("cancel", "--yes", "--stack", "production")


def _session(leader: int) -> list[int]:
    """All processes of a session: the engine puts each plugin into a group of its own."""
    listing = subprocess.run(["ps", "-axo", "pid=,sess="], capture_output=True, text=True, check=False).stdout
    rows = (line.split() for line in listing.splitlines())
    return [int(pid) for pid, session in rows if session == str(leader)] or [leader]
