"""`TeamMember`: check, diff, create, read, update, delete; and who is only invited, or left to an identity provider."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pulumi.runtime import rpc

from mixpanel_access.model import errors
from mixpanel_access.model.resource_ids import TeamMemberId
from mixpanel_access.provider.team_member import TeamMemberProvider
from tests.fake_states import FakeStates
from tests.fakes import ORGANIZATION, PRODUCTION, FakeApi, make_session
from tests.provider.forms import FORM, TeamMemberInGroup, both

TEAM = 77
BO = "Bo@example.com"
KEY = "bo@example.com"
ID = f"{ORGANIZATION}:{TEAM}:{BO}"


@pytest.fixture
def api() -> FakeApi:
    """A team of one person with a role, and somebody who is not in it."""
    api = FakeApi()
    for email in ("ana@example.com", BO):
        api.put(email)
    api.teams.put("Data", "ana@example.com", projects={PRODUCTION: "analyst"})
    return api


form = both(TeamMemberProvider, TeamMemberInGroup)


def provider(api: FakeApi, **settings: Any) -> tuple[Any, list[str]]:
    """A provider in a session over the fake, and what it says."""
    made = FORM.get()()
    session, said = make_session(api, **settings)
    made.use(session)
    return made, said


def held(**changes: Any) -> dict[str, Any]:
    """The inputs of one compliant membership."""
    return {"team_id": TEAM, "email": BO, **changes}


SHOWN = {"team_projects": {str(PRODUCTION): "analyst"}}
"""What Mixpanel shows that everybody in the team has."""


def inside(api: FakeApi) -> bool:
    """Whether Bo is in the team."""
    return KEY in (api.teams.teams[TEAM].members or ())


SPOILED: dict[str, tuple[dict[str, Any], str, str]] = {
    "no team": ({"team_id": None}, "team_id", "not a team id"),
    "an unknown team": ({"team_id": 9}, "team_id", "has no team 9"),
    "no address": ({"email": None}, "email", "it is missing"),
    "a bad address": ({"email": "bo"}, "email", "not an e-mail address"),
    "another input": ({"role": "admin"}, "role", "not an input"),
}


@pytest.mark.parametrize(("change", "field", "words"), SPOILED.values(), ids=SPOILED.keys())
def test_a_spoiled_membership_is_refused_in_words(api: FakeApi, change: dict[str, Any], field: str, words: str) -> None:
    """Each wrong input is told by name, before anything is written."""
    if FORM.get() is not TeamMemberProvider and field in ("role", "email") and change.get("email", "") != "bo":
        pytest.skip("the people of a group are texts, and have no inputs of their own")
    failures = provider(api)[0].check({}, held(**change)).failures
    assert [failure.property for failure in failures] == [field]
    assert words in failures[0].reason
    assert api.writes == []


def test_who_is_not_in_the_organization_yet_passes(api: FakeApi) -> None:
    """At preview, the Member that brings them in is yet to be made."""
    result = provider(api)[0].check({}, held(email="new@example.com", team_id=str(TEAM)))
    assert (result.failures, result.inputs) == ([], held(email="new@example.com") | SHOWN)


def test_what_the_team_gives_is_shown_at_the_first_preview_and_read_again_at_a_refresh(api: FakeApi) -> None:
    """For the policies, whichever stack gave it; an unchanged membership asks nobody, and keeps what was read."""
    api.teams.put("Data", organization_role="admin", projects={PRODUCTION: "owner", 8: "consumer"})
    shown = {"team_projects": {str(PRODUCTION): "owner", "8": "consumer"}, "organization_role": "admin"}
    checked = provider(api)[0].check({}, held()).inputs
    assert checked == held() | shown
    created = provider(api)[0].create(checked).outs or {}
    assert created == held() | shown | {"status": "member"}
    api.teams.put("Data", "ana@example.com", BO, projects={8: "analyst"})
    read = provider(api)[0].read(ID, created)
    assert (read.outs or {})["team_projects"] == (read.inputs or {})["team_projects"] == {"8": "analyst"}
    assert "organization_role" not in (read.outs or {})
    before = len(api.calls)
    again = provider(api)[0].check(dict(read.inputs or {}), held(ticket="OPS-1")).inputs
    assert again == held(ticket="OPS-1", team_projects={"8": "analyst"})
    assert len(api.calls) == before
    assert provider(api)[0].update(ID, created, again).outs == {**created, "ticket": "OPS-1"}


@pytest.mark.parametrize(("role", "held_back"), [("admin", False), ("owner", True), ("", False)])
def test_nobody_is_raised_above_ourselves_by_a_team(api: FakeApi, role: str, held_back: bool) -> None:
    """A team may have an organization role, which the product gives to everybody in it."""
    api.teams.put("Data", organization_role=role)
    failures = provider(api)[0].check({}, held()).failures
    assert [failure.property for failure in failures] == (["team_id"] if held_back else [])
    assert all("makes everybody in it organization owner" in failure.reason for failure in failures)


DIFFS: dict[str, tuple[dict[str, Any], bool, list[str]]] = {
    "nothing": ({}, False, []),
    "another spelling": ({"email": KEY}, True, []),
    "another person": ({"email": "cy@example.com"}, True, ["email"]),
    "another team": ({"team_id": 78}, True, ["team_id"]),
    "a team yet to be made": ({"team_id": rpc.UNKNOWN}, True, []),
    "metadata": ({"ticket": "OPS-1"}, True, []),
}


@pytest.mark.parametrize(("change", "changes", "replaces"), DIFFS.values(), ids=DIFFS.keys())
def test_another_person_or_team_is_another_membership(
    api: FakeApi, change: dict[str, Any], changes: bool, replaces: list[str]
) -> None:
    """The reasons alone are a change in place, which sends nothing."""
    result = provider(api)[0].diff(ID, held(), held(**change))
    if FORM.get() is not TeamMemberProvider:  # in a group, one leaves and one comes
        replaces = [one for one in replaces if one != "email"]
    assert (result.changes, list(result.replaces or [])) == (changes, replaces)


def test_a_membership_lives(api: FakeApi) -> None:
    """In once, and out once; the person stays in the organization, and the others in the team."""
    made, said = provider(api)
    created = made.create(held())
    assert (created.id, created.outs) == (ID, {**held(), **SHOWN, "status": "member"})
    made.create(held())
    found = made.read(ID, dict(created.outs or {}))
    assert (found.outs, found.inputs) == (created.outs, None)
    outs = made.update(ID, {**held(), **SHOWN, "status": "member"}, held(ticket="OPS-1")).outs or {}
    assert (outs["ticket"], outs["status"]) == ("OPS-1", "member")
    made.delete(ID, held())
    assert made.read(ID, held()).id == ""
    made.delete(ID, held())
    assert (api.writes, said) == (["add_members", "remove_member"], [])
    assert (api.teams.teams[TEAM].members, KEY in api.people) == (frozenset({"ana@example.com"}), True)


def test_who_is_nowhere_cannot_be_put_into_a_team(api: FakeApi) -> None:
    """It is said what is missing; nobody is invited by the way."""
    with pytest.raises(errors.InputError, match="Declare a Member for them"):
        provider(api)[0].create(held(email="new@example.com"))
    with pytest.raises(errors.InputError, match="the organization does not have this team"):
        provider(api)[0].create(held(team_id=9))
    assert api.writes == []


def test_who_was_removed_by_hand_waits_to_be_invited_again(api: FakeApi) -> None:
    """A new place of somebody whom the state still has stops nobody else's update, and is taken after they are back."""
    made, said = provider(api)
    made.session.states = FakeStates(own="production", production=[{"email": BO, "role": "member"}])
    person = api.people.pop(KEY)
    outs = dict(made.create(held()).outs or {})
    assert (outs["status"], api.writes) == ("waiting", [])
    assert "`pulumi up --refresh` invites them again" in said[0]
    api.people[KEY] = person
    again, _ = provider(api)
    assert again.diff(ID, outs, held()).changes
    assert ((again.update(ID, outs, held()).outs or {})["status"], inside(api)) == ("member", True)


