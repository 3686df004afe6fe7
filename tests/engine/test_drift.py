"""`mixpanel-access drift`, over real states of two stacks."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.engine.conftest import PRODUCTION, STAGING, WAREHOUSE, Workspace

pytestmark = [pytest.mark.engine, pytest.mark.python_engine]


DEMO = ("ana", "omar", "kim", "lee", "noor", "billing")
CY = "cy@agency.example.org"


def drift(workspace: Workspace, *args: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder below the project's."""
    return workspace.command("drift", *args, cwd=workspace.stacks)


def test_drift_between_two_stacks_and_the_organization(workspace: Workspace) -> None:
    """Unmanaged people and grants are listed until a stack has them; what is missing or changed is listed too."""
    everybody = [{"email": f"{name}@example.com"} for name in DEMO]
    held = {"lee": {"shop": "analyst"}}
    places = {"lee": ["data"], "noor": ["data"]}
    people = zip(DEMO, everybody, strict=True)
    workspace.roster(
        [{**one, "projects": held.get(name, {}), "teams": places.get(name, [])} for name, one in people],
        teams={"data": {"name": "Data", "projects": {"warehouse": "analyst"}}},
    )
    workspace.add("staging")
    workspace.roster([{"email": "noor@example.com", "projects": {"shop": "consumer"}}, {"email": CY}], "staging")
    workspace.up("staging")
    found = drift(workspace, "--stack", "staging", "--json")
    assert found.returncode == 1
    document = json.loads(found.stdout)
    listed = {(one["kind"], one["email"], one["project"]) for one in document["differences"]}
    assert ("discoverability", True) in {(one["source"], one["known"]) for one in document["otherAccess"]}
    assert ("unmanaged member", "ana@example.com", None) in listed
    assert ("unmanaged grant", "lee@example.com", PRODUCTION) in listed
    assert not any(email in (CY, "noor@example.com") for _, email, _ in listed)

    workspace.up("production")
    refused = {"kind": "status", "status": 403, "path_prefix": "/api/app/organizations/7654321/domains/"}
    workspace.emulator.control("POST", "faults", [refused])
    clean = drift(workspace, "--stack", "production")
    assert (clean.returncode, clean.stderr) == (0, "")
    assert clean.stdout.startswith(
        "No drift: stacks manage all 7 people and 2 individual grants of organization 7654321"
    )
    assert "unknown: discoverability: Mixpanel answered 403" in clean.stdout

    workspace.emulator.control("POST", "grants", {"project": WAREHOUSE, "email": "kim@example.com", "role": "admin"})
    workspace.emulator.control("POST", "grants", {"project": PRODUCTION, "email": "lee@example.com", "role": "owner"})
    workspace.emulator.control("POST", "grants", {"project": STAGING, "email": "noor@example.com", "role": None})
    workspace.emulator.control("DELETE", f"members/{CY}")
    table = drift(workspace, "--stack", "staging")
    assert table.returncode == 1
    lines = [" ".join(line.split()) for line in table.stdout.splitlines()]
    assert "unmanaged grant kim@example.com 1234568 Warehouse (production) admin" in lines
    assert f"missing member {CY}" in lines
    assert "missing grant noor@example.com 2345678 Shop (staging) consumer" in lines
    assert "3 differences." in table.stdout
    assert "changed grant lee@example.com 1234567 Shop (production) analyst owner" in [
        " ".join(line.split()) for line in drift(workspace, "--stack", "production").stdout.splitlines()
    ]

    document = workspace.dump()
    (team,) = document["teams"]
    team |= {"members": ["lee@example.com", "kim@example.com"]}
    team["projects"] = [{"id": WAREHOUSE, "role": "owner"}, {"id": PRODUCTION, "role": "admin"}]
    workspace.emulator.control("POST", "seed", document)
    table = drift(workspace, "--stack", "production")
    lines = [" ".join(line.split()) for line in table.stdout.splitlines()]
    for line in (
        "unmanaged team member kim@example.com in team Data",
        "unmanaged team grant team Data 1234567 Shop (production) admin",
        "missing team member noor@example.com in team Data",
        "changed team grant team Data 1234568 Warehouse (production) analyst owner",
    ):
        assert line in lines, table.stdout


def test_what_cannot_be_compared_is_one_line(workspace: Workspace, tmp_path: Path) -> None:
    """An unknown stack, a folder without a project, wrong credentials: what, why, what next, and the exit code."""
    cases = {
        ("--stack", "nowhere"): (2, "cannot find the stack for nowhere: the backend has production"),
        ("--stack", "production", "--cwd", str(tmp_path.parent)): (2, "there is no Pulumi.yaml there or above"),
    }
    for args, (code, words) in cases.items():
        failed = drift(workspace, *args)
        assert (failed.returncode, failed.stdout) == (code, "")
        assert words in failed.stderr
        assert len(failed.stderr.splitlines()) == 1
    workspace.run("config", "set", "mixpanel:serviceAccountUsername", "nobody", "--stack", "production")
    failed = drift(workspace, "--stack", "production")
    assert (failed.returncode, failed.stdout) == (3, "")
    assert failed.stderr.startswith("error: cannot log in to Mixpanel: Mixpanel answered 401")
