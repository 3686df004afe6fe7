"""Who has what, each way in with its type, and with the stack that declares it and why."""

from __future__ import annotations

import pytest

from mixpanel_access.model.access import GrantType, Person
from mixpanel_access.operations.who import PersonGrant, of_person
from tests.fakes import PRODUCTION, FakeApi
from tests.operations.overviews import BO, overview, person

TEAMS = "teams: { data: { name: Data, projects: { shop: analyst } } }"
IN_TEAM = person(more="engagement: review, teams: [data]")


def held(*people: str, api: FakeApi, more: str = TEAMS) -> list[PersonGrant]:
    """What Bo has."""
    return of_person(overview(api, *people, more=more), BO)


@pytest.fixture
def api() -> FakeApi:
    """An organization where Bo is in the team Data."""
    api = FakeApi()
    api.put(BO)
    api.teams.put("Data", BO, projects={PRODUCTION: "analyst"})
    return api


def test_a_role_through_a_declared_team_has_its_stack_and_reasons(api: FakeApi) -> None:
    """Those of the membership in the team, for which somebody asked."""
    (one,) = held(IN_TEAM, api=api)
    assert (one.role, one.grant_type, one.team, one.stack) == ("analyst", GrantType.TEAM, "Data", "production")
    assert (one.why["ticket"], one.why["approver"]) == ("OPS-1", "ana@example.com")


def test_a_role_through_another_team_has_none(api: FakeApi) -> None:
    """Nor one of somebody whom the stack has in no team, or whose team is not told."""
    api.teams.put("Ops", BO, id_=78, projects={PRODUCTION: "admin"})
    api.give(PRODUCTION, BO, "consumer", GrantType.TEAM)
    stacks = {one.team: one.stack for one in held(IN_TEAM, api=api)}
    assert stacks == {"Data": "production", "Ops": None, None: None}
    assert {one.stack for one in held(person(more="projects: {}"), api=api)} == {None}


def test_an_individual_role_beside_a_team_has_its_own_reasons(api: FakeApi) -> None:
    """Each way in is told apart."""
    api.give(PRODUCTION, BO, "consumer")
    both = person(more="projects: { shop: consumer }, ticket: OPS-9, teams: [data]")
    found = {one.grant_type: (one.stack, one.why.get("ticket")) for one in held(both, api=api)}
    assert found == {GrantType.INDIVIDUAL: ("production", "OPS-9"), GrantType.TEAM: ("production", "OPS-9")}


def test_who_has_another_address_by_now_is_found_by_the_old_one(api: FakeApi) -> None:
    """The state knows Mixpanel's id of the user: the organization's role counts, whether a project lists it or not."""
    new = "bo.new@example.com"
    api.people[new] = Person(new, "admin", invited=False, user_id=502)
    del api.people[BO]
    found = of_person(overview(api, person(), ids={BO: 502}), BO)
    assert {(one.email, one.role, one.grant_type) for one in found} == {(new, "admin", GrantType.ORGANIZATION_ROLE)}
