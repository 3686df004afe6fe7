"""The roster: what it says, and where it is wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixpanel_access.model.errors import RosterError
from mixpanel_access.model.roster import did_you_mean, parse

COMPLIANT = """\
environment: production
organizationRoles: true
projects:
  shop: { id: 1234567, name: Shop, environment: production }
  warehouse: { id: 1234568, environment: production }
people:
  - email: bo@example.com
    organizationRole: Member
    projects: { shop: Analyst }
    starts: 2026-01-31
    ends: "2026-02-28"
    ticket: OPS-1
  - email: cy@example.com
"""


def test_a_compliant_roster() -> None:
    """Role words in any case, dates quoted or not, everything optional left out."""
    roster = parse(COMPLIANT, "production.yaml")
    bo, cy = roster.people
    assert (bo.organization_role, dict(bo.projects)) == ("member", {"shop": "analyst"})
    assert bo.metadata == {"starts": "2026-01-31", "ends": "2026-02-28", "ticket": "OPS-1"}
    assert (cy.organization_role, dict(cy.projects), cy.metadata) == (None, {}, {})
    assert roster.projects["warehouse"].id == 1234568


def test_anchors_and_merge_keys() -> None:
    """YAML's own means of not repeating oneself work."""
    text = COMPLIANT.replace(
        "  - email: cy@example.com\n",
        "  - &x { email: cy@example.com, ticket: T }\n  - { <<: *x, email: di@example.com }\n",
    )
    assert [person.metadata for person in parse(text, "x").people][1:] == [{"ticket": "T"}] * 2


SPOILED = {
    "unknown key": ("ticket: OPS-1", "tiket: OPS-1", 12, "'tiket' is unknown here (did you mean 'ticket'?)"),
    "unknown top key": ("organizationRoles", "organisationRoles", 2, "(did you mean 'organizationRoles'?)"),
    "unknown key of a project": ("name: Shop", "titel: Shop", 4, "'titel' is unknown here"),
    "unknown project": ("{ shop: Analyst }", "{ shpo: analyst }", 9, "(did you mean 'shop'?)"),
    "unknown role": ("Analyst", "analist", 9, "(did you mean 'analyst'?)"),
    "unknown organization role": ("organizationRole: Member", "organizationRole: boss", 8, "'boss' is no org"),
    "malformed address": ("cy@example.com", "cy@example", 13, "'cy@example' is no e-mail address"),
    "one person twice": ("cy@example.com", "BO@example.com", 13, "stands here twice (first as bo@example.com)"),
    "no address": ("- email: cy@example.com", "- name: Cy", 13, "'email' is missing"),
    "no date": ("2026-01-31", "31.1.2026", 10, "'31.1.2026' is no date"),
    "ends before it starts": ("2026-01-31", "2026-03-01", 11, "before it starts"),
    "another environment": ("1234568, environment: production", "1234568, environment: x", 5, "'x', and this roster"),
    "id twice": ("1234568", "1234567", 5, "has the id of project shop"),
    "id is a text": ("1234568", '"1234568"', 5, "id: '1234568' cannot be used"),
    "id is negative": ("1234568", "-5", 5, "id: -5 cannot be used"),
    "people is a mapping": ("  - email: bo@example.com", "  email: bo@example.com", 8, ""),
    "tab": ("    ticket", "\tticket", 12, ""),
    "duplicate key": ("    ticket: OPS-1", "    ticket: OPS-1\n    ticket: OPS-2", 13, "duplicate key"),
    "roles not owned": ("organizationRoles: true", "organizationRoles: false", 8, "only the one roster with"),
    "no environment": ("environment: production\norg", "org", 1, "'environment' is missing"),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "words"), SPOILED.values(), ids=SPOILED.keys())
def test_a_spoiled_roster_is_told_with_its_line(old: str, new: str, line: int, words: str) -> None:
    """File, line, the bad value, and what was meant."""
    assert old in COMPLIANT
    with pytest.raises(RosterError) as raised:
        parse(COMPLIANT.replace(old, new, 1), "production.yaml")
    assert f"production.yaml:{line}: " in str(raised.value)
    assert words in str(raised.value)
    assert str(raised.value).count("production.yaml:") == 1 or "mapping" in words or not words


def test_every_problem_is_told() -> None:
    """One bad entry does not hide the others, and they come in the order of their lines."""
    text = COMPLIANT.replace("Analyst", "x").replace("Member", "y").replace("cy@example.com", "z")
    with pytest.raises(RosterError, match=r"yaml:8: .*yaml:9: .*yaml:13: "):
        parse(text, "production.yaml")


