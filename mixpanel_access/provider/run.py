"""Whether a program of ours runs in this run of the engine, and of which stack.

`destroy`, `refresh` and the refresh phase of `up --refresh` run no program, and the engine configures the provider with
what the state remembers of the last `up`. Nothing that the provider is sent says so. So the program announces itself:
its first resource sets the engine's root resource (`SetRootResource`, which the Python SDK leaves unset), and the
provider's process asks for it. The engine forgets it when it ends.
"""

from __future__ import annotations

import re
import sys
import threading
from typing import Final, Protocol

_STACK_TYPE: Final = "pulumi:pulumi:Stack"
_ADDRESS: Final = re.compile(r"[\w.\-\[\]:]+:\d+")
_SECONDS: Final = 10.0
"""How long the engine, which is on this machine, may take to answer."""


class Run(Protocol):
    """What is known of the engine's run."""

    def fresh(self) -> bool:
        """Whether the configuration is today's, because a program with a resource of ours has run."""

    def stack(self) -> str | None:
        """The stack's name, as the program has it; None if no program has run."""

    def project(self) -> str | None:
        """The Pulumi project's name; None if no program has run."""


class PresentRun:
    """A run whose configuration has just been read: a command's."""

    def fresh(self) -> bool:
        """It has."""
        return True

    def stack(self) -> str | None:
        """No program has named it."""
        return None

    def project(self) -> str | None:
        """No program has named it."""
        return None


class EngineRun:
    """The run of the engine that has started this process; asked when something depends on it, not before.

    Args:
        address: the engine's address; None if this process was started by no engine, which is never fresh.
    """

    def __init__(self, address: str | None) -> None:
        self._address = address
        self._urn = ""
        self._lock = threading.Lock()

    def fresh(self) -> bool:
        """Whether the program has announced itself. If the engine cannot be asked, it has not."""
        return bool(self._root())

    def stack(self) -> str | None:
        """The stack's name."""
        return self._part(2)

    def project(self) -> str | None:
        """The project's name."""
        return self._part(4)

    def _part(self, number: int) -> str | None:
        parts = self._root().split(":")
        return parts[number] if len(parts) > number else None

    def _root(self) -> str:
        with self._lock:
            if not self._urn and self._address:
                self._urn = _asked(self._address)
            return self._urn


def _asked(address: str) -> str:
    """The root resource of the engine at this address; empty if there is none, or nobody who answers."""
    import grpc  # type: ignore[import-untyped]  # commands have no engine to ask, and need no SDK
    from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

    try:
        with grpc.insecure_channel(address) as channel:
            stub = engine_pb2_grpc.EngineStub(channel)
            return str(stub.GetRootResource(engine_pb2.GetRootResourceRequest(), timeout=_SECONDS).urn)
    except grpc.RpcError:
        return ""  # unknown is not permission


def engine_address(arguments: list[str] | None = None) -> str | None:
    """The engine's address, which the engine gives to a plugin as its last argument; None in any other process."""
    given = sys.argv[1:] if arguments is None else arguments
    plain = [argument for argument in given if not argument.startswith("-")]
    return plain[-1] if plain and _ADDRESS.fullmatch(plain[-1]) else None


class _Announcements:
    """The program's side: once for each engine that this process has worked for, as Automation API has several."""

    def __init__(self) -> None:
        self._last: object = None

    def make(self) -> None:
        import grpc
        import pulumi
        from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc
        from pulumi.runtime.settings import get_engine

        engine = get_engine()
        if engine is self._last or not isinstance(engine, engine_pb2_grpc.EngineStub):
            return  # no engine, or the SDK's mocks of one
        stack, project = pulumi.get_stack(), pulumi.get_project()
        urn = f"urn:pulumi:{stack}::{project}::{_STACK_TYPE}::{project}-{stack}"
        try:
            engine.SetRootResource(engine_pb2.SetRootResourceRequest(urn=urn), timeout=_SECONDS)
        except grpc.RpcError:
            return  # then the provider takes the configuration for an old one
        self._last = engine


announce: Final = _Announcements().make
"""Say to the engine that a program with a resource of ours runs; called by each resource."""
