"""The audit log: every write has its event, the filters find it, the plan forgets it (contract, section 11)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from mixpanel_access.emulator.audit_store import EVENTS
from tests.emulator.conftest import CUSTOM, ORG, Client, Frozen, P, Q, organization, unchanged

LEE, BO = "lee@example.com", "bo@agency.example.org"
LOG = f"/api/app/organizations/{ORG}/audit-logs"
ADMIN_BOT = {"user_id": "9001", "user_email": "admin-bot"}
TICK = timedelta(seconds=1)


def events(client: Client, path: str = LOG, **query: Any) -> list[dict[str, Any]]:
    """The events of one page, oldest first."""
    answer = client.post(path, json=query)
    assert answer.status_code == 200, answer.text
    return list(reversed(answer.json()["results"]))


def told(client: Client, **query: Any) -> list[tuple[str, str | None]]:
    """What was done by whom."""
    return [(event["entity"]["type"], event["user_email"]) for event in events(client, **query)]


def role(word: str) -> dict[str, Any]:
    """One of the common roles as the log writes it."""
    return {"id": word, "name": word.replace("_", " ").title(), "is_custom_role": False}


def test_an_event_in_full(client: Client, clock: Frozen) -> None:
    """All the contract's keys; every id is text; the inviter is the one who added the person."""
    client.invite(BO)
    clock.advance(3600)
    client.control("POST", "invitations/accept", {"email": BO, "method": "magic_link"})
    sent, accepted, added, logged_in = events(client)
    assert added == {
        "id": "a3",
        "created": "2026-05-04T13:00:00Z",
        "ttl_timestamp": "2028-05-04T13:00:00Z",
        "service": "webapp",
        "event_category": "data_mutate",
        "organization_id": str(ORG),
        "organization_name": "Example",
        "project_id": "",
        "project_name": None,
        **ADMIN_BOT,
        "client_ip": "127.0.0.1",
        "entity": {
            "type": "organization.user_added",
            "entity_type": "organization",
            "action": "user_added",
            "entity_id": str(ORG),
            "entity_name": "Example",
            "payload": {
                "user_id": "505",
                "user_email": BO,
                "source": "invitation",
                "organization_role": role("member"),
            },
        },
    }
    assert (sent["entity"]["type"], sent["created"]) == ("invitation.sent", "2026-05-04T12:00:00Z")
    assert sent["entity"]["payload"] == {"user_email": BO, "organization_role": role("member")}
    assert (accepted["entity"]["type"], accepted["user_id"], accepted["user_email"]) == (
        "invitation.accepted",
        "505",
        BO,
    )
    assert (logged_in["entity"]["type"], logged_in["user_email"]) == ("session.logged_in", BO)
    assert logged_in["entity"]["payload"] == {"login_method": "magic_link", "twofactor_method": None}
    assert logged_in["event_category"] == "user_session"


WRITES: dict[str, tuple[Callable[[Client], Any], list[str]]] = {
    "invite with a grant and a team": (
        lambda c: c.invite(BO, projects=[{"id": P, "role": "analyst"}], teams=[77]),
        ["invitation.sent", "project.user_added", "team.user_added"],
    ),
    "invite a member": (lambda c: c.invite(LEE, teams=[77]), []),
    "grant to a stranger": (lambda c: c.grant(BO, "analyst"), ["invitation.sent", "project.user_added"]),
    "grant": (lambda c: c.grant(LEE, "analyst", Q), ["project.user_added"]),
    "grant another role": (lambda c: c.grant(LEE, "admin"), ["user.role_changed"]),
    "grant the same role": (lambda c: c.grant(LEE, "analyst"), []),
    "change a role": (lambda c: c.users(f"users/{LEE}/update/", {"role": "admin"}), ["user.role_changed"]),
    "change nothing": (lambda c: c.users(f"users/{LEE}/update/", {"role": "member"}), []),
    "take a grant": (
        lambda c: c.users(f"users/{LEE}/delete-projects/", {"projectIds": [P, Q]}),
        ["project.user_removed"],
    ),
    "remove": (lambda c: c.users("delete-users/", {"emails": [LEE]}), ["organization.user_removed"]),
}


