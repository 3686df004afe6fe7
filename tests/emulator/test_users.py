"""Members, invitations and grants (contract, sections 3 and 13)."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import pytest

from mixpanel_access.emulator import EmulatorServer
from mixpanel_access.model import roles
from tests.emulator.conftest import CUSTOM, ORG, Client, P, Q, organization

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


def test_who_am_i(client: Client) -> None:
    """Organizations and projects are maps keyed by the id as a string."""
    me = client.get("/api/app/me?include_workspace_users=false").json()["results"]
    assert me["user_email"] == "admin-bot"
    assert me["organizations"][str(ORG)]["role"] == "admin"
    assert set(me["projects"]) == {str(P), str(Q)}


def test_the_projects(client: Client) -> None:
    """An array of rows with numeric ids."""
    rows = client.get(f"/organizations/{ORG}/projects/").json()["results"]
    assert [(row["id"], row["name"]) for row in rows] == [(P, "Shop"), (Q, "Warehouse")]
    assert set(rows[0]) == {"id", "name", "token", "api_key", "api_secret", "url", "timezone_name"}


def test_granted_users_has_a_row_for_each_way(client: Client) -> None:
    """Organization roles, teams, individual grants and all users; invited people without an id."""
    client.invite(BO, projects=[{"id": P, "role": "consumer"}])
    rows = client.get(f"/api/app/projects/{P}/granted-users").json()["results"]["users"]
    found = {(row["email"], row["role"], row["target_type"]) for row in rows}
    assert found == {
        ("ana@example.com", "owner", "organization"),
        ("omar@example.com", "owner", "organization"),
        ("kim@example.com", "admin", "organization"),
        ("Lee@Example.com", "admin", "team"),
        ("Lee@Example.com", "analyst", "individual"),
        (BO, "consumer", "individual"),
    }
    assert next(row for row in rows if row["email"] == BO)["id"] is None
    everybody = client.get(f"/api/app/projects/{Q}/granted-users").json()["results"]["users"]
    assert sum(row["target_type"] == "all_users" for row in everybody) == 4


def test_one_person_in_a_project(client: Client) -> None:
    """The highest role and the teams; 404 for who has none."""
    lee = client.get(f"/api/app/projects/{P}/users/lee@example.com").json()["results"]
    assert (lee["active"], lee["role"], lee["teams"]) == (True, "admin", [{"id": 77, "name": "Data"}])
    assert client.get(f"/api/app/projects/{P}/users/ana@example.com").status_code == 404


def test_inviting(client: Client) -> None:
    """A stranger is invited with role and projects, and one e-mail goes out."""
    results = client.invite(BO, projects=[{"id": P, "role": "analyst"}]).json()["results"]
    assert results == {"invited": [BO], "added": [], "failed": []}
    assert client.grants_of(BO) == {P: "analyst"}
    assert [mail["email"] for mail in client.control("GET", "mails")] == [BO]


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


@pytest.mark.parametrize("own", ["owner", "admin"])
@pytest.mark.parametrize("role", [*roles.PROJECT_ROLES, CUSTOM])
def test_project_roles_that_one_may_give(connect: Callable[..., Client], own: str, role: str) -> None:
    """Every pair: an organization admin stops at project admin."""
    allowed = own == "owner" or role != "owner"
    assert connect(own).grant("lee@example.com", role).status_code == (200 if allowed else 403)
    listed = connect(own).get(f"/api/app/projects/{P}/assignable-roles").json()["results"]
    assert (role in listed) is allowed


@pytest.mark.parametrize(("own", "email", "status"), [
    ("admin", "ana@example.com", 403),
    ("admin", "kim@example.com", 403),
    ("admin", "lee@example.com", 200),
    ("owner", "ana@example.com", 403),
    ("owner", "kim@example.com", 200),
    ("admin", "nobody@example.com", 200),
])  # fmt: skip
def test_who_may_remove_whom(connect: Callable[..., Client], own: str, email: str, status: int) -> None:
    """Only people whose role is below one's own; taken literally, no owner removes an owner."""
    answer = connect(own).users("delete-users/", {"emails": [email]})
    assert answer.status_code == status
    assert (connect().role_of(email) is None) is (status == 200)


def test_removal_takes_all_access_along(client: Client) -> None:
    """Grants and teams go with the person."""
    assert client.users("delete-users/", {"emails": ["LEE@example.com"]}).json()["results"] == {
        "deleted": ["Lee@Example.com"]
    }
    dump = client.control("GET", "dump")
    assert (dump["grants"], dump["teams"][0]["members"]) == ([], [])


def test_the_last_owner_stays(owner: Client) -> None:
    """One of two owners may be demoted, and then the other may not."""
    assert owner.users("users/ana@example.com/update/", {"role": "member"}).status_code == 200
    refused = owner.users("users/omar@example.com/update/", {"role": "admin"})
    assert (refused.status_code, refused.json()["error"]) == (400, "an organization must have at least one owner")
    assert owner.users("users/omar@example.com/update/", {"role": "owner"}).status_code == 200


def test_an_admin_does_not_touch_an_owner(client: Client) -> None:
    """Nor anybody who is not there."""
    assert client.users("users/ana@example.com/update/", {"role": "member"}).status_code == 403
    assert client.users("users/nobody@example.com/update/", {"role": "member"}).status_code == 404


