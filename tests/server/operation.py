"""One run of the engine against a server of dynamic resources: it asks as the engine asks, and takes what is logged."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import grpc  # type: ignore[import-untyped]
from google.protobuf import empty_pb2  # type: ignore[import-untyped]
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, provider_pb2, provider_pb2_grpc

from demo.sandbox import SECRET, USERNAME
from mixpanel_access.model.resources import BY_NAME, PROVIDER_KEY
from mixpanel_access.provider.session import show_by
from mixpanel_access.server.ending import Ending
from mixpanel_access.server.messages import Messages
from mixpanel_access.server.process import served
from mixpanel_access.server.providers import Providers
from mixpanel_access.server.secrets import revealed
from mixpanel_access.server.servicer import Servicer
from tests.python_engine import values

ORGANIZATION = 7654321
NOW = "2026-05-04T12:00:00Z"
_runs = itertools.count(1)


class Line(NamedTuple):
    """A line that a server logged."""

    severity: str
    urn: str
    text: str


class EngineLog(engine_pb2_grpc.EngineServicer):
    """The engine's side: takes the lines."""

    def __init__(self) -> None:
        self.lines: list[Line] = []

    def Log(self, request: Any, context: object) -> Any:  # noqa: N802  # the protocol's name
        self.lines.append(Line(engine_pb2.LogSeverity.Name(request.severity), request.urn, request.message))
        return empty_pb2.Empty()


@dataclass
class Held:
    """A resource in the state, with its pickled provider."""

    id: str
    inputs: dict[str, Any]
    outputs: dict[str, Any]


