"""The engine of the scripted lives does what the engine in Python does; and a life of ten days on the real engine."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from mixpanel_access.engine import Engine
from mixpanel_access.model.dates import written
from mixpanel_access.model.resources import PROJECT_ACCESS_TYPE
from tests.engine.conftest import workspace_on
from tests.engine.test_python_engine import varying_left_out
from tests.in_process import emulating, without_sockets
from tests.lives.checks import AHEAD, Day
from tests.lives.draft import STACKS, Event
from tests.lives.engine_world import EngineWorld
from tests.lives.script import Script
from tests.lives.truth import Truth
from tests.lives.world import World, document_of

pytestmark = pytest.mark.engine

_OF_THE_SDK = ("sourcePosition", "stackTrace")
"""What a state has of where in a program a resource is made."""

_WHEN_READ = ("team_projects", "effective_role", "grant_types")
"""Outputs that tell of other resources, of which some may be made at the same time."""
_OF_OTHER_SOURCES = "beside"
"""Such an output of a `ProjectAccess`; an input of this name, which other resources have, is always the same."""


class WithNow(World):
    """The world of the lives, which goes by `mixpanel:now` as well."""

    def set_clock(self, now: datetime) -> None:
        super().set_clock(now)
        for stack in STACKS:
            self.shared.configs[stack]["mixpanel:now"] = written(now)


def state_of(world: World, stack: str) -> list[str]:
    """A stack's state, without what is another in each run."""
    file = world.folder / "state/.pulumi/stacks/mixpanel-access" / f"{stack}.json"
    rows = json.loads(file.read_text())["checkpoint"]["latest"].get("resources", [])
    return sorted(varying_left_out(_plain(row)) for row in rows)


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in row.items() if key not in _OF_THE_SDK}
    for part in ("inputs", "outputs"):
        kept[part] = {key: value for key, value in kept.get(part, {}).items() if key not in _WHEN_READ}
    if kept["type"] == PROJECT_ACCESS_TYPE:
        kept["outputs"].pop(_OF_OTHER_SOURCES, None)
    return kept | {"dependencies": sorted(kept.get("dependencies", ()))}


def steps_of(world: World, stack: str) -> Any:
    """The steps of a stack's last run, counted."""
    files = (world.folder / "state/.pulumi/history/mixpanel-access" / stack).glob("*.history.json")
    last = max(files, default=None)
    return json.loads(last.read_text())["resourceChanges"] if last else None


def requests_of(world: World) -> list[str]:
    """What was written since it was asked for last; how many go out as one, and what is read, is a matter of time."""
    counts = world.client.get("/_emulator/requests").json()["by_endpoint"]
    world.client.delete("/_emulator/requests")
    return sorted(name for name in counts if not name.startswith("GET") and "_emulator" not in name)


@pytest.mark.python_engine
@pytest.mark.parametrize("seed", [7])
def test_the_engine_of_the_lives_does_what_the_engine_in_python_does(
    seed: int, python_engine: Engine, tmp_path: Path
) -> None:
    """The same states, steps and requests come of each run in the first days of a life."""
    script = Script(seed)
    document = document_of(script.start)
    (tmp_path / "quick").mkdir()
    with (
        workspace_on(document, python_engine, tmp_path) as workspace,
        emulating(document, limit_invitations=False) as server,
        without_sockets(server) as transport,
        EngineWorld(workspace, script.start) as real,
        WithNow(script, tmp_path / "quick", server, transport) as lived,
    ):
        for number in range(3):
            for event in script.beginning() if number == 0 else script.day():
                slow, quick = (_after(world, event, script) for world in (real, lived))
                for part, true in slow.items():
                    assert quick[part] == true, f"{part} after {event}"


def _after(world: World, event: Event, script: Script) -> dict[str, Any]:
    requests_of(world)
    world.happen(event)
    organization = world.look(script.organization)
    found: dict[str, Any] = {f"state of {stack}": state_of(world, stack) for stack in STACKS}
    if event.what == "up":
        found |= {"requests": requests_of(world), "steps": steps_of(world, event.arguments[0])}
    return found | {"organization": organization}


def test_ten_days_of_a_life_on_the_real_engine(engine: Engine, tmp_path: Path) -> None:
    """After each event the organization is as the script says; in the end, all commands and the preview agree."""
    script = Script(11, runs=0.25)
    with (
        workspace_on(document_of(script.start), engine, tmp_path) as workspace,
        EngineWorld(workspace, script.start) as world,
    ):
        for number in range(10):
            for event in script.beginning() if number == 0 else script.day():
                world.happen(event)
                assert world.look(script.organization) == script.organization.as_sets(), event
        assert Day(world, Truth(script.landscape, script.now, AHEAD), Random(11)).disagreements() == []