@pytest.mark.parametrize(("write", "recorded"), WRITES.values(), ids=WRITES.keys())
def test_every_write_of_the_api_is_recorded(
    client: Client, write: Callable[[Client], Any], recorded: list[str]
) -> None:
    """Its documented events, by the calling service account; what changes nothing has none."""
    assert write(client).status_code == 200
    assert told(client) == [(name, "admin-bot") for name in recorded]
    assert all(event["user_id"] == "9001" for event in events(client))


CONTROLLED: dict[str, tuple[tuple[str, str, Any], list[tuple[str, str | None]]]] = {
    "a new member": (
        ("POST", "members", {"email": BO, "role": "member", "source": "sso_jit"}),
        [("organization.user_added", "ana@example.com")],
    ),
    "another role": (
        ("POST", "members", {"email": LEE, "role": "admin", "actor": "KIM@example.com", "source": "scim"}),
        [("user.role_changed", "kim@example.com")],
    ),
    "by somebody unknown": (
        ("POST", "members", {"email": LEE, "role": "admin", "actor": "former@example.com"}),
        [("user.role_changed", "former@example.com")],
    ),
    "a removal": (("DELETE", f"members/{LEE}", None), [("organization.user_removed", "ana@example.com")]),
    "a grant": (
        ("POST", "grants", {"project": Q, "email": LEE, "role": CUSTOM}),
        [("project.user_added", "ana@example.com")],
    ),
    "a revocation": (
        ("POST", "grants", {"project": P, "email": LEE, "role": None}),
        [("project.user_removed", "ana@example.com")],
    ),
    "a login": (("POST", "login", {"email": LEE}), [("session.logged_in", "Lee@Example.com")]),
    "a failed login": (("POST", "login", {"email": LEE, "fails": True}), [("session.login_failed", "Lee@Example.com")]),
}


@pytest.mark.parametrize(("write", "recorded"), CONTROLLED.values(), ids=CONTROLLED.keys())
def test_every_change_behind_our_back_is_recorded(
    client: Client, write: tuple[str, str, Any], recorded: list[tuple[str, str | None]]
) -> None:
    """By the person, by whom it is said to be, else by the first owner; with the source that is given."""
    client.control(*write)
    assert told(client) == recorded
    source = (write[2] or {}).get("source")
    assert source is None or events(client)[0]["entity"]["payload"]["source"] == source


def test_payloads_of_grants(client: Client) -> None:
    """Old and new role as objects, a custom one with its name; the project is the event's."""
    client.grant(LEE, CUSTOM)
    client.users(f"users/{LEE}/delete-projects/", {"projectIds": [P]})
    changed, removed = events(client)
    who = {"user_id": "504", "user_email": "Lee@Example.com", "source": "admin"}
    support = {"id": CUSTOM, "name": "Support", "is_custom_role": True}
    change = {"previous": {"role": role("analyst")}, "current": {"role": support}}
    assert changed["entity"]["payload"] == {**who, **change}
    assert (changed["entity"]["entity_id"], changed["project_id"]) == ("504", str(P))
    assert removed["entity"]["payload"] == {**who, "project_role": support}
    assert (removed["entity"]["entity_id"], removed["entity"]["entity_name"]) == (str(P), "Shop")
    assert removed["project_name"] == "Shop"


def test_a_refused_write_leaves_no_event(client: Client) -> None:
    """Nothing was done."""
    assert client.grant(LEE, "owner").status_code == 403
    assert client.grant(BO, "analyst", 1).status_code == 404
    assert events(client) == []


def test_a_login_shows_in_the_list_and_a_failed_one_does_not(client: Client, clock: Frozen) -> None:
    """`last_login` is the last that succeeded; invited people and strangers cannot log in."""
    client.control("POST", "login", {"email": LEE, "method": "social"})
    clock.advance(60)
    client.control("POST", "login", {"email": LEE, "fails": True})
    row = client.get(f"/organizations/{ORG}/users/").json()["results"][3]
    assert row["last_login"] == "2026-05-04T12:00:00Z"
    client.invite(BO)
    for email in (BO, "nobody@example.com"):
        for fails in (False, True):
            assert client.post("/_emulator/login", json={"email": email, "fails": fails}).status_code == 404
    assert client.post("/_emulator/login", json={"email": LEE, "method": "guess"}).status_code == 422


def add(client: Client, type_: str, **more: Any) -> dict[str, Any]:
    """An event as it would come from the product."""
    event: dict[str, Any] = client.control("POST", "audit", {"type": type_, **more})
    return event


