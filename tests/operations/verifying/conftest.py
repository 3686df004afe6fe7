"""What the tests of `doctor --writes` work with: an emulator in this process, a plan, and transports that fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from mixpanel_access.api.observed import Observer
from mixpanel_access.api.transport import Transport
from mixpanel_access.emulator.dialect import Dialect
from mixpanel_access.emulator.server import EmulatorServer
from mixpanel_access.model.setting_values import Secret
from mixpanel_access.model.settings import Settings
from mixpanel_access.operations.verifying.verify import Means, WritesPlan, make_plan
from mixpanel_access.operations.verifying.walk import Patience
from tests.emulator.conftest import ORG, Client, P, organization
from tests.in_process import InProcess, emulating

EMAIL = "throw.away+canary@example.net"
PARTS = frozenset({"teams", "accounts"})
AT_ONCE = Patience(1.0, lambda _: None)
"""Looks as often as it would within a second, and does not wait."""


@pytest.fixture(scope="module")
def _running() -> Iterator[EmulatorServer]:
    with emulating(organization()) as server:
        yield server


@pytest.fixture
def server(_running: EmulatorServer) -> EmulatorServer:
    """An organization as good as new, in the default dialect."""
    seed(_running, organization())
    return _running


def seed(server: EmulatorServer, document: dict[str, Any], dialect: Dialect | None = None) -> None:
    """Start anew."""
    with Client(server) as control:
        control.control("POST", "seed", document)
    speak(server, dialect or Dialect())


def speak(server: EmulatorServer, dialect: Dialect) -> None:
    """Answer so from now on."""
    server.app.speak(dialect)
    server.app.log.reset()


def plan_of(server: EmulatorServer, *, account: str = "admin-bot", project: int = P, email: str = EMAIL) -> WritesPlan:
    """The plan of a whole walk."""
    now = datetime(2026, 5, 4, 12, tzinfo=UTC)
    settings = Settings(ORG, server.url, account, Secret("s:ecret"), now=now)
    return make_plan(settings, email, project, PARTS)


class Here(Observer):
    """Makes transports to an emulator in this process."""

    server: EmulatorServer

    def transport(self, *args: Any, **options: Any) -> Transport:
        return super().transport(*args, **options, transport=self.inner())

    def inner(self) -> httpx.BaseTransport:
        return InProcess(self.server)


def means(
    server: EmulatorServer, folder: Path, progress: Callable[[str], None] = lambda _: None, observer: Here | None = None
) -> Means:
    """What a test works with: no waiting, and a journal in its own folder."""
    observer = observer or Here()
    observer.server = server
    return Means(progress, AT_ONCE, folder, observer)


def dump(server: EmulatorServer) -> dict[str, Any]:
    """The organization, without what no undoing takes back: time, e-mails, the log, when accounts were used."""
    whole = server.store.dump()
    accounts = [{**row, "last_used": None} for row in whole["service_accounts"]]
    return {**whole, "now": 0, "mails": [], "audit": [], "service_accounts": accounts}


class Killed(BaseException):
    """The process is gone: no except and no finally that asks Mixpanel can do anything."""


class Dying(httpx.BaseTransport):
    """Does something at the n-th write.

    Args:
        inner: answers.
        at: which write, from 1.
        what: `killed after` and `killed before` end the process; a status answers without applying; `lost` applies and
            gives no answer; `never sent` does neither.
    """

    def __init__(self, inner: httpx.BaseTransport, at: int, what: str) -> None:
        self._inner = inner
        self._at, self._what, self._writes, self._dead = at, what, 0, False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        writes = request.method != "GET" and "audit-logs" not in request.url.path
        self._writes += writes
        meant = writes and self._writes == self._at
        if self._dead or (meant and self._what == "killed before"):
            self._dead = True
            raise Killed
        if meant and self._what.isdigit():
            return httpx.Response(int(self._what), json={"status": "error", "error": f"no, {EMAIL}"})
        if meant and self._what == "never sent":
            raise httpx.ConnectError("no way")
        response = self._inner.handle_request(request)
        if meant and self._what in ("killed after", "lost"):
            response.read()
            if self._what == "lost":
                raise httpx.ReadTimeout("late")
            self._dead = True
            raise Killed
        return response


class Trouble(Here):
    """Makes transports that do something at the n-th write."""

    def __init__(self, at: int, what: str) -> None:
        super().__init__()
        self._at, self._what = at, what

    def inner(self) -> httpx.BaseTransport:
        return Dying(super().inner(), self._at, self._what)
