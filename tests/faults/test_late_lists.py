"""Lists that show a write late: every verb, by so many reads, with and without its answer.

As long as the lists are late by less than a run looks again, one run does everything, as if they were not. Where they
are later, an error says so, nothing is done twice, and the next run finishes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mixpanel_access.model.errors import AccessError, Unintelligible
from mixpanel_access.provider.base import AccessProvider
from mixpanel_access.provider.service_account import ServiceAccountProvider
from mixpanel_access.provider.service_account_grant import ServiceAccountGrantProvider
from tests.faults import test_faults, test_project_access, test_role_faults, test_scim_faults
from tests.faults.conftest import ORG, SHOP, World
from tests.faults.mini_engine import MiniEngine, Program
from tests.faults.sampling import MANY
from tests.faults.test_service_account_faults import ACCOUNT, accounts, attempt, logs_in

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


@pytest.fixture(scope="module")
def outcomes() -> dict[str, Any]:
    """What each step comes to where no list is late, once it is known."""
    return {}


def expected(world: World, outcomes: dict[str, Any], step: str) -> Any:
    """What the step comes to where no list is late, and the e-mails."""
    if step not in outcomes:
        engine = MiniEngine(world.session, keeps="group" in step)
        assert engine.up(STEPS[step](world, engine)), engine.failures
        outcomes[step] = came(world)
        world.reset()
    return outcomes[step]


def came(world: World) -> Any:
    """The organization, and to whom e-mails went."""
    return access(world), [mail["email"] for mail in world.control("GET", "mails")]


IN_TIME = [(step, reads, answer) for step in STEPS for reads in READS for answer in LOST]
LATER = [
    (step, answer, server)
    for step in STEPS
    for answer in LOST
    for server, keeps in test_faults.SERVERS.items()
    if keeps or "group" not in step  # which needs our server
]
"""All for `make reliability`; else each step in some of the ways, and all the ways over all steps."""


@pytest.mark.parametrize(("step", "reads", "answer"), IN_TIME if MANY else IN_TIME[::5])
def test_one_run_does_everything(world: World, outcomes: Any, step: str, reads: int, answer: str) -> None:
    """The organization and the e-mails are as without late lists, and nothing is left to do."""
    wanted = expected(world, outcomes, step)
    engine = MiniEngine(world.session, keeps="group" in step)
    program = STEPS[step](world, engine)
    late(world, reads, *LOST[answer])
    assert engine.up(program), engine.failures
    assert came(world) == wanted
    world.control("DELETE", "faults")
    assert engine.refresh()
    assert engine.plan(program) == []


@pytest.mark.parametrize(("step", "answer", "server"), LATER if MANY else LATER[1::5])
def test_where_they_are_too_late_the_next_run_finishes(
    world: World, outcomes: Any, step: str, answer: str, server: str
) -> None:
    """The error is clear; the next run adopts what is there, and no e-mail goes out twice."""
    wanted = expected(world, outcomes, step)
    engine = MiniEngine(world.session, keeps=test_faults.SERVERS[server])
    program = STEPS[step](world, engine)
    late(world, TOO_LATE, *LOST[answer])
    engine.up(program, continue_on_error=True)
    for failure in engine.failures:
        assert str(failure).startswith("cannot ")
    world.control("DELETE", "faults")
    for _ in range(2):  # what depended on the first failure
        engine.up(program)
    assert not engine.failures
    assert came(world) == wanted
    assert engine.refresh()
    assert engine.plan(program) == []


PROVISIONED = test_scim_faults.STEPS


@pytest.fixture
def scim(world: World) -> Iterator[World]:
    """A claimed domain; sessions have the token."""
    yield from test_scim_faults.claimed(world)


@pytest.mark.parametrize(("step", "reads"), [(step, reads) for step in PROVISIONED for reads in (2, TOO_LATE)])
def test_nobody_who_comes_by_scim_is_invited(scim: World, step: str, reads: int) -> None:
    """However late the lists are; one run does everything if they are in time."""
    engine = MiniEngine(scim.session)
    program = PROVISIONED[step](scim, engine)
    late(scim, reads)
    done = engine.up(program, continue_on_error=True)
    # Another thread's write between two pages of the list is told, not guessed at.
    assert done or reads == TOO_LATE or all(isinstance(one, Unintelligible) for one in engine.failures), engine.failures
    scim.control("DELETE", "faults")
    for _ in range(2):
        engine.up(program)
    assert not engine.failures
    test_scim_faults.assert_as_declared(scim, program)
    assert engine.refresh()
    assert engine.plan(program) == []


@pytest.mark.parametrize("answer", LOST)
@pytest.mark.parametrize("reads", [1, 6, TOO_LATE])
def test_a_service_account_is_made_once(world: World, reads: int, answer: str) -> None:
    """The one whose token is in the state is the only one, and its role is given, changed and taken away."""
    late(world, reads, *LOST[answer])
    made = attempt(world, ServiceAccountProvider, lambda provider: provider.create(dict(ACCOUNT)))
    (account,) = (one for one in accounts(world) if one["id"] == made.outs["account_id"])
    others = [one for one in accounts(world) if one != account]
    assert logs_in(world, made.outs)
    if reads == TOO_LATE and answer == "lost":  # nobody can see the first one, whose token is lost
        assert len(others) == 1
        return
    assert others == []
    grant = {"service_account_id": account["id"], "project_id": SHOP, "role": "analyst"}
    admin, place = {**grant, "role": "admin"}, f"{ORG}:{SHOP}:{account['id']}"
    steps: list[Callable[[AccessProvider], Any]] = [
        lambda one: one.create(dict(grant)),
        lambda one: one.update(place, grant, admin),
        lambda one: one.delete(place, admin),
    ]
    for act, role in zip(steps, ("analyst", "admin", None), strict=True):
        if reads == TOO_LATE and role is None:
            world.control("DELETE", "faults")
            reads = 0
        outcome = attempt(world, ServiceAccountGrantProvider, act)
        if reads == TOO_LATE:
            assert isinstance(outcome, AccessError)
            assert "10 seconds later. Run again: nothing is done twice" in str(outcome)
        else:
            assert not isinstance(outcome, AccessError), outcome
        assert [row["projects"] for row in accounts(world)] == [[{"id": SHOP, "role": role}] if role else []]
    attempt(world, ServiceAccountProvider, lambda one: one.delete(f"{ORG}:{account['id']}", dict(ACCOUNT)))
    world.control("DELETE", "faults")
    attempt(world, ServiceAccountProvider, lambda one: one.delete(f"{ORG}:{account['id']}", dict(ACCOUNT)))
    assert accounts(world) == []


def test_a_removal_that_still_shows_does_not_keep_the_person(world: World) -> None:
    """Each list shows late that a grant or a membership in a team is gone; the person leaves in the same run anyhow."""
    engine = MiniEngine(world.session)
    assert engine.up({**test_faults.IN_TEAM, **test_faults.BOTH})
    world.control("POST", "invitations/accept", {"email": BO})
    assert engine.refresh()
    late(world, 4)
    assert engine.up({}), engine.failures
    assert BO not in world.members()
    assert "Data" not in world.teams()
