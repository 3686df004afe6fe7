"""Lists that show a write late: every verb, by so many reads, with and without its answer.

As long as the lists are late by less than a run looks again, one run does everything, as if they were not. Where they
are later, an error says so, nothing is done twice, and the next run finishes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.faults import test_faults, test_project_access, test_role_faults
from tests.faults.conftest import World
from tests.faults.mini_engine import MiniEngine, Program

BO = test_faults.BO
READS = (1, 3, 6)
"""How late; six reads are the most that are looked at again within ten seconds."""
TOO_LATE = 60

Step = Callable[[World, MiniEngine], Program]


def _whole(name: str) -> Step:
    before, program = test_project_access.STEPS[name]

    def step(_world: World, engine: MiniEngine) -> Program:
        assert engine.up(before), engine.failures
        return program

    return step


STEPS: dict[str, Step] = {
    **test_faults.STEPS,
    **{f"project: {name}": _whole(name) for name in test_project_access.STEPS},
    **{f"role: {name}": step for name, step in test_role_faults.STEPS.items()},
}
LOST = {
    "answered": [],
    "lost": [
        {"kind": "drop_after", "method": method, "path_prefix": "/", "count": 1} for method in ("POST", "PUT", "DELETE")
    ],
}


def late(world: World, reads: int, *faults: dict[str, Any]) -> None:
    """Lists are late from now on, by so many reads; and further faults."""
    world.control("POST", "faults", [{"method": "GET", "path_prefix": "/", "kind": "stale", "count": reads}, *faults])


def access(world: World) -> dict[str, Any]:
    """What is in the organization, without what only times tell."""
    dump = world.dump()
    members = {row["email"]: row["role"] for row in dump["members"]}
    roles = {row["id"]: [role["name"] for role in row.get("custom_roles", [])] for row in dump["projects"]}
    grants = {(row["project"], row["email"]): len(row["role"]) > 20 or row["role"] for row in dump["grants"]}
    return {"members": members, "grants": grants, "teams": world.teams(), "roles": roles, "security": dump["security"]}


def expected(world: World, step: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What the step comes to where no list is late, and the e-mails."""
    engine = MiniEngine(world.session)
    assert engine.up(STEPS[step](world, engine)), engine.failures
    outcome = access(world), [mail["email"] for mail in world.control("GET", "mails")]
    world.reset()
    return outcome


@pytest.mark.parametrize("answer", LOST)
@pytest.mark.parametrize("reads", READS)
@pytest.mark.parametrize("step", STEPS)
def test_one_run_does_everything(world: World, step: str, reads: int, answer: str) -> None:
    """The organization and the e-mails are as without late lists, and nothing is left to do."""
    wanted = expected(world, step)
    engine = MiniEngine(world.session)
    program = STEPS[step](world, engine)
    late(world, reads, *LOST[answer])
    assert engine.up(program), engine.failures
    assert (access(world), [mail["email"] for mail in world.control("GET", "mails")]) == wanted
    world.control("DELETE", "faults")
    assert engine.refresh()
    assert engine.plan(program) == []


@pytest.mark.parametrize("answer", LOST)
@pytest.mark.parametrize("step", STEPS)
def test_where_they_are_too_late_the_next_run_finishes(world: World, step: str, answer: str) -> None:
    """The error is clear; the next run adopts what is there, and no e-mail goes out twice."""
    wanted = expected(world, step)
    engine = MiniEngine(world.session)
    program = STEPS[step](world, engine)
    late(world, TOO_LATE, *LOST[answer])
    engine.up(program, continue_on_error=True)
    for failure in engine.failures:
        assert str(failure).startswith("cannot ")
    world.control("DELETE", "faults")
    for _ in range(2):  # what depended on the first failure
        engine.up(program)
    assert not engine.failures
    assert (access(world), [mail["email"] for mail in world.control("GET", "mails")]) == wanted
    assert engine.refresh()
    assert engine.plan(program) == []
