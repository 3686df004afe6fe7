"""Getting somebody started, and finding out what is wrong, on the real engine: one story of one person."""

from __future__ import annotations

import json
import re
import subprocess
from typing import Any

import pytest

from tests.engine.conftest import PRODUCTION, Workspace

pytestmark = [pytest.mark.engine, pytest.mark.python_engine]


ROBIN = "robin@agency.example.org"


def diagnosed(workspace: Workspace, email: str, code: int, *args: str) -> dict[str, Any]:
    """What `diagnose` finds: failure -> finding, in its order."""
    shown = workspace.command("diagnose", email, "--json", *args)
    assert shown.returncode == code, shown.stderr
    return {one["failure"]: one for one in json.loads(shown.stdout)["findings"]}


def causes(found: dict[str, Any]) -> list[str]:
    """The failures that are a cause, the most likely first."""
    return [failure for failure, one in found.items() if one["verdict"] == "cause"]


def tasks(shown: subprocess.CompletedProcess[str]) -> dict[str, bool]:
    """Task -> done, of the printed checklist."""
    return {key: mark == "x" for mark, key in re.findall(r"^([x-]) +(\S+) ", shown.stdout, re.MULTILINE)}


def test_a_collaborator_gets_started_and_in_trouble(workspace: Workspace) -> None:
    """Invited, in, ticked off; then a lowered role, a failed login, a removal: each is found, and its fix works."""
    emulator = workspace.emulator
    emulator.control("POST", "clock", {"now": "2026-05-04T12:00:00Z"})
    workspace.run("config", "set", "mixpanel:now", "2026-05-04T12:00:00Z", "--stack", "production")
    before = diagnosed(workspace, ROBIN, 1)
    assert causes(before) == ["not invited"]
    assert before["not invited"]["fix"] == ["`pulumi up --stack production --refresh`"]
    workspace.up()

    waiting = diagnosed(workspace, ROBIN, 1, "--now", "2026-05-06T12:00:00Z")
    assert causes(waiting) == ["invitation not accepted"]
    assert re.search(r"^sent on 2026-05-04 .*, (47|48) h ago$", waiting["invitation not accepted"]["evidence"][0])
    first = workspace.command("onboard", ROBIN)
    assert first.returncode == 1, first.stderr
    assert [key for key, done in tasks(first).items() if done] == ["invited"]

    emulator.control("POST", "invitations/accept", {"email": ROBIN})
    open_tasks = ["welcome", "network", "second-factor", "rules", "exports", "first-report"]
    ticks = [part for key in open_tasks for part in ("--done", key)]
    ready = workspace.command("onboard", ROBIN, *ticks, "--by", "ana@example.com")
    assert (ready.returncode, ready.stderr.count("\n")) == (0, 1), ready.stdout
    assert set(tasks(ready)) == {"invited", "accepted", "logged-in", "roles", *open_tasks}
    assert "2026-05-04 by ana@example.com" in ready.stdout
    assert ready.stdout.endswith(f"{ROBIN}, analyst: 0 tasks of 10 to do.\n")
    kept = json.loads((workspace.pulumi.project / "onboarding.json").read_text())
    assert set(kept[ROBIN]) == set(open_tasks)
    assert {tick["by"] for tick in kept[ROBIN].values()} == {"ana@example.com"}
    everybody = workspace.command("onboard")
    assert everybody.stdout.endswith("\n0 of 1 person with something to do.\n"), everybody.stdout
    # The clock of the emulator runs on from where it was set.
    later = ("--now", "2026-05-04T13:00:00Z")
    assert causes(diagnosed(workspace, ROBIN, 0, *later)) == []

    emulator.control("POST", "clock", {"now": "2026-05-04T12:30:00Z"})  # after the second of the login that succeeded
    emulator.control("POST", "grants", {"email": ROBIN, "project": PRODUCTION, "role": "consumer"})
    emulator.control("POST", "login", {"email": ROBIN, "method": "password", "fails": True})
    spoilt = diagnosed(workspace, ROBIN, 1, *later)
    assert causes(spoilt) == ["password or second factor", "role lower than declared"]
    evidence = spoilt["role lower than declared"]["evidence"]
    assert evidence[0] == "consumer in shop, and analyst is declared"
    assert evidence[1].startswith("made consumer on 2026-05-04 at 12:")
    workspace.run("up", "--yes", "--skip-preview", "--refresh", "--stack", "production")
    emulator.control("POST", "login", {"email": ROBIN, "method": "password"})
    assert causes(diagnosed(workspace, ROBIN, 0, *later)) == []

    emulator.control("DELETE", f"members/{ROBIN}")
    gone = diagnosed(workspace, ROBIN, 1, *later)
    assert causes(gone) == ["not invited"]
    assert [line.split(" ")[0] for line in gone["not invited"]["evidence"]] == ["none", "removed", "an", "the"]
    shown = workspace.command("diagnose", ROBIN, *later)
    assert shown.stdout.startswith("cause: not invited\n  none of the organization's ")
    assert "\n  1. `pulumi up --stack production --refresh`\n" in shown.stdout
    assert shown.stdout.endswith(f"\n1 cause found for {ROBIN}.\n")

    document = workspace.dump()
    document["security"]["sso"] = {"enabled": True, "required": True, "idp_name": "Okta", "domains": []}
    document["organization"]["plan"] = "growth"
    emulator.control("POST", "seed", document)
    workspace.run("up", "--yes", "--skip-preview", "--refresh", "--stack", "production")
    unclaimed = diagnosed(workspace, ROBIN, 1, *later)
    assert causes(unclaimed) == ["invitation not accepted", "single sign-on, domain not claimed"]
    preflight = workspace.command("preflight", ROBIN)
    assert preflight.returncode == 1
    said, (_, domain) = " ".join(preflight.stdout.split()), ROBIN.split("@")
    assert f"cannot log in: single sign-on is required, and {domain} is not a claimed" in said
    assert "\nMost likely: " in preflight.stdout


def test_what_cannot_be_diagnosed_or_started(workspace: Workspace) -> None:
    """One line that says what, and nothing is written."""
    for args, words in (
        (("diagnose", "robin"), "cannot diagnose for robin"),
        (("onboard", "lee@example.com"), "no roster gives them anything today"),
        (("onboard", "--done", "rules"), "nobody is named"),
        (("onboard", ROBIN, "--done", "rulez"), "'rulez' is not a task of theirs (did you mean 'rules'?)"),
        (("onboard", ROBIN, "--done", "rules", "--by", "ana"), "cannot use --by for ana"),
    ):
        failed = workspace.command(*args)
        assert (failed.returncode, failed.stdout) == (2, ""), args
        assert words in failed.stderr, (args, failed.stderr)
        assert "Traceback" not in failed.stderr
    assert not (workspace.pulumi.project / "onboarding.json").exists()
