"""SCIM as identity providers speak it: Entra's PATCH, filters, names in any case; its discovery; its dialects."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from scim2_models import Error, Group, ListResponse, ResourceType, Schema, User

from mixpanel_access.api.scim import ScimEndpoint
from mixpanel_access.api.transport import Transport
from mixpanel_access.emulator.dialect import Dialect
from mixpanel_access.emulator.scim import ROOT
from mixpanel_access.emulator.server import EmulatorServer
from mixpanel_access.model import errors
from mixpanel_access.model.access import ScimUser
from mixpanel_access.model.setting_values import Secret
from tests.emulator.conftest import Client, unchanged
from tests.emulator.test_scim import (
    GROUP_SCHEMA,
    KIM,
    LEE,
    NEW,
    OUTSIDE,
    USER_SCHEMA,
    Token,
    document,
    group,
    listed,
    operations,
    people,
    refused,
    user,
)


@pytest.fixture
def scim(server: EmulatorServer) -> Iterator[Client]:
    """The identity provider, over an emulator whose dialect a test may change."""
    with Client(server, auth=Token()) as client:
        client.control("POST", "seed", document())
        yield client
        client.control("POST", "dialect", {})


REMOVALS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "Entra without its newer flag": ({"op": "Remove", "path": "members", "value": [{"value": "504"}]}, [KIM]),
    "as Entra documents it": ({"op": "Remove", "path": "members", "value": [{"$ref": None, "value": "504"}]}, [KIM]),
    "one object": ({"op": "remove", "path": "members", "value": {"value": "504"}}, [KIM]),
    "in another case": ({"OP": "REMOVE", "PATH": "MEMBERS", "VALUE": [{"VALUE": "504"}]}, [KIM]),
    "by the URN": ({"op": "remove", "path": f"{GROUP_SCHEMA}:members", "value": [{"value": "504"}]}, [KIM]),
    "by a filter": ({"op": "Remove", "path": 'MEMBERS[VALUE EQ "504"]'}, [KIM]),
    "two": ({"op": "Remove", "path": "members", "value": [{"value": "504"}, {"value": "503"}]}, []),
    "one is not in it": ({"op": "Remove", "path": "members", "value": [{"value": "501"}, {"value": "504"}]}, [KIM]),
    "nobody": ({"op": "Remove", "path": "members", "value": []}, [KIM, LEE]),
    "a stranger": ({"op": "Remove", "path": "members", "value": [{"value": "999"}]}, [KIM, LEE]),
    "everybody": ({"op": "Remove", "path": "members"}, []),
}  # fmt: skip


@pytest.mark.parametrize(("operation", "left"), REMOVALS.values(), ids=REMOVALS.keys())
def test_only_those_who_are_named_leave_a_group(scim: Client, operation: dict[str, Any], left: list[str]) -> None:
    """Whichever way they are named; nobody else, and nobody of another domain."""
    path = f"{ROOT}/Groups/77"
    assert scim.patch(path, json=operations({"op": "Add", "path": "members", "value": [{"value": "503"}]})).is_success
    assert scim.patch(path, json=operations(operation)).status_code == 200
    assert sorted(map(str.lower, people(scim, "Data"))) == sorted([*left, OUTSIDE])


PHONE = 'phoneNumbers[type eq "work"].value'
ADDED: dict[str, tuple[list[dict[str, Any]], list[dict[str, str]]]] = {
    "to none": ([{"op": "Add", "path": PHONE, "value": "1"}], [{"type": "work", "value": "1"}]),
    "again": (
        [{"op": "Add", "path": PHONE, "value": "1"}, {"op": "Add", "path": PHONE.swapcase(), "value": "2"}],
        [{"type": "work", "value": "2"}],
    ),
    "by the URN": ([{"op": "add", "path": f"{USER_SCHEMA}:{PHONE}", "value": "1"}], [{"type": "work", "value": "1"}]),
    "and replaced": (
        [{"op": "Add", "path": PHONE, "value": "1"}, {"op": "Replace", "path": PHONE, "value": "3"}],
        [{"type": "work", "value": "3"}],
    ),
    "beside another": (
        [
            {"op": "Add", "path": "phoneNumbers", "value": [{"type": "mobile", "value": "9"}]},
            {"op": "Add", "path": PHONE, "value": "1"},
        ],
        [{"type": "mobile", "value": "9"}, {"type": "work", "value": "1"}],
    ),
}


@pytest.mark.parametrize(("several", "kept"), ADDED.values(), ids=ADDED.keys())
def test_an_element_that_a_list_lacks_is_added(
    scim: Client, several: list[dict[str, Any]], kept: list[dict[str, str]]
) -> None:
    """As Entra asks for it: the filter describes the element."""
    answer = scim.patch(f"{ROOT}/Users/504", json=operations(*several))
    assert answer.status_code == 200, answer.text
    assert answer.json()["phoneNumbers"] == kept


NOT_ADDED: dict[str, dict[str, Any]] = {
    "replacing what there is not": {"op": "Replace", "path": PHONE, "value": "1"},
    "a filter that describes nothing": {"op": "Add", "path": 'phoneNumbers[type ne "fax"].value', "value": "1"},
}


@pytest.mark.parametrize("operation", NOT_ADDED.values(), ids=NOT_ADDED.keys())
def test_an_element_that_nothing_describes_is_not_added(scim: Client, operation: dict[str, Any]) -> None:
    """400 noTarget (RFC 7644, section 3.5.2.3), and the good operation before it is not applied either."""
    before = scim.control("GET", "dump")
    good = {"op": "Replace", "path": "active", "value": False}
    refused(scim.patch(f"{ROOT}/Users/504", json=operations(good, operation)), 400, "noTarget")
    assert unchanged(before, scim.control("GET", "dump"))


BY_NAME = [
    '{} eq "{}"', '({} eq "{}")', '( ({}  eq  "{}") )', '{} EQ "{}"',
]  # fmt: skip
SPELLINGS: list[Callable[[str], str]] = [str, str.lower, str.upper]


@pytest.mark.parametrize("spelled", SPELLINGS)
@pytest.mark.parametrize("pattern", BY_NAME)
def test_a_filter_in_brackets_or_by_the_urn(scim: Client, pattern: str, spelled: Callable[[str], str]) -> None:
    """The attribute and its schema are named in any case."""
    for prefix in ("", f"{USER_SCHEMA}:"):
        text = pattern.format(spelled(f"{prefix}userName"), spelled(LEE))
        assert listed(scim, "Users", filter=text) == (["504"], 1)
    for prefix in ("", f"{GROUP_SCHEMA}:"):
        text = pattern.format(spelled(f"{prefix}displayName"), spelled("Data"))
        assert listed(scim, "Groups", filter=text) == (["77"], 1)


@pytest.mark.parametrize(
    "text",
    [
        f'{GROUP_SCHEMA}:userName eq "x"', f'{USER_SCHEMA}:displayName eq "x"', f'not ({USER_SCHEMA}:userName eq "x")',
        '(userName eq "x"', 'userName eq "x")', 'userName eq "x" or userName eq "y"', "userName eq null",
        "userName eq 1", "(" * 3000, "(" * 3000 + 'userName ne "x"' + ")" * 3000,
    ],
)  # fmt: skip
def test_another_schema_or_operator_is_no_filter(scim: Client, text: str) -> None:
    """400 invalidFilter."""
    refused(scim.get(f"{ROOT}/Users", params={"filter": text[:6000]}), 400, "invalidFilter")


@pytest.mark.parametrize("email", ["o'neil@example.com", "a+b@example.com", "größe@example.com"])
def test_a_filter_finds_what_it_escapes(scim: Client, email: str) -> None:
    """Each as it is, or in escapes of JSON."""
    made = scim.post(f"{ROOT}/Users", json=user(userName=email))
    assert made.status_code == 201, made.text
    escaped = "".join(f"\\u{ord(char):04x}" for char in email)
    for text in (email, escaped):
        assert listed(scim, "Users", filter=f'userName eq "{text}"') == ([made.json()["id"]], 1)


@pytest.mark.parametrize("name", ['Data "EU"', "a\\b", 'both \\"', "Größe", "日本", "a & b = 100 %", "#+?;", "💡"])
def test_our_client_finds_a_group_of_any_name(server: EmulatorServer, scim: Client, name: str) -> None:
    """Quotes and backslashes, and whatever else a name has."""
    made = scim.post(f"{ROOT}/Groups", json=group("503", displayName=name))
    transport = Transport(server.url, "", Secret("t0ken"))
    found = ScimEndpoint(transport).find_group(name)
    assert found is not None
    assert (found.id, found.members) == (made.json()["id"], frozenset({"503"}))
    assert ScimEndpoint(transport).find_group(f"{name} ") is None
    transport.close()


@pytest.mark.parametrize("spelled", [str.upper, str.lower])
def test_bodies_name_attributes_in_any_case(scim: Client, spelled: Callable[[str], str]) -> None:
    """RFC 7643, section 2.1: in a new user, in a PATCH, in a group."""

    def respelled(body: dict[str, Any]) -> dict[str, Any]:
        return {
            spelled(name): [respelled(part) if isinstance(part, dict) else part for part in value]
            if isinstance(value, list)
            else value
            for name, value in body.items()
        }

    made = scim.post(f"{ROOT}/Users", json=respelled(user(displayName="New")))
    assert (made.status_code, made.json()["displayName"]) == (201, "New")
    change = operations({"op": "replace", "value": {spelled("active"): "False"}})
    assert scim.patch(f"{ROOT}/Users/{made.json()['id']}", json=respelled(change)).json()["active"] is False
    assert scim.post(f"{ROOT}/Groups", json=respelled(group("504"))).json()["members"][0]["value"] == "504"


def test_it_says_what_it_has(scim: Client) -> None:
    """Its schemas and types of resources, as the library that knows them reads them; each by its name as well."""
    schemas = ListResponse[Schema].model_validate(scim.get(f"{ROOT}/Schemas").json())
    assert [one.id for one in schemas.resources or []] == [USER_SCHEMA, GROUP_SCHEMA]
    types = ListResponse[ResourceType].model_validate(scim.get(f"{ROOT}/ResourceTypes").json())
    assert [(one.id, str(one.endpoint)) for one in types.resources or []] == [("User", "/Users"), ("Group", "/Groups")]
    for kind in ("Schemas", "ResourceTypes"):
        for resource in scim.get(f"{ROOT}/{kind}").json()["Resources"]:
            assert scim.get(f"{ROOT}/{kind}/{resource['id']}").json() == resource
            assert scim.get(resource["meta"]["location"]).json() == resource
    assert {model.__schema__ for model in (User[Any], Group)} == {USER_SCHEMA, GROUP_SCHEMA}


@pytest.mark.parametrize("token", ["another", None])
def test_what_it_can_do_is_told_to_everybody(scim: Client, token: str | None) -> None:
    """Also where there is no token at all; everything else is 401."""
    scim.control("POST", "seed", document(security={**document()["security"], "scim_token": token}))
    assert scim.get(f"{ROOT}/ServiceProviderConfig", auth=None).json()["patch"]["supported"] is True
    for path in ("Schemas", "ResourceTypes", "Users", "ServiceProviderConfig/x"):
        assert scim.get(f"{ROOT}/{path}").status_code == (404 if "/" in path else 401)


def test_errors_may_have_their_words_only(scim: Client) -> None:
    """In the dialect `detail`; our client tells them all the same."""
    scim.control("POST", "dialect", {"scim_errors": "detail"})
    answers = [
        scim.post(f"{ROOT}/Users", json=user(userName=LEE)),
        scim.get(f"{ROOT}/Users", params={"filter": "x"}),
        scim.get(f"{ROOT}/Users", auth=None),
        scim.get(f"{ROOT}/Users/1"),
        scim.put(f"{ROOT}/Users"),
    ]
    assert [answer.status_code for answer in answers] == [409, 400, 401, 404, 405]
    for answer in answers:
        assert answer.headers["content-type"] == "application/scim+json"
        assert sorted(answer.json()) == ["detail", "schemas"]
    transport = Transport(str(scim.base_url).rstrip("/"), "", Secret("t0ken"))
    with pytest.raises(errors.Invalid, match="has an account"):
        ScimEndpoint(transport).create(LEE)
    transport.close()


def test_a_fault_is_told_in_its_shape(scim: Client) -> None:
    """With the media type, and without the envelope; a body that is given is sent as it is."""
    fault = {"kind": "status", "status": 503, "path_prefix": ROOT}
    scim.control("POST", "faults", [fault, {**fault, "body": "<p>down", "status": 502}])
    answer = scim.get(f"{ROOT}/Users")
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/scim+json")
    assert Error.model_validate(answer.json()).status == 503
    assert scim.get(f"{ROOT}/Users").text == "<p>down"


SCIM, JSON = "application/scim+json", "application/json"
SPOKEN = [
    (SCIM, SCIM, 201),
    (f"{SCIM.title()}; charset=utf-8", f"{JSON}, {SCIM};q=0.9", 201),
    (SCIM, "*/*", 201),
    (SCIM, "application/*", 201),
    (SCIM, None, 201),
    (JSON, SCIM, 415),
    ("", SCIM, 415),
    (f"{SCIM}, {JSON}", SCIM, 415),
    (SCIM, JSON, 406),
    (SCIM, "text/html", 406),
]


@pytest.mark.parametrize(("content", "accept", "status"), SPOKEN, ids=str)
def test_a_strict_server_takes_its_media_type_only(scim: Client, content: str, accept: str | None, status: int) -> None:
    """In the dialect `strict`; else anything is taken. Nothing is made by what is refused."""
    headers = {"Content-Type": content, "Accept": accept or ""}
    request = scim.build_request("POST", f"{ROOT}/Users", json=user(), headers=headers)
    if accept is None:
        del request.headers["Accept"]
    before = scim.control("GET", "dump")
    scim.control("POST", "dialect", {"scim_media_type": "strict"})
    answer = scim.send(request)
    assert answer.status_code == status, answer.text
    if status != 201:
        refused(answer, status)
        assert unchanged(before, scim.control("GET", "dump"))
        scim.control("POST", "dialect", {})
        assert scim.send(request).status_code == 201


def test_our_client_speaks_to_a_strict_server_page_by_page(server: EmulatorServer, scim: Client) -> None:
    """Every call of it: lists in pages of two, people in and out, a group made, changed, renamed."""
    scim.control("POST", "dialect", Dialect(scim_media_type="strict", scim_errors="detail", page_size=2).model_dump())
    transport = Transport(server.url, "", Secret("t0ken"))
    client = ScimEndpoint(transport)
    assert [one.id for one in client.list_users()] == ["501", "502", "503", "504", "505"]
    client.create(NEW)
    client.set_active(ScimUser("504", LEE, True), active=False)
    assert [(one.id, one.active) for one in client.list_users()][3:] == [("504", False), ("505", True), ("506", True)]
    client.create_group("Ops", ["503"])
    made = client.find_group("ops")
    assert made is not None
    client.change_group(made.id, "Ops", ["504", "506"], ["503"])
    client.rename_group(made.id, "Ops EU")
    renamed = client.find_group("Ops EU")
    assert renamed is not None
    assert (renamed.id, renamed.members) == (made.id, frozenset({"504", "506"}))
    transport.close()


def test_a_reader_of_pages_counts_on_from_what_came(scim: Client) -> None:
    """The most of a page is the dialect's, however many are asked for."""
    scim.control("POST", "dialect", {"page_size": 2})
    assert listed(scim, "Users", count=100) == (["501", "502"], 5)
    assert listed(scim, "Users", count=1, startIndex=2) == (["502"], 5)
    assert listed(scim, "Users", startIndex=5) == (["505"], 5)
    assert listed(scim, "Users", startIndex=6) == ([], 5)
