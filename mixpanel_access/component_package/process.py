"""The process of the package: it listens, prints its port for the engine, and ends with the engine."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress

import grpc.aio  # type: ignore[import-untyped]
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import provider_pb2_grpc

from mixpanel_access.component_package.servicer import ComponentServicer
from mixpanel_access.provider.run import engine_address
from mixpanel_access.server.process import end_with


async def _serve(address: str | None) -> None:
    server = grpc.aio.server(options=_GRPC_CHANNEL_OPTIONS)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(ComponentServicer(address or ""), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(port, flush=True)  # noqa: T201  # the engine reads it
    if address:
        threading.Thread(target=end_with, args=(address,), daemon=True).start()
    await server.wait_for_termination()


def main() -> None:
    """Serve until the engine ends this process."""
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(engine_address()))
