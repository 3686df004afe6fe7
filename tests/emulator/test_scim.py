"""SCIM 2.0: users are members, groups are teams (contract, section 10; RFC 7643 and 7644)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from scim2_models import Context, Error, Group, ListResponse, ServiceProviderConfig, User

from mixpanel_access.emulator.scim import ENDPOINTS, ROOT
from mixpanel_access.emulator.server import EmulatorServer
from tests.emulator.conftest import ORG, Client, organization, unchanged
from tests.emulator.test_audit import events, told

NEW, LEE, KIM, OUTSIDE = "new@example.com", "lee@example.com", "kim@example.com", "bo@agency.example.org"
USER_SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP_SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:Group"
SECURITY = {
    "scim_token": "t0ken",
    "accounts_elsewhere": ["Elsewhere@example.com"],
    "sso": {
        "enabled": True,
        "domains": [{"name": "example.com"}, {"name": "agency.example.org", "state": "pending"}],
    },
}
NAMES = [f"{endpoint.method} {endpoint.template}" for endpoint in ENDPOINTS]


def document(**changes: Any) -> dict[str, Any]:
    """The compliant organization with SCIM, and somebody of a domain that it does not hold."""
    members = [*organization()["members"], {"email": OUTSIDE, "id": 505}]
    teams = [{"id": 77, "name": "Data", "members": [LEE, OUTSIDE]}, {"id": 80, "name": "Other"}]
    return organization(**{"members": members, "teams": teams, "security": SECURITY, **changes})


class Token(httpx.Auth):
    """The identity provider's token."""

    def auth_flow(self, request: httpx.Request) -> Iterator[httpx.Request]:  # type: ignore[override]  # a generator too
        request.headers["Authorization"] = "Bearer t0ken"
        yield request


@pytest.fixture
def scim(server: EmulatorServer) -> Iterator[Client]:
    """The identity provider."""
    with Client(server, auth=Token()) as client:
        client.control("POST", "seed", document())
        yield client


def user(**attributes: Any) -> dict[str, Any]:
    """A user as it is posted."""
    return {"schemas": [USER_SCHEMA], "userName": NEW, **attributes}


def group(*members: str, **attributes: Any) -> dict[str, Any]:
    """A group as it is posted."""
    return {
        "schemas": [GROUP_SCHEMA],
        "displayName": "Ops",
        "members": [{"value": id_} for id_ in members],
        **attributes,
    }


