"""`RemovalBrake`: everybody of a stack, judged together."""

from __future__ import annotations

from typing import Any

import pytest

from mixpanel_access.model.access import GrantType
from mixpanel_access.model.errors import Refused
from mixpanel_access.provider.member import MemberProvider
from mixpanel_access.provider.removal_brake import RemovalBrakeProvider
from mixpanel_access.provider.run import Scope
from tests.fake_scim import with_scim
from tests.fakes import ORGANIZATION, PRODUCTION, WAREHOUSE, FakeApi, make_session

ID = f"{ORGANIZATION}:removal-brake"


@pytest.fixture
def api() -> FakeApi:
    """Two owners and eight members, who each have a grant: three people may go."""
    api = FakeApi(own_role="owner")
    for n in range(2):
        api.put(f"o{n}@example.com", "owner")
    for n in range(8):
        api.put(f"m{n}@example.com")
        api.give(PRODUCTION, f"m{n}@example.com", "analyst")
    return api


def provider_for(api: FakeApi, **settings: Any) -> RemovalBrakeProvider:
    """A provider in a session over the fake."""
    provider = RemovalBrakeProvider()
    provider.use(make_session(api, **settings)[0])
    return provider


def declared(count: int = 8, **changes: Any) -> dict[str, Any]:
    """The members as their stack declares them. The engine's numbers are floating-point."""
    people = [
        {"email": f"m{n}@example.com", "removal": "when_unused", "projects": [float(PRODUCTION)], **changes}
        for n in range(count)
    ]
    return {"people": people}


@pytest.mark.parametrize(("left", "held"), [(8, False), (5, False), (4, True), (0, True)])
def test_who_is_no_longer_declared_is_judged_together(api: FakeApi, left: int, held: bool) -> None:
    """Three may go, four may not; the first five are named, and the others counted."""
    failures = provider_for(api).check(declared(), declared(left)).failures
    assert bool(failures) is held
    if held:
        assert all(f"m{n}@example.com" in failures[0].reason for n in range(left, min(left + 5, 8)))
        assert ("m4@example.com and 3 others:" in failures[0].reason) is (left == 0)


STAYING: dict[str, tuple[dict[str, Any], tuple[int, GrantType] | None, bool]] = {
    "nothing else": ({}, None, False),
    "removal never": ({"removal": "never"}, None, True),
    "another stack's grant": ({}, (WAREHOUSE, GrantType.INDIVIDUAL), True),
    "a team": ({}, (PRODUCTION, GrantType.TEAM), True),
    "all users": ({}, (WAREHOUSE, GrantType.ALL_USERS), False),
    "another stack's grant, but always": ({"removal": "always"}, (WAREHOUSE, GrantType.INDIVIDUAL), False),
}


@pytest.mark.parametrize(("change", "extra", "stays"), STAYING.values(), ids=STAYING.keys())
def test_who_would_stay_does_not_count(
    api: FakeApi, change: dict[str, Any], extra: tuple[int, GrantType] | None, stays: bool
) -> None:
    """Only those who would really leave are counted, at up and on destroy."""
    for n in range(8):
        if extra:
            api.give(extra[0], f"m{n}@example.com", "consumer", extra[1])
    assert (provider_for(api).check(declared(**change), declared(0)).failures == []) is stays
    if stays:
        provider_for(api).delete(ID, declared(**change))
    else:
        with pytest.raises(Refused, match="would remove 8"):
            provider_for(api).delete(ID, declared(**change))
    assert api.writes == []


@pytest.mark.parametrize(("left", "held"), [(8, False), (5, False), (4, True), (0, True)])
@pytest.mark.parametrize("renamed", [True, False], ids=["renamed", "dropped"])
def test_a_brake_that_goes_alone_judges_who_goes_with_it(api: FakeApi, left: int, held: bool, renamed: bool) -> None:
    """Under another name, or with no brake any more: whom the program still declares does not leave."""
    provider, member = provider_for(api), MemberProvider()
    member.use(provider.session)
    for person in declared(left)["people"]:
        assert member.check({}, {"email": person["email"].upper()}).failures == []
    if renamed:
        assert provider.check({}, declared(left)).failures == []
    if held:
        with pytest.raises(Refused, match=f"would remove {8 - left}"):
            provider.delete(ID, declared())
    else:
        provider.delete(ID, declared())
    assert api.writes == []


TEAMS: dict[str, tuple[Any, bool]] = {
    "its own team": (["data"], False),
    "another team": (["Ops"], True),
    "no team": ([], True),
}


@pytest.mark.parametrize(("teams", "stays"), TEAMS.values(), ids=TEAMS.keys())
@pytest.mark.parametrize("fed", [False, True], ids=["by hand", "by SCIM"])
def test_what_comes_through_a_stacks_own_teams_goes_with_it(
    api: FakeApi, teams: list[str], stays: bool, fed: bool
) -> None:
    """Its people are taken out of them before they are removed; an identity provider's stay where they are."""
    people = [f"m{n}@example.com" for n in range(8)]
    api.teams.put("Data", *people, projects={PRODUCTION: "analyst"}, scim_managed=fed)
    if stays or fed:
        provider_for(api).delete(ID, declared(teams=teams))
    else:
        with pytest.raises(Refused, match="would remove 8"):
            provider_for(api).delete(ID, declared(teams=teams))


