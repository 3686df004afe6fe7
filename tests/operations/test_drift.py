"""Unmanaged access, and what is declared and not there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mixpanel_access.model.access import Grant, GrantType, Person, Project, SingleSignOn
from mixpanel_access.model.errors import Forbidden
from mixpanel_access.model.teams import TeamInfo
from mixpanel_access.operations.drift import OrganizationAccess, differences, read_organization
from mixpanel_access.operations.state import EMPTY, State, state_of
from tests.fake_scim import with_scim
from tests.fakes import PRODUCTION, WAREHOUSE, FakeApi, make_directory
from tests.grouped import grouped_state
from tests.operations.held import (
    changed_state,
    held_grant,
    held_member,
    held_team,
    held_team_grant,
    held_team_member,
    state_of_resources,
)

ANA, BO = "ana@example.com", "bo@example.com"
STATE = state_of_resources(
    {ANA: held_member(ANA, "owner"), BO: held_member(BO, None)},
    {(PRODUCTION, BO): held_grant(PRODUCTION, BO, "analyst")},
)
ORGANIZATION = OrganizationAccess(
    {ANA: Person(ANA, "owner", invited=False), BO: Person(BO, "member", invited=False)},
    {PRODUCTION: Project(PRODUCTION, "Shop")},
    {(PRODUCTION, BO): Grant(PRODUCTION, BO, "analyst", GrantType.INDIVIDUAL)},
)


def kinds(organization: OrganizationAccess, everywhere: State = STATE, here: State = STATE) -> list[tuple[str, str]]:
    """The differences in short; they are the same if the states have groups."""
    found = differences(organization, everywhere, here)
    assert differences(organization, grouped_state(everywhere), grouped_state(here)) == found
    return [(one.kind.value, one.email) for one in found]


def test_what_is_in_order_is_no_difference() -> None:
    """The compliant organization and its state."""
    assert kinds(ORGANIZATION) == []


INVITED = {**ORGANIZATION.people, BO: Person(BO, "member", invited=True)}
STRANGER = "x@example.net"
ANAS = Grant(PRODUCTION, ANA, "admin", GrantType.INDIVIDUAL)
SPOILED: dict[str, tuple[OrganizationAccess, list[tuple[str, str]]]] = {
    "a stranger": (
        replace(ORGANIZATION, people={**ORGANIZATION.people, STRANGER: Person(STRANGER, None, invited=True)}),
        [("unmanaged member", STRANGER)],
    ),
    "somebody who is deactivated, with a grant": (
        replace(
            ORGANIZATION,
            people={**ORGANIZATION.people, STRANGER: Person(STRANGER, "admin", invited=False, deactivated=True)},
            grants={
                **ORGANIZATION.grants,
                (PRODUCTION, STRANGER): Grant(PRODUCTION, STRANGER, "admin", GrantType.INDIVIDUAL),
            },
        ),
        [],
    ),
    "a stranger's grant": (
        replace(ORGANIZATION, grants={**ORGANIZATION.grants, (PRODUCTION, ANA): ANAS}),
        [("unmanaged grant", ANA)],
    ),
    "somebody left": (
        replace(ORGANIZATION, people={ANA: ORGANIZATION.people[ANA]}, grants={}),
        [("missing member", BO), ("missing grant", BO)],
    ),
    "a grant gone": (replace(ORGANIZATION, grants={}), [("missing grant", BO)]),
    "a project gone": (replace(ORGANIZATION, grants={}, projects={}), [("missing grant", BO)]),
    "another project role": (
        replace(ORGANIZATION, grants={(PRODUCTION, BO): Grant(PRODUCTION, BO, "owner", GrantType.INDIVIDUAL)}),
        [("changed grant", BO)],
    ),
    "another organization role": (
        replace(ORGANIZATION, people={**ORGANIZATION.people, ANA: Person(ANA, "admin", invited=False)}),
        [("changed member", ANA)],
    ),
    "a role that is not managed": (
        replace(ORGANIZATION, people={**ORGANIZATION.people, BO: Person(BO, "admin", invited=False)}),
        [],
    ),
    "a role that is not told": (
        replace(ORGANIZATION, people={**ORGANIZATION.people, ANA: Person(ANA, None, invited=False)}),
        [],
    ),
    "a role that we do not know": (
        replace(ORGANIZATION, people={**ORGANIZATION.people, ANA: Person(ANA, "boss", invited=False)}),
        [("changed member", ANA)],
    ),
    "an invited person's grant where such are listed": (
        replace(ORGANIZATION, people=INVITED, grants={}),
        [("missing grant", BO)],
    ),
    "an invited person's grant where such are hidden": (
        replace(ORGANIZATION, people=INVITED, grants={}, blind=frozenset({PRODUCTION})),
        [],
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("shown", "known", "differs"), [("boss", "boss", False), ("boss", "chief", True), ("admin", "admin", True)]
)
def test_a_role_that_we_do_not_know_is_a_difference_once_it_changes(shown: str, known: str, differs: bool) -> None:
    """Until then it may be Mixpanel's word for what is declared; one that we know says what it is."""
    ana = held_member(ANA, "owner", outputs={"organization_role": known})
    organization = replace(ORGANIZATION, people={**ORGANIZATION.people, ANA: Person(ANA, shown, invited=False)})
    found = kinds(
        organization,
        changed_state(STATE, members={**STATE.members, ANA: ana}),
        changed_state(STATE, members={ANA: ana}),
    )
    assert ([one for one in found if one[1] == ANA] == [("changed member", ANA)]) is differs


