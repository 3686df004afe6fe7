"""Whoever leaves by a run that is judged from the state: all that the stack gives them goes too, however it does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from mixpanel_access.model import resources as kinds
from mixpanel_access.model.errors import Refused
from mixpanel_access.provider.command import Command
from mixpanel_access.provider.leaving import hold_run, removal_plan
from mixpanel_access.provider.member import MemberProvider
from mixpanel_access.provider.removal_brake import RemovalBrakeProvider
from mixpanel_access.provider.run import Scope
from mixpanel_access.provider.session import Session
from tests.fakes import ORGANIZATION, PRODUCTION, WAREHOUSE, FakeApi, make_session

PEOPLE = [f"m{n}@example.com" for n in range(8)]
TEAM = 77
SECRET = {kinds.SIGNATURE: "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "AAA"}


def row(type_: str, id_: str, needs: Sequence[str] = (), **outputs: Any) -> dict[str, Any]:
    """A resource of the state, whose name is its type and id."""
    name = f"urn::{type_.rpartition(':')[2]}-{id_}"
    return {"urn": name, "type": type_, "id": f"{ORGANIZATION}:{id_}", "dependencies": needs, "outputs": outputs}


MEMBERS = [row(kinds.MEMBER_TYPE, one, email=one, removal="when_unused", adopted=False) for one in PEOPLE]
URNS = [one["urn"] for one in MEMBERS]
GRANTS = [row(kinds.GRANT_TYPE, f"{PRODUCTION}:{one}", [f"urn::Member-{one}"], email=one) for one in PEOPLE]
WHOLE = row(kinds.PROJECT_ACCESS_TYPE, f"{PRODUCTION}", URNS, grants=dict.fromkeys(map(str.upper, PEOPLE), "analyst"))
SECRET_ROLES = row(kinds.PROJECT_ACCESS_TYPE, f"{PRODUCTION}", URNS, grants=dict.fromkeys(PEOPLE, SECRET))
HIDDEN = row(kinds.PROJECT_ACCESS_TYPE, f"{PRODUCTION}", URNS, grants=SECRET)
PLACES = [row(kinds.TEAM_MEMBER_TYPE, f"{TEAM}:{one}", [f"urn::Member-{one}"], email=one) for one in PEOPLE]
TEAM_ROW = row(kinds.TEAM_TYPE, f"{TEAM}", name="Data")
SECRET_TEAM = row(kinds.TEAM_TYPE, f"{TEAM}", name=SECRET)

GIVEN: dict[str, tuple[list[dict[str, Any]], str]] = {
    "nothing": ([], ""),
    "a grant each": (GRANTS, "grants"),
    "one project's access": ([WHOLE], "grants"),
    "one project's access with secret roles": ([SECRET_ROLES], "grants"),
    "one project's access that is a secret": ([HIDDEN], "grants"),
    "a team": ([*PLACES, TEAM_ROW], "team"),
    "a team with a secret name": ([*PLACES, SECRET_TEAM], "team"),
    "a team that the stack does not have": (PLACES, "team"),
    "both": ([WHOLE, *PLACES, TEAM_ROW], "grants team"),
}
RUNS = {
    "destroy": Command("destroy"),
    "destroy of all members": Command("destroy", targets=["urn::Member-*"]),
    "destroy but for one that is not there": Command("destroy", excludes=["urn::bo"]),
}


def session_with(given: str, rows: Sequence[Mapping[str, Any]], command: Command) -> tuple[Session, FakeApi]:
    """An organization of two owners and eight people with what is given, in a run of that command."""
    api = FakeApi(own_role="owner")
    for n in range(2):
        api.put(f"o{n}@example.com", "owner")
    for email in PEOPLE:
        api.put(email)
        if "grants" in given:
            api.give(PRODUCTION, email, "analyst")
    if "team" in given:
        api.teams.put("Data", *PEOPLE, id_=TEAM, projects={PRODUCTION: "analyst"})
    session, _ = make_session(api)
    session.scope = Scope(lambda: command, lambda: rows)
    return session, api


@pytest.mark.parametrize("command", RUNS.values(), ids=RUNS)
@pytest.mark.parametrize(("rows", "given"), GIVEN.values(), ids=GIVEN)
def test_all_that_a_stack_gives_goes_with_it(rows: list[dict[str, Any]], given: str, command: Command) -> None:
    """Eight leave, whichever resources give them what they hold, and are held before the first of them."""
    session, api = session_with(given, [*MEMBERS, *rows], command)
    going = session.scope.people(ORGANIZATION, session.team_name) or {}
    assert removal_plan(session, list(going.values())).removals == set(PEOPLE)
    with pytest.raises(Refused, match="would remove 8"):
        hold_run(session, by_brake=False)
    member = MemberProvider()
    member.use(session)
    with pytest.raises(Refused, match="would remove 8"):
        member.delete(MEMBERS[0]["id"], MEMBERS[0]["outputs"])
    assert api.writes == []


@pytest.mark.parametrize(("rows", "given"), GIVEN.values(), ids=GIVEN)
def test_a_brake_that_is_made_anew_knows_it_too(rows: list[dict[str, Any]], given: str) -> None:
    """An edit that drops all eight is held, though the state has lost the brake's own list."""
    session, _ = session_with(given, [*MEMBERS, *rows], Command("up"))
    brake = RemovalBrakeProvider()
    brake.use(session)
    assert "would remove 8" in brake.check({}, {"people": []}).failures[0].reason


@pytest.mark.parametrize(
    "more",
    [
        [row(kinds.GRANT_TYPE, f"{WAREHOUSE}:{PEOPLE[0]}", URNS)],
        [row(kinds.PROJECT_ACCESS_TYPE, f"{WAREHOUSE}", URNS, grants=dict.fromkeys(PEOPLE, "analyst"))],
        [row(kinds.TEAM_MEMBER_TYPE, f"78:{PEOPLE[0]}", URNS), row(kinds.TEAM_TYPE, "78", name="Other")],
        [{**row(kinds.PROJECT_ACCESS_TYPE, f"{PRODUCTION}", URNS, grants=SECRET), "id": f"1:{PRODUCTION}"}],
        [{**WHOLE, "retainOnDelete": True}],
    ],
    ids=["another project's grant", "another project", "another team", "another organization's", "one that stays"],
)
def test_what_stays_keeps_people(more: list[dict[str, Any]]) -> None:
    """Grants and teams that do not go with the stack are no reason to say that people leave."""
    session, _ = session_with("grants team", [*MEMBERS, *more], Command("destroy"))
    going = session.scope.people(ORGANIZATION, session.team_name) or {}
    assert removal_plan(session, list(going.values())).removals == set()
