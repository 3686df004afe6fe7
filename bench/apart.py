"""What is measured apart from a stack: policies, the reading of a roster, the emulator, the start of the commands."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import tempfile
import time
import timeit
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from bench.comparison import GROUPED
from bench.machine import compile_package
from bench.workspaces import PROJECTS, email_of
from demo.sandbox import ROOT, SECRET, USERNAME, emulator_process
from mixpanel_access.api.transport import MAX_PARALLEL
from mixpanel_access.engine import Engine, Pulumi, local_backend
from mixpanel_access.model.resources import MEMBERS, MEMBERS_TYPE, PROJECT_ACCESS, PROJECT_ACCESS_TYPE
from mixpanel_access.model.roster.reading import RosterSource, parse
from mixpanel_access.operations.policy_check import shows_a_pack
from mixpanel_access.rules.entry import Entry, Type
from tests.cli.invocations import INVOCATIONS
from tests.grouped import outputs_of_group
from tests.rules.states import state

ROSTERS: Final = (5000, 20_000)
"""People of the rosters that are read."""
SERVED: Final = 1000
"""Requests that each client sends to the emulator, one after the other."""
STARTS: Final = 5
"""Times that each command is started; the shortest counts, the others had to share the machine."""
LIBRARIES: Final = ("-c", "import pydantic, ruamel.yaml, typer.main")
"""What a command that reads a roster loads of others' before anything of ours."""


@dataclass(frozen=True)
class Judged:
    """The policy pack over one state.

    Attributes:
        form: whether the members and grants are resources of their own, or grouped.
        people: each is a member with a grant.
        seconds: wall clock of the whole command.
    """

    form: str
    people: int
    seconds: float


def judge(engine: Engine, form: str, people: int) -> Judged:
    """How long `pulumi policy analyze` takes over a state of so many people, whatever it finds."""
    with tempfile.TemporaryDirectory(prefix="mixpanel-access-bench-") as folder:
        file = Path(folder) / "state.json"
        file.write_text(json.dumps(exported(form, people)))
        pulumi = Pulumi(engine, ROOT, {**os.environ, **local_backend(Path(folder), "bench")})
        begun = time.perf_counter()
        arguments = ("policy", "analyze", "--file", str(file), "--policy-pack", "policies")
        done = pulumi.run(*arguments, timeout=3600, check=False)
        seconds = round(time.perf_counter() - begun, 2)
    if not shows_a_pack(done.stdout):
        raise RuntimeError(f"the policies did not run: {done.stderr or done.stdout}")
    return Judged(form, people, seconds)


def load(people: int) -> float:
    """Seconds to read a roster of so many people."""
    lines = ["environment: production", "projects:", "  shop: { id: 1, environment: production }", "people:"]
    for number in range(people):
        lines += [f"  - email: person{number:05}@example.com", "    projects:", "      shop: analyst"]
        lines += [f"    ticket: OPS-{number}", "    starts: 2026-01-01", "    ends: 2030-12-31"]
    begun = time.perf_counter()
    parse("\n".join(lines), RosterSource("bench"))
    return round(time.perf_counter() - begun, 2)


def served() -> int:
    """Requests a second that the emulator, in a process of its own, answers to as many clients as the provider has."""
    login = {"Authorization": "Basic " + base64.b64encode(f"{USERNAME}:{SECRET}".encode()).decode()}

    def ask(address: str) -> None:
        connection = HTTPConnection(address)
        for _ in range(SERVED):
            connection.request("GET", "/api/app/me", headers=login)
            answer = connection.getresponse()
            answer.read()
            if answer.status != HTTPStatus.OK:
                raise RuntimeError(f"the emulator answers with {answer.status}")
        connection.close()

    with emulator_process("--demo") as emulator, ThreadPoolExecutor(MAX_PARALLEL) as pool:
        begun = time.perf_counter()
        list(pool.map(ask, [urlsplit(emulator.url).netloc] * MAX_PARALLEL))
        return round(MAX_PARALLEL * SERVED / (time.perf_counter() - begun))


def start() -> dict[str, object]:
    """Command -> seconds until it has started and found that it is in an empty folder; and those of its libraries."""
    compile_package()
    with tempfile.TemporaryDirectory(prefix="mixpanel-access-bench-") as folder:

        def least(*args: str) -> float:
            argv = [sys.executable, *args]
            run = partial(subprocess.run, argv, cwd=folder, capture_output=True, check=False)
            return round(min(timeit.repeat(run, number=1, repeat=STARTS)), 2)

        commands = {"--help": (), **INVOCATIONS}
        return {
            "commands": {name: least("-m", "mixpanel_access", *name.split(), *args) for name, args in commands.items()},
            "libraries": least(*LIBRARIES),
        }


def exported(form: str, people: int) -> dict[str, Any]:
    """A state of so many people, each with a grant in one project, with nothing for a mandatory rule to find."""
    today = datetime.now(UTC).date()
    starts, ends = (str(today + timedelta(days=days)) for days in (-22, 28))
    dates = {"starts": starts, "ends": ends, "sow": "SOW-2026-014", "ticket": "OPS-4711"}
    why = {"engagement": "Bench", "approver": "ana@example.com", "justification": "Measures", **dates}
    members = [{"email": email_of(number), "role": "member", **why} for number in range(people)]
    held = {"role": "analyst", "environment": "production", "grant_types": ["individual"]}
    grants: dict[int, list[dict[str, Any]]] = {id_: [] for id_ in PROJECTS}
    for number in range(people):
        id_ = PROJECTS[number % len(PROJECTS)]
        grants[id_].append({"email": email_of(number), "project_id": id_, **held, **why})
    if form == GROUPED:
        entries = [Entry(MEMBERS_TYPE, "members", values=outputs_of_group(MEMBERS, members))]
        for id_, some in grants.items():
            entries.append(Entry(PROJECT_ACCESS_TYPE, str(id_), values=outputs_of_group(PROJECT_ACCESS, some)))
    else:
        entries = [Entry(Type.MEMBER, one["email"], values=one) for one in members]
        for id_, some in grants.items():
            entries += [Entry(Type.GRANT, f"{id_}:{one['email']}", values=one) for one in some]
    config = {"environment": "production", "companyDomains": "example.com"}
    return state(entries, config, {"organization_roles": False, "exceptions": []})
