"""SCIM on the wire: a bearer token, bodies of the RFCs, pages, and no envelope."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from mixpanel_access.api.scim import ScimEndpoint
from mixpanel_access.api.transport import Transport
from mixpanel_access.model import errors
from mixpanel_access.model.access import ScimUser
from mixpanel_access.model.setting_values import Secret
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


def page(total: Any, *rows: Any) -> httpx.Response:
    """A list response."""
    return httpx.Response(200, json={"totalResults": total, "startIndex": 1, "Resources": list(rows)})


def test_users_are_listed_page_by_page() -> None:
    """By the bearer token, in the media type of SCIM; who is not said to be active may be it, and may not."""
    first = page(2, {"id": "1", "userName": "a@example.com"})
    second = page(2, {"id": "2", "userName": "b@example.com", "active": False})
    scim, seen = endpoint(first, second, page(2))
    assert scim.list_users() == [ScimUser("1", "a@example.com", None), ScimUser("2", "b@example.com", False)]
    assert [request.url.raw_path.decode() for request in seen] == [
        f"{ROOT}?startIndex={first}&count=100" for first in (1, 2, 3)
    ]  # fmt: skip
    assert seen[0].headers["authorization"] == f"Bearer {TOKEN}"
    assert seen[0].headers["accept"] == "application/scim+json"
    assert "content-type" not in seen[0].headers


ONE = {"id": "1", "userName": "a@example.com"}
CUT: dict[str, list[httpx.Response]] = {
    "an empty page before the end": [page(9, ONE), page(9)],
    "nothing of what there is": [page(3)],
    "the first page again": [page(2, ONE), page(2, ONE)],
    "the first page again, which says that it is all": [page(1, ONE), page(1, ONE)],
    "a total of each page": [page(1, ONE), page(1, {**ONE, "id": "2"}), page(0)],
    "somebody twice on a page": [page(2, ONE, ONE)],
    "more in text": [page("2", ONE), page("2")],
    "one less": [page(2, ONE), page(2, {**ONE, "id": "2"}), page(2, {**ONE, "id": "3"}), page(2)],
    "a total in words": [page("one", ONE)],
    "a negative total": [page(-1, ONE)],
    "nobody, of an unknown number": [page(None)],
    "neither a total nor anybody": [httpx.Response(200, json={})],
    "an empty list without its total": [httpx.Response(200, json={"Resources": []})],
    "another total on the next page": [page(3, ONE), page(2, {**ONE, "id": "2"}), page(2)],
    "more on the last page": [page(1, ONE), page(9)],
    "an array": [httpx.Response(200, json=[])],
    "an attribute twice": [page(1, {**ONE, "ID": "2"})],
    **{f"the id {id_!r}": [page(1, {**ONE, "id": id_})] for id_ in (1, None, "", ".", "..")},
}


@pytest.mark.parametrize("answers", CUT.values(), ids=CUT.keys())
def test_a_list_of_users_that_is_cut_is_refused(answers: list[httpx.Response]) -> None:
    """Whoever is on no page that was read may be known to SCIM all the same, and is not removed instead."""
    scim, _ = endpoint(*answers)
    with pytest.raises(errors.Unintelligible, match="cannot list the users by SCIM"):
        scim.list_users()


def test_somebody_may_come_in_while_the_list_is_read() -> None:
    """Then the next page has them; where somebody goes, another may have moved to a page that was read."""
    other = {"id": "2", "userName": "b@example.com"}
    scim, _ = endpoint(page(1, ONE), page(2, other), page(2))
    assert [user.id for user in scim.list_users()] == ["1", "2"]
    scim, _ = endpoint(page(3, ONE), page(2, other), page(2))
    with pytest.raises(errors.Unintelligible, match="totalResults is 3 and 2, and its pages have 2"):
        scim.list_users()


def test_a_list_of_users_may_be_empty_or_without_its_total() -> None:
    """It ends with an empty page, whatever the total says."""
    assert endpoint(page(0))[0].list_users() == []
    for total in ({}, {"totalResults": None}, {"totalResults": 1}, {"totalResults": "1"}):
        scim, seen = endpoint(httpx.Response(200, json={**total, "Resources": [ONE]}), httpx.Response(200, json=total))
        assert scim.list_users() == [ScimUser("1", "a@example.com", None)]
        assert seen[1].url.params["startIndex"] == "2"


@pytest.mark.parametrize("spelled", [str.lower, str.upper, str.title, str.swapcase])
def test_names_of_attributes_are_read_in_any_case(spelled: Callable[[str], str]) -> None:
    """RFC 7643, section 2.1: of the list, of a user, of a group, of a member."""

    def respelled(value: Any) -> Any:
        if isinstance(value, list):
            return [respelled(part) for part in value]
        return {spelled(name): respelled(part) for name, part in value.items()} if isinstance(value, dict) else value

    user = {"id": "1", "userName": "A@example.com", "active": False}
    group = {"id": "7", "displayName": "Data", "members": [{"value": "1"}]}
    answers = [
        httpx.Response(200, json=respelled({"totalResults": 2, "Resources": [one]}))
        for one in (user, {**user, "id": "2"}, group)
    ]
    scim, _ = endpoint(*answers[:2], page(2), answers[2])
    assert scim.list_users() == [ScimUser(id_, "A@example.com", False) for id_ in ("1", "2")]
    assert scim.find_group("data") == ScimGroup("7", frozenset({"1"}))


@pytest.mark.parametrize(
    ("told", "active"),
    [
        *[(True, True), ("True", True), ("true", True), (1, True)],
        *[(False, False), ("False", False), ("FALSE", False), (0, False)],
        *[(None, None), ("", None), ("suspended", None), ([], None), ({"value": True}, None), (7, None)],
    ],
    ids=repr,
)
def test_who_is_active_is_told_or_unknown(told: Any, active: bool | None) -> None:
    """Null is unassigned, which says neither; an odd word of one hides nobody else."""
    other = {"id": "2", "userName": "b@example.com", "active": True}
    scim, _ = endpoint(page(2, {**ONE, "active": told}, other), page(2))
    assert scim.list_users() == [ScimUser("1", "a@example.com", active), ScimUser("2", "b@example.com", True)]


def test_bodies_are_those_of_the_rfcs() -> None:
    """A user (RFC 7643) and a PATCH (RFC 7644), in SCIM's media type; an answer without a body is one."""
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
    assert {(one.headers["content-type"], one.headers["accept"]) for one in seen} == {("application/scim+json",) * 2}


