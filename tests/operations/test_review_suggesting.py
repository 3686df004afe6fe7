"""What is suggested for a role: each check at its boundary, and which of several wins."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixpanel_access.model import roles
from mixpanel_access.operations.review.packet import Suggestion
from mixpanel_access.operations.review.suggesting import CHECKS, Facts, advise, is_lower

TODAY = date(2026, 5, 4)
CUSTOM = "12345678-1234-1234-1234-123456789012"
FINE = Facts(
    role="analyst",
    standard="analyst",
    engagement="funnels",
    kind="analytics_review",
    approver="ana@example.com",
    ends=date(2026, 12, 31),
    last_login=date(2026, 5, 1),
    since=date(2026, 1, 1),
)


def ago(days: int) -> date:
    """A day before today."""
    return TODAY - timedelta(days=days)


CASES: dict[str, tuple[dict[str, Any], str, str | None, str]] = {
    "fine": ({}, "keep", None, "nothing speaks against it"),
    "ends today": ({"ends": TODAY}, "keep", None, "nothing"),
    "over": ({"ends": ago(1)}, "remove", None, "the engagement funnels ended on 2026-05-03"),
    "no end": ({"ends": None}, "keep", None, "nothing"),
    "89 days": ({"last_login": ago(89)}, "keep", None, "nothing"),
    "90 days": ({"last_login": ago(90)}, "lower", "consumer", "no login for 90 days"),
    "90 days, from outside": ({"last_login": ago(90), "external": True}, "remove", None, "no login for 90 days"),
    "90 days, lowest": ({"last_login": ago(90), "role": "consumer"}, "remove", None, "no login for 90 days"),
    "90 days, custom": ({"last_login": ago(90), "role": CUSTOM}, "remove", None, "no login for 90 days"),
    "unknown login": ({"last_login": None, "since": ago(999)}, "keep", None, "nothing"),
    "never, 29 days": ({"last_login": None, "never": True, "since": ago(29)}, "keep", None, "nothing"),
    "never, 30 days": ({"last_login": None, "never": True, "since": ago(30)}, "remove", None, "no login in 30 days"),
    "never, since unknown": ({"last_login": None, "never": True, "since": None}, "keep", None, "nothing"),
    "above": ({"role": "admin"}, "lower", "analyst", "analytics_review needs analyst at most in production"),
    "below": ({"role": "consumer"}, "keep", None, "nothing"),
    "custom": ({"role": CUSTOM}, "keep", None, "nothing"),
    "no standard": ({"role": "owner", "standard": None}, "keep", None, "nothing"),
    "outside, admin": ({"role": "admin", "standard": None, "external": True}, "lower", "analyst", "outside the"),
    "outside, analyst": ({"external": True}, "keep", None, "nothing"),
    "outside, staging": (
        {"role": "admin", "standard": "admin", "external": True, "environment": "staging"}, "keep", None, "nothing",
    ),
    "no engagement": ({"engagement": None}, "look", None, "nothing tells the engagement"),
    "no approver": ({"approver": None}, "look", None, "nothing tells the approver"),
    "neither": ({"engagement": None, "approver": ""}, "look", None, "the engagement or the approver"),
    "organization admin": (
        {"role": "admin", "in_project": False, "standard": "member"}, "lower", "member", "needs member at most",
    ),
    "organization, idle": (
        {"role": "billing_admin", "in_project": False, "last_login": ago(90)}, "lower", "member", "no login",
    ),
    "member, idle": ({"role": "member", "in_project": False, "last_login": ago(90)}, "remove", None, "no login"),
    "organization owner outside": (
        {"role": "owner", "in_project": False, "standard": None, "external": True}, "lower", "member", "outside",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "suggestion", "role", "words"), CASES.values(), ids=CASES.keys())
def test_each_check_at_its_boundary(changes: dict[str, Any], suggestion: str, role: str | None, words: str) -> None:
    """One fact is spoiled, or nearly."""
    advice = advise(replace(FINE, **changes), TODAY)
    assert (advice.suggestion.value, advice.role) == (suggestion, role)
    assert words in advice.reason


def test_every_check_can_speak_and_be_silent() -> None:
    """No check without a case that it finds, and none that always finds something."""
    everything = [replace(FINE, **changes) for changes, *_ in CASES.values()]
    for check in CHECKS:
        assert any(list(check(facts, TODAY)) for facts in everything)
        assert not list(check(FINE, TODAY))


def test_the_strongest_wins_and_every_reason_is_told() -> None:
    """Removal over lowering, lowering over a look; of two roles, the lower."""
    facts = replace(FINE, role="owner", standard="admin", external=True, approver=None)
    advice = advise(facts, TODAY)
    assert (advice.suggestion, advice.role) == (Suggestion.LOWER, "analyst")
    assert advice.reason.count(";") == 2
    gone = advise(replace(facts, ends=ago(1)), TODAY)
    assert (gone.suggestion, gone.role) == (Suggestion.REMOVE, None)
    assert gone.reason.count(";") == 3


@given(
    st.builds(
        Facts,
        role=st.sampled_from(roles.PROJECT_ROLES),
        standard=st.sampled_from([None, *roles.PROJECT_ROLES]),
        approver=st.sampled_from([None, "ana@example.com"]),
        ends=st.none() | st.dates(),
        last_login=st.none() | st.dates(),
        never=st.booleans(),
        since=st.none() | st.dates(),
        external=st.booleans(),
        environment=st.sampled_from(["production", "staging"]),
    )
)
def test_who_is_to_be_lowered_is_told_a_lower_role(facts: Facts) -> None:
    """Whatever the facts; and no other suggestion names a role."""
    advice = advise(facts, TODAY)
    assert (advice.role is not None) == (advice.suggestion is Suggestion.LOWER)
    assert advice.role is None or is_lower(advice.role, facts.role, in_project=True)
