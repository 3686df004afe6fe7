"""What preview, up, refresh and destroy of N grants cost, in API requests first and then in seconds.

Each size runs in a project, backend and emulator of its own. The figures go to bench/results/latest.json and
docs/figures.md, with the version and the day of each. `--only` measures some parts anew and keeps the others; with
`--peer`, Mixpanel's own Terraform provider makes the same grants, and without, its figures of the last such run stay.
"""

from __future__ import annotations

import argparse
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict
from typing import Any, Final

from rich.console import Console
from rich.markdown import Markdown

from bench.apart import ROSTERS, judge, load, served, start
from bench.comparison import FORMS, GRANTS, GROUPED, LARGE, SINGLE, compare, measure_members
from bench.crowd import CROWDS, measure_crowd
from bench.lifecycle import Figure, State, measure
from bench.limit import measure_limit
from bench.machine import measured_on
from bench.page import PAGE, RESULTS, page
from bench.peer import Peer, installed_peer
from bench.record import Record
from bench.servers import GRANTS as GRANTS_ON_BOTH
from bench.servers import STARTS, measure_servers, start_of
from bench.stacks import PEOPLE, measure_stacks
from bench.whole import measure_whole
from mixpanel_access.engine import Engine, ensure_engine
from tests.terraform.command import NoProviderError

SIZES: Final = ("100", "1000", "5000-")
"""Grants. A "-" behind them: without the engine's checkpoints, with which an up of 5,000 takes over an hour."""
WHOLE: Final = 5000
"""Grants that are declared by project: of so many people, who are in the organization already."""
STATES: Final = (500, 2500)
"""People of the states that the policies judge: each is a member with a grant."""
_WIDTH: Final = 150
"""Columns that the widest table needs."""
_REPEATED: Final = 1000
"""Grants up to which a preview is measured three times."""
_FAST: Final = 100
"""Grants up to which an up with checkpoints is; without, as a preview."""
Found = tuple[str, dict[str, Any]]
"""The part of the results, and a figure of it."""

console = Console(width=max(Console().width, _WIDTH))


def _single(engine: Engine, given: Namespace, _peer: Peer | None) -> Iterator[Found]:
    for size in given.sizes:
        grants, checkpoints = int(size.rstrip("-")), not size.endswith("-")
        console.print(f"{grants} grants{'' if checkpoints else ', without checkpoints'} ...")
        times = 3 if grants <= _REPEATED else 1
        lives = times if grants <= _FAST or not checkpoints else 1
        for found in measure(engine, grants, checkpoints=checkpoints, times=times, lives=lives):
            yield ("states", asdict(found)) if isinstance(found, State) else _beside(found)


def _beside(figure: Figure) -> Found:
    console.print(f"  {figure.command}: {figure.ours.seconds} s, floor {figure.floor} s")
    return "figures", {**asdict(figure), "ratio": figure.ratio}


def _comparison(engine: Engine, given: Namespace, peer: Peer | None) -> Iterator[Found]:
    for found in compare(engine, [FORMS[form] for form in given.forms], peer, GRANTS):
        if isinstance(found, Figure):
            yield _beside(found)
        else:
            console.print(f"  {found.form}, {found.command}: {found.cost.seconds} s, {found.cost.requests} requests")
            yield "forms", asdict(found)


def _large(engine: Engine, given: Namespace, _peer: Peer | None) -> Iterator[Found]:
    for grants in given.large:
        for found in measure_members(engine, grants):
            console.print(f"  {grants} grants, {found.command}: {found.cost.seconds} s, {found.cost.requests} requests")
            yield "forms", asdict(found)


def _limit(engine: Engine, _given: Namespace, _peer: Peer | None) -> Iterator[Found]:
    for found in measure_limit(engine):
        console.print(f"  {found.run}: {found.cost.seconds} s, {found.invitations} invitations")
        yield "limit", asdict(found)


