"""What a provider's process knows of the engine's run, against an engine of two calls."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc  # type: ignore[import-untyped]
import pytest
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

from mixpanel_access.provider.run import MARK, EngineRun, engine_address
from tests.fakes import FakeApi, make_session

URN = "urn:pulumi:production::access::pulumi:pulumi:Stack::access-production"


class OneUrn(engine_pb2_grpc.EngineServicer):
    """The part of an engine that keeps the root resource."""

    urn = ""

    def GetRootResource(self, request: Any, context: Any) -> engine_pb2.GetRootResourceResponse:  # noqa: N802  # its name
        return engine_pb2.GetRootResourceResponse(urn=self.urn)


@pytest.fixture
def engine() -> Iterator[tuple[OneUrn, str]]:
    """An engine, and its address."""
    kept, server = OneUrn(), grpc.server(ThreadPoolExecutor(1))
    engine_pb2_grpc.add_EngineServicer_to_server(kept, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield kept, f"127.0.0.1:{port}"
    server.stop(None).wait()


def test_a_run_becomes_fresh_when_the_program_has_announced_itself(engine: tuple[OneUrn, str]) -> None:
    """Asked before, as in the refresh phase of `up --refresh`, it is not; asked again, it is, and names the stack."""
    kept, address = engine
    run = EngineRun(address)
    assert (run.fresh(), run.stack()) == (False, None)
    kept.urn = URN  # as the SDK of TypeScript sets it in every program
    assert (run.fresh(), run.stack()) == (False, None)
    kept.urn = f"{URN}{MARK}"
    assert (run.fresh(), run.stack()) == (True, "production")


@pytest.mark.parametrize("address", [None, "127.0.0.1:9"])
def test_a_run_that_cannot_be_asked_is_not_fresh(address: str | None) -> None:
    """Unknown is not permission."""
    assert (EngineRun(address).fresh(), EngineRun(address).stack()) == (False, None)


@pytest.mark.parametrize(
    ("arguments", "address"),
    [
        (["127.0.0.1:4711"], "127.0.0.1:4711"),
        (["--logtostderr", "-v=9", "--tracing", "file:/tmp/x", "[::1]:4711"], "[::1]:4711"),
        (["tests/provider", "-q"], None),
        (["localhost"], None),
        ([], None),
    ],
)
def test_the_engines_address_is_the_last_plain_argument(arguments: list[str], address: str | None) -> None:
    """As the engine starts a plugin; another process has none."""
    assert engine_address(arguments) == address


def test_a_command_has_read_the_configuration_itself() -> None:
    """Without an engine, a session works with the configuration that it was given."""
    assert make_session(FakeApi())[0].run.fresh()
