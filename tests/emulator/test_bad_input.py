"""What no client should send: refused in words, never a 500 of ours, and nothing is changed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.emulator.conftest import CUSTOM, ORG, Client, P, organization, unchanged

LONG = "9" * 5000
SURROGATE = "\ud800"

HEADERS = {
    "latin-1": b"Basic \xfc",
    "half base64": b"Basic YWJj=",
    "no value": b"Basic",
    "digest": b"Digest username=admin-bot",
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS.keys())
def test_an_odd_authorization_header_is_refused(client: Client, header: bytes) -> None:
    """Whatever bytes stand in it, the answer is 401."""
    answer = client.get("/api/app/me", headers={b"Authorization": header}, auth=None)
    assert (answer.status_code, answer.json()["status"]) == (401, "error")


PATHS = {
    "organization beyond all integers": f"/organizations/{LONG}/users/",
    "organization beyond SQLite's integers": f"/organizations/{2**64}/users/",
    "organization below zero": f"/organizations/-{ORG}/users/",
    "organization in Arabic digits": "/organizations/%D9%A1/users/",
    "project beyond all integers": f"/api/app/projects/{LONG}/granted-users",
    "project is a word": "/api/app/projects/shop/granted-users",
    "raw slash in the address": f"/api/app/projects/{P}/users/a/b@example.com",
    "doubled slash": f"//organizations/{ORG}/users/",
}


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS.keys())
def test_an_odd_path_is_not_found(client: Client, path: str) -> None:
    """What can be no id or no address of ours is 404."""
    answer = client.get(client.base_url.copy_with(raw_path=path.encode()))
    assert (answer.status_code, answer.json()["status"]) == (404, "error")


@pytest.mark.parametrize("address", ["%FF%FE", "a%00b", "%20", "%2e%2e", "a%2Fb%40example.com"])
def test_an_odd_address_is_a_strangers(client: Client, address: str) -> None:
    """Nobody has it, and nobody has access under it."""
    answer = client.get(client.base_url.copy_with(raw_path=f"/api/app/projects/{P}/users/{address}".encode()))
    assert (answer.status_code, answer.json()["results"]["active"]) == (200, False)


BODIES = {
    "nested too deep": ("add-users/", b"[" * 200_000, 422),
    "no UTF-8": ("add-users/", b'{"users": "\xff"}', 422),
    "UTF-16": ("add-users/", '{"users": []}'.encode("utf-16"), 422),
    "half a surrogate pair as an address": ("delete-users/", b'{"emails": ["\\ud800"]}', 422),
    "half a surrogate pair, raw": ("delete-users/", b'{"emails": ["\xed\xa0\x80"]}', 422),
    "half a surrogate pair as a role": ("users/lee@example.com/update/", b'{"role": "\\uD800"}', 422),
    "null": ("users/lee@example.com/update/", b"null", 422),
    "number as a role": ("users/lee@example.com/update/", b'{"role": 1}', 422),
    "true as a project": ("users/lee@example.com/delete-projects/", b'{"projectIds": [true]}', 422),
    "fraction as a project": ("users/lee@example.com/delete-projects/", b'{"projectIds": [1.5]}', 422),
    "project beyond SQLite's integers": (
        "users/lee@example.com/delete-projects/",
        b'{"projectIds": [%d]}' % 2**70,
        404,
    ),
    "number beyond Python's": ("users/lee@example.com/delete-projects/", b'{"projectIds": [%s]}' % LONG.encode(), 422),
    "array to delete": ("delete-users/", b"[]", 400),
    "text as addresses": ("delete-users/", b'{"emails": "lee@example.com"}', 422),
    "project id as text": (
        "add-users-to-projects/",
        b'{"projects": [{"id": "x", "users": [{"email": "lee@example.com", "role": "admin"}]}]}',
        500,
    ),
}


@pytest.mark.parametrize(("verb", "body", "status"), BODIES.values(), ids=BODIES.keys())
def test_an_odd_body_is_refused_in_the_envelope(client: Client, verb: str, body: bytes, status: int) -> None:
    """422 for what is no JSON or of another shape, 400 or 404 for a bad value, nothing applied."""
    before = client.control("GET", "dump")
    answer = client.post(f"/organizations/{ORG}/{verb}", content=body)
    assert (answer.status_code, answer.json()["status"]) == (status, "error")
    assert unchanged(before, client.control("GET", "dump"))


def test_a_whole_surrogate_pair_is_text(client: Client) -> None:
    """An emoji written as two escapes is read as one character, and refused as a role by name."""
    answer = client.post(f"/organizations/{ORG}/users/lee@example.com/update/", content=b'{"role": "\\ud83d\\ude00"}')
    assert (answer.status_code, answer.json()["error"]) == (400, "\U0001f600 is not an organization role")


@pytest.mark.parametrize("project", ["x", LONG, "", "1.5"])
def test_a_project_that_is_no_number_is_unknown_even_leniently(served: Any, project: str) -> None:
    """The leniency takes numbers written as text, and nothing else."""
    _, client = served(provider_compat=True)
    body = {"users": ["lee@example.com"], "projects": [project], "role": "admin"}
    assert client.users("add-users-to-projects/", body).status_code == 404
    assert client.users("add-users-to-projects/", {**body, "projects": [str(P)]}).status_code == 200
    assert client.grants_of("lee@example.com") == {P: "admin"}


CONTROL = {
    "clock before 1970": ("clock", b'{"now": "0001-01-01T00:00:00Z"}', "now"),
    "clock at the calendar's end": ("clock", b'{"now": "9999-12-31T23:59:59Z"}', "now"),
    "advance beyond the calendar": ("clock", b'{"advance_seconds": 1e20}', "advance_seconds"),
    "advance to the calendar's end": ("clock", b'{"advance_seconds": 2.4e11}', "now"),
    "advance for ever": ("clock", b'{"advance_seconds": Infinity}', "advance_seconds"),
    "advance by nothing known": ("clock", b'{"advance_seconds": NaN}', "advance_seconds"),
    "nested too deep": ("seed", b"[" * 200_000, "nested too deep"),
    "half a surrogate pair": ("members", b'{"email": "\\ud800@example.com", "role": "member"}', "not JSON"),
    "null": ("seed", b"null", "the body"),
    "empty": ("members", b"", "the body"),
    "member without a role": ("members", b'{"email": "a@example.com"}', "role"),
    "member with an unknown field": ("members", b'{"email": "a@example.com", "role": "member", "x": 1}', "x"),
    "member with a project role": ("members", b'{"email": "a@example.com", "role": "analyst"}', "role"),
    "grant of an organization role": ("grants", b'{"email": "a@example.com", "project": 1, "role": "member"}', "role"),
    "acceptance by nobody": ("invitations/accept", b'{"email": "a"}', "email"),
    "login by nobody": ("login", b'{"email": "a"}', "email"),
    "login by no known method": ("login", b'{"email": "lee@example.com", "method": "guess"}', "method"),
    "event whose type is none": ("audit", b'{"type": "Member added"}', "Member added"),
    "event without a type": ("audit", b"{}", "type"),
    "event at the calendar's end": (
        "audit",
        b'{"type": "session.logged_in", "created": "9999-12-31T00:00:00Z"}',
        "created",
    ),
    "event that is no object": ("audit", b'{"type": "session.logged_in", "payload": []}', "payload"),
}


@pytest.mark.parametrize(("verb", "body", "where"), CONTROL.values(), ids=CONTROL.keys())
def test_an_odd_control_body_is_refused_with_its_place(client: Client, verb: str, body: bytes, where: str) -> None:
    """The control surface answers 422, says where, and changes nothing, the clock included."""
    before = client.control("GET", "dump")
    answer = client.post(f"/_emulator/{verb}", content=body)
    assert answer.status_code == 422
    assert where in answer.json()["error"]
    after = client.control("GET", "dump")
    assert unchanged(before, after)
    assert after["now"][:15] == before["now"][:15]


def _spoiled(**change: Any) -> dict[str, Any]:
    members = organization()["members"]
    return organization(members=[members[0], {**members[1], **change}, *members[2:]])


SEEDS = {
    "id twice": (_spoiled(id=501), "members: 501 is there twice"),
    "id beyond JSON's integers": (_spoiled(id=2**70), "members.1.id"),
    "id zero": (_spoiled(id=0), "members.1.id"),
    "invited at the calendar's end": (_spoiled(invited_at="9999-12-31T00:00:00Z"), "members.1.invited_at"),
    "invited some day": (_spoiled(invited_at="some day"), "members.1.invited_at"),
    "life beyond the calendar": (organization(invitation_life_days=1e12), "invitation_life_days"),
    "life of no length": (organization(invitation_life_days=0), "invitation_life_days"),
    "present at the calendar's end": (organization(now="9999-12-31T00:00:00Z"), "now"),
    "no rate": (organization(rate_limit_per_minute=0), "rate_limit_per_minute"),
    "unknown plan": (organization(organization={"id": 1, "name": "E", "plan": "gold"}), "organization.plan"),
    "all users with an organization role": (
        organization(projects=[{"id": P, "name": "Shop", "all_users": "member"}]),
        "projects.0.all_users",
    ),
    "custom role without a UUID": (
        organization(projects=[{"id": P, "name": "Shop", "custom_roles": [{"role_id": "x", "name": "X"}]}]),
        "projects.0.custom_roles.0.role_id",
    ),
    "project twice": (organization(projects=[{"id": P, "name": "A"}, {"id": P, "name": "B"}], teams=[]), "projects"),
    "team twice": (organization(teams=[{"id": 1, "name": "A"}, {"id": 1, "name": "B"}]), "teams"),
    "account twice": (organization(service_accounts=[{"username": "a", "secret": "b"}] * 2), "service_accounts"),
    "account in no project": (
        organization(
            teams=[], service_accounts=[{"username": "a", "secret": "b", "projects": [{"id": 1, "role": "admin"}]}]
        ),
        "service_accounts: 1 is not among the projects",
    ),
    "team of no account": (
        organization(teams=[{"id": 1, "name": "A", "service_accounts": ["nobody"]}]),
        "nobody is not among the service accounts",
    ),
    "custom role twice": (
        organization(projects=[{"id": P, "name": "A", "custom_roles": [{"role_id": CUSTOM, "name": "S"}] * 2}]),
        "custom_roles",
    ),
    "unknown region": (organization(projects=[{"id": P, "name": "A", "domain": "example.com"}]), "projects.0.domain"),
    "grant twice": (
        organization(
            grants=[{"project": P, "email": email, "role": CUSTOM} for email in ("lee@example.com", "LEE@example.com")]
        ),
        "grants",
    ),
    "no organization": ({"members": []}, "organization"),
}


@pytest.mark.parametrize(("document", "where"), SEEDS.values(), ids=SEEDS.keys())
def test_a_seed_that_cannot_be_is_refused_with_its_place(client: Client, document: Any, where: str) -> None:
    """422 says where, the organization stays, and so does the clock."""
    before = client.control("GET", "dump")
    answer = client.post("/_emulator/seed", content=json.dumps(document))
    assert answer.status_code == 422
    assert where in answer.json()["error"]
    assert unchanged(before, client.control("GET", "dump"))


ODD_FAULTS = {
    "line break in a header": {"retry_after": "1\r\nX: y"},
    "snowman in a header": {"retry_after": "\u2603"},
    "line break in the type": {"body": "x", "content_type": "a\nb"},
    "half a surrogate pair": {"body": SURROGATE},
    "status below 200": {"status": 101},
    "status above 599": {"status": 600},
    "endless delay": {"kind": "delay", "seconds": float("inf")},
    "delay into the past": {"kind": "delay", "seconds": -1},
    "unknown field": {"colour": "blue"},
}


@pytest.mark.parametrize("change", ODD_FAULTS.values(), ids=ODD_FAULTS.keys())
def test_a_fault_that_cannot_be_sent_is_refused(client: Client, change: dict[str, Any]) -> None:
    """422, and no request gets it; not even the good one beside it is taken."""
    good = {"kind": "status", "status": 503}
    assert client.post("/_emulator/faults", content=json.dumps([good, {**good, **change}])).status_code == 422
    assert client.control("GET", "faults") == []
    assert client.get("/api/app/me").status_code == 200


def test_an_instant_without_an_offset_is_utc(client: Client) -> None:
    """In the clock and in a seed; the dump writes UTC, whatever offset came in."""
    assert client.control("POST", "clock", {"now": "2026-05-04T12:00:00"})["now"] == "2026-05-04T12:00:00Z"
    assert client.control("POST", "clock", {"now": "2026-05-04T14:00:00+02:00"})["now"] == "2026-05-04T12:00:00Z"
    dump = client.control("POST", "seed", _spoiled(invited_at="2026-05-04T14:00:00+02:00", last_login="2026-05-04"))
    assert dump["members"][1]["invited_at"] == "2026-05-04T12:00:00Z"
    assert dump["members"][1]["last_login"] == "2026-05-04T00:00:00Z"
