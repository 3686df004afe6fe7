"""Runs the emulator: as a process for people, or in a thread for tests."""

from __future__ import annotations

import json
import signal
import socket
import sys
import threading
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Final, Self

import uvicorn
from pydantic import ValidationError

from mixpanel_access.emulator import dialect as dialects
from mixpanel_access.emulator.app import Emulator, must_be_verbs
from mixpanel_access.emulator.control import is_loopback
from mixpanel_access.emulator.database import Clock
from mixpanel_access.emulator.dialect import DEFAULT, Dialect
from mixpanel_access.emulator.document import Document
from mixpanel_access.emulator.faults import must_be_lists
from mixpanel_access.emulator.routing import parsed
from mixpanel_access.emulator.store import Store
from mixpanel_access.model.errors import UsageError

LOOPBACK: Final = "127.0.0.1"
_STOP_SECONDS: Final = 30.0
_UVICORN: Final[dict[str, Any]] = {
    "http": "h11",
    "lifespan": "off",
    "ws": "none",
    "proxy_headers": False,
    "server_header": False,
    "log_config": None,
    "log_level": "critical",
    "timeout_graceful_shutdown": 0,  # a request without an answer by then is delayed or half sent
    "timeout_keep_alive": 60,
}


class EmulatorServer:
    """An emulator in a thread of this process, on a free loopback port.

    Args:
        document: the organization to start with; left out, the organization in the file, or an empty one.
        data: the SQLite file, or None for memory.
        provider_compat: whether to accept what only the official Terraform provider sends.
        limit_invitations: whether to enforce the invitation limit.
        dialect: how to answer where the contract leaves it open.
        address: host and port to listen on; port 0 takes a free one.

    Attributes:
        url: where it listens.
    """

    def __init__(
        self,
        document: dict[str, Any] | None = None,
        *,
        data: Path | None = None,
        provider_compat: bool = False,
        limit_invitations: bool = True,
        dialect: Dialect = DEFAULT,
        address: tuple[str, int] = (LOOPBACK, 0),
    ) -> None:
        self._socket = _listen(*address)  # first, so that a port in use does not cost the organization in a file
        try:
            seed = None if document is None else Document.model_validate(document)
            self.store = Store(data, Clock())
            self.app = Emulator(
                self.store,
                provider_compat=provider_compat,
                limit_invitations=limit_invitations,
                loopback=is_loopback(address[0]),
                dialect=dialect,
            )
            if seed is not None:
                self.store.seed(seed)
        except BaseException:
            self._socket.close()
            raise
        bound = self._socket.getsockname()
        self.url = f"http://{f'[{bound[0]}]' if ':' in bound[0] else bound[0]}:{bound[1]}"
        self._server = uvicorn.Server(uvicorn.Config(self.app, **_UVICORN))
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), daemon=True)

    def start(self) -> Self:
        """Start to serve; returns when connections are accepted (the socket listens from the beginning)."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop serving and close the database."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(_STOP_SECONDS)
        self._socket.close()
        self.store.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()


@dataclass(frozen=True, kw_only=True)
class EmulatorOptions:
    """The options of `mixpanel-access emulator`.

    Attributes:
        host: the address to bind to.
        port: the port, or 0 for a free one.
        data: the SQLite file, or None for memory.
        seed: the file of an organization document to start with.
        demo: whether to start with the demo organization.
        provider_compat: whether to accept what only the official Terraform provider sends.
        limit_invitations: whether to enforce the invitation limit.
        dialect: a file that says how to answer where the contract leaves it open.
    """

    host: str = LOOPBACK
    port: int = 0
    data: Path | None = None
    seed: Path | None = None
    demo: bool = False
    provider_compat: bool = False
    limit_invitations: bool = True
    dialect: Path | None = None


def run(options: EmulatorOptions) -> int:
    """Run the emulator until it is interrupted or terminated; the exit code.

    Raises:
        UsageError: an option cannot be used.
    """
    if options.seed is not None and options.demo:
        raise UsageError("cannot start the emulator", why="--seed and --demo exclude each other", next_step="Give one.")
    document = _read_seed(options.seed) if options.seed is not None else demo_document() if options.demo else None
    dialect = DEFAULT if options.dialect is None else _read_dialect(options.dialect)
    ended = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        ended.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    with EmulatorServer(
        document,
        data=options.data,
        provider_compat=options.provider_compat,
        limit_invitations=options.limit_invitations,
        dialect=dialect,
        address=(options.host, options.port),
    ) as server:
        sys.stdout.write(f"listening on {server.url}\n")
        sys.stdout.flush()
        if not is_loopback(options.host):
            sys.stderr.write(
                f"warning: bound to {options.host}: everybody who reaches this address can read and change the "
                f"organization, and the control surface asks for no credentials\n"
            )
        ended.wait()
    return 0


def demo_document() -> dict[str, Any]:
    """The document of the demo organization."""
    document: dict[str, Any] = json.loads(files("mixpanel_access.emulator").joinpath("demo.json").read_text("utf-8"))
    return document


def _read_seed(seed: Path) -> dict[str, Any]:
    try:
        document: dict[str, Any] = parsed(seed.read_bytes())
        Document.model_validate(document)
    except OSError as error:
        raise _bad_seed(seed, error.strerror or str(error)) from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise _bad_seed(seed, f"{'.'.join(map(str, first['loc'])) or 'the document'}: {first['msg']}") from None
    except ValueError as error:
        raise _bad_seed(seed, f"it is not JSON ({error})") from None
    return document


def _read_dialect(file: Path) -> Dialect:
    try:
        read = dialects.read(parsed(file.read_bytes()))
        must_be_verbs(read.missing)
        must_be_lists(read.stale_reads)
    except OSError as error:
        raise _bad_dialect(file, error.strerror or str(error)) from None
    except ValueError as error:
        raise _bad_dialect(file, str(error)) from None
    return read


def _bad_dialect(file: Path, why: str) -> UsageError:
    return UsageError(
        "cannot use the dialect",
        subject=str(file),
        why=why,
        next_step="docs/dialects.md lists the fields; `GET /_emulator/dialect` of a running emulator shows the form.",
    )


def _bad_seed(seed: Path, why: str) -> UsageError:
    return UsageError(
        "cannot use the seed",
        subject=str(seed),
        why=why,
        next_step="`GET /_emulator/dump` of a running emulator shows the form.",
    )


def _listen(host: str, port: int) -> socket.socket:
    listener = None
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # TCP, so that asyncio turns Nagle off
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2048)
    except (OSError, OverflowError, UnicodeError) as error:  # the latter two: an impossible port or name
        if listener is not None:
            listener.close()
        raise UsageError(
            "cannot listen",
            subject=f"{host}:{port}",
            why=(error.strerror if isinstance(error, OSError) else None) or str(error),
            next_step="Choose another --port (0 takes a free one) or --host.",
        ) from None
    return listener