@pytest.mark.parametrize(("organization", "expected"), SPOILED.values(), ids=SPOILED.keys())
def test_each_difference_is_told(organization: OrganizationAccess, expected: list[tuple[str, str]]) -> None:
    """By its kind and whom it concerns, and nothing else is."""
    assert kinds(organization) == expected


NEW = "bo.new@example.com"
BY_ID = state_of_resources({ANA: STATE.members[ANA], BO: held_member(BO, None, outputs={"user_id": 77})}, STATE.grants)
RENAMED = replace(
    ORGANIZATION,
    people={ANA: ORGANIZATION.people[ANA], NEW: Person(NEW, "member", invited=False, user_id=77)},
    grants={(PRODUCTION, NEW): Grant(PRODUCTION, NEW, "analyst", GrantType.INDIVIDUAL)},
)
ANOTHER = Person(BO, "member", invited=False, user_id=78)
CHANGED: dict[str, tuple[OrganizationAccess, State, list[tuple[str, str]]]] = {
    "the address alone": (RENAMED, BY_ID, [("changed address", BO)]),
    "and the role": (
        replace(RENAMED, grants={(PRODUCTION, NEW): Grant(PRODUCTION, NEW, "admin", GrantType.INDIVIDUAL)}),
        BY_ID,
        [("changed address", BO), ("changed grant", BO)],
    ),
    "somebody else has the old one": (
        replace(RENAMED, people={**RENAMED.people, BO: ANOTHER}),
        BY_ID,
        [("unmanaged member", BO), ("changed address", BO)],
    ),
    "it was swapped": (
        replace(RENAMED, people={BO: ANOTHER, NEW: RENAMED.people[NEW]}),
        state_of_resources(
            {BO: BY_ID.members[BO], NEW: held_member(NEW, None, outputs={"user_id": 78})},
            STATE.grants,
        ),
        [("changed address", NEW), ("changed address", BO)],
    ),
    "another stack has the new one already": (
        RENAMED,
        state_of_resources(
            {**BY_ID.members, NEW: held_member(NEW, None, outputs={"user_id": 77})},
            {**STATE.grants, (PRODUCTION, NEW): held_grant(PRODUCTION, NEW, "analyst")},
        ),
        [("changed address", BO)],
    ),
    "a state without the id": (RENAMED, STATE, [("unmanaged member", NEW), ("unmanaged grant", NEW),
                                                ("missing member", BO), ("missing grant", BO)]),
}  # fmt: skip


@pytest.mark.parametrize(("organization", "state", "expected"), CHANGED.values(), ids=CHANGED.keys())
def test_a_changed_address_is_one_difference(
    organization: OrganizationAccess, state: State, expected: list[tuple[str, str]]
) -> None:
    """Who has another address by Mixpanel's id is neither gone nor a stranger, and keeps what they have."""
    assert kinds(organization, state, state) == expected


def test_a_changed_address_is_told_with_the_new_one() -> None:
    """The line to change in the roster, and what to."""
    (found,) = differences(RENAMED, BY_ID, BY_ID)
    assert (found.declared, found.actual) == (BO, NEW)


def test_another_stacks_people_are_managed_and_its_losses_not_ours() -> None:
    """Unmanaged is what no stack has; missing is what this stack has."""
    assert kinds(ORGANIZATION, STATE, EMPTY) == []
    assert kinds(replace(ORGANIZATION, people={}, grants={}), STATE, EMPTY) == []
    assert [kind for kind, _ in kinds(ORGANIZATION, EMPTY, EMPTY)] == ["unmanaged member"] * 2 + ["unmanaged grant"]