def _stacks(engine: Engine, given: Namespace, _peer: Peer | None) -> Iterator[Found]:
    for found in measure_stacks(engine, given.unit):
        console.print(f"  {found.round}: {found.cost.seconds} s, {found.cost.requests} requests")
        yield "stacks", asdict(found)


def _whole(engine: Engine, _given: Namespace, _peer: Peer | None) -> Iterator[Found]:
    for figure in measure_whole(engine, WHOLE):
        yield _beside(figure)


def _servers(engine: Engine, _given: Namespace, _peer: Peer | None) -> Iterator[Found]:
    for cost in measure_servers(engine, GRANTS_ON_BOTH):
        yield "servers", asdict(cost)
    yield "server_start", {"seconds": {server: start_of(server) for server in STARTS}}


def _commands(engine: Engine, given: Namespace, _peer: Peer | None) -> Iterator[Found]:
    for people in given.people:
        for one in measure_crowd(engine, people):
            console.print(f"  {one.command} of {people}, {one.grants}: {one.seconds} s, {one.megabytes} MB")
            yield "commands", asdict(one)


def _policies(engine: Engine, given: Namespace, _peer: Peer | None) -> Iterator[Found]:
    for people in given.states:
        for form in (SINGLE, GROUPED):
            yield "policies", asdict(judge(engine, form, people))


def _roster(_engine: Engine, _given: Namespace, _peer: Peer | None) -> Iterator[Found]:
    for people in ROSTERS:
        yield "rosters", {"people": people, "seconds": load(people)}


def _emulator(_engine: Engine, _given: Namespace, _peer: Peer | None) -> Iterator[Found]:
    yield "emulator", {"requests_per_second": served()}


def _start(_engine: Engine, _given: Namespace, _peer: Peer | None) -> Iterator[Found]:
    yield "start", start()


PARTS: Final[dict[str, Callable[[Engine, Namespace, Peer | None], Iterator[Found]]]] = {
    "comparison": _comparison,
    "large": _large,
    "limit": _limit,
    "stacks": _stacks,
    "whole": _whole,
    "commands": _commands,
    "policies": _policies,
    "roster": _roster,
    "start": _start,
    "emulator": _emulator,
    "servers": _servers,
    "single": _single,
}
"""In this order, the parts of a run that is broken off are those that people wait for."""


def main() -> int:
    """Run the benchmarks and print the table."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=PARTS, help="measure these parts, and keep the others' figures")
    parser.add_argument("--peer", action="store_true", help="in the comparison, run Mixpanel's Terraform provider, too")
    parser.add_argument("--forms", nargs="*", default=["single", "grouped"], choices=FORMS,
                        help="what the comparison compares; sdk is single resources on the SDK's server")  # fmt: skip
    parser.add_argument("--large", type=int, nargs="+", default=list(LARGE), help="grants of people who are members")
    parser.add_argument("--unit", type=int, default=PEOPLE, help="people of each of the 20 stacks of one organization")
    parser.add_argument("--sizes", nargs="+", default=list(SIZES), help='single grants; "5000-" is without checkpoints')
    parser.add_argument("--people", type=int, nargs="+", default=list(CROWDS), help="whom the reading commands read")
    parser.add_argument(
        "--states", type=int, nargs="+", default=list(STATES), help="people of the states that the policies judge"
    )
    given = parser.parse_args()
    with ExitStack() as stack:
        try:
            peer = stack.enter_context(installed_peer()) if given.peer else None
            engine = ensure_engine(console.print)
            results = Record(measured_on(engine=engine.version), RESULTS, keep=bool(given.only))
        except (OSError, ValueError, NoProviderError) as error:
            parser.error(str(error))
        for part in given.only or PARTS:
            console.print(f"{part} ...")
            for where, figure in PARTS[part](engine, given, peer):
                results.add(where, figure)
    PAGE.write_text(page(results.found))
    console.print(Markdown(page(results.found)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
