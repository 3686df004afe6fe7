"""SCIM mode: people of claimed domains come into teams and out of them by SCIM groups, the others as ever."""

from __future__ import annotations

from typing import Any

import pytest

from mixpanel_access.model import errors
from mixpanel_access.model.access import SingleSignOn
from mixpanel_access.provider.base import AccessProvider
from mixpanel_access.provider.team import TeamProvider
from mixpanel_access.provider.team_member import TeamMemberProvider
from tests.fake_scim import with_scim
from tests.fakes import ORGANIZATION, PRODUCTION, FakeApi, provider_over

TEAM = 77
ANA, BO, ROBIN = "ana@example.com", "bo@example.com", "robin@agency.example.org"
ID = f"{ORGANIZATION}:{TEAM}:{BO}"
CLAIMED = SingleSignOn(enabled=True, required=True, idp_managed=True, domains=frozenset({"example.com"}))


@pytest.fixture
def api() -> FakeApi:
    """An organization with a claimed domain and a token; Ana is in a team."""
    api = with_scim(FakeApi(security=CLAIMED))
    for email in (ANA, BO, ROBIN):
        api.put(email)
    api.teams.put("Data", ANA, projects={PRODUCTION: "analyst"})
    return api


def provider(
    api: FakeApi, kind: type[AccessProvider] = TeamMemberProvider, said: list[str] | None = None
) -> AccessProvider:
    """A provider in a session of its own over the fake."""
    return provider_over(api, kind, said)


def held(email: str = BO) -> dict[str, Any]:
    """The inputs of one compliant membership."""
    return {"team_id": TEAM, "email": email}


def inside(api: FakeApi) -> set[str]:
    """Who is in the team."""
    return set(api.teams.teams[TEAM].members or ())


@pytest.mark.parametrize("fed", [False, True], ids=["by hand before", "by SCIM before"])
def test_a_membership_lives_by_scim(api: FakeApi, fed: bool) -> None:
    """Only the one person is named in a write; a second run writes nothing, and nothing is drift."""
    api.teams.put("Data", ANA, scim_managed=fed)
    made = provider(api).create(held())
    outs = dict(made.outs or {})
    assert (made.id, outs) == (ID, {**held(), "status": "member", "team_projects": {}})
    provider(api).create(held())
    again = provider(api)
    assert (again.read(ID, outs).outs, again.diff(ID, outs, held()).changes) == (outs, False)
    assert inside(api) == {ANA, BO}
    for _ in range(2):
        provider(api).delete(ID, outs)
    assert inside(api) == {ANA}
    assert provider(api).read(ID, outs).id == ""
    assert api.sent == [
        ("scim_group_change", ("Data", ("501",), ())),
        ("scim_group_change", ("Data", (), ("501",))),
    ]


def test_others_come_into_a_team_as_ever(api: FakeApi) -> None:
    """Of another domain, in a team that SCIM feeds by now: one team has both."""
    provider(api).create(held())
    outs = dict(provider(api).create(held(ROBIN)).outs or {})
    assert (api.writes, outs["status"]) == (["scim_group_change", "add_members"], "member")
    provider(api).delete(f"{ORGANIZATION}:{TEAM}:{ROBIN}", outs)
    assert (api.writes[2:], inside(api)) == (["remove_member"], {ANA, BO})


def test_a_team_without_a_group_gets_one(api: FakeApi) -> None:
    """Of its name; who is in the team stays. Where none can be made, it is told what to do."""
    assert api.scim
    api.scim.shows_all_teams = False
    provider(api).create(held())
    assert (api.sent, inside(api)) == ([("scim_group_create", ("Data", "501"))], {ANA, BO})
    api.teams.put("Data", ANA)
    api.faults["scim_group_create"] = [errors.Invalid("cannot", why="409")]
    with pytest.raises(errors.Invalid, match="SCIM does not show the team Data as a group and makes none"):
        provider(api).create(held())
    provider(api).delete(ID, {**held(), "status": "member"})  # who is in no group is not taken out of one
    assert api.writes == ["scim_group_create"] * 2


UNSHOWN: dict[str, tuple[str, dict[str, bool]]] = {
    "invited and not listed": ("waiting", {"invited": True, "hides_invited": True}),
    "invited and listed": ("member", {"invited": True}),
    "no group": ("member", {"no_group": True}),
    "no group and nobody listed": ("member", {"no_group": True, "hides_members": True}),
}


@pytest.mark.parametrize(("status", "so"), UNSHOWN.values(), ids=UNSHOWN.keys())
def test_whom_scim_does_not_show_in_a_team_is_taken_out_as_ever(api: FakeApi, status: str, so: dict[str, bool]) -> None:
    """What SCIM does not know is not taken for absence: the place stays in the state, and goes with the resource."""
    assert api.scim
    api.put(BO, invited=so.get("invited", False))
    api.teams.put("Data", ANA, BO)
    api.teams.hides_invited, api.teams.hides_members = so.get("hides_invited", False), so.get("hides_members", False)
    api.scim.shows_all_teams = not so.get("no_group", False)
    state = {**held(), "status": status, "team_projects": {}}
    assert provider(api).read(ID, state).outs == state
    provider(api).delete(ID, state)
    assert (api.writes, inside(api)) == (["remove_member"], {ANA})


