"""One compliant organization, asked in this process; over a socket where that is what a module tests."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from mixpanel_access.emulator.database import Clock
from mixpanel_access.emulator.server import EmulatorServer
from tests.in_process import InProcess, emulating

ORG, P, Q = 7654321, 1234567, 1234568
CUSTOM = "5b0c0c3e-0000-4000-8000-000000000001"
_WITHOUT_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
NOW = "2026-05-04T12:00:00Z"


def organization(**changes: Any) -> dict[str, Any]:
    """The compliant document: two owners, an admin, a member with a grant and a team; two projects."""
    return {
        "now": NOW,
        "organization": {"id": ORG, "name": "Example", "plan": "enterprise"},
        "members": [
            {"email": "ana@example.com", "role": "owner", "id": 501, "last_login": "2026-05-01T08:00:00Z"},
            {"email": "omar@example.com", "role": "owner", "id": 502},
            {"email": "kim@example.com", "role": "admin", "id": 503},
            {"email": "Lee@Example.com", "name": "Lee", "role": "member", "id": 504},
        ],
        "projects": [
            {"id": P, "name": "Shop", "custom_roles": [{"role_id": CUSTOM, "name": "Support"}]},
            {"id": Q, "name": "Warehouse", "all_users": "consumer"},
        ],
        "grants": [{"project": P, "email": "lee@example.com", "role": "analyst"}],
        "teams": [
            {
                "id": 77,
                "name": "Data",
                "members": ["lee@example.com"],
                "projects": [{"id": P, "role": "admin"}],
                "service_accounts": ["old-bot"],
            },
            {"id": 80, "name": "Other"},
        ],
        "service_accounts": [
            {"username": f"{role}-bot", "secret": "s:ecret", "role": role}
            for role in ("owner", "admin", "billing_admin", "member")
        ]
        + [
            {
                "username": "old-bot",
                "secret": "s:ecret",
                "expires": "2026-05-04T13:00:00Z",
                "projects": [{"id": P, "role": "consumer"}],
            }
        ],
        **changes,
    }


class Client(httpx.Client):
    """Calls one emulator as one service account.

    Args:
        server: the emulator to call in this process; None to call an address, over a socket.
        options: those of httpx.
    """

    def __init__(self, server: EmulatorServer | None = None, **options: Any) -> None:
        if server is not None:
            options = {"base_url": server.url, "transport": InProcess(server), **options}
        # Plain HTTP needs no certificates, and to load them for every client took most of the tests' time.
        super().__init__(
            verify=_WITHOUT_CERTIFICATES,
            trust_env=False,
            timeout=20,
            **{"headers": {"Content-Type": "application/json"}, **options},
        )

    def control(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.request(method, f"/_emulator/{path}", json=body)
        assert answer.status_code < 400, answer.text
        return answer.json()

    def users(self, verb: str, body: Any) -> httpx.Response:
        return self.post(f"/organizations/{ORG}/{verb}", json=body)

    def invite(self, *emails: str, **more: Any) -> httpx.Response:
        return self.users("add-users/", {"users": [{"email": email, "role": "member", **more} for email in emails]})

    def grant(self, email: str, role: str, project: int | str = P) -> httpx.Response:
        body = {"projects": [{"id": project, "users": [{"email": email, "role": role}]}]}
        return self.users("add-users-to-projects/", body)

    def role_of(self, email: str) -> str | None:
        rows = self.control("GET", "dump")["members"]
        return next((row["role"] for row in rows if row["email"].lower() == email.lower()), None)

    def grants_of(self, email: str) -> dict[int, str]:
        rows = self.control("GET", "dump")["grants"]
        return {row["project"]: row["role"] for row in rows if row["email"].lower() == email.lower()}


class Frozen(Clock):
    """A clock that stands still: boundaries are walked to the microsecond."""

    def __init__(self, at: datetime) -> None:
        super().__init__()
        self.at = at

    def now(self) -> datetime:
        return self.at

    def set(self, instant: datetime) -> None:
        self.at = instant

    def advance(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture(scope="session")
def _running() -> Iterator[EmulatorServer]:
    """One server for all tests of a worker: to end one takes longer than most tests."""
    with EmulatorServer(organization()) as running:
        yield running


@pytest.fixture
def server(_running: EmulatorServer) -> EmulatorServer:
    """The organization, served, as good as new."""
    _running.store.clock = Clock()
    with Client(_running) as control:
        control.control("POST", "seed", organization())
    _running.app.faults.clear()
    _running.app.log.reset()
    return _running


@pytest.fixture
def clock(server: EmulatorServer) -> Frozen:
    """The server's clock, standing still at the document's present until a test moves it."""
    frozen = Frozen(datetime.fromisoformat(NOW))
    server.store.clock = frozen
    return frozen


@pytest.fixture
def served() -> Iterator[Callable[..., tuple[EmulatorServer, Client]]]:
    """Makes servers of a test's own, with their options, and an admin's client of each."""
    with ExitStack() as stack:

        def make(document: dict[str, Any] | None = None, **options: Any) -> tuple[EmulatorServer, Client]:
            own = stack.enter_context(emulating(document or organization(), **options))
            return own, stack.enter_context(Client(own, auth=("admin-bot", "s:ecret")))

        yield make


def unchanged(before: dict[str, Any], after: dict[str, Any]) -> bool:
    """Whether two dumps differ in the time alone, and in when service accounts were used."""
    return _timeless(before) == _timeless(after)


def _timeless(dump: dict[str, Any]) -> dict[str, Any]:
    return {**dump, "now": 0, "service_accounts": [{**row, "last_used": 0} for row in dump["service_accounts"]]}


@pytest.fixture
def transport(server: EmulatorServer) -> httpx.BaseTransport | None:
    """How the clients call the server; None for a socket."""
    return InProcess(server)


@pytest.fixture
def connect(server: EmulatorServer, transport: httpx.BaseTransport | None) -> Iterator[Callable[..., Client]]:
    """Makes clients by organization role."""
    clients: list[Client] = []

    def make(role: str = "admin") -> Client:
        clients.append(Client(base_url=server.url, auth=(f"{role}-bot", "s:ecret"), transport=transport))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def client(connect: Callable[..., Client]) -> Client:
    """An organization admin's service account."""
    return connect()


@pytest.fixture
def owner(connect: Callable[..., Client]) -> Client:
    """An organization owner's service account."""
    return connect("owner")
