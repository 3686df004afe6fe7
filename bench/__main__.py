"""One table: what preview, up, refresh and import of N grants cost, in API requests first and then in seconds.

Then the same of thousands of grants as one `ProjectAccess` a project, how long the policy pack takes over a state of N
resources, how long a roster of 5,000 people takes to load, and how long each command takes to start.

Each size runs in a project, backend and emulator of its own. The figures also go to bench/results/latest.json.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from bench.machine import measured_on
from demo.sandbox import ROOT, SECRET, USERNAME, Emulator, pulumi_project
from mixpanel_access.emulator import EmulatorServer
from mixpanel_access.engine import Engine, Pulumi, ensure_engine, local_backend
from mixpanel_access.model.roster_reading import Source, parse
from mixpanel_access.operations.import_plan import Wanted
from mixpanel_access.operations.importing import Request, carry_out, prepare
from mixpanel_access.operations.project import Project
from mixpanel_access.rules.catalogue import RULES
from mixpanel_access.rules.facts import Entry, Kind
from tests.cli.invocations import INVOCATIONS
from tests.rules.states import state

RESULTS: Final = Path(__file__).parent / "results" / "latest.json"
SIZES: Final = (20, 100)
"""People; each has one grant, so that the resources are twice as many."""
WHOLE: Final = 5000
"""Grants that are declared by project: of so many people, who are in the organization already."""
STATES: Final = (1000, 5000)
"""Resources of the states that the policies judge."""
ROSTER: Final = 5000
"""People of the roster that is loaded."""
PROJECTS: Final = 5
STARTS: Final = 5
"""Times that each command is started; the shortest counts, the others had to share the machine."""
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


@dataclass(frozen=True)
class Judged:
    """The policy pack over one state.

    Attributes:
        resources: members and grants.
        seconds: wall clock of the whole command.
    """

    resources: int
    seconds: float


def main() -> int:
    """Run the benchmarks and print the table."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="*", default=list(SIZES), help="numbers of people")
    parser.add_argument("--states", type=int, nargs="*", default=list(STATES), help="resources to judge by policies")
    parser.add_argument("--whole", type=int, default=WHOLE, help="grants that are declared by project; 0 for none")
    given = parser.parse_args()
    engine = ensure_engine(console.print)
    figures: list[Figure] = []
    for size in given.sizes:
        console.print(f"{size} people, {size} grants in {PROJECTS} projects ...")
        figures += measure(engine, size)
    if given.whole:
        console.print(f"{given.whole} grants as {PROJECTS} ProjectAccess ...")
        figures += measure_whole(engine, given.whole)
    judged = []
    for resources in given.states:
        console.print(f"policies over {resources} resources ...")
        judged.append(judge(engine, resources))
    loading = load()
    console.print(f"{STARTS} starts of each command ...")
    starting = start()
    show(figures, judged)
    console.print(f"a roster of {ROSTER} people loads in {loading} s")
    slowest = max(starting, key=lambda command: starting[command])
    console.print(f"the slowest of {len(starting)} commands to start is {slowest}, in {starting[slowest]} s")
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(record(engine, figures, judged, loading, starting), indent=2) + "\n")
    return 0


def measure(engine: Engine, people: int) -> Iterator[Figure]:
    """The commands of one lifecycle over so many people."""
    with workspace(engine, people) as (pulumi, emulator):

        def timed(name: str, act: Callable[[], object]) -> Figure:
            return time_one(emulator, people, name, act)

        def engine_run(name: str, *args: str) -> Figure:
            return timed(name, lambda: pulumi.run(*args, "--stack", "production", timeout=3600))

        def import_all() -> None:
            project = Project(pulumi)
            carry_out(project, prepare(project, Request("production", Wanted(["person*"])), quiet), quiet)

        pulumi.run("stack", "init", "production")
        yield engine_run("preview (create)", "preview")
        yield engine_run("up (create)", "up", "--yes", "--skip-preview")
        yield engine_run("preview (unchanged)", "preview", "--expect-no-changes")
        yield engine_run("refresh", "refresh", "--yes", "--skip-preview", "--expect-no-changes")
        # The import is of everything that `up` has made: the state is emptied, the roster stays.
        pulumi.run("state", "delete", "--all", "--yes", "--stack", "production")
        yield timed("import", import_all)
        yield engine_run("destroy", "destroy", "--yes", "--skip-preview")


