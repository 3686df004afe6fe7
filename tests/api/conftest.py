"""A transport over a handler instead of a network, which never waits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import httpx
import pytest
import stamina

from mixpanel_access.api.transport import READ_ATTEMPTS, Transport
from mixpanel_access.model.setting_values import Secret

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
HOST = "https://mixpanel.com"
SECRET = "hush-hush-secret"


def transport(handler: Callable[[httpx.Request], httpx.Response]) -> Transport:
    """A transport whose every request goes to the handler."""
    return Transport(HOST, "bot", Secret(SECRET), transport=httpx.MockTransport(handler), now=lambda: NOW)


def ok(results: object) -> httpx.Response:
    """The success envelope."""
    return httpx.Response(200, json={"status": "ok", "results": results})


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=READ_ATTEMPTS, cap=True):
        yield
