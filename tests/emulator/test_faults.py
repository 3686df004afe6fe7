"""Faults on a real socket, the request log beside them, and what stays whole when things break."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from itertools import chain
from pathlib import Path
from typing import Any

import httpx
import pytest

from mixpanel_access.emulator.server import EmulatorServer
from tests.emulator.conftest import ORG, Client, Frozen, P, organization

BO, LEE = "bo@agency.example.org", "lee@example.com"
USERS = f"/organizations/{ORG}/users/"
DATE = "Wed, 21 Oct 2026 07:28:00 GMT"

ANSWERS = {
    "status alone": ({"status": 503}, 503, None, "application/json", b'{"status":"error","error":"fault injected"}'),
    "seconds to wait": ({"status": 429, "retry_after": 7}, 429, "7", "application/json", None),
    "a fraction": ({"status": 429, "retry_after": 0.5}, 429, "0.5", "application/json", None),
    "a date": ({"status": 429, "retry_after": DATE}, 429, DATE, "application/json", None),
    "no date": ({"status": 429, "retry_after": "soon"}, 429, "soon", "application/json", None),
    "HTML of a proxy": ({"status": 502, "body": "<html>ü"}, 502, None, "text/html; charset=utf-8", "<html>ü".encode()),
    "an empty body": ({"status": 500, "body": ""}, 500, None, "text/html; charset=utf-8", b""),
    "another type": (
        {"status": 200, "body": "{", "content_type": "application/json"},
        200,
        None,
        "application/json",
        b"{",
    ),
    "an error in a success": ({"status": 200}, 200, None, "application/json", None),
    "no content": ({"status": 204, "body": "x"}, 204, None, None, b""),
    "reset content": ({"status": 205}, 205, None, None, b""),
    "not modified": ({"status": 304, "retry_after": 1}, 304, "1", None, b""),
    "lowest": ({"status": 200, "body": "x"}, 200, None, "text/html; charset=utf-8", b"x"),
    "highest": ({"status": 599}, 599, None, "application/json", None),
}


@pytest.fixture
def transport() -> None:
    """A socket."""


@pytest.mark.parametrize(("fault", "status", "wait", "kind", "body"), ANSWERS.values(), ids=ANSWERS.keys())
def test_a_status_is_answered_as_it_is_given(
    client: Client, fault: Any, status: int, wait: str | None, kind: str | None, body: bytes | None
) -> None:
    """Status, Retry-After, type and body; nothing is applied, and the connection serves the next request."""
    client.control("POST", "faults", [{"kind": "status", **fault}])
    answer = client.invite(BO)
    assert (answer.status_code, answer.headers.get("retry-after")) == (status, wait)
    assert answer.headers.get("content-type") == kind
    assert body is None or answer.content == body
    assert client.role_of(BO) is None
    assert client.invite(BO).status_code == 200
    assert client.control("GET", "requests")["by_endpoint"] == {"POST /organizations/{o}/add-users/": 2}


MATCHES = {
    "everything": ({}, [503, 503, 503]),
    "any method": ({"method": "*", "path_prefix": USERS}, [503, 200, 503]),
    "one method": ({"method": "GET"}, [503, 503, 200]),
    "a method in lower case": ({"method": "get"}, [503, 503, 200]),
    "a prefix": ({"path_prefix": "/organizations/"}, [503, 200, 503]),
    "method and prefix": ({"method": "POST", "path_prefix": USERS}, [200, 200, 503]),
    "not a later part": ({"path_prefix": "users/"}, [200, 200, 200]),
    "encoded as it was sent": ({"path_prefix": f"{USERS}lee%40"}, [200, 200, 503]),
    "another method": ({"method": "DELETE"}, [200, 200, 200]),
}


@pytest.mark.parametrize(("where", "statuses"), MATCHES.values(), ids=MATCHES.keys())
def test_it_hits_what_it_is_for(client: Client, where: dict[str, str], statuses: list[int]) -> None:
    """By method and by the beginning of the path; what it is not for passes by, and it waits on."""
    client.control("POST", "faults", [{"kind": "status", "status": 503, "count": 9, **where}])
    found = [
        client.get(USERS),
        client.get("/api/app/me"),
        client.post(f"{USERS}lee%40example.com/update/", json={"role": "admin"}),
    ]
    assert [answer.status_code for answer in found] == statuses
    assert client.control("GET", "faults")[0]["count"] == 9 - statuses.count(503)


def test_they_come_in_their_order_and_are_used_up(client: Client) -> None:
    """Each as often as it counts, the first that fits first; redirects and unknown paths get them as well."""
    for status, count in ((500, 2), (503, 1)):
        client.control("POST", "faults", [{"kind": "status", "status": status, "count": count}])
    paths = ["/api/app/me", "/nowhere", USERS.rstrip("/"), "/api/app/me"]
    assert [client.get(path).status_code for path in paths] == [500, 500, 503, 200]
    assert client.control("GET", "faults") == []


def test_a_status_comes_before_a_long_body_is_read(client: Client) -> None:
    """The rest of it is passed over, and the connection goes on."""
    client.control("POST", "faults", [{"kind": "status", "status": 503}])
    answer = client.post(f"/organizations/{ORG}/add-users/", content=b" " * 3_000_000)
    assert answer.status_code == 503
    assert client.invite(BO).status_code == 200


@pytest.mark.parametrize("verb", ["invite", "grant", "remove", "read"])
@pytest.mark.parametrize(("kind", "applied"), [("drop_before", False), ("drop_after", True)])
def test_a_broken_connection(client: Client, verb: str, kind: str, applied: bool) -> None:
    """No byte of an answer comes; the write was applied only if it breaks afterwards; the next request is served."""
    calls: dict[str, Callable[[], object]] = {
        "invite": lambda: client.invite(BO),
        "grant": lambda: client.grant(LEE, "admin"),
        "remove": lambda: client.users("delete-users/", {"emails": [LEE]}),
        "read": lambda: client.get(USERS),
    }
    client.control("POST", "faults", [{"kind": kind, "count": 2}])
    for _ in range(2):
        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
            calls[verb]()
    found = {
        "invite": client.role_of(BO) == "member",
        "grant": client.grants_of(LEE) == {P: "admin"},
        "remove": client.role_of(LEE) is None,
        "read": applied,
    }
    assert found[verb] is applied
    log = client.control("GET", "requests?detail")
    assert (log["total"], log["bytes_out"]) == (2, 0)
    assert [row["status"] for row in log["requests"]] == [None, None]
    assert client.get(USERS).status_code == 200


def test_a_refused_request_is_broken_off_too(client: Client) -> None:
    """After a refusal as well as after a success, and nothing is applied."""
    client.control("POST", "faults", [{"kind": "drop_after"}])
    with pytest.raises(httpx.TransportError):
        client.grant(BO, "owner")
    assert client.role_of(BO) is None


def test_a_delay_holds_up_nobody_else(server: EmulatorServer, client: Client) -> None:
    """While one request waits, others are served; then it gets the right answer."""
    client.control("POST", "faults", [{"kind": "delay", "seconds": 0.5, "path_prefix": USERS}])
    ended: list[float] = []

    def slow() -> None:
        with Client(base_url=server.url, auth=("admin-bot", "s:ecret")) as other:
            assert other.get(USERS).status_code == 200
            ended.append(time.monotonic())

    thread = threading.Thread(target=slow)
    begun = time.monotonic()
    thread.start()
    while client.control("GET", "faults"):
        pass
    assert client.get("/api/app/me").status_code == 200
    passed = time.monotonic()
    thread.join()
    assert passed < ended[0]
    assert ended[0] - begun >= 0.5


def test_a_client_that_gives_up_does_no_harm(client: Client) -> None:
    """Its request is applied once or not at all, and others are served."""
    client.control("POST", "faults", [{"kind": "delay", "seconds": 0.2, "method": "POST"}])
    with pytest.raises(httpx.ReadTimeout):
        client.post(f"/organizations/{ORG}/add-users/", json={"users": [{"email": BO, "role": "member"}]}, timeout=0.05)
    assert client.invite(BO).status_code == 200
    assert [row["email"] for row in client.control("GET", "dump")["members"]].count(BO) == 1


def test_a_fault_of_its_own_is_told_in_the_envelope(
    served: Callable[..., Any], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Should its database break, the answer is 500 and the traceback is on stderr; it is logged, and it stays up."""
    file = tmp_path / "organization.sqlite"
    _, client = served(data=file)
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("DROP TABLE mail")
    answer = client.invite(BO)
    assert (answer.status_code, answer.json()) == (
        500,
        {"status": "error", "error": "internal error of the emulator"},
    )
    assert "no such table: mail" in capfd.readouterr().err
    assert client.control("GET", "requests")["by_endpoint"] == {"POST /organizations/{o}/add-users/": 1}
    assert BO not in client.get(USERS).text


