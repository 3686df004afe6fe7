"""Every body of the API with every value in it spoiled in every way: refused or served, and never a fault of ours."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest

from tests.emulator import test_endpoints, test_scim
from tests.emulator.conftest import ORG, Client, P
from tests.emulator.test_scim import scim
from tests.faults.sampling import MANY

__all__ = ["scim"]

ODD: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    1.5,
    1e300,
    2**63,
    -(2**63) - 1,
    10**30,
    "",
    " ",
    "x",
    "\x00",
    "%",
    "é" * 300,
    "9" * 30,
    [],
    [[]],
    [None],
    {},
    {"": None},
    {"id": {"id": {}}},
)
STRING_ID = "a project id sent as text is 500, as in Mixpanel"


def some_spoiled(body: Any) -> Iterator[Any]:
    """Each spoiled body for `make reliability`, else every third: each value by a third of the odd ones in turn."""
    return islice(spoiled(body), 0, None, 1 if MANY else 3)


def spoiled(body: Any) -> Iterator[Any]:
    """The body with each of its values, itself too, replaced by each odd one."""
    yield from ODD
    parts = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    for key, value in parts:
        for odd in spoiled(value):
            copy = dict(body) if isinstance(body, dict) else list(body)
            copy[key] = odd
            yield copy


BODIES = {name: case.body for name, case in test_endpoints.CASES.items() if isinstance(case.body, dict)}
BODIES["POST /v1/organizations/{o}/audit-logs/query"] = {
    "types": ["session.logged_in"],
    "created_after": "2026-05-01T00:00:00Z",
    "created_before": "2026-05-04T00:00:00Z",
    "user_ids": ["502"],
    "exclude_user_emails": ["ana@example.com"],
    "user_email_search": "a",
}
BODIES["POST /api/app/organizations/{o}/audit-logs"] = {
    "types": ["session.logged_in"],
    "created_gte": "2026-05-01T00:00:00Z",
    "user_ids": ["502"],
    "search": "x",
}


@pytest.mark.parametrize("name", BODIES)
def test_no_value_is_a_fault_of_ours(owner: Client, name: str) -> None:
    """Below 500 whatever comes; afterwards the lists can still be read, and the dump be seeded."""
    method, template = name.split(" ")
    path = template.format(**test_endpoints.PLACES)
    for body in some_spoiled(BODIES[name]):
        answer = owner.request(method, path, json=body)
        if answer.status_code == 500 and answer.json()["error"] == "internal server error":
            assert name.endswith("/add-users-to-projects/"), STRING_ID
            continue
        assert answer.status_code < 500, body
    for read in ("users/", "teams", "projects/", "twofactor", "org-session-settings", "org-request-access-settings"):
        assert owner.get(f"/organizations/{ORG}/{read}").status_code == 200
    assert owner.post(f"/api/app/organizations/{ORG}/audit-logs", json={}).status_code == 200
    assert owner.get(f"/api/app/projects/{P}/granted-users").status_code in (200, 404)
    owner.control("POST", "seed", owner.control("GET", "dump"))


OPERATIONS: tuple[dict[str, Any], ...] = (
    {"op": "add", "path": "members", "value": [{"value": "503"}]},
    {"op": "replace", "value": {"displayName": "x", "active": True}},
    {"op": "remove", "path": 'members[value eq "504"]'},
    {"op": "add", "path": "name.givenName", "value": "x"},
    {"op": "add", "path": "emails", "value": [{"value": "x@example.com", "primary": True}]},
)
SCIM_BODIES = {name: body for name, (body, _) in test_scim.CALLS.items() if body is not None}
SCIM_BODIES |= {
    f"{name} {number}": test_scim.operations(operation)
    for name in SCIM_BODIES
    if name.startswith("PATCH")
    for number, operation in enumerate(OPERATIONS)
}


@pytest.mark.parametrize("name", SCIM_BODIES)
def test_no_scim_value_is_a_fault_of_ours(scim: Client, name: str) -> None:  # the fixture
    """Nor in a PATCH."""
    method, template = name.split(" ")[:2]
    path = template.format(user=504, group=77)
    for body in some_spoiled(SCIM_BODIES[name]):
        assert scim.request(method, path, json=body).status_code < 500, body
    for kind in ("Users", "Groups"):
        assert scim.get(f"/api/app/scim/v2/{kind}").status_code == 200
    scim.control("POST", "seed", scim.control("GET", "dump"))


DEEP: Any = {}
for _ in range(150):
    DEEP = {"a": DEEP}
NOT_KEPT = {
    "endless": json.dumps({"a": [float("inf")]}),
    "no number": json.dumps({"a": float("nan")}),
    "too large": '{"a": 1e999}',
    "too deep": json.dumps(DEEP),
}


@pytest.mark.parametrize("text", NOT_KEPT.values(), ids=NOT_KEPT.keys())
def test_what_json_cannot_say_is_not_kept(client: Client, text: str) -> None:
    """In settings and in an event's payload: 422, and they can be read afterwards."""
    settings = f"/organizations/{ORG}/org-session-settings"
    assert client.post(f"{settings}/update", content=text).status_code == 422
    assert client.get(settings).json()["results"] == {}
    event = f'{{"type": "session.logged_in", "payload": {text}}}'
    assert client.post("/_emulator/audit", content=event).status_code == 422