def measure_whole(engine: Engine, grants: int) -> Iterator[Figure]:
    """The commands of one lifecycle over so many grants, each project's as one resource."""
    ids = [1000 + number for number in range(PROJECTS)]
    emails = [f"person{number:05}@example.com" for number in range(grants)]
    with workspace_on(engine, organization(ids, emails)) as (pulumi, emulator):
        program = pulumi.project / "stacks" / "__main__.py"

        def declare(roles: tuple[str, str]) -> None:
            wholes: dict[int, dict[str, str]] = {id_: {} for id_ in ids}
            for number, email in enumerate(emails):
                wholes[ids[number % PROJECTS]][email] = roles[number // PROJECTS % 2]
            program.write_text(WHOLE_PROGRAM.format(wholes=wholes))

        def run(name: str, *args: str) -> Figure:
            command = f"{name}, ProjectAccess"
            return time_one(emulator, grants, command, lambda: pulumi.run(*args, "--stack", "production", timeout=3600))

        pulumi.run("stack", "init", "production")
        declare(("analyst", "analyst"))
        yield run("preview (create)", "preview")
        yield run("up (create)", "up", "--yes", "--skip-preview")
        yield run("preview (unchanged)", "preview", "--expect-no-changes")
        yield run("refresh", "refresh", "--yes", "--skip-preview", "--expect-no-changes")
        declare(("analyst", "consumer"))
        yield run("up (half changed)", "up", "--yes", "--skip-preview")
        yield run("destroy", "destroy", "--yes", "--skip-preview")


WHOLE_PROGRAM: Final = """
from mixpanel_access.provider import ProjectAccess

for project, grants in {wholes}.items():
    ProjectAccess(f"project-{{project}}", project_id=project, grants=grants, environment="production")
"""


def time_one(emulator: Emulator, people: int, name: str, act: Callable[[], object]) -> Figure:
    """What one command costs."""
    emulator.control("DELETE", "requests")
    begun = time.perf_counter()
    act()
    seconds = time.perf_counter() - begun
    log = emulator.control("GET", "requests")
    writes = sum(n for endpoint, n in log["by_endpoint"].items() if not endpoint.startswith("GET "))
    return Figure(people, name, log["total"], writes, log["bytes_out"], round(seconds, 2))


def quiet(_line: str) -> None:
    """Say nothing of what is being done."""


@contextmanager
def workspace(engine: Engine, people: int) -> Iterator[tuple[Pulumi, Emulator]]:
    """A project whose production roster has so many people, on an emulator without the invitation limit."""
    ids = [1000 + number for number in range(PROJECTS)]
    with workspace_on(engine, organization(ids)) as (pulumi, emulator):
        (pulumi.project / "stacks" / "production.yaml").write_text(json.dumps(roster(ids, people)))
        yield pulumi, emulator


@contextmanager
def workspace_on(engine: Engine, document: dict[str, Any]) -> Iterator[tuple[Pulumi, Emulator]]:
    """A project on an emulator that has this organization."""
    with (
        tempfile.TemporaryDirectory(prefix="mixpanel-access-bench-") as folder,
        EmulatorServer(document, limit_invitations=False) as server,
    ):
        pulumi = pulumi_project(engine, Path(folder), Emulator(server.url), os.environ)
        stack_file = pulumi.project / "stacks" / "Pulumi.production.yaml"
        # Every one of them leaves on destroy, which is what is measured here and what the brakes are there to hold.
        stack_file.write_text(stack_file.read_text() + "  mixpanel:releaseBrakes: removalShare,grantShare\n")
        yield pulumi, Emulator(server.url)


def organization(ids: list[int], members: Sequence[str] = ()) -> dict[str, Any]:
    """An organization with two owners, some projects, and some members without grants."""
    return {
        "organization": {"id": _ORGANIZATION, "name": "Bench"},
        "members": [{"email": f"owner{n}@example.com", "role": "owner"} for n in range(2)]
        + [{"email": email, "role": "member"} for email in members],
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


def judge(engine: Engine, resources: int) -> Judged:
    """How long `pulumi policy analyze` takes over a state of so many members and grants."""
    with tempfile.TemporaryDirectory(prefix="mixpanel-access-bench-") as folder:
        file = Path(folder) / "state.json"
        file.write_text(json.dumps(exported(resources)))
        pulumi = Pulumi(engine, ROOT, {**os.environ, **local_backend(Path(folder), "bench")})
        begun = time.perf_counter()
        pulumi.run("policy", "analyze", "--file", str(file), "--policy-pack", "policies", timeout=3600)
        return Judged(resources, round(time.perf_counter() - begun, 2))


def load() -> float:
    """Seconds to read a roster of many people."""
    lines = ["environment: production", "projects:", "  shop: { id: 1, environment: production }", "people:"]
    for number in range(ROSTER):
        lines += [f"  - email: person{number:05}@example.com", "    projects:", "      shop: analyst"]
        lines += [f"    ticket: OPS-{number}", "    starts: 2026-01-01", "    ends: 2030-12-31"]
    begun = time.perf_counter()
    parse("\n".join(lines), Source("bench"))
    return round(time.perf_counter() - begun, 2)


def start() -> dict[str, float]:
    """Command -> seconds until it has started and found that it is in an empty folder."""
    found = {}
    with tempfile.TemporaryDirectory(prefix="mixpanel-access-bench-") as folder:
        for command, args in {"--help": (), **INVOCATIONS}.items():
            taken = []
            for _ in range(STARTS):
                begun = time.perf_counter()
                argv = [sys.executable, "-m", "mixpanel_access", *command.split(), *args]
                subprocess.run(argv, cwd=folder, capture_output=True, check=False)
                taken.append(time.perf_counter() - begun)
            found[command] = round(min(taken), 2)
    return found


def exported(resources: int) -> dict[str, Any]:
    """A state of so many members and grants, with nothing for a rule to find."""
    dates = {"starts": "2026-04-12", "ends": "2026-06-01", "sow": "SOW-2026-014", "ticket": "OPS-4711"}
    entries = []
    for number in range(resources // 2):
        email = f"person{number:05}@example.com"
        why = {"engagement": "Bench", "approver": "ana@example.com", "justification": "Measures", **dates}
        entries.append(Entry(Kind.MEMBER, email, values={"email": email, "role": "member", **why}))
        held = {"project_id": 1, "role": "analyst", "environment": "production", "grant_types": ["individual"]}
        entries.append(Entry(Kind.GRANT, f"1:{email}", values={"email": email, **held, **why}))
    config = {"environment": "production", "companyDomains": "example.com", "now": "2026-05-04T12:00:00Z"}
    return state(entries, config, {"organization_roles": False, "exceptions": []})


def show(figures: list[Figure], judged: list[Judged]) -> None:
    """The tables for people."""
    table = Table("people", "command", "requests", "of them writes", "bytes received", "seconds", title="Costs")
    for figure in figures:
        table.add_row(*(str(value) for value in asdict(figure).values()))
    console.print(table)
    policies = Table("resources", "seconds", "seconds per 1,000", title=f"The {len(RULES)} rules")
    for one in judged:
        policies.add_row(str(one.resources), str(one.seconds), f"{1000 * one.seconds / one.resources:.2f}")
    console.print(policies)


def record(
    engine: Engine, figures: list[Figure], judged: list[Judged], loading: float, starting: dict[str, float]
) -> dict[str, Any]:
    """The figures with what they were measured on."""
    return {
        **measured_on(engine=engine.version),
        "figures": [asdict(figure) for figure in figures],
        "policies": [asdict(one) for one in judged],
        "roster": {"people": ROSTER, "seconds": loading},
        "start": starting,
    }


if __name__ == "__main__":
    sys.exit(main())
