"""Access that begins and ends by the clock alone."""

from __future__ import annotations

import json

import pytest

from tests.engine.conftest import PRODUCTION, Workspace

pytestmark = [pytest.mark.engine, pytest.mark.python_engine]


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
        there = PRODUCTION in workspace.grants(CY)
        assert there == (CY in workspace.members())
        return there

    assert not at("2026-05-31T23:59:59Z")
    soon = workspace.command("revoke", "--stack", "production", "--within", "14")
    assert soon.returncode == 1, soon.stderr
    begins = f"the access of {CY} in stack production begins on 2026-06-01"
    assert " ".join(soon.stdout.splitlines()[1].split()) == f"in 1 day {begins} consumer in shop"
    assert at("2026-06-01T00:00:00Z")
    assert at("2026-06-30T23:59:59Z")
    within = ("revoke", "--stack", "production", "--json", "--within")
    (ending,) = json.loads(workspace.command(*within, "1").stdout)["stacks"]
    assert [(one["event"], one["email"], one["on"]) for one in ending["changes"]] == [("ends", CY, "2026-07-01")]
    (overdue,) = json.loads(workspace.command(*within, "0", "--now", "2026-07-02").stdout)["stacks"]
    assert [one["event"] for one in overdue["changes"]] == ["overdue"]
    shown = workspace.command("revoke", "--stack", "production", "--now", "2026-07-02")
    assert (shown.returncode, shown.stdout.count(f"production  {CY}")) == (1, 2)
    assert CY in workspace.members()
    assert not at("2026-07-01T00:00:00Z")
    quiet = workspace.command("revoke", "--stack", "production", "--within", "365")
    assert (quiet.returncode, quiet.stdout) == (
        0,
        "Nothing begins or ends within 365 days, and nothing is overdue.\n",
    )
    workspace.roster([])
    edited = workspace.command("revoke", "--stack", "production", "--within", "365")
    assert edited.returncode == 0
    (row,) = (line for line in edited.stdout.splitlines() if "is no longer in the roster" in line)
    assert row.startswith("waits  ")
    bad = workspace.command("revoke", "--stack", "production", "--now", "soon")
    assert (bad.returncode, bad.stderr.startswith("error: cannot use --now for soon: it is not an ISO")) == (2, True)
    workspace.run("config", "set", "mixpanel:now", "never", "--stack", "production")
    failed = workspace.run("preview", "--stack", "production", check=False)
    assert "mixpanel:now is 'never', which is not an ISO 8601 instant" in failed.stdout + failed.stderr
    assert "Traceback" not in failed.stdout + failed.stderr
