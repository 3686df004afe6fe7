"""SCIM mode on the real engine: provisioned, kept out, let in again; others are invited; the token is nowhere."""

from __future__ import annotations

import pytest

from tests.engine.conftest import PRODUCTION, Workspace

pytestmark = pytest.mark.engine

TOKEN = "canary-scim-token-77"
DI, ROBIN = "di@example.com", "robin@agency.example.org"


def active(workspace: Workspace, email: str) -> bool:
    """Whether somebody may log in."""
    (member,) = [row for row in workspace.dump()["members"] if row["email"] == email]
    return bool(member["active"])


def test_people_of_a_claimed_domain_come_and_go_by_scim(workspace: Workspace) -> None:
    """No e-mail goes to them; who leaves is deactivated and comes back; without a token they are refused at preview."""
    document = workspace.dump()
    sso = {"enabled": True, "idp_managed": True, "domains": [{"name": "example.com", "state": "verified"}]}
    document["security"] |= {"sso": sso, "scim_token": TOKEN}
    workspace.emulator.control("POST", "seed", document)
    robin = {"email": ROBIN, "organizationRole": "member", "projects": {"shop": "consumer"}}
    both = [{"email": DI, "organizationRole": "member", "projects": {"shop": "analyst"}}, robin]
    workspace.roster(both)
    refused = workspace.run("preview", "--stack", "production", check=False)
    assert refused.returncode != 0
    assert "nobody there is invited by e-mail; have it add them, or set mixpanel:scimToken" in refused.stdout
    assert "1 errored" in refused.stdout

    workspace.environ["MIXPANEL_SCIM_TOKEN"] = TOKEN
    workspace.up()
    workspace.unchanged(times=2)
    assert (workspace.mails(DI), workspace.mails(ROBIN)) == (0, 1)
    assert (workspace.outputs(DI)["status"], workspace.outputs(ROBIN)["status"]) == ("accepted", "pending")
    assert workspace.grants(DI) == {PRODUCTION: "analyst"}

    workspace.roster([robin])
    gone = workspace.up()
    assert f"{DI} is deactivated by SCIM, and comes back when they are declared again" in gone.stdout
    assert (active(workspace, DI), workspace.grants(DI)) == (False, {})
    workspace.unchanged()

    workspace.roster(both)
    workspace.up()
    assert (active(workspace, DI), workspace.grants(DI), workspace.mails(DI)) == (True, {PRODUCTION: "analyst"}, 0)
    workspace.unchanged()
    files = [path for path in workspace.folder.rglob("*") if path.is_file()]
    assert [path for path in files if TOKEN.encode() in path.read_bytes()] == []
