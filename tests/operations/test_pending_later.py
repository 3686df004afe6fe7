"""What the clock alone will change."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixpanel_access.model.declaration import declaration
from mixpanel_access.model.roster.reading import RosterSource, parse
from mixpanel_access.model.roster.salvage import salvage
from mixpanel_access.model.roster.schema import Roster
from mixpanel_access.operations.pending.change import PendingEvent
from mixpanel_access.operations.pending.find import pending_changes
from mixpanel_access.operations.state import State
from tests.operations.held import (
    applied,
    changed_state,
    held_custom_role,
    held_grant,
    held_member,
    state_of_resources,
)

TODAY = date(2026, 5, 4)
BO = "bo@example.com"


def settled(plan: Roster, today: date = TODAY) -> State:
    """The state that today's `pulumi up` has left."""
    return applied(declaration(plan, today))


def roster(**dates: str) -> Roster:
    """One person with one grant, and these dates."""
    given = "".join(f", {name}: {value}" for name, value in dates.items())
    return parse(
        "environment: production\nprojects: { shop: { id: 1, environment: production } }\n"
        f"people: [{{ email: {BO}, projects: {{ shop: analyst }}, engagement: Review{given} }}]\n"
        "engagements: { Review: {} }",
        RosterSource("r"),
    )


CASES = {
    "no dates": ({}, []),
    "the last day": ({"ends": "2026-05-04"}, [(PendingEvent.ENDS, 1)]),
    "the day before": ({"ends": "2026-05-03"}, []),  # nothing in the state, so nothing to take away
    "within": ({"ends": "2026-05-17"}, [(PendingEvent.ENDS, 14)]),
    "beyond": ({"ends": "2026-05-18"}, []),
    "begins tomorrow": ({"starts": "2026-05-05"}, [(PendingEvent.BEGINS, 1)]),
    "begins today": ({"starts": "2026-05-04"}, []),
    "begins and ends": (
        {"starts": "2026-05-05", "ends": "2026-05-06"},
        [(PendingEvent.BEGINS, 1), (PendingEvent.ENDS, 3)],
    ),
}


@pytest.mark.parametrize(("dates", "expected"), CASES.values(), ids=CASES.keys())
def test_what_changes_within_two_weeks(dates: dict[str, str], expected: list[tuple[PendingEvent, int]]) -> None:
    """By the day on which `pulumi up` brings it about: the day after the last."""
    found = pending_changes(roster(**dates), settled(roster(**dates)), TODAY, 14)
    assert [(change.event, change.days) for change in found] == expected
    for change in found:
        assert (change.email, change.projects, change.engagement) == (BO, {"shop": "analyst"}, "Review")


def with_entries(more: str, *entries: str) -> Roster:
    """A roster of one person with these entries and two engagements, and with more."""
    people = "".join(f"  - {{ email: {BO}, {entry} }}\n" for entry in entries)
    text = f"environment: production\n{more}\nengagements: {{ a: {{}}, b: {{}} }}\npeople:\n{people}"
    return parse(text, RosterSource("r"))


in_teams = partial(with_entries, "teams: { data: { name: Data }, ops: { name: Ops } }")


def test_a_place_in_a_team_comes_and_goes_by_the_clock() -> None:
    """Another entry that gives it too keeps it."""
    plan = in_teams(
        "engagement: a, teams: [data, ops], ends: 2026-05-10", "engagement: b, teams: [ops], starts: 2026-05-06"
    )
    found = pending_changes(plan, settled(plan), TODAY, 14)
    assert [(change.event, change.days, list(change.teams)) for change in found] == [(PendingEvent.ENDS, 7, ["data"])]
    plan = in_teams("teams: [data], starts: 2026-05-06")
    found = pending_changes(plan, settled(plan), TODAY, 14)
    assert [(change.event, list(change.teams)) for change in found] == [(PendingEvent.BEGINS, ["data"])]


def test_who_is_still_in_a_team_is_overdue() -> None:
    """Until an up has taken them out; who is in it by another entry is not."""
    over = "engagement: a, teams: [data], ends: 2026-05-01"
    state = settled(in_teams(over, "engagement: b"), date(2026, 5, 1))
    (change,) = pending_changes(in_teams(over, "engagement: b"), state, TODAY, 0)
    assert (change.event, change.days, list(change.teams)) == (PendingEvent.OVERDUE, -2, ["data"])
    assert pending_changes(in_teams(over, "engagement: b, teams: [data]"), state, TODAY, 0) == []