def test_an_id_is_one_segment_of_the_path() -> None:
    """Whatever is in it."""
    scim, seen = endpoint(*[httpx.Response(204)] * 4)
    scim.set_active(ScimUser("a/../b?x=1#ä %", "a@example.com", True), active=False)
    scim.change_group("7/members", "Data", ["1"], [])
    scim.rename_group("7?", "EU")
    assert [one.url.raw_path.decode().rpartition("/")[::2] for one in seen] == [
        (ROOT, "a%2F..%2Fb%3Fx%3D1%23%C3%A4%20%25"), (GROUPS, "7%2Fmembers"), (GROUPS, "7%3F"),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ['Data "EU"', "a\\b", 'both \\"', "Größe", "日本", "a & b = 100 %", "#+?;", "💡"])
def test_a_filter_is_a_literal_of_json(name: str) -> None:
    """Quotes and backslashes escaped, and nothing else: not every server knows more (RFC 7644, section 3.4.2.2)."""
    group = {"id": "7", "displayName": name}
    scim, seen = endpoint(page(1, group), httpx.Response(204))
    assert scim.find_group(name) == ScimGroup("7", frozenset())
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    assert seen[0].url.params["filter"] == f'displayName eq "{escaped}"'
    scim.change_group("7", name, [], [name])
    assert json.loads(seen[1].content)["Operations"][0]["path"] == f'members[value eq "{escaped}"]'


def test_a_group_is_found_by_its_name() -> None:
    """Quoted as the filter wants it, whatever the case; members may be left out, and other names are no answer."""
    data = {"id": "7", "displayName": 'Data "EU"', "members": [{"value": "1"}, {"value": "2", "display": "b"}]}
    other = {"id": "8", "displayName": "Other"}
    answers = [page(2, other, data), page(1, {**other, "displayName": "OTHER"}), page(1, other), page(1), page(0)]
    scim, seen = endpoint(*answers)
    assert scim.find_group('data "eu"') == ScimGroup("7", frozenset({"1", "2"}))
    assert scim.find_group("Other") == ScimGroup("8", frozenset())
    assert (scim.find_group("Data"), scim.find_group("Data")) == (None, None)
    assert seen[0].url.path == GROUPS
    assert seen[0].url.params["filter"] == 'displayName eq "data \\"eu\\""'
    for broken in ([httpx.Response(200, json=[])], [page(1, {"id": "7"})], [page(2, other), page(2)]):
        scim, _ = endpoint(*broken)
        with pytest.raises(errors.Unintelligible):
            scim.find_group("Data")


@pytest.mark.parametrize(
    "email", ["o'neil@example.com", '"a b"@example.com', '"a\\\\b"@example.com', "grün@example.com"]
)
def test_somebody_is_found_by_their_address(email: str) -> None:
    """Quotes and backslashes escaped; whatever the case, at once, also where a server has no second page."""
    scim, seen = endpoint(page(1, {**ONE, "userName": email.upper(), "active": False}))
    assert scim.find_user(email) == ScimUser("1", email.upper(), False)
    escaped = email.replace("\\", "\\\\").replace('"', '\\"')
    assert seen[0].url.params["filter"] == f'userName eq "{escaped}"'


def test_somebody_is_absent_where_all_pages_say_so() -> None:
    """Not where a server sends others, again and again."""
    assert endpoint(page(0))[0].find_user("b@example.com") is None
    assert endpoint(page(1, ONE), page(1))[0].find_user("b@example.com") is None
    with pytest.raises(errors.Unintelligible, match=r"cannot find b@example\.com by SCIM"):
        endpoint(page(1, ONE), page(1, ONE))[0].find_user("b@example.com")


def test_a_group_on_the_second_page_is_found() -> None:
    """Where a server ignores the filter and lists them all."""
    scim, seen = endpoint(page(2, {"id": "8", "displayName": "Other"}), page(2, {"id": "7", "displayName": "Data"}))
    assert scim.find_group("Data") == ScimGroup("7", frozenset())
    assert [one.url.params["startIndex"] for one in seen] == ["1", "2"]
    assert len({one.url.params["filter"] for one in seen}) == 1


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
