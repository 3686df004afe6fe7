"""Each call: its path, its body, and whether it may be sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import httpx
import pytest

from mixpanel_access.api.client import Api
from mixpanel_access.api.transport import MOST_PAGES
from mixpanel_access.model import errors
from mixpanel_access.model.hosts import is_real
from mixpanel_access.model.setting_values import Secret
from mixpanel_access.model.settings import BY_HAND, Settings, Verb
from tests.api.conftest import ok, transport

ORG = 7654321

WRITES: dict[str, tuple[Callable[[Api], object], str, Any, Verb | None]] = {
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
    "make a team": (lambda api: api.teams.create("Data"), "add-teams/", {"teamNames": ["Data"]}, None),
    "rename a team": (lambda api: api.teams.rename(77, "Data EU"), "teams/77/update/", {"name": "Data EU"}, None),
    "delete a team": (lambda api: api.teams.delete(77), "delete-teams/", {"teamIds": [77]}, None),
    "grant to teams": (
        lambda api: api.teams.grant({(77, 1): "analyst", (77, 2): "admin", (78, 1): "consumer"}),
        "add-projects-to-teams/",
        {
            "teams": [
                {"id": 77, "projects": [{"id": 1, "role": "analyst"}, {"id": 2, "role": "admin"}]},
                {"id": 78, "projects": [{"id": 1, "role": "consumer"}]},
            ],
            "add_default_projects": False,
        },
        None,
    ),
    "take from a team": (
        lambda api: api.teams.remove_grant(77, 1),
        "teams/77/delete-projects/",
        {"projectIds": [1]},
        None,
    ),
    "add to teams": (
        lambda api: api.teams.add_members([(77, "bo@example.com"), (78, "bo@example.com"), (77, "cy@example.com")]),
        "add-users-to-teams/",
        {
            "teams": [
                {"id": 77, "users": [{"email": "bo@example.com"}, {"email": "cy@example.com"}]},
                {"id": 78, "users": [{"email": "bo@example.com"}]},
            ]
        },
        Verb.ADD_TO_TEAMS,
    ),
    "take out of a team": (
        lambda api: api.teams.remove_member(77, "bo@example.com"),
        "teams/77/delete-users/",
        {"emails": ["bo@example.com"]},
        Verb.REMOVE_FROM_TEAMS,
    ),
}


def call(act: Callable[[Api], object], allowed: frozenset[str], *, fresh: bool = True) -> list[httpx.Request]:
    """The requests that a call sends to mixpanel.com."""
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return ok({"success": True})

    act(Api(transport(handler), ORG, allowed, fresh=lambda: fresh))
    return seen


@pytest.mark.parametrize(("act", "path", "body", "verb"), WRITES.values(), ids=WRITES.keys())
def test_each_write(act: Callable[[Api], object], path: str, body: Any, verb: Verb | None) -> None:
    """Path and body as in the contract; ids are numbers, addresses in paths are percent-encoded."""
    (request,) = call(act, frozenset(Verb))
    assert (request.method, request.url.raw_path.decode()) == ("POST", f"/organizations/{ORG}/{path}")
    assert json.loads(request.content) == body


@pytest.mark.parametrize(("act", "verb"), [(act, verb) for act, _, _, verb in WRITES.values()], ids=WRITES.keys())
def test_an_undocumented_write_goes_to_a_real_host_only_when_named(
    act: Callable[[Api], object], verb: Verb | None
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


@pytest.mark.parametrize(("act", "verb"), [(act, verb) for act, _, _, verb in WRITES.values()], ids=WRITES.keys())
def test_what_only_the_state_remembers_takes_away_and_gives_nothing(
    act: Callable[[Api], object], verb: Verb | None
) -> None:
    """A plain destroy can take people out of a real organization; nothing is given by an old setting."""
    giving = verb in {Verb.INVITE, Verb.RESEND, Verb.ADD_TO_TEAMS}
    if not giving:
        assert len(call(act, frozenset(Verb), fresh=False)) == 1
        return
    with pytest.raises(errors.Refused, match="only the last `pulumi up` had it switched on"):
        call(act, frozenset(Verb), fresh=False)


@pytest.mark.parametrize(
    "act",
    [
        lambda api, crew: api.users.grant({(project, email): "analyst" for email in crew for project in (1, 2)}),
        lambda api, crew: api.users.invite(dict.fromkeys(crew, "member")),
        lambda api, crew: api.users.remove(crew),
    ],
    ids=["grant", "invite", "remove"],
)
def test_a_batchs_error_names_a_few_of_its_people(act: Callable[[Api, list[str]], object]) -> None:
    """Everybody in the batch is told of it, and nobody wants to read everybody's address so often."""

    def handler(request: httpx.Request) -> httpx.Response:
        return httpx.Response(400, json={"status": "error", "error": "no"})

    crew = [f"p{n:02}@example.com" for n in range(32)]
    with pytest.raises(errors.Invalid) as refused:
        act(Api(transport(handler), ORG, frozenset(Verb)), crew)
    assert str(refused.value).count("@example.com") == 5
    assert "p04@example.com and 27 others" in str(refused.value)


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
    "users": (lambda api: api.users.list_users(), f"/organizations/{ORG}/users/", [{"email": "a@example.com"}]),
    "projects": (lambda api: api.projects.list_projects(), f"/organizations/{ORG}/projects/", []),
    "granted": (lambda api: api.projects.granted_users(7), "/api/app/projects/7/granted-users", {"users": []}),
    "service accounts of a project": (
        lambda api: api.service_accounts.list_of_project(7),
        "/api/app/projects/7/service-accounts",
        [],
    ),
    "custom roles": (lambda api: api.custom_roles.list_roles(7), "/api/app/projects/7/custom-roles", []),
    "permissions": (
        lambda api: api.custom_roles.permissions(7),
        "/api/app/projects/7/custom-roles/switch-config",
        {"groups": [{"id": "g", "permissions": ["a"]}]},
    ),
    "service accounts": (lambda api: api.service_accounts.list_accounts(), ACCOUNTS, [{"id": 1, "username": "a"}]),
    "teams": (lambda api: api.teams.list_teams(), f"/organizations/{ORG}/teams", []),
    "service accounts of a team": (
        lambda api: api.teams.service_accounts_of(77),
        f"/api/app/organizations/{ORG}/teams/77/service-accounts",
        [],
    ),
    "two-factor": (lambda api: api.organization_settings.two_factor(), f"/organizations/{ORG}/twofactor", {}),
    "access requests": (
        lambda api: api.organization_settings.request_access(),
        f"/organizations/{ORG}/org-request-access-settings",
        {},
    ),
    "single sign-on": (lambda api: api.organization_settings.sso(), f"/organizations/{ORG}/sso", {}),
}


