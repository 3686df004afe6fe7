"""A server that answers a handshake is asked at previews too: nothing of them may reach Mixpanel."""

from __future__ import annotations

import pytest

from demo.sandbox import Emulator
from mixpanel_access.emulator.server import EmulatorServer
from mixpanel_access.model.resources import BY_NAME
from tests.server.kinds import LIVES
from tests.server.operation import on_ours


def writes(emulator: EmulatorServer) -> list[str]:
    """The requests that may change something."""
    counts = Emulator(emulator.url).control("GET", "requests")["by_endpoint"]
    return [endpoint for endpoint in counts if not endpoint.startswith("GET ")]


def test_each_kind_has_a_life() -> None:
    """A new kind of resource comes into these tests."""
    assert LIVES.keys() == BY_NAME.keys()


@pytest.mark.parametrize("kind", LIVES)
def test_a_preview_writes_nothing(emulator: EmulatorServer, kind: str) -> None:
    """Neither of a new resource, nor of a change, a read or an import; and its outputs are the inputs."""
    life = LIVES[kind]
    with on_ours(emulator) as new:
        inputs = new.check(kind, life.inputs)
        shown = new.create(kind, inputs, preview=True)
        assert (shown.id, shown.outputs) == ("", inputs)
    assert writes(emulator) == []
    with on_ours(emulator) as up:
        held = up.create(kind, up.check(kind, life.inputs))
    Emulator(emulator.url).control("DELETE", "requests")
    with on_ours(emulator) as change:
        inputs = change.check(kind, life.changed, held.inputs)
        assert change.diff(kind, held, inputs).changes
        assert change.update(kind, held, inputs, preview=True).outputs == inputs
        assert change.read(kind, held) is not None
    with on_ours(emulator) as imports:
        imports.import_(kind, life.id)
    assert writes(emulator) == []
