"""Access that begins and ends by the clock alone."""

from __future__ import annotations

import json

import pytest

from tests.engine.conftest import PRODUCTION, Workspace

pytestmark = pytest.mark.engine

CY = "cy@agency.example.org"


def test_access_begins_and_ends_without_an_edit(workspace: Workspace) -> None:
    """Nothing before `starts`; access on both days and between; on the day after `ends` the next up takes it away."""
    workspace.roster(
        [
            {"email": "lee@example.com", "projects": {"shop": "analyst"}},
            {"email": CY, "projects": {"shop": "consumer"}, "starts": "2026-06-01", "ends": "2026-06-30"},
        ]
    )

    def at(now: str) -> bool:
        workspace.run("config", "set", "mixpanel:now", now, "--stack", "production")
        workspace.up("production")
        workspace.run("preview", "--expect-no-changes", "--stack", "production")
        there = PRODUCTION in workspace.grants(CY)
        assert there == (CY in workspace.members())
        return there

    assert not at("2026-05-31T23:59:59Z")
    soon = workspace.command("expire", "--stack", "production")
    assert soon.returncode == 1, soon.stderr
    assert " ".join(soon.stdout.splitlines()[1].split()) == f"begins {CY} 2026-06-01 in 1 day shop consumer".replace(
        "in ", ""
    )
    assert at("2026-06-01T00:00:00Z")
    assert at("2026-06-30T23:59:59Z")
    ending = json.loads(workspace.command("expire", "--stack", "production", "--days", "1", "--json").stdout)
    assert [(one["event"], one["email"], one["on"]) for one in ending["changes"]] == [("ends", CY, "2026-07-01")]
    overdue = workspace.command("expire", "--stack", "production", "--now", "2026-07-02", "--json")
    assert [one["event"] for one in json.loads(overdue.stdout)["changes"]] == ["overdue"]
    assert not at("2026-07-01T00:00:00Z")
    quiet = workspace.command("expire", "--stack", "production", "--days", "365")
    assert (quiet.returncode, quiet.stdout) == (
        0,
        "The clock alone changes nothing in stack production until 365 days from 2026-07-01.\n",
    )
    bad = workspace.command("expire", "--stack", "production", "--now", "soon")
    assert (bad.returncode, bad.stderr.startswith("error: cannot use --now for soon: it is no ISO")) == (2, True)
    workspace.run("config", "set", "mixpanel:now", "never", "--stack", "production")
    failed = workspace.run("preview", "--stack", "production", check=False)
    assert "mixpanel:now is 'never', which is no ISO 8601 instant" in failed.stdout + failed.stderr
    assert "Traceback" not in failed.stdout + failed.stderr
