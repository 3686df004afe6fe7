"""Members, invitations and grants (contract, sections 3 and 13)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mixpanel_access.model import roles
from tests.emulator.conftest import CUSTOM, ORG, Client, P, Q, organization
from tests.in_process import emulating

BO = "bo@agency.example.org"


def test_the_list_has_members_and_invited_people_and_no_project_roles(client: Client) -> None:
    """One array, pending people in it, in the poor form of the contract."""
    client.invite(BO)
    rows = client.get(f"/organizations/{ORG}/users/").json()["results"]
    assert rows[0] == {
        "id": 501,
        "email": "ana@example.com",
        "name": None,
        "role": "owner",
        "invited": False,
        "last_login": "2026-05-01T08:00:00Z",
    }
    assert rows[-1] == {
        "id": None,
        "email": BO,
        "name": None,
        "role": "member",
        "invited": True,
        "last_login": None,
    }


def test_the_projects(client: Client) -> None:
    """An array of rows with numeric ids."""
    rows = client.get(f"/organizations/{ORG}/projects/").json()["results"]
    assert [(row["id"], row["name"]) for row in rows] == [(P, "Shop"), (Q, "Warehouse")]
    assert set(rows[0]) == {"id", "name", "token", "api_key", "api_secret", "url", "timezone_name"}


def test_one_person_in_a_project(client: Client) -> None:
    """The highest role and the teams; of who has none and of a stranger, that (contract, section 3)."""
    lee = client.get(f"/api/app/projects/{P}/users/lee@example.com").json()["results"]
    assert (lee["active"], lee["role"], lee["teams"]) == (True, "admin", [{"id": 77, "name": "Data"}])
    for email in ("kim@example.com", "nobody@example.com", "x"):
        nobody = client.get(f"/api/app/projects/{P}/users/{email}")
        assert (nobody.status_code, nobody.json()["status"]) == (200, "ok")
        found = nobody.json()["results"]
        assert (found["active"], found["role"], found["teams"]) == (False, None, [])


def test_inviting(client: Client) -> None:
    """A stranger is invited with role and projects, and one e-mail goes out."""
    results = client.invite(BO, projects=[{"id": P, "role": "analyst"}]).json()["results"]
    assert results == {"invited": [BO], "added": [], "failed": []}
    assert client.grants_of(BO) == {P: "analyst"}
    assert [mail["email"] for mail in client.control("GET", "mails")] == [BO]


def test_inviting_into_a_team(client: Client) -> None:
    """A stranger and a member join it, whatever the spelling, and hold what it gives; an unknown team refuses all."""
    teams = [{"id": 77, "name": "Data", "projects": [{"id": Q, "role": "analyst"}]}, {"id": 78, "name": "Ops"}]
    client.control("POST", "seed", organization(teams=teams))
    assert client.invite(BO, "new@example.net", teams=[77, 1]).status_code == 404
    assert (client.role_of(BO), client.control("GET", "mails")) == (None, [])
    for _ in range(2):
        assert client.invite(BO, "LEE@example.com", teams=[77, 78]).status_code == 200
    found = {team["id"]: team["members"] for team in client.control("GET", "dump")["teams"]}
    assert found == {77: [BO, "Lee@Example.com"], 78: [BO, "Lee@Example.com"]}
    rows = client.get(f"/api/app/projects/{Q}/granted-users").json()["results"]["users"]
    assert [row["email"] for row in rows if row["target_type"] == "team"] == [BO, "Lee@Example.com"]
    assert client.get(f"/api/app/projects/{Q}/users/{BO}").json()["results"]["teams"] == [{"id": 77, "name": "Data"}]


def test_inviting_a_member_is_no_error_and_changes_no_role(client: Client) -> None:
    """They are reported as added, and no e-mail goes out."""
    body = {"users": [{"email": "LEE@example.com", "role": "admin"}]}
    assert client.users("add-users/", body).json()["results"]["added"] == ["LEE@example.com"]
    assert client.role_of("lee@example.com") == "member"
    assert client.control("GET", "mails") == []


def test_granting(client: Client) -> None:
    """A member gets the role at once, a known grant the new role, a stranger an invitation; no second e-mail."""
    for email, role in (("lee@example.com", "admin"), (BO, "consumer"), (BO.upper(), "analyst")):
        assert client.grant(email, role).json() == {"status": "ok", "results": {"success": True}}
    assert client.grants_of("lee@example.com") == {P: "admin"}
    assert client.grants_of(BO) == {P: "analyst"}
    assert client.role_of(BO) == "member"
    assert len(client.control("GET", "mails")) == 1


REFUSED = {
    "string id": ({"id": str(P), "users": [{"email": BO, "role": "analyst"}]}, 500),
    "unknown project": ({"id": 1, "users": [{"email": BO, "role": "analyst"}]}, 404),
    "unknown role": ({"id": P, "users": [{"email": BO, "role": "viewer"}]}, 400),
    "unknown custom role": ({"id": Q, "users": [{"email": BO, "role": CUSTOM}]}, 400),
    "role above": ({"id": P, "users": [{"email": BO, "role": "owner"}]}, 403),
    "no address": ({"id": P, "users": [{"email": "bo", "role": "analyst"}]}, 400),
    "no users": ({"id": P}, 422),
}


@pytest.mark.parametrize(("spoiled", "status"), REFUSED.values(), ids=REFUSED.keys())
def test_a_refused_grant_applies_nothing(client: Client, spoiled: object, status: int) -> None:
    """One bad entry refuses the whole request."""
    before = client.control("GET", "dump")
    good = {"id": P, "users": [{"email": "lee@example.com", "role": "admin"}]}
    assert client.users("add-users-to-projects/", {"projects": [good, spoiled]}).status_code == status
    assert {**client.control("GET", "dump"), "now": 0} == {**before, "now": 0}


def test_a_custom_role_is_granted_by_its_id(client: Client) -> None:
    """Where the project has it."""
    assert client.grant("lee@example.com", CUSTOM).status_code == 200
    assert client.grants_of("lee@example.com") == {P: CUSTOM}


@pytest.mark.parametrize("own", roles.ORGANIZATION_ROLES)
@pytest.mark.parametrize("role", roles.ORGANIZATION_ROLES)
def test_organization_roles_that_one_may_give(connect: Callable[..., Client], own: str, role: str) -> None:
    """Every pair: at or below one's own; only owners and admins manage."""
    allowed = own == "owner" or (own == "admin" and role != "owner")
    invited = connect(own).users("add-users/", {"users": [{"email": BO, "role": role}]})
    changed = connect(own).users("users/lee@example.com/update/", {"role": role})
    assert [invited.status_code, changed.status_code] == [200 if allowed else 403] * 2
    if own in ("owner", "admin"):
        listed = connect(own).get(f"/organizations/{ORG}/assignable-org-roles").json()["results"]
        assert (role in listed) is allowed


