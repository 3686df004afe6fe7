"""`mixpanel-access offboard`: a person leaves, in every stack, and nobody else is touched."""

from __future__ import annotations

import json

import pytest

from tests.emulator.conftest import unchanged
from tests.engine.conftest import PRODUCTION, STAGING, Workspace

pytestmark = pytest.mark.engine

ROBIN = "robin@agency.example.org"
LEE = "lee@example.com"


def test_a_person_leaves_every_stack(workspace: Workspace) -> None:
    """Shown first, then done: rosters, states, Mixpanel; what is left through a team is told."""
    workspace.add("staging")
    workspace.up("production")
    workspace.up("staging")
    before, rosters = workspace.dump(), {path: path.read_text() for path in workspace.stacks.glob("*.yaml")}

    shown = workspace.command("offboard", ROBIN.upper())
    assert (shown.returncode, shown.stderr) == (1, "")
    assert "stack production has in its state: the member and analyst in project 1234567, consumer in" in shown.stdout
    assert "-  - email: robin@agency.example.org\n" in shown.stdout
    assert "Nothing was changed." in shown.stdout
    assert {path: path.read_text() for path in rosters} == rosters
    assert unchanged(before, workspace.dump())

    done = workspace.command("offboard", ROBIN, "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith(f"{ROBIN} is not in the organization.\n")
    assert ROBIN not in workspace.members()
    assert set(workspace.members()) == {row["email"] for row in before["members"]} - {ROBIN}
    assert not any(ROBIN in json.dumps(workspace.resources(stack)) for stack in ("production", "staging"))
    assert not any(ROBIN in path.read_text() for path in rosters)
    again = workspace.command("offboard", ROBIN, "--yes", "--json")
    assert (again.returncode, json.loads(again.stdout)["stacks"]) == (0, [])


def test_a_mistyped_address_is_told(workspace: Workspace) -> None:
    """It ends with 0 like anybody who is gone; who was meant has all they had."""
    shown = workspace.command("offboard", "robbin@agency.example.org", "--yes")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert f"No stack has robbin@agency.example.org (did you mean '{ROBIN}'?).\n" in shown.stdout
    stranger = workspace.command("offboard", "sue@agency.example.org")
    assert stranger.stdout.startswith("No stack has sue@agency.example.org.\n")


def test_what_is_left_is_told(workspace: Workspace) -> None:
    """A team, and a grant, that no stack has: the person stays, and it ends with 1; a stack's own team is left."""
    ops = {"ops": {"name": "Ops", "projects": {"shop": "consumer"}}}
    workspace.roster([{"email": LEE, "projects": {"shop": "analyst"}, "teams": ["ops"]}], teams=ops)
    workspace.up("production")
    workspace.emulator.control("POST", "grants", {"project": STAGING, "email": LEE, "role": "consumer"})
    done = workspace.command("offboard", LEE, "--yes")
    assert done.returncode == 1, done.stderr
    assert "the member and analyst in project 1234567 and a place in the team Ops" in done.stdout
    assert done.stdout.splitlines()[-1] == (
        f"{LEE} is still in the organization: analyst in project 1234568 through the team Data; "
        f"consumer in project {STAGING} through an individual grant"
    )
    assert PRODUCTION not in workspace.grants(LEE)
    document = json.loads(workspace.command("offboard", LEE, "--json").stdout)
    assert {(one["project"], one["grantType"]) for one in document["remains"]} == {
        (1234568, "team"),
        (STAGING, "individual"),
    }


def test_a_stack_with_other_changes_is_not_touched(workspace: Workspace) -> None:
    """They are somebody else's to look at: one line, exit code 1, and nothing is written to Mixpanel."""
    people = [{"email": LEE, "projects": {"shop": "analyst"}}, {"email": "noor@example.com", "projects": {}}]
    workspace.roster(people)
    workspace.up("production")
    before = workspace.dump()
    workspace.roster([people[0], {**people[1], "projects": {"shop": "consumer"}}])
    refused = workspace.command("offboard", LEE, "--yes")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "stack production would change more: create 1234567:noor@example.com" in refused.stderr
    assert unchanged(before, workspace.dump())
    workspace.up("production")
    assert PRODUCTION not in workspace.grants(LEE)
