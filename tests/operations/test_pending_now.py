"""What the next `pulumi up` changes today: all of it is found, nothing else is, and each with its day."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import takewhile
from typing import Any

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from mixpanel_access.model.declaration import Declaration, declaration
from mixpanel_access.model.errors import RosterError
from mixpanel_access.model.roster.reading import RosterSource, parse
from mixpanel_access.model.roster.schema import Roster
from mixpanel_access.operations.pending.change import PendingChange, PendingEvent
from mixpanel_access.operations.pending.find import pending_changes
from mixpanel_access.operations.state import EMPTY
from tests.operations.held import applied, held_account, state_of_resources

TODAY = date(2026, 5, 4)
BO, CY = "bo@example.com", "cy@example.com"
DAY = timedelta(days=1)
PROJECTS = {"shop": 1, "web": 2}

days = st.none() | st.integers(-4, 4)


@st.composite
def entry(draw: st.DrawFn) -> dict[str, Any]:
    """One entry: some of everything."""
    starts, ends = draw(days), draw(days)
    fields: dict[str, Any] = {
        "email": draw(st.sampled_from([BO, CY])),
    }
    fields["projects"] = draw(
        st.dictionaries(st.sampled_from(["shop", "web"]), st.sampled_from(["admin", "analyst", "consumer"]))
    )
    fields["teams"] = draw(st.lists(st.sampled_from(["data", "ops"]), unique=True))
    role = draw(st.none() | st.sampled_from(["admin", "member"]))
    return {**fields, **({"organizationRole": role} if role else {}), **between(starts, ends)}


@st.composite
def team(draw: st.DrawFn) -> dict[str, Any]:
    """What a team is but its name."""
    projects = draw(st.dictionaries(st.sampled_from(["shop", "web"]), st.sampled_from(["admin", "consumer"])))
    return {"projects": projects, **between(draw(days), draw(days))}


def between(starts: int | None, ends: int | None) -> dict[str, str]:
    """The days of an entry or a team; the end does not come before the beginning."""
    if starts is not None and ends is not None:
        starts, ends = sorted((starts, ends))
    found = {"starts": starts, "ends": ends}
    return {name: str(TODAY + offset * DAY) for name, offset in found.items() if offset is not None}


@st.composite
def rosters(draw: st.DrawFn) -> Roster:
    """A roster of two people, two projects and two teams."""
    teams = {"data": {"name": "Data", **draw(team())}, "ops": {"name": "Ops", **draw(team())}}
    try:
        people, authoritative, grouped = draw(st.lists(entry(), max_size=3)), draw(st.booleans()), draw(st.booleans())
        return roster(people, teams, authoritative=authoritative, grouped=grouped)
    except RosterError:  # an entry and a team that have no day in common
        reject()


def roster(
    people: list[dict[str, Any]], teams: dict[str, Any], *, authoritative: bool = False, grouped: bool = False
) -> Roster:
    """A roster of these entries."""
    document = {
        "environment": "production",
        "organizationRoles": True,
        "grouped": grouped,
        "engagements": {f"e{number}": {} for number, _ in enumerate(people)},
        "projects": {
            key: {"id": id_, "environment": "production", "authoritative": authoritative and key == "web"}
            for key, id_ in PROJECTS.items()
        },
        "people": [{**one, "engagement": f"e{number}"} for number, one in enumerate(people)],
        "teams": teams,
    }
    return parse(json.dumps(document), RosterSource("r"))


Access = dict[tuple[str, ...], str]
"""What somebody or a team has -> the role there."""


def access_of(declared: Declaration) -> Access:
    """What a declaration gives, thing by thing."""
    keys = {id_: key for key, id_ in PROJECTS.items()}
    return {
        **{("membership", key): "" for key in declared.members},
        **{("organization role", key): one["role"] for key, one in declared.members.items() if one.get("role")},
        **{("role", key, keys[id_]): one["role"] for (id_, key), one in declared.grants.items()},
        **{("place", key, team): "" for team, key in declared.team_members},
        **{("team", key): "" for key in declared.teams},
        **{("team role", key, keys[id_]): one["role"] for (id_, key), one in declared.team_grants.items()},
    }


def places_of(change: PendingChange) -> Iterator[tuple[str, ...]]:
    """What a change is about, thing by thing."""
    if not change.email:
        (key,) = change.teams
        yield from (("team role", key, project) for project in change.projects)
        if not change.projects or change.event is PendingEvent.OVERDUE:
            yield ("team", key)
        return
    if change.membership:
        yield ("membership", change.email)
    if change.organization_role:
        yield ("organization role", change.email)
    yield from (("role", change.email, project) for project in change.projects)
    yield from (("place", change.email, team) for team in change.teams)


def due(plan: Roster, was: Roster, on: date, today: date) -> list[PendingChange]:
    """What is due today, by a state of another day."""
    return pending_changes(plan, applied(declaration(was, on)), today, 0)


@given(before=rosters(), after=rosters(), ago=st.integers(0, 5))
@settings(deadline=None, max_examples=60)
def test_everything_that_an_update_changes_is_found(before: Roster, after: Roster, ago: int) -> None:
    """Whatever was edited since, and however long ago the last update was: what differs is due, and nothing else.

    With a membership go the organization role and with a new team its roles, and with them they come.
    """
    have, want = access_of(declaration(before, TODAY - ago * DAY)), access_of(declaration(after, TODAY))
    differs = {place for place in {*have, *want} if have.get(place) != want.get(place)}
    differs -= {place for place in differs if (have.get(place), want.get(place)) == ("member", None)}  # nothing goes
    changes = due(after, before, TODAY - ago * DAY, TODAY)
    places = [place for change in changes for place in places_of(change)]
    roles = [place for place in places if "role" in place[0]]
    assert len(roles) == len(set(roles)), "what gets a lower role is not missing too"
    found = set(places)
    leaving = {key for kind, key, *_ in differs if kind == "membership" and ("membership", key) in have}
    differs -= {("organization role", key) for key in leaving}
    new = {key for kind, key, *_ in differs if kind == "team"}
    assert {place for place in found if not (place[0] == "team" and place[1] not in new)} | {
        ("team", key) for key in new
    } == differs
    assert bool(changes) is bool(differs)
    for change in changes:  # what is "no longer in the roster" is not in it, and what is "lower" is
        gone = {place for place in places_of(change) if place[0] not in ("organization role", "team")}
        if change.event in (PendingEvent.OVERDUE, PendingEvent.REMOVED):
            assert {place in want for place in gone} <= {change.lowers}


@given(plan=rosters(), ago=st.integers(1, 5))
@settings(deadline=None, max_examples=60)
def test_what_the_clock_alone_changes_has_its_day(plan: Roster, ago: int) -> None:
    """Without an edit, access is overdue from the day after its last one; and late, never removed."""
    at = {offset: access_of(declaration(plan, TODAY - offset * DAY)) for offset in range(9)}
    for change in due(plan, plan, TODAY - ago * DAY, TODAY):
        assert change.event in (PendingEvent.OVERDUE, PendingEvent.LATE)
        assert change.on <= TODAY
        assert not change.edited, change
        for place in places_of(change) if change.event is PendingEvent.OVERDUE else ():
            had = at[ago].get(place)
            last = min((offset for offset, access in at.items() if access.get(place) == had), default=None)
            if had is not None and last is not None and last > 0:
                assert change.on == TODAY - (last - 1) * DAY, place
        for place in places_of(change) if change.event is PendingEvent.LATE else ():
            if not (change.membership and place[0] == "organization role"):  # which comes with the membership
                run = takewhile(lambda offset: at[offset].get(place) == at[0].get(place), sorted(at))  # noqa: B023
                assert change.on == TODAY - max(run) * DAY, place


SHOP, PLACE = {"projects": {"shop": "analyst"}}, {"teams": ["data"]}
OVERLAPS: dict[str, tuple[list[dict[str, Any]], list[dict[str, Any]], set[tuple[str, int]]]] = {
    "the same role by an entry that lasts longer": (
        [], [{**SHOP, "starts": "2026-05-01", "ends": "2026-05-05"}, {**SHOP, "starts": "2026-05-03"}], {("late", -3)},
    ),
    "the same role by an entry without a first day": (
        [], [{**SHOP, "ends": "2026-05-05"}, {**SHOP, "starts": "2026-05-03"}], {("late", 0)},
    ),
    "one after the other": (
        [], [{**SHOP, "starts": "2026-05-01", "ends": "2026-05-02"}, {**SHOP, "starts": "2026-05-03"}], {("late", -3)},
    ),
    "with a day between": (
        [], [{**SHOP, "starts": "2026-05-01", "ends": "2026-05-01"}, {**SHOP, "starts": "2026-05-03"}], {("late", -1)},
    ),
    "a higher role began later": (
        [{**SHOP}], [{**SHOP}, {"projects": {"shop": "admin"}, "starts": "2026-05-03"}], {("late", -1)},
    ),
    "a higher role began, and somebody edits the lower one": (
        [{**SHOP}], [{"projects": {"shop": "admin"}}, {"projects": {"shop": "admin"}, "starts": "2026-05-03"}],
        {("late", -1)},
    ),
    "a place by two entries": (
        [],
        [{**PLACE, "starts": "2026-05-02", "ends": "2026-05-05"}, {**PLACE, "starts": "2026-05-03"}],
        {("late", -2)},
    ),
    "an organization role in an entry that began long ago": (
        [{"starts": "2026-05-01"}], [{"starts": "2026-05-01", "organizationRole": "admin"}], {("late", 0)},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("before", "after", "expected"), OVERLAPS.values(), ids=OVERLAPS.keys())
def test_what_is_late_should_have_begun_when_any_entry_first_gave_it(
    before: list[dict[str, Any]], after: list[dict[str, Any]], expected: set[tuple[str, int]]
) -> None:
    """Whichever of several entries speaks today: the first day without a break, unless it is an edit that waits."""
    was, plan = ([{"email": BO, **one} for one in people] for people in (before, after))
    teams = {"data": {"name": "Data"}}
    found = due(roster(plan, teams), roster(was, teams), TODAY, TODAY)
    assert {(str(one.event), one.days) for one in found if one.email} == expected


RAISED = [{"projects": {"shop": "consumer"}}, {"projects": {"shop": "admin"}, "starts": "2026-05-02"}]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param([], [{"starts": "2026-05-04"}], [("late", 0, False)], id="begins today"),
        pytest.param([], [{}], [("late", 0, True)], id="added without a first day"),
        pytest.param([{}], [], [("removed", 0, True)], id="taken out of the roster"),
        pytest.param([{"projects": {"shop": "consumer"}}], RAISED, [("late", -2, False)], id="a second entry began"),
        pytest.param(
            [{"projects": {"shop": "consumer"}, "starts": "2026-05-02"}],
            [{"projects": {"shop": "admin"}, "starts": "2026-05-02"}],
            [("late", 0, True)],
            id="another role in the same entry",
        ),
    ],
)
def test_what_waits_for_an_edit_alone_is_edited(
    before: list[dict[str, Any]], after: list[dict[str, Any]], expected: list[tuple[str, int, bool]]
) -> None:
    """By that, `revoke --within` ends with 0 or 1: 1 on the day itself too, as on the days before and after."""
    was, plan = ([{"email": BO, **one} for one in people] for people in (before, after))
    found = due(roster(plan, {}), roster(was, {}), TODAY, TODAY)
    assert [(str(one.event), one.days, one.edited) for one in found] == expected


@pytest.mark.parametrize(
    ("days", "refused"), [(-1, "its `expires` 2026-05-03 is past"), (0, ""), (1, "")], ids=["past", "today", "to come"]
)
def test_a_service_account_that_expired_before_it_was_created_says_that_the_update_refuses_it(
    days: int, refused: str
) -> None:
    """The provider creates no account that Mixpanel would refuse; one that is there may have expired."""
    account = {"purpose": "Loads orders", "contact": BO, "role": "consumer", "expires": str(TODAY + days * DAY)}
    document = {"environment": "production", "serviceAccounts": {"etl": account}}
    plan = parse(json.dumps(document), RosterSource("r"))
    (change,) = pending_changes(plan, EMPTY, TODAY, 0)
    assert (change.event, change.account, change.refused) == (PendingEvent.LATE, "etl", refused)
    there = state_of_resources({}, {}, accounts={500: held_account("etl", 500, "urn::service-account/etl")})
    assert [one for one in pending_changes(plan, there, TODAY, 0) if one.event is PendingEvent.LATE] == []
