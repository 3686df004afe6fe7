"""Projects to measure on: each a copy of ours with a backend and an emulator of its own."""

from __future__ import annotations

import json
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from bench.floor import PROLOGUE
from demo.sandbox import SECRET, USERNAME, Emulator, pulumi_project
from mixpanel_access.emulator.server import EmulatorServer
from mixpanel_access.engine import Engine, Pulumi

STACK: Final = "production"
PROJECTS: Final = [1000 + number for number in range(5)]
"""Ids of the projects that people have grants in."""
GRANTS_EACH: Final = 2
"""Grants of each person in a roster, in as many projects."""
CHECKPOINTS: Final = "PULUMI_SKIP_CHECKPOINTS"
"""The variable with which the engine saves the state only at the end."""
_ORGANIZATION: Final = 7654321
_LOOK_SECONDS: Final = 0.1
_SERVERS: Final = (b"plugins/pulumi-python", b"pulumi.dynamic")
"""What the command line of the provider's process has: our server's, or the SDK's."""


@dataclass(frozen=True)
class Cost:
    """What one command cost.

    Attributes:
        requests: API requests that reached the emulator.
        writes: those of them that change something.
        bytes_out: bytes that the emulator sent.
        seconds: wall clock of the whole command.
        provider_mb: the most memory that the provider's process held, in MB; None if it is not known.
    """

    requests: int
    writes: int
    bytes_out: int
    seconds: float
    provider_mb: float | None


@dataclass(frozen=True)
class Workspace:
    """A project, its backend and its emulator."""

    pulumi: Pulumi
    emulator: Emulator
    checkpoints: bool

    def run(self, *args: str) -> Cost:
        """Run the engine on the stack."""
        return self.cost(lambda: self.pulumi.run(*args, "--stack", STACK, timeout=7200))

    def cost(self, act: Callable[[], object]) -> Cost:
        """What something costs."""
        return cost_of(self.emulator, act, self.pulumi.project)

    def on_the_sdks_server(self) -> None:
        """Have the SDK's own server serve the resources, as without the stanza of the project."""
        project = self.pulumi.project / "Pulumi.yaml"
        project.write_text(project.read_text().partition("plugins:")[0])

    def with_checkpoints(self) -> Workspace:
        """The same, but from now on the engine saves the state with each step."""
        environ = {**self.pulumi.environ, CHECKPOINTS: "false"}
        return replace(self, pulumi=replace(self.pulumi, environ=environ), checkpoints=True)

    def state_bytes(self) -> tuple[int, int]:
        """How many resources the state has, and how large it is."""
        text = self.pulumi.run("stack", "export", "--stack", STACK).stdout
        compact = json.dumps(json.loads(text), separators=(",", ":"))
        return len(json.loads(text)["deployment"].get("resources", ())), len(compact)


@contextmanager
def workspace(
    engine: Engine, document: dict[str, Any], *, floor: bool = False, checkpoints: bool = True, limit: bool = False
) -> Iterator[Workspace]:
    """A workspace on an emulator that has this organization.

    Args:
        engine: the engine to run with.
        document: the organization.
        floor: whether the providers are to do nothing.
        checkpoints: whether the engine saves the state with each step, as it does unless told otherwise.
        limit: whether the emulator has Mixpanel's hourly limit on invitations.
    """
    with (
        tempfile.TemporaryDirectory(prefix="mixpanel-access-bench-") as folder,
        EmulatorServer(document, limit_invitations=limit) as server,
    ):
        emulator = Emulator(server.url)
        environ = os.environ | ({} if checkpoints else {CHECKPOINTS: "true"})
        pulumi = pulumi_project(engine, Path(folder), emulator, environ)
        stack_file = pulumi.project / "stacks" / f"Pulumi.{STACK}.yaml"
        # Everybody leaves on destroy, which is what is measured here and what the brakes are there to hold.
        stack_file.write_text(stack_file.read_text() + "  mixpanel:releaseBrakes: removalShare,grantShare\n")
        if floor:
            program = pulumi.project / "stacks" / "__main__.py"
            program.write_text(PROLOGUE + program.read_text())
        pulumi.run("stack", "init", STACK)
        yield Workspace(pulumi, emulator, checkpoints)


def organization(members: Sequence[str] = (), projects: Sequence[int] = PROJECTS) -> dict[str, Any]:
    """An organization with two owners, the projects, and some members without grants."""
    return {
        "organization": {"id": _ORGANIZATION, "name": "Bench"},
        "members": [{"email": f"owner{n}@example.com", "role": "owner"} for n in range(2)]
        + [{"email": email, "role": "member"} for email in members],
        "projects": [{"id": id_, "name": f"Project {id_}"} for id_ in projects],
        "service_accounts": [{"username": USERNAME, "secret": SECRET}],
    }


def roster(grants: int, projects: Sequence[int] = PROJECTS, **more: Any) -> dict[str, Any]:
    """A roster of so many grants, `GRANTS_EACH` a person, over the projects in turn, with more top-level fields."""
    return {
        "environment": "production",
        "organizationRoles": True,
        "projects": {f"p{id_}": {"id": id_, "environment": "production"} for id_ in projects},
        "people": [
            {
                "email": email_of(number),
                "organizationRole": "member",
                "projects": {f"p{id_}": "analyst" for id_ in projects_of(number, projects)},
                "ticket": f"OPS-{number}",
            }
            for number in range(grants // GRANTS_EACH)
        ],
        **more,
    }


def projects_of(person: int, projects: Sequence[int] = PROJECTS) -> list[int]:
    """The projects in which the n-th person has a grant."""
    return [projects[(person + n) % len(projects)] for n in range(GRANTS_EACH)]


def email_of(number: int) -> str:
    """The address of the n-th person."""
    return f"person{number:05}@example.com"


def cost_of(emulator: Emulator, act: Callable[[], object], project: Path | None = None) -> Cost:
    """What something costs.

    Args:
        emulator: where it sends its requests.
        act: what to do.
        project: whose provider's memory is looked at; None for nobody's.
    """
    emulator.control("DELETE", "requests")
    with _peak(project) if project else nullcontext([0.0]) as peak:
        begun = time.perf_counter()
        act()
        seconds = time.perf_counter() - begun
    log = emulator.control("GET", "requests")
    writes = sum(n for endpoint, n in log["by_endpoint"].items() if not endpoint.startswith("GET "))
    return Cost(log["total"], writes, log["bytes_out"], round(seconds, 2), peak[0] or None)


@contextmanager
def _peak(project: Path) -> Iterator[list[float]]:
    """While it is open, look for the provider's process of a project; the list's one number is its peak, in MB."""
    peak, done = [0.0], threading.Event()

    def watch() -> None:
        while not done.wait(_LOOK_SECONDS):
            peak[0] = max(peak[0], _provider_mb(project))

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    try:
        yield peak
    finally:
        done.set()
        watching.join()


def _provider_mb(project: Path) -> float:
    """By Linux's /proc; 0 where there is none."""
    found = 0.0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            ours = any(server in command for server in _SERVERS) and (process / "cwd").resolve().is_relative_to(project)
            status = (process / "status").read_text() if ours else ""
        except OSError:  # it has just ended
            continue
        for line in status.splitlines():
            if line.startswith("VmHWM:"):
                found = max(found, round(int(line.split()[1]) / 1024, 1))
    return found
