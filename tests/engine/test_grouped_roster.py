"""A roster with `grouped: true` on the real engine: from single resources to groups and back, and a life in groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from mixpanel_access.model.roster import editing
from tests.engine.conftest import PRODUCTION, WAREHOUSE, Workspace

pytestmark = pytest.mark.engine

WHY = {"ticket": "OPS-1", "approver": "ana@example.com", "justification": "x", "ends": "2030-12-31"}
PEOPLE: list[dict[str, Any]] = [
    {
        "email": "bo@example.com",
        "organizationRole": "member",
        "projects": {"shop": "analyst"},
        "teams": ["data"],
        **WHY,
    },
    {"email": "cy@example.com", "projects": {"shop": "consumer", "warehouse": "analyst"}, **WHY, "ticket": "OPS-2"},
    {"email": "di@example.com", "teams": ["data"], **WHY},
]
TEAMS = {"data": {"name": "Data", "projects": {"shop": "analyst"}}}
SINGLE = {"Member", "ProjectGrant", "TeamMember"}
GROUPS = {"Members", "ProjectAccess", "TeamMembers"}


def roster(workspace: Workspace, people: list[dict[str, Any]], *, grouped: bool) -> None:
    """The stack's roster."""
    workspace.roster(people, teams=TEAMS, grouped=grouped)


def kinds(workspace: Workspace) -> set[str]:
    """The kinds of the people's resources in the state."""
    return {one["type"].rpartition(":")[2] for one in workspace.resources()} & (SINGLE | GROUPS)


def access(workspace: Workspace) -> tuple[Any, ...]:
    """Who has what in the organization, in any order."""
    document = workspace.dump()
    rows = (sorted(str(sorted(row.items())) for row in document[part]) for part in ("members", "grants", "teams"))
    return tuple(map(tuple, rows))


def writes_of(workspace: Workspace, *args: str) -> Mapping[str, int]:
    """The requests of an `up` that write."""
    workspace.emulator.control("DELETE", "requests")
    workspace.up("production", *args)
    return {name: number for name, number in workspace.requests().items() if not name.startswith("GET ")}


def test_a_roster_moves_to_groups_and_back_without_a_write(workspace: Workspace) -> None:
    """By `pulumi up` itself: nobody is invited again, nobody loses anything, and the history of each person stays."""
    roster(workspace, PEOPLE, grouped=False)
    workspace.up()
    before, invited = access(workspace), workspace.outputs("bo@example.com")["invited_at"]
    assert kinds(workspace) == SINGLE

    roster(workspace, PEOPLE, grouped=True)
    assert writes_of(workspace) == {}
    assert kinds(workspace) == GROUPS
    assert access(workspace) == before
    members = workspace.outputs("members")["members"]
    assert members["bo@example.com"]["invited_at"] == invited
    assert {one["origin"] for one in members.values()} == {"invited"}
    workspace.unchanged()

    roster(workspace, PEOPLE, grouped=False)
    assert writes_of(workspace) == {}
    assert kinds(workspace) == SINGLE
    assert access(workspace) == before
    assert workspace.outputs("bo@example.com")["invited_at"] == invited
    assert workspace.outputs("bo@example.com")["origin"] == "invited"
    workspace.unchanged()
    assert [workspace.mails(one["email"]) for one in PEOPLE] == [1, 1, 1]


def test_a_grouped_roster_lives(workspace: Workspace) -> None:
    """Invited, changed, left and destroyed; what was added by hand stays where the roster is not the only authority."""
    roster(workspace, PEOPLE[:2], grouped=True)
    workspace.up()
    assert workspace.grants("cy@example.com") == {PRODUCTION: "consumer", WAREHOUSE: "analyst"}
    assert [workspace.mails(one["email"]) for one in PEOPLE] == [1, 1, 0]
    workspace.emulator.control("POST", "grants", {"project": WAREHOUSE, "email": "bo@example.com", "role": "consumer"})
    workspace.unchanged()

    changed = {**PEOPLE[1], "projects": {"shop": "analyst"}}
    roster(workspace, [PEOPLE[0], changed, PEOPLE[2]], grouped=True)
    said = workspace.run("preview", "--diff", "--stack", "production").stdout
    assert "di@example.com" in said
    workspace.up()
    assert workspace.grants("cy@example.com") == {PRODUCTION: "analyst"}
    assert workspace.grants("bo@example.com") == {PRODUCTION: "analyst", WAREHOUSE: "consumer"}
    assert [workspace.mails(one["email"]) for one in PEOPLE] == [1, 1, 1]
    workspace.unchanged()

    roster(workspace, [PEOPLE[0]], grouped=True)
    workspace.up()
    assert {"cy@example.com", "di@example.com"}.isdisjoint(workspace.members())
    workspace.run("destroy", "--yes", "--skip-preview", "--stack", "production")
    assert workspace.grants("bo@example.com") == {WAREHOUSE: "consumer"}


def test_a_large_organization_is_imported_in_groups(workspace: Workspace) -> None:
    """A new roster of more than 200 people is grouped; one that is there is left as it is, with a hint."""
    emails = [f"p{number:03}@example.com" for number in range(editing.MANY + 1)]
    document = workspace.dump()
    document["members"] += [{"email": email, "role": "member"} for email in emails]
    document["grants"] += [{"project": PRODUCTION, "email": email, "role": "analyst"} for email in emails]
    workspace.emulator.control("POST", "seed", document)
    command = ("import", "--stack", "production", "--project", str(PRODUCTION), "--email", "p???@example.com")
    hint = f"production.yaml has {len(emails)} people: `grouped: true` makes them a few resources"
    roster(workspace, [{"email": email, "projects": {"shop": "analyst"}} for email in emails], grouped=False)
    found = workspace.command(*command, "--dry-run")
    assert f"{hint}; write it into the roster" in " ".join(found.stderr.split())
    (workspace.stacks / "production.yaml").unlink()
    found = workspace.command(*command)
    assert found.returncode == 0, found.stdout + found.stderr
    assert f"{hint}, so the new roster has it" in " ".join(found.stderr.split())
    assert "\ngrouped: true" in (workspace.stacks / "production.yaml").read_text()
    assert kinds(workspace) == {"Members", "ProjectAccess"}
    assert len(workspace.outputs("members")["people"]) == len(emails)


def test_the_sdks_server_is_refused_in_one_line(workspace: Workspace) -> None:
    """At the preview, which says what to add to Pulumi.yaml."""
    workspace.on_the_sdks_server()
    roster(workspace, PEOPLE, grouped=True)
    refused = workspace.run("preview", "--stack", "production", check=False)
    said = refused.stdout + refused.stderr
    assert refused.returncode != 0
    file = workspace.pulumi.project / "Pulumi.yaml"
    lines = {line.partition(str(file))[2] for line in said.splitlines() if str(file) in line}
    assert len(lines) == 1
    assert lines.pop().startswith(
        " does not name the server of the resources, which production.yaml with `grouped: true`"
    )
    assert "Traceback" not in said
