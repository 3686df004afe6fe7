"""Access that no stack manages, read from a running emulator; whatever is refused or odd is unknown."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest

from mixpanel_access.api.client import Api
from mixpanel_access.directory.directory import Directory
from mixpanel_access.directory.other_access import read_other_access
from mixpanel_access.emulator.dialect import Dialect
from mixpanel_access.emulator.server import EmulatorServer
from mixpanel_access.model.access import OF_PEOPLE, AccessSource, OtherAccess
from mixpanel_access.model.setting_values import Secret
from mixpanel_access.model.settings import Settings
from tests.emulator.conftest import CUSTOM, NOW, ORG, Client, P, Q, organization

THEN = datetime.fromisoformat(NOW).astimezone(UTC)
LEE, KIM = "lee@example.com", "kim@example.com"


def event(type_: str, at: str, email: str | None = None, actor: str = "ana@example.com", **more: Any) -> dict[str, Any]:
    """One event of the audit log."""
    payload = {"user_email": email} if email else more.pop("payload", {})
    return {"type": type_, "created": f"2026-{at}T10:00:00Z", "user_email": actor, "payload": payload, **more}


VIEW: dict[str, Any] = {"project": P, "entity_id": "31", "entity_name": "Sales"}
EVENTS = [
    event("workspace.user_added", "04-01", LEE, **VIEW),
    event("workspace.user_added", "04-02", KIM, **VIEW),
    event("workspace.user_removed", "04-03", KIM, **VIEW),
    event("workspace.team_added", "04-04", payload={"team_id": "77", "team_name": "Data"}, **VIEW),
    event("workspace.user_added", "04-05", "gone@example.com", **VIEW),
    event("mcp_tool_call.performed", "05-01", actor=LEE, project=P),
    event("mcp_tool_call.performed", "05-03", actor=LEE, project=P),
    event("mcp_tool_call.performed", "01-03", actor=KIM, project=P),  # 121 days ago
    event("organization_setting.updated", "03-01", payload={"setting": "mcp_enabled"}),
    event("organization_setting.updated", "03-02", payload={"setting": "request_access"}),
]
ROLE = {"role_id": CUSTOM, "name": "Support", "permissions": ["view_project", "view_classified_data"]}
DOCUMENT = organization(
    projects=[
        {"id": P, "name": "Shop", "custom_roles": [ROLE]},
        {"id": Q, "name": "Warehouse", "all_users": "consumer"},
    ],
    grants=[{"project": P, "email": "kim@example.com", "role": CUSTOM}],
    teams=[{"id": 77, "name": "Data", "members": [LEE], "projects": [{"id": P, "role": CUSTOM}]}],
    service_accounts=[
        {"username": "admin-bot", "secret": "s:ecret", "role": "admin"},
        {"username": "etl.1a2b3c.mp-service-account", "secret": "s", "projects": [{"id": P, "role": CUSTOM}]},
    ],
    security={"discoverability": "open"},
    audit=EVENTS,
)
NO_CALL = {AccessSource.DATA_VIEWS, AccessSource.CLASSIFIED, AccessSource.MCP}
"""What is partly unknown however Mixpanel answers: no known call shows all of it."""


@pytest.fixture(scope="module")
def _emulator() -> Iterator[EmulatorServer]:
    with EmulatorServer(DOCUMENT) as running:
        yield running


@pytest.fixture
def emulator(_emulator: EmulatorServer) -> EmulatorServer:
    """The organization, without faults, as by default."""
    _emulator.app.faults.clear()
    _emulator.app.speak(Dialect())
    _emulator.app.log.reset()
    return _emulator


def read(emulator: EmulatorServer, *sources: AccessSource, projects: Collection[int] = (P, Q)) -> list[OtherAccess]:
    """What is read of some kinds, or of all."""
    with closing(Api.connect(Settings(ORG, emulator.url, "admin-bot", Secret("s:ecret"), now=THEN))) as api:
        return read_other_access(Directory(api, ORG), projects, THEN, sources or tuple(AccessSource))


def known(rows: list[OtherAccess], source: AccessSource) -> list[tuple[str, str, int | None]]:
    """What is known of one kind."""
    return [(one.who, one.what, one.project) for one in rows if one.source is source and one.known]


def test_all_that_can_be_read_is_there(emulator: EmulatorServer) -> None:
    """The latest event of a person and a data view counts; a role by each way; the flag; the uses of 90 days."""
    rows = read(emulator)
    assert sorted(known(rows, AccessSource.DATA_VIEWS)) == [
        (
            "gone@example.com",
            "added to Sales on 2026-04-05, by ana@example.com (this address is not in the organization now)",
            P,
        ),
        (LEE, "added to Sales on 2026-04-01, by ana@example.com", P),
        ("team Data", "added to Sales on 2026-04-04, by ana@example.com", P),
    ]
    assert [
        (who.lower(), what)
        for who, what, _ in sorted(known(rows, AccessSource.CLASSIFIED), key=lambda row: row[0].lower())
    ] == [
        (KIM, "custom role Support, through an individual grant"),
        (LEE, "custom role Support, through the team Data"),
        ("service account etl", "custom role Support"),
        ("team data", "custom role Support"),
    ]
    assert known(rows, AccessSource.ACCOUNTS) == [("service account etl", f"sensitive access, as {CUSTOM}", P)]
    assert known(rows, AccessSource.MCP) == [
        (LEE, "used 2 times in the last 90 days, last on 2026-05-03", P),
        ("the organization", "the setting mcp_enabled was last changed on 2026-03-01 by ana@example.com", None),
    ]
    ((who, what, _),) = known(rows, AccessSource.DISCOVERABILITY)
    assert (who, what.partition(":")[0]) == ("the organization", "Open")
    assert {one.source for one in rows if not one.known} == NO_CALL


AUDIT = (f"/v1/organizations/{ORG}/audit-logs", f"/api/app/organizations/{ORG}/audit-logs")
PATHS = {
    AccessSource.DATA_VIEWS: AUDIT,
    AccessSource.MCP: AUDIT,
    AccessSource.CLASSIFIED: (f"/api/app/projects/{P}/custom-roles",),
    AccessSource.ACCOUNTS: (f"/api/app/projects/{P}/service-accounts",),
    AccessSource.DISCOVERABILITY: (f"/api/app/organizations/{ORG}/domains",),
}


def answer(status: int, results: Any = None, body: str | None = None) -> dict[str, Any]:
    """A fault that gives an answer."""
    text = body if body is not None else json.dumps({"status": "ok" if status == 200 else "error", "results": results})
    return {"kind": "status", "status": status, "body": text, "content_type": "application/json", "count": 50}


ANSWERS: dict[str, dict[str, Any]] = {
    "not there": answer(404),
    "refused": answer(403),
    "out of the plan": answer(402),
    "wrong request": answer(400),
    "an error with 200": answer(200, body='{"status": "error", "error": "no"}'),
    "null": answer(200, None),
    "a number": answer(200, 7),
    "a text": answer(200, "perhaps"),
    "rows that are none": answer(200, [7]),
    "no JSON": answer(200, body="<html>"),
}


@pytest.mark.parametrize("said", ANSWERS)
@pytest.mark.parametrize("source", AccessSource)
def test_what_is_not_told_is_unknown(emulator: EmulatorServer, source: AccessSource, said: str) -> None:
    """Each kind, refused or answered oddly: it is unknown with a reason, never none, and the others are as before."""
    before = read(emulator)
    faulty = [{**ANSWERS[said], "path_prefix": path} for path in PATHS[source]]
    with Client(base_url=emulator.url) as control:
        control.control("POST", "faults", faulty)
    rows = read(emulator)
    reasons = [one.what for one in rows if one.source is source and not one.known]
    assert len(reasons) > (source in NO_CALL)
    assert all("\n" not in one and one for one in reasons)
    assert known(rows, source) == []
    shared = [one for one in AccessSource if PATHS[one] != PATHS[source] and not _of_role_holders(one, source)]
    for other in shared:
        assert known(rows, other) == known(before, other), other


def _of_role_holders(one: AccessSource, faulty: AccessSource) -> bool:
    """Whether a kind needs the other's list too: who holds a custom role is asked of the service accounts' list."""
    return (one, faulty) == (AccessSource.CLASSIFIED, AccessSource.ACCOUNTS)


@pytest.mark.parametrize("spoken", ["capitalized", "lower", "object", "none"])
def test_discoverability_is_read_in_every_dialect(emulator: EmulatorServer, spoken: Any) -> None:
    """And unknown where it is not told."""
    emulator.app.speak(Dialect(discoverability=spoken))
    (row,) = read(emulator, AccessSource.DISCOVERABILITY)
    assert row.known is (spoken != "none")
    assert row.what.startswith("Open:" if row.known else "Mixpanel answered 404")


WORDS: dict[str, tuple[Any, str | None]] = {
    "the bare word": ("Closed", "Closed"),
    "in capitals, with blanks": ({"discoverability": " OPEN "}, "Open"),
    "an object with the word alone": ({"name": "request"}, "Request"),
    "another word": ({"discoverability": "Everyone"}, None),
    "no word": ({}, None),
    "a word of each domain": ({"example.com": "Open"}, None),
    "an empty word": ({"discoverability": ""}, None),
    "a switch": ({"discoverability": True}, None),
}


@pytest.mark.parametrize("name", WORDS)
def test_discoverability_is_one_of_three_words_or_unknown(emulator: EmulatorServer, name: str) -> None:
    """In any case; a word that is not known is quoted, and is not Closed."""
    results, word = WORDS[name]
    with Client(base_url=emulator.url) as control:
        control.control(
            "POST", "faults", [{**answer(200, results), "path_prefix": PATHS[AccessSource.DISCOVERABILITY][0]}]
        )
    (row,) = read(emulator, AccessSource.DISCOVERABILITY)
    assert row.known is (word is not None)
    assert row.what.startswith(f"{word}:" if word else "the answer has an unknown shape")
    assert name != "another word" or "'Everyone'" in row.what


FLAGS: dict[str, tuple[dict[str, Any], bool | None]] = {
    "true": ({"hasSensitiveAccess": True}, True),
    "false": ({"hasSensitiveAccess": False}, False),
    "missing": ({}, None),
    "null": ({"hasSensitiveAccess": None}, None),
    "a word": ({"hasSensitiveAccess": "yes"}, None),
    "a number": ({"hasSensitiveAccess": 1}, None),
    "true without a role": ({"hasSensitiveAccess": True, "role": None}, True),
}


@pytest.mark.parametrize("name", FLAGS)
def test_a_flag_is_true_false_or_unknown(emulator: EmulatorServer, name: str) -> None:
    """Nothing but true and false counts; an account whose flag is unknown is named."""
    values, flag = FLAGS[name]
    row = {"id": 9, "username": "etl.1a2b3c.mp-service-account", "role": "analyst", **values}
    with Client(base_url=emulator.url) as control:
        control.control("POST", "faults", [{**answer(200, [row]), "path_prefix": PATHS[AccessSource.ACCOUNTS][0]}])
    rows = read(emulator, AccessSource.ACCOUNTS, projects=[P])
    assert [one.known for one in rows] == ([] if flag is False else [flag is True])
    assert all("etl" in str(one.who + one.what) for one in rows)


def test_an_account_with_two_roles_is_shown_once(emulator: EmulatorServer) -> None:
    """The list has a row for each way; the same words are one row, another role is another."""
    row = {"id": 9, "username": "etl.1a2b3c.mp-service-account", "role": "analyst", "hasSensitiveAccess": True}
    rows = [row, {**row, "target_type": "team"}, {**row, "role": "admin"}]
    with Client(base_url=emulator.url) as control:
        control.control("POST", "faults", [{**answer(200, rows), "path_prefix": PATHS[AccessSource.ACCOUNTS][0]}])
    assert [one.what for one in read(emulator, AccessSource.ACCOUNTS, projects=[P])] == [
        "sensitive access, as analyst", "sensitive access, as admin",
    ]  # fmt: skip


def test_reasons_of_several_projects_are_one(emulator: EmulatorServer) -> None:
    """With the projects; it is the same plan."""
    with Client(base_url=emulator.url) as control:
        control.control("POST", "faults", [{**answer(403), "path_prefix": "/api/app/projects/"}])
    (row,) = read(emulator, AccessSource.ACCOUNTS)
    assert row.project is None
    assert row.what.endswith(f"(projects {P}, {Q})")


def test_it_costs_a_few_requests(emulator: EmulatorServer) -> None:
    """For one project and what people have: the custom roles and who holds them, three queries of the log, our own."""
    read(emulator, *OF_PEOPLE, projects=[P])
    assert emulator.app.log.summary()["total"] <= 11
