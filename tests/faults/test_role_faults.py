"""Custom roles and security settings under every fault: one more run, and all is as declared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.faults.conftest import ORG, SHOP, World
from tests.faults.mini_engine import MiniEngine, Program
from tests.faults.sampling import every_pair
from tests.faults.test_faults import FAULTS, fault

SUPPORT = ("role", "support")
ROLE = {"project_id": SHOP, "name": "Support", "description": "", "permissions": ["export_reports_csv"]}
SECURITY = ("security", "it")
SETTINGS = {"two_factor_required": True, "request_access": {"mode": "ask"}}
BOTH: Program = {SUPPORT: ROLE, SECURITY: SETTINGS}

Step = Callable[[World, MiniEngine], Program]


def _create(world: World, engine: MiniEngine) -> Program:  # it begins with nothing
    return BOTH


def _adopt(world: World, engine: MiniEngine) -> Program:  # another stack's
    other = MiniEngine(world.session)
    assert other.up({SUPPORT: {**ROLE, "permissions": ["create_reports"], "description": "by hand"}})
    return BOTH


def _change(world: World, engine: MiniEngine) -> Program:  # the state is the engine's
    assert engine.up(BOTH)
    changed = {**ROLE, "name": "Helpers", "permissions": ["create_reports"], "description": "Answers"}
    return {SUPPORT: changed, SECURITY: {"two_factor_required": False, "request_access": {"mode": "open", "more": 1}}}


def _remove(world: World, engine: MiniEngine) -> Program:  # the state is the engine's
    assert engine.up(BOTH)
    return {SECURITY: SETTINGS}


STEPS: dict[str, Step] = {"create": _create, "adopt": _adopt, "change": _change, "remove": _remove}
SENT = [
    ("create", "POST"), ("create", "GET"),
    ("adopt", "PUT"), ("adopt", "POST"), ("adopt", "GET"),
    ("change", "PUT"), ("change", "POST"), ("change", "GET"),
    ("remove", "DELETE"), ("remove", "GET"),
]  # fmt: skip
"""Each step with the methods of its requests."""
CASES = [(step, name, method, count) for (step, method), name, count in every_pair(SENT, FAULTS, (1, 20))]


def roles(world: World) -> list[tuple[str, str, set[str]]]:
    """The custom roles of the project: name, description, permissions."""
    found: list[dict[str, Any]] = next(
        project["custom_roles"] for project in world.dump()["projects"] if project["id"] == SHOP
    )
    return [(role["name"], role["description"], set(role["permissions"])) for role in found]


@pytest.mark.parametrize(("step", "name", "method", "count"), CASES)
def test_one_more_run_and_all_is_as_declared(world: World, step: str, name: str, method: str, count: int) -> None:
    """There is one role of the name, or none, and what the settings had besides is still there."""
    if count > 1 and FAULTS[name]["kind"] == "delay":
        count = 2  # each costs its time
    engine = MiniEngine(world.session)
    before = {"kept": [1]}
    world.client.post(f"/organizations/{ORG}/org-request-access-settings/update", json=before, auth=("bot", "s3cret"))
    program = STEPS[step](world, engine)
    world.control("POST", "faults", fault(name, method, count))
    engine.up(program)
    for failure in engine.failures:
        assert str(failure).startswith(("cannot ", "it cannot be set, since it cannot be read here"))
    world.control("DELETE", "faults")
    assert engine.up(program), engine.failures
    wanted = [inputs for (kind, _), inputs in program.items() if kind == "role"]
    declared = [(one["name"], one["description"], {*one["permissions"], "view_project"}) for one in wanted]
    assert roles(world) == declared
    security = world.dump()["security"]
    settings = program[SECURITY]
    assert security["twofactor"] == {"twofactor_auth_required": settings["two_factor_required"]}
    assert security["request_access"] == {**before, **settings["request_access"]}
    assert engine.refresh()
    assert engine.plan(program) == []


@pytest.mark.parametrize("name", FAULTS)
def test_a_refresh_under_faults_loses_nothing(world: World, name: str) -> None:
    """A read that fails is never taken for absence, and no setting for another."""
    engine = MiniEngine(world.session)
    assert engine.up(BOTH)
    assert engine.refresh()  # which shows what only a refresh reads
    before = dict(engine.state)
    world.control("POST", "faults", fault(name, "GET", 3 if FAULTS[name]["kind"] == "delay" else 60))
    engine.refresh()
    assert engine.state.keys() == before.keys()
    world.control("DELETE", "faults")
    assert engine.refresh()
    assert engine.state == before
