"""Service accounts: made with a token that is shown once, granted, expired, deleted (contract, section 6)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.emulator.conftest import CUSTOM, ORG, Client, Frozen, P, Q, organization
from tests.emulator.test_audit import events, told

ROOT = f"/api/app/organizations/{ORG}/service-accounts"
OLD = 987658


def create(client: Client, **more: Any) -> dict[str, Any]:
    """A new service account, as the answer shows it."""
    answer = client.post(ROOT, json={"username": "deploy-bot", **more})
    assert answer.status_code == 201, answer.text
    created: dict[str, Any] = answer.json()["results"]
    return created


def held(client: Client, project: int = P) -> list[tuple[str, str, str]]:
    """Who has which role in a project, and how."""
    rows = client.get(f"/api/app/projects/{project}/service-accounts").json()["results"]
    return [(row["username"], row["role"], row["target_type"]) for row in rows]


def test_creating(client: Client, clock: Frozen) -> None:
    """The name gets its suffix, the token is there once, neither role nor projects come back."""
    created = create(client, role="admin", expires="2027-01-01T00:00:00Z", projects=[{"id": P, "role": "analyst"}])
    token, username = created.pop("token"), created["username"]
    assert re.fullmatch(r"deploy-bot\.[^.]+\.mp-service-account", username)
    assert created == {
        "id": 987659,
        "username": username,
        "created": "2026-05-04T12:00:00Z",
        "creator": 9001,
        "creator_name": "admin-bot",
        "creator_email": "admin-bot",
        "expires": "2027-01-01T00:00:00Z",
        "last_used": None,
        "user": 996659,
    }
    assert client.get(f"{ROOT}/987659").json() == {"status": "ok", "results": created}
    listed = client.get(ROOT).json()["results"][-1]
    assert listed == {**created, "org_role": "admin"}
    assert (username, "analyst", "individual") in held(client)
    own = Client(base_url=client.base_url, auth=(username, token))
    assert own.get("/api/app/me").json()["results"]["user_email"] == username
    clock.at = datetime.fromisoformat("2027-01-01T00:00:00Z") - timedelta(microseconds=1)
    assert own.get("/api/app/me").status_code == 200
    clock.at += timedelta(microseconds=1)
    assert own.get("/api/app/me").status_code == 401
    own.close()


@pytest.mark.parametrize(
    ("role", "becomes"), [("admin", "admin"), ("analyst", "member"), ("consumer", "member"), (None, "member")]
)
def test_the_role_on_create_is_the_organizations(client: Client, role: str | None, becomes: str) -> None:
    """In project words."""
    created = create(client, **({} if role is None else {"role": role}))
    rows = client.get(ROOT).json()["results"]
    assert [row["org_role"] for row in rows if row["id"] == created["id"]] == [becomes]


EXPIRES = [
    "2027-01-01",
    "2027-01-01T00:00:00",
    "2027-01-01T00:00:00.000Z",
    "2027-01-01T00:00:00+00:00",
    "2027-01-01t00:00:00z",
    "2027-1-1T0:0:0Z",
    "2027-02-30T00:00:00Z",
    " 2027-01-01T00:00:00Z",
    "",
]


@pytest.mark.parametrize("expires", EXPIRES)
def test_an_end_is_written_exactly_so(client: Client, expires: str) -> None:
    """Anything else is 400, and no account is made."""
    assert client.post(ROOT, json={"username": "deploy-bot", "expires": expires}).status_code == 400
    assert len(client.get(ROOT).json()["results"]) == 5


def test_an_end_in_the_past_is_refused(client: Client, clock: Frozen) -> None:
    """To the second."""
    assert client.post(ROOT, json={"username": "a", "expires": "2026-05-04T12:00:00Z"}).status_code == 400
    assert client.post(ROOT, json={"username": "a", "expires": "2026-05-04T12:00:01Z"}).status_code == 201


def test_two_of_one_name_differ(client: Client) -> None:
    """In id, user name and user."""
    one, other = create(client), create(client)
    for field in ("id", "username", "token", "user"):
        assert one[field] != other[field]


def test_projects_are_added_changed_and_taken_away(client: Client) -> None:
    """A known membership gets the new role in place; only the project named is left."""
    body = {"service_account_ids": [OLD], "projects": [{"id": P, "role": CUSTOM}, {"id": Q, "role": "analyst"}]}
    assert client.post(f"{ROOT}/add-to-project", json=body).json() == {"status": "ok"}
    assert ("old-bot", CUSTOM, "individual") in held(client)
    for method in ("POST", "DELETE"):
        left = {"projects": [{"id": P if method == "POST" else Q, "service_account_ids": [OLD]}]}
        assert client.request(method, f"{ROOT}/remove-from-project", json=left).json() == {"status": "ok"}
    assert [row for row in held(client) + held(client, Q) if row[2] == "individual"] == []
    assert [name for name, _ in told(client)] == [
        "service_account.role_changed",
        "service_account.added_to_project",
        "service_account.removed_from_project",
        "service_account.removed_from_project",
    ]
    changed = events(client)[0]
    assert (changed["project_id"], changed["entity"]["entity_id"]) == (str(P), str(OLD))
    assert changed["entity"]["payload"] == {
        "service_account_id": str(OLD),
        "service_account_name": "old-bot",
        "old_role": {"id": "consumer", "name": "Consumer", "is_custom_role": False},
        "new_role": {"id": CUSTOM, "name": "Support", "is_custom_role": True},
    }


def test_the_projects_list_tells_how_they_came_by_it(client: Client) -> None:
    """By organization role, by a team, by a grant of their own: one row each."""
    team = {"id": 77, "name": "Data", "projects": [{"id": P, "role": "admin"}], "service_accounts": ["member-bot"]}
    client.control("POST", "seed", organization(teams=[team]))
    assert held(client) == [
        ("owner-bot", "owner", "organization"),
        ("admin-bot", "admin", "organization"),
        ("old-bot", "admin", "organization"),
        ("member-bot", "admin", "team"),
        ("old-bot", "consumer", "individual"),
    ]
    row = client.get(f"/api/app/projects/{P}/service-accounts").json()["results"][-1]
    assert (row["role_order"], row["hasSensitiveAccess"], row["email"]) == (4, False, "old-bot")
    assert "token" not in row


@pytest.mark.parametrize("many", [False, True])
def test_deleting_ends_all_access_at_once(client: Client, connect: Callable[..., Client], many: bool) -> None:
    """Its credentials, its projects, itself."""
    old = connect("old")
    assert old.get("/api/app/me").status_code == 200
    if many:
        assert client.post(f"{ROOT}/delete-service-accounts", json={"service_account_ids": [OLD, OLD]}).is_success
    else:
        assert client.delete(f"{ROOT}/{OLD}").json() == {"status": "ok"}
    assert old.get("/api/app/me").status_code == 401
    assert client.get(f"{ROOT}/{OLD}").status_code == 404
    assert "old-bot" not in {row[0] for row in held(client)}
    assert told(client) == [("service_account.deleted", "admin-bot")]


def test_an_admin_does_not_delete_an_owners_account(client: Client, owner: Client) -> None:
    """403; an owner does."""
    assert client.delete(f"{ROOT}/987654").status_code == 403
    assert owner.delete(f"{ROOT}/987654").status_code == 200


def test_when_it_was_used(client: Client, connect: Callable[..., Client], clock: Frozen) -> None:
    """At the last call that was answered; it is in the dump."""
    connect("member").get(f"/organizations/{ORG}/users/")
    clock.advance(60)
    rows = {row["username"]: row["last_used"] for row in client.get(ROOT).json()["results"]}
    assert rows["member-bot"] == "2026-05-04T12:00:00Z"
    assert rows["admin-bot"] == "2026-05-04T12:01:00Z"
    assert rows["old-bot"] is None
    dump = client.control("GET", "dump")["service_accounts"]
    assert {row["username"]: row["last_used"] for row in dump} == rows


def test_an_admin_of_one_project_manages_it_alone(client: Client, connect: Callable[..., Client]) -> None:
    """By its own grant or its team's, without an organization role; nothing of another project."""
    member = connect("member")
    paths = ("granted-users", "service-accounts", "assignable-roles")
    for role, status in (("consumer", 403), ("analyst", 403), (CUSTOM, 403), ("admin", 200), ("owner", 200)):
        body = {"service_account_ids": [987657], "projects": [{"id": P, "role": role}]}
        connect("owner").post(f"{ROOT}/add-to-project", json=body)
        for path in paths:
            assert member.get(f"/api/app/projects/{P}/{path}").status_code == status
            assert member.get(f"/api/app/projects/{Q}/{path}").status_code == 403
    body = {"service_account_ids": [987657], "projects": [{"id": P, "role": "admin"}]}
    client.post(f"{ROOT}/add-to-project", json=body)
    assert member.get(f"/api/app/projects/{P}/assignable-roles").json()["results"] == [
        "admin", "analyst", "consumer", CUSTOM,
    ]  # fmt: skip
    me = member.get("/api/app/me").json()["results"]["projects"]
    assert {key: project["role"]["name"] for key, project in me.items()} == {str(P): "admin"}
