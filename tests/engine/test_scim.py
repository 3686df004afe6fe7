"""SCIM mode on the real engine: provisioned, put into a team, kept out, let in again; others are invited."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from ruamel.yaml import YAML

from demo.sandbox import SECRET, USERNAME
from tests.engine.conftest import PRODUCTION, STAGING, Workspace
from tests.engine.test_teams import example, roles, teams
from tests.engine.test_tracker import LATER

pytestmark = pytest.mark.engine

TOKEN = "canary-scim-token-77"
DI, ROBIN = "di@example.com", "robin@agency.example.org"


def active(workspace: Workspace, email: str) -> bool:
    """Whether somebody may log in."""
    (member,) = [row for row in workspace.dump()["members"] if row["email"] == email]
    return bool(member["active"])


def in_teams_by_scim(workspace: Workspace) -> list[tuple[str, str]]:
    """Who came into teams and went by SCIM, by the audit log, the oldest first."""
    organization = workspace.dump()["organization"]["id"]
    url = f"{workspace.emulator.url}/api/app/organizations/{organization}/audit-logs"
    asked = {"types": ["team.user_added", "team.user_removed"]}
    events: list[dict[str, Any]] = httpx.post(url, json=asked, auth=(USERNAME, SECRET)).json()["results"]
    found = [event for event in reversed(events) if event["service"] == "scim"]
    return [(event["entity"]["action"], event["entity"]["payload"]["user_email"]) for event in found]


def logged(workspace: Workspace) -> set[tuple[str, str, str]]:
    """What the access log gets, but for what was there before: the event, the stack, and who did it."""
    done = workspace.command("tracker", "update", "--json", "--now", LATER)
    assert done.returncode == 0, done.stderr
    new = [one for one in json.loads(done.stdout) if one["event"] != "found"]
    return {(one["event"], one["stack"], one["admin"]) for one in new}


def test_people_of_a_claimed_domain_come_and_go_by_scim(workspace: Workspace) -> None:
    """Without an e-mail, and in a team until its end; who leaves is deactivated."""
    document = workspace.dump()
    sso = {"enabled": True, "idp_managed": True, "domains": [{"name": "example.com", "state": "verified"}]}
    document["security"] |= {"sso": sso, "scim_token": TOKEN}
    workspace.emulator.control("POST", "seed", document)
    robin = {"email": ROBIN, "organizationRole": "member", "projects": {"shop": "consumer"}, "teams": ["pilot"]}
    di = {"email": DI, "organizationRole": "member", "projects": {"shop": "analyst"}, "teams": ["pilot"]}
    both = [di, robin]
    pilot = YAML(typ="safe").load(example("roster.md", "A team for a while", "yaml"))
    pilot["teams"]["pilot"]["ends"] = str(pilot["teams"]["pilot"]["ends"])  # the workspace writes JSON
    workspace.run("config", "set", "mixpanel:now", "2026-05-31T12:00:00Z", "--stack", "production")
    workspace.roster(both, **pilot)
    workspace.environ["MIXPANEL_SCIM_TOKEN"] = TOKEN
    workspace.up()
    workspace.unchanged()
    assert (workspace.mails(DI), workspace.mails(ROBIN)) == (0, 1)
    assert (workspace.outputs(DI)["status"], workspace.outputs(ROBIN)["status"]) == ("accepted", "pending")
    assert workspace.grants(DI) == {PRODUCTION: "analyst"}
    made = teams(workspace)["Pilot"]
    assert (sorted(made["members"]), roles(made)) == ([DI, ROBIN], {PRODUCTION: "analyst"})
    assert in_teams_by_scim(workspace) == [("user_added", DI)]
    assert workspace.outputs(f"team/pilot:{DI}")["status"] == "member"
    assert {stack for _, stack, _ in logged(workspace)} == {"production"}

    workspace.roster([robin], **pilot)
    gone = workspace.up()
    assert f"{DI} is deactivated by SCIM, and comes back when they are declared again" in gone.stdout
    assert (active(workspace, DI), workspace.grants(DI)) == (False, {})
    assert teams(workspace)["Pilot"]["members"] == [ROBIN]
    assert {(event, stack) for event, stack, _ in logged(workspace)} == {("revoked", "production")}

    workspace.roster(both, **pilot)
    workspace.up()
    assert (active(workspace, DI), workspace.grants(DI), workspace.mails(DI)) == (True, {PRODUCTION: "analyst"}, 0)

    workspace.run("config", "set", "mixpanel:now", "2026-06-01T12:00:00Z", "--stack", "production")
    due = workspace.command("revoke", "--stack", "production", "--within", "0").stdout
    ended = [line.partition(" in stack ")[0].split("  ")[-1] for line in due.splitlines() if "ended on" in line]
    places = [f"the membership in the team pilot of {email}" for email in (DI, ROBIN)]
    assert [one.partition(" (")[0] for one in ended] == ["the team pilot", *places]
    workspace.up()
    assert "Pilot" not in teams(workspace)
    assert (active(workspace, DI), workspace.grants(DI)) == (True, {PRODUCTION: "analyst"})
    assert in_teams_by_scim(workspace) == [(f"user_{what}", DI) for what in ("added", "removed", "added", "removed")]

    workspace.run("destroy", "--yes", "--skip-preview", "--stack", "production")
    assert (active(workspace, DI), ROBIN in workspace.members()) == (False, False)
    files = [path for path in workspace.folder.rglob("*") if path.is_file()]
    assert [path for path in files if TOKEN.encode() in path.read_bytes()] == []


@pytest.mark.python_engine
def test_the_example_of_a_program_is_true(workspace: Workspace) -> None:
    """Both ways into one team; another name of it takes the group along, and nothing is left of it."""
    document = workspace.dump()
    sso = {"enabled": True, "domains": [{"name": "example.com", "state": "verified"}]}
    document["security"] |= {"sso": sso, "scim_token": TOKEN}
    workspace.emulator.control("POST", "seed", document)
    workspace.environ["MIXPANEL_SCIM_TOKEN"] = TOKEN
    text = example("resources.md", "TeamMember", "python")
    workspace.program(text)
    workspace.up()
    assert sorted(teams(workspace)["Helpers"]["members"]) == ["kim@example.com", ROBIN]
    assert in_teams_by_scim(workspace) == [("user_added", "kim@example.com")]
    workspace.program(text.replace('"Helpers"', '"Helpers EU"'))
    workspace.up()
    assert workspace.requests()["PATCH /api/app/scim/v2/Groups/{group}"] == 2
    assert sorted(teams(workspace)["Helpers EU"]["members"]) == ["kim@example.com", ROBIN]
    workspace.run("destroy", "--yes", "--skip-preview", "--stack", "production")
    assert teams(workspace).keys().isdisjoint({"Helpers", "Helpers EU"})


@pytest.mark.python_engine
def test_a_leaver_comes_back_as_a_plain_member_and_stays_out_if_the_identity_provider_says_so(
    workspace: Workspace,
) -> None:
    """What a stack gave does not come back with another stack; nobody is activated against the identity provider."""
    workspace.add("staging")
    document = workspace.dump()
    sso = {"enabled": True, "domains": [{"name": "example.com", "state": "verified"}]}
    document["security"] |= {"sso": sso, "scim_token": TOKEN}
    document["service_accounts"][0]["role"] = "owner"
    workspace.emulator.control("POST", "seed", document)
    workspace.environ["MIXPANEL_SCIM_TOKEN"] = TOKEN
    pat = "pat@example.com"
    entry = {"email": pat, "organizationRole": "admin", "projects": {"shop": "analyst"}, "ends": "2026-06-30"}
    for day in ("2026-06-30", "2026-07-01"):
        workspace.run("config", "set", "mixpanel:now", f"{day}T02:00:00Z", "--stack", "production")
        workspace.roster([entry])
        workspace.up()
    assert (workspace.members()[pat], workspace.grants(pat), active(workspace, pat)) == ("member", {}, False)

    workspace.roster([{"email": pat, "projects": {"shop": "consumer"}}], "staging")
    workspace.up("staging")
    assert (workspace.members()[pat], workspace.grants(pat)) == ("member", {STAGING: "consumer"})
    assert active(workspace, pat)

    url = f"{workspace.emulator.url}/api/app/scim/v2/Users"
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    (user,) = httpx.get(url, params={"filter": f'userName eq "{pat}"'}, headers=bearer).json()["Resources"]
    patch = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "replace", "path": "active", "value": False}],
    }
    assert httpx.patch(f"{url}/{user['id']}", json=patch, headers=bearer).is_success
    workspace.unchanged("staging")
    said = workspace.up("staging").stdout
    assert f"{pat} is deactivated by the identity provider and stays so" in said
    assert not active(workspace, pat)
    drift = workspace.command("drift", "--stack", "staging", "--json")
    assert pat not in drift.stdout
