"""An emulator that is in trouble as soon as it has applied a write: what a client reads back then fails."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from typing import Any, Self

import uvicorn

from mixpanel_access.emulator.server import EmulatorServer

Answer = tuple[int, str, str]
"""A status, the type of a body, and the body."""
EMPTY: Answer = (200, "application/json", json.dumps({"status": "ok", "results": []}))
FAULT: Answer = (501, "application/json", json.dumps({"status": "error", "error": "internal error"}))
"""As 500, but for the pauses after which a 500 is asked for again."""
PAGE: Answer = (200, "text/html", "<html>")
_UVICORN: dict[str, Any] = {
    "interface": "asgi3", "http": "h11", "lifespan": "off", "log_config": None, "log_level": "critical",
    "timeout_graceful_shutdown": 0,
}  # fmt: skip


class Front:
    """Stands in front of an emulator, at an address of its own.

    Attributes:
        url: that address.
        trouble: the answer to each read after the next write; None for the emulator's.
        after_write: is called once the emulator has applied a write, before its answer goes out.
        loses: whether the answer to a write is lost.
        writes: the writes so far.
    """

    def __init__(self, emulator: EmulatorServer) -> None:
        self._emulator = emulator.app
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._server = uvicorn.Server(uvicorn.Config(self._answer, **_UVICORN))
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), daemon=True)
        self.after_write: Callable[[], object] = int
        self.loses = False
        self.writes: list[str] = []
        self.arm(None)

    def arm(self, trouble: Answer | None) -> None:
        """Be in this trouble after the next write."""
        self.trouble, self._written = trouble, False

    async def _answer(self, scope: Any, receive: Any, send: Any) -> None:
        reads, own = scope["method"] == "GET", scope["path"].startswith("/_emulator")
        if reads and self._written and self.trouble is not None and not own:
            status, media, body = self.trouble
            await send(
                {"type": "http.response.start", "status": status, "headers": [(b"content-type", media.encode())]}
            )
            await send({"type": "http.response.body", "body": body.encode()})
            return

        async def applied(message: Any) -> None:
            if message["type"] == "http.response.start" and not (reads or own):
                self.writes.append(scope["path"])
                self._written = True
                self.after_write()
                message = {**message, "status": 502} if self.loses else message
            await send(message)

        await self._emulator(scope, receive, applied)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(30)
