"""Service accounts on the real engine: made, granted, rotated, deleted; the token is nowhere in plain."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.engine.conftest import PRODUCTION, WAREHOUSE, Workspace

pytestmark = pytest.mark.engine

PROGRAM = """
import pulumi
from mixpanel_access.provider import ServiceAccount, ServiceAccountGrant

etl = ServiceAccount("etl", username="etl", expires="{expires}", rotate_after=90, ticket="{ticket}")
for project, role in {grants}.items():
    ServiceAccountGrant(
        f"etl-{{project}}", service_account_id=etl.account_id, project_id=project, role=role, environment="production"
    )
pulumi.export("token", etl.token)
"""
EXPIRES = "2999-01-01T00:00:00Z"


def declare(workspace: Workspace, grants: dict[int, str], expires: str = EXPIRES, ticket: str = "OPS-1") -> None:
    """The program of one account with some roles."""
    workspace.program(PROGRAM.format(expires=expires, ticket=ticket, grants=grants))


def at(workspace: Workspace, now: str) -> None:
    """Have it be that day, for both sides."""
    workspace.emulator.control("POST", "clock", {"now": now})
    workspace.clock(now)


def accounts(workspace: Workspace) -> list[dict[str, Any]]:
    """The accounts that the emulator has of that name."""
    rows = workspace.dump()["service_accounts"]
    return [row for row in rows if row["username"].startswith("etl.")]


def roles(workspace: Workspace) -> dict[int, str]:
    """The roles of the one account."""
    (account,) = accounts(workspace)
    return {held["id"]: held["role"] for held in account["projects"]}


def test_an_account_lives_and_is_rotated(workspace: Workspace) -> None:
    """In place where Mixpanel can; anew where it cannot, before the old one goes; nothing changes twice."""
    at(workspace, "2026-05-04T12:00:00Z")
    declare(workspace, {PRODUCTION: "analyst", WAREHOUSE: "consumer"})
    workspace.up()
    assert roles(workspace) == {PRODUCTION: "analyst", WAREHOUSE: "consumer"}
    workspace.unchanged()
    first = workspace.outputs("etl")
    assert (first["status"], first["expires"]) == ("active", EXPIRES)
    assert first["rotates"].startswith("2026-08-02T12:0")  # the server's clock runs on
    assert first["login"].startswith("etl.")
    assert first["login"].endswith(".mp-service-account")

    declare(workspace, {PRODUCTION: "admin"}, ticket="OPS-2")
    workspace.up()
    second = workspace.outputs("etl")
    assert (second["account_id"], second["ticket"]) == (first["account_id"], "OPS-2")
    assert roles(workspace) == {PRODUCTION: "admin"}

    at(workspace, "2026-08-02T13:00:00Z")
    planned = workspace.run("preview", "--diff", "--stack", "production")
    assert "+-1 to replace" in planned.stdout
    before = {row["id"] for row in accounts(workspace)}
    workspace.emulator.control("DELETE", "requests")
    workspace.up()
    (new,) = accounts(workspace)
    assert new["id"] not in before
    assert roles(workspace) == {PRODUCTION: "admin"}
    verbs = [row["method"] for row in workspace.emulator.control("GET", "requests?detail")["requests"]]
    assert verbs.index("POST") < verbs.index("DELETE")
    third = workspace.outputs("etl")
    assert third["account_id"] == new["id"]
    assert third["rotates"].startswith("2026-10-31T13:0")

    at(workspace, "2999-01-02T12:00:00Z")
    # Without the program, a refresh has the configuration of the last update, and so its `mixpanel:now`.
    expired = workspace.run("refresh", "--yes", "--diff", "--run-program", "--stack", "production")
    assert '"active" => "expired"' in expired.stdout
    workspace.run("destroy", "--yes", "--skip-preview", "--stack", "production")
    assert accounts(workspace) == []


def test_a_rotated_account_stays_for_its_overlap(workspace: Workspace) -> None:
    """With its roles and its token, for seven days; `revoke` deletes it then, and makes none though one is due."""
    robot = {**ROBOT, "rotateAfter": 8, "overlap": 7}
    at(workspace, "2026-05-04T12:00:00Z")
    workspace.roster([], serviceAccounts={"etl": robot})
    workspace.up()
    (old,) = accounts(workspace)
    at(workspace, "2026-05-12T13:00:00Z")
    workspace.up()
    both = {row["id"]: [held["role"] for held in row["projects"]] for row in accounts(workspace)}
    (new,) = both.keys() - {old["id"]}
    assert both == {old["id"]: ["analyst"], new: ["analyst"]}
    assert workspace.command("token", "etl").stdout != old["secret"] + "\n"
    at(workspace, "2026-05-21T14:00:00Z")
    revoked = workspace.command("revoke", "--stack", "production", "--yes")
    assert revoked.returncode == 0, revoked.stdout + revoked.stderr
    assert [row["id"] for row in accounts(workspace)] == [new]
    workspace.up()
    assert len(accounts(workspace)) == 2


def test_the_token_is_a_secret(workspace: Workspace) -> None:
    """It logs in, `stack output --show-secrets` gives it, and no state, log or error has it in plain."""
    workspace.as_a_user()
    declare(workspace, {PRODUCTION: "analyst"})
    said = [workspace.up("production", "--logtostderr", "-v=9")]
    token = json.loads(workspace.run("stack", "output", "--json", "--show-secrets", "--stack", "production").stdout)[
        "token"
    ]
    (account,) = accounts(workspace)
    assert account["secret"] == token
    said += [workspace.run(*args, "--stack", "production") for args in (
        ["stack", "output", "--json"], ["stack", "export"], ["refresh", "--yes", "--diff"], ["preview", "--diff"],
    )]  # fmt: skip
    said.append(workspace.run("destroy", "--yes", "--stack", "production"))
    for run in said[1:]:
        for form in (token, base64.b64encode(token.encode()).decode()):
            assert form not in run.stdout + run.stderr, run.args
    states = [path for path in workspace.folder.rglob("*.json*") if path.is_file()]
    assert any("production" in path.name for path in states)
    assert [path for path in states if token.encode() in path.read_bytes()] == []


ROBOT = {
    "purpose": "Loads orders", "contact": "ana@example.com", "role": "consumer", "expires": "2999-01-01",
    "projects": {"shop": "analyst"},
}  # fmt: skip


def test_a_roster_makes_and_imports_service_accounts(workspace: Workspace) -> None:
    """Made and granted with the people; let go and imported again it is the same account, and nothing changes."""
    at(workspace, "2026-05-04T12:00:00Z")
    workspace.roster([{"email": "lee@example.com", "organizationRole": "member"}], serviceAccounts={"etl": ROBOT})
    said = workspace.up("production", "--json").stdout
    assert roles(workspace) == {PRODUCTION: "analyst"}
    (made,) = accounts(workspace)
    assert made["secret"] not in said
    outputs = workspace.run("stack", "output", "--json", "--show-secrets", "--stack", "production")
    assert made["secret"] not in outputs.stdout
    assert workspace.command("token", "etl").stdout == made["secret"] + "\n"

    workspace.run("state", "delete", "--all", "--yes", "--stack", "production")
    taken = workspace.command("import", "--stack", "production", "--email", "lee@example.com")
    assert taken.returncode == 0, taken.stdout + taken.stderr
    assert ", 1 service account into stack production; its preview shows no change." in taken.stdout
    assert workspace.outputs("service-account/etl")["account_id"] == made["id"]
    assert [row["id"] for row in accounts(workspace)] == [made["id"]]

    workspace.roster([{"email": "lee@example.com", "organizationRole": "member"}])
    workspace.up()
    assert accounts(workspace) == []
