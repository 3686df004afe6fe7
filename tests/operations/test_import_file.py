"""The entries of an import file: what the provider reads, in the engine's form."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from pulumi.dynamic.dynamic import serialize_provider

from mixpanel_access.model.declaration import Declaration, declaration
from mixpanel_access.model.errors import Forbidden, InputError
from mixpanel_access.model.roster.reading import RosterSource, parse
from mixpanel_access.model.service_accounts import ServiceAccountInfo, ServiceAccountRole
from mixpanel_access.operations.importing.pulumi_import import (
    ImportEntry,
    Wanted,
    brake_entry,
    entries_of,
    import_file,
    people_for_brake,
    with_role_ids,
)
from mixpanel_access.operations.state import EMPTY, State
from mixpanel_access.provider.member import MemberProvider
from tests.fake_scim import with_scim
from tests.fakes import NOW, ORGANIZATION, PRODUCTION, WAREHOUSE, FakeApi, make_session
from tests.operations.held import (
    held_account,
    held_account_grant,
    held_brake,
    held_custom_role,
    held_security,
    held_team,
    held_team_grant,
    held_team_member,
    state_of_resources,
)

ROSTER = f"""\
environment: production
organizationRoles: true
projects:
  shop: {{ id: {PRODUCTION}, environment: production }}
  warehouse: {{ id: {WAREHOUSE}, environment: production }}
people:
  - {{ email: Bo@example.com, organizationRole: member, projects: {{ shop: analyst, warehouse: admin }}, ticket: T-1 }}
  - {{ email: gone@example.com }}
"""
DECLARED = declaration(parse(ROSTER, RosterSource("r")), NOW.date())
BO = "bo@example.com"
NOBODY = Wanted()


def entries(
    api: FakeApi, declared: Declaration = DECLARED, state: State = EMPTY, wanted: Wanted = NOBODY, **settings: Any
) -> list[ImportEntry]:
    """The entries of an import."""
    session, _ = make_session(api, **settings)
    return entries_of(session, declared, state, wanted)[0]


@pytest.fixture
def api() -> FakeApi:
    """Bo, invited, with another organization role and one of the two declared grants."""
    found = FakeApi()
    found.put(BO, "admin", invited=True)
    found.give(PRODUCTION, BO, "consumer")
    return found


def test_a_member_as_the_provider_reads_it(api: FakeApi) -> None:
    """Inputs and outputs say what is so, not what is declared; who is not there has no entry."""
    (entry,) = entries(api, wanted=Wanted({BO, "gone@example.com"}))
    pickled = {"__provider": serialize_provider(MemberProvider())}
    assert entry == {
        "type": "pulumi-python:dynamic/mixpanel:Member",
        "name": BO,
        "id": f"{ORGANIZATION}:Bo@example.com",
        "parent": "roster",
        "inputs": {"email": "Bo@example.com", "role": "admin", "removal": "when_unused", "ticket": "T-1", **pickled},
        "outputs": {
            "email": "Bo@example.com",
            "role": "admin",
            "removal": "when_unused",
            "ticket": "T-1",
            "organization_role": "admin",
            "adopted": True,
            "origin": "imported",
            "status": "pending",
            "expires_at": "2026-05-11T12:00:00Z",
            **pickled,
        },
    }
    assert entries(api) == []


def test_a_grant_as_the_provider_reads_it(api: FakeApi) -> None:
    """The role that Mixpanel has; a declared grant that is not there has no entry."""
    api.put(BO)
    (entry,) = entries(api, wanted=Wanted(grants=DECLARED.grants.keys()))
    assert (entry["name"], entry["id"]) == (f"{PRODUCTION}:{BO}", f"{ORGANIZATION}:{PRODUCTION}:Bo@example.com")
    assert entry["inputs"]["role"] == entry["outputs"]["role"] == "consumer"
    assert entry["inputs"]["environment"] == "production"
    assert entry["outputs"]["grant_types"] == ["individual"]


def test_what_the_provider_would_refuse_is_not_imported(api: FakeApi) -> None:
    """A project of another environment than the stack's, for one."""
    with pytest.raises(InputError, match="the project is 'production' and this stack is 'staging'"):
        entries(api, wanted=Wanted(grants=DECLARED.grants.keys()), environment="staging")


def test_no_secret_is_in_the_file(api: FakeApi) -> None:
    """Nor the account's name."""
    session, _ = make_session(api)
    taken = [*entries(api, wanted=Wanted({BO})), brake_entry(session, DECLARED.people)]
    text = json.dumps(import_file(taken, EMPTY))
    assert "hush" not in text
    assert '"bot"' not in text


def test_the_brake_keeps_knowing_whom_the_roster_lost() -> None:
    """Their removal is still to be judged; the others are known as they are declared now."""
    before: list[dict[str, Any]] = [
        {"email": "BO@example.com", "projects": [1]},
        {"email": "lost@example.com", "removal": "always"},
    ]
    people = people_for_brake(DECLARED, state_of_resources({}, {}, (held_brake("urn", before),)))
    assert [person["email"] for person in people] == ["Bo@example.com", "gone@example.com", "lost@example.com"]
    assert people[0] == {
        "email": "Bo@example.com",
        "removal": "when_unused",
        "projects": [PRODUCTION, WAREHOUSE],
        "role": "member",
    }
    assert people[2] == before[1]