NEW = {"id": 2, "username": "etl.1a2b3c.mp-service-account", "token": "t0p"}
ROLES = "/api/app/projects/7/custom-roles"
UNGATED: dict[str, tuple[Callable[[Api], Any], str, str, Any]] = {
    "make a service account": (
        lambda api: api.service_accounts.create("etl", "admin", datetime(2027, 1, 1, tzinfo=UTC)),
        "POST", ACCOUNTS, {"username": "etl", "role": "admin", "expires": "2027-01-01T00:00:00Z"},
    ),
    "make one without end": (
        lambda api: api.service_accounts.create("etl", "consumer", None),
        "POST", ACCOUNTS, {"username": "etl", "role": "consumer"},
    ),
    "delete a service account": (lambda api: api.service_accounts.delete(2), "DELETE", f"{ACCOUNTS}/2", None),
    "grant to a service account": (
        lambda api: api.service_accounts.add_to_project(2, 7, "analyst"),
        "POST", f"{ACCOUNTS}/add-to-project",
        {"service_account_ids": [2], "projects": [{"id": 7, "role": "analyst"}]},
    ),
    "take from a service account": (
        lambda api: api.service_accounts.remove_from_project(2, 7),
        "POST", f"{ACCOUNTS}/remove-from-project", {"projects": [{"id": 7, "service_account_ids": [2]}]},
    ),
    "make a custom role": (
        lambda api: api.custom_roles.create(7, "Support", "", {"b", "a"}),
        "POST", ROLES, {"name": "Support", "description": "", "permissions": ["a", "b"]},
    ),
    "change a custom role": (
        lambda api: api.custom_roles.change(7, "5b0c", "Support", "reads", []),
        "PUT", f"{ROLES}/5b0c", {"name": "Support", "description": "reads", "permissions": []},
    ),
    "delete a custom role": (lambda api: api.custom_roles.delete(7, "5b0c"), "DELETE", f"{ROLES}/5b0c", None),
    "second factor": (
        lambda api: api.organization_settings.put_two_factor({"twofactor_auth_required": True, "other": 1}),
        "POST", f"/organizations/{ORG}/twofactor/update", {"twofactor_auth_required": True, "other": 1},
    ),
    "access requests": (
        lambda api: api.organization_settings.put_request_access({"a": [1]}),
        "POST", f"/organizations/{ORG}/org-request-access-settings/update", {"a": [1]},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("act", "method", "path", "body"), UNGATED.values(), ids=UNGATED.keys())
def test_each_ungated_write(act: Callable[[Api], Any], method: str, path: str, body: Any) -> None:
    """As documented or observed, at once, and on a real host without being switched on."""
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return ok(NEW)

    act(Api(transport(handler), ORG))
    (request,) = seen
    assert (request.method, request.url.raw_path.decode()) == (method, path)
    assert (json.loads(request.content) if request.content else None) == body


def test_the_token_of_a_new_account_is_a_secret() -> None:
    """It is in no repr, and an answer without one is none; what stands in its place is not shown."""
    answers: list[Any] = [NEW, {**NEW, "token": None}, {"id": 2, "username": "etl"}, [NEW]]
    api = Api(transport(lambda _: ok(answers.pop(0))), ORG)
    made = api.service_accounts.create("etl", "admin", None)
    assert (made.token.reveal(), "t0p" in repr(made), made.account.name) == ("t0p", False, "etl")
    for _ in range(3):
        with pytest.raises(errors.Unintelligible, match="it has no token") as refused:
            api.service_accounts.create("etl", "admin", None)
        assert "t0p" not in str(refused.value)


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


LISTS: dict[str, Callable[[int], Any]] = {
    "users": lambda n: [{"email": f"p{n}@example.com"}],
    "projects": lambda n: {"projects": [{"id": n}]},
    "granted": lambda n: {"users": {f"p{n}@example.com": {"role": "analyst"}}},
    "service accounts of a project": lambda n: [{"id": n, "role": "analyst"}],
    "custom roles": lambda n: [{"role_id": f"5b0c{n}"}],
    "service accounts": lambda n: [{"id": n, "username": f"etl{n}"}],
    "teams": lambda n: {"teams": [{"id": n, "name": f"Team {n}", "projects": []}]},
    "service accounts of a team": lambda n: [{"id": n}],
}
"""Reads of lists -> the `results` of one page."""


def paged(name: str, *cursors: object) -> tuple[list[Any], list[str]]:
    """What is read where the pages name these cursors, the last of them for ever; and the queries."""
    queries: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        queries.append(request.url.query.decode())
        number = len(queries)
        results = LISTS[name](number)
        told = {"pagination": {"next_cursor": cursors[min(number, len(cursors)) - 1]}}
        if number == 1 and isinstance(results, dict):  # a server may also put it with the rows
            return ok({**results, **told})
        return httpx.Response(200, json={"status": "ok", "results": results, **told})

    return READS[name][0](Api(transport(handler), ORG)), queries


@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_read_page_by_page(name: str) -> None:
    """Whoever stands on a later page is there as well; the cursor goes out quoted, and a number is one."""
    found, queries = paged(name, "a b/c", 7, None)
    assert (len(found), len(set(map(str, found)))) == (3, 3)
    assert queries == ["", "cursor=a%20b%2Fc", "cursor=7"]


@pytest.mark.parametrize("cursor", [None, "", {}, True], ids=str)
def test_a_list_of_one_page_is_one_request(cursor: object) -> None:
    """What is no cursor names no page."""
    assert paged("users", cursor)[1] == [""]


@pytest.mark.parametrize(("cursors", "pages"), [(("x", "x"), 2), (("x", "y", "x"), 3)], ids=["again", "a circle"])
def test_a_list_in_a_circle_is_refused(cursors: tuple[str, ...], pages: int) -> None:
    """Half of it is not taken for all: who is on no page would count as absent."""
    with pytest.raises(errors.Unintelligible, match=rf"list the users .*page {pages} names a page read before"):
        paged("users", *cursors)


@pytest.mark.parametrize("name", LISTS)
def test_a_page_that_repeats_another_is_refused(name: str) -> None:
    """A server that does not know the cursor shows the first page for ever: whoever is on no page would be absent."""
    left = iter(range(100))

    def handler(_: httpx.Request) -> httpx.Response:
        told = {"pagination": {"next_cursor": f"c{next(left)}"}}
        return httpx.Response(200, json={"status": "ok", "results": LISTS[name](1), **told})

    with pytest.raises(errors.Unintelligible, match="page 2 is the same as a page before it"):
        READS[name][0](Api(transport(handler), ORG))


def always(answer: httpx.Response) -> Callable[[httpx.Request], httpx.Response]:
    """A server that answers everything so."""
    return lambda _: answer


CUT = [{"has_more": True}, {"next": "https://x.example/?page=2"}, {"next_page": 2}, {"has_next_page": True, "page": 1}]


@pytest.mark.parametrize("pagination", CUT, ids=lambda one: next(iter(one)))
@pytest.mark.parametrize("name", LISTS)
def test_a_list_that_is_cut_is_refused(name: str, pagination: dict[str, Any]) -> None:
    """It says that there is more, and not how to ask for it; one that says that it is all is read."""
    for told, refused in (
        (pagination, True),
        (dict.fromkeys(pagination), False),
        (dict.fromkeys(pagination, 0), False),
    ):
        answer = httpx.Response(200, json={"status": "ok", "results": LISTS[name](1), "pagination": told})
        read = partial(READS[name][0], Api(transport(always(answer)), ORG))
        if refused:
            with pytest.raises(errors.Unintelligible, match="one of several pages"):
                read()
        else:
            assert len(read()) == 1


NOBODY: dict[str, Any] = {
    "an array": [],
    "a map": {},
    "an array within": {"users": []},
    "a map within": {"users": {}},
    "nobody pending either": {"users": [], "pending": []},
    "only rows without an address": [{"id": 501, "role": "owner"}, {"id": 502, "email": None}],
    "only blanks": [{"id": 501, "email": " "}, {"id": 502, "email": ""}],
    "a map of rows without one": {"501": {"id": 501, "role": "owner"}},
}


@pytest.mark.parametrize("results", NOBODY.values(), ids=NOBODY.keys())
@pytest.mark.parametrize("enveloped", [True, False])
def test_a_list_of_nobody_is_refused(results: Any, enveloped: bool) -> None:
    """An organization always has somebody: nobody is taken for absent on the strength of such an answer."""
    answer = {"status": "ok", "results": results} if enveloped else results
    api = Api(transport(lambda _: httpx.Response(200, json=answer)), ORG)
    with pytest.raises(errors.Unintelligible, match=r"an organization always has somebody|says nothing"):
        api.users.list_users()


def test_a_row_without_an_address_stops_nobody_else() -> None:
    """The row is returned with an empty address so that it can be reported. The other rows are unaffected."""
    rows = [{"id": 501, "role": "owner"}, {"id": 502, "email": "bo@example.com"}, {"id": 503, "email": 7}]
    people = Api(transport(lambda _: ok(rows)), ORG).users.list_users()
    assert [(person.email, person.user_id) for person in people] == [("bo@example.com", 502), ("", 501), ("", 503)]


def test_an_endless_list_is_cut_off() -> None:
    """After so many pages, whatever the server says."""
    most = MOST_PAGES
    assert len(paged("users", *map(str, range(most - 1)), None)[0]) == most
    with pytest.raises(errors.Unintelligible, match=f"it has more than {most} pages"):
        paged("users", *map(str, range(most)))


@pytest.mark.parametrize("name", sorted(READS.keys() - LISTS.keys()))
def test_what_is_no_list_has_no_further_page(name: str) -> None:
    """A part of it is not taken for the whole."""
    read, _, results = READS[name]
    answer = {"status": "ok", "results": results, "pagination": {"next_cursor": "p2"}}
    with pytest.raises(errors.Unintelligible, match="the first of several pages"):
        read(Api(transport(lambda _: httpx.Response(200, json=answer)), ORG))


def test_connecting_sends_nothing() -> None:
    """The API is made from the settings, and waits to be asked."""
    assert Api.connect(Settings(ORG, "http://127.0.0.1:9", "bot", Secret("x"))).users is not None
