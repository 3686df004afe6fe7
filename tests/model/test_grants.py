"""The grants of one project as sets, and the brakes on them at their very boundaries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixpanel_access.model.access import Grant, GrantType
from mixpanel_access.model.address import few
from mixpanel_access.model.brakes import Brake, BrakeFinding, Limits, judge_grants
from mixpanel_access.model.errors import AccessError, Invalid, RateLimited, told_together
from mixpanel_access.model.grants import GrantChanges, believed, by_key, grant_changes, individual_roles, spelled, twice

OWN = "bot@example.com"

ROLES = st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from(["admin", "analyst", "consumer"]))


@given(ROLES, ROLES, st.sets(st.sampled_from("abcdefgh")))
def test_the_changes_make_what_is_there_what_is_declared(
    have: dict[str, str], want: dict[str, str], kept: set[str]
) -> None:
    """Who is declared has the role, nobody else is left but who is kept, and then there is nothing to do."""
    changes = grant_changes(have, want, kept)
    after = {key: role for key, role in have.items() if key not in changes.remove} | dict(changes.give)
    assert after == {key: role for key, role in have.items() if key in kept} | want
    assert not grant_changes(after, want, kept)
    assert not changes.add.keys() & have.keys()
    assert changes.change.keys() <= have.keys() & want.keys()


TABLE = {
    "nothing": ({}, {}, GrantChanges()),
    "the same": ({"a": "analyst"}, {"a": "analyst"}, GrantChanges()),
    "one more": ({}, {"a": "analyst"}, GrantChanges(add={"a": "analyst"})),
    "another role": ({"a": "admin"}, {"a": "analyst"}, GrantChanges(change={"a": "analyst"})),
    "a stranger": ({"a": "admin"}, {}, GrantChanges(remove=frozenset("a"))),
    "who is kept": ({"k": "admin"}, {}, GrantChanges()),
    "who is kept gets another role": ({"k": "admin"}, {"k": "analyst"}, GrantChanges(change={"k": "analyst"})),
}


@pytest.mark.parametrize(("have", "want", "expected"), TABLE.values(), ids=TABLE.keys())
def test_each_kind_of_change(have: dict[str, str], want: dict[str, str], expected: GrantChanges) -> None:
    """Told apart, so that each can be said and braked."""
    assert grant_changes(have, want, frozenset("k")) == expected


def test_only_individual_grants_of_people_count() -> None:
    """Teams, organization roles and all-users grants are nobody's business here, and neither are service accounts."""
    rows = {
        "a": [Grant(1, "a", "consumer", GrantType.INDIVIDUAL), Grant(1, "a", "admin", GrantType.TEAM)],
        "b": [Grant(1, "b", "owner", GrantType.ORGANIZATION_ROLE), Grant(1, "b", "admin", GrantType.ALL_USERS)],
        "etl.1a.mp-service-account": [Grant(1, "etl.1a.mp-service-account", "analyst", GrantType.INDIVIDUAL)],
    }
    assert individual_roles(rows) == {"a": "consumer"}


def test_what_mixpanel_hides_is_as_it_was() -> None:
    """A hidden grant is there if it was, and what is seen is what counts otherwise."""
    seen, before = {"a": "admin"}, {"a": "analyst", "hidden": "consumer", "gone": "consumer"}
    assert believed(seen, before, frozenset({"a", "hidden", "new"})) == {"a": "admin", "hidden": "consumer"}


def test_spellings() -> None:
    """One person however they are spelled; the first known spelling is the one that is kept."""
    assert by_key({"Ana@Example.com": "admin"}) == {"ana@example.com": "admin"}
    have = {"z@example.com": "admin", "ana@example.com": "analyst"}
    assert spelled(have, ["Ana@Example.com"], ["ANA@example.com", "Z@example.com"]) == {
        "Ana@Example.com": "analyst",
        "Z@example.com": "admin",
    }
    assert list(spelled(have)) == ["ana@example.com", "z@example.com"]
    assert twice(["a@x", "b@x", "A@x", "a@X"]) == [("A@x", "a@x"), ("a@X", "a@x")]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1, "p0"),
        (5, "p0, p1, p2, p3, p4"),
        (6, "p0, p1, p2, p3, p4 and 1 other"),
        (7, "p0, p1, p2, p3, p4 and 2 others"),
    ],
)
def test_a_few_are_named_and_the_others_counted(number: int, text: str) -> None:
    """At the boundary."""
    assert few(f"p{n}" for n in range(number)) == text