@pytest.mark.parametrize("name", EVENTS)
def test_any_documented_event_can_be_added(client: Client, name: str) -> None:
    """It is in the organization's log, and in the project's where the documentation says so."""
    about = {"project": P} if EVENTS[name] else {}
    added = add(client, name, payload={"source": "scim"}, user_id="502", user_email="omar@example.com", **about)
    assert (added["entity"]["type"], added["entity"]["payload"]) == (name, {"source": "scim"})
    assert events(client) == [added]
    assert events(client, f"/api/app/projects/{P}/audit-logs") == ([added] if EVENTS[name] else [])
    assert events(client, f"/api/app/projects/{Q}/audit-logs") == []
    if not EVENTS[name]:
        refused = client.post("/_emulator/audit", json={"type": name, "project": P})
        assert (refused.status_code, "not an event of a project" in refused.json()["error"]) == (422, True)


@pytest.mark.parametrize("name", ["spark_setting.updated", "member.added", "user.passkey_2_added"])
def test_an_unknown_type_is_an_event(client: Client, name: str) -> None:
    """More come than are documented; it is found by its name, in both logs where it is about a project."""
    added = add(client, name, project=P)
    assert events(client, types=[name, "session.logged_in"]) == [added]
    assert events(client, f"/api/app/projects/{P}/audit-logs") == [added]
    assert client.control("POST", "seed", organization(audit=[{"type": name, "created": "2026-05-04"}]))
    assert len(events(client)) == 1


@pytest.mark.parametrize("name", ["", "login", "Session.logged_in", "a.b.c", "a.b; drop", "session."])
def test_what_is_no_type_is_no_event(client: Client, name: str) -> None:
    """It is neither added nor seeded nor asked for."""
    assert client.post("/_emulator/audit", json={"type": name}).status_code == 422
    event = {"type": name, "created": "2026-05-04T12:00:00Z"}
    assert client.post("/_emulator/seed", json=organization(audit=[event])).status_code == 422
    assert client.post(LOG, json={"types": [name]}).status_code == 400


FACTORS: dict[str, tuple[dict[str, Any], str]] = {
    "the usual one": ({}, "password"),
    "the method": ({"method": "sso"}, "sso"),
    "another than the method": ({"method": "password", "factor": "totp"}, "totp"),
    "one that nobody knows": ({"factor": "webauthn"}, "webauthn"),
}


@pytest.mark.parametrize(("login", "factor"), FACTORS.values(), ids=FACTORS)
def test_a_failed_login_names_the_factor_that_failed(client: Client, login: dict[str, Any], factor: str) -> None:
    """And no login method."""
    client.control("POST", "login", {"email": LEE, "fails": True, **login})
    (failed,) = events(client)
    assert failed["entity"]["payload"] == {"failed_auth_factor": factor, "reason": "wrong credentials"}


def test_the_project_log_has_no_event_of_the_organization(client: Client) -> None:
    """A role changed in the organization is in its log alone, one changed in the project in both."""
    client.users(f"users/{LEE}/update/", {"role": "admin"})
    client.grant(LEE, "admin")
    assert len(events(client)) == 2
    (only,) = events(client, f"/api/app/projects/{P}/audit-logs")
    assert only["entity"]["payload"]["previous"] == {"role": role("analyst")}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["1", "2", "3"]),
        ({"types": None, "search": None}, ["1", "2", "3"]),
        ({"types": []}, []),
        ({"types": ["session.logged_in", "user.role_changed"]}, ["2", "3"]),
        ({"created_gte": "2026-05-02T00:00:00Z"}, ["2", "3"]),
        ({"created_gte": "2026-05-02T00:00:00.000001Z"}, ["3"]),
        ({"created_gte": "2026-05-02T02:00:00+02:00", "created_lte": "2026-05-02T00:00:00.9Z"}, ["2"]),
        ({"created_lte": "2026-05-01T23:59:59Z"}, ["1"]),
        ({"user_ids": ["502"]}, ["1", "2"]),
        ({"user_ids": ["504", "x"]}, ["3"]),
        ({"project_ids": [str(Q)]}, ["3"]),
        ({"project_ids": ["x"]}, []),
        ({"search": "OMAR"}, ["2"]),
        ({"search": "marketing"}, ["3"]),
        ({"search": "%"}, []),
        ({"user_ids": ["502"], "search": "omar"}, ["2"]),
    ],
    ids=str,
)
def test_filters(client: Client, query: dict[str, Any], found: list[str]) -> None:
    """They narrow together; a user id is that of who did it, or of whom it was done to; instants are included."""
    add(client, "organization.user_added", created="2026-05-01T00:00:00Z", payload={"n": "1", "user_id": "502"})
    add(
        client,
        "session.logged_in",
        created="2026-05-02T00:00:00Z",
        user_id="502",
        user_email="omar@example.com",
        payload={"n": "2"},
    )
    add(
        client,
        "user.role_changed",
        created="2026-05-03T00:00:00Z",
        project=Q,
        user_id="504",
        payload={"n": "3", "why": "Marketing"},
    )
    assert [event["entity"]["payload"]["n"] for event in events(client, **query)] == found


