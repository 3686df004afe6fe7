"""`ProjectAccess` under every fault: one more run, and the project's grants are as declared."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults.conftest import WAREHOUSE, World, organization
from tests.faults.mini_engine import MiniEngine, Program
from tests.faults.sampling import every_pair
from tests.faults.test_faults import BO, FAULTS, SERVERS, fault

STRANGERS = [row["email"] for row in organization()["grants"]]
TEAM = {BO: "analyst", STRANGERS[0]: "consumer", STRANGERS[1]: "admin"}


def whole(grants: dict[str, str]) -> Program:
    """One project as a whole."""
    return {("whole", str(WAREHOUSE)): {"project_id": WAREHOUSE, "grants": grants}}


def shared(grants: dict[str, str]) -> Program:
    """The same in a group, which shares the project."""
    return {("whole", str(WAREHOUSE)): {"project_id": WAREHOUSE, "grants": grants, "exclusive": False}}


def singles(grants: dict[str, str]) -> Program:
    """The same one by one."""
    return {
        ("grant", f"{WAREHOUSE}:{email}"): {"project_id": WAREHOUSE, "email": email, "role": role}
        for email, role in grants.items()
    }


STEPS: dict[str, tuple[Program, Program]] = {
    "create": ({}, whole(TEAM)),
    "give and change": (whole({BO: "consumer"}), whole(TEAM)),
    "take and change": (whole(TEAM), whole({BO: "admin"})),
    "delete": (whole(TEAM), {}),
    "from single grants": (singles(TEAM), whole(TEAM)),
    "to single grants": (whole(TEAM), singles(TEAM)),
    "create a group": ({}, shared(TEAM)),
    "give and change in a group": (shared({BO: "consumer"}), shared(TEAM)),
    "take and change in a group": (shared(TEAM), shared({BO: "admin"})),
    "delete a group": (shared(TEAM), {}),
    "from single grants to a group": (singles(TEAM), shared(TEAM)),
    "from a group to single grants": (shared(TEAM), singles(TEAM)),
}

SENT = [(step, method) for step in STEPS for method in ("POST", "GET") if method == "GET" or "single" not in step]
"""Each step with the methods of its requests: to go from one way to the other writes nothing."""
CASES = [
    (step, name, method, count, server)
    for (step, method), name, count, server in every_pair(SENT, FAULTS, (1, 20), SERVERS)
    if SERVERS[server] or "group" not in step
]


def declared(program: Program) -> dict[tuple[int, str], str]:
    """The grants that a program declares."""
    found: dict[tuple[int, str], str] = {}
    for (kind, _), inputs in program.items():
        of_one = inputs["grants"] if kind == "whole" else {inputs["email"]: inputs["role"]}
        found |= {(inputs["project_id"], email): role for email, role in of_one.items()}
    return found


@pytest.mark.parametrize(("step", "name", "method", "count", "server"), CASES)
def test_one_more_run_and_the_grants_are_as_declared(
    world: World, step: str, name: str, method: str, count: int, server: str
) -> None:
    """Whatever happens to the writes or the reads of a run; nobody is invited twice, and nobody leaves."""
    if count > 1 and FAULTS[name]["kind"] == "delay":
        count = 2  # each costs its time
    engine = MiniEngine(world.session, keeps=SERVERS[server])
    before, program = STEPS[step]
    assert engine.up(before), engine.failures
    faults: list[dict[str, Any]] = fault(name, method, count)
    world.control("POST", "faults", faults)
    engine.up(program)
    for failure in engine.failures:
        assert str(failure).startswith("cannot ")
    world.control("DELETE", "faults")
    assert engine.up(program), engine.failures
    assert {place: role for place, role in world.grants().items() if place[0] == WAREHOUSE} == declared(program)
    assert world.mails(BO) == 1
    assert set(world.members()) == {BO, *(row["email"] for row in organization()["members"])}
    assert engine.refresh()
    assert engine.plan(program) == []
