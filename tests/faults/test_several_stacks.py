"""Several stacks of one project declare one person: the last to end takes them out, in any order and at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import permutations
from typing import Any

import pytest

from mixpanel_access.model.brakes import Limits
from mixpanel_access.provider.session import Session
from mixpanel_access.provider.states import ExportedResource, RosterPeople, StackStates, States
from tests.faults.conftest import SHOP, WAREHOUSE, World
from tests.faults.mini_engine import TYPES, MiniEngine, Program

CY = "cy@example.com"
STACKS = ("demo", "production", "staging")
PROJECTS = {"demo": None, "production": SHOP, "staging": WAREHOUSE}
"""Stack -> the project in which it gives the person something; the first only declares the person."""


def program(stack: str, **more: Any) -> Program:
    """What a stack declares of the person."""
    declared: dict[tuple[str, str], dict[str, Any]] = {("member", CY): {"email": CY, "removal": "when_unused", **more}}
    if project := PROJECTS[stack]:
        declared["grant", CY] = {"project_id": project, "email": CY, "role": "consumer"}
    return declared


class Project:
    """Three stacks on one organization, each of which can read the others' states, and their rosters."""

    def __init__(self, world: World) -> None:
        self.rosters: set[str] = set()
        self.said: list[str] = []
        self.stacks = {name: MiniEngine(partial(self._session, world, name)) for name in STACKS}

    def _session(self, world: World, stack: str, limits: Limits, fresh: bool) -> Session:
        session = world.session(limits, fresh, self.said.append)
        session.states = States(
            self._states,
            lambda: stack,
            lambda other, _: RosterPeople({CY} if other in self.rosters else frozenset()),
        )
        return session

    def _states(self) -> StackStates:
        return StackStates(
            {
                name: [
                    ExportedResource(TYPES[kind], key, held.id, held.outputs)
                    for (kind, key), held in list(engine.state.items())
                ]
                for name, engine in self.stacks.items()
            }
        )

    def up(self, stack: str, declared: Program) -> None:
        """Declare this in a stack, by its roster; all of it succeeds."""
        self.rosters.discard(stack)
        self.rosters |= {stack} if declared else set()
        assert self.stacks[stack].up(declared), self.stacks[stack].failures


def at_once(*runs: Callable[[], None]) -> None:
    """Run these together."""
    with ThreadPoolExecutor(len(runs)) as threads:
        for run in [threads.submit(run) for run in runs]:
            run.result()


@pytest.mark.parametrize("ends", [*permutations(STACKS)], ids=",".join)
@pytest.mark.parametrize("first", STACKS)
def test_the_last_of_three_stacks_to_end_takes_out_whom_one_invited(
    world: World, first: str, ends: tuple[str, ...]
) -> None:
    """Whichever invited them, and whichever ends first; until then they stay, in the organization and in a state."""
    project = Project(world)
    for stack in sorted(STACKS, key=lambda stack: stack != first):
        project.up(stack, program(stack))
    origins = {stack: engine.state["member", CY].outputs["origin"] for stack, engine in project.stacks.items()}
    assert origins == {stack: "invited" if stack == first else "shared" for stack in STACKS}
    world.control("POST", "invitations/accept", {"email": CY})
    for count, stack in enumerate(ends, 1):
        project.up(stack, {})
        assert (CY in world.members()) is (count < len(STACKS))


@pytest.mark.parametrize("accepted", [True, False])
@pytest.mark.parametrize("together", [("production", "staging"), STACKS])
def test_stacks_that_end_in_the_same_night_leave_nobody(
    world: World, together: tuple[str, ...], accepted: bool
) -> None:
    """Each still sees the person in the others' states, and at first their grants."""
    for _ in range(5):
        project = Project(world)
        for stack in together:
            project.up(stack, program(stack))
        if accepted:
            world.control("POST", "invitations/accept", {"email": CY})
        at_once(*(partial(project.up, stack, {}) for stack in together))
        assert CY not in world.members()
        world.reset()


@pytest.mark.parametrize("ends", ["in turn", "at once"])
def test_whom_two_stacks_found_stays(world: World, ends: str) -> None:
    """Somebody added by hand, then declared by two stacks: a plain member in the end, as before."""
    world.control("POST", "members", {"email": CY, "role": "member"})
    project = Project(world)
    for stack in ("production", "staging"):
        project.up(stack, program(stack))
        assert project.stacks[stack].state["member", CY].outputs["origin"] == "found"
    runs = [partial(project.up, stack, {}) for stack in ("production", "staging")]
    at_once(*runs) if ends == "at once" else [run() for run in runs]
    assert world.members()[CY]["role"] == "member"
    assert not [place for place in world.grants() if place[1] == CY]


def test_the_role_of_an_organization_ends_though_another_stack_keeps_the_person(world: World) -> None:
    """The owner of the roles ends its entry; the other stack's grant stays, and the person is what they were before."""
    world.control("POST", "members", {"email": CY, "role": "billing_admin"})
    project = Project(world)
    project.up("production", program("production", role="admin"))
    project.up("staging", program("staging"))
    assert world.members()[CY]["role"] == "admin"
    project.up("production", {})
    assert world.members()[CY]["role"] == "billing_admin"
    assert world.grants()[WAREHOUSE, CY] == "consumer"


def test_a_person_whom_one_stack_is_just_inviting_is_not_found(world: World) -> None:
    """The other stack's state does not have them yet; its roster does."""
    project = Project(world)
    project.rosters.add("production")
    world.by_hand("add-users/", {"users": [{"email": CY, "role": "member"}]})
    project.up("staging", program("staging"))
    assert project.stacks["staging"].state["member", CY].outputs["origin"] == "shared"
