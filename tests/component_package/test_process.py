"""The process of the package, as the engine starts it: it listens, answers, and ends with its engine."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing

import grpc  # type: ignore[import-untyped]
import pytest
from google.protobuf import empty_pb2  # type: ignore[import-untyped]
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from demo.sandbox import ROOT
from mixpanel_access import __version__
from mixpanel_access.component_package.schema import schema

pytestmark = pytest.mark.slow


@pytest.fixture
def engine() -> Iterator[socket.socket]:
    """What an engine is to the process: somebody who listens."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        yield listener


def test_it_gives_the_schema_and_ends_with_its_engine(engine: socket.socket) -> None:
    """`pulumi package get-schema` and editors get it without a program; a killed engine leaves no process."""
    address = f"127.0.0.1:{engine.getsockname()[1]}"
    command = [sys.executable, "-u", str(ROOT / "plugins" / "mixpanel-access"), address]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        connected, _ = engine.accept()
        with grpc.insecure_channel(f"127.0.0.1:{process.stdout.readline().strip()}") as channel:
            provider = provider_pb2_grpc.ResourceProviderStub(channel)
            assert json.loads(provider.GetSchema(provider_pb2.GetSchemaRequest()).schema) == schema()
            info = provider.GetPluginInfo(empty_pb2.Empty())
            assert info.version == __version__
        engine.close()
        connected.close()
        _, said = process.communicate(timeout=30)
    assert (process.returncode, said) == (1, "")
