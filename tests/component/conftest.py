"""The SDK asks for the current event loop; since Python 3.12 there is none unless it is set."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def event_loop() -> Iterator[None]:
    """One for all tests, since the SDK keeps what it has made in it."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()