def test_the_component_is_made_once() -> None:
    """With the first import; later ones hang below the one that is there."""
    first = import_file([{"name": "a"}], EMPTY)
    assert first == {
        "resources": [{"type": "mixpanel:index:RosterAccess", "name": "roster", "component": True}, {"name": "a"}]
    }
    again = import_file([{"name": "a"}], state_of_resources({}, {}, (), "urn:of:it"))
    assert again == {"nameTable": {"roster": "urn:of:it"}, "resources": [{"name": "a"}]}


ROBOTS = (
    ROSTER
    + """\
serviceAccounts:
  etl: { role: consumer, expires: 2027-01-01, projects: { shop: analyst, warehouse: consumer }, ticket: T-2 }
  known: { purpose: Is only known }
"""
)
LOGIN = "etl.1a2b3c.mp-service-account"


def robots(api: FakeApi, state: State = EMPTY) -> tuple[list[tuple[str, str]], dict[str, str]]:
    """Names and ids of the entries, and who is left out."""
    session, _ = make_session(api)
    declared = declaration(parse(ROBOTS, RosterSource("r")), NOW.date())
    found, left_out = entries_of(session, declared, state, Wanted())
    return [(entry["name"], entry["id"]) for entry in found], left_out


def test_a_service_account_comes_in_by_its_name(api: FakeApi) -> None:
    """With the roles that it has; one that is only known does not."""
    api.accounts.append(ServiceAccountInfo(77, LOGIN, NOW))
    api.accounts.append(ServiceAccountInfo(78, "known.1a2b3c.mp-service-account", NOW))
    api.service_accounts.rows.append(ServiceAccountRole(77, PRODUCTION, "admin"))
    assert robots(api) == (
        [
            ("service-account/etl", f"{ORGANIZATION}:77"),
            (f"{PRODUCTION}:service-account/etl", f"{ORGANIZATION}:{PRODUCTION}:77"),
        ],
        {},
    )


def test_a_service_account_that_cannot_be_told_is_left_out(api: FakeApi) -> None:
    """Several have its name; one that is not there is yet to be made."""
    assert robots(api) == ([], {})
    api.accounts += [ServiceAccountInfo(77, LOGIN), ServiceAccountInfo(78, "etl.9.mp-service-account")]
    assert robots(api) == ([], {"etl": f"{LOGIN}, etl.9.mp-service-account are there, and one can be meant"})


def test_a_service_account_of_the_state_is_not_imported_again(api: FakeApi) -> None:
    """Its roles that are not in the state are; several of its name do not matter then."""
    api.accounts += [ServiceAccountInfo(77, LOGIN), ServiceAccountInfo(78, "etl.9.mp-service-account")]
    api.service_accounts.rows += [ServiceAccountRole(77, project, "admin") for project in (PRODUCTION, WAREHOUSE)]
    held = {(PRODUCTION, 77): held_account_grant(PRODUCTION, 77, "analyst")}
    state = state_of_resources({}, {}, accounts={77: held_account("etl", 77)}, account_grants=held)
    assert robots(api, state) == (
        [(f"{WAREHOUSE}:service-account/etl", f"{ORGANIZATION}:{WAREHOUSE}:77")], {},
    )  # fmt: skip


TEAMS = """\
environment: production
projects: { shop: { id: 1234567, environment: production }, warehouse: { id: 1234568, environment: production } }
teams: { data: { name: Data, projects: { shop: analyst, warehouse: consumer } }, ops: { name: Ops } }
people:
  - { email: ana@example.com, teams: [data, ops] }
  - { email: bo@example.com, teams: [data] }
"""
ANA, BO = "ana@example.com", "bo@example.com"


def teams(api: FakeApi, state: State = EMPTY, members: Sequence[str] = (ANA, BO)) -> list[tuple[str, str]]:
    """Names and ids of the entries."""
    declared = declaration(parse(TEAMS, RosterSource("r")), NOW.date())
    found = entries(api, declared, state, Wanted(members))
    return [(entry["name"], entry["id"]) for entry in found if "team/" in entry["name"]]


@pytest.fixture
def in_team(api: FakeApi) -> FakeApi:
    """Ana is in the team Data, which has a role in one project; Bo is not."""
    for email in (ANA, BO):
        api.put(email)
    api.teams.put("DATA", ANA, projects={PRODUCTION: "admin"})
    return api


TEAM = ("team/data", f"{ORGANIZATION}:77")
ROLE = (f"{PRODUCTION}:team/data", f"{ORGANIZATION}:{PRODUCTION}:77")
PLACE = (f"team/data:{ANA}", f"{ORGANIZATION}:77:{ANA}")


def test_a_team_comes_in_by_its_name(in_team: FakeApi) -> None:
    """With the roles that it has and who is in it; what is not there is yet to be made."""
    assert teams(in_team) == [TEAM, ROLE, PLACE]
    assert in_team.writes == []


