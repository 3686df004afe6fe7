"""The SDK's generated stubs and servicers over a socket pair, in place of gRPC, which takes 0.1 s of a core to start.

The SDK makes a channel with `grpc.insecure_channel` and a server with `grpc.server`. In a process of the engine,
`instead_of_grpc` replaces these two: both then speak through that process's `Link`, whatever address they are given.
"""

from __future__ import annotations

import itertools
import pickle
import socket
import struct
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any, NoReturn, Self

import grpc  # type: ignore[import-untyped]

_HEADER = struct.Struct(">I")
_CALL, _ANSWER, _ERROR = "call", "answer", "error"
UNKNOWN_ERROR = "Exception calling application: "
"""What gRPC puts in front of what a servicer raises."""
Handler = Callable[[bytes], bytes]


class LinkError(grpc.RpcError):  # type: ignore[misc]
    """A call that has failed, as the SDK expects gRPC to raise it."""

    def __init__(self, code: grpc.StatusCode, details: str) -> None:
        super().__init__(details)
        self._code = code
        self._details = details

    def code(self) -> grpc.StatusCode:
        """Why, in gRPC's words."""
        return self._code

    def details(self) -> str:
        """The text."""
        return self._details


class Link:
    """Calls in both directions over one socket.

    Args:
        socket_: connected to the other process's link.

    Attributes:
        on_end: called when the other process has closed its end.
    """

    def __init__(self, socket_: socket.socket) -> None:
        self._socket = socket_
        self._handlers: dict[str, Handler] = {}
        self._pools: dict[str, Executor] = {}
        self._waiting: dict[int, Future[bytes]] = {}
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(64)
        self.on_end: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Answer calls and take answers, in a thread of its own."""
        threading.Thread(target=self.run, daemon=True).start()

    def serve(self, handlers: Mapping[str, Any], pool: Executor | None = None) -> None:
        """Answer calls.

        Args:
            handlers: "/service/method" -> gRPC's handler of it.
            pool: what runs the handlers; a pool of the link's own if none is given.
        """
        for path, handler in handlers.items():
            self._handlers[path] = _handler(handler)
            self._pools[path] = pool or self._pool

    def answer(self, path: str, handler: Handler) -> None:
        """Answer the calls of one path."""
        self._handlers[path] = handler

    def call(self, path: str, request: bytes) -> bytes:
        """Call the other process and wait for its answer.

        Raises:
            LinkError: it raises, or has ended.
        """
        future: Future[bytes] = Future()
        number = next(self._numbers)
        self._waiting[number] = future
        try:
            self._send((_CALL, number, path, request))
        except OSError:
            raise LinkError(grpc.StatusCode.UNAVAILABLE, "the other process has ended") from None
        return future.result()

    def run(self) -> None:
        """Read until the other process has closed its end."""
        while message := self._receive():
            kind, number, first, second = message
            if kind == _CALL:
                pool = self._pools.get(first, self._pool)
                pool.submit(self._answer, number, first, second)
            elif kind == _ANSWER:
                self._waiting.pop(number).set_result(second)
            else:
                self._waiting.pop(number).set_exception(LinkError(grpc.StatusCode[first], second))
        for future in list(self._waiting.values()):
            future.set_exception(LinkError(grpc.StatusCode.UNAVAILABLE, "the other process has ended"))
        self.on_end()

    def close(self) -> None:
        """Have the other process see the end."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            return

    def _answer(self, number: int, path: str, request: bytes) -> None:
        message: Sequence[Any]
        try:
            if path not in self._handlers:
                raise LinkError(grpc.StatusCode.UNIMPLEMENTED, f"{path} is not implemented")
            message = (_ANSWER, number, "", self._handlers[path](request))
        except LinkError as error:
            message = (_ERROR, number, error.code().name, error.details())
        except Exception as error:  # noqa: BLE001  # as gRPC does
            message = (_ERROR, number, grpc.StatusCode.UNKNOWN.name, f"{UNKNOWN_ERROR}{error}")
        try:
            self._send(message)
        except OSError:
            return  # nobody waits for it any more

    def _send(self, message: Sequence[Any]) -> None:
        data = pickle.dumps(message)
        with self._lock:
            self._socket.sendall(_HEADER.pack(len(data)) + data)

    def _receive(self) -> Any:
        header = self._read(_HEADER.size)
        return pickle.loads(self._read(_HEADER.unpack(header)[0])) if header else None  # our own process's

    def _read(self, size: int) -> bytes:
        parts = bytearray()
        while len(parts) < size:
            try:
                part = self._socket.recv(size - len(parts))
            except OSError:
                part = b""
            if not part:
                return b""
            parts += part
        return bytes(parts)


def _handler(handler: Any) -> Handler:
    def handle(request: bytes) -> bytes:
        parse, write = handler.request_deserializer, handler.response_serializer
        answer: bytes = write(handler.unary_unary(parse(request), _Context()))
        return answer

    return handle


class _Context:
    """What a servicer is given of a call."""

    def set_code(self, code: object) -> None:
        """Take no notice: what is not implemented raises as well."""

    def set_details(self, details: object) -> None:
        """Take no notice."""

    def abort(self, code: grpc.StatusCode, details: str) -> NoReturn:
        """End the call, as newer SDKs do with what a provider raises."""
        raise LinkError(code, details)


class Channel:
    """A link, as gRPC's channel.

    Args:
        link: the link.
    """

    def __init__(self, link: Link) -> None:
        self._link = link

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Keep the link, which belongs to the process."""

    def unary_unary(
        self, path: str, request_serializer: Any = None, response_deserializer: Any = None, **_: object
    ) -> Callable[..., Any]:
        """A method of a stub."""

        def call(request: Any, timeout: float | None = None, **_: object) -> Any:
            return response_deserializer(self._link.call(path, request_serializer(request)))

        return call

    def __getattr__(self, name: str) -> Callable[..., Callable[..., Any]]:
        """The methods that stream, which nobody calls."""
        if not name.endswith("_stream") and not name.startswith("stream_"):
            raise AttributeError(name)

        def refuse(*_: object, **__: object) -> Any:
            raise LinkError(grpc.StatusCode.UNIMPLEMENTED, "nothing streams here")

        return lambda *_, **__: refuse


class Server:
    """A link, as gRPC's server.

    Args:
        link: the link.
        pool: what runs the handlers.
    """

    def __init__(self, link: Link, pool: Executor) -> None:
        self._link = link
        self._pool = pool

    def add_generic_rpc_handlers(self, handlers: Sequence[Any]) -> None:
        """Serve the methods of these services."""
        for handler in handlers:
            self._link.serve(handler._method_handlers, self._pool)  # gRPC shows them one by one only

    def add_insecure_port(self, address: str) -> int:
        """Any number: nobody connects to it."""
        return 1

    def start(self) -> None:
        """Begin to answer."""
        self._link.start()

    def stop(self, grace: float | None) -> None:
        """Leave the link, which belongs to the process."""


def instead_of_grpc(link: Link) -> None:
    """Have the SDK's channels and servers of this process use a link."""
    grpc.insecure_channel = lambda *_, **__: Channel(link)
    grpc.server = lambda pool, **_: Server(link, pool)
