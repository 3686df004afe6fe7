"""The process of the server: it listens, prints its port for the engine, and ends with the engine."""

from __future__ import annotations

import os
import socket
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import grpc  # type: ignore[import-untyped]
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import provider_pb2_grpc

from mixpanel_access.directory import get_ready
from mixpanel_access.provider.command import Command, engine_command
from mixpanel_access.provider.run import engine_address
from mixpanel_access.provider.session import show_by
from mixpanel_access.server.ending import THREADS, Ending
from mixpanel_access.server.messages import Messages
from mixpanel_access.server.providers import Providers
from mixpanel_access.server.servicer import Servicer

GRACE_SECONDS: Final = 15.0
"""How long a cancelled run waits for the answers to its writes."""
_MOMENT: Final = 0.5
"""Seconds before the engine is looked for again."""


def served(servicer: Servicer) -> tuple[Any, int]:
    """A server that has started, and its port."""
    server = grpc.server(ThreadPoolExecutor(THREADS, "verb"), options=_GRPC_CHANNEL_OPTIONS)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port


def end_with(address: str) -> None:
    """End this process as soon as nobody listens at the engine's address: a killed engine ends none of its plugins."""
    host, _, port = address.rpartition(":")
    while True:
        try:
            connection = socket.create_connection((host.strip("[]"), int(port)))
        except OSError:
            os._exit(1)
        with connection, suppress(OSError):
            while connection.recv(1024):  # until the engine ends, or ends a connection without requests
                pass
        threading.Event().wait(_MOMENT)


def asks_mixpanel(command: Command | None) -> bool:
    """Whether a command of the engine asks Mixpanel; a preview without a change does not."""
    return command is None or command.verb != "preview"


def main() -> None:
    """Serve until the engine ends this process."""
    sys.path[0] = str(Path.cwd())  # as `python -m pulumi.dynamic` has it: a program's own modules are found there
    messages = Messages()
    show_by(messages.say)
    ending = Ending(GRACE_SECONDS)
    server, port = served(Servicer(Providers(os.environ.get("PULUMI_PROJECT", "project")), messages, ending))
    print(port, flush=True)  # noqa: T201  # the engine reads it, and shows what other people's providers print later
    if address := engine_address():
        threading.Thread(target=end_with, args=(address,), daemon=True).start()
    if asks_mixpanel(engine_command()):  # while the engine reads its state
        threading.Thread(target=get_ready, daemon=True).start()
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        ending.begin()
        ending.wait()
        server.stop(_MOMENT).wait()
        os._exit(1)  # a request that was given up may go on for a minute
