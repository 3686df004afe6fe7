"""Twenty stacks over one organization, four runs at a time: requests, seconds, and that nobody is invited twice."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Final

from bench.comparison import FIELDS, GROUPED
from bench.lifecycle import UP
from bench.units import Units, sent
from bench.workspaces import STACK, Cost, Workspace, workspace
from mixpanel_access.engine import Engine

UNITS: Final = 20
PEOPLE: Final = 250
"""People of each unit who are members already."""
NEW: Final = 10
"""New people of each unit, half of whom have access in the next one, too."""
PROJECTS: Final = 10
AT_ONCE: Final = 4
"""Runs at a time."""
ROUNDS: Final = {
    "up (create)": (True, UP),
    "up --refresh (unchanged)": (True, (*UP, "--refresh", "--expect-no-changes")),
    "up (the new people leave)": (False, UP),
}
"""Round -> whether the rosters have the new people, and what each stack runs."""


@dataclass(frozen=True)
class RoundFigure:
    """One run of every stack.

    Attributes:
        stacks: how many.
        people: in the organization when everybody is there.
        projects: of the organization.
        round: what was run.
        cost: of all runs together.
        invitations: sent in the round.
    """

    stacks: int
    people: int
    projects: int
    round: str
    cost: Cost
    invitations: int


def measure_stacks(engine: Engine, people: int = PEOPLE) -> Iterator[RoundFigure]:
    """The rounds, each over all stacks.

    Raises:
        RuntimeError: somebody was invited twice, or something is not as the rosters declare it.
    """
    units = Units(count=UNITS, people=people, new=NEW, projects=PROJECTS, fields=FIELDS[GROUPED])
    with workspace(engine, units.organization()) as ours:
        for stack in units.stacks:
            _add(ours, stack)
        for name, (newcomers, arguments) in ROUNDS.items():
            for unit, stack in enumerate(units.stacks):
                file = ours.pulumi.project / "stacks" / f"{stack}.yaml"
                file.write_text(json.dumps(units.roster(unit, newcomers=newcomers)))
            before = sent(ours.emulator)
            cost = ours.cost(partial(_run_all, ours, units.stacks, arguments))
            if wrong := units.wrong(ours.emulator, newcomers=newcomers):
                raise RuntimeError(f"{name}: {'; '.join(wrong[:10])}{' …' if len(wrong) > 10 else ''}")
            yield RoundFigure(
                stacks=UNITS,
                people=len(units.known) + len(units.newcomers),
                projects=UNITS * PROJECTS,
                round=name,
                cost=cost,
                invitations=sent(ours.emulator) - before,
            )


def _add(ours: Workspace, stack: str) -> None:
    """A stack with the settings of the one that is there."""
    folder = ours.pulumi.project / "stacks"
    ours.pulumi.run("stack", "init", stack)
    shutil.copy(folder / f"Pulumi.{STACK}.yaml", folder / f"Pulumi.{stack}.yaml")


def _run_all(ours: Workspace, stacks: list[str], arguments: tuple[str, ...]) -> None:
    with ThreadPoolExecutor(AT_ONCE) as threads:
        for run in [threads.submit(ours.pulumi.run, *arguments, "--stack", stack, timeout=3600) for stack in stacks]:
            run.result()
