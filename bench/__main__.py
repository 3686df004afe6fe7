"""One table: what preview, up, refresh and import of N grants cost, in API requests first and then in seconds.

The floor beside it is the same program with providers that do nothing, run in turn with ours: what the engine and the
SDK take. Then thousands of grants as one `ProjectAccess` a project, how long the policy pack takes over a state of N
resources, how long a roster of 5,000 people takes to load, and how long each command takes to start.

Each size runs in a project, backend and emulator of its own. The figures also go to bench/results/latest.json
and docs/figures.md.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from typing import Any, Final

from rich.console import Console
from rich.markdown import Markdown

from bench.apart import ROSTER, STARTS, Judged, judge, load, start
from bench.lifecycle import Figure, State, measure
from bench.machine import measured_on
from bench.page import PAGE, RESULTS, page
from bench.whole import measure_whole
from mixpanel_access.engine import Engine, ensure_engine

SIZES: Final = ("100", "1000", "5000-")
"""Grants. A "-" behind them: without the engine's checkpoints, with which an up of 5,000 takes over an hour."""
WHOLE: Final = 5000
"""Grants that are declared by project: of so many people, who are in the organization already."""
STATES: Final = (1000, 5000)
"""Resources of the states that the policies judge."""
_WIDTH: Final = 150
"""Columns that the widest table needs."""
_SMALL: Final = 1000
"""Grants up to which what can be repeated is."""

console = Console(width=max(Console().width, _WIDTH))


def main() -> int:
    """Run the benchmarks and print the table."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--sizes", nargs="*", default=list(SIZES), help='grants; "5000-" is without checkpoints')
    parser.add_argument("--states", type=int, nargs="*", default=list(STATES), help="resources to judge by policies")
    parser.add_argument("--whole", type=int, default=WHOLE, help="grants that are declared by project; 0 for none")
    given = parser.parse_args()
    engine = ensure_engine(console.print)
    figures: list[Figure] = []
    states: list[State] = []
    for size in given.sizes:
        grants, checkpoints = int(size.rstrip("-")), not size.endswith("-")
        console.print(f"{grants} grants{'' if checkpoints else ', without checkpoints'} ...")
        for found in measure(engine, grants, checkpoints=checkpoints, times=3 if grants < _SMALL else 1):
            if isinstance(found, State):
                states.append(found)
            else:
                figures.append(found)
                console.print(f"  {found.command}: {found.ours.seconds} s, floor {found.floor} s")
    if given.whole:
        console.print(f"{given.whole} grants as ProjectAccess ...")
        figures += measure_whole(engine, given.whole)
    judged = []
    for resources in given.states:
        console.print(f"policies over {resources} resources ...")
        judged.append(judge(engine, resources))
    loading = load()
    console.print(f"{STARTS} starts of each command ...")
    starting = start()
    results = record(engine, figures, states, judged, loading, starting)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")
    PAGE.write_text(page(results))
    console.print(Markdown(page(results)))
    return 0


def record(
    engine: Engine,
    figures: list[Figure],
    states: list[State],
    judged: list[Judged],
    loading: float,
    starting: dict[str, float],
) -> dict[str, Any]:
    """The figures with what they were measured on."""
    return {
        **measured_on(engine=engine.version),
        "figures": [{**asdict(figure), "ratio": figure.ratio} for figure in figures],
        "states": [asdict(one) for one in states],
        "policies": [asdict(one) for one in judged],
        "roster": {"people": ROSTER, "seconds": loading},
        "start": starting,
    }


if __name__ == "__main__":
    sys.exit(main())