def test_what_is_gone_takes_the_membership_along(api: FakeApi) -> None:
    """A team or person that is no more: reading and deleting are no errors."""
    made, _ = provider(api)
    for id_ in (f"{ORGANIZATION}:9:{BO}", f"{ORGANIZATION}:{TEAM}:gone@example.com"):
        assert made.read(id_, held()).id == ""
        made.delete(id_, held())
    assert api.writes == []


def test_what_mixpanel_takes_and_does_not_do_is_told(api: FakeApi) -> None:
    """Neither joining nor leaving is believed unseen."""
    api.deaf |= {"add_members", "remove_member"}
    with pytest.raises(errors.NotApplied, match="does not list the person in it"):
        provider(api)[0].create(held())
    api.teams.put("Data", KEY)
    with pytest.raises(errors.NotApplied, match="still lists the person in it"):
        provider(api)[0].delete(ID, held())


def test_where_nobody_is_told_a_write_is_believed(api: FakeApi) -> None:
    """Who is in is unknown then, not nobody: nothing of it is drift."""
    api.teams.hides_members = True
    made, _ = provider(api)
    outs = dict(made.create(held()).outs or {})
    assert (outs["status"], inside(api)) == ("member", True)
    assert made.read(ID, outs).outs == outs
    made.delete(ID, outs)
    assert not inside(api)


