"""The first day of somebody's access in the state, which a `starts` that is moved on does not hide."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from mixpanel_access.provider.member import MemberProvider
from mixpanel_access.provider.policy_outputs import first_day
from tests.fakes import FakeApi, make_session

TODAY = date(2026, 5, 4)
JANUARY, APRIL = "2026-01-12", "2026-04-01"
ENDS = {"ends": "2026-06-15"}
LATER = {"ends": "2026-09-15"}

CASES: dict[str, tuple[dict[str, Any], dict[str, Any], str | None]] = {
    "new": ({}, {"starts": APRIL, **ENDS}, None),
    "new without a start": ({}, ENDS, "2026-05-04"),
    "new for ever": ({}, {}, None),
    "as it was": ({"starts": APRIL, **ENDS}, {"starts": APRIL, **ENDS}, None),
    "moved on": ({"starts": JANUARY, **ENDS}, {"starts": APRIL, **LATER}, JANUARY),
    "moved on once more": ({"since": JANUARY, "starts": "2026-03-01"}, {"starts": APRIL, **LATER}, JANUARY),
    "moved back": ({"since": JANUARY, "starts": APRIL}, {"starts": "2026-01-01", **ENDS}, None),
    "moved back to the first": ({"since": JANUARY, "starts": APRIL}, {"starts": JANUARY, **ENDS}, None),
    "taken away": ({"starts": APRIL, **ENDS}, LATER, APRIL),
    "kept": ({"since": JANUARY, **ENDS}, LATER, JANUARY),
    "no start yet, and nothing changes": (ENDS, ENDS, None),
    "no start yet, and extended": (ENDS, LATER, "2026-05-04"),
    "no date": ({"starts": "soon"}, {"starts": "then", **ENDS}, None),
    "not known": ({"starts": JANUARY}, {"starts": 7, **ENDS}, JANUARY),
}


@pytest.mark.parametrize(("olds", "news", "expected"), CASES.values(), ids=CASES)
def test_the_first_day_is_kept(olds: dict[str, Any], news: dict[str, Any], expected: str | None) -> None:
    """Whatever is written in its place; a state of version 0.1.0, which lacks it, is no change by itself."""
    email = {"email": "robin@agency.example.org"}
    assert first_day({**email, **olds} if olds else {}, {**email, **news}, TODAY) == expected


def test_another_person_begins_anew() -> None:
    """In every spelling the same one does not."""
    olds = {"email": "robin@agency.example.org", "starts": JANUARY}
    assert first_day(olds, {"email": "sam@agency.example.org", "starts": APRIL}, TODAY) is None
    assert first_day(olds, {"email": "Robin@Agency.example.org", "starts": APRIL}, TODAY) == JANUARY


def test_a_program_cannot_say_it() -> None:
    """The state alone knows; a change of it is one of the member, and sends no request."""
    provider, api = MemberProvider(), FakeApi()
    api.put("cy@example.com", "member")
    provider.use(make_session(api)[0])
    inputs = {"email": "cy@example.com", "removal": "when_unused", "starts": APRIL, **ENDS}
    assert "since" not in provider.check({}, {**inputs, "since": "2026-05-01"}).inputs
    olds = {**inputs, "starts": JANUARY}
    checked = provider.check(olds, inputs)
    assert (checked.inputs["since"], checked.failures) == (JANUARY, [])
    made = provider.create(olds).outs or {}
    assert provider.diff(f"{provider.session.organization}:cy@example.com", made, checked.inputs).changes
    before = list(api.writes)
    outs = provider.update(f"{provider.session.organization}:cy@example.com", made, checked.inputs).outs or {}
    assert (outs["since"], api.writes) == (JANUARY, before)
    assert provider.check(checked.inputs, inputs).inputs == checked.inputs
