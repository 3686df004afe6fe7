"""A program reads what it does not manage by its id, on both servers."""

from __future__ import annotations

import grpc  # type: ignore[import-untyped]
import pytest

from mixpanel_access.emulator.server import EmulatorServer
from tests.server.kinds import LIVES
from tests.server.operation import SERVERS, Held, Operation, on_ours, with_provider
from tests.server.test_import import BAD


def read(run: Operation, kind: str, id_: str) -> Held:
    """What a program reads: it sends the provider alone."""
    found = run.read(kind, Held(id_, {}, with_provider(kind, {})))
    assert found is not None
    return found


@pytest.mark.parametrize(("kind", "server"), [*((kind, "ours") for kind in LIVES), ("ProjectAccess", "the SDK's")])
def test_it_has_all_outputs(emulator: EmulatorServer, kind: str, server: str) -> None:
    """Those that an import by the id has."""
    with on_ours(emulator) as run:
        imported = run.import_(kind, LIVES[kind].id)
    with SERVERS[server](emulator) as run:
        assert read(run, kind, LIVES[kind].id) == imported


@pytest.mark.parametrize("case", BAD)
def test_a_wrong_id_is_one_line(emulator: EmulatorServer, case: str) -> None:
    """What is wrong with it, and the form that it must have."""
    kind, id_, words = BAD[case]
    with on_ours(emulator) as run, pytest.raises(grpc.RpcError) as failed:
        read(run, kind, id_)
    said = failed.value.details()
    assert words in said
    assert said.startswith("cannot read ")
    assert "\n" not in said
