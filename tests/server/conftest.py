"""The emulated organization that the tests of the servers work on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mixpanel_access.emulator.server import EmulatorServer
from tests.server.kinds import organization


@pytest.fixture
def emulator() -> Iterator[EmulatorServer]:
    """An organization of the test's own."""
    with EmulatorServer(organization()) as server:
        yield server
