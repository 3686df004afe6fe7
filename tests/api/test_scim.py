"""SCIM on the wire: a bearer token, bodies of the RFCs, pages, and no envelope."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from mixpanel_access.api.scim import ScimEndpoint
from mixpanel_access.api.transport import Transport
from mixpanel_access.model import errors
from mixpanel_access.model.access import ScimUser
from mixpanel_access.model.secret import Secret
from mixpanel_access.model.teams import ScimGroup
from tests.api.conftest import HOST, NOW

TOKEN = "scim-token-secret"
ROOT = "/api/app/scim/v2/Users"
GROUPS = "/api/app/scim/v2/Groups"


def endpoint(*answers: httpx.Response) -> tuple[ScimEndpoint, list[httpx.Request]]:
    """The endpoint over some answers, and what it sends."""
    seen: list[httpx.Request] = []
    left = list(answers)

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return left.pop(0)

    mock = httpx.MockTransport(handler)
    return ScimEndpoint(Transport(HOST, "", Secret(TOKEN), transport=mock, now=lambda: NOW)), seen


def page(total: int, *rows: Any) -> httpx.Response:
    """A list response."""
    return httpx.Response(200, json={"totalResults": total, "startIndex": 1, "Resources": list(rows)})


def test_users_are_listed_page_by_page() -> None:
    """By the bearer token; who is not said to be inactive is active."""
    first = page(2, {"id": "1", "userName": "a@example.com"})
    second = page(2, {"id": "2", "userName": "b@example.com", "active": False})
    scim, seen = endpoint(first, second)
    assert scim.list_users() == [ScimUser("1", "a@example.com", True), ScimUser("2", "b@example.com", False)]
    assert [request.url.raw_path.decode() for request in seen] == [
        f"{ROOT}?startIndex=1&count=100", f"{ROOT}?startIndex=2&count=100",
    ]  # fmt: skip
    assert seen[0].headers["authorization"] == f"Bearer {TOKEN}"
    assert "application/scim+json" in seen[0].headers["accept"]


ONE = {"id": "1", "userName": "a@example.com"}
CUT: dict[str, list[httpx.Response]] = {
    "an empty page before the end": [page(9, ONE), page(9)],
    "nothing of what there is": [page(3)],
    "the first page again": [page(2, ONE), page(2, ONE)],
    "an array": [httpx.Response(200, json=[])],
    "an id that is a number": [page(1, {"id": 1})],
}


@pytest.mark.parametrize("answers", CUT.values(), ids=CUT.keys())
def test_a_list_of_users_that_is_cut_is_refused(answers: list[httpx.Response]) -> None:
    """Whoever is on no page that was read may be known to SCIM all the same, and is not removed instead."""
    scim, _ = endpoint(*answers)
    with pytest.raises(errors.Unintelligible, match="cannot list the users by SCIM"):
        scim.list_users()


def test_a_list_of_users_may_be_empty_or_without_its_total() -> None:
    """As long as it does not say that there are more."""
    assert endpoint(page(0))[0].list_users() == []
    without = httpx.Response(200, json={"Resources": [ONE]})
    assert endpoint(without)[0].list_users() == [ScimUser("1", "a@example.com", True)]


def test_bodies_are_those_of_the_rfcs() -> None:
    """A user (RFC 7643) and a PATCH (RFC 7644); an answer without a body is one."""
    scim, seen = endpoint(httpx.Response(201, json={"id": "7"}), httpx.Response(200, json={}), httpx.Response(204))
    scim.create("a@example.com")
    scim.set_active(ScimUser("7", "a@example.com", True), active=False)
    scim.set_active(ScimUser("7", "a@example.com", False), active=True)
    assert [(request.method, request.url.path) for request in seen] == [
        ("POST", ROOT), ("PATCH", f"{ROOT}/7"), ("PATCH", f"{ROOT}/7"),
    ]  # fmt: skip
    made, patched, _ = (json.loads(request.content) for request in seen)
    assert made == {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "a@example.com",
        "emails": [{"value": "a@example.com", "primary": True}], "active": True,
    }  # fmt: skip
    assert patched["Operations"] == [{"op": "replace", "path": "active", "value": False}]


def test_a_group_is_found_by_its_name() -> None:
    """Quoted as the filter wants it, whatever the case; members may be left out, and other names are no answer."""
    data = {"id": "7", "displayName": 'Data "EU"', "members": [{"value": "1"}, {"value": "2", "display": "b"}]}
    other = {"id": "8", "displayName": "Other"}
    scim, seen = endpoint(page(2, other, data), page(1, {**other, "displayName": "OTHER"}), page(1, other), page(0))
    assert scim.find_group('data "eu"') == ScimGroup("7", frozenset({"1", "2"}))
    assert scim.find_group("Other") == ScimGroup("8", frozenset())
    assert (scim.find_group("Data"), scim.find_group("Data")) == (None, None)
    assert seen[0].url.path == GROUPS
    assert seen[0].url.params["filter"] == 'displayName eq "data \\"eu\\""'
    for broken in (httpx.Response(200, json=[]), page(1, {"id": "7"})):
        scim, _ = endpoint(broken)
        with pytest.raises(errors.Unintelligible):
            scim.find_group("Data")


def test_a_group_is_changed_person_by_person() -> None:
    """Made with people; others in it are in no write; another name is one operation."""
    scim, seen = endpoint(httpx.Response(201, json={"id": "7"}), *[httpx.Response(200, json={})] * 3)
    scim.create_group("Data", ["1", "2"])
    scim.change_group("7", "Data", ["3"], ["1", "2"])
    scim.change_group("7", "Data", [], ["3"])
    scim.rename_group("7", "EU")
    assert [(request.method, request.url.path) for request in seen] == [
        ("POST", GROUPS), *[("PATCH", f"{GROUPS}/7")] * 3,
    ]  # fmt: skip
    made, *patched = (json.loads(request.content) for request in seen)
    assert made == {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Data",
        "members": [{"value": "1"}, {"value": "2"}],
    }  # fmt: skip
    assert [body["Operations"] for body in patched] == [
        [
            {"op": "add", "path": "members", "value": [{"value": "3"}]},
            {"op": "remove", "path": 'members[value eq "1"]'}, {"op": "remove", "path": 'members[value eq "2"]'},
        ],
        [{"op": "remove", "path": 'members[value eq "3"]'}],
        [{"op": "replace", "path": "displayName", "value": "EU"}],
    ]  # fmt: skip


def test_an_error_is_told_in_its_words_without_the_token() -> None:
    """SCIM's errors have a detail."""
    scim, _ = endpoint(httpx.Response(403, json={"status": "403", "detail": f"domain is not claimed, {TOKEN}"}))
    with pytest.raises(errors.Forbidden, match=r"domain is not claimed.*check mixpanel:claimedDomains") as refused:
        scim.create("a@example.com")
    scim, _ = endpoint(httpx.Response(401, json={"status": "401", "detail": "invalid SCIM token"}))
    with pytest.raises(errors.Unauthorized, match="Check mixpanel:scimToken"):
        scim.list_users()
    scim, _ = endpoint(httpx.Response(404, json={"status": "404", "detail": "no such resource"}))
    with pytest.raises(errors.NotFound, match="SCIM is set up"):
        scim.list_users()
    scim, _ = endpoint(httpx.Response(409, json={"status": "409", "detail": "has an account"}))
    with pytest.raises(errors.Invalid, match="has an account"):
        scim.create("a@example.com")
    assert TOKEN not in str(refused.value)
