"""One table: what preview, up, refresh and import of N grants cost, in API requests first and then in seconds.

The floor next to it is the same program with providers that do nothing, run in turn with ours: what the engine and the
SDK take. Then thousands of grants as one `ProjectAccess` a project, what the commands that read everything cost over
5,000 people, how long the policy pack takes over a state of N resources, how long a roster of 5,000 people takes to
load, how many requests the emulator answers, and how long each command takes to start.

Each size runs in a project, backend and emulator of its own. The figures also go to bench/results/latest.json
and docs/figures.md, with the version and the day of each: `--keep` measures some parts anew and keeps the others.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Final

from rich.console import Console
from rich.markdown import Markdown

from bench.apart import ROSTER, judge, load, served, start
from bench.crowd import CROWD, measure_crowd
from bench.lifecycle import Figure, State, measure
from bench.machine import measured_on
from bench.page import PAGE, RESULTS, page
from bench.record import Record
from bench.servers import GRANTS, STARTS, measure_servers, start_of
from bench.whole import measure_whole
from mixpanel_access.engine import ensure_engine

SIZES: Final = ("100", "1000", "5000-")
"""Grants. A "-" behind them: without the engine's checkpoints, with which an up of 5,000 takes over an hour."""
WHOLE: Final = 5000
"""Grants that are declared by project: of so many people, who are in the organization already."""
STATES: Final = (1000, 5000)
"""Resources of the states that the policies judge."""
_WIDTH: Final = 150
"""Columns that the widest table needs."""
_REPEATED: Final = 1000
"""Grants up to which a preview is measured three times."""
_FAST: Final = 100
"""Grants up to which an up with checkpoints is; without, as a preview."""
_APART: Final[dict[str, Callable[[], dict[str, object]]]] = {
    "roster": lambda: {"people": ROSTER, "seconds": load()},
    "emulator": lambda: {"requests_per_second": served()},
    "start": start,
}

console = Console(width=max(Console().width, _WIDTH))


def _row(figure: Figure) -> dict[str, object]:
    return {**asdict(figure), "ratio": figure.ratio}


def main() -> int:
    """Run the benchmarks and print the table."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--sizes", nargs="*", default=list(SIZES), help='grants; "5000-" is without checkpoints')
    parser.add_argument("--states", type=int, nargs="*", default=list(STATES), help="resources to judge by policies")
    parser.add_argument("--whole", type=int, default=WHOLE, help="grants that are declared by project; 0 for none")
    parser.add_argument("--crowd", type=int, default=CROWD, help="people that the reading commands read; 0 for none")
    parser.add_argument("--servers", type=int, default=GRANTS, help="grants on both servers; 0 for none")
    parser.add_argument("--apart", nargs="*", default=list(_APART), choices=_APART, help="what needs no stack")
    parser.add_argument("--keep", action="store_true", help="keep the earlier figures of what is not measured now")
    given = parser.parse_args()
    engine = ensure_engine(console.print)
    try:
        results = Record(measured_on(engine=engine.version), RESULTS, keep=given.keep)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    for size in given.sizes:
        grants, checkpoints = int(size.rstrip("-")), not size.endswith("-")
        console.print(f"{grants} grants{'' if checkpoints else ', without checkpoints'} ...")
        times = 3 if grants <= _REPEATED else 1
        lives = times if grants <= _FAST or not checkpoints else 1
        for found in measure(engine, grants, checkpoints=checkpoints, times=times, lives=lives):
            if isinstance(found, State):
                results.add("states", asdict(found))
            else:
                results.add("figures", _row(found))
                console.print(f"  {found.command}: {found.ours.seconds} s, floor {found.floor} s")
    if given.whole:
        console.print(f"{given.whole} grants as ProjectAccess ...")
        for figure in measure_whole(engine, given.whole):
            results.add("figures", _row(figure))
    if given.servers:
        console.print(f"{given.servers} grants on both servers ...")
        for cost in measure_servers(engine, given.servers):
            results.add("servers", asdict(cost))
        results.add("server_start", {"seconds": {server: start_of(server) for server in STARTS}})
    if given.crowd:
        console.print(f"{given.crowd} people ...")
        for one in measure_crowd(engine, given.crowd):
            results.add("commands", asdict(one))
            console.print(f"  {one.command}, {one.grants}: {one.seconds} s, {one.megabytes} MB")
    for resources in given.states:
        console.print(f"policies over {resources} resources ...")
        results.add("policies", asdict(judge(engine, resources)))
    for part in given.apart:
        console.print(f"{part} ...")
        results.add(part, _APART[part]())
    PAGE.write_text(page(results.found))
    console.print(Markdown(page(results.found)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
