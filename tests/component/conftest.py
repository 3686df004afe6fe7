"""The SDK asks for the current event loop; since Python 3.12 there is none unless it is set."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest


@pytest.fixture(scope="session", autouse=True)
def event_loop() -> Iterator[None]:
    """One loop for all tests, since the SDK keeps what it has made in it, and one for each thread that the SDK starts.

    The SDK's mocks make a loop in each thread of the default executor and close none of them; Python warns of each.
    """
    loops: list[asyncio.AbstractEventLoop] = []

    def give_a_loop() -> None:
        loops.append(asyncio.new_event_loop())
        asyncio.set_event_loop(loops[-1])

    give_a_loop()
    loop = loops[0]
    loop.set_default_executor(ThreadPoolExecutor(initializer=give_a_loop))
    yield
    loop.run_until_complete(loop.shutdown_default_executor())
    asyncio.set_event_loop(None)
    for made in loops:
        made.close()