def judged(have: dict[str, str], changes: GrantChanges, **limits: object) -> list[BrakeFinding]:
    """The findings in project 7."""
    return judge_grants(have, changes, project=7, own_address=OWN, limits=Limits(**limits))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("grants", "allowed"), [(1, 3), (3, 3), (10, 3), (39, 3), (40, 4), (49, 4), (50, 5), (1000, 100), (5000, 500)]
)
def test_the_share_of_a_projects_grants_at_its_boundary(grants: int, allowed: int) -> None:
    """10 % of this project's grants, rounded down, but three in any case: exactly so many and not one more."""
    have = {f"p{n:04}": "analyst" for n in range(grants)}
    keys = sorted(have)
    assert judged(have, GrantChanges(remove=frozenset(keys[:allowed]))) == []
    if grants > allowed:
        (finding,) = judged(have, GrantChanges(remove=frozenset(keys[: allowed + 1])))
        assert (finding.brake, finding.holds, len(finding.people)) == (Brake.GRANT_SHARE, True, allowed + 1)
        assert f"may take {allowed} of the {grants} individual grants in project 7 away" in str(finding)
        assert str(finding).startswith("p0000, p0001, p0002")
        assert len(str(finding)) < 300
        released = judged(have, GrantChanges(remove=frozenset(keys)), released=frozenset({Brake.GRANT_SHARE}))
        assert [finding.holds for finding in released] == [False]


@pytest.mark.parametrize(("percent", "minimum", "allowed"), [(0, 0, 0), (50, 0, 5), (0, 4, 4), (100, 0, 10)])
def test_the_share_is_that_of_the_settings(percent: float, minimum: int, allowed: int) -> None:
    """The same two settings as for people."""
    have = {f"p{n}": "analyst" for n in range(10)}
    for number in range(11):
        gone = GrantChanges(remove=frozenset(sorted(have)[:number]))
        assert bool(judged(have, gone, removal_percent=percent, removal_minimum=minimum)) is (number > allowed)


def test_giving_and_changing_are_not_braked() -> None:
    """Only what takes away is."""
    have = {f"p{n}": "admin" for n in range(20)}
    assert judged(have, GrantChanges({"new": "analyst"}, dict.fromkeys(have, "consumer"))) == []


OWN_CASES = {
    "taken": (GrantChanges(remove=frozenset({OWN})), True),
    "lowered": (GrantChanges(change={OWN: "analyst"}), True),
    "raised": (GrantChanges(change={OWN: "owner"}), False),
    "given": (GrantChanges(add={"x": "owner"}), False),
}


@pytest.mark.parametrize(("changes", "holds"), OWN_CASES.values(), ids=OWN_CASES.keys())
def test_our_own_grant_is_neither_taken_nor_lowered(changes: GrantChanges, holds: bool) -> None:
    """The identity that the provider runs as keeps what it has."""
    assert [one.brake for one in judged({OWN: "admin"}, changes)] == [Brake.OWN_IDENTITY] * holds


def test_failures_are_told_in_one_line() -> None:
    """A few names and a count for each reason, of the kind of the first, with what to do."""
    failures: dict[str, AccessError] = {
        f"p{n}@example.com": RateLimited("cannot", why="the limit is reached", next_step="Run again in an hour.")
        for n in range(8)
    }
    failures["x@example.com"] = Invalid("cannot grant")
    error = told_together("cannot change who has project 7", failures, 991)
    assert type(error) is RateLimited
    assert str(error) == (
        "cannot change who has project 7: not for 9 of 1000 people: p0@example.com, p1@example.com, p2@example.com, "
        "p3@example.com, p4@example.com and 3 others: the limit is reached; x@example.com: cannot grant. "
        "Run again in an hour."
    )


@pytest.mark.parametrize("steps", [("", ""), ("", "Check the address."), ("Wait.", "Check the address.")], ids=str)
def test_an_error_about_several_people_has_one_next_step(steps: tuple[str, ...]) -> None:
    """Two would contradict each other: the first that a person has, else to run again."""
    failures: dict[str, AccessError] = {f"p{n}": Invalid("cannot", next_step=step) for n, step in enumerate(steps)}
    expected = next(filter(None, steps), "Run again: what is done is not done twice.")
    assert told_together("cannot", failures, 7).next_step == expected


@pytest.mark.parametrize(("number", "end"), [(3, "why 2"), (4, "and 1 more reason"), (6, "and 3 more reasons")])
def test_many_reasons_are_counted(number: int, end: str) -> None:
    """Three are told."""
    failures: dict[str, AccessError] = {f"p{n}": Invalid("cannot", why=f"why {n}") for n in range(number)}
    assert str(told_together("cannot", failures, 0)).endswith(end)