def test_pages_by_cursor(client: Client) -> None:
    """Newest first, whole, without gaps though events are added meanwhile; the last page has no cursor."""
    ids = [add(client, "session.logged_in", created=f"2026-05-0{day}T00:00:00Z")["id"] for day in (3, 1, 2, 2, 4)]
    seen: list[str] = []
    cursor: dict[str, str] = {}
    for _ in range(3):
        answer = client.post(LOG, json={}, params={"page_size": "2", **cursor}).json()
        seen += [event["id"] for event in answer["results"]]
        assert answer["pagination"]["previous_cursor"] is None
        cursor = {"cursor": answer["pagination"]["next_cursor"]}
        add(client, "session.logged_out", created="2026-05-05T00:00:00Z")
    assert cursor == {"cursor": None}
    assert seen == [ids[4], ids[0], ids[3], ids[2], ids[1]]


@pytest.mark.parametrize(
    "query", ["page_size=0", "page_size=1001", "page_size=x", "page_size=", "cursor=a0", "cursor="]
)
def test_odd_pages_are_refused(client: Client, query: str) -> None:
    """400."""
    assert client.post(f"{LOG}?{query}", json={}).status_code == 400


def test_a_page_has_a_hundred_events(client: Client) -> None:
    """Unless it is told otherwise."""
    client.control("POST", "seed", organization(audit=[{"type": "session.logged_in", "created": "2026-05-01"}] * 101))
    first = client.post(LOG, json={}).json()
    assert (len(first["results"]), first["pagination"]["next_cursor"]) == (100, "a2")
    assert len(client.post(f"{LOG}?page_size=1000", json={}).json()["results"]) == 101


def test_a_call_by_mcp_is_kept_for_90_days_on_every_plan(client: Client, clock: Frozen) -> None:
    """While the rest is kept for two years."""
    for name in ("mcp_tool_call.performed", "session.logged_in"):
        add(client, name, created="2026-05-04T12:00:00Z")
    assert [event["ttl_timestamp"][:10] for event in events(client)] == ["2026-08-02", "2028-05-04"]
    clock.advance(90 * 86_400)
    assert told(client) == [("session.logged_in", None)]


LIVES = {"free": "2026-08-02T12:00:00Z", "growth": "2026-08-02T12:00:00Z", "enterprise": "2028-05-04T12:00:00Z"}


@pytest.mark.parametrize(("plan", "end"), LIVES.items(), ids=LIVES.keys())
def test_the_plan_says_how_long_it_is_kept(owner: Client, clock: Frozen, plan: str, end: str) -> None:
    """90 days, or two years on Enterprise, to the second; a better plan has it again."""
    event = {"type": "session.logged_in", "created": "2026-05-04T12:00:00Z"}
    document = organization(organization={"id": ORG, "name": "Example", "plan": plan}, audit=[event])
    owner.control("POST", "seed", document)
    assert events(owner)[0]["ttl_timestamp"] == end
    clock.at = datetime.fromisoformat(end) - TICK
    assert len(events(owner)) == 1
    clock.at += TICK
    assert events(owner) == []
    assert len(owner.control("GET", "dump")["audit"]) == 1


def test_the_log_survives_a_dump(client: Client) -> None:
    """Ids, order, and everything in it."""
    client.invite(BO)
    add(client, "user.role_changed", project=Q, payload={"source": "scim"}, entity_id="504", entity_name="Lee")
    client.grant(LEE, "admin")
    before, dump = events(client), client.control("GET", "dump")
    assert unchanged(dump, client.control("POST", "seed", dump))
    assert events(client) == before
