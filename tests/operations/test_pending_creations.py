"""What a killed run has left open and the roster no longer gives is named, before the engine forgets it."""

from __future__ import annotations

from typing import Any

import pytest

from mixpanel_access.model import resources as kinds
from mixpanel_access.model.roster.salvage import Unread
from mixpanel_access.operations.revoking.blocked import pending_creations
from mixpanel_access.operations.revoking.removals import RosterToday
from tests.fakes import PRODUCTION, FakeApi, make_session
from tests.operations.test_removals import DAY, NEXT, ROOT, declared, rows

MORE: dict[str, Any] = {
    "projects": {"shop": {"id": PRODUCTION, "environment": "production"}},
    "teams": {"data": {"name": "Data"}},
}
KIM: dict[str, Any] = {"email": "kim@example.com"}
SHOP = {"email": "kim@example.com", "project_id": PRODUCTION, "role": "admin", "ends": "2026-06-30"}
WHOLE = {"project_id": PRODUCTION, "grants": {"kim@example.com": "admin"}}
OURS = {**KIM, "role": "admin"}
PLACE = {"email": "kim@example.com", "team_id": 5}

CASES: dict[str, tuple[str, dict[str, Any], list[dict[str, Any]], set[str]]] = {
    "a grant": (kinds.GRANT_TYPE, SHOP, [], {"admin in shop"}),
    "a grant of somebody who stays": (kinds.GRANT_TYPE, SHOP, [KIM], {"admin in shop"}),
    "a higher role than today's": (
        kinds.GRANT_TYPE,
        SHOP,
        [{**KIM, "projects": {"shop": "analyst"}}],
        {"admin in shop"},
    ),
    "a grant that is given": (kinds.GRANT_TYPE, SHOP, [{**KIM, "projects": {"shop": "admin"}}], set()),
    "a project as a whole": (kinds.PROJECT_ACCESS_TYPE, WHOLE, [], {"admin in shop"}),
    "a place": (kinds.MEMBER_TYPE, KIM, [], {"the membership in the organization"}),
    "a place that is given": (kinds.MEMBER_TYPE, KIM, [KIM], set()),
    "an organization role": (kinds.MEMBER_TYPE, OURS, [KIM], {"the organization role admin"}),
    "an organization role that is given": (kinds.MEMBER_TYPE, OURS, [{**KIM, "organizationRole": "admin"}], set()),
    "a membership in a team": (kinds.TEAM_MEMBER_TYPE, PLACE, [KIM], {"the membership in a team"}),
    "a membership in a team that is given": (kinds.TEAM_MEMBER_TYPE, PLACE, [{**KIM, "teams": ["data"]}], set()),
}
"""What a killed `up` had begun, what the roster gives the day after, and what is named."""


def export(type_: str, inputs: dict[str, Any], parent: str = f"{kinds.COMPONENT_TYPE}$") -> dict[str, Any]:
    """A state with an open creation."""
    resource = {"type": type_, "urn": f"{ROOT}{parent}{type_}::it", "inputs": inputs}
    return {"deployment": {"pending_operations": [{"type": "creating", "resource": resource}]}}


def organization(*, granted: bool = True) -> FakeApi:
    """Kim is in it, as the run has left her."""
    api = FakeApi()
    api.put("kim@example.com", "admin")
    if granted:
        api.give(PRODUCTION, "kim@example.com", "admin")
    return api


def named(state: dict[str, Any], people: list[dict[str, Any]], api: FakeApi, **given: Any) -> set[str]:
    """What is named, after its reason has been looked at."""
    gives = RosterToday(declared(people, NEXT, **MORE), NEXT, **given)
    found = pending_creations(state, rows(declared([], DAY, **MORE)), gives, make_session(api)[0])
    assert all("a run that was killed" in one.reason and one.taking.email == "kim@example.com" for one in found)
    return {one.taking.what for one in found}


@pytest.mark.parametrize(("type_", "inputs", "people", "expected"), CASES.values(), ids=CASES.keys())
def test_what_a_killed_run_may_have_given_is_named_once_it_has_ended(
    type_: str, inputs: dict[str, Any], people: list[dict[str, Any]], expected: set[str]
) -> None:
    """Whose it is and what it is; and not what the roster gives today."""
    assert named(export(type_, inputs), people, organization()) == expected


def test_what_has_not_come_about_is_not_named_and_what_cannot_be_told_is() -> None:
    """Mixpanel says whether the call went through; where it does not say, it may have."""
    grant = export(kinds.GRANT_TYPE, SHOP)
    assert named(grant, [], organization(granted=False)) == set()
    assert named(export(kinds.MEMBER_TYPE, KIM), [], FakeApi()) == set()
    api = organization(granted=False)
    api.unreadable = {PRODUCTION}
    assert named(grant, [], api) == {"admin in shop"}


def test_what_the_roster_may_give_or_does_not_declare_is_not_named() -> None:
    """An entry that cannot be read may give it, and of what a program declares beside the roster it says nothing."""
    assert (
        named(export(kinds.MEMBER_TYPE, KIM), [], organization(), unread=Unread(frozenset({"kim@example.com"})))
        == set()
    )
    assert named(export(kinds.GRANT_TYPE, SHOP, parent=""), [], organization()) == set()
