"""`Team` and `TeamGrant`: check, diff, create, read, update, delete."""

from __future__ import annotations

from typing import Any

import pytest
from pulumi.runtime import rpc

from mixpanel_access.model import errors
from mixpanel_access.model.access import GrantType
from mixpanel_access.model.resource_ids import TeamGrantId, TeamId
from mixpanel_access.provider.base import AccessProvider
from mixpanel_access.provider.states import StackStates, States
from mixpanel_access.provider.team import TeamProvider
from mixpanel_access.provider.team_grant import TeamGrantProvider
from tests.fakes import ORGANIZATION, PRODUCTION, WAREHOUSE, FakeApi, make_session

TEAM = 77
ID = f"{ORGANIZATION}:{TEAM}"
GRANT_ID = f"{ORGANIZATION}:{PRODUCTION}:{TEAM}"


@pytest.fixture
def api() -> FakeApi:
    """An organization with a team of one person."""
    api = FakeApi()
    api.put("ana@example.com")
    api.teams.put("Data", "ana@example.com")
    return api


def provider(api: FakeApi, *, grant: bool = False, **settings: Any) -> tuple[AccessProvider, list[str]]:
    """A provider in a session over the fake, and what it says."""
    made = TeamGrantProvider() if grant else TeamProvider()
    session, said = make_session(api, **settings)
    made.use(session)
    return made, said


def team(**changes: Any) -> dict[str, Any]:
    """The inputs of one compliant team."""
    return {"name": "Data", "removal": "when_unused", **changes}


def held(**changes: Any) -> dict[str, Any]:
    """The inputs of one compliant grant."""
    return {"team_id": TEAM, "project_id": PRODUCTION, "role": "analyst", **changes}


def test_a_compliant_team_passes(api: FakeApi) -> None:
    """It is deleted when nobody uses it, where nothing else is said."""
    result = provider(api)[0].check({}, {"name": "Data"})
    assert (result.failures, result.inputs) == ([], team() | {"team_projects": {}})


def test_what_a_team_gives_that_is_to_be_adopted_is_shown_at_the_first_preview(api: FakeApi) -> None:
    """By its name, in whatever spelling: for the policies, which judge the people who come into it."""
    api.teams.put("Data", organization_role="admin", projects={PRODUCTION: "owner"})
    shown = {"team_projects": {str(PRODUCTION): "owner"}, "organization_role": "admin"}
    checked = provider(api)[0].check({}, {"name": "data"}).inputs
    assert checked == team(name="data") | shown
    assert provider(api)[0].check(checked, {"name": "data", "ticket": "OPS-1"}).inputs == checked | {"ticket": "OPS-1"}


SPOILED: dict[str, tuple[dict[str, Any], str, str]] = {
    "no name": ({"name": None}, "name", "cannot be the name of a team"),
    "a blank name": ({"name": " "}, "name", "cannot be the name of a team"),
    "blanks around it": ({"name": " Data"}, "name", "blanks around the name"),
    "another removal": ({"removal": "maybe"}, "removal", "there are when_unused, always, never"),
    "another input": ({"label": "x"}, "label", "not an input"),
    "a date": ({"ends": "soon"}, "ends", "soon"),
}


@pytest.mark.parametrize(("change", "field", "words"), SPOILED.values(), ids=SPOILED.keys())
def test_a_spoiled_team_is_refused_in_words(api: FakeApi, change: dict[str, Any], field: str, words: str) -> None:
    """Each wrong input is told by name, before anything is written."""
    failures = provider(api)[0].check({}, team(**change)).failures
    assert [failure.property for failure in failures] == [field]
    assert words in failures[0].reason
    assert api.writes == []


def test_a_name_that_another_team_has_cannot_be_taken(api: FakeApi) -> None:
    """It is told at preview; a name of one's own in another spelling can."""
    api.teams.put("Ops", id_=78)
    made = provider(api)[0]
    made.session.states = States(lambda: StackStates({"production": []}), lambda: "production")
    (failure,) = made.check(team(), team(name="ops")).failures
    assert failure.reason.startswith("team Data cannot be renamed to ops, since there is a team Ops already")
    for name in ("DATA", "New"):
        assert provider(api)[0].check(team(), team(name=name)).failures == []
    assert provider(api)[0].check(team(name="Gone"), team(name="Ops")).failures == []


