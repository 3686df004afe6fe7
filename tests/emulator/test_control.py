"""The control surface: seed and dump, clock, faults, the request log, changes behind our back."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import datetime
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mixpanel_access.emulator import EmulatorServer
from mixpanel_access.emulator.document import Document
from tests.emulator.conftest import ORG, Client, P, Q, organization

LEE = "lee@example.com"


def test_a_dump_seeds_the_same_organization(client: Client) -> None:
    """Seeding what was dumped changes nothing but the time that has passed."""
    client.invite("bo@example.net", projects=[{"id": P, "role": "consumer"}])
    first = client.control("GET", "dump")
    second = client.control("POST", "seed", first)
    assert {**first, "now": 0} == {**second, "now": 0}


EMAILS = st.integers(0, 30).map(lambda n: f"Person.{n}@example.com")
MEMBERS = st.lists(
    st.fixed_dictionaries(
        {
            "email": EMAILS,
            "role": st.sampled_from(["owner", "admin", "billing_admin", "member"]),
            "invited_at": st.none()
            | st.datetimes(datetime(1970, 1, 1), datetime(8999, 12, 31)).map(lambda at: at.isoformat() + "Z"),
        }
    ),
    unique_by=lambda member: member["email"],
)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(members=MEMBERS, data=st.data())
def test_any_document_survives_a_round_trip(server: EmulatorServer, members: list[dict[str, Any]], data: Any) -> None:
    """Seed, dump, seed, dump: the two dumps are alike, and hold what was seeded."""
    pairs = [(project, member["email"]) for project in (P, Q) for member in members]
    chosen = data.draw(st.lists(st.sampled_from(pairs), unique=True) if pairs else st.just([]))
    grants = [{"project": project, "email": email, "role": "analyst"} for project, email in chosen]
    server.store.seed(Document.model_validate(organization(members=members, grants=grants, teams=[])))
    first = server.store.dump()
    server.store.seed(Document.model_validate(first))
    second = server.store.dump()
    assert {**first, "now": 0} == {**second, "now": 0}
    assert {(m["email"], m["role"]) for m in first["members"]} == {(m["email"], m["role"]) for m in members}
    assert {(g["project"], g["email"]) for g in first["grants"]} == set(chosen)


BAD_SEEDS = {
    "unknown field": ({"colour": "blue"}, "colour"),
    "unknown role": ({"members": [{"email": "a@example.com", "role": "boss"}]}, "members.0.role"),
    "no address": ({"members": [{"email": "a"}]}, "members.0.email"),
    "twice": (
        {"members": [{"email": "a@example.com"}, {"email": "A@example.com"}], "grants": [], "teams": []},
        "twice",
    ),
    "grant to nobody": ({"grants": [{"project": P, "email": "x@example.com", "role": "analyst"}]}, "x@example.com"),
    "grant in no project": ({"grants": [{"project": 1, "email": LEE, "role": "analyst"}]}, "not among the projects"),
    "grant of no role": ({"grants": [{"project": P, "email": LEE, "role": "x"}]}, "grants.0.role"),
    "team of nobody": ({"teams": [{"id": 1, "name": "T", "members": ["x@example.com"]}]}, "x@example.com"),
    "team in no project": ({"teams": [{"id": 1, "name": "T", "projects": [{"id": 1, "role": "admin"}]}]}, "1 is not"),
}


@pytest.mark.parametrize(("change", "words"), BAD_SEEDS.values(), ids=BAD_SEEDS.keys())
def test_a_bad_seed_is_refused_and_changes_nothing(client: Client, change: dict[str, Any], words: str) -> None:
    """422 says where."""
    before = client.control("GET", "dump")
    answer = client.post("/_emulator/seed", json=organization(**change))
    assert answer.status_code == 422
    assert words in answer.json()["error"]
    assert {**client.control("GET", "dump"), "now": 0} == {**before, "now": 0}


def test_the_clock(client: Client) -> None:
    """It is set, advanced, and runs on."""
    assert client.control("POST", "clock", {"now": "2030-01-01T00:00:00Z"})["now"].startswith("2030-01-01T00:00:0")
    assert client.control("POST", "clock", {"advance_seconds": 86400})["now"].startswith("2030-01-02T00:00:0")
    assert client.control("GET", "clock")["now"].startswith("2030-01-02T00:00:0")
    for bad in ({}, {"now": "2030-01-01T00:00:00Z", "advance_seconds": 1}, {"now": "soon"}):
        assert client.post("/_emulator/clock", json=bad).status_code == 422


USERS = f"/organizations/{ORG}/users/"


def test_a_status_fault(client: Client) -> None:
    """So many requests of that method and path get it, with Retry-After and body as they are given."""
    fault = {"method": "GET", "path_prefix": USERS, "count": 2, "kind": "status", "status": 429, "retry_after": 7}
    client.control("POST", "faults", [fault, {**fault, "status": 502, "body": "<html>", "count": 1}])
    assert client.get("/api/app/me").status_code == 200
    answers = [client.get(USERS) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [429, 429, 502, 200]
    assert (answers[0].headers["retry-after"], answers[0].json()["status"]) == ("7", "error")
    assert answers[2].headers["content-type"].startswith("text/html")


def test_faults_can_be_looked_at_and_cleared(client: Client) -> None:
    """GET shows what is left, DELETE forgets it; an incomplete one is refused."""
    client.control("POST", "faults", [{"kind": "drop_before", "count": 3}])
    assert client.control("GET", "faults")[0]["count"] == 3
    client.control("DELETE", "faults")
    assert client.get(USERS).status_code == 200
    for bad in ({"kind": "status"}, {"kind": "delay"}, {"kind": "drop_before", "count": 0}, {"kind": "x"}):
        assert client.post("/_emulator/faults", json=[bad]).status_code == 422


@pytest.mark.parametrize(("kind", "applied"), [("drop_before", False), ("drop_after", True)])
def test_a_dropped_connection(client: Client, kind: str, applied: bool) -> None:
    """The connection breaks without an answer, before or after the write was applied."""
    client.control("POST", "faults", [{"method": "POST", "kind": kind}])
    with pytest.raises(httpx.TransportError):
        client.invite("bo@example.net")
    assert (client.role_of("bo@example.net") == "member") is applied
    assert client.invite("bo@example.net").status_code == 200


def test_a_delay(client: Client) -> None:
    """The answer comes late, and is the right one; others are not held up."""
    client.control("POST", "faults", [{"kind": "delay", "seconds": 0.3}])
    begun = time.monotonic()
    assert client.get(USERS).status_code == 200
    assert time.monotonic() - begun >= 0.3


def test_the_request_log(client: Client) -> None:
    """Counts by endpoint and bytes; redirects and faults are counted, control calls are not."""
    client.get(USERS)
    client.get(USERS.rstrip("/"))
    client.get("/nowhere")
    client.users("users/lee@example.com/update/", {"role": "admin"})
    client.control("POST", "faults", [{"kind": "drop_before"}])
    with pytest.raises(httpx.TransportError):
        client.get("/api/app/me")
    log = client.control("GET", "requests")
    assert log["by_endpoint"] == {
        "GET (unknown)": 1,
        "GET /api/app/me": 1,
        "GET /organizations/{o}/users/": 2,
        "POST /organizations/{o}/users/{email}/update/": 1,
    }
    assert (log["total"], log["bytes_out"] > 100) == (5, True)
    last = client.control("GET", "requests?detail=1")["requests"]
    assert [row["status"] for row in last] == [200, 301, 404, 200, None]
    assert client.control("DELETE", "requests") == {"total": 0, "bytes_out": 0, "by_endpoint": {}}


def test_changes_behind_our_back(client: Client) -> None:
    """Roles, grants and people change without any rule."""
    client.control("POST", "members", {"email": LEE, "role": "owner"})
    client.control("POST", "grants", {"project": P, "email": LEE, "role": "owner"})
    assert (client.role_of(LEE), client.grants_of(LEE)) == ("owner", {P: "owner"})
    client.control("POST", "grants", {"project": P, "email": LEE, "role": None})
    assert client.grants_of(LEE) == {}
    client.control("DELETE", f"members/{LEE}")
    assert client.role_of(LEE) is None
    client.control("POST", "members", {"email": "new@example.com", "role": "member"})
    assert client.role_of("new@example.com") == "member"
    for method, path, body in (
        ("DELETE", f"members/{LEE}", None),
        ("POST", "grants", {"project": P, "email": LEE, "role": "admin"}),
        ("POST", "grants", {"project": 1, "email": "ana@example.com", "role": "admin"}),
        ("POST", "invitations/accept", {"email": LEE}),
        ("GET", "nothing", None),
    ):
        assert client.request(method, f"/_emulator/{path}", json=body).status_code == 404
    assert client.post("/_emulator/clock", content=b"{").status_code == 422


def test_the_optional_rate_limit(client: Client) -> None:
    """So many requests a minute, then 429 with whole seconds to wait."""
    client.control("POST", "seed", organization(rate_limit_per_minute=2))
    answers = [client.get("/api/app/me") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 1 <= int(answers[2].headers["retry-after"]) <= 60
    client.control("POST", "clock", {"advance_seconds": 61})
    assert client.get("/api/app/me").status_code == 200


def test_the_emulator_knows_nothing_of_the_client() -> None:
    """Running it imports no client layer, no HTTP client and no Pulumi."""
    script = (
        "import sys, mixpanel_access.emulator.server\n"
        "bad = [m for m in sys.modules if m.split('.')[0] in ('httpx', 'pulumi', 'stamina') or m.startswith(tuple("
        "f'mixpanel_access.{l}' for l in ('api', 'directory', 'provider', 'component', 'operations', 'engine')))]\n"
        "sys.exit(str(bad) if bad else 0)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