def bounded(days: str, entry: str = "teams: [data]") -> Roster:
    """Bo in a team with days of its own."""
    return parse(
        "environment: production\nprojects: { shop: { id: 1, environment: production } }\n"
        f"teams: {{ data: {{ name: Data, standard: audit, projects: {{ shop: }}, {days} }} }}\n"
        f"people: [{{ email: {BO}, {entry} }}]",
        RosterSource("r"),
    )


def test_a_team_with_days_comes_and_goes_by_the_clock() -> None:
    """With its roles, and with all places in it; an entry that ends on the same day is one change."""
    plan = bounded("starts: 2026-05-05, ends: 2026-05-10")
    found = pending_changes(plan, settled(plan), TODAY, 14)
    assert [(one.event, one.email, one.days, dict(one.projects), list(one.teams)) for one in found] == [
        (PendingEvent.BEGINS, "", 1, {"shop": "consumer"}, ["data"]), (PendingEvent.BEGINS, BO, 1, {}, ["data"]),
        (PendingEvent.ENDS, "", 7, {"shop": "consumer"}, ["data"]), (PendingEvent.ENDS, BO, 7, {}, ["data"]),
    ]  # fmt: skip
    plan = bounded("ends: 2026-05-10", "teams: [data], ends: 2026-05-10")
    found = pending_changes(plan, settled(plan), TODAY, 14)
    assert [(one.email, one.days) for one in found] == [("", 7), (BO, 7)]
    assert pending_changes(bounded("ends: 2026-05-18"), settled(bounded("ends: 2026-05-18")), TODAY, 14) == []


def test_a_team_that_is_over_and_still_there_is_overdue() -> None:
    """It, and who is in it, until an up has taken both away."""
    plan = bounded("ends: 2026-05-01")
    state = settled(plan, date(2026, 5, 1))
    found = pending_changes(plan, state, TODAY, 0)
    assert [(one.event, one.email, one.days, dict(one.projects), list(one.teams)) for one in found] == [
        (PendingEvent.OVERDUE, "", -2, {"shop": "consumer"}, ["data"]),
        (PendingEvent.OVERDUE, BO, -2, {}, ["data"]),
    ]
    assert pending_changes(plan, settled(plan), TODAY, 0) == []
    assert pending_changes(bounded("ends: 2026-05-04"), state, TODAY, 0) == []


def by_several(days: str, *entries: str) -> Roster:
    """Bo in a team with days of its own by several entries."""
    people = "".join(f"  - {{ email: {BO}, {entry}, teams: [data] }}\n" for entry in entries)
    return parse(
        "environment: production\norganizationRoles: true\n"
        f"teams: {{ data: {{ name: Data, {days} }} }}\nengagements: {{ a: {{}}, b: {{}} }}\n"
        f"people:\n{people}",
        RosterSource("r"),
    )


