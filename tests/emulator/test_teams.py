"""Teams: names, people, projects, service accounts, and what they give (contract, section 4)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.conftest import CUSTOM, ORG, Client, P, Q, organization
from tests.emulator.test_audit import events, told

LEE, KIM, BO = "lee@example.com", "kim@example.com", "bo@agency.example.org"


def teams(client: Client) -> dict[str, Any]:
    """The teams by name."""
    return {row["name"]: row for row in client.get(f"/organizations/{ORG}/teams").json()["results"]}


def names(client: Client) -> list[str]:
    """The names of the events, in order."""
    return [name for name, _ in told(client)]


def test_the_list(client: Client) -> None:
    """With people, projects, organization role, and who feeds it."""
    assert teams(client)["Data"] == {
        "id": 77,
        "name": "Data",
        "projects": [{"id": P, "role": "admin"}],
        "users": [{"id": 504, "email": "Lee@Example.com"}],
        "org_role": None,
        "scim_managed": False,
    }
    assert client.get(f"/organizations/{ORG}/teams/").json()["results"] == list(teams(client).values())


def test_making_renaming_deleting(client: Client) -> None:
    """A name is taken whatever its case, which is no error; an id is never given out again."""
    body = {"teamNames": ["Ops", "ops", "DATA"]}
    made = client.users("add-teams/", body).json()["results"]
    assert made == [{"name": name, "created": name == "Ops"} for name in body["teamNames"]]
    ops = teams(client)["Ops"]["id"]
    assert ops == 81
    for name in ("OPS", "Ops EU", "Ops EU"):
        assert client.users(f"teams/{ops}/update/", {"name": name}).json()["results"] == {"updated": True}
    assert client.users("delete-teams/", {"teamIds": [ops, ops]}).json()["results"] == {}
    assert client.users("add-teams/", {"teamNames": ["Next"]}).is_success
    assert teams(client)["Next"]["id"] == ops + 1
    assert names(client) == ["team.created", "team.updated", "team.updated", "team.deleted", "team.created"]


def test_people_join_and_leave(client: Client) -> None:
    """Members and invited ones, whatever the spelling; once is enough."""
    client.invite(BO)
    body = {"teams": [{"id": 80, "users": [{"email": email} for email in (KIM, KIM.upper(), BO)]}]}
    for _ in range(2):
        assert client.users("add-users-to-teams/", body).json()["results"] == {"success": True}
    assert teams(client)["Other"]["users"] == [{"id": 503, "email": KIM}, {"id": None, "email": BO}]
    assert client.users("teams/80/delete-users/", {"emails": [KIM.upper(), KIM]}).is_success
    assert [user["email"] for user in teams(client)["Other"]["users"]] == [BO]
    assert names(client) == ["invitation.sent", "team.user_added", "team.user_added", "team.user_removed"]
    removed = events(client)[-1]["entity"]
    payload = {"team_id": "80", "team_name": "Other", "user_id": "503", "user_email": KIM}
    assert (removed["entity_id"], removed["payload"]) == ("80", payload)


def test_projects_are_given_changed_and_taken_away(client: Client) -> None:
    """In place; `granted-users` and `granted-teams` show it, and so does the log."""
    for role in ("analyst", CUSTOM, CUSTOM):
        body = {"teams": [{"id": 77, "projects": [{"id": P, "role": role}]}], "add_default_projects": False}
        assert client.users("add-projects-to-teams/", body).json()["results"] == {"success": True}
    assert teams(client)["Data"]["projects"] == [{"id": P, "role": CUSTOM}]
    granted = client.get(f"/api/app/projects/{P}/granted-teams").json()["results"]
    assert granted == {"teams": [{"id": 77, "name": "Data", "role": CUSTOM}]}
    rows = client.get(f"/api/app/projects/{P}/granted-users").json()["results"]["users"]
    assert [(row["email"], row["role"]) for row in rows if row["target_type"] == "team"] == [
        ("Lee@Example.com", CUSTOM)
    ]
    for _ in range(2):
        assert client.users("teams/77/delete-projects/", {"projectIds": [P, Q]}).json()["results"] == {}
    assert client.get(f"/api/app/projects/{P}/granted-teams").json()["results"] == {"teams": []}
    assert names(client) == ["project.team_added", "project.team_added", "project.team_removed"]
    assert events(client)[-1]["entity"]["payload"]["project_role"]["name"] == "Support"


def test_deleting_a_team_takes_what_it_gave_and_no_more(client: Client) -> None:
    """The person's own grant stays, and so does the person."""
    assert client.users("delete-teams/", {"teamIds": [77]}).is_success
    assert client.grants_of(LEE) == {P: "analyst"}
    rows = client.get(f"/api/app/projects/{P}/granted-users").json()["results"]["users"]
    assert [row["target_type"] for row in rows if row["email"] == "Lee@Example.com"] == ["individual"]
    held = client.get(f"/api/app/projects/{P}/service-accounts").json()["results"]
    assert "team" not in {row["target_type"] for row in held}