def test_with_a_token_what_scim_feeds_is_the_stacks_own(api: FakeApi) -> None:
    """It takes its people out of it before they are removed."""
    people = [f"m{n}@example.com" for n in range(8)]
    api.teams.put("Data", *people, projects={PRODUCTION: "analyst"}, scim_managed=True)
    with pytest.raises(Refused, match="would remove 8"):
        provider_for(with_scim(api)).delete(ID, declared(teams=["Data"]))


def test_a_team_that_is_not_named_counts_as_the_stacks_own(api: FakeApi) -> None:
    """Rather a brake too many than a removal too many."""
    for n in range(8):
        api.give(PRODUCTION, f"m{n}@example.com", "consumer", GrantType.TEAM)
    with pytest.raises(Refused, match="would remove 8"):
        provider_for(api).delete(ID, declared(teams=["Data"]))


def test_whose_organization_role_is_another_stacks_does_not_count(api: FakeApi) -> None:
    """They stay, unless this stack declares the role."""
    for n in range(8):
        api.put(f"m{n}@example.com", "admin")
    provider_for(api).delete(ID, declared())
    with pytest.raises(Refused, match="would remove 8"):
        provider_for(api).delete(ID, declared(role="admin"))


def test_role_changes_are_judged_together(api: FakeApi) -> None:
    """Demoting both owners leaves none, though each alone would pass."""
    people = [{"email": f"o{n}@example.com", "role": "admin"} for n in range(2)]
    (failure,) = provider_for(api).check({"people": people[:1]}, {"people": people}).failures
    assert "o0@example.com, o1@example.com: the organization would be left without an owner" in failure.reason
    one = [people[0], {"email": "o1@example.com", "role": "owner"}]
    assert provider_for(api).check({}, {"people": one}).failures == []


def test_people_who_left_already_are_nobodys_removal(api: FakeApi) -> None:
    """A destroy after everybody was removed by hand goes through."""
    api.people = {key: person for key, person in api.people.items() if key.startswith("o")}
    provider_for(api).delete(ID, declared(removal="always"))


def test_its_life_sends_nothing(api: FakeApi) -> None:
    """It keeps the list, changes in place, and reads as it is."""
    provider = provider_for(api)
    created = provider.create(declared(2))
    assert created.id == ID
    outs = dict(created.outs or {})
    assert outs["people"][0]["projects"] == [PRODUCTION]
    assert not provider.diff(ID, outs, declared(2)).changes
    assert provider.diff(ID, outs, declared(3)).changes
    assert provider.update(ID, outs, declared(3)).outs == provider.create(declared(3)).outs
    assert not api.calls


def test_the_owners_are_shown_as_they_are_read(api: FakeApi) -> None:
    """At the check that reads the people anyhow, and at a refresh; a check without changes asks nobody."""
    owners = {"owners": ["o0@example.com", "o1@example.com"]}
    provider = provider_for(api)
    checked = provider.check({}, declared()).inputs
    assert checked == declared() | owners
    outs = dict(provider.create(checked).outs or {})
    api.put("m0@example.com", "owner")
    read = provider_for(api).read(ID, outs)
    assert (read.outs or {})["owners"] == (read.inputs or {})["owners"] == ["m0@example.com", *owners["owners"]]
    before = len(api.calls)
    assert provider_for(api).check(dict(read.inputs or {}), declared()).inputs == read.inputs
    assert len(api.calls) == before
    assert provider_for(api).read(ID, {"people": []}).outs == {"people": []}


def member_in_state(n: int, component: str = "") -> dict[str, Any]:
    """A `Member` as the engine exports it."""
    email = f"m{n}@example.com"
    kind = "pulumi-python:dynamic/mixpanel:Member"
    return {
        "urn": f"urn:pulumi:production::p::{component}{kind}::{email}",
        "type": kind,
        "id": f"{ORGANIZATION}:{email}",
        "outputs": {"email": email, "removal": "always", "adopted": False},
    }


@pytest.mark.parametrize(
    ("component", "elsewhere", "held"),
    [
        ("", 0, True),
        ("mixpanel:index:RosterAccess$", 0, True),
        ("", 8, False),
        ("", 5, False),
        ("", 2, True),
        ("mixpanel:index:CollaboratorAccess$", 0, False),
    ],
)
def test_a_new_brake_judges_only_whom_nothing_declares(
    api: FakeApi, component: str, elsewhere: int, held: bool
) -> None:
    """A roster is added to a program that has people already: they are not gone, and others in the state are."""
    provider = provider_for(api)
    provider.session.scope = Scope(state=lambda: [member_in_state(n, component) for n in range(8)])
    member = MemberProvider()
    member.use(provider.session)
    for n in range(elsewhere):
        assert not member.check({}, {"email": f"m{n}@example.com"}).failures
    failures = provider.check({}, {"people": []}).failures
    assert bool(failures) is held


def test_who_moves_to_another_resource_of_the_program_is_not_gone(api: FakeApi) -> None:
    """The list loses everybody, and the program declares them one by one."""
    provider = provider_for(api)
    member = MemberProvider()
    member.use(provider.session)
    for n in range(8):
        member.check({}, {"email": f"m{n}@example.com"})
    assert provider.check(declared(), declared(0)).failures == []
