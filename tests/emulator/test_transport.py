"""Credentials, paths, slashes, the envelope (contract, section 1)."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta

import pytest

from mixpanel_access.emulator.server import EmulatorServer
from tests.emulator.conftest import ORG, Client, Frozen, P
from tests.emulator.parallel import CLIENTS, crowd


@pytest.fixture
def transport() -> None:
    """A socket."""


def basic(text: str) -> str:
    """Credentials as HTTP Basic sends them."""
    return base64.b64encode(text.encode()).decode()


CREDENTIALS = {
    "base64": (f"Basic {basic('admin-bot:s:ecret')}", 200),
    "plain": ("Basic admin-bot:s:ecret", 200),
    "lower case": (f"basic {basic('admin-bot:s:ecret')}", 200),
    "none": (None, 401),
    "empty": ("", 401),
    "bearer": ("Bearer admin-bot:s:ecret", 401),
    "wrong secret": (f"Basic {basic('admin-bot:wrong')}", 401),
    "wrong name": (f"Basic {basic('nobody:s:ecret')}", 401),
    "no base64": ("Basic %%%", 401),
    "no utf-8": (f"Basic {base64.b64encode(bytes([255, 254])).decode()}", 401),
}


@pytest.mark.parametrize(("header", "status"), CREDENTIALS.values(), ids=CREDENTIALS.keys())
@pytest.mark.parametrize("path", ["/api/app/me", f"/organizations/{ORG}/users/"])
def test_credentials(client: Client, header: str | None, status: int, path: str) -> None:
    """Both roots take Basic in base64 and plain; anything else is 401 in the envelope."""
    answer = client.get(path, headers={} if header is None else {"Authorization": header}, auth=None)
    assert answer.status_code == status
    assert answer.json()["status"] == ("ok" if status == 200 else "error")


@pytest.mark.parametrize(("late", "status"), [(-1, 200), (-1e-6, 200), (0, 401), (1e-6, 401), (1, 401)])
def test_an_account_ends_at_the_very_instant(client: Client, clock: Frozen, late: float, status: int) -> None:
    """From its expiry on, and not before, an account is refused; others are not."""
    clock.set(datetime.fromisoformat("2026-05-04T13:00:00Z") + timedelta(seconds=late))
    assert client.get("/api/app/me", auth=("old-bot", "s:ecret")).status_code == status
    assert client.get("/api/app/me").status_code == 200


PATHS = {
    "slash-less on the legacy root": ("GET", f"/organizations/{ORG}/users", 301),
    "slash-less write": ("POST", f"/organizations/{ORG}/add-users", 301),
    "extra slash under the REST root": ("GET", "/api/app/me/", 404),
    "legacy verb under the REST root": ("GET", f"/api/app/organizations/{ORG}/users/", 404),
    "unknown": ("GET", "/organizations", 404),
    "wrong method": ("GET", f"/organizations/{ORG}/add-users/", 405),
    "another organization": ("GET", "/organizations/1/users/", 404),
    "organization is no number": ("GET", "/organizations/x/users/", 404),
    "another project": ("GET", "/api/app/projects/1/granted-users", 404),
    "head": ("HEAD", f"/organizations/{ORG}/users/", 200),
}


@pytest.mark.parametrize(("method", "path", "status"), PATHS.values(), ids=PATHS.keys())
def test_paths(client: Client, method: str, path: str, status: int) -> None:
    """Slashes, roots and methods are what the contract says."""
    answer = client.request(method, path)
    assert answer.status_code == status
    if status == 301:
        assert (answer.headers["location"], answer.content) == (f"{path}/", b"")
    elif status == 405:
        assert (answer.headers["allow"], answer.content) == ("POST", b"")
    elif status >= 400:
        assert answer.json()["status"] == "error"


NOWHERE = [
    *(f"/api/app/organizations/{ORG}{part}" for part in ("", "/users", "/members", "/projects", "/roles", "/invites")),
    *(f"/api/app/organizations/{ORG}/{part}" for part in ("settings", "billing")),
    *(f"/api/app/projects/{P}/{part}" for part in ("roles", "users", "members", "service_accounts")),
    "/nowhere",
    "/request_access/",
]


@pytest.mark.parametrize("path", NOWHERE)
def test_a_path_that_there_is_not_is_named(client: Client, path: str) -> None:
    """To an owner too (contract, section 1)."""
    answer = client.get(path, auth=("owner-bot", "s:ecret"))
    assert (answer.status_code, answer.json()) == (404, {"status": "error", "error": f"Not found: {path}"})


BODIES = {
    "no JSON": (b"{", 422),
    "empty": (b"", 422),
    "another shape": (b"[]", 422),
    "wrong type": (b'{"users": "bo@example.com"}', 422),
    "no address": (b'{"users": [{"email": "bo", "role": "member"}]}', 400),
    "unknown role": (b'{"users": [{"email": "bo@example.com", "role": "boss"}]}', 400),
    "too long": (b" " * 10_000_001, 413),
}


@pytest.mark.parametrize(("body", "status"), BODIES.values(), ids=BODIES.keys())
def test_bodies(client: Client, body: bytes, status: int) -> None:
    """What does not parse is 422, a bad value 400, and nobody is invited."""
    answer = client.post(f"/organizations/{ORG}/add-users/", content=body)
    assert (answer.status_code, answer.json()["status"]) == (status, "error")
    assert client.control("GET", "mails") == []


def test_fifty_clients_at_once_lose_nothing(server: EmulatorServer) -> None:
    """They invite, grant, change, take away and read together: every update is there, nothing twice, no fault."""
    found = crowd(server.url, turns=2)
    assert (found.lost, found.double) == ([], [])
    assert set(found.statuses) == {200}
    assert found.statuses[200] == CLIENTS * (7 + 9)
