"""Lines for the user, as engine log lines: on the resource that the thread works on, and with a severity.

What a server prints has neither: it stands among the diagnostics of the stack. Other people's providers print so.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any, Final

import grpc  # type: ignore[import-untyped]
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

from mixpanel_access.provider.session import RESOURCE, WARNING
from mixpanel_access.server.secrets import hidden

_SECONDS: Final = 10.0
"""How long the engine, which is on this machine, may take to accept a line."""
_secrets: ContextVar[frozenset[str]] = ContextVar("secrets", default=frozenset())


@contextmanager
def about(urn: str, secrets: frozenset[str] = frozenset()) -> Iterator[None]:
    """Whatever this thread says meanwhile is about one resource, of which this is secret; with "", about the stack."""
    before, known = RESOURCE.set(urn), _secrets.set(secrets)
    try:
        yield
    finally:
        RESOURCE.reset(before)
        _secrets.reset(known)


class Messages:
    """Logs lines to the engine, without the secret inputs of its resources."""

    def __init__(self) -> None:
        self._engine: Any = None
        self._addresses: set[str] = set()

    def keep_secret(self, texts: frozenset[str]) -> frozenset[str]:
        """Show none of these addresses, whichever resource a line is about: a line on a batch names several people."""
        self._addresses |= {text for text in texts if "@" in text}
        return texts

    def without_secrets(self, line: str) -> str:
        """The line as it may be shown now."""
        return hidden(line, _secrets.get() | self._addresses)

    def connect(self, address: str) -> None:
        """Send the lines to the engine at this address."""
        self._engine = engine_pb2_grpc.EngineStub(grpc.insecure_channel(address))

    def say(self, line: str) -> None:
        """Log one line. One that begins with "warning: " is logged as a warning, without that word."""
        if line.startswith(WARNING):
            self._log(engine_pb2.WARNING, line.removeprefix(WARNING))
        else:
            self._log(engine_pb2.INFO, line)

    def _log(self, severity: Any, text: str) -> None:
        if self._engine is None:
            return
        request = engine_pb2.LogRequest(severity=severity, message=self.without_secrets(text), urn=RESOURCE.get())
        with suppress(grpc.RpcError):  # the engine has gone, and nobody is there to read the line
            self._engine.Log(request, timeout=_SECONDS)