def test_the_order_is_stable() -> None:
    """By kind, then by address: two runs print the same."""
    found = kinds(replace(ORGANIZATION, people={}, grants={}))
    assert found == [("missing member", ANA), ("missing member", BO), ("missing grant", BO)]
    assert list(dict.fromkeys(kind for kind, _ in found)) == ["missing member", "missing grant"]


def test_only_individual_grants_are_read() -> None:
    """What a team, the organization role or all users give is not a single grant's to manage."""
    api = FakeApi()
    api.put(BO)
    api.put("cy@example.com", invited=True)
    api.teams.put("Data", BO)
    for kind in GrantType:
        api.give(PRODUCTION, BO, "admin", kind)
    api.give(WAREHOUSE, BO, "admin", GrantType.ORGANIZATION_ROLE)
    organization = read_organization(make_directory(api))
    assert list(organization.grants) == [(PRODUCTION, BO)]
    assert organization.blind == {PRODUCTION, WAREHOUSE}
    assert sum(api.calls.values()) == 6


def test_teams_that_cannot_be_read_are_no_difference() -> None:
    """What a stack has of them is neither there nor missing."""
    api = FakeApi(faults={"list_teams": [Forbidden("cannot")]})
    for key, one in ORGANIZATION.people.items():
        api.people[key] = one
    api.give(PRODUCTION, BO, "analyst")
    organization = read_organization(make_directory(api))
    assert organization.teams is None
    assert kinds(organization, WITH_TEAM, WITH_TEAM) == []


