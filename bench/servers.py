"""What our own server of the resources costs, next to the SDK's: the same commands on the same roster, in turn."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from bench.lifecycle import DESTROY, PREVIEW, REFRESH, UP
from bench.workspaces import STACK, Cost, organization, roster, workspace
from demo.sandbox import ROOT
from mixpanel_access.engine import Engine

GRANTS: Final = 200
"""Grants that are made, read and taken away on each server."""
COMMANDS: Final = {"up": UP, "preview (unchanged)": PREVIEW, "refresh": REFRESH, "destroy": DESTROY}
STARTS: Final = {
    "ours": [str(ROOT / "plugins" / "pulumi-python")],
    "the SDK's": ["-m", "pulumi.dynamic"],
}
"""The server -> the arguments of Python that start it."""
_STARTS: Final = 5


@dataclass(frozen=True)
class ServerCost:
    """One command on one server.

    Attributes:
        server: whose it is.
        command: what was run.
        grants: how many grants.
        cost: what it cost.
        state_bytes: the size of the state after it, as compact JSON.
    """

    server: str
    command: str
    grants: int
    cost: Cost
    state_bytes: int


def measure_servers(engine: Engine, grants: int) -> Iterator[ServerCost]:
    """The commands on both servers in turn, without the engine's checkpoints."""
    with ExitStack() as stack:
        places = {
            server: stack.enter_context(workspace(engine, organization(), checkpoints=False)) for server in STARTS
        }
        for server, place in places.items():
            (place.pulumi.project / "stacks" / f"{STACK}.yaml").write_text(json.dumps(roster(grants)))
            if server != "ours":
                place.on_the_sdks_server()
        for command, arguments in COMMANDS.items():
            for server, place in places.items():
                cost = place.run(*arguments)
                yield ServerCost(
                    server=server, command=command, grants=grants, cost=cost, state_bytes=place.state_bytes()[1]
                )


def start_of(server: str) -> float:
    """Seconds from the start of a server's process to its port: the median of some."""
    return round(statistics.median(_start(STARTS[server]) for _ in range(_STARTS)), 2)


def _start(arguments: list[str]) -> float:
    begun = time.perf_counter()
    with subprocess.Popen([sys.executable, "-u", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        if process.stdout is None or not process.stdout.readline():
            raise RuntimeError(f"{arguments} did not start")
        seconds = time.perf_counter() - begun
        process.kill()
    return seconds