@pytest.mark.parametrize("olds", [{}, team()], ids=["new", "known"])
def test_who_feeds_a_team_names_it(api: FakeApi, olds: dict[str, Any]) -> None:
    """A team of an identity provider is declared by its name, to the letter."""
    api.teams.put("Data", scim_managed=True)
    (failure,) = provider(api)[0].check(olds, team(name="DATA")).failures
    assert "declare it by the name 'Data'" in failure.reason
    assert provider(api)[0].check({}, team()).failures == []


DIFFS: dict[str, tuple[dict[str, Any], bool]] = {
    "nothing": ({}, False), "another name": ({"name": "EU"}, True), "another removal": ({"removal": "never"}, True),
    "a name not known yet": ({"name": rpc.UNKNOWN}, True), "metadata": ({"ticket": "OPS-1"}, True),
}  # fmt: skip


@pytest.mark.parametrize(("change", "changes"), DIFFS.values(), ids=DIFFS.keys())
def test_everything_of_a_team_changes_in_place(api: FakeApi, change: dict[str, Any], changes: bool) -> None:
    """A team that is made anew would be empty."""
    result = provider(api)[0].diff(ID, team(), team(**change))
    assert (result.changes, result.replaces) == (changes, [])


def test_a_new_team_is_made_once(api: FakeApi) -> None:
    """And found by its name, since the answer has no id."""
    made, said = provider(api)
    created = made.create(team(name="Ops"))
    outs = created.outs or {}
    assert created.id == f"{ORGANIZATION}:{outs['team_id']}"
    assert (outs["adopted"], outs["scim_managed"], said) == (False, False, [])
    assert (made.create(team(name="Ops")).outs or {})["adopted"] is True
    assert api.writes == ["create_team"]


def test_a_team_that_is_there_is_adopted_and_it_is_said(api: FakeApi) -> None:
    """With what it gives; another spelling of its name is brought to the declared one."""
    api.teams.put("Data", projects={PRODUCTION: "analyst"}, organization_role="admin", scim_managed=True)
    made, said = provider(api)
    outs = made.create(team()).outs or {}
    assert (outs["adopted"], outs["organization_role"], outs["scim_managed"]) == (True, "admin", True)
    (line,) = said
    assert line.startswith("the team Data is there already and is adopted: it gives the organization role admin, anal")
    assert line.endswith(f"in project {PRODUCTION}; an identity provider says who is in it")
    api.teams.put("Data")
    made, said = provider(api)
    assert (made.create(team(name="data")).outs or {})["name"] == "data"
    assert said == ["the team Data is there already and is adopted: it gives no access"]
    assert api.sent == [("rename_team", (TEAM, "data"))]


def test_a_team_is_read_with_its_name(api: FakeApi) -> None:
    """What somebody called it by hand shows; whether it was adopted is only in the state; gone is gone."""
    api.teams.put("Data EU")
    read = provider(api)[0].read(ID, {**team(), "adopted": False, "ticket": "OPS-1"})
    assert read.inputs == {"name": "Data EU", "removal": "when_unused", "ticket": "OPS-1", "team_projects": {}}
    assert (read.outs or {})["adopted"] is False
    imported = provider(api)[0].read(ID, {})
    assert ((imported.outs or {})["adopted"], (imported.inputs or {})["removal"]) == (True, "when_unused")
    assert provider(api)[0].read(f"{ORGANIZATION}:9", team()).id == ""


def test_a_team_is_renamed_in_place(api: FakeApi) -> None:
    """Whatever else changes with it; what only concerns us sends nothing."""
    made, _ = provider(api)
    olds = {**team(), "team_id": TEAM, "adopted": False, "scim_managed": False}
    outs = made.update(ID, olds, team(name="Data EU", ticket="OPS-1")).outs or {}
    assert (outs["name"], outs["ticket"], outs["adopted"], outs["team_id"]) == ("Data EU", "OPS-1", False, TEAM)
    outs = made.update(ID, olds, team(removal="never")).outs or {}
    assert (outs["removal"], outs["team_id"]) == ("never", TEAM)
    assert api.sent == [("rename_team", (TEAM, "Data EU"))]


def test_a_rename_that_does_not_come_about_is_told(api: FakeApi) -> None:
    """Neither silence nor absence is taken for a success."""
    api.deaf.add("rename_team")
    with pytest.raises(errors.NotApplied, match="shows Data"):
        provider(api)[0].update(ID, team(), team(name="EU"))
    with pytest.raises(errors.NotApplied, match="it is no longer there"):
        provider(api)[0].update(f"{ORGANIZATION}:9", team(), team(name="EU"))