@pytest.mark.parametrize("text", ["", "# nothing", "[]", "text", "7", "null"])
def test_what_is_no_roster(text: str) -> None:
    """It says what one is."""
    with pytest.raises(RosterError, match="x:1: a roster is a mapping"):
        parse(text, "x")


@given(
    st.text()
    | st.lists(st.sampled_from([*COMPLIANT.splitlines(), "  x: &a", "- *a", "\t", "? [1]", "!!int x"])).map("\n".join)
)
def test_any_text_is_a_roster_or_an_error_in_one_line(text: str) -> None:
    """Nothing else comes of it."""
    try:
        parse(text, "x")
    except RosterError as error:
        assert "\n" not in str(error)  # noqa: PT017  # the one line is the promise


@pytest.mark.parametrize("text", ["&a : &a", "[" * 5000, "{a: " * 5000], ids=["anchor", "lists", "maps"])
def test_odd_documents(text: str) -> None:
    """One error, no warning and no traceback."""
    with pytest.raises(RosterError):
        parse(text, "x")


def test_no_guess_is_made_of_what_is_too_far() -> None:
    """A word like no other is just unknown."""
    assert did_you_mean("zebra", ["analyst", "admin"]) == ""


EXCEPTION = "{ rule: naming, email: robin@agency.example.org, reason: r, approver: a, ends: 2030-01-01 }"
BAD_EXCEPTIONS = {
    "nobody": (
        EXCEPTION.replace("robin@", "robyn@"),
        "robyn@agency.example.org is nobody of this roster (did ",
    ),
    "no project": (EXCEPTION.replace("reason", "project: web, reason"), "'web' is no project of this roster"),
    "a project alone": ("{ rule: x, project: shop, reason: r, approver: a, ends: 2030-01-01 }", "names the person too"),
    "no date": (EXCEPTION.replace("2030-01-01", "soon"), "'soon' is no date"),
    "no end": (EXCEPTION.replace(", ends: 2030-01-01", ""), "'ends' is missing"),
    "a field too many": (EXCEPTION.replace("reason", "why: x, reason"), "'why' is unknown here"),
}


@pytest.mark.parametrize(("entry", "words"), BAD_EXCEPTIONS.values(), ids=BAD_EXCEPTIONS.keys())
def test_exceptions_are_checked(entry: str, words: str) -> None:
    """Each problem with its line."""
    text = (
        "environment: production\nprojects: { shop: { id: 1, environment: production } }\n"
        "people: [{ email: robin@agency.example.org }]\nexceptions:\n  - "
    )
    assert len(parse(text + EXCEPTION, "r").exceptions) == 1
    with pytest.raises(RosterError) as caught:
        parse(text + entry, "r")
    assert "r:5: " in str(caught.value)
    assert words in str(caught.value)


def test_a_key_with_nothing_behind_it_is_empty() -> None:
    """As is left when the last entry was deleted."""
    roster = parse("environment: production\nprojects:\npeople:\nexceptions:\n", "r")
    assert (roster.projects, list(roster.people), list(roster.exceptions)) == ({}, [], [])
    assert parse("environment: a\npeople: [{ email: a@example.com, projects: }]\n", "r").people[0].projects == {}


def standard(environment: str, person: str) -> str:
    """A roster of one person and one project."""
    return (
        f"environment: {environment}\nprojects: {{ shop: {{ id: 1, environment: {environment} }} }}\n"
        f"people:\n  - email: a@example.com\n    {person}\n    projects:\n      shop:\n"
    )


@pytest.mark.parametrize(("environment", "role"), [("production", "analyst"), ("staging", "admin")])
def test_a_project_without_a_role_gets_the_standard_one(environment: str, role: str) -> None:
    """Of the engagement's type, in the roster's environment."""
    (person,) = parse(standard(environment, "engagementType: implementation"), "r").people
    assert person.projects == {"shop": role}


@pytest.mark.parametrize("person", ["name: A", "engagementType: juggling", "engagementType: [1]"])
def test_a_project_without_a_role_needs_a_type(person: str) -> None:
    """With its line, and the types that there are."""
    with pytest.raises(RosterError) as caught:
        parse(standard("production", person), "r")
    assert "r:7: shop: there is no role, and no engagementType that has a standard one (analytics_" in str(caught.value)
