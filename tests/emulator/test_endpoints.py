"""Every endpoint once with success and with each of its refusals: a table that no endpoint is missing from."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

import pytest

from mixpanel_access.emulator import platform_api, scim
from mixpanel_access.emulator.app import ENDPOINTS
from mixpanel_access.emulator.server import EmulatorServer
from tests.emulator.conftest import CUSTOM, ORG, Client, P, unchanged

LEE, BO = "lee@example.com", "bo@agency.example.org"
MANAGERS, EVERYBODY = ("owner", "admin"), ("owner", "admin", "billing_admin", "member")
ACCOUNT = 987658
PLACES = {"o": ORG, "p": P, "email": LEE, "id": ACCOUNT, "t": 77, "role": CUSTOM}
UNKNOWN = {"o": (1, "x"), "p": (1, "x"), "id": (1, "x", 2**63), "t": (1, "Data", 2**63), "role": ("x", "admin")}
BARE_ROOTS = (*scim.ENDPOINTS, *platform_api.ENDPOINTS)
NAMES = [f"{endpoint.method} {endpoint.template}" for endpoint in ENDPOINTS if endpoint not in BARE_ROOTS]
"""All but those without an envelope: see test_scim.py and test_platform_api.py."""


@dataclass(frozen=True)
class Case:
    """One endpoint: what it takes, whom it serves, what it answers, and what it refuses with which status."""

    results: Any
    body: Any = None
    roles: tuple[str, ...] = MANAGERS
    bad_values: tuple[tuple[Any, int], ...] = ()
    bad_shapes: tuple[Any, ...] = ()
    unknown_person: bool = False
    status: int = 200
    keys: frozenset[str] = frozenset({"status", "results"})


def _grants(id_: object, email: object = LEE, role: object = "analyst") -> dict[str, Any]:
    return {"projects": [{"id": id_, "users": [{"email": email, "role": role}]}]}


def _users(**change: Any) -> dict[str, Any]:
    return {"users": [{"email": BO, "role": "member", **change}]}


AGAIN = Case(
    {"success": True},
    body={"emails": [BO]},
    bad_values=(({"emails": [LEE]}, 404), ({"emails": [BO, "nobody@example.com"]}, 404)),
    bad_shapes=([], {}, {"emails": LEE}, {"emails": [1]}),
)
AUDIT = Case(
    list,
    body={},
    keys=frozenset({"status", "results", "pagination"}),
    bad_values=(
        ({"colour": "blue"}, 400),
        ({"types": ["member"]}, 400),
        ({"created_gte": "soon"}, 400),
        ({"created_lte": "0001-01-01T00:00:00Z"}, 400),
    ),
    bad_shapes=([], None, {"types": "session.logged_in"}, {"user_ids": [502]}, {"project_ids": [P]}, {"search": 1}),
)
BARE = frozenset({"status"})


def _account(**change: Any) -> dict[str, Any]:
    return {"username": "new-bot", **change}


def _added(**change: Any) -> dict[str, Any]:
    return {"service_account_ids": [ACCOUNT], "projects": [{"id": P, "role": "analyst"}], **change}


def _left(id_: object, *accounts: object) -> dict[str, Any]:
    return {"projects": [{"id": id_, "service_account_ids": list(accounts)}]}


def _team_projects(**change: Any) -> dict[str, Any]:
    team = {"id": 77, "projects": [{"id": P, "role": "analyst"}], **change}
    return {"teams": [team], "add_default_projects": False}


def _role(**change: Any) -> dict[str, Any]:
    return {"name": "Export", "description": "read and export", **change}


class Form(str):
    """A body that is a form."""

    __slots__ = ()


def _project(**change: Any) -> dict[str, Any]:
    return {"project_name": "New", "cluster_id": 1, "timezone_id": 5, **change}


def _team_users(*emails: object, team: object = 77) -> dict[str, Any]:
    return {"teams": [{"id": team, "users": [{"email": email} for email in emails]}]}


TEAM_ACCOUNTS = Case(
    {},
    body={"service_account_ids": [ACCOUNT]},
    bad_values=(({"service_account_ids": [ACCOUNT, 1]}, 404),),
    bad_shapes=([], {}, {"service_account_ids": ACCOUNT}, {"service_account_ids": [str(ACCOUNT)]}),
)
REMOVED = Case(
    None,
    body=_left(P, ACCOUNT),
    keys=BARE,
    bad_values=((_left(P, ACCOUNT, 1), 404), (_left(1, ACCOUNT), 404), (_left(P, ACCOUNT, 987654), 404)),
    bad_shapes=([], {}, _left(str(P), ACCOUNT), _left(P, str(ACCOUNT))),
)
SETTINGS = Case({}, body={"key": 1}, bad_shapes=([], None, "x", 1))
UPDATED = {"updated": True, "fail_reason": None}
CASES = {
    "GET /api/app/me": Case(dict, roles=EVERYBODY),
    "GET /organizations/{o}/users/": Case(list, roles=EVERYBODY),
    "POST /organizations/{o}/add-users/": Case(
        {"invited": [], "added": [LEE], "failed": []},
        body=_users(email=LEE, projects=[{"id": P, "role": "analyst"}]),
        bad_values=(
            (_users(email="bo"), 400),
            (_users(role="boss"), 400),
            (_users(role="analyst"), 400),
            (_users(projects=[{"id": 1, "role": "analyst"}]), 404),
            (_users(projects=[{"id": P, "role": "member"}]), 400),
            (_users(teams=[77, 1]), 404),
        ),
        bad_shapes=(
            [],
            {},
            {"users": {}},
            _users(role=None),
            _users(projects=[{"id": str(P), "role": "analyst"}]),
            _users(teams=["77"]),
            _users(teams=77),
        ),
    ),
    "POST /organizations/{o}/add-users-to-projects/": Case(
        {"success": True},
        body=_grants(P),
        bad_values=(
            (_grants(1), 404),
            (_grants(str(P)), 500),
            (_grants(P, email="bo"), 400),
            (_grants(P, role="member"), 400),
        ),
        bad_shapes=([], {}, _grants(None), _grants(1.5), _grants(P, email=1), _grants(P, role=None)),
    ),
    "POST /organizations/{o}/users/{email}/update/": Case(
        {"updated": True, "fail_reason": None},
        body={"role": "admin"},
        bad_values=(({"role": "analyst"}, 400), ({"role": "Admin"}, 400), ({"role": ""}, 400)),
        bad_shapes=([], {}, {"role": None}, "admin"),
        unknown_person=True,
    ),
    "POST /organizations/{o}/users/{email}/delete-projects/": Case(
        {"updated": True},
        body={"projectIds": [P]},
        bad_values=(({"projectIds": [P, 1]}, 404),),
        bad_shapes=([], {}, {"projectIds": P}, {"projectIds": [str(P)]}),
        unknown_person=True,
    ),
    "POST /organizations/{o}/delete-users/": Case(
        {"deleted": ["Lee@Example.com"]},
        body={"emails": [LEE]},
        bad_values=(([], 400), ({}, 400), (_users(), 400), ({"emails": ["kim@example.com", "ana@example.com"]}, 403)),
        bad_shapes=({"emails": LEE}, {"emails": [1]}),
    ),
    "POST /organizations/{o}/resend-invites/": AGAIN,
    "POST /organizations/{o}/regenerate-invite-url/": AGAIN,
    "GET /organizations/{o}/projects/": Case(list, roles=EVERYBODY),
    "GET /api/app/projects/{p}/granted-users": Case(dict),
    "GET /api/app/projects/{p}/users/{email}": Case(dict),
    "GET /organizations/{o}/assignable-org-roles": Case(list),
    "GET /api/app/projects/{p}/assignable-roles": Case(list),
    "GET /api/app/organizations/{o}/service-accounts": Case(list),
    "POST /api/app/organizations/{o}/service-accounts": Case(
        dict,
        body=_account(role="admin", expires="2027-01-01T00:00:00Z", projects=[{"id": P, "role": "analyst"}]),
        status=201,
        bad_values=(
            (_account(username=" "), 400),
            (_account(username="a:b"), 400),
            *[(_account(username=f"a{char}b"), 400) for char in "\t\n\r\0\x1b\x7f\x85"],
            (_account(username="a\n"), 400),
            (_account(role="owner"), 400),
            (_account(role="member"), 400),
            (_account(expires="2026-05-04T11:00:00Z"), 400),
            (_account(projects=[{"id": 1, "role": "analyst"}]), 404),
            (_account(projects=[{"id": P, "role": "member"}]), 400),
        ),
        bad_shapes=(
            [],
            {},
            {"username": 1},
            _account(role=None),
            _account(expires=1),
            _account(projects={}),
            _account(projects=[{"id": str(P), "role": "analyst"}]),
        ),
    ),
    "GET /api/app/organizations/{o}/service-accounts/{id}": Case(dict),
    "DELETE /api/app/organizations/{o}/service-accounts/{id}": Case(None, keys=BARE),
    "POST /api/app/organizations/{o}/service-accounts/delete-service-accounts": Case(
        None,
        body={"service_account_ids": [ACCOUNT]},
        keys=BARE,
        bad_values=(({"service_account_ids": [ACCOUNT, 1]}, 404), ({"service_account_ids": [987654]}, 403)),
        bad_shapes=([], {}, {"service_account_ids": ACCOUNT}, {"service_account_ids": [str(ACCOUNT)]}),
    ),
    "POST /api/app/organizations/{o}/service-accounts/add-to-project": Case(
        None,
        body=_added(),
        keys=BARE,
        bad_values=(
            (_added(service_account_ids=[ACCOUNT, 1]), 404),
            (_added(projects=[{"id": 1, "role": "analyst"}]), 404),
            (_added(projects=[{"id": P, "role": "member"}]), 400),
            (_added(projects=[{"id": P, "role": "owner"}]), 403),
        ),
        bad_shapes=([], {}, _added(projects=[P]), _added(service_account_ids=[str(ACCOUNT)])),
    ),
    "POST /api/app/organizations/{o}/service-accounts/remove-from-project": REMOVED,
    "DELETE /api/app/organizations/{o}/service-accounts/remove-from-project": REMOVED,
    "GET /api/app/projects/{p}/service-accounts": Case(list),
    "GET /organizations/{o}/twofactor": Case(dict),
    "POST /organizations/{o}/twofactor/update": Case(
        UPDATED,
        body={"twofactor_auth_required": True},
        bad_values=(({"twofactor_auth_required": "yes"}, 400), ({"twofactor_auth_required": None}, 400)),
        bad_shapes=([], None, "x"),
    ),
    "GET /organizations/{o}/org-request-access-settings": Case(dict),
    "POST /organizations/{o}/org-request-access-settings/update": SETTINGS,
    "GET /organizations/{o}/org-session-settings": Case(dict),
    "POST /organizations/{o}/org-session-settings/update": SETTINGS,
    "GET /organizations/{o}/sso": Case(dict),
    "GET /organizations/{o}/scim-name": Case({"scim_name": None}),
    "POST /organizations/{o}/scim-name": Case(
        UPDATED,
        body={"scim_name": "example"},
        bad_values=(({"scim_name": " "}, 400),),
        bad_shapes=([], {}, {"scim_name": 1}, {"scim_name": "x", "more": 1}),
    ),
    "GET /api/app/organizations/{o}/domains/get-discoverability": Case({"discoverability": "Closed"}),
    "GET /organizations/{o}/teams": Case(list, roles=EVERYBODY),
    "GET /organizations/{o}/teams/": Case(list, roles=EVERYBODY),
    "POST /organizations/{o}/add-teams/": Case(
        [{"name": "Ops", "created": True}, {"name": "Data", "created": False}],
        body={"teamNames": ["Ops", "Data"]},
        bad_values=(({"teamNames": ["Ops", " "]}, 400),),
        bad_shapes=([], {}, {"teams": ["Ops"]}, {"teamNames": "Ops"}, {"teamNames": [1]}),
    ),
    "POST /organizations/{o}/teams/{t}/update/": Case(
        {"updated": True},
        body={"name": "Data EU"},
        bad_values=(({"name": ""}, 400), ({"name": "OTHER"}, 400)),
        bad_shapes=([], {}, {"name": None}),
    ),
    "POST /organizations/{o}/delete-teams/": Case(
        {},
        body={"teamIds": [77]},
        bad_values=(({"teamIds": [77, 1]}, 404), ({"teamIds": [2**63]}, 404)),
        bad_shapes=([], {}, {"teamIds": ["77"]}, {"teamNames": ["Data"]}),
    ),
    "POST /organizations/{o}/add-projects-to-teams/": Case(
        {"success": True},
        body=_team_projects(),
        bad_values=(
            (_team_projects(id=1), 404),
            (_team_projects(projects=[{"id": 1, "role": "analyst"}]), 404),
            (_team_projects(projects=[{"id": P, "role": "member"}]), 400),
            (_team_projects(projects=[{"id": P, "role": "owner"}]), 403),
        ),
        bad_shapes=([], {}, _team_projects(id="77"), _team_projects(projects=[P])),
    ),
    "POST /organizations/{o}/teams/{t}/delete-projects/": Case(
        {},
        body={"projectIds": [P]},
        bad_values=(({"projectIds": [P, 1]}, 404),),
        bad_shapes=([], {}, {"projectIds": P}, {"projectIds": [str(P)]}),
    ),
    "POST /organizations/{o}/add-users-to-teams/": Case(
        {"success": True},
        body=_team_users("kim@example.com"),
        bad_values=((_team_users("kim@example.com", "nobody@example.com"), 404), (_team_users(LEE, team=1), 404)),
        bad_shapes=([], {}, _team_users(1), _team_users(LEE, team="77")),
    ),
    "POST /organizations/{o}/teams/{t}/delete-users/": Case(
        {"success": True},
        body={"emails": [LEE]},
        bad_values=(({"emails": [LEE, "kim@example.com"]}, 404), ({"emails": [LEE, "nobody@example.com"]}, 404)),
        bad_shapes=([], {}, {"emails": LEE}),
    ),
    "GET /api/app/projects/{p}/granted-teams": Case({"teams": [{"id": 77, "name": "Data", "role": "admin"}]}),
    "GET /api/app/organizations/{o}/teams/{t}/service-accounts": Case(list),
    "POST /api/app/organizations/{o}/teams/{t}/service-accounts/add-to-team": replace(TEAM_ACCOUNTS, status=201),
    "POST /api/app/organizations/{o}/teams/{t}/service-accounts/remove-from-team": TEAM_ACCOUNTS,
    "POST /organizations/{o}/create-projects/": Case(
        list,
        body={"projectNames": ["New"]},
        bad_values=(({"projectNames": ["New", ""]}, 400),),
        bad_shapes=([], {}, {"projectNames": "New"}, {"projectNames": [1]}),
    ),
    "POST /organizations/{o}/delete-projects/": Case(
        {},
        body={"projectIds": [P]},
        roles=("owner",),
        bad_values=(({"projectIds": [P, 1]}, 404), ({"projectIds": [2**63]}, 404)),
        bad_shapes=([], {}, {"projectIds": P}, {"projectIds": [str(P)]}),
    ),
    "POST /projects/update/{p}/": Case(None, body=Form("name=New"), keys=frozenset({"updated"})),
    "POST /api/app/organizations/{o}/create-project": Case(
        dict,
        body=_project(),
        bad_values=(
            (_project(project_name=" "), 400),
            (_project(cluster_id=2), 400),
            (_project(timezone_id=0), 400),
        ),
        bad_shapes=([], {}, _project(project_name=1), _project(cluster_id="1"), _project(timezone_id=None)),
    ),
    "GET /settings/project/{p}/metadata": Case(dict),
    "GET /api/app/projects/{p}/custom-roles": Case(list),
    "POST /api/app/projects/{p}/custom-roles": Case(
        dict,
        body=_role(permissions=["export_reports_csv"], copied_from_role_id=None),
        bad_values=(
            (_role(name=""), 400),
            (_role(name="Support"), 400),
            (_role(permissions=["fly"]), 400),
            (_role(copied_from_role_id="x"), 404),
        ),
        bad_shapes=([], {}, {"name": "Export"}, _role(permissions="x"), _role(more=1), _role(name=None)),
    ),
    "GET /api/app/projects/{p}/custom-roles/switch-config": Case(dict),
    "GET /api/app/projects/{p}/custom-roles/{role}": Case(dict),
    "PUT /api/app/projects/{p}/custom-roles/{role}": Case(
        dict,
        body=_role(permissions=[]),
        bad_values=((_role(name=" ", permissions=[]), 400), (_role(permissions=["fly"]), 400)),
        bad_shapes=([], {}, _role(), _role(permissions=None), _role(permissions=[], copied_from_role_id=None)),
    ),
    "DELETE /api/app/projects/{p}/custom-roles/{role}": Case(
        {"deleted_role_id": CUSTOM, "deleted_role_name": "Support", "migrated_grants_count": 0}
    ),
    "POST /api/app/organizations/{o}/audit-logs": AUDIT,
    "POST /api/app/projects/{p}/audit-logs": AUDIT,
}


def test_the_table_is_complete() -> None:
    """Each endpoint is in it, and nothing else."""
    assert sorted(CASES) == sorted(NAMES)


def _call(client: Client, name: str, body: Any, **places: object) -> Any:
    method, template = name.split(" ")
    content = None if method in ("GET", "DELETE") and body is None else json.dumps(body)
    content = str(body) if isinstance(body, Form) else content
    return client.request(method, template.format(**{**PLACES, **places}), content=content)


@pytest.mark.parametrize("role", EVERYBODY)
@pytest.mark.parametrize("name", NAMES)
def test_it_serves_whom_it_should(connect: Callable[..., Client], owner: Client, name: str, role: str) -> None:
    """The results in the envelope for the roles that may, 403 and nothing changed for the others."""
    owner.invite(BO)
    case, before = CASES[name], owner.control("GET", "dump")
    answer = _call(connect(role), name, case.body)
    if role not in case.roles:
        assert (answer.status_code, answer.json()["status"]) == (403, "error")
        assert unchanged(before, owner.control("GET", "dump"))
        return
    assert answer.status_code == case.status
    assert answer.headers["content-type"] == "application/json"
    assert set(answer.json()) == case.keys
    assert answer.json().get("status", "ok") == "ok"
    results = answer.json().get("results")
    assert isinstance(results, case.results) if isinstance(case.results, type) else results == case.results


@pytest.mark.parametrize("name", NAMES)
def test_it_refuses_and_changes_nothing(connect: Callable[..., Client], name: str) -> None:
    """No credentials 401, another organization, project or person 404, a bad value 400, another shape 422, 405."""
    case = CASES[name]
    client = connect("admin" if "admin" in case.roles else "owner")
    client.invite(BO)
    before = client.control("GET", "dump")
    method, template = name.split(" ")
    places: list[dict[str, Any]] = [
        {place: value} for place, values in UNKNOWN.items() if f"{{{place}}}" in template for value in values
    ]
    if case.unknown_person:
        places.append({"email": "nobody@example.com"})
    answers = [(_call(client, name, case.body, **place), 404) for place in places]
    answers += [(_call(client, name, body), status) for body, status in case.bad_values]
    answers += [(_call(client, name, body), 422) for body in case.bad_shapes]
    path = template.format(**PLACES)
    answers.append((client.request(method, path, json=case.body, auth=None), 401))
    served = {endpoint.method for endpoint in ENDPOINTS if endpoint.template == template}
    others = {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"} - served
    others -= {"HEAD"} if "GET" in served else set()
    answers += [(client.request(other, path), 405) for other in sorted(others)]
    for answer, status in answers:
        request = answer.request
        assert answer.status_code == status, (request.method, request.url, request.content)
        if status == 405:
            allowed = set(answer.headers["allow"].split(", "))
            assert allowed == served | ({"HEAD"} if "GET" in served else set())
        if status == 401:
            assert answer.headers["www-authenticate"] == 'Basic realm="mixpanel"'
        if status == 405 and request.method in ("GET", "HEAD", "OPTIONS"):
            assert answer.content == b""
        elif request.method != "HEAD":
            assert set(answer.json()) == {"status", "error"}
            assert answer.json()["status"] == "error"
    assert unchanged(before, client.control("GET", "dump"))


@pytest.mark.parametrize("name", NAMES)
def test_slashes(client: Client, name: str) -> None:
    """A slash too few is mended by a redirect on the legacy root; a slash too many is nowhere."""
    method, template = name.split(" ")
    path = template.format(**PLACES)
    if f"{method} {template}/" not in NAMES:
        assert client.request(method, f"{path}/").status_code == 404
    if path.endswith("/") and name[:-1] not in NAMES:
        answer = client.request(method, f"{path[:-1]}?a=1&b=%2F")
        assert (answer.status_code, answer.content) == (301, b"")
        assert answer.headers["location"] == f"{path}?a=1&b=%2F"


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("GET")])
def test_head_is_get_without_a_body(client: Client, name: str) -> None:
    """The same status and headers, no body, and no bytes in the log."""
    template = name.removeprefix("GET ")
    path = template.format(**PLACES)
    read, head = client.get(path), client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == read.headers["content-length"] == str(len(read.content))
    log = client.control("GET", "requests")
    assert (log["bytes_out"], log["by_endpoint"]) == (len(read.content), {name: 1, f"HEAD {template}": 1})


def test_answers_come_at_once(server: EmulatorServer) -> None:
    """A small answer does not wait in the network's buffers for 40 ms: most of fifty in turn take less."""
    with Client(base_url=server.url, auth=("admin-bot", "s:ecret")) as client:
        taken = [client.get("/api/app/me").elapsed.total_seconds() for _ in range(50)]
    assert median(taken) < 0.03  # a busy machine holds up some, the buffers would hold up nearly all