@pytest.mark.parametrize("there", [True, False])
def test_who_is_in_by_scim_is_left_alone(api: FakeApi, there: bool) -> None:
    """Neither put in nor taken out, whatever is declared; it is said, and it is nobody's drift."""
    api.teams.put("Data", *([BO] if there else []), scim_managed=True)
    made, said = provider(api)
    outs = dict(made.create(held()).outs or {})
    assert outs["status"] == "left_to_scim"
    assert said == [
        f"{BO} is left to the identity provider that feeds the team Data: the person is {'' if there else 'not '}in it"
    ]
    assert (made.read(ID, outs).outs, made.diff(ID, outs, held()).changes) == (outs, False)
    made.delete(ID, outs)
    assert said[1:] == ([f"{BO} stays in the team Data: an identity provider says who is in it"] if there else [])
    assert (api.writes, inside(api)) == ([], there)


def test_a_team_that_comes_to_scim_is_left_alone_from_then_on(api: FakeApi) -> None:
    """And is managed again once the identity provider is gone."""
    state = {**held(), "status": "member"}
    api.teams.put("Data", scim_managed=True)
    state = dict(provider(api)[0].read(ID, state).outs or {})
    assert state["status"] == "left_to_scim"
    api.teams.put("Data")
    assert provider(api)[0].read(ID, state).id == ""
    api.teams.put("Data", BO)
    assert (provider(api)[0].read(ID, state).outs or {})["status"] == "member"


@pytest.mark.parametrize("hidden", [True, False], ids=["not listed", "refused"])
def test_who_is_only_invited_waits(api: FakeApi, hidden: bool) -> None:
    """Pending is no drift; the first run after accepting has them join."""
    api.put(BO, invited=True)
    api.teams.hides_invited, api.teams.refuses_invited = hidden, not hidden
    made, said = provider(api)
    outs = dict(made.create(held()).outs or {})
    assert outs["status"] == "waiting"
    assert said == [f"{BO} joins the team Data by the first `pulumi up` after accepting the invitation"]
    again, _ = provider(api)
    assert again.read(ID, outs).outs == outs
    assert again.diff(ID, outs, held()).changes is False
    api.put(BO)
    made, _ = provider(api)
    read = dict(made.read(ID, outs).outs or {})
    assert read["status"] == ("member" if hidden else "waiting")
    assert made.diff(ID, read, held()).changes is not hidden
    assert (made.update(ID, outs, held()).outs or {})["status"] == "member"
    assert inside(api)


def test_a_run_that_only_takes_puts_nobody_into_a_team(api: FakeApi) -> None:
    """Who has accepted joins by the next `pulumi up`, not by `mixpanel-access revoke`."""
    api.put(BO, invited=True)
    api.teams.hides_invited = api.teams.refuses_invited = True
    outs = dict(provider(api)[0].create(held()).outs or {})
    api.put(BO)
    for takes_only in (True, False):
        made, _ = provider(api)
        made.session.takes_only = takes_only
        assert made.diff(ID, outs, held()).changes is not takes_only
        made.update(ID, outs, held())
        assert inside(api) is not takes_only


