"""Each call: its path, its body, and whether it may be sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from mixpanel_access.api.client import Api
from mixpanel_access.api.undocumented import is_real
from mixpanel_access.model import errors
from mixpanel_access.model.secret import Secret
from mixpanel_access.model.settings import Settings
from mixpanel_access.model.undocumented import BY_HAND, Verb
from tests.api.conftest import ok, transport

ORG = 7654321

WRITES: dict[str, tuple[Callable[[Api], None], str, Any, Verb | None]] = {
    "invite": (
        lambda api: api.users.invite({"bo@example.com": "member"}),
        "add-users/",
        {"users": [{"email": "bo@example.com", "role": "member"}]},
        Verb.INVITE,
    ),
    "grant": (
        lambda api: api.users.grant({(1, "bo@example.com"): "analyst", (2, "bo@example.com"): "admin"}),
        "add-users-to-projects/",
        {
            "projects": [
                {"id": 1, "users": [{"email": "bo@example.com", "role": "analyst"}]},
                {"id": 2, "users": [{"email": "bo@example.com", "role": "admin"}]},
            ]
        },
        None,
    ),
    "change role": (
        lambda api: api.users.change_role("b+o/%ü@example.com", "admin"),
        "users/b%2Bo%2F%25%C3%BC%40example.com/update/",
        {"role": "admin"},
        Verb.CHANGE_ROLE,
    ),
    "take grants": (
        lambda api: api.users.remove_grants("bo@example.com", [1, 2]),
        "users/bo%40example.com/delete-projects/",
        {"projectIds": [1, 2]},
        Verb.REMOVE_GRANTS,
    ),
    "remove": (
        lambda api: api.users.remove(["bo@example.com"]),
        "delete-users/",
        {"emails": ["bo@example.com"]},
        Verb.REMOVE_MEMBERS,
    ),
    "resend": (
        lambda api: api.users.resend(["bo@example.com"]),
        "resend-invites/",
        {"emails": ["bo@example.com"]},
        Verb.RESEND,
    ),
}


def call(act: Callable[[Api], None], allowed: frozenset[str]) -> list[httpx.Request]:
    """The requests that a call sends to mixpanel.com."""
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return ok({"success": True})

    act(Api(transport(handler), ORG, allowed))
    return seen


@pytest.mark.parametrize(("act", "path", "body", "verb"), WRITES.values(), ids=WRITES.keys())
def test_each_write(act: Callable[[Api], None], path: str, body: Any, verb: Verb | None) -> None:
    """Path and body as in the contract; ids are numbers, addresses in paths are percent-encoded."""
    (request,) = call(act, frozenset(Verb))
    assert (request.method, request.url.raw_path.decode()) == ("POST", f"/organizations/{ORG}/{path}")
    assert json.loads(request.content) == body


@pytest.mark.parametrize(("act", "verb"), [(act, verb) for act, _, _, verb in WRITES.values()], ids=WRITES.keys())
def test_an_undocumented_write_goes_to_a_real_host_only_when_named(
    act: Callable[[Api], None], verb: Verb | None
) -> None:
    """Naming all others does not let it through; the error says what to do by hand and what to name."""
    others = frozenset(Verb) - {verb}
    if verb is None:
        assert len(call(act, frozenset())) == 1
        return
    with pytest.raises(errors.Refused) as refused:
        call(act, others)
    assert BY_HAND[verb] in str(refused.value)
    assert f"add {verb.value} to mixpanel:allowUndocumented" in str(refused.value)
    assert len(call(act, frozenset({verb.value}))) == 1


def test_every_verb_has_a_write_and_words() -> None:
    """The sets are the same."""
    assert {verb for _, _, _, verb in WRITES.values() if verb} == set(Verb) == set(BY_HAND)


HOSTS = {
    "mixpanel.com": True,
    "eu.mixpanel.com": True,
    "in.mixpanel.com": True,
    "127.0.0.1": False,
    "notmixpanel.com": False,
    "mixpanel.com.example.org": False,
}


@pytest.mark.parametrize(("host", "real"), HOSTS.items())
def test_which_hosts_are_real(host: str, real: bool) -> None:
    """Mixpanel's own, and none that only looks like it."""
    assert is_real(host) is real


ACCOUNTS = f"/api/app/organizations/{ORG}/service-accounts"
READS: dict[str, tuple[Callable[[Api], Any], str, Any]] = {
    "me": (lambda api: api.me.read(), "/api/app/me?include_workspace_users=false", {"organizations": {"1": {}}}),
    "users": (lambda api: api.users.list_users(), f"/organizations/{ORG}/users/", []),
    "projects": (lambda api: api.projects.list_projects(), f"/organizations/{ORG}/projects/", []),
    "granted": (lambda api: api.projects.granted_users(7), "/api/app/projects/7/granted-users", {"users": []}),
    "service accounts": (lambda api: api.service_accounts.list_accounts(), ACCOUNTS, [{"id": 1, "username": "a"}]),
}


@pytest.mark.parametrize(("read", "path", "results"), READS.values(), ids=READS.keys())
def test_each_read(read: Callable[[Api], Any], path: str, results: Any) -> None:
    """GET, at the canonical path of its root."""
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return ok(results)

    read(Api(transport(handler), ORG))
    assert [(request.method, request.url.raw_path.decode(), request.content) for request in seen] == [
        ("GET", path, b"")
    ]


def test_connecting_sends_nothing() -> None:
    """The API is made from the settings, and waits to be asked."""
    assert Api.connect(Settings(ORG, "http://127.0.0.1:9", "bot", Secret("x"))).users is not None
