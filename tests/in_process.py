"""The emulator without a socket: a transport of httpx that calls the application in the caller's thread.

A request takes half of what it takes over a socket, and a delay that is longer than the client waits takes no time.
`tests/emulator/test_in_process.py` shows that the client sees the same either way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any, cast

import httpx
from httpx import _client as httpx_client

from mixpanel_access.emulator.server import EmulatorServer


@contextmanager
def without_sockets(server: EmulatorServer) -> Iterator[InProcess]:
    """Have every client of this process call the emulator in its own thread, one that is made by our own code too."""
    transport, module, real = InProcess(server), vars(httpx_client), httpx.HTTPTransport

    class Dispatcher(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if f"{request.url.scheme}://{request.url.host}:{request.url.port}" == server.url:
                return transport.handle_request(request)
            return super().handle_request(request)

    module["HTTPTransport"] = Dispatcher
    try:
        yield transport
    finally:
        module["HTTPTransport"] = real


@contextmanager
def emulating(document: dict[str, Any] | None = None, **options: Any) -> Iterator[EmulatorServer]:
    """An emulator that serves nobody over its socket, so that its end is not waited for."""
    server = EmulatorServer(document, **options)
    try:
        yield server
    finally:
        server.stop()


class InProcess(httpx.BaseTransport):
    """Answers as the server does whose application it calls; one request at a time, like that one.

    Args:
        server: an emulator that nobody calls over its socket at the same time. It need not be started.
    """

    def __init__(self, server: EmulatorServer) -> None:
        self._server = server
        self._lock = Lock()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request.

        Raises:
            httpx.RemoteProtocolError: a fault breaks the connection.
            httpx.ReadTimeout: a fault delays the answer for longer than the client waits; nothing is applied.
        """
        exchange = _Exchange(request.read())
        running = self._server.app(_scope(request), exchange.receive, exchange.send)
        loop = _VirtualTime(request.extensions["timeout"]["read"])
        with self._lock:
            outer = asyncio._get_running_loop()
            asyncio._set_running_loop(cast("asyncio.AbstractEventLoop", loop))
            try:
                while True:
                    running.send(None)
            except StopIteration:
                pass
            finally:
                asyncio._set_running_loop(outer)
                running.close()
        if exchange.broken:
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.", request=request)
        content = b"" if request.method == "HEAD" else exchange.content
        return httpx.Response(exchange.status, headers=exchange.headers, content=content)


def _scope(request: httpx.Request) -> dict[str, Any]:
    """The request as ASGI describes it."""
    path, _, query = request.url.raw_path.partition(b"?")
    return {
        "type": "http",
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": request.url.path,
        "raw_path": path,
        "query_string": query,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "client": ("127.0.0.1", 50000),
        "server": (request.url.host, request.url.port),
    }


class _Exchange:
    """One request and its answer, as a server's protocol has them."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self.status, self.content, self.broken = 0, b"", False
        self.headers: list[tuple[bytes, bytes]] = []
        self.transport = self
        """The emulator breaks the connection by this."""

    async def receive(self) -> dict[str, Any]:
        return {"type": "http.request", "body": self._body, "more_body": False}

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], message["headers"]
        else:
            self.content += message.get("body", b"")

    def abort(self) -> None:
        self.broken = True


class _VirtualTime:
    """What `asyncio.sleep` needs of an event loop; it takes no time, or the client gives up.

    Args:
        patience: the seconds that the client waits.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=cast("asyncio.AbstractEventLoop", self))

    def get_debug(self) -> bool:
        return False

    def call_later(self, delay: float, callback: Callable[..., object], *args: Any) -> asyncio.Handle:
        if delay >= self._patience:
            raise httpx.ReadTimeout("timed out")
        callback(*args)
        return asyncio.Handle(callback, args, cast("asyncio.AbstractEventLoop", self))