def test_who_is_refused_waits_where_nobody_is_told(api: FakeApi) -> None:
    """A refusal is not believed to be a place, however often it is read; and who was not taken in can go."""
    api.put(BO, invited=True)
    api.teams.hides_members = api.teams.refuses_invited = True
    made, said = provider(api)
    outs = dict(made.create(held()).outs or {})
    assert outs["status"] == "waiting"
    assert said == [f"{BO} joins the team Data by the first `pulumi up` after accepting the invitation"]
    made, _ = provider(api)
    assert (made.read(ID, outs).outs, made.diff(ID, outs, held()).changes) == (outs, False)
    made.delete(ID, outs)
    api.put(BO)
    made, _ = provider(api)
    with pytest.raises(errors.NotFound):
        made.delete(ID, outs)
    assert dict(made.read(ID, outs).outs or {}) == outs
    assert made.diff(ID, outs, held()).changes
    assert (made.update(ID, outs, held()).outs or {})["status"] == "member"
    assert inside(api)


def test_who_is_taken_is_a_member_where_nobody_is_told(api: FakeApi) -> None:
    """Invited or not: the write is believed."""
    api.put(BO, invited=True)
    api.teams.hides_members = True
    made, said = provider(api)
    assert ((made.create(held()).outs or {})["status"], inside(api), said) == ("member", True, [])


def test_who_was_left_to_scim_joins_where_nobody_is_told(api: FakeApi) -> None:
    """Once the identity provider is gone: that nothing is told of them does not put them in."""
    api.teams.hides_members = True
    made, _ = provider(api)
    outs = {**held(), **SHOWN, "status": "left_to_scim"}
    assert made.read(ID, outs).outs == outs
    assert made.diff(ID, outs, held()).changes
    assert ((made.update(ID, outs, held()).outs or {})["status"], inside(api)) == ("member", True)


def test_who_is_invited_and_listed_is_a_member(api: FakeApi) -> None:
    """Then whoever takes them out is seen."""
    api.put(BO, invited=True)
    made, said = provider(api)
    outs = dict(made.create(held()).outs or {})
    assert (outs["status"], said) == ("member", [])
    api.teams.put("Data")
    assert provider(api)[0].read(ID, outs).id == ""


@pytest.mark.parametrize("refuses", [True, False])
def test_who_waits_is_taken_out_all_the_same(api: FakeApi, refuses: bool) -> None:
    """They may be in the team without being listed; who is not is no error."""
    api.put(BO, invited=True)
    api.teams.hides_invited, api.teams.refuses_invited = True, refuses
    made, _ = provider(api)
    outs = dict(made.create(held()).outs or {})
    assert inside(api) is not refuses
    made.delete(ID, outs)
    assert not inside(api)


def test_who_has_joined_is_told_a_refusal(api: FakeApi) -> None:
    """It is no matter of the invitation then."""
    api.faults["add_members"] = [errors.Invalid("cannot add", why="no")] * 2
    with pytest.raises(errors.Invalid):
        provider(api)[0].create(held())


def test_an_organization_role_through_a_team_is_said(api: FakeApi) -> None:
    """Nobody becomes admin by the way without a word."""
    api.teams.put("Data", organization_role="admin")
    made, said = provider(api)
    made.create(held())
    assert said == [f"{BO} becomes organization admin through the team Data"]


@pytest.mark.parametrize("verb", ["read", "update", "delete"])
def test_the_state_of_another_organization_is_left_alone(api: FakeApi, verb: str) -> None:
    """In every verb that reads an id."""
    args = (f"1:{TEAM}:{BO}", held(), held()) if verb == "update" else (f"1:{TEAM}:{BO}", held())
    with pytest.raises(errors.InputError, match="it belongs to organization 1"):
        getattr(provider(api)[0], verb)(*args)


@pytest.mark.parametrize("text", ["", "1:2", "1:2:", "a:2:b@c", "1:b:b@c", "²:1:b@c"])
def test_ids_of_another_shape_are_refused(text: str) -> None:
    """And what is parsed is written again, colons in an address included."""
    with pytest.raises(errors.InputError, match="it has the form ORG:TEAM:EMAIL"):
        TeamMemberId.parse(text)
    assert str(TeamMemberId.parse('1:2:"a:b"@c')) == '1:2:"a:b"@c'
    assert replace(TeamMemberId.parse("1:2:b@c"), team=3) == TeamMemberId(1, 3, "b@c")
