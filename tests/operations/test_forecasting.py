"""What the brakes will hold of the endings to come: in `status`, `remind` and `revoke --within`."""

from __future__ import annotations

from datetime import date

import pytest

from mixpanel_access.model.rights import Identity
from mixpanel_access.model.roster.reading import RosterSource, parse
from mixpanel_access.model.roster.schema import Roster
from mixpanel_access.operations.pending.held import forecasts_for
from tests.fakes import ORGANIZATION, PRODUCTION, WAREHOUSE, FakeApi, make_directory

TODAY = date(2026, 5, 4)
ANA, BEA, BOT = "ana@example.com", "bea@example.com", "bot"


def roster(*people: str) -> Roster:
    """These entries of people."""
    return parse(
        "environment: production\norganizationRoles: true\nengagements: { a: { ends: 2026-06-30 } }\n"
        "projects: { shop: { id: 1234567, environment: production } }\npeople:\n"
        + "".join(f"  - {{ {person} }}\n" for person in people),
        RosterSource("r"),
    )


def owner(email: str, rest: str) -> str:
    """An owner's entry."""
    return f"email: {email}, organizationRole: owner, {rest}"


CASES: dict[str, tuple[list[str], list[tuple[str, str]]]] = {
    "nobody ends": ([owner(ANA, "ticket: x"), owner(BEA, "ticket: x")], []),
    "one of two owners ends": ([owner(ANA, "ends: 2026-05-31"), owner(BEA, "ticket: x")], []),
    "both end on one day": (
        [owner(ANA, "ends: 2026-05-31"), owner(BEA, "ends: 2026-05-31")],
        [("2026-06-01", "lastOwner")],
    ),
    "both end, one after the other": (
        [owner(ANA, "ends: 2026-05-31"), owner(BEA, "ends: 2026-12-31")],
        [("2027-01-01", "lastOwner")],
    ),
    "the engagement ends": (
        [owner(ANA, "engagement: a"), owner(BEA, "ends: 2026-05-31")],
        [("2026-07-01", "lastOwner")],
    ),
    "they stay, and are lowered": (
        [owner(ANA, "ends: 2026-05-31, removal: never"), owner(BEA, "ends: 2026-05-31, removal: never")],
        [("2026-06-01", "lastOwner")],
    ),
    "another entry remains": (
        [owner(ANA, "ends: 2026-05-31"), owner(BEA, "engagement: a"), f"email: {BEA}, projects: {{ shop: analyst }}"],
        [("2026-07-01", "lastOwner")],
    ),
    "an owner whom the roster does not give the role": (
        [f"email: {ANA}, ends: 2026-05-31", f"email: {BEA}, ends: 2026-05-31"],
        [],
    ),
    "twelve others end": ([f"email: p{n}@example.com, ends: 2026-05-31" for n in range(12)], []),
}


@pytest.mark.parametrize(("people", "expected"), CASES.values(), ids=CASES.keys())
def test_an_ending_that_a_brake_will_hold_is_said_beforehand(
    people: list[str], expected: list[tuple[str, str]]
) -> None:
    """With its day; a planned ending is held by nothing else."""
    api = FakeApi(own_role="owner")
    for email in (ANA, BEA):
        api.put(email, "owner")
    for n in range(12):
        api.put(f"p{n}@example.com")
    found = forecasts_for(roster(*people), TODAY, make_directory(api), BOT)
    assert [(one.on.isoformat(), one.finding.brake.value) for one in found] == expected
    for one in found:
        assert "Make somebody else an owner before" in str(one)


class OwnApi(FakeApi):
    """An organization that we work in as a person."""

    def read(self) -> Identity:
        return Identity(OWN, {ORGANIZATION: "admin"})


OWN = "us@example.com"


@pytest.mark.parametrize("elsewhere", [False, True])
def test_our_own_end_is_said_unless_we_stay(*, elsewhere: bool) -> None:
    """Somebody who holds something that is not the stack's stays in the organization."""
    api = OwnApi()
    api.put(ANA, "owner")
    api.put(OWN)
    api.give(PRODUCTION, OWN, "analyst")
    if elsewhere:
        api.give(WAREHOUSE, OWN, "analyst")
    plan = roster(f"email: {OWN}, ends: 2026-05-31, projects: {{ shop: analyst }}")
    found = forecasts_for(plan, TODAY, make_directory(api), "")
    assert [(one.on.isoformat(), one.finding.brake.value) for one in found] == (
        [] if elsewhere else [("2026-06-01", "ownIdentity")]
    )
