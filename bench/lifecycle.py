"""What preview, up, refresh and import of N grants cost, next to the floor: the same program with nothing to do."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from bench.workspaces import STACK, Cost, Workspace, organization, roster, workspace
from mixpanel_access.engine import Engine
from mixpanel_access.operations.importing.plan import ImportFilter
from mixpanel_access.operations.importing.run import ImportRequest, carry_out, prepare
from mixpanel_access.operations.project import PulumiProject

PREVIEW: Final = ("preview", "--expect-no-changes")
REFRESH: Final = ("refresh", "--yes", "--skip-preview", "--expect-no-changes")
UP: Final = ("up", "--yes", "--skip-preview")
DESTROY: Final = ("destroy", "--yes", "--skip-preview", "--run-program")
"""Only where the program runs, destroy goes by the brakes that the stack releases today."""
REFRESHES: Final = 5
"""How often refresh is measured at any size: it takes seconds, and there is nothing to undo."""


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


def measure(engine: Engine, grants: int, *, checkpoints: bool, times: int, lives: int) -> Iterator[Figure | State]:
    """The commands of one lifecycle, ours and the floor's in turn.

    Of what is repeated, the pair with the median ratio counts: a machine that others share may be twice as fast a
    minute later, and the two of a pair follow on each other.

    Args:
        engine: the engine to run with.
        grants: how many grants.
        checkpoints: whether the engine saves the state with each step.
        times: how often a preview is measured.
        lives: how often everything is made and destroyed.
    """
    with ExitStack() as stack:
        ours, floor = (
            stack.enter_context(workspace(engine, organization(), floor=floor, checkpoints=checkpoints))
            for floor in (False, True)
        )
        for one in (ours, floor):
            (one.pulumi.project / "stacks" / f"{STACK}.yaml").write_text(json.dumps(roster(grants)))

        def both(*args: str) -> tuple[Cost, Cost]:
            return ours.run(*args), floor.run(*args)

        def figure(name: str, taken: Sequence[tuple[Cost, Cost]]) -> Figure:
            figures = [Figure(grants, checkpoints, name, cost, least.seconds) for cost, least in taken]
            return sorted(figures, key=lambda one: one.ratio or 0)[len(figures) // 2]

        yield figure("preview (create)", [both("preview") for _ in range(times)])
        ups, destroys = [both(*UP)], []
        for _ in range(lives - 1):
            destroys.append(both(*DESTROY))
            ups.append(both(*UP))
        yield figure("up (create)", ups)
        yield _state(grants, ours, floor)
        yield figure("preview (unchanged)", [both(*PREVIEW) for _ in range(times)])
        yield figure("refresh", [both(*REFRESH) for _ in range(REFRESHES)])
        # The import is of everything that `up` has made: the state is emptied, the roster stays.
        ours.pulumi.run("state", "delete", "--all", "--yes", "--stack", STACK)
        importing = ours.cost(lambda: import_all(PulumiProject(ours.pulumi)))
        yield Figure(grants, checkpoints, "import", importing, None)
        yield figure("destroy", [*destroys, both(*DESTROY)])


def import_all(project: PulumiProject) -> None:
    """Import everybody in the roster."""
    carry_out(project, prepare(project, ImportRequest(STACK, ImportFilter(["person*"])), quiet), quiet)


def quiet(_line: str) -> None:
    """Say nothing of what is being done."""


def _state(grants: int, ours: Workspace, floor: Workspace) -> State:
    resources, size = ours.state_bytes()
    return State(grants, resources, size, floor.state_bytes()[1])