DATA = TeamInfo(7, "Data", {PRODUCTION: "analyst"}, frozenset({BO}))
PLACE = held_team_member(7, BO, outputs={"status": "member"})
WITH_TEAM = changed_state(
    STATE,
    teams={7: held_team("Data", 7)},
    team_grants={(PRODUCTION, 7): held_team_grant(PRODUCTION, 7, "analyst")},
    team_members={(7, BO): PLACE},
)
AND_ANA = replace(DATA, members=frozenset({ANA, BO}))
OTHERS = TeamInfo(8, "Others", {PRODUCTION: "admin"}, frozenset({ANA}))
IN_TEAMS: dict[str, tuple[dict[int, TeamInfo], State, list[tuple[str, str, int | None, str | None, str | None]]]] = {
    "as it is declared": ({7: DATA}, WITH_TEAM, []),
    "a team that no stack has": ({7: DATA, 8: OTHERS}, WITH_TEAM, []),
    "put in by hand": ({7: AND_ANA}, WITH_TEAM, [("unmanaged team member", ANA, None, None, None)]),
    "who is in it is not told": ({7: replace(DATA, members=None)}, WITH_TEAM, []),
    "taken out": (
        {7: replace(DATA, members=frozenset())}, WITH_TEAM, [("missing team member", BO, None, None, None)],
    ),
    "waiting, and the invitation is accepted by now": (
        {7: replace(DATA, members=frozenset())},
        changed_state(WITH_TEAM, team_members={(7, BO): replace(PLACE, outputs={"status": "waiting"})}),
        [("missing team member", BO, None, None, None)],
    ),
    "left to the identity provider": (
        {7: replace(DATA, members=frozenset(), scim_managed=True)},
        changed_state(WITH_TEAM, team_members={(7, BO): replace(PLACE, outputs={"status": "left_to_scim"})}),
        [],
    ),
    "another role": (
        {7: replace(DATA, projects={PRODUCTION: "admin"})},
        WITH_TEAM,
        [("changed team grant", "", PRODUCTION, "analyst", "admin")],
    ),
    "a role more and one less": (
        {7: replace(DATA, projects={WAREHOUSE: "owner"})},
        WITH_TEAM,
        [
            ("unmanaged team grant", "", WAREHOUSE, None, "owner"),
            ("missing team grant", "", PRODUCTION, "analyst", None),
        ],
    ),
    "another name": ({7: replace(DATA, name="Date")}, WITH_TEAM, [("changed team", "", None, "Data", "Date")]),
    "gone": (
        {},
        WITH_TEAM,
        [
            ("missing team", "", None, "Data", None),
            ("missing team member", BO, None, None, None),
            ("missing team grant", "", PRODUCTION, "analyst", None),
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("teams", "state", "expected"), IN_TEAMS.values(), ids=IN_TEAMS.keys())
def test_each_difference_in_a_team_is_told(
    teams: dict[int, TeamInfo], state: State, expected: list[tuple[str, str, int | None, str | None, str | None]]
) -> None:
    """By the team's name; another stack's part of a team is managed, and not missing here."""
    found = differences(replace(ORGANIZATION, teams=teams), state, state)
    assert [(one.kind.value, one.email, one.project, one.declared, one.actual) for one in found] == expected
    assert {one.team for one in found} <= {"Data", "Date"}
    assert [one.kind.unmanaged for one in found] == ["unmanaged" in one.kind.value for one in found]
    elsewhere = differences(replace(ORGANIZATION, teams=teams), state, STATE)
    assert [one.kind.value for one in elsewhere] == [kind for kind, *_ in expected if "unmanaged" in kind]


@pytest.mark.parametrize(("invited", "expected"), [(True, []), (False, [("missing team member", BO)])])
def test_who_waited_for_the_invitation_is_missing_from_its_acceptance_on(
    invited: bool, expected: list[tuple[str, str]]
) -> None:
    """The next update puts them into the team; before, Mixpanel may take nobody."""
    people = {**ORGANIZATION.people, BO: Person(BO, "member", invited=invited)}
    organization = replace(ORGANIZATION, people=people, teams={7: replace(DATA, members=frozenset())})
    state = changed_state(WITH_TEAM, team_members={(7, BO): replace(PLACE, outputs={"status": "waiting"})})
    assert kinds(organization, state, state) == expected


ROBIN = "robin@agency.example.org"
CLAIMED = SingleSignOn(domains=frozenset({"example.com"}))
FED: dict[str, tuple[bool, SingleSignOn, frozenset[str], list[str]]] = {
    "by us": (True, CLAIMED, frozenset(), [ANA, ROBIN]),
    "by an identity provider": (False, CLAIMED, frozenset(), [ROBIN]),
    "of domains in the settings": (False, SingleSignOn(), frozenset({"example.com"}), [ROBIN]),
    "of domains that nobody tells": (False, SingleSignOn(), frozenset(), []),
}


@pytest.mark.parametrize(("token", "sso", "claimed", "unmanaged"), FED.values(), ids=FED.keys())
def test_who_is_in_a_fed_team_by_hand_is_unmanaged(
    token: bool, sso: SingleSignOn, claimed: frozenset[str], unmanaged: list[str]
) -> None:
    """Only whom an identity provider gives a place is its business: never in SCIM mode, and of claimed domains only."""
    api = FakeApi(security=sso)
    for email in (ANA, BO, ROBIN):
        api.put(email)
    api.teams.put("Data", ANA, BO, ROBIN, id_=7, projects={PRODUCTION: "analyst"}, scim_managed=True)
    organization = read_organization(make_directory(with_scim(api) if token else api, claimed=claimed))
    state = changed_state(WITH_TEAM, members={email: held_member(email, None) for email in (ANA, BO, ROBIN)}, grants={})
    assert kinds(organization, state, state) == [("unmanaged team member", email) for email in unmanaged]


def resource(kind: str, id_: str, **outputs: Any) -> dict[str, Any]:
    """One of a state's resources."""
    return {"type": f"pulumi-python:dynamic/mixpanel:{kind}", "id": id_, "outputs": outputs}


def test_a_state_is_read() -> None:
    """Our organization's members and grants; what is on its way out, foreign or of another type is left out."""
    export = {
        "deployment": {
            "resources": [
                {"type": "pulumi:pulumi:Stack"},
                resource("Member", "7:Bo@example.com", email="Bo@example.com", role="admin"),
                resource("Member", "7:cy@example.com"),
                resource("Member", "8:di@example.com", email="di@example.com"),
                resource("ProjectGrant", "7:1:bo@example.com", email="Bo@example.com", role="analyst"),
                {**resource("ProjectGrant", "7:2:bo@example.com", role="analyst"), "delete": True},
            ]
        }
    }
    state = state_of(export, 7)
    assert {key: (one.email, one.role) for key, one in state.members.items()} == {
        BO: ("Bo@example.com", "admin"),
        "cy@example.com": ("cy@example.com", ""),
    }
    assert {key: (one.email, one.role) for key, one in state.grants.items()} == {(1, BO): ("Bo@example.com", "analyst")}
    assert state_of({"deployment": None}, 7) == state_of({}, 7) == EMPTY
    assert (EMPTY | state) == state
