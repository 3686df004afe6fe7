"""The transport without a socket: a client sees through it what it sees over one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

import httpx
import pytest

from mixpanel_access.emulator.server import EmulatorServer
from tests.emulator.conftest import NOW, ORG, Client, Frozen, organization
from tests.in_process import emulating

INVITATION: Final = {"users": [{"email": "bo@agency.example.org", "role": "member"}]}
INVITE: Final = ("POST", f"/organizations/{ORG}/add-users/", INVITATION)
READ: Final = ("GET", f"/organizations/{ORG}/users/", None)
REQUESTS: Final[dict[str, tuple[str, str, Any]]] = {
    "a read": READ,
    "a read with a query": ("GET", f"/api/app/organizations/{ORG}/service-accounts?cursor=x%20y", None),
    "a write": INVITE,
    "a write that is refused": ("POST", f"/organizations/{ORG}/add-users/", {"users": "nobody"}),
    "an address in the path": ("POST", f"/organizations/{ORG}/users/lee%40example.com/update/", {"role": "admin"}),
    "a redirect": ("GET", f"/organizations/{ORG}/users", None),
    "no such path": ("GET", "/nowhere", None),
    "no such method": ("DELETE", f"/organizations/{ORG}/users/", None),
    "the head alone": ("HEAD", f"/organizations/{ORG}/users/", None),
    "SCIM without its token": ("GET", "/api/app/scim/v2/Users", None),
    "the control surface": ("GET", "/_emulator/dump", None),
}
FAULTS: Final[dict[str, dict[str, Any]]] = {
    "none": {},
    "a status": {"kind": "status", "status": 503, "retry_after": 7},
    "a body": {"kind": "status", "status": 502, "body": "<html>ü"},
    "no content": {"kind": "status", "status": 204},
    "broken before": {"kind": "drop_before"},
    "broken after": {"kind": "drop_after"},
    "too slow": {"kind": "delay", "seconds": 0.2},
    "slow": {"kind": "delay", "seconds": 0.01},
}
PATIENCE: Final = 0.1


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[Client, Client]]:
    """A client over a socket and one without, each of an emulator of its own."""
    with EmulatorServer(organization()) as over_a_socket, emulating(organization()) as alone:
        for server in (over_a_socket, alone):
            server.store.clock = Frozen(datetime.fromisoformat(NOW))
        auth = ("admin-bot", "s:ecret")
        with Client(base_url=over_a_socket.url, auth=auth) as one, Client(alone, auth=auth) as other:
            yield one, other


def seen(client: Client, request: tuple[str, str, Any], fault: dict[str, Any]) -> list[Any]:
    """What the client gets, and what has become of the organization and of the request log."""
    client.control("POST", "seed", organization())
    client.control("DELETE", "faults")
    client.control("DELETE", "requests")
    if fault:
        client.control("POST", "faults", [fault])
    method, path, body = request
    try:
        answer = client.request(method, path, json=body, timeout=PATIENCE if fault.get("kind") == "delay" else 20)
        headers = sorted((name, value) for name, value in answer.headers.items() if name != "date")
        got: list[Any] = [answer.status_code, headers, answer.content]
    except httpx.TimeoutException:
        got = ["no answer in time"]
    except httpx.TransportError:
        got = ["broken"]
    return [*got, *(client.control("GET", part) for part in ("faults", "requests?detail", "dump"))]


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_is_answered_alike(both: tuple[Client, Client], name: str) -> None:
    """Status, headers, body, and what has changed."""
    over_a_socket, alone = (seen(client, REQUESTS[name], {}) for client in both)
    assert alone == over_a_socket


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("request_", [READ, INVITE], ids=["read", "write"])
def test_a_fault_strikes_alike(both: tuple[Client, Client], request_: tuple[str, str, Any], name: str) -> None:
    """Nothing is applied where nothing is over a socket, either."""
    over_a_socket, alone = (seen(client, request_, FAULTS[name]) for client in both)
    assert alone == over_a_socket