def test_service_accounts_of_a_team(client: Client) -> None:
    """They hold what the team holds; who is not in it cannot be taken out."""
    root = f"/api/app/organizations/{ORG}/teams/77/service-accounts"
    body = {"service_account_ids": [987657]}
    answer = client.post(f"{root}/add-to-team", json=body)
    assert (answer.status_code, answer.json()) == (201, {"status": "ok", "results": {}})
    assert [row["username"] for row in client.get(root).json()["results"]] == ["member-bot", "old-bot"]
    assert client.post(f"{root}/remove-from-team", json=body).status_code == 200
    assert client.post(f"{root}/remove-from-team", json=body).status_code == 404
    assert names(client) == ["team.service_account_added", "team.service_account_removed"]


@pytest.mark.parametrize(("role", "gives"), [("owner", "owner"), ("admin", "admin"), ("member", None), (None, None)])
def test_an_organization_role_of_a_team_reaches_every_project(owner: Client, role: Any, gives: Any) -> None:
    """As somebody's own would."""
    team = {"id": 77, "name": "Data", "org_role": role, "members": [LEE], "service_accounts": ["member-bot"]}
    owner.control("POST", "seed", organization(teams=[team]))
    expected = [{"id": 77, "name": "Data", "role": gives}] if gives else []
    for project in (P, Q):
        assert owner.get(f"/api/app/projects/{project}/granted-teams").json()["results"] == {"teams": expected}
        accounts = owner.get(f"/api/app/projects/{project}/service-accounts").json()["results"]
        found = [row["role"] for row in accounts if row["target_type"] == "team"]
        assert found == ([gives] if gives else [])
    rows = owner.get(f"/api/app/projects/{Q}/granted-users").json()["results"]["users"]
    assert [row["role"] for row in rows if row["target_type"] == "team"] == ([gives] if gives else [])


@pytest.mark.parametrize("verb", ["person", "account", "invitation"])
def test_nobody_is_put_into_a_team_above_ones_own_role(client: Client, owner: Client, verb: str) -> None:
    """An admin cannot raise somebody to owner that way; an owner can."""
    client.control("POST", "seed", organization(teams=[{"id": 77, "name": "Data", "org_role": "owner"}]))
    for caller, status in ((client, 403), (owner, 200)):
        if verb == "person":
            answer = caller.users("add-users-to-teams/", {"teams": [{"id": 77, "users": [{"email": LEE}]}]})
        elif verb == "account":
            path = f"/api/app/organizations/{ORG}/teams/77/service-accounts/add-to-team"
            answer = caller.post(path, json={"service_account_ids": [987657]})
        else:
            answer = caller.invite(BO, teams=[77])
        assert answer.status_code == (201 if (status, verb) == (200, "account") else status)


@pytest.mark.parametrize("compat", [True, False])
def test_leniencies_for_the_official_provider(served: Any, compat: bool) -> None:
    """Its own word for names, its create payload to delete, a name for an id, an update without a name."""
    _, client = served(provider_compat=compat)
    lenient = 200 if compat else 422
    assert client.users("add-teams/", {"teams": ["Ops"]}).status_code == lenient
    assert client.users("teams/Data/update/", {"name": "Data"}).status_code == (200 if compat else 404)
    assert client.users("teams/77/update/", {"projects": []}).status_code == lenient
    client.users("add-teams/", {"teamNames": ["Ops", "Web"]})
    assert client.users("delete-teams/", {"teamNames": ["Ops", "Nobody's"]}).status_code == lenient
    assert client.users("delete-teams/", {"teams": ["Web"]}).status_code == lenient
    assert set(teams(client)) == ({"Data", "Other"} if compat else {"Data", "Other", "Ops", "Web"})