EMPTY: dict[str, Any] = {"members": frozenset()}
USED = {"members": frozenset({"ana@example.com"})}
DELETIONS: dict[str, tuple[dict[str, Any], dict[str, Any], list[int], bool, str]] = {
    # what the team is, what the state says, the service accounts in it, whether it goes, what is said
    "ours and empty": (EMPTY, {}, [], True, ""),
    "with somebody in it": (USED, {}, [], False, "there are 1 in it who are not declared here"),
    "with a role": ({**EMPTY, "projects": {1: "analyst"}}, {}, [], False, "it has 1 roles in projects"),
    "with a robot": (EMPTY, {}, [3], False, "there are 1 service accounts in it"),
    "adopted": (EMPTY, {"adopted": True}, [], False, "it was there before it was declared"),
    "nobody knows since when": (EMPTY, {"adopted": None}, [], False, "it was there before"),
    "declared to stay": (EMPTY, {"removal": "never"}, [], False, "(removal: never): it is declared to stay"),
    "always": (
        {**USED, "projects": {1: "analyst"}}, {"removal": "always", "adopted": True}, [3], True,
        "the team Data is deleted: analyst in project 1 goes for ana@example.com",
    ),
    "always, empty": (EMPTY, {"removal": "always"}, [], True, ""),
    "fed by an identity provider": (
        {**EMPTY, "scim_managed": True}, {"removal": "always"}, [], False, "an identity provider feeds it",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("there", "state", "robots", "goes", "words"), DELETIONS.values(), ids=DELETIONS.keys())
def test_which_teams_are_deleted(
    api: FakeApi, there: dict[str, Any], state: dict[str, Any], robots: list[int], goes: bool, words: str
) -> None:
    """One that is ours and nobody else's, or that somebody has said so of; it is said who loses what."""
    api.teams.put("Data", **there)
    api.teams.robots[TEAM] = robots
    made, said = provider(api)
    props = {key: value for key, value in {**team(), "adopted": False, **state}.items() if value is not None}
    made.delete(ID, props)
    assert (TEAM in api.teams.teams) is not goes
    assert (words in said[0]) if words else (said == [])


def test_what_cannot_be_seen_keeps_a_team(api: FakeApi) -> None:
    """Neither people nor service accounts that are not told are taken for none; `always` says so."""
    api.teams.hides_members = True
    made, said = provider(api)
    made.delete(ID, team(adopted=False))
    assert said == ["the team Data stays (removal: when_unused): Mixpanel does not show who is in it"]
    made, said = provider(api)
    made.delete(ID, team(removal="always"))
    assert said == ["the team Data is deleted: no access goes for whoever is in it, which Mixpanel does not show"]
    api.teams.hides_members = False
    api.teams.put("Data")
    api.faults["service_accounts_of"] = [errors.NotFound("cannot", why="404")]
    made, said = provider(api)
    made.delete(ID, team(adopted=False))
    assert "Mixpanel does not show which service accounts" in said[0]


def test_what_is_decided_on_is_fresh(api: FakeApi) -> None:
    """Who joined a moment ago keeps the team."""
    api.teams.put("Data")
    made, _ = provider(api)
    made.read(ID, team())
    api.teams.put("Data", "ana@example.com")
    made.delete(ID, team(adopted=False))
    assert api.writes == []


def test_a_team_that_stays_after_its_deletion_is_told(api: FakeApi) -> None:
    """And one that is gone already is no error."""
    api.deaf.add("delete_team")
    with pytest.raises(errors.NotApplied, match="still lists the team"):
        provider(api)[0].delete(ID, team(removal="always"))
    provider(api)[0].delete(f"{ORGANIZATION}:9", team())


def test_a_compliant_grant_passes_and_is_given(api: FakeApi) -> None:
    """Once; a second time it is there already."""
    given, _ = provider(api, grant=True)
    assert given.check({}, held(team_id=str(TEAM))).inputs == held()
    made = given.create(held())
    assert (made.id, made.outs) == (GRANT_ID, held())
    given.create(held())
    assert api.sent == [("grant_to_team", {(TEAM, PRODUCTION): "analyst"})]


BAD_GRANTS: dict[str, tuple[dict[str, Any], str, str]] = {
    "no team": ({"team_id": None}, "team_id", "not a team id"),
    "an unknown team": ({"team_id": 9}, "team_id", "has no team 9"),
    "no project": ({"project_id": 0}, "project_id", "not a project id"),
    "an unknown project": ({"project_id": 99}, "project_id", "has no project 99"),
    "no role": ({"role": None}, "role", "not a project role"),
    "a role above our own": ({"role": "owner"}, "role", "whose own organization role is 'admin'"),
}


@pytest.mark.parametrize(("change", "field", "words"), BAD_GRANTS.values(), ids=BAD_GRANTS.keys())
def test_a_spoiled_grant_is_refused_in_words(api: FakeApi, change: dict[str, Any], field: str, words: str) -> None:
    """Each wrong input is told by name, before anything is written."""
    failures = provider(api, grant=True)[0].check({}, held(**change)).failures
    assert [failure.property for failure in failures] == [field]
    assert words in failures[0].reason
    assert api.writes == []


def test_a_grant_of_another_environment_is_refused(api: FakeApi) -> None:
    """Production and staging never mix, for teams neither."""
    given, _ = provider(api, grant=True, environment="staging")
    (failure,) = given.check({}, held(environment="production")).failures
    assert failure.reason.startswith(
        "the project is 'production' and this stack is 'staging'; declare the grant to team"
    )


GRANT_DIFFS: dict[str, tuple[dict[str, Any], bool, list[str]]] = {
    "nothing": ({}, False, []),
    "another role": ({"role": "admin"}, True, []),
    "another team": ({"team_id": 78}, True, ["team_id"]),
    "a team yet to be made": ({"team_id": rpc.UNKNOWN}, True, []),
    "another project": ({"project_id": WAREHOUSE}, True, ["project_id"]),
}


@pytest.mark.parametrize(("change", "changes", "replaces"), GRANT_DIFFS.values(), ids=GRANT_DIFFS.keys())
def test_another_role_is_a_change_in_place(
    api: FakeApi, change: dict[str, Any], changes: bool, replaces: list[str]
) -> None:
    """Another team or project is another grant."""
    result = provider(api, grant=True)[0].diff("", held(), held(**change))
    assert (result.changes, list(result.replaces or [])) == (changes, replaces)


def test_a_role_is_read_changed_and_taken_away(api: FakeApi) -> None:
    """In place, and only in its project: people and other roles of the team stay."""
    api.teams.put("Data", "ana@example.com", projects={PRODUCTION: "consumer", WAREHOUSE: "admin"})
    given, _ = provider(api, grant=True)
    assert (given.read(GRANT_ID, held()).inputs or {})["role"] == "consumer"
    assert given.update(GRANT_ID, held(role="consumer"), held()).outs == held()
    found = given.lifecycle.refresh(GRANT_ID, held())
    assert found
    assert (found.inputs or {})["role"] == "analyst"
    given.update(GRANT_ID, held(), held(ticket="OPS-1"))
    given.delete(GRANT_ID, held())
    assert given.read(GRANT_ID, held()).id == ""
    given.delete(GRANT_ID, held())
    assert api.writes == ["grant_to_team", "remove_team_grant"]
    left = api.teams.teams[TEAM]
    assert (left.projects, left.members) == ({WAREHOUSE: "admin"}, frozenset({"ana@example.com"}))


def test_a_role_is_gone_with_its_team_or_project(api: FakeApi) -> None:
    """Reading and deleting it are no errors then."""
    api.teams.put("Data", projects={99: "analyst"})
    given, _ = provider(api, grant=True)
    given.delete(f"{ORGANIZATION}:99:{TEAM}", held())
    assert given.read(f"{ORGANIZATION}:{PRODUCTION}:9", held()).id == ""
    given.delete(f"{ORGANIZATION}:{PRODUCTION}:9", held())
    assert api.writes == []


def test_what_mixpanel_takes_and_does_not_do_is_told(api: FakeApi) -> None:
    """Neither giving nor taking is believed unseen."""
    api.deaf |= {"grant_to_team", "remove_team_grant"}
    with pytest.raises(errors.NotApplied, match="shows no role"):
        provider(api, grant=True)[0].create(held())
    api.teams.put("Data", projects={PRODUCTION: "analyst"})
    with pytest.raises(errors.NotApplied, match="still shows the role analyst"):
        provider(api, grant=True)[0].delete(GRANT_ID, held())


@pytest.mark.parametrize("verb", ["read", "update", "delete"])
@pytest.mark.parametrize("grant", [False, True], ids=["team", "grant"])
def test_the_state_of_another_organization_is_left_alone(api: FakeApi, verb: str, grant: bool) -> None:
    """In every verb that reads an id."""
    id_, props = (f"1:{PRODUCTION}:{TEAM}", held()) if grant else (f"1:{TEAM}", team())
    args = (id_, props, props) if verb == "update" else (id_, props)
    with pytest.raises(errors.InputError, match="it belongs to organization 1"):
        getattr(provider(api, grant=grant)[0], verb)(*args)
    assert api.writes == []


@pytest.mark.parametrize("text", ["", "1", "a:1", "1:a", "1:2:3:4", "1::2", "²:1"])
def test_ids_of_another_shape_are_refused(text: str) -> None:
    """And what is parsed is written again."""
    with pytest.raises(errors.InputError, match="it has the form ORG:TEAM"):
        TeamId.parse(text)
    with pytest.raises(errors.InputError, match="it has the form ORG:PROJECT:TEAM"):
        TeamGrantId.parse(text)
    assert (str(TeamId.parse("1:2")), str(TeamGrantId.parse("1:2:3"))) == ("1:2", "1:2:3")


GRANT_MOVES: dict[str, tuple[dict[str, int], dict[str, int]]] = {
    "a swap": ({"a": 77, "b": 78}, {"a": 78, "b": 77}),
    "a chain": ({"a": 77, "b": 78}, {"a": 78, "b": 79}),
    "a circle": ({"a": 77, "b": 78, "c": 79}, {"a": 78, "b": 79, "c": 77}),
    "a chain, and the last one goes": ({"a": 77, "b": 78}, {"a": 78}),
    "another name": ({"a": 77}, {"new": 77}),
    "another name of a chain": ({"a": 77, "b": 78}, {"new": 78, "b": 77}),
}


@pytest.mark.parametrize(("before", "after"), GRANT_MOVES.values(), ids=GRANT_MOVES.keys())
@pytest.mark.parametrize("backwards", [True, False])
def test_roles_whose_teams_change_are_given_once_and_taken_from_nobody_who_has_them(
    before: dict[str, int], after: dict[str, int], *, backwards: bool
) -> None:
    """Resource -> team: what the program declares under another name is not taken away with the old one."""
    api = FakeApi()
    for id_ in (77, 78, 79):
        api.teams.put(f"T{id_}", id_=id_)
    word = {"a": "analyst", "b": "consumer", "c": "admin", "new": "analyst"}
    first, _ = provider(api, grant=True)
    for name, id_ in before.items():
        first.create(held(team_id=id_, role=word[name]))
    second, _ = provider(api, grant=True)
    order = sorted(after, reverse=backwards)
    for name in order:
        news = held(team_id=after[name], role=word[name])
        olds = held(team_id=before[name], role=word[name]) if name in before else {}
        assert second.check(olds, dict(news)).failures == []
        if olds.get("team_id") != news["team_id"]:
            assert second.check({}, dict(news)).failures == []
            second.create(dict(news))
    gone = [name for name, id_ in before.items() if after.get(name) != id_]
    for name in gone:
        second.delete(f"{ORGANIZATION}:{PRODUCTION}:{before[name]}", held(team_id=before[name], role=word[name]))
    roles = {id_: team.projects.get(PRODUCTION) for id_, team in api.teams.teams.items()}
    declared = {id_: word[name] for name, id_ in after.items()}
    assert {id_: role for id_, role in roles.items() if role} == declared


def test_a_project_that_everybody_has_is_shown_with_a_teams_role(api: FakeApi) -> None:
    """At the first preview, and at a refresh; of production alone, and without asking where nothing has changed."""
    api.put("ana@example.com")
    made = TeamGrantProvider()
    made.use(make_session(api, environment="production")[0])
    checked = made.check({}, held()).inputs
    assert checked == held(environment="production", open_to_all_users=False)
    created = made.create(checked)
    api.give(PRODUCTION, "ana@example.com", "consumer", GrantType.ALL_USERS)
    made.use(make_session(api, environment="production")[0])
    read = made.read(str(created.id), dict(created.outs or {}))
    assert (read.outs or {})["open_to_all_users"] is (read.inputs or {})["open_to_all_users"] is True
    before = len(api.calls)
    assert made.check(dict(read.inputs or {}), held()).inputs["open_to_all_users"] is True
    assert len(api.calls) == before
    made.use(make_session(api, environment="staging")[0])
    assert "open_to_all_users" not in made.check({}, held()).inputs