def test_it_ends_at_once_though_a_request_waits() -> None:
    """Within a second, with one under delay and an idle connection; the one that waits gets no answer."""
    with EmulatorServer(organization()) as server, Client(base_url=server.url, auth=("admin-bot", "s:ecret")) as client:
        client.control("POST", "faults", [{"kind": "delay", "seconds": 300}])
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(_granted_elsewhere, server.url)
            while client.control("GET", "faults"):
                pass
            before = time.monotonic()
            server.stop()
            assert time.monotonic() - before < 1
            assert waiting.result() is None


def _granted_elsewhere(url: str) -> int | None:
    with Client(base_url=url, auth=("admin-bot", "s:ecret")) as client:
        try:
            return client.grant(LEE, "admin").status_code
        except httpx.TransportError:
            return None


def test_the_log_counts_what_went_out(client: Client) -> None:
    """Bytes of bodies, by template and one by one; refusals and redirects too, the control surface never."""
    answers = [
        client.get(USERS),
        client.get(USERS.rstrip("/")),
        client.get(USERS, auth=None),
        client.put(USERS),
        client.get(f"/api/app/projects/{P}/users/lee%40example.com"),
        client.get("/"),
    ]
    log = client.control("GET", "requests?detail=1")
    assert log["total"] == len(answers)
    assert log["bytes_out"] == sum(len(answer.content) for answer in answers)
    assert log["by_endpoint"] == {
        "GET (unknown)": 1,
        "GET /api/app/projects/{p}/users/{email}": 1,
        "GET /organizations/{o}/users/": 3,
        "PUT /organizations/{o}/users/": 1,
    }
    assert log["requests"] == [
        {
            "method": answer.request.method,
            "path": answer.request.url.raw_path.decode(),
            "status": answer.status_code,
            "bytes_out": len(answer.content),
        }
        for answer in answers
    ]
    assert "requests" not in client.control("GET", "requests")
    assert client.control("DELETE", "requests") == {"total": 0, "bytes_out": 0, "by_endpoint": {}}
    assert client.control("GET", "requests?detail")["requests"] == []


