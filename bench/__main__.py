"""One table: what preview, up and refresh of N grants cost, in API requests first and then in seconds.

Each size runs in a project, backend and emulator of its own. The figures also go to bench/results/latest.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from demo.sandbox import SECRET, USERNAME, Emulator, pulumi_project
from mixpanel_access import __version__
from mixpanel_access.emulator import EmulatorServer
from mixpanel_access.engine import Engine, Pulumi, ensure_engine

RESULTS: Final = Path(__file__).parent / "results" / "latest.json"
SIZES: Final = (20, 100)
"""People; each has one grant, so that the resources are twice as many."""
PROJECTS: Final = 5
_ORGANIZATION: Final = 7654321

console = Console()


@dataclass(frozen=True)
class Figure:
    """One command over one size.

    Attributes:
        people: how many people, each with one grant.
        command: what was run.
        requests: API requests that reached the emulator.
        writes: those of them that were not GET.
        bytes_out: bytes that the emulator sent.
        seconds: wall clock of the whole command.
    """

    people: int
    command: str
    requests: int
    writes: int
    bytes_out: int
    seconds: float


def main() -> int:
    """Run the benchmarks and print the table."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), help="numbers of people")
    sizes = parser.parse_args().sizes
    engine = ensure_engine(console.print)
    figures: list[Figure] = []
    for size in sizes:
        console.print(f"{size} people, {size} grants in {PROJECTS} projects ...")
        figures += measure(engine, size)
    show(figures)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(record(engine, figures), indent=2) + "\n")
    return 0


def measure(engine: Engine, people: int) -> Iterator[Figure]:
    """The commands of one lifecycle over so many people."""
    with workspace(engine, people) as (pulumi, emulator):
        pulumi.run("stack", "init", "production")
        for name, args in {
            "preview (create)": ["preview"],
            "up (create)": ["up", "--yes", "--skip-preview"],
            "preview (unchanged)": ["preview", "--expect-no-changes"],
            "refresh": ["refresh", "--yes", "--skip-preview", "--expect-no-changes"],
            "destroy": ["destroy", "--yes", "--skip-preview"],
        }.items():
            emulator.control("DELETE", "requests")
            begun = time.perf_counter()
            pulumi.run(*args, "--stack", "production", timeout=3600)
            seconds = time.perf_counter() - begun
            log = emulator.control("GET", "requests")
            writes = sum(n for endpoint, n in log["by_endpoint"].items() if not endpoint.startswith("GET "))
            yield Figure(people, name, log["total"], writes, log["bytes_out"], round(seconds, 2))


@contextmanager
def workspace(engine: Engine, people: int) -> Iterator[tuple[Pulumi, Emulator]]:
    """A project whose production roster has so many people, on an emulator without the invitation limit."""
    ids = [1000 + number for number in range(PROJECTS)]
    with (
        tempfile.TemporaryDirectory(prefix="mixpanel-access-bench-") as folder,
        EmulatorServer(organization(ids), limit_invitations=False) as server,
    ):
        pulumi = pulumi_project(engine, Path(folder), Emulator(server.url), os.environ)
        stacks = pulumi.project / "stacks"
        (stacks / "production.yaml").write_text(json.dumps(roster(ids, people)))
        stack_file = stacks / "Pulumi.production.yaml"
        # Every one of them leaves on destroy, which is what is measured here and what the brakes are there to hold.
        stack_file.write_text(stack_file.read_text() + "  mixpanel:releaseBrakes: removalShare\n")
        yield pulumi, Emulator(server.url)


def organization(ids: list[int]) -> dict[str, Any]:
    """An organization with two owners and some projects."""
    return {
        "organization": {"id": _ORGANIZATION, "name": "Bench"},
        "members": [{"email": f"owner{n}@example.com", "role": "owner"} for n in range(2)],
        "projects": [{"id": id_, "name": f"Project {id_}"} for id_ in ids],
        "service_accounts": [{"username": USERNAME, "secret": SECRET}],
    }


def roster(ids: list[int], people: int) -> dict[str, Any]:
    """A roster of so many people with one grant each, over the projects in turn."""
    return {
        "environment": "production",
        "organizationRoles": True,
        "projects": {f"p{id_}": {"id": id_, "environment": "production"} for id_ in ids},
        "people": [
            {
                "email": f"person{number:05}@example.com",
                "organizationRole": "member",
                "projects": {f"p{ids[number % len(ids)]}": "analyst"},
                "ticket": f"OPS-{number}",
            }
            for number in range(people)
        ],
    }


def show(figures: list[Figure]) -> None:
    """The table for people."""
    table = Table("people", "command", "requests", "of them writes", "bytes received", "seconds", title="Costs")
    for figure in figures:
        table.add_row(*(str(value) for value in asdict(figure).values()))
    console.print(table)


def record(engine: Engine, figures: list[Figure]) -> dict[str, Any]:
    """The figures with what they were measured on."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": {"cores": os.cpu_count(), "system": platform.system(), "machine": platform.machine()},
        "versions": {"mixpanel-access": __version__, "engine": engine.version, "python": platform.python_version()},
        "figures": [asdict(figure) for figure in figures],
    }


if __name__ == "__main__":
    sys.exit(main())