def test_removal_takes_all_access_along(client: Client) -> None:
    """Grants and teams go with the person."""
    assert client.users("delete-users/", {"emails": ["LEE@example.com"]}).json()["results"] == {
        "deleted": ["Lee@Example.com"]
    }
    dump = client.control("GET", "dump")
    assert (dump["grants"], dump["teams"][0]["members"]) == ([], [])


def test_a_user_id_is_nobody_elses(client: Client) -> None:
    """Who joins after the newest member has left gets a new id; who comes back has the old one."""

    def join(email: str) -> int | None:
        client.invite(email)
        client.control("POST", "invitations/accept", {"email": email})
        ids: dict[str, int | None] = {row["email"]: row["id"] for row in client.control("GET", "dump")["members"]}
        return ids[email]

    assert join(BO) == 505
    client.users("delete-users/", {"emails": [BO.upper()]})
    assert join("new@example.net") == 506
    client.control("DELETE", "members/new@example.net")
    assert join("other@example.net") == 507
    assert join(BO) == 505
    assert client.users("delete-users/", {"emails": [BO]}).status_code == 200
    client.control("POST", "members", {"email": BO, "role": "member"})
    assert client.control("GET", "dump")["members"][-1]["id"] == 505


def test_taking_a_grant_away_takes_only_the_individual_one(client: Client) -> None:
    """The team's role stays, and so does the person; an unknown project refuses all."""
    path = "users/lee@example.com/delete-projects/"
    assert client.users(path, {"projectIds": [P, 1]}).status_code == 404
    assert client.grants_of("lee@example.com") == {P: "analyst"}
    assert client.users(path, {"projectIds": [P]}).json()["results"] == {"updated": True}
    assert client.grants_of("lee@example.com") == {}
    assert client.role_of("lee@example.com") == "member"
    assert client.users("users/nobody@example.com/delete-projects/", {"projectIds": [P]}).status_code == 404


@pytest.mark.parametrize("compat", [True, False])
def test_leniencies_for_the_official_provider_are_behind_their_switch(compat: bool) -> None:
    """The flat grant body, and the create payload posted to delete."""
    flat = {"users": ["lee@example.com"], "projects": [Q], "role": "analyst"}
    with (
        emulating(organization(), provider_compat=compat) as server,
        Client(server, auth=("admin-bot", "s:ecret")) as client,
    ):
        assert client.users("add-users-to-projects/", flat).status_code == (200 if compat else 422)
        assert client.users("delete-users/", flat).status_code == (200 if compat else 400)
        assert (client.role_of("lee@example.com") is None) is compat