class Operation:
    """The calls of one run.

    Args:
        port: where the server listens.
        config: the stack's configuration.
        log: takes the lines.
        engine: the engine's address; none for a server without a handshake.
    """

    def __init__(self, port: int, config: Mapping[str, str], log: EngineLog, engine: str = "") -> None:
        self.channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        self.stub = provider_pb2_grpc.ResourceProviderStub(self.channel)
        self.log = log
        if engine:
            self.stub.Handshake(provider_pb2.ProviderHandshakeRequest(engine_address=engine))
        self.configure(config)

    def configure(self, config: Mapping[str, str]) -> None:
        """Give a configuration to the kinds of resources that are first asked for from now on."""
        self.stub.Configure(provider_pb2.ConfigureRequest(args=values.message(config), acceptSecrets=True))

    def check(self, kind: str, news: Mapping[str, Any], olds: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The inputs as the check leaves them.

        Raises:
            AssertionError: it fails.
        """
        answer = self.checked(kind, news, olds)
        assert not answer.failures, answer.failures
        return plain(answer.inputs)

    def checked(self, kind: str, news: Mapping[str, Any], olds: Mapping[str, Any] | None = None) -> Any:
        request = provider_pb2.CheckRequest(
            **named(kind), olds=values.message(olds or {}), news=values.message(with_provider(kind, news))
        )
        return self.stub.Check(request)

    def diff(self, kind: str, held: Held, news: Mapping[str, Any]) -> Any:
        request = provider_pb2.DiffRequest(
            **named(kind), id=held.id, olds=values.message(held.outputs), old_inputs=values.message(held.inputs),
            news=values.message(news),
        )  # fmt: skip
        return self.stub.Diff(request)

    def create(self, kind: str, inputs: Mapping[str, Any], *, preview: bool = False) -> Held:
        request = provider_pb2.CreateRequest(**named(kind), properties=values.message(inputs), preview=preview)
        answer = self.stub.Create(request)
        return Held(answer.id, dict(inputs), plain(answer.properties))

    def update(self, kind: str, held: Held, news: Mapping[str, Any], *, preview: bool = False) -> Held:
        request = provider_pb2.UpdateRequest(
            **named(kind), id=held.id, olds=values.message(held.outputs), old_inputs=values.message(held.inputs),
            news=values.message(news), preview=preview,
        )  # fmt: skip
        return Held(held.id, dict(news), plain(self.stub.Update(request).properties))

    def read(self, kind: str, held: Held) -> Held | None:
        """What is there now; None if it is gone."""
        request = provider_pb2.ReadRequest(
            **named(kind), id=held.id, properties=values.message(held.outputs), inputs=values.message(held.inputs)
        )
        answer = self.stub.Read(request)
        if not answer.id:
            return None
        inputs = plain(answer.inputs) if answer.HasField("inputs") else held.inputs
        return Held(answer.id, inputs, plain(answer.properties))

    def import_(self, kind: str, id_: str) -> Held:
        found = self.read(kind, Held(id_, {}, {}))
        assert found is not None
        return found

    def delete(self, kind: str, held: Held) -> None:
        request = provider_pb2.DeleteRequest(**named(kind), id=held.id, properties=values.message(held.outputs))
        self.stub.Delete(request)


def plain(properties: Any) -> dict[str, Any]:
    """Properties in the values of Python; a secret without its mark."""
    return values.plain(revealed(properties))


def named(kind: str) -> dict[str, Any]:
    """What each request says of its resource."""
    type_ = BY_NAME[kind].type if kind in BY_NAME else kind
    return {"urn": urn_of(kind), "name": kind.lower(), "type": type_}


def urn_of(kind: str) -> str:
    """The name of the resource of a kind in the engine."""
    type_ = BY_NAME[kind].type if kind in BY_NAME else kind
    return f"urn:pulumi:production::mixpanel-access::{type_}::{kind.lower()}"


def with_provider(kind: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs as a program sends them."""
    pickled = {} if PROVIDER_KEY in inputs else {PROVIDER_KEY: _PICKLED.pickled_of(BY_NAME[kind].type)}
    return {**inputs, **pickled}


_PICKLED = Providers("tests")


class Mixpanel(Protocol):
    """Whatever answers as Mixpanel does."""

    url: str


def config_of(emulator: Mixpanel, **more: str) -> dict[str, str]:
    """A stack's configuration, and no other run's: each run is a session of its own."""
    settings = {
        "organizationId": str(ORGANIZATION), "apiUrl": emulator.url, "serviceAccountUsername": USERNAME,
        "serviceAccountSecret": SECRET, "now": NOW, "environment": "production",
        "invitationWaitSeconds": str(next(_runs)), **more,
    }  # fmt: skip
    return {f"mixpanel:{key}": value for key, value in settings.items()}


@contextmanager
def engine_log() -> Iterator[tuple[EngineLog, str]]:
    """An engine that takes lines, and its address."""
    log, engine = EngineLog(), grpc.server(ThreadPoolExecutor(4))
    engine_pb2_grpc.add_EngineServicer_to_server(log, engine)
    port = engine.add_insecure_port("127.0.0.1:0")
    engine.start()
    try:
        yield log, f"127.0.0.1:{port}"
    finally:
        engine.stop(0).wait()


@contextmanager
def on_ours(emulator: Mixpanel, *, grace_seconds: float = 15.0, **more: str) -> Iterator[Operation]:
    """A run on our own server, in this process."""
    with engine_log() as (log, address):
        messages = Messages()
        server, port = served(Servicer(Providers("tests"), messages, Ending(grace_seconds)))
        show_by(messages.say)
        operation = Operation(port, config_of(emulator, **more), log, address)
        try:
            yield operation
        finally:
            show_by(print)
            operation.channel.close()
            server.stop(0).wait()


@contextmanager
def on_sdks(emulator: Mixpanel, **more: str) -> Iterator[Operation]:
    """A run on the SDK's server, which is a process of its own."""
    command = [sys.executable, "-u", "-m", "pulumi.dynamic"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        operation = Operation(int(process.stdout.readline()), config_of(emulator, **more), EngineLog())
        try:
            yield operation
        finally:
            operation.channel.close()
            process.kill()


SERVERS: dict[str, Callable[..., AbstractContextManager[Operation]]] = {
    "ours": on_ours,
    "the SDK's": on_sdks,
}