def test_the_rate_limit_slides_over_a_minute_and_a_seed_begins_anew(client: Client, clock: Frozen) -> None:
    """Retry-After is when the oldest request leaves the minute; control calls do not count, nor does the future."""
    client.control("POST", "seed", organization(rate_limit_per_minute=2))
    assert client.get("/api/app/me").status_code == 200
    clock.advance(20)
    assert client.get(USERS, auth=None).status_code == 401
    refused = client.get("/nowhere")
    assert (refused.status_code, refused.json()["error"]) == (429, "rate limit exceeded")
    assert refused.headers["retry-after"] == "40"
    clock.at += timedelta(seconds=40) - timedelta(microseconds=1)
    refused = client.get("/nowhere")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    clock.at += timedelta(microseconds=1)
    assert client.get("/api/app/me").status_code == 200
    assert client.get("/api/app/me").status_code == 429
    clock.advance(-3600)
    assert [client.get("/api/app/me").status_code for _ in range(3)] == [200, 200, 429]
    client.control("POST", "seed", organization(rate_limit_per_minute=2))
    assert client.get("/api/app/me").status_code == 200


def test_fifty_clients_with_faults_lose_nothing_that_was_answered(server: EmulatorServer, client: Client) -> None:
    """They write to the same people while connections break: what was answered 200 is there, and nothing twice."""
    faults = [{"kind": kind, "count": 10, "method": "POST"} for kind in ("drop_after", "drop_before")]
    client.control("POST", "faults", faults)
    roles = ("consumer", "analyst", "admin")

    def work(number: int) -> list[int | None]:
        statuses: list[int | None] = []
        with Client(base_url=server.url, auth=("admin-bot", "s:ecret")) as own:
            for email in (f"p{number}@d{number}.example.com", f"shared@d{number % 5}.example.com"):
                try:
                    statuses.append(own.grant(email, roles[number % 3]).status_code)
                except httpx.TransportError:
                    statuses.append(None)
        return statuses

    with ThreadPoolExecutor(50) as pool:
        statuses = list(pool.map(work, range(50)))
    assert set(chain.from_iterable(statuses)) == {200, None}
    assert list(chain.from_iterable(statuses)).count(None) == 20
    dump = client.control("GET", "dump")
    emails = [member["email"] for member in dump["members"]]
    assert len(emails) == len(set(emails))
    for number, (first, _) in enumerate(statuses):
        if first == 200:
            assert client.grants_of(f"p{number}@d{number}.example.com") == {P: roles[number % 3]}
    assert {grant["role"] for grant in dump["grants"]} <= set(roles)
