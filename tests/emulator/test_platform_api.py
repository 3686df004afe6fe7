"""The Platform API: its root, its version, problem details, and the query of the audit log (contract, section 16)."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from mixpanel_access.emulator.dialect import Dialect
from tests.emulator.conftest import ORG, Client, P, Q, organization
from tests.in_process import emulating

QUERY = f"/v1/organizations/{ORG}/audit-logs/query"
OLD = f"/api/app/organizations/{ORG}/audit-logs"
VERSION = {"Mixpanel-Version": "2026-08-13"}
LEE = "lee@example.com"


def asked(client: Client, body: Any = None, **parameters: str) -> httpx.Response:
    """The answer to a question."""
    return client.post(QUERY, json=body or {}, params=parameters, headers=VERSION)


def add(client: Client, n: int, type_: str = "session.logged_in", **more: Any) -> str:
    """An event of the n-th day; its id."""
    event = {"type": type_, "created": f"2026-05-0{n}T00:00:00Z", **more}
    return str(client.control("POST", "audit", event)["id"])


def test_an_event_in_full(client: Client) -> None:
    """As the older route has it, and more; the answer has no envelope."""
    client.users(f"users/{LEE}/update/", {"role": "admin"})
    answer = asked(client).json()
    (old,) = client.post(OLD, json={}).json()["results"]
    extras = {"user_roles": ["admin"], "was_impersonated_by_staff": False, "http_method": None, "http_path": None}
    assert answer == {
        "results": [{**old, **extras}],
        "pagination": {"next_cursor": None, "previous_cursor": None},
    }
    assert old["entity"]["payload"]["current"]["role"]["id"] == "admin"


def test_what_mixpanels_staff_does_in_somebodys_name(client: Client) -> None:
    """It is marked, and stays so in the document of the organization."""
    add(client, 1, user_email="ana@example.com", was_impersonated_by_staff=True)
    add(client, 2, user_email="nobody@example.com")
    for _ in range(2):
        newest, oldest = asked(client).json()["results"]
        assert (oldest["was_impersonated_by_staff"], oldest["user_roles"]) == (True, ["owner"])
        assert (newest["was_impersonated_by_staff"], newest["user_roles"]) == (False, [])
        client.control("POST", "seed", client.control("GET", "dump"))


FILTERS: list[tuple[dict[str, Any], str]] = [
    ({}, "1234"),
    ({"types": None}, "1234"),
    ({"types": ["user.role_changed", "spark.setting_updated"]}, "34"),
    ({"types": []}, ""),
    ({"project_ids": [str(Q)]}, "3"),
    ({"user_ids": ["502"]}, "13"),
    ({"user_emails": ["OMAR@example.com"]}, "13"),
    ({"exclude_user_ids": ["502"]}, "24"),
    ({"exclude_user_emails": ["Omar@Example.com", "x@example.com"]}, "24"),
    ({"user_email_search": "EE@"}, "2"),
    ({"user_email_search": "%"}, ""),
    ({"user_emails": ["omar@example.com", "lee@example.com"], "exclude_user_ids": ["502"]}, "2"),
    ({"created_after": "2026-05-02T00:00:00Z"}, "34"),
    ({"created_after": "2026-05-01T23:59:59.5Z"}, "234"),
    ({"created_before": "2026-05-02T00:00:00Z"}, "1"),
    ({"created_before": "2026-05-02T02:00:00.5+02:00"}, "12"),
    ({"created_after": "2026-05-01T00:00:00Z", "created_before": "2026-05-03T00:00:00Z"}, "2"),
]


@pytest.mark.parametrize(("body", "found"), FILTERS, ids=str)
def test_filters(client: Client, body: dict[str, Any], found: str) -> None:
    """They narrow together; users are those who did it; neither end of the span is in it."""
    omar, lee = {"user_id": "502", "user_email": "omar@example.com"}, {"user_id": "504", "user_email": LEE}
    rows = {add(client, 1, **omar): "1", add(client, 2, payload={"user_id": "502"}, **lee): "2"}
    rows |= {add(client, 3, "user.role_changed", project=Q, **omar): "3"}
    rows |= {add(client, 4, "spark.setting_updated", project=P): "4"}
    assert "".join(rows[event["id"]] for event in reversed(asked(client, body).json()["results"])) == found


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_pages_by_cursor(client: Client, order: str) -> None:
    """Whole, in either order; the last page has no cursor."""
    ids = [add(client, day) for day in (3, 1, 2, 2, 4)]
    ordered = [ids[n] for n in (1, 2, 3, 0, 4)]
    seen: list[str] = []
    cursor: dict[str, str] = {}
    for size in (2, 2, 1):
        answer = asked(client, order=order, page_size="2", **cursor).json()
        assert len(answer["results"]) == size
        seen += [event["id"] for event in answer["results"]]
        cursor = {"cursor": answer["pagination"]["next_cursor"]}
    assert cursor == {"cursor": None}
    assert seen == (ordered if order == "asc" else ordered[::-1])


def test_a_page_has_a_hundred_events(client: Client) -> None:
    """At most, and where nothing else is said."""
    client.control("POST", "seed", organization(audit=[{"type": "session.logged_in", "created": "2026-05-01"}] * 101))
    for parameters in ({}, {"page_size": "100"}):
        assert len(asked(client, **parameters).json()["results"]) == 100


REFUSED: dict[str, tuple[dict[str, Any], int, str]] = {
    "another key": ({"json": {"search": None}}, 422, "#/search"),
    "a number for a text": ({"json": {"user_ids": [502]}}, 422, "#/user_ids/0"),
    "a text for a list": ({"json": {"types": "session.logged_in"}}, 422, "#/types"),
    "no type": ({"json": {"types": ["session.logged_in", "x"]}}, 422, "#/types"),
    "a list for the body": ({"json": []}, 422, "#/"),
    "no JSON": ({"content": b"{"}, 422, ""),
    "no instant": ({"json": {"created_after": "soon"}}, 422, ""),
    "a year too far": ({"json": {"created_before": "9999-12-31T23:59:59Z"}}, 422, ""),
    "another parameter": ({"params": {"search": "x"}}, 422, "?search"),
    "no event on a page": ({"params": {"page_size": "0"}}, 422, "?page_size"),
    "too many on a page": ({"params": {"page_size": "101"}}, 422, "?page_size"),
    "a page of a word": ({"params": {"page_size": "all"}}, 422, "?page_size"),
    "a page of other digits": ({"params": {"page_size": "١٢"}}, 422, "?page_size"),
    "a page of many digits": ({"params": {"page_size": "9" * 5000}}, 422, "?page_size"),
    "another order": ({"params": {"order": "newest"}}, 422, "?order"),
    "a cursor that was never given": ({"params": {"cursor": "a0"}}, 400, ""),
    "another version": ({"headers": {"Mixpanel-Version": "2027-01-01"}}, 400, ""),
    "no credentials": ({"auth": ("nobody", "x")}, 401, ""),
    "a role that may not": ({"auth": ("member-bot", "s:ecret")}, 403, ""),
    "another organization": ({"url": "/v1/organizations/1/audit-logs/query"}, 404, ""),
    "no organization": ({"url": "/v1/organizations/x/audit-logs/query"}, 404, ""),
    "another path": ({"url": "/v1/projects"}, 404, ""),
    "another slash": ({"url": f"{QUERY}/"}, 404, ""),
    "another verb": ({"method": "GET"}, 405, ""),
}


@pytest.mark.parametrize(("request_", "status", "pointer"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("dialect", [{}, {"wrong_body": 400}], ids=str)
def test_a_refusal_has_problem_details(
    client: Client, request_: dict[str, Any], status: int, pointer: str, dialect: dict[str, Any]
) -> None:
    """RFC 9457, an integer status, an id; what is wrong with a body in `errors`, whatever the older roots say."""
    client.control("POST", "dialect", dialect)
    try:
        body: dict[str, Any] = {} if "content" in request_ else {"json": {}}
        answer = client.request(**{"method": "POST", "url": QUERY, "headers": VERSION, **body, **request_})
    finally:
        client.control("POST", "dialect", {})
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    content = answer.json()
    assert (content["status"], content["instance"]) == (status, request_.get("url", QUERY))
    assert all(isinstance(content[key], str) and content[key] for key in ("type", "title", "detail", "error_id"))
    assert ("errors" in content) is (status == 422)
    if pointer:
        assert pointer in [error["pointer"] for error in content["errors"]]


def test_an_unknown_version_is_told_the_good_ones(client: Client) -> None:
    """Without one, the newest counts."""
    answer = client.post(QUERY, json={}, headers={"Mixpanel-Version": "x"})
    assert "2026-08-13" in answer.json()["detail"]
    assert client.post(QUERY, json={}).status_code == 200


@pytest.mark.parametrize(
    ("dialect", "platform", "old"),
    [("both", 200, 200), ("platform", 200, 404), ("old", 404, 200), ("none", 404, 404)],
)
def test_the_dialect_says_which_routes_there_are(dialect: Any, platform: int, old: int) -> None:
    """The log of a project goes with the older route."""
    with (
        emulating(organization(), dialect=Dialect(audit=dialect)) as server,
        Client(server, auth=("admin-bot", "s:ecret")) as client,
    ):
        assert asked(client).status_code == platform
        for path in (OLD, f"/api/app/projects/{P}/audit-logs"):
            assert client.post(path, json={}).status_code == old
