"""The stacks of one organization's business units, four runs at a time; `make bench` runs twenty large ones."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bench.stacks import AT_ONCE, ROUNDS
from bench.units import Units, sent
from mixpanel_access.engine import Engine
from tests.engine.conftest import Workspace, workspace_on

pytestmark = [pytest.mark.engine, pytest.mark.python_engine]

UNITS = Units(count=5, people=2, new=2, projects=2)
INVITED = {"up (create)": len(UNITS.newcomers)}
"""Round -> how many invitations it sends; 0 in the others."""


@pytest.mark.timeout(300)
def test_stacks_that_run_at_the_same_time_invite_each_person_once(python_engine: Engine, tmp_path: Path) -> None:
    """Two stacks declare each second new person: one invites them, and when both drop them, they leave."""
    with workspace_on(UNITS.organization(), python_engine, tmp_path) as workspace:
        for stack in UNITS.stacks:
            add(workspace, stack)
        for name, (newcomers, arguments) in ROUNDS.items():
            before = sent(workspace.emulator)
            for unit, stack in enumerate(UNITS.stacks):
                text = json.dumps(UNITS.roster(unit, newcomers=newcomers))
                (workspace.stacks / f"{stack}.yaml").write_text(text)
            with ThreadPoolExecutor(AT_ONCE) as threads:
                list(threads.map(lambda stack, run=arguments: workspace.run(*run, "--stack", stack), UNITS.stacks))
            assert UNITS.wrong(workspace.emulator, newcomers=newcomers) == []
            assert sent(workspace.emulator) - before == INVITED.get(name, 0)


def add(workspace: Workspace, stack: str) -> None:
    """A stack on the organization, whose brakes are released: a third of its people leave."""
    workspace.add(stack)
    settings = {"organizationId": 7654321, "environment": "production", "releaseBrakes": "removalShare,grantShare"}
    pairs = (part for key, value in settings.items() for part in ("--plaintext", f"mixpanel:{key}={value}"))
    workspace.run("config", "set-all", *pairs, "--stack", stack)
