"""Unmanaged access, and what is declared and not there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mixpanel_access.model.access import Grant, GrantType, Person, Project
from mixpanel_access.operations.drift import Kind, Organization, differences, read_organization
from mixpanel_access.operations.state import EMPTY, HeldGrant, HeldMember, State, state_of
from tests.fakes import PRODUCTION, WAREHOUSE, FakeApi, make_directory

ANA, BO = "ana@example.com", "bo@example.com"
STATE = State(
    {ANA: HeldMember(ANA, "owner"), BO: HeldMember(BO, None)},
    {(PRODUCTION, BO): HeldGrant(PRODUCTION, BO, "analyst")},
)
ORGANIZATION = Organization(
    {ANA: Person(ANA, "owner", invited=False), BO: Person(BO, "member", invited=False)},
    {PRODUCTION: Project(PRODUCTION, "Shop")},
    {(PRODUCTION, BO): Grant(PRODUCTION, BO, "analyst", GrantType.INDIVIDUAL)},
)


def kinds(organization: Organization, everywhere: State = STATE, here: State = STATE) -> list[tuple[str, str]]:
    """The differences in short."""
    return [(one.kind.value, one.email) for one in differences(organization, everywhere, here)]


def test_what_is_in_order_is_no_difference() -> None:
    """The compliant organization and its state."""
    assert kinds(ORGANIZATION) == []


INVITED = {**ORGANIZATION.people, BO: Person(BO, "member", invited=True)}
STRANGER = "x@example.net"
ANAS = Grant(PRODUCTION, ANA, "admin", GrantType.INDIVIDUAL)
SPOILED: dict[str, tuple[Organization, list[tuple[str, str]]]] = {
    "a stranger": (
        replace(ORGANIZATION, people={**ORGANIZATION.people, STRANGER: Person(STRANGER, None, invited=True)}),
        [("unmanaged member", STRANGER)],
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
    "an invited person's grant where such are listed": (
        replace(ORGANIZATION, people=INVITED, grants={}),
        [("missing grant", BO)],
    ),
    "an invited person's grant where such are hidden": (
        replace(ORGANIZATION, people=INVITED, grants={}, blind=frozenset({PRODUCTION})),
        [],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("organization", "expected"), SPOILED.values(), ids=SPOILED.keys())
def test_each_difference_is_told(organization: Organization, expected: list[tuple[str, str]]) -> None:
    """By its kind and whom it concerns, and nothing else is."""
    assert kinds(organization) == expected


def test_another_stacks_people_are_managed_and_its_losses_not_ours() -> None:
    """Unmanaged is what no stack has; missing is what this stack has."""
    assert kinds(ORGANIZATION, STATE, EMPTY) == []
    assert kinds(replace(ORGANIZATION, people={}, grants={}), STATE, EMPTY) == []
    assert [kind for kind, _ in kinds(ORGANIZATION, EMPTY, EMPTY)] == ["unmanaged member"] * 2 + ["unmanaged grant"]


def test_the_order_is_stable() -> None:
    """By kind, then by address: two runs print the same."""
    found = kinds(replace(ORGANIZATION, people={}, grants={}))
    assert found == [("missing member", ANA), ("missing member", BO), ("missing grant", BO)]
    assert list(dict.fromkeys(kind for kind, _ in found)) == [kind for kind in map(str, Kind) if "missing" in kind]


def test_only_individual_grants_are_read() -> None:
    """What a team, the organization role or all users give is not a single grant's to manage."""
    api = FakeApi()
    api.put(BO)
    api.put("cy@example.com", invited=True)
    for kind in GrantType:
        api.give(PRODUCTION, BO, "admin", kind)
    organization = read_organization(make_directory(api))
    assert list(organization.grants) == [(PRODUCTION, BO)]
    assert organization.blind == {PRODUCTION, WAREHOUSE}
    assert sum(api.calls.values()) == 5


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
    assert state.members == {
        BO: HeldMember("Bo@example.com", "admin"),
        "cy@example.com": HeldMember("cy@example.com", None),
    }
    assert state.grants == {(1, BO): HeldGrant(1, "Bo@example.com", "analyst")}
    assert state_of({"deployment": None}, 7) == state_of({}, 7) == EMPTY
    assert (EMPTY | state) == state
