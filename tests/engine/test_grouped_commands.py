"""The commands on a grouped roster: they take one person out of the groups, and in again; the others stay."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.engine.conftest import PRODUCTION, Workspace
from tests.engine.test_grouped_roster import GROUPS, PEOPLE, TEAMS, kinds, roster

pytestmark = pytest.mark.engine

BO, CY, DI = (one["email"] for one in PEOPLE)
EVA: dict[str, Any] = {**PEOPLE[2], "email": "eva@example.com", "projects": {"shop": "analyst"}}


def held(workspace: Workspace) -> dict[str, set[str]]:
    """Whom each group has."""
    return {
        name: {*workspace.outputs(name)[people]}
        for name, people in (
            ("members", "people"),
            (f"project-access/{PRODUCTION}", "grants"),
            ("team-members/data", "people"),
        )
    }


def test_the_commands_take_one_person_of_a_group(workspace: Workspace) -> None:
    """`revoke` and `offboard` end the access of one; `release` lets one go with it, and `import` takes them again."""
    roster(workspace, [*PEOPLE, EVA], grouped=True)
    workspace.up()
    before = held(workspace)
    for email in (BO, CY, DI, EVA["email"]):
        workspace.emulator.control("POST", "invitations/accept", {"email": email})

    workspace.roster([*PEOPLE, {**EVA, "ends": "2026-01-01"}], teams=TEAMS, grouped=True)
    shown = workspace.command("revoke", "--stack", "production")
    assert EVA["email"] in shown.stdout
    assert not any(email in shown.stdout for email in (BO, CY, DI))
    revoked = workspace.command("revoke", "--yes", "--stack", "production", "--json")
    assert revoked.returncode == 0, revoked.stdout + revoked.stderr
    (stack,) = json.loads(revoked.stdout)["stacks"]
    assert {one["email"] for one in stack["takes"]} == {EVA["email"]}
    assert len(stack["takes"]) == 3
    assert EVA["email"] not in workspace.members()
    assert held(workspace) == {name: people - {EVA["email"]} for name, people in before.items()}

    gone = workspace.command("release", "--stack", "production", "--email", BO.upper(), "--json")
    assert gone.returncode == 0, gone.stdout + gone.stderr
    assert json.loads(gone.stdout) == {"stack": "production", "members": 1, "grants": 1, "entries": 1, "changes": []}
    assert held(workspace) == {name: people - {EVA["email"], BO} for name, people in before.items()}
    assert workspace.grants(BO) == {PRODUCTION: "analyst"}

    back = workspace.command("import", "--stack", "production", "--email", "bo@*")
    assert back.returncode == 0, back.stdout + back.stderr
    assert held(workspace)["members"] == before["members"] - {EVA["email"]}
    assert workspace.grants(BO) == {PRODUCTION: "analyst"}

    left = workspace.command("offboard", "--yes", CY)
    assert left.returncode == 0, left.stdout + left.stderr
    assert CY not in workspace.members()
    assert held(workspace)["members"] == {BO, DI}
    assert kinds(workspace) == GROUPS
    workspace.unchanged()
    assert [workspace.mails(email) for email in (BO, CY, DI)] == [1, 1, 1]