def test_taking_a_grant_away_takes_only_the_individual_one(client: Client) -> None:
    """The team's role stays, and so does the person; an unknown project refuses all."""
    path = "users/lee@example.com/delete-projects/"
    assert client.users(path, {"projectIds": [P, 1]}).status_code == 404
    assert client.grants_of("lee@example.com") == {P: "analyst"}
    assert client.users(path, {"projectIds": [P]}).json()["results"] == {"updated": True}
    assert client.grants_of("lee@example.com") == {}
    assert client.role_of("lee@example.com") == "member"
    assert client.users("users/nobody@example.com/delete-projects/", {"projectIds": [P]}).status_code == 404


@pytest.mark.parametrize("email", ["a+b@example.com", "a/b@example.com", "a%b@example.com", "ü@exämple.com"])
def test_odd_addresses_in_paths(client: Client, email: str) -> None:
    """Percent-encoded, they stay one segment."""
    client.invite(email)
    assert client.users(f"users/{quote(email, safe='')}/update/", {"role": "admin"}).status_code == 200
    assert client.role_of(email) == "admin"


WEEK = 7 * 86400


@pytest.mark.parametrize(("seconds", "alive"), [(WEEK - 1, True), (WEEK, False), (WEEK + 1, False)])
def test_an_invitation_lives_seven_days_to_the_second(client: Client, seconds: int, alive: bool) -> None:
    """Then it can be neither accepted nor resent, and is listed as before; inviting again starts it anew."""
    client.control("POST", "clock", {"now": "2026-05-04T12:00:00Z"})
    document = client.control("GET", "dump")
    document["members"].append({"email": BO, "role": "member", "invited_at": "2026-05-04T12:00:00Z"})
    client.control("POST", "seed", document | {"now": "2026-05-04T12:00:00Z"})
    client.control("POST", "clock", {"advance_seconds": seconds})
    row = client.get(f"/organizations/{ORG}/users/").json()["results"][-1]
    assert (row["email"], row["invited"]) == (BO, True)
    accepted = client.post("/_emulator/invitations/accept", json={"email": BO})
    assert accepted.status_code == (200 if alive else 409)
    if not alive:
        assert client.users("resend-invites/", {"emails": [BO]}).status_code == 404
        client.invite(BO)
        assert client.control("POST", "invitations/accept", {"email": BO})["accepted"] is True
    row = client.get(f"/organizations/{ORG}/users/").json()["results"][-1]
    assert (row["invited"], row["last_login"] is not None, row["id"]) == (False, True, 505)


@pytest.mark.parametrize("verb", ["resend-invites/", "regenerate-invite-url/"])
def test_a_pending_invitation_is_sent_again(client: Client, verb: str) -> None:
    """Its life starts anew; who is a member or unknown gets 404."""
    client.invite(BO)
    client.control("POST", "clock", {"advance_seconds": WEEK - 10})
    assert client.users(verb, {"emails": [BO]}).json()["results"] == {"success": True}
    client.control("POST", "clock", {"advance_seconds": WEEK - 10})
    assert client.control("POST", "invitations/accept", {"email": BO})["accepted"] is True
    for email in (BO, "nobody@example.com"):
        assert client.users(verb, {"emails": [email]}).status_code == 404


def test_the_invitation_limit(client: Client) -> None:
    """Ten an hour to one domain, sliding; the eleventh is refused whole, and other domains are not concerned."""
    assert client.invite(*[f"p{n}@agency.example.org" for n in range(9)]).status_code == 200
    refused = client.invite("p9@agency.example.org", "p10@agency.example.org", "x@example.net")
    assert refused.status_code == 429
    assert 3590 <= int(refused.headers["retry-after"]) <= 3600
    assert len(client.control("GET", "mails")) == 9
    assert client.invite("p9@agency.example.org").status_code == 200
    assert client.invite("p10@agency.example.org").status_code == 429
    assert client.users("resend-invites/", {"emails": ["p9@agency.example.org"]}).status_code == 429
    assert client.grant("p11@agency.example.org", "analyst").status_code == 429
    assert client.invite("x@example.net").status_code == 200
    client.control("POST", "clock", {"advance_seconds": 3601})
    assert client.invite("p10@agency.example.org").status_code == 200


def test_without_the_limit_all_go_out() -> None:
    """The limit can be switched off."""
    with (
        EmulatorServer(organization(), limit_invitations=False) as server,
        Client(base_url=server.url, auth=("admin-bot", "s:ecret")) as client,
    ):
        assert client.invite(*[f"p{n}@agency.example.org" for n in range(30)]).status_code == 200


@pytest.mark.parametrize(("role", "status"), [("owner", 200), ("billing_admin", 200), ("admin", 403), ("member", 403)])
def test_the_free_plan_has_two_organization_roles(owner: Client, role: str, status: int) -> None:
    """The others are refused in words."""
    document = organization(organization={"id": ORG, "name": "Example", "plan": "free"})
    owner.control("POST", "seed", document)
    answer = owner.users("add-users/", {"users": [{"email": BO, "role": role}]})
    assert answer.status_code == status


@pytest.mark.parametrize("compat", [True, False])
def test_leniencies_for_the_official_provider_are_behind_their_switch(compat: bool) -> None:
    """The flat grant body, and the create payload posted to delete."""
    flat = {"users": ["lee@example.com"], "projects": [Q], "role": "analyst"}
    with (
        EmulatorServer(organization(), provider_compat=compat) as server,
        Client(base_url=server.url, auth=("admin-bot", "s:ecret")) as client,
    ):
        assert client.users("add-users-to-projects/", flat).status_code == (200 if compat else 422)
        assert client.users("delete-users/", flat).status_code == (200 if compat else 400)
        assert (client.role_of("lee@example.com") is None) is compat