def operations(*several: dict[str, Any]) -> dict[str, Any]:
    """The body of a PATCH."""
    return {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": list(several)}


def row(client: Client, email: str) -> dict[str, Any]:
    """A person in the dump."""
    rows = client.control("GET", "dump")["members"]
    found: dict[str, Any] = next(row for row in rows if row["email"].lower() == email)
    return found


def people(client: Client, team: str) -> list[str]:
    """The members of a team in the dump."""
    rows = client.control("GET", "dump")["teams"]
    found: list[str] = next(row["members"] for row in rows if row["name"] == team)
    return found


def refused(answer: httpx.Response, status: int, scim_type: str | None = None) -> None:
    """Check that an answer is that error, in SCIM's shape."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/scim+json"
    error = Error.model_validate(answer.json())
    assert (error.status, error.scim_type) == (status, scim_type)
    assert error.detail


CALLS: dict[str, tuple[Any, int]] = {
    f"GET {ROOT}/ServiceProviderConfig": (None, 200),
    f"GET {ROOT}/Schemas": (None, 200),
    f"GET {ROOT}/Schemas/{{schema}}": (None, 200),
    f"GET {ROOT}/ResourceTypes": (None, 200),
    f"GET {ROOT}/ResourceTypes/{{type}}": (None, 200),
    f"GET {ROOT}/Users": (None, 200),
    f"POST {ROOT}/Users": (user(), 201),
    f"GET {ROOT}/Users/{{user}}": (None, 200),
    f"PUT {ROOT}/Users/{{user}}": (user(userName=LEE), 200),
    f"PATCH {ROOT}/Users/{{user}}": (operations({"op": "replace", "path": "active", "value": False}), 200),
    f"DELETE {ROOT}/Users/{{user}}": (None, 204),
    f"GET {ROOT}/Groups": (None, 200),
    f"POST {ROOT}/Groups": (group("504"), 201),
    f"GET {ROOT}/Groups/{{group}}": (None, 200),
    f"PUT {ROOT}/Groups/{{group}}": (group("504"), 200),
    f"PATCH {ROOT}/Groups/{{group}}": (operations({"op": "replace", "path": "displayName", "value": "Ops"}), 200),
    f"DELETE {ROOT}/Groups/{{group}}": (None, 204),
}


PLACES = {"user": "504", "group": "77", "schema": USER_SCHEMA, "type": "Group"}
OPEN = f"GET {ROOT}/ServiceProviderConfig"


def test_the_table_is_complete() -> None:
    """Each endpoint is in it, and nothing else."""
    assert sorted(CALLS) == sorted(NAMES)


def call(client: Client, name: str, body: Any = None, **more: Any) -> httpx.Response:
    """One verb, of Lee or of the team Data."""
    method, template = name.split(" ")
    return client.request(method, template.format(**{**PLACES, **more.pop("places", {})}), json=body, **more)


@pytest.mark.parametrize("name", NAMES)
def test_every_verb_answers_and_refuses_in_its_own_shape(scim: Client, connect: Any, name: str) -> None:
    """No envelope; 401 without the token or with Basic, 404, 405, a body that is none; nothing is changed by it.

    What the server can do is told to everybody.
    """
    body, status = CALLS[name]
    before = scim.control("GET", "dump")
    method, template = name.split(" ")
    for auth in (None, ("owner-bot", "s:ecret")):
        answer = call(scim, name, body, auth=auth)
        if name == OPEN:
            assert answer.status_code == 200
        else:
            refused(answer, 401)
            assert answer.headers["www-authenticate"] == 'Bearer realm="mixpanel"'
    refused(scim.request(method, f"{template.format(**PLACES)}/", json=body), 404)
    served = {endpoint.method for endpoint in ENDPOINTS if endpoint.template == template}
    for other in {"GET", "POST", "PUT", "PATCH", "DELETE"} - served:
        answer = call(scim, name.replace(method, other, 1), body)
        refused(answer, 405)
        assert set(answer.headers["allow"].split(", ")) - {"HEAD"} == served
    for place in PLACES:
        if f"{{{place}}}" in template:
            for unknown in ("1", "x", "999999999999999999999", "0"):
                refused(call(scim, name, body, places={place: unknown}), 404)
    if body is not None:
        path = template.format(**PLACES)
        refused(scim.request(method, path, content=b"{"), 400, "invalidSyntax")
        refused(scim.request(method, path, content=b"[]"), 400, "invalidSyntax")
        assert scim.request(method, path, content=b"{}").status_code == 400
    assert unchanged(before, scim.control("GET", "dump"))
    answer = call(scim, name, body)
    assert answer.status_code == status
    if status == 204:
        assert answer.content == b""
    else:
        assert answer.headers["content-type"] == "application/scim+json"
        assert "results" not in answer.json()


def test_the_token_opens_nothing_else(scim: Client, client: Client) -> None:
    """And no token is no way in; a new one kills the old."""
    assert scim.get(f"/organizations/{ORG}/users/").status_code == 401
    assert client.get(f"{ROOT}/Users").status_code == 401
    for token in ("other", None):
        scim.control("POST", "seed", document(security={**SECURITY, "scim_token": token}))
        refused(scim.get(f"{ROOT}/Users"), 401)
    refused(scim.get(ROOT), 404)


@pytest.mark.parametrize("plan", ["free", "growth"])
def test_it_is_for_enterprise(scim: Client, plan: str) -> None:
    """403 on a lesser plan."""
    scim.control("POST", "seed", document(organization={"id": ORG, "name": "Example", "plan": plan}))
    for name, (body, _) in CALLS.items():
        refused(call(scim, name, body), 403)


def test_bodies_are_those_of_the_standard(scim: Client) -> None:
    """As the library that knows it reads them."""
    ServiceProviderConfig.model_validate(scim.get(f"{ROOT}/ServiceProviderConfig").json())
    for kind, model in (("Users", ListResponse[User[Any]]), ("Groups", ListResponse[Group])):
        answer = scim.get(f"{ROOT}/{kind}").json()
        model.model_validate(answer, scim_ctx=Context.RESOURCE_QUERY_RESPONSE)
    made = scim.post(f"{ROOT}/Users", json=user())
    User[Any].model_validate(made.json(), scim_ctx=Context.RESOURCE_CREATION_RESPONSE)
    assert made.headers["location"] == made.json()["meta"]["location"] == f"{ROOT}/Users/506"


def test_a_new_user(scim: Client, client: Client) -> None:
    """A member, whatever role the body asks for; names and identifiers come back; the log says by SCIM."""
    sent = user(
        name={"givenName": "New", "familyName": "One"},
        emails=[{"value": NEW, "primary": True}],
        externalId="e-1",
        active=True,
        orgRole="admin",
        title="Analyst",
    )
    made = scim.post(f"{ROOT}/Users", json=sent)
    assert made.status_code == 201
    shown = made.json()
    expected = {key: value for key, value in sent.items() if key != "orgRole"}
    location = f"{ROOT}/Users/506"
    assert shown == {**expected, "id": "506", "meta": {"resourceType": "User", "location": location}}
    assert scim.get(location).json() == shown
    assert (row(scim, NEW)["role"], row(scim, NEW)["name"], scim.grants_of(NEW)) == ("member", "New One", {})
    (added,) = events(client)
    assert (added["service"], added["user_id"], added["entity"]["payload"]["source"]) == ("scim", "", "scim")
    dump = scim.control("GET", "dump")
    assert unchanged(dump, scim.control("POST", "seed", dump))
    assert scim.get(location).json() == shown


NOT_MADE = {
    "a member": (user(userName=LEE.upper()), 409, "uniqueness"),
    "an account elsewhere": (user(userName="elsewhere@example.com"), 409, "uniqueness"),
    "a domain that is only pending": (user(userName="x@agency.example.org"), 403, None),
    "a strange domain": (user(userName="x@example.net"), 403, None),
    "no address": (user(userName="new"), 400, "invalidValue"),
    "no name": ({"schemas": [USER_SCHEMA]}, 400, "invalidValue"),
    "a number": (user(userName=1), 400, "invalidValue"),
    "another schema": (user(schemas=[GROUP_SCHEMA]), 400, "invalidSyntax"),
}


@pytest.mark.parametrize(("body", "status", "scim_type"), NOT_MADE.values(), ids=NOT_MADE.keys())
def test_a_user_that_cannot_be_made(scim: Client, body: Any, status: int, scim_type: str | None) -> None:
    """Nothing is changed."""
    before = scim.control("GET", "dump")
    refused(scim.post(f"{ROOT}/Users", json=body), status, scim_type)
    assert unchanged(before, scim.control("GET", "dump"))


def test_who_was_invited_joins_and_who_left_comes_back(scim: Client, client: Client) -> None:
    """With the role of the invitation and its grants; with the id they had."""
    client.users("add-users/", {"users": [{"email": NEW, "role": "admin"}]})
    assert scim.post(f"{ROOT}/Users", json=user()).json()["id"] == "506"
    assert (row(scim, NEW)["role"], row(scim, NEW)["invited_at"]) == ("admin", None)
    assert scim.delete(f"{ROOT}/Users/506").status_code == 204
    refused(scim.get(f"{ROOT}/Users/506"), 404)
    assert scim.post(f"{ROOT}/Users", json=user()).json()["id"] == "506"
    assert row(scim, NEW)["role"] == "member"
    names = [name for name, _ in told(client)]
    assert names[1:] == ["organization.user_added", "organization.user_removed", "organization.user_added"]


def test_deactivating_and_reactivating(scim: Client, client: Client) -> None:
    """They keep their access but cannot log in, and show as such; it is in the dump."""
    path = f"{ROOT}/Users/504"
    for active in (False, True):
        answer = scim.patch(path, json=operations({"op": "Replace", "value": {"active": active}}))
        assert (answer.status_code, answer.json()["active"]) == (200, active)
        assert client.post("/_emulator/login", json={"email": LEE}).status_code == (200 if active else 409)
        rows = client.get(f"/organizations/{ORG}/users/").json()["results"]
        assert [row.get("active", True) for row in rows if row["id"] == 504] == [active]
        assert client.get("/api/app/projects/1234567/users/lee@example.com").json()["results"]["active"] is active
        assert row(scim, LEE)["active"] is active
        assert scim.grants_of(LEE) == {1234567: "analyst"}
    client.control("POST", "members", {"email": LEE, "role": "member", "active": False})
    assert scim.get(path).json()["active"] is False


def test_the_last_owner_stays(scim: Client) -> None:
    """Neither removed nor deactivated; a deactivated one does not count."""
    off = operations({"op": "replace", "path": "active", "value": False})
    assert scim.patch(f"{ROOT}/Users/501", json=off).status_code == 200
    refused(scim.patch(f"{ROOT}/Users/502", json=off), 400)
    refused(scim.delete(f"{ROOT}/Users/502"), 400)
    assert scim.delete(f"{ROOT}/Users/501").status_code == 204


def test_replacing_a_user(scim: Client) -> None:
    """What is not sent is gone; the address stays."""
    path = f"{ROOT}/Users/504"
    assert scim.put(path, json=user(userName=LEE, title="Analyst", displayName="Lee L.")).json()["title"] == "Analyst"
    assert row(scim, LEE)["name"] == "Lee L."
    replaced = scim.put(path, json=user(userName="Lee@Example.com", id="1")).json()
    assert ("title" in replaced, replaced["id"], row(scim, LEE)["name"]) == (False, "504", None)
    refused(scim.put(path, json=user(userName=NEW)), 400, "mutability")
    refused(scim.patch(path, json=operations({"op": "replace", "path": "userName", "value": NEW})), 400, "mutability")


@pytest.mark.parametrize("name", [name for name in NAMES if "{user}" in name and not name.startswith("GET")])
def test_people_of_other_domains_are_left_alone(scim: Client, name: str) -> None:
    """They are listed, and any write is 403."""
    body = user(userName=OUTSIDE) if name.startswith("PUT") else CALLS[name][0]
    refused(call(scim, name, body, places={"user": "505"}), 403)
    assert scim.get(f"{ROOT}/Users/505").json()["userName"] == OUTSIDE


def listed(scim: Client, kind: str, **query: Any) -> tuple[list[str], int]:
    """The ids of a page, and the number of all."""
    answer = scim.get(f"{ROOT}/{kind}", params=query)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["itemsPerPage"] == len(body["Resources"])
    return [resource["id"] for resource in body["Resources"]], body["totalResults"]


PAGES = [
    ({}, ["501", "502", "503", "504", "505"]),
    ({"startIndex": 2, "count": 2}, ["502", "503"]),
    ({"startIndex": 5, "count": 9}, ["505"]),
    ({"startIndex": 6}, []),
    ({"startIndex": 0, "count": 1}, ["501"]),
    ({"startIndex": -3, "count": 1}, ["501"]),
    ({"count": 0}, []),
    ({"count": -1}, []),
]


@pytest.mark.parametrize(("query", "ids"), PAGES, ids=str)
def test_pages(scim: Client, client: Client, query: dict[str, Any], ids: list[str]) -> None:
    """From 1 on; the total is of all who have joined."""
    client.invite(NEW)
    assert listed(scim, "Users", **query) == (ids, 5)


def test_filters(scim: Client) -> None:
    """By user name and by display name, whatever the case."""
    assert listed(scim, "Users", filter='userName eq "LEE@example.com"') == (["504"], 1)
    assert listed(scim, "Users", filter='username EQ "nobody@example.com"') == ([], 0)
    assert listed(scim, "Groups", filter='displayName eq "data"') == (["77"], 1)
    assert listed(scim, "Groups", filter='displayName eq "Da\\"ta"') == ([], 0)


ODD_FILTERS = [
    'emails.value eq "x"',
    'displayName eq "x"',
    'userName sw "x"',
    'userName eq "x" and active eq true',
    "userName eq x",
    "userName pr",
    'userName eq "\\x"',
    "",
]


@pytest.mark.parametrize("text", ODD_FILTERS)
def test_any_other_filter_is_refused(scim: Client, text: str) -> None:
    """400 invalidFilter; a page that is no number is 400, too."""
    refused(scim.get(f"{ROOT}/Users", params={"filter": text}), 400, "invalidFilter")
    refused(scim.get(f"{ROOT}/Groups", params={"filter": 'userName eq "x"'}), 400, "invalidFilter")
    refused(scim.get(f"{ROOT}/Users", params={"count": text}), 400, "invalidValue")


def test_a_group_is_a_team(scim: Client, client: Client) -> None:
    """Made, filled, renamed, deleted; marked as fed by SCIM; roles are set in Mixpanel."""
    made = scim.post(f"{ROOT}/Groups", json=group("503", "504", externalId="g-1"))
    assert made.status_code == 201
    assert made.json() == {
        "schemas": [GROUP_SCHEMA],
        "id": "81",
        "externalId": "g-1",
        "displayName": "Ops",
        "members": [
            {"value": "503", "display": KIM, "type": "User"},
            {"value": "504", "display": "Lee@Example.com", "type": "User"},
        ],
        "meta": {"resourceType": "Group", "location": f"{ROOT}/Groups/81"},
    }
    team = client.get(f"/organizations/{ORG}/teams").json()["results"][-1]
    assert (team["name"], team["scim_managed"], team["org_role"], team["projects"]) == ("Ops", True, None, [])
    assert scim.get(f"{ROOT}/Users/503").json()["groups"] == [{"value": "81", "display": "Ops", "type": "direct"}]
    path = f"{ROOT}/Groups/81"
    for several in (
        [{"op": "add", "path": "members", "value": [{"value": "501"}]}],
        [{"op": "remove", "path": 'members[value eq "503"]'}, {"op": "replace", "value": {"displayName": "Ops EU"}}],
    ):
        assert scim.patch(path, json=operations(*several)).status_code == 200
    assert people(scim, "Ops EU") == ["ana@example.com", "Lee@Example.com"]
    assert scim.put(path, json=group("503", displayName="Ops EU")).json()["members"][0]["value"] == "503"
    assert people(scim, "Ops EU") == [KIM]
    assert scim.delete(path).status_code == 204
    names = [event["entity"]["action"] for event in events(client)]
    assert names == [
        *("created", "user_added", "user_added", "user_added", "user_removed", "updated"),
        *("user_added", "user_removed", "user_removed", "deleted"),
    ]
    assert {event["service"] for event in events(client)} == {"scim"}


def test_a_team_that_there_is_becomes_a_group(scim: Client) -> None:
    """Found by its name, and fed from the first write on; people of other domains stay in it."""
    refused(scim.post(f"{ROOT}/Groups", json=group(displayName="DATA")), 409, "uniqueness")
    ((id_,), _) = listed(scim, "Groups", filter='displayName eq "Data"')
    assert scim.put(f"{ROOT}/Groups/{id_}", json=group("503", displayName="Data")).status_code == 200
    assert people(scim, "Data") == [OUTSIDE, KIM]
    assert [team["scim_managed"] for team in scim.control("GET", "dump")["teams"]] == [True, False]


NOT_KEPT = {
    "an unknown person": (group("999"), 400, "invalidValue"),
    "no id of a person": (group("lee"), 400, "invalidValue"),
    "a person of another domain": (group("506"), 403, None),
    "another team's name": (group(displayName="OTHER"), 409, "uniqueness"),
    "an empty name": (group(displayName=" "), 400, "invalidValue"),
}


@pytest.mark.parametrize(("body", "status", "scim_type"), NOT_KEPT.values(), ids=NOT_KEPT.keys())
@pytest.mark.parametrize("verb", [f"POST {ROOT}/Groups", f"PUT {ROOT}/Groups/{{group}}"], ids=["new", "known"])
def test_a_group_that_cannot_be_kept(scim: Client, body: Any, status: int, scim_type: str | None, verb: str) -> None:
    """Nothing is changed."""
    scim.control("POST", "members", {"email": "cy@example.net", "role": "member"})
    before = scim.control("GET", "dump")
    refused(call(scim, verb, body), status, scim_type)
    assert unchanged(before, scim.control("GET", "dump"))


ODD_PATCHES = {
    "no operation": ([], "invalidValue"),
    "unknown operation": ([{"op": "move", "path": "members"}], "invalidValue"),
    "no target": ([{"op": "remove"}], "noTarget"),
    "odd path": ([{"op": "replace", "path": "members[", "value": 1}], "invalidPath"),
    "read-only": ([{"op": "replace", "path": "id", "value": "9"}], "mutability"),
    "required": ([{"op": "remove", "path": "displayName"}], "mutability"),
}


@pytest.mark.parametrize(("several", "scim_type"), ODD_PATCHES.values(), ids=ODD_PATCHES.keys())
def test_an_odd_patch_is_refused(scim: Client, several: list[Any], scim_type: str) -> None:
    """With SCIM's word for it; the good operation before it is not applied either."""
    before = scim.control("GET", "dump")
    good = [{"op": "replace", "path": "displayName", "value": "Ops"}] if several else []
    refused(scim.patch(f"{ROOT}/Groups/77", json=operations(*good, *several)), 400, scim_type)
    assert unchanged(before, scim.control("GET", "dump"))
