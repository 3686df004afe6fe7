"""Changes of entries that stand in a roster's text: roles, the day of the review, single projects, whole entries."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixpanel_access.model.errors import RosterError
from mixpanel_access.model.roster.editing import EntryChange, change_entries
from mixpanel_access.model.roster.reading import RosterSource, parse

R = RosterSource("r.yaml")
DAY = date(2026, 5, 4)

BLOCK = """\
environment: production
organizationRoles: true
projects:
  shop: { id: 1, environment: production }
  web: { id: 2, environment: production }
engagements:
  look: { type: audit }

people: # all of them
  # the first
  - email: Ana@example.com # for ever
    organizationRole: admin
    projects:
      shop: owner # hers
      # below the shop
      web: 'analyst'
    reviewed: "2026-01-01"

  - { email: bo@example.com, projects: { shop: analyst, web: admin } }
  - email: cy@example.com
    engagement: look
    projects:
      shop: # the standard
    # below cy
exceptions:
  - { rule: naming, email: bo@example.com, reason: r, approver: a, ends: 2030-01-01 }
  - { rule: naming, email: cy@example.com, reason: r, approver: a, ends: 2030-01-01 }
"""
SHAPES = {
    "block": BLOCK,
    "windows": BLOCK.replace("\n", "\r\n"),
    "byte order mark": "\ufeff" + BLOCK,
    "json": json.dumps(
        {
            "environment": "production",
            "organizationRoles": True,
            "projects": {key: {"id": n, "environment": "production"} for n, key in enumerate(("shop", "web"), 1)},
            "engagements": {"look": {"type": "audit"}},
            "people": [
                {
                    "email": "ana@example.com",
                    "organizationRole": "admin",
                    "projects": {"shop": "owner", "web": "admin"},
                },
                {"email": "bo@example.com", "projects": {"shop": "analyst", "web": "admin"}, "reviewed": "2026-01-01"},
                {"email": "cy@example.com", "engagement": "look", "projects": {"shop": None}},
            ],
        },
        indent=1,
    ),
    "one line": "environment: production\norganizationRoles: true\n"
    "projects: {shop: {id: 1, environment: production}, web: {id: 2, environment: production}}\n"
    "engagements: {look: {type: audit}}\npeople: [{email: ana@example.com, organizationRole: admin, projects: {shop: "
    "owner, web: admin}}, {email: bo@example.com, projects: {shop: analyst, web: admin}}, {email: cy@example.com, "
    "engagement: look, projects: {shop: }}]\n",
}
CHANGES = {
    "reviewed": EntryChange(reviewed=DAY),
    "lowered": EntryChange({"shop": "consumer"}, reviewed=DAY),
    "a project out": EntryChange({"shop": None}, reviewed=DAY),
    "all projects out": EntryChange({"shop": None, "web": None}),
    "organization role": EntryChange(organization_role="member", reviewed=DAY),
    "gone": EntryChange(gone=True),
    "nothing": EntryChange(),
}


def fitting(change: EntryChange, projects: Any) -> EntryChange:
    """The change with the projects only that the entry has."""
    roles = {key: role for key, role in change.roles.items() if key in projects}
    return EntryChange(roles, change.organization_role, change.reviewed, change.gone)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
@pytest.mark.parametrize("text", SHAPES.values(), ids=SHAPES.keys())
def test_each_change_in_each_shape(text: str, change: EntryChange) -> None:
    """For each entry alone and for all together: that is so then, and nothing else."""
    before = parse(text, R)
    for at in ([0], [1], [2], [0, 1, 2]):
        changes = {one: fitting(change, before.people[one].projects) for one in at}
        after = parse(change_entries(text, R, changes), R)
        want = [
            changes[n].of(one) if n in changes else one
            for n, one in enumerate(before.people)
            if not (n in changes and change.gone)
        ]
        assert [one.model_dump() for one in after.people] == [one.model_dump() for one in want]
        same = {"environment", "projects", "engagements", "organization_roles"}
        assert after.model_dump(include=same) == before.model_dump(include=same)


def test_the_text_of_the_changes() -> None:
    """Comments, quotes and order stay; a project's line goes with the comment on it."""
    after = change_entries(
        BLOCK,
        R,
        {
            0: EntryChange({"shop": None, "web": "consumer"}, "member", DAY),
            1: EntryChange({"web": None}, reviewed=DAY),
            2: EntryChange({"shop": "consumer"}, reviewed=DAY),
        },
    )
    assert after == (
        BLOCK.replace("organizationRole: admin", "organizationRole: member")
        .replace("      shop: owner # hers\n", "")
        .replace("web: 'analyst'", "web: 'consumer'")
        .replace('"2026-01-01"', '"2026-05-04"')
        .replace("{ shop: analyst, web: admin } }", "{ shop: analyst }, reviewed: 2026-05-04 }")
        .replace("      shop: # the standard\n", "      shop: consumer # the standard\n")
        .replace("    # below cy\n", "    # below cy\n    reviewed: 2026-05-04\n")
    )
    emptied = change_entries(BLOCK, R, {0: EntryChange({"shop": None, "web": None}), 1: EntryChange({"shop": None})})
    assert "    projects: {}\n    reviewed" in emptied
    assert "projects: { web: admin }" in emptied


def test_exceptions_go_with_the_last_entry_of_a_person() -> None:
    """While another entry is there, they stay."""
    gone = change_entries(BLOCK, R, {1: EntryChange(gone=True)})
    assert gone == "".join(line for line in BLOCK.splitlines(keepends=True) if "bo@example" not in line)
    twice = BLOCK.replace("exceptions:", "  - { email: bo@example.com, engagement: look, projects: {} }\nexceptions:")
    kept = change_entries(twice, R, {1: EntryChange(gone=True)})
    assert [one.email for one in parse(kept, R).exceptions] == ["bo@example.com", "cy@example.com"]


ALIASED = {
    "projects": "people:\n  - {email: a@example.com, projects: &all {shop: admin}}\n"
    "  - {email: b@example.com, projects: *all}\n",
    "a role": "people:\n  - email: a@example.com\n    projects: {shop: &role admin}\n"
    "  - email: b@example.com\n    projects: {shop: *role}\n",
}


@pytest.mark.parametrize("people", ALIASED.values(), ids=ALIASED.keys())
def test_what_others_share_is_not_changed(people: str) -> None:
    """An alias is for somebody's hand: nothing is changed behind the back of the others."""
    text = f"environment: production\nprojects: {{shop: {{id: 1, environment: production}}}}\n{people}"
    for at in (0, 1):
        for role in ("analyst", None):
            with pytest.raises(RosterError, match=r"cannot edit the roster for r.yaml"):
                change_entries(text, R, {at: EntryChange({"shop": role})})
    assert change_entries(text, R, {}) == text


@settings(max_examples=60, deadline=None)
@given(
    shape=st.sampled_from([*SHAPES.values()]),
    days=st.dictionaries(st.integers(0, 2), st.dates(date(2000, 1, 1), date(2099, 12, 31))),
)
def test_a_review_changes_only_its_day(shape: str, days: dict[int, date]) -> None:
    """Whoever is reviewed on whatever day: the roster before and after differ in `reviewed` alone."""
    before = parse(shape, R).model_dump()
    after = parse(change_entries(shape, R, {at: EntryChange(reviewed=day) for at, day in days.items()}), R).model_dump()
    for at, day in days.items():
        assert after["people"][at]["reviewed"] == day.isoformat()
        before["people"][at]["reviewed"] = day.isoformat()
    assert after == before