ONCE = {
    "the first": ("ends: 2026-05-10", "engagement: a", "engagement: b", [(PendingEvent.ENDS, 7, "a")]),
    "the one that lasts longest": (
        "ends: 2026-05-10", "engagement: a, ends: 2026-05-20", "engagement: b", [(PendingEvent.ENDS, 7, "b")],
    ),
    "as it begins": ("starts: 2026-05-06", "engagement: a", "engagement: b", [(PendingEvent.BEGINS, 2, "a")]),
    "overdue": ("ends: 2026-05-01", "engagement: a", "engagement: b", [(PendingEvent.OVERDUE, -2, "a")]),
    "overdue, with the entry over too": (
        "ends: 2026-05-01", "engagement: a, ends: 2026-05-02", "engagement: b", [(PendingEvent.OVERDUE, -2, "b")],
    ),
    "overdue, with both over": (
        "ends: 2026-05-01", "engagement: a, ends: 2026-04-01", "engagement: b, ends: 2026-05-01",
        [(PendingEvent.OVERDUE, -2, "b")],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("days", "first", "second", "expected"), ONCE.values(), ids=ONCE.keys())
def test_a_place_by_two_entries_is_told_once(
    days: str, first: str, second: str, expected: list[tuple[PendingEvent, int, str]]
) -> None:
    """By the entry that speaks for it."""
    plan = by_several(days, first, second)
    state = settled(plan, date(2026, 5, 1) if days == "ends: 2026-05-01" else TODAY)
    found = pending_changes(plan, state, TODAY, 14)
    found = [one for one in found if one.email and one.teams]
    assert [(one.event, one.days, one.engagement) for one in found] == expected


def test_an_organization_role_that_ends_with_a_team_is_told_by_its_entry() -> None:
    """And by none that merely gives the same team."""
    boss = "engagement: b, organizationRole: admin, ends: 2026-05-10"
    plan = by_several("ends: 2026-05-10", "engagement: a, ends: 2026-06-10", boss, "ticket: OPS-1")
    found = [one for one in pending_changes(plan, settled(plan), TODAY, 14) if one.email]
    assert [(one.engagement, list(one.teams)) for one in found] == [("b", []), (None, ["data"])]


def test_who_is_still_in_the_state_is_overdue() -> None:
    """From the day after the last on, until an up has taken the access away."""
    state = settled(roster())
    (change,) = pending_changes(roster(ends="2026-05-01"), state, TODAY, 0)
    assert (change.event, change.days, change.on) == (PendingEvent.OVERDUE, -2, date(2026, 5, 2))
    assert pending_changes(roster(ends="2026-05-04"), state, TODAY, 0) == []


@given(
    starts=st.none() | st.dates(date(2026, 4, 20), date(2026, 5, 20)),
    lasts=st.none() | st.integers(0, 20),
    days=st.integers(0, 20),
)
def test_it_foretells_what_is_declared(starts: date | None, lasts: int | None, days: int) -> None:
    """The declaration differs between today and a later day only if a change was foretold, and on its day."""
    dates = {} if starts is None else {"starts": str(starts)}
    if lasts is not None:
        dates["ends"] = str((starts or TODAY) + timedelta(days=lasts))
    document = roster(**dates)
    changed = [
        number + 1
        for number in range(days)
        if (BO in declaration(document, TODAY + timedelta(days=number)).members)
        != (BO in declaration(document, TODAY + timedelta(days=number + 1)).members)
    ]
    foretold = pending_changes(document, settled(document), TODAY, days)
    assert [change.days for change in foretold] == changed


together = partial(
    with_entries, "projects: { shop: { id: 1, environment: production }, web: { id: 2, environment: production } }"
)
SEVERAL = {
    "the other gives less": (
        ["engagement: a, projects: { shop: admin }, ends: 2026-05-10", "engagement: b, projects: { shop: analyst }"],
        [(PendingEvent.ENDS, 7, {"shop": "admin -> analyst"})],
    ),
    "the other gives as much": (
        ["engagement: a, projects: { shop: admin }, ends: 2026-05-10", "engagement: b, projects: { shop: admin }"],
        [],
    ),
    "the other gives something else": (
        ["engagement: a, projects: { shop: admin }, ends: 2026-05-10", "engagement: b, projects: { web: admin }"],
        [(PendingEvent.ENDS, 7, {"shop": "admin"})],
    ),
    "the other raises it": (
        ["engagement: a, projects: { shop: analyst }", "engagement: b, projects: { shop: owner }, starts: 2026-05-10"],
        [(PendingEvent.BEGINS, 6, {"shop": "analyst -> owner"})],
    ),
    "one after the other": (
        [
            "engagement: a, projects: { shop: analyst }, ends: 2026-05-09",
            "engagement: b, projects: { shop: analyst }, starts: 2026-05-10",
        ],
        [],
    ),
}


@pytest.mark.parametrize(("entries", "expected"), SEVERAL.values(), ids=SEVERAL.keys())
def test_what_another_engagement_gives_is_no_change(
    entries: list[str], expected: list[tuple[PendingEvent, int, dict[str, str]]]
) -> None:
    """Only what really comes or goes is foretold."""
    found = pending_changes(together(*entries), settled(together(*entries)), TODAY, 14)
    assert [(change.event, change.days, dict(change.projects)) for change in found] == expected


def test_what_one_engagement_leaves_behind_is_overdue() -> None:
    """The state still has its role, and another engagement gives less or nothing."""
    ended = "engagement: a, projects: { shop: admin, web: consumer }, ends: 2026-05-01"
    document = together(ended, "engagement: b, projects: { shop: analyst }")
    held = {(1, BO): held_grant(1, BO, "admin"), (2, BO): held_grant(2, BO, "consumer")}
    state = state_of_resources({BO: held_member(BO, None)}, held)
    changes = pending_changes(document, state, TODAY, 0)
    assert {change.event for change in changes} == {PendingEvent.OVERDUE}
    assert [(change.lowers, dict(change.projects)) for change in changes] == [
        (True, {"shop": "admin -> analyst"}), (False, {"web": "consumer"}),
    ]  # fmt: skip
    settled = state_of_resources(state.members, {(1, BO): held_grant(1, BO, "analyst")})
    assert pending_changes(document, settled, TODAY, 0) == []


def test_a_custom_role_of_the_roster_that_is_left_behind_is_overdue() -> None:
    """The state has the role's id, the entry its key."""
    people = "".join(
        f"  - {{ email: {BO}, {entry} }}\n"
        for entry in ("engagement: a, projects: { shop: lead }, ends: 2026-05-01", "engagement: b, projects: {}")
    )
    document = parse(
        "environment: production\nprojects: { shop: { id: 1, environment: production } }\n"
        "customRoles: { lead: { name: Lead, project: shop } }\nengagements: { a: {}, b: {} }\n"
        f"people:\n{people}",
        RosterSource("r"),
    )
    id_ = "11111111-2222-4333-8444-555555555555"
    roles = {(1, id_): held_custom_role(1, id_, "urn:pulumi:s::p::type::custom-role/lead")}
    state = state_of_resources({BO: held_member(BO, None)}, {(1, BO): held_grant(1, BO, id_)}, custom_roles=roles)
    (change,) = pending_changes(document, state, TODAY, 0)
    assert (change.event, dict(change.projects)) == (PendingEvent.OVERDUE, {"shop": "custom:lead"})


@pytest.mark.parametrize(
    ("today", "found"),
    [
        ("2026-05-04", [("old.1", "ends", 3), ("bot", "ends", 7)]),
        ("2026-05-07", [("old.1", "overdue", 0), ("bot", "ends", 4)]),
        ("2026-05-11", [("old.1", "overdue", -4)]),
        ("2026-04-04", []),
    ],
)
def test_service_accounts_that_end_are_foretold(today: str, found: list[tuple[str, str, int]]) -> None:
    """One that another one has replaced, on the day on which `revoke` deletes it; and one that expires."""
    document = parse(
        "environment: production\nserviceAccounts:\n  etl: { role: analyst, rotateAfter: 90, overlap: 7 }\n"
        "  bot: { role: analyst, expires: 2026-05-10 }\n  known: {}\n",
        RosterSource("r"),
    )
    day = date.fromisoformat(today)
    retiring = [{"account_id": 5, "login": "old.1", "until": "2026-05-06T13:00:00Z"}]
    there = settled(document, day)
    etl = next(one for one in there.accounts.values() if one.name == "etl")
    state = changed_state(
        there, accounts={**there.accounts, etl.account: replace(etl, outputs={**etl.outputs, "retiring": retiring})}
    )
    changes = pending_changes(document, state, day, 14)
    assert [(one.account, str(one.event), one.days) for one in changes] == found
    assert {one.replaced_by for one in changes if one.account == "old.1"} <= {"etl"}


def test_a_bad_entry_hides_nobody_else() -> None:
    """Of somebody with an entry that cannot be read nothing is foretold to end: `revoke` takes nothing of theirs."""
    text = (
        "environment: production\nprojects: { shop: { id: 1, environment: production } }\npeople:\n"
        f"  - {{ email: {BO}, projects: {{ shop: analyst }}, ends: 2026-05-10 }}\n"
        "  - { email: robin@example.com, projects: { shop: consumer }, ends: 2026-05-10 }\n"
        "  - { email: robin@example.com, projects: { shop: analist } }\n"
    )
    read = salvage(text, RosterSource("r"))
    changes = pending_changes(read.roster, settled(read.roster), TODAY, 14, read.unread)
    assert [(one.event, one.email) for one in changes] == [(PendingEvent.ENDS, BO)]
    assert (
        "the entry of robin@example.com cannot be read, so robin@example.com keeps what the state has" in read.problem
    )


@pytest.mark.parametrize(
    ("first", "then", "expected"),
    [
        ("analyst", "admin", [("begins", "analyst -> admin")]),
        ("admin", "analyst", [("ends", "admin -> analyst")]),
        ("analyst", "analyst", []),
    ],
)
def test_where_one_entry_takes_over_from_another_a_higher_role_begins_and_a_lower_one_is_an_end(
    first: str, then: str, expected: list[tuple[str, str]]
) -> None:
    """Once: nothing ends for somebody who has more from the next day on."""
    plan = parse(
        "environment: production\nprojects: { shop: { id: 1, environment: production } }\npeople:\n"
        f"  - {{ email: {BO}, projects: {{ shop: {first} }}, engagement: Review, ends: 2026-05-06 }}\n"
        f"  - {{ email: {BO}, projects: {{ shop: {then} }}, engagement: Build, starts: 2026-05-07 }}\n"
        "engagements: { Review: {}, Build: {} }",
        RosterSource("r"),
    )
    found = pending_changes(plan, settled(plan), TODAY, 14)
    assert [(str(one.event), one.projects["shop"]) for one in found] == expected
