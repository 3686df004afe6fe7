"""What preview, up, refresh and import of N grants cost, beside the floor: the same program with nothing to do."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from bench.workspaces import STACK, Cost, Workspace, organization, roster, workspace
from mixpanel_access.engine import Engine
from mixpanel_access.operations.import_plan import Wanted
from mixpanel_access.operations.importing import Request, carry_out, prepare
from mixpanel_access.operations.project import Project

PREVIEW: Final = ("preview", "--expect-no-changes")
REFRESH: Final = ("refresh", "--yes", "--skip-preview", "--expect-no-changes")
UP: Final = ("up", "--yes", "--skip-preview")
REFRESHES: Final = 3
"""How often refresh is measured at any size: it takes seconds, of which two runs may differ by a tenth."""


@dataclass(frozen=True)
class Figure:
    """One command over one size.

    Attributes:
        grants: how many grants; with their people and the brake, they are the resources.
        checkpoints: whether the engine saved the state with each step.
        command: what was run.
        ours: what it cost.
        floor: seconds of the same with providers that do nothing; None where there is no such thing.
    """

    grants: int
    checkpoints: bool
    command: str
    ours: Cost
    floor: float | None

    @property
    def ratio(self) -> float | None:
        """How much longer than the floor it took."""
        return round(self.ours.seconds / self.floor, 2) if self.floor else None


@dataclass(frozen=True)
class State:
    """The state after an up.

    Attributes:
        grants: how many grants.
        resources: how many resources it has.
        bytes: its size as compact JSON.
        floor_bytes: that of the floor's.
    """

    grants: int
    resources: int
    bytes: int
    floor_bytes: int


def measure(engine: Engine, grants: int, *, checkpoints: bool, times: int) -> Iterator[Figure | State]:
    """The commands of one lifecycle, ours and the floor's in turn; what can be repeated is, and the shortest counts."""
    with ExitStack() as stack:
        ours, floor = (
            stack.enter_context(workspace(engine, organization(), floor=floor, checkpoints=checkpoints))
            for floor in (False, True)
        )
        for one in (ours, floor):
            (one.pulumi.project / "stacks" / f"{STACK}.yaml").write_text(json.dumps(roster(grants)))

        def both(name: str, times: int, *args: str) -> Figure:
            taken = [(ours.run(*args), floor.run(*args)) for _ in range(times)]
            cost = min((cost for cost, _ in taken), key=lambda cost: cost.seconds)
            return Figure(grants, checkpoints, name, cost, min(least.seconds for _, least in taken))

        def alone(name: str, act: Callable[[], object]) -> Figure:
            return Figure(grants, checkpoints, name, ours.cost(act), None)

        yield both("preview (create)", times, "preview")
        yield both("up (create)", 1, *UP)
        yield _state(grants, ours, floor)
        yield both("preview (unchanged)", times, *PREVIEW)
        yield both("refresh", REFRESHES, *REFRESH)
        # The import is of everything that `up` has made: the state is emptied, the roster stays.
        ours.pulumi.run("state", "delete", "--all", "--yes", "--stack", STACK)
        yield alone("import", lambda: import_all(Project(ours.pulumi)))
        yield both("destroy", 1, "destroy", "--yes", "--skip-preview")


def import_all(project: Project) -> None:
    """Import everybody whom the roster has."""
    carry_out(project, prepare(project, Request(STACK, Wanted(["person*"])), quiet), quiet)


def quiet(_line: str) -> None:
    """Say nothing of what is being done."""


def _state(grants: int, ours: Workspace, floor: Workspace) -> State:
    resources, size = ours.state_bytes()
    return State(grants, resources, size, floor.state_bytes()[1])