def test_who_is_not_of_the_stack_comes_into_no_team(in_team: FakeApi) -> None:
    """Nor who cannot be seen in it; who is in by SCIM, or not, is left as it is."""
    assert teams(in_team, members=[BO]) == [TEAM, ROLE]
    in_team.teams.hides_members = True
    assert teams(in_team) == [TEAM, ROLE]
    in_team.teams.hides_members = False
    in_team.teams.put("Data", scim_managed=True)
    assert teams(in_team) == [TEAM, PLACE, (f"team/data:{BO}", f"{ORGANIZATION}:77:{BO}")]
    in_team.teams.put("Data", ANA, scim_managed=True)
    assert teams(with_scim(in_team)) == [TEAM, PLACE]  # with a token, who is not in it is yet to be put in


def test_what_the_state_has_of_a_team_is_not_imported_again(in_team: FakeApi) -> None:
    """Whatever the team is called by now: its resource's name counts."""
    held = {77: held_team("Old", 77, "urn:pulumi:x::y::z::team/data")}
    roles = {(PRODUCTION, 77): held_team_grant(PRODUCTION, 77, "admin")}
    assert teams(in_team, state_of_resources({}, {}, teams=held)) == [ROLE, PLACE]
    places = {(77, ANA): held_team_member(77, ANA)}
    assert teams(in_team, state_of_resources({}, {}, teams=held, team_grants=roles, team_members=places)) == []


def test_teams_are_only_asked_for_where_a_roster_has_some(api: FakeApi) -> None:
    """A stack without teams costs no request."""
    assert entries(api) == []
    assert api.calls["list_teams"] == 0


OWN_ROLES = (
    ROSTER.replace("shop: analyst", "shop: support")
    + """\
customRoles:
  support: { name: Support, project: shop, permissions: [export, share] }
  data: { name: Data, project: warehouse }
security: { twoFactorRequired: true, requestAccess: { mode: ask } }
serviceAccounts:
  etl: { role: consumer, projects: { shop: support, warehouse: data } }
"""
)


OWN = declaration(parse(OWN_ROLES, RosterSource("r")), NOW.date())


def of_type(name: str, found: Sequence[ImportEntry]) -> list[ImportEntry]:
    """The entries of one kind."""
    return [entry for entry in found if entry["type"].endswith(f":{name}")]


def test_a_custom_role_comes_in_by_its_name(api: FakeApi) -> None:
    """As it is there, without what the server added; one that is not there, or is in the state, does not."""
    assert of_type("CustomRole", entries(api, OWN)) == []
    held = api.custom_roles.put(PRODUCTION, "SUPPORT", "export", description="by hand")
    (entry,) = of_type("CustomRole", entries(api, OWN))
    assert (entry["name"], entry["id"]) == ("custom-role/support", f"{ORGANIZATION}:{PRODUCTION}:{held.id}")
    assert (entry["inputs"]["name"], entry["inputs"]["permissions"]) == ("SUPPORT", ["export"])
    assert (entry["outputs"]["role_id"], entry["outputs"]["base_permissions"]) == (held.id, ["view"])
    state = state_of_resources({}, {}, custom_roles={(PRODUCTION, held.id): held_custom_role(PRODUCTION, held.id)})
    assert of_type("CustomRole", entries(api, OWN, state)) == []


def test_the_security_settings_come_in_with_the_given_keys(api: FakeApi) -> None:
    """As they are; once."""
    api.request_access_ = {"mode": "open", "other": 1}
    (entry,) = of_type("OrganizationSecurity", entries(api, OWN))
    assert (entry["name"], entry["id"]) == ("organization-security", str(ORGANIZATION))
    assert (entry["inputs"]["two_factor_required"], entry["inputs"]["request_access"]) == (False, {"mode": "open"})
    state = state_of_resources({}, {}, security=held_security("urn"))
    assert of_type("OrganizationSecurity", entries(api, OWN, state)) == []
    assert of_type("OrganizationSecurity", entries(api)) == []


def test_a_grant_of_an_own_role_has_its_id(api: FakeApi) -> None:
    """Where the role is there; else there can be no such grant."""
    api.custom_roles.put(PRODUCTION, "Other")
    held = api.custom_roles.put(PRODUCTION, "Support")
    session, _ = make_session(api)
    roster = parse(OWN_ROLES, RosterSource("r"))
    found = with_role_ids(session, roster, declaration(roster, NOW.date()))
    assert {place: inputs["role"] for place, inputs in found.grants.items()} == {
        (PRODUCTION, BO): held.id, (WAREHOUSE, BO): "admin",
    }  # fmt: skip
    assert {place: inputs["role"] for place, inputs in found.account_grants.items()} == {(PRODUCTION, "etl"): held.id}
    api.faults["custom_roles"] = [Forbidden("cannot", why="403") for _ in range(2)]
    session, _ = make_session(api)
    assert set(with_role_ids(session, roster, declaration(roster, NOW.date())).grants) == {(WAREHOUSE, BO)}
