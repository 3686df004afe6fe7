"""What a roster gives on a day: standard roles, dates, and several engagements of one person."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from mixpanel_access.model import roles
from mixpanel_access.model.declaration import declaration
from mixpanel_access.model.effective_access import EffectivePerson, effective_access, overlaps
from mixpanel_access.model.roster.reading import RosterSource, parse
from mixpanel_access.model.roster.schema import Roster

TODAY = date(2026, 5, 4)
BO = "bo@example.com"


def roster(*people: str, environment: str = "production", more: str = "") -> Roster:
    """Two projects, some engagements, and these entries of one person."""
    entries = "".join(f"  - {{ email: {BO}, {entry} }}\n" for entry in people)
    return parse(
        f"environment: {environment}\norganizationRoles: true\nprojects:\n"
        f"  shop: {{ id: 1, environment: {environment} }}\n  web: {{ id: 2, environment: {environment} }}\n"
        "engagements:\n  build: { type: implementation, sow: SOW-1, ticket: OPS-1, ends: 2026-06-30 }\n"
        "  look: { type: audit, approver: ana@example.com, notes: Once }\n  plain: {}\n"
        f"people:\n{entries}{more}",
        RosterSource("r"),
    )


def bo(*people: str, today: date = TODAY, environment: str = "production", more: str = "") -> EffectivePerson | None:
    """What Bo has."""
    found = effective_access(roster(*people, environment=environment, more=more), today)
    return found[0] if found else None


def shown(person: EffectivePerson | None) -> dict[str, str] | None:
    """The roles alone."""
    return {key: held.role for key, held in person.projects.items()} if person else None


TEAMS = "teams: { data: { name: Data }, ops: { name: Ops } }"
PLACES = {
    "for the days of the entry": (["teams: [data], ends: 2026-05-04"], {"data": None}),
    "not after them": (["teams: [data], ends: 2026-05-03", "engagement: plain"], {}),
    "not before them": (["teams: [data], starts: 2026-05-05", "engagement: plain"], {}),
    "by the entry that lasts longest": (
        ["teams: [data], ends: 2026-05-09", "engagement: build, teams: [ops, data]"], {"data": "build", "ops": "build"},
    ),
    "of several": (["teams: [ops]", "engagement: plain, teams: [data]"], {"ops": None, "data": "plain"}),
}  # fmt: skip


BOUND = [
    ("2026-05-04", "2026-05-09", True, "2026-05-04", "2026-05-09"),
    ("2026-05-05", None, False, None, None),
    (None, "2026-05-03", False, None, None),
    (None, "2026-05-04", True, "2026-04-01", "2026-05-04"),
    ("2026-04-02", None, True, "2026-04-02", "2026-06-30"),
    (None, None, True, "2026-04-01", "2026-06-30"),
]


@pytest.mark.parametrize(("starts", "ends", "there", "first", "last"), BOUND)
def test_a_team_with_days_has_people_on_those_days_only(
    starts: str | None, ends: str | None, there: bool, first: str | None, last: str | None
) -> None:
    """Within the days of the entry, which goes on; a team without people today is not declared either."""
    days = "".join(f", {name}: {value}" for name, value in (("starts", starts), ("ends", ends)) if value)
    text = f"teams: {{ data: {{ name: Data, standard: audit, projects: {{ shop: }}{days} }} }}"
    document = roster("engagement: build, teams: [data], starts: 2026-04-01", more=text)
    (person,) = effective_access(document, TODAY)
    declared = declaration(document, TODAY)
    assert (set(person.teams), set(declared.teams)) == (({"data"}, {"data"}) if there else (set(), set()))
    assert (set(declared.team_grants), declared.people[0].get("teams")) == (
        ({(1, "data")}, ["Data"]) if there else (set(), None)
    )
    assert declared.members[BO]["ends"] == "2026-06-30"
    if there:
        place = declared.team_members["data", BO]
        assert (place["starts"], place["ends"], place["ticket"]) == (first, last, "OPS-1")
        assert (declared.teams["data"].get("starts"), declared.teams["data"].get("ends")) == (starts, ends)


@pytest.mark.parametrize(("people", "expected"), PLACES.values(), ids=PLACES.keys())
def test_a_place_in_a_team_is_for_the_days_of_the_entry(people: list[str], expected: dict[str, str | None]) -> None:
    """And has the reasons of the one that lasts longest."""
    person = bo(*people, more=TEAMS)
    assert person is not None
    assert {key: entry.engagement for key, entry in person.teams.items()} == expected


STANDARD = {
    "production": ("engagement: build, projects: { shop: }", "production", "", {"shop": "analyst"}),
    "elsewhere": ("engagement: build, projects: { shop: }", "staging", "", {"shop": "admin"}),
    "named all the same": ("engagement: build, projects: { shop: owner }", "staging", "", {"shop": "owner"}),
    "changed here": (
        "engagement: build, projects: { shop: }", "staging",
        "standardRoles: { implementation: { elsewhere: consumer } }", {"shop": "consumer"},
    ),
    "changed here for the other": (
        "engagement: build, projects: { shop: }", "staging",
        "standardRoles: { implementation: { production: consumer } }", {"shop": "admin"},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("entry", "environment", "more", "expected"), STANDARD.values(), ids=STANDARD.keys())
def test_a_project_without_a_role_gets_the_standard_one(
    entry: str, environment: str, more: str, expected: dict[str, str]
) -> None:
    """Of the engagement's type, in the roster's environment; the roster may set it otherwise."""
    assert shown(bo(entry, environment=environment, more=more)) == expected


def test_a_new_type_starts_with_the_least() -> None:
    """What is not said of it is the lowest there is."""
    text = "standardRoles: { support: { elsewhere: analyst } }"
    standard = roster(more=text).standards["support"]
    assert (standard.organization, standard.production, standard.elsewhere) == ("member", "consumer", "analyst")


DATES = [
    ("starts: 2026-05-04", True), ("starts: 2026-05-05", False), ("ends: 2026-05-04", True),
    ("ends: 2026-05-03", False), ("starts: 2026-05-04, ends: 2026-05-04", True), ("name: Bo", True),
]  # fmt: skip


@pytest.mark.parametrize(("dates", "current"), DATES)
def test_both_days_belong_to_the_access(dates: str, current: bool) -> None:  # a table's column
    """From the first to the last, in the entry or in its engagement."""
    assert (bo(dates) is not None) is current
    engagements = f"engagement: plain, {dates}"
    assert (bo(engagements) is not None) is current


def test_the_engagements_end_is_the_entries_end() -> None:
    """To the day; an entry of its own end goes before."""
    for entry, last in (("engagement: build", 30), ("engagement: build, ends: 2026-06-29", 29)):
        assert bo(entry, today=date(2026, 6, last)) is not None
        assert bo(entry, today=date(2026, 7, 1) if last == 30 else date(2026, 6, 30)) is None


def test_what_is_not_said_of_a_person_is_as_in_the_engagement() -> None:
    """Ticket and notes of the person before those of the engagement."""
    person = bo("engagement: build, ticket: OPS-9, reviewed: 2026-04-01")
    assert person is not None
    assert person.entry.metadata == {
        "engagement": "build", "engagement_type": "implementation", "sow": "SOW-1", "ticket": "OPS-9",
        "ends": "2026-06-30", "reviewed": "2026-04-01",
    }  # fmt: skip


def test_the_highest_role_counts_and_says_so() -> None:
    """With the reasons of the entry that gives it; what only one gives is told by none."""
    person = bo(
        "engagement: look, projects: { shop: analyst, web: }", "engagement: build, projects: { shop: admin }",
        "engagement: plain, organizationRole: admin, removal: never, projects: { shop: consumer }",
    )  # fmt: skip
    assert person is not None
    assert shown(person) == {"shop": "admin", "web": "consumer"}
    assert (person.organization_role, person.removal, person.entry.engagement) == ("admin", "never", "plain")
    assert person.projects["shop"].entry.metadata["sow"] == "SOW-1"
    assert person.projects["web"].entry.metadata["notes"] == "Once"
    (said,) = overlaps(person)
    assert said == (
        f"{BO}: admin in shop by the engagement build counts, as the highest; "
        f"there is also analyst by the engagement look, consumer by the engagement plain"
    )


def test_of_equal_roles_the_one_that_lasts_longest_counts() -> None:
    """So that the end that is shown is the end of the access."""
    person = bo("engagement: build, projects: { shop: analyst }", "projects: { shop: analyst }, ends: 2026-12-31")
    assert person is not None
    assert person.projects["shop"].entry.metadata["ends"] == "2026-12-31"
    assert person.entry.metadata["ends"] == "2026-12-31"


def test_when_the_higher_ends_the_lower_is_left() -> None:
    """The day after; before the other begins there is nothing."""
    entries = (
        "engagement: build, projects: { shop: admin }",
        "engagement: look, starts: 2026-06-01, projects: { shop: }",
    )
    by_day = {day: bo(*entries, today=date.fromisoformat(day)) for day in ("2026-05-31", "2026-06-30", "2026-07-01")}
    assert [shown(person) for person in by_day.values()] == [{"shop": "admin"}, {"shop": "admin"}, {"shop": "consumer"}]
    assert [len(list(overlaps(person))) for person in by_day.values() if person] == [0, 1, 0]


def test_an_organization_role_that_is_over_is_not_kept() -> None:
    """Who stays by another engagement becomes a member; before it begins, nobody's role is touched."""
    entries = (
        "engagement: build, organizationRole: admin, starts: 2026-05-01, ends: 2026-05-31",
        "engagement: look, projects: { shop: }",
    )
    by_day = {"2026-04-30": None, "2026-05-01": "admin", "2026-05-31": "admin", "2026-06-01": "member"}
    for day, role in by_day.items():
        person = bo(*entries, today=date.fromisoformat(day))
        assert person is not None
        assert person.organization_role == role, day


@drawn(
    st.lists(st.tuples(st.sampled_from(roles.PROJECT_ROLES), st.dates(date(2026, 5, 1), date(2026, 5, 7))), max_size=3)
)
def test_no_order_of_the_entries_matters(held: list[tuple[str, date]]) -> None:
    """The role is that of the highest entry that counts, whichever stands first."""
    names = ("build", "look", "plain")
    entries = [
        f"engagement: {name}, projects: {{ shop: {role} }}, ends: {end}"
        for name, (role, end) in zip(names, held, strict=False)
    ]
    current = [role for role, end in held if end >= TODAY]
    expected = {"shop": roles.highest(current)} if current else None
    assert shown(bo(*entries)) == shown(bo(*reversed(entries))) == expected
