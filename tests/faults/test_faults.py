"""Every resource and verb under every fault: one more run, and all is as declared."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from tests.faults.conftest import ORG, SHOP, TIMEOUT, WAREHOUSE, World, organization
from tests.faults.mini_engine import GroupingEngine, MiniEngine, Program
from tests.faults.sampling import every_pair

BO = "bo@example.com"
MEMBER = {"email": BO, "role": "member", "removal": "when_unused"}
GRANT = {"project_id": SHOP, "email": BO, "role": "analyst"}
BOTH: Program = {("member", BO): MEMBER, ("grant", BO): GRANT}
ONLY_MEMBER: Program = {("member", BO): MEMBER}
DATA = ("team", "data")
TEAM = {"name": "Data", "removal": "always"}
TEAM_GRANT = {"team_id": DATA, "project_id": SHOP, "role": "analyst"}
ONLY_TEAM: Program = {**ONLY_MEMBER, DATA: TEAM}
IN_TEAM: Program = {
    **ONLY_TEAM, ("team grant", "data"): TEAM_GRANT, ("team member", BO): {"team_id": DATA, "email": BO},
}  # fmt: skip


def _soon() -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)


FAULTS: dict[str, dict[str, Any]] = {
    "dropped before": {"kind": "drop_before"},
    "dropped after": {"kind": "drop_after"},
    "429 in seconds": {"kind": "status", "status": 429, "retry_after": 1},
    "429 with a date": {"kind": "status", "status": 429, "retry_after": "date"},
    "429 bare": {"kind": "status", "status": 429},
    "500": {"kind": "status", "status": 500},
    "too slow": {"kind": "delay", "seconds": TIMEOUT * 2},
    "a proxy's page": {"kind": "status", "status": 502, "body": "<html>bad gateway</html>"},
    "a proxy's page with 200": {"kind": "status", "status": 200, "body": "<html>log in</html>"},
}

SERVERS: dict[str, bool] = {"ours": True, "the SDK's": False}
"""Server of the resources -> whether it keeps what a verb that fails has made."""

Step = Callable[[World, MiniEngine], Program]


def _create(world: World, engine: MiniEngine) -> Program:
    return BOTH


def _create_grant(world: World, engine: MiniEngine) -> Program:
    assert engine.up(ONLY_MEMBER)
    return BOTH


def _change_role(world: World, engine: MiniEngine) -> Program:
    assert engine.up(BOTH)
    return {**BOTH, ("member", BO): {**MEMBER, "role": "admin"}}


def _change_grant(world: World, engine: MiniEngine) -> Program:
    assert engine.up(BOTH)
    return {**BOTH, ("grant", BO): {**GRANT, "role": "admin"}}


def _replace_grant(world: World, engine: MiniEngine) -> Program:
    assert engine.up(BOTH)
    return {**ONLY_MEMBER, ("grant", "other"): {**GRANT, "project_id": WAREHOUSE}}


def _remove_grant(world: World, engine: MiniEngine) -> Program:
    assert engine.up(BOTH)
    return ONLY_MEMBER


def _remove_all(world: World, engine: MiniEngine) -> Program:
    assert engine.up(BOTH)
    world.control("POST", "invitations/accept", {"email": BO})
    return {}


def _cancel(world: World, engine: MiniEngine) -> Program:
    assert engine.up(ONLY_MEMBER)
    return {}


def _create_team(world: World, engine: MiniEngine) -> Program:
    return IN_TEAM


def _change_team(world: World, engine: MiniEngine) -> Program:
    assert engine.up(IN_TEAM)
    return {**IN_TEAM, DATA: {**TEAM, "name": "Data EU"}, ("team grant", "data"): {**TEAM_GRANT, "role": "admin"}}


def _join_team(world: World, engine: MiniEngine) -> Program:
    assert engine.up({**ONLY_TEAM, ("team grant", "data"): TEAM_GRANT})
    return IN_TEAM


def _leave_team(world: World, engine: MiniEngine) -> Program:
    assert engine.up(IN_TEAM)
    return ONLY_TEAM


def _remove_team(world: World, engine: MiniEngine) -> Program:
    assert engine.up(IN_TEAM)
    return ONLY_MEMBER


def _remove_all_of_team(world: World, engine: MiniEngine) -> Program:
    assert engine.up(IN_TEAM)
    world.control("POST", "invitations/accept", {"email": BO})
    return {}


STEPS: dict[str, Step] = {
    "create": _create,
    "create grant": _create_grant,
    "change role": _change_role,
    "change grant": _change_grant,
    "replace grant": _replace_grant,
    "remove grant": _remove_grant,
    "remove all": _remove_all,
    "cancel invitation": _cancel,
    "create team": _create_team,
    "change team": _change_team,
    "join team": _join_team,
    "leave team": _leave_team,
    "remove team": _remove_team,
    "remove all of a team": _remove_all_of_team,
}


def fault(name: str, method: str, count: int = 1) -> list[dict[str, Any]]:
    """The fault as the control surface takes it."""
    made = {**FAULTS[name], "method": method, "path_prefix": "/", "count": count}
    if made.get("retry_after") == "date":
        made["retry_after"] = _soon()
    return [made]


FORMS: dict[str, tuple[type[MiniEngine], bool]] = {
    "on our server": (MiniEngine, True),
    "on the SDK's": (MiniEngine, False),
    "in groups": (GroupingEngine, True),
}
"""How the resources are declared and served -> the engine, and whether it keeps what a verb that fails has made."""


@pytest.mark.parametrize(
    ("step", "name", "method", "count", "form"),
    every_pair(STEPS, FAULTS, ("POST", "GET"), (1, 20), FORMS),
)
def test_one_more_run_and_all_is_as_declared(
    world: World, step: str, name: str, method: str, count: int, form: str
) -> None:
    """Whatever happens to the writes or the reads of a run, the next one finishes; nobody is invited twice or lost."""
    if count > 1 and FAULTS[name]["kind"] == "delay":
        count = 2  # each costs its time
    made, keeps = FORMS[form]
    engine = made(world.session, keeps=keeps)
    program = STEPS[step](world, engine)
    world.control("POST", "faults", fault(name, method, count))
    engine.up(program)
    for failure in engine.failures:
        assert str(failure).startswith("cannot ")
    world.control("DELETE", "faults")
    assert engine.up(program), engine.failures
    assert_as_declared(world, program)
    assert world.mails(BO) == 1
    assert engine.refresh()
    assert engine.plan(program) == []


@pytest.mark.parametrize("name", FAULTS)
def test_a_refresh_under_faults_loses_nothing(world: World, name: str) -> None:
    """A read that fails is never taken for absence."""
    engine = MiniEngine(world.session)
    assert engine.up(BOTH)
    before = dict(engine.state)
    count = 3 if FAULTS[name]["kind"] == "delay" else 60
    world.control("POST", "faults", fault(name, "GET", count))
    engine.refresh()
    assert engine.state.keys() == before.keys()
    world.control("DELETE", "faults")
    assert engine.refresh()
    assert engine.state == before


@pytest.mark.parametrize("name", FAULTS)
def test_an_expired_invitation_under_faults(world: World, name: str) -> None:
    """It goes out; after a lost answer nothing tells whether it did, so the user is told, and runs again."""
    engine = MiniEngine(world.session)
    assert engine.up(BOTH)
    world.pass_days(8)
    assert engine.refresh()
    assert engine.plan(BOTH) == [("update", ("member", BO))]
    world.control("POST", "faults", fault(name, "POST"))
    done = engine.up(BOTH)
    if not done:
        assert "may or may not have gone out" in str(engine.failures[0])
    world.control("DELETE", "faults")
    assert engine.up(BOTH)
    assert world.mails(BO) <= (3 if not done and FAULTS[name]["kind"] in ("drop_after", "delay") else 2)
    assert engine.plan(BOTH) == []
    world.control("POST", "invitations/accept", {"email": BO})  # it is good again


def assert_as_declared(world: World, program: Program) -> None:
    """The organization has what is declared for Bo and nothing more, and everybody else is where they were."""
    members, grants = world.members(), world.grants()
    declared = {inputs["email"]: inputs["role"] for (kind, _), inputs in program.items() if kind == "member"}
    assert {email: members[email]["role"] for email in members if email == BO} == declared
    held = {(i["project_id"], i["email"]): i["role"] for (kind, _), i in program.items() if kind == "grant"}
    assert {key: role for key, role in grants.items() if key[1] == BO} == held
    others = organization()
    assert_teams_as_declared(world, program)
    assert [email for email in members if email != BO] == [member["email"] for member in others["members"]]
    assert {key for key in grants if key[1] != BO} == {(g["project"], g["email"]) for g in others["grants"]}


def assert_teams_as_declared(world: World, program: Program) -> None:
    """The team is as declared, and the strangers' is as it was."""
    teams = world.teams()
    assert teams.pop("Strangers") == ({SHOP: "consumer"}, [organization()["teams"][0]["members"][0]])
    held = {i["project_id"]: i["role"] for (kind, _), i in program.items() if kind == "team grant"}
    inside = [i["email"] for (kind, _), i in program.items() if kind == "team member"]
    assert teams == {i["name"]: (held, inside) for (kind, _), i in program.items() if kind == "team"}


def test_ids_tell_the_organization(world: World) -> None:
    """So that a state is never used on another one."""
    engine = MiniEngine(world.session)
    assert engine.up(BOTH)
    assert [held.id for held in engine.state.values()] == [f"{ORG}:{BO}", f"{ORG}:{SHOP}:{BO}"]