def test_who_waits_is_let_in_first_and_who_is_kept_out_stays_out(api: FakeApi) -> None:
    """A group has members only; a membership in a team activates nobody whom the identity provider keeps out."""
    api.people.clear()
    api.put(BO, invited=True)
    provider(api).create(held())
    assert api.writes == ["scim_create", "scim_group_change"]
    assert api.scim
    api.scim.kept_out.add(BO)
    provider(api).create(held())
    assert (api.writes[2:], inside(api), api.scim.kept_out) == ([], {ANA, BO}, {BO})
    with pytest.raises(errors.InputError, match="Declare a Member for them"):
        provider(api).create(held("new@example.com"))


def test_where_the_list_hides_people_the_group_tells(api: FakeApi) -> None:
    """Who is in is known by SCIM then, of those who come by it."""
    api.teams.hides_members = True
    state = {**held(), "status": "member"}
    assert provider(api).read(ID, state).id == ""
    provider(api).create(held())
    assert provider(api).read(ID, state).id == ID
    provider(api).create(held())
    assert api.writes == ["scim_group_change"]
    outside = f"{ORGANIZATION}:{TEAM}:{ROBIN}"
    assert provider(api).read(outside, {**held(ROBIN), "status": "member"}).id == outside


def test_what_mixpanel_takes_and_does_not_do_is_told(api: FakeApi) -> None:
    """Neither joining nor leaving is believed unseen."""
    api.deaf.add("scim_group_change")
    with pytest.raises(errors.NotApplied, match="does not list the person in it"):
        provider(api).create(held())
    with pytest.raises(errors.NotApplied, match="still lists the person in it"):
        provider(api).delete(f"{ORGANIZATION}:{TEAM}:{ANA}", held(ANA))


def test_who_was_left_to_scim_is_ours_with_a_token(api: FakeApi) -> None:
    """The next run puts them in, without a refresh too."""
    api.teams.put("Data", scim_managed=True)
    scim, api.scim = api.scim, None
    outs = dict(provider(api).create(held()).outs or {})
    assert (outs["status"], provider(api).diff(ID, outs, held()).changes) == ("left_to_scim", False)
    api.scim = scim
    assert provider(api).diff(ID, outs, held()).changes
    assert (provider(api).update(ID, outs, held()).outs or {})["status"] == "member"
    assert inside(api) == {BO}


def test_the_group_is_renamed_with_the_team(api: FakeApi) -> None:
    """By SCIM where it feeds the team; another spelling than an identity provider's is still not adopted."""
    made = provider(api, TeamProvider).create({"name": "Ops", "removal": "when_unused"})
    outs = dict(made.outs or {})
    place = {"team_id": outs["team_id"], "email": BO}
    provider(api).create(place)
    assert provider(api, TeamProvider).read(str(made.id), outs).outs == outs  # to be fed by us is no drift
    news = {"name": "Ops EU", "removal": "when_unused"}
    assert provider(api, TeamProvider).check(outs, dict(news)).failures == []
    after = dict(provider(api, TeamProvider).update(str(made.id), outs, news).outs or {})
    assert after["name"] == "Ops EU"
    assert api.writes == ["create_team", "scim_group_change", "scim_group_rename"]
    provider(api).delete(f"{ORGANIZATION}:{outs['team_id']}:{BO}", place)
    assert api.sent[-1][1] == ("Ops EU", (), ("501",))
    (failure,) = provider(api, TeamProvider).check({}, {"name": "OPS EU", "removal": "never"}).failures
    assert "declare it by the name 'Ops EU'" in failure.reason
    provider(api, TeamProvider).delete(str(made.id), after)  # nobody is left in it
    assert api.writes[-1] == "delete_team"


@pytest.mark.parametrize("applied", [True, False])
@pytest.mark.parametrize("verb", ["scim_group_change", "scim_group_create", "scim_group_rename"])
def test_a_lost_answer_is_settled_by_reading(api: FakeApi, verb: str, applied: bool) -> None:
    """A write goes out again only where it was not applied."""
    api.faults[verb] = [errors.Unreachable("cannot", why="lost")]
    api.applied = applied
    assert api.scim
    api.scim.shows_all_teams = verb != "scim_group_create"
    if verb == "scim_group_rename":
        api.teams.put("Data", scim_managed=True)
        olds = {"name": "Data", "removal": "never", "adopted": True}
        provider(api, TeamProvider).update(f"{ORGANIZATION}:{TEAM}", olds, {"name": "EU", "removal": "never"})
    else:
        provider(api).create(held())
    assert api.writes == [verb] * (1 if applied else 2)
