"""What the commands that read everything cost over thousands of people: seconds, memory of the command, requests.

The state is made of the rows that a real `up` of a few people leaves, so that it is as large as a real one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.machine import compile_package
from bench.workspaces import PROJECTS, STACK, Workspace, email_of, organization, workspace
from mixpanel_access.engine import Engine

CROWDS: Final = (1000, 5000)
"""People, each with a grant."""
COMMANDS: Final = ("status", "report", "drift", "remind", "who person00001@example.com")
_TEMPLATES: Final = len(PROJECTS)
_AS_PROJECT_ACCESS: Final = "ProjectAccess"
_LOOK_SECONDS: Final = 0.02


@dataclass(frozen=True)
class CommandFigure:
    """What one command cost.

    Attributes:
        people: in the roster, the state and the organization.
        grants: "single", or "ProjectAccess".
        command: the command.
        seconds: wall clock, engine and all.
        cpu_seconds: of processors, by the command and the engine's processes together; a busy machine adds less to it.
        megabytes: the most memory that the command's own process held.
        requests: to Mixpanel.
    """

    people: int
    grants: str
    command: str
    seconds: float
    cpu_seconds: float
    megabytes: float
    requests: int


def measure_crowd(engine: Engine, people: int) -> Iterator[CommandFigure]:
    """The commands over single grants, then over one `ProjectAccess` a project."""
    compile_package()
    for grants in ("single", _AS_PROJECT_ACCESS):
        document = organization([])
        with workspace(engine, document, checkpoints=False) as ours:
            _fill(ours, people, authoritative=grants == _AS_PROJECT_ACCESS)
            for command in COMMANDS:
                yield _run(ours, people, grants, command)


def _fill(ours: Workspace, people: int, *, authoritative: bool) -> None:
    """Have roster, state and organization hold so many people."""
    file = ours.pulumi.project / "stacks" / f"{STACK}.yaml"
    file.write_text(_roster(_TEMPLATES, authoritative=authoritative))
    ours.pulumi.run("up", "--yes", "--skip-preview", "--stack", STACK, timeout=600)
    for number in range(_TEMPLATES):
        ours.emulator.control("POST", "invitations/accept", {"email": email_of(number)})
    ours.pulumi.run("refresh", "--yes", "--skip-preview", "--stack", STACK, timeout=600)
    export = json.loads(ours.pulumi.run("stack", "export", "--stack", STACK).stdout)
    export["deployment"]["resources"] = _multiplied(export["deployment"]["resources"], people)
    state = ours.pulumi.project / "state.json"
    state.write_text(json.dumps(export))
    ours.pulumi.run("stack", "import", "--file", str(state), "--stack", STACK, timeout=600)
    file.write_text(_roster(people, authoritative=authoritative))
    held = ours.emulator.control("GET", "dump")
    emails = [email_of(number) for number in range(people)]
    held["members"] = [one for one in held["members"] if one["email"] not in emails]
    held["members"] += [{"email": email, "role": "member", "id": _id(n)} for n, email in enumerate(emails)]
    held["grants"] += [
        {"project": _project(number), "email": email, "role": "analyst"}
        for number, email in enumerate(emails)
        if number >= _TEMPLATES
    ]
    ours.emulator.control("POST", "seed", held)


def _id(number: int) -> int:
    """Mixpanel's id of the n-th person."""
    return 100_000 + number


def _project(number: int) -> int:
    return PROJECTS[number % len(PROJECTS)]


def _roster(people: int, *, authoritative: bool) -> str:
    lines = ["environment: production", "organizationRoles: true", f"authoritative: {str(authoritative).lower()}"]
    lines += [
        "engagements:",
        "  bench: { type: analytics_review, sow: SOW-2026-014, ticket: OPS-1, approver: ana@example.com,",
        "    sponsor: omar@example.com, justification: Measures, starts: 2026-11-01, ends: 2026-12-31 }",
    ]
    lines += ["projects:", *(f"  p{id_}: {{ id: {id_}, environment: production }}" for id_ in PROJECTS), "people:"]
    for number in range(people):
        lines += [f"  - email: {email_of(number)}", "    organizationRole: member"]
        lines += [f"    projects: {{ p{_project(number)}: analyst }}", f"    ticket: OPS-{number}"]
        lines += ["    engagement: bench"]
    return "\n".join(lines) + "\n"


def _multiplied(rows: list[dict[str, Any]], people: int) -> list[dict[str, Any]]:
    """The rows for everybody: those of one person for each, and the others with everybody in their lists."""
    found = []
    for row in rows:
        template = next((n for n in range(_TEMPLATES) if row["urn"].endswith(email_of(n))), None)
        if template is None:
            found.append(with_everybody(row, people))
            continue
        for number in range(template, people, _TEMPLATES):
            one = _of_another(row, template, number)
            if "user_id" in one["outputs"]:
                one["outputs"]["user_id"] = _id(number)
            found.append(one)
    return found


def with_everybody(value: Any, people: int) -> Any:
    """A value with what it says of a template for everybody."""
    if isinstance(value, dict):
        copied: dict[str, Any] = {}
        for key, part in value.items():
            for number in _alike(key, people):
                copied[key if number is None else email_of(number)] = with_everybody(part, people)
        return copied
    if isinstance(value, list):
        return [
            part if number is None else _of_another(part, number % _TEMPLATES, number)
            for part in value
            for number in _alike(_name_in(part), people)
        ]
    return value


def _of_another(value: Any, template: int, number: int) -> Any:
    """What a value says of a template, for the n-th person."""
    text = json.dumps(value).replace(email_of(template), email_of(number))
    return json.loads(text.replace(f'OPS-{template}"', f'OPS-{number}"'))


def _name_in(part: Any) -> str:
    """Whose a part of a list is: an address, a person, or the reason of one."""
    name = part.get("email") or next(iter(part.get("people") or ()), "") if isinstance(part, dict) else part
    return name if isinstance(name, str) else ""


def _alike(key: str, people: int) -> list[int | None]:
    """The people for whom a template stands; None for what is no template's."""
    template = next((n for n in range(_TEMPLATES) if key == email_of(n)), None)
    return [None] if template is None else list(range(template, people, _TEMPLATES))


def _run(ours: Workspace, people: int, grants: str, command: str) -> CommandFigure:
    ours.emulator.control("DELETE", "requests")
    argv = [sys.executable, "-m", "mixpanel_access", *command.split(), "--stack", STACK]
    done, peak, begun = 0, 0.0, time.perf_counter()
    errors = ours.pulumi.project / "errors.txt"
    with errors.open("wb") as stderr:
        process = subprocess.Popen(
            argv, cwd=ours.pulumi.project, env=dict(ours.pulumi.environ), stdout=subprocess.DEVNULL, stderr=stderr
        )
        while not done:
            peak = max(peak, _held(process.pid))
            time.sleep(_LOOK_SECONDS)
            done, status, used = os.wait4(process.pid, os.WNOHANG)
    if os.waitstatus_to_exitcode(status) not in (0, 1):
        raise RuntimeError(f"{command}: {errors.read_text()}")
    return CommandFigure(
        people=people,
        grants=grants,
        command=command.split()[0],
        seconds=round(time.perf_counter() - begun, 2),
        cpu_seconds=round(used.ru_utime + used.ru_stime, 2),
        megabytes=round(peak, 1),
        requests=ours.emulator.control("GET", "requests")["total"],
    )


def _held(pid: int) -> float:
    """The most that a process has held, in MB, by Linux's /proc; 0 where there is none."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    return max((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM:")), default=0.0)
