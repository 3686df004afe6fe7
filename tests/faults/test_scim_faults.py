"""SCIM mode under every fault: one more run, and all is as declared."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from mixpanel_access.model.dates import written
from mixpanel_access.model.setting_values import Secret
from tests.faults.conftest import SHOP, World, organization
from tests.faults.mini_engine import MiniEngine, Program
from tests.faults.sampling import every_pair
from tests.faults.test_faults import FAULTS, fault

TOKEN = "scim-token"
BO, CY, ROBIN = "bo@example.com", "cy@example.com", "robin@agency.example.org"
DATA = ("team", "data")
TEAM = {"name": "Data", "removal": "always"}
MEMBERS: Program = {
    ("member", email): {"email": email, "role": "member", "removal": "when_unused"} for email in (BO, CY, ROBIN)
}
ONLY_TEAM: Program = {
    **MEMBERS, DATA: TEAM, ("team grant", "data"): {"team_id": DATA, "project_id": SHOP, "role": "analyst"},
}  # fmt: skip
PLACES: Program = {("team member", email): {"team_id": DATA, "email": email} for email in (BO, CY, ROBIN)}
IN_TEAM: Program = {**ONLY_TEAM, **PLACES}

Step = Callable[[World, MiniEngine], Program]


def _create(world: World, engine: MiniEngine) -> Program:  # it begins with nothing
    return IN_TEAM


def _change(world: World, engine: MiniEngine) -> Program:  # the state is the engine's
    assert engine.up(IN_TEAM)
    gone = {("team member", BO), ("team member", CY), ("member", CY)}
    return {name: inputs for name, inputs in IN_TEAM.items() if name not in gone} | {DATA: {**TEAM, "name": "Data EU"}}


def _remove_all(world: World, engine: MiniEngine) -> Program:
    assert engine.up(IN_TEAM)
    world.control("POST", "invitations/accept", {"email": ROBIN})
    return {}


STEPS: dict[str, Step] = {"create": _create, "change": _change, "remove all": _remove_all}


@pytest.fixture
def scim(world: World) -> Iterator[World]:
    """The organization with a claimed domain, on the plan that has SCIM; sessions have the token."""
    yield from claimed(world)


def claimed(world: World) -> Iterator[World]:
    """The same, for a fixture."""
    sso = {"enabled": True, "domains": [{"name": "example.com", "state": "verified"}]}
    security = {"scim_token": TOKEN, "sso": sso}
    world.control("POST", "seed", {**organization(), "security": security, "now": written(datetime.now(UTC))})
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    world.client.get("/api/app/scim/v2/Users", headers=bearer)  # the emulator loads its library, which takes longer
    world.scim_token = Secret(TOKEN)
    yield world
    world.scim_token = None


@pytest.mark.parametrize(("step", "name", "count"), every_pair(STEPS, FAULTS, (1, 20)))
def test_one_more_run_and_all_is_as_declared(scim: World, step: str, name: str, count: int) -> None:
    """People come and go by SCIM without an e-mail, where PATCH fails, which only SCIM has; others are untouched."""
    if count > 1 and FAULTS[name]["kind"] == "delay":
        count = 2  # each costs its time
    engine = MiniEngine(scim.session)
    program = STEPS[step](scim, engine)
    scim.control("POST", "faults", fault(name, "PATCH", count))
    engine.up(program)
    for failure in engine.failures:
        assert str(failure).startswith("cannot ")
    scim.control("DELETE", "faults")
    assert engine.up(program), engine.failures
    assert_as_declared(scim, program)
    assert engine.refresh()
    assert engine.plan(program) == []


def assert_as_declared(world: World, program: Program) -> None:
    """Who is in, who is in the team, and that nobody of the claimed domain was written to."""
    there: dict[str, Any] = world.members()
    assert {email for email in (BO, CY, ROBIN) if email in there and there[email]["active"]} == {
        inputs["email"] for (kind, _), inputs in program.items() if kind == "member"
    }
    teams = world.teams()
    assert teams.pop("Strangers") == ({SHOP: "consumer"}, [organization()["teams"][0]["members"][0]])
    inside = {inputs["email"] for (kind, _), inputs in program.items() if kind == "team member"}
    named = [inputs["name"] for (kind, _), inputs in program.items() if kind == "team"]
    assert {name: (held, set(people)) for name, (held, people) in teams.items()} == {
        name: ({SHOP: "analyst"}, inside) for name in named
    }
    assert [world.mails(email) for email in (BO, CY, ROBIN)] == [0, 0, 1]


def test_who_was_invited_before_there_was_a_token_leaves_the_team(scim: World) -> None:
    """SCIM knows nobody who has not accepted, and takes them out of no group: they go as they came."""
    scim.scim_token = None
    engine = MiniEngine(scim.session)
    kept = {name: {**inputs, "removal": "never"} if name[0] == "member" else inputs for name, inputs in IN_TEAM.items()}
    assert engine.up(kept)
    assert ([scim.mails(email) for email in (BO, CY, ROBIN)], len(scim.teams()["Data"][1])) == ([1, 1, 1], 3)
    scim.scim_token = Secret(TOKEN)
    assert engine.up({name: kept[name] for name in kept if name == DATA}), engine.failures
    assert scim.teams()["Data"] == ({}, [])
