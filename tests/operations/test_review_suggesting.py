"""What is suggested for a role: each rule at its boundary, by the stack's own options, and which of several wins."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixpanel_access.model import roles
from mixpanel_access.operations.policy_check import PolicyConfig
from mixpanel_access.operations.review.suggesting import Advice, ReviewRules, Role, advise, is_lower
from mixpanel_access.rules.catalogue import EXCEPTABLE, RULES
from mixpanel_access.rules.entry import Entry, Type
from mixpanel_access.rules.facts import Context
from mixpanel_access.rules.rule import Suggestion

TODAY = date(2026, 5, 4)
CUSTOM = "12345678-1234-1234-1234-123456789012"
OUTSIDE = "kay@agency.example.org"
COMPANY = frozenset({"example.com"})
FINE: dict[str, Any] = {
    "email": "kim@example.com",
    "role": "analyst",
    "engagement_type": "analytics_review",
    "ends": "2026-12-31",
    "last_login": "2026-05-01",
    "status": "accepted",
    "since": date(2026, 1, 1),
    "engagement": "funnels",
    "approver": "ana@example.com",
    "environment": "production",
}


def ago(days: int) -> str:
    """A day before today."""
    return (TODAY - timedelta(days=days)).isoformat()


def advice(policies: dict[str, Any] | None = None, **changes: Any) -> Advice:
    """What is suggested for a role in a project, or with `organization=True` for the organization role."""
    facts = FINE | changes
    shown = {name: facts[name] for name in ("email", "status", "last_login", "engagement_type")}
    shown["starts"] = facts.get("starts")
    names = ("email", "role", "engagement_type", "ends", "environment", "approver", "exceptions")
    values = {name: facts.get(name) for name in names}
    type_ = Type.MEMBER if facts.get("organization") else Type.GRANT
    role = Role(
        Entry(type_, "role", values=values | ({} if type_ == Type.MEMBER else {"project_id": 7})),
        Entry(Type.MEMBER, "person", values=shown),
        engagement=facts["engagement"],
        approver=facts["approver"],
        never=facts.get("never", False),
        since=facts["since"],
    )
    context = Context(TODAY, "production", facts.get("company", COMPANY), rules=EXCEPTABLE)
    return advise(role, ReviewRules.of(context, PolicyConfig(policies or {})))


CASES: dict[str, tuple[dict[str, Any], str, str | None, str]] = {
    "fine": ({}, "keep", None, "no rule objects"),
    "ends today": ({"ends": ago(0)}, "keep", None, "no rule objects"),
    "over": ({"ends": ago(1)}, "remove", None, "the access ended on 2026-05-03"),
    "no end": ({"ends": None}, "keep", None, "no rule objects"),
    "90 days": ({"last_login": ago(90)}, "keep", None, "no rule objects"),
    "91 days": ({"last_login": ago(91)}, "lower", "consumer", "the last login was on 2026-02-02, 91 days ago"),
    "91 days, just begun": ({"last_login": ago(91), "starts": ago(1)}, "keep", None, "no rule objects"),
    "91 days, invited again": ({"last_login": ago(91), "status": "pending"}, "keep", None, "no rule objects"),
    "91 days, from outside": ({"last_login": ago(91), "email": OUTSIDE}, "remove", None, "91 days ago"),
    "91 days, lowest": ({"last_login": ago(91), "role": "consumer"}, "remove", None, "91 days ago"),
    "91 days, custom": ({"last_login": ago(91), "role": CUSTOM}, "remove", None, "91 days ago"),
    "unknown login": ({"last_login": None, "since": TODAY - timedelta(days=999)}, "keep", None, "no rule objects"),
    "never, 29 days": (
        {"last_login": None, "never": True, "since": TODAY - timedelta(days=29)}, "keep", None, "no rule objects",
    ),
    "never, 30 days": (
        {"last_login": None, "never": True, "since": TODAY - timedelta(days=30)}, "remove", None, "no login in 30 days",
    ),
    "never, since unknown": ({"last_login": None, "never": True, "since": None}, "keep", None, "no rule objects"),
    "above": ({"role": "admin"}, "lower", "analyst", "analytics_review needs analyst at most in this environment"),
    "below": ({"role": "consumer"}, "keep", None, "no rule objects"),
    "custom": ({"role": CUSTOM}, "keep", None, "no rule objects"),
    "no type": ({"role": "owner", "engagement_type": None}, "keep", None, "no rule objects"),
    "no such type": ({"engagement_type": "tea"}, "check", None, "'tea' is not an engagement type"),
    "outside, admin": (
        {"role": "admin", "engagement_type": "implementation", "email": OUTSIDE}, "lower", "analyst", "outside the",
    ),
    "outside, no type": ({"engagement_type": None, "email": OUTSIDE}, "check", None, "no engagement with a type"),
    "outside, analyst": ({"email": OUTSIDE}, "keep", None, "no rule objects"),
    "outside, staging": (
        {"role": "admin", "engagement_type": "implementation", "email": OUTSIDE, "environment": "staging"},
        "keep", None, "no rule objects",
    ),
    "outside, no company": (
        {"role": "admin", "engagement_type": None, "email": OUTSIDE, "company": frozenset()},
        "keep",
        None,
        "no rule objects",
    ),
    "no engagement": ({"engagement": None}, "check", None, "the roster names no engagement"),
    "no approver": ({"approver": None}, "check", None, "the roster names no approver"),
    "neither": ({"engagement": None, "approver": ""}, "check", None, "no engagement and no approver"),
    "organization admin": ({"role": "admin", "organization": True}, "lower", "member", "needs organization member"),
    "organization, idle": (
        {"role": "billing_admin", "organization": True, "engagement_type": None, "last_login": ago(91)},
        "lower", "member", "91 days ago",
    ),
    "member, idle": ({"role": "member", "organization": True, "last_login": ago(91)}, "remove", None, "91 days ago"),
    "organization owner outside": (
        {"role": "owner", "organization": True, "engagement_type": "implementation", "email": OUTSIDE},
        "lower", "member", "may not be organization owner",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "suggestion", "role", "words"), CASES.values(), ids=CASES.keys())
def test_each_rule_at_its_boundary(changes: dict[str, Any], suggestion: str, role: str | None, words: str) -> None:
    """One fact is spoiled, or nearly."""
    found = advice(**changes)
    assert (found.suggestion.value, found.role) == (suggestion, role)
    assert words in found.reason


POLICIES: dict[str, tuple[dict[str, Any], dict[str, Any], str, str | None]] = {
    "idle sooner": ({"dormant-account": {"days": 10}}, {"last_login": ago(11)}, "lower", "consumer"),
    "idle later": ({"dormant-account": {"days": 365}}, {"last_login": ago(91)}, "keep", None),
    "never, sooner": (
        {"dormant-account": {"neverDays": 7}}, {"last_login": None, "never": True, "since": TODAY - timedelta(days=7)},
        "remove", None,
    ),
    "a higher standard": (
        {"role-within-standard": {"standards": {"analytics_review": {"production": "admin"}}}}, {"role": "admin"},
        "keep", None,
    ),
    "a lower standard": (
        {"role-within-standard": {"standards": {"analytics_review": {"production": "consumer"}}}}, {},
        "lower", "consumer",
    ),
    "a lower limit": ({"external-within-limit": {"externalInProduction": "consumer"}}, {"email": OUTSIDE},
                      "lower", "consumer"),
    "a rule that is off": ({"role-within-standard": "disabled"}, {"role": "admin"}, "keep", None),
}  # fmt: skip


@pytest.mark.parametrize(("policies", "changes", "suggestion", "role"), POLICIES.values(), ids=POLICIES.keys())
def test_a_suggestion_follows_the_policy_configuration_of_the_stack(
    policies: dict[str, Any], changes: dict[str, Any], suggestion: str, role: str | None
) -> None:
    """What is too much, too long or too high is decided in one place: the rule and its options."""
    found = advice(policies, **changes)
    assert (found.suggestion.value, found.role) == (suggestion, role)


def test_an_exception_silences_the_suggestion_of_its_rule_too() -> None:
    """What somebody approved as an exception is not suggested to be lowered."""
    exception = {
        "rule": "role-within-standard", "reason": "a migration", "approver": "ana@example.com", "ends": "2026-06-01",
        "ticket": "ACC-9", "starts": "2026-05-01",
    }  # fmt: skip
    assert advice(role="admin").suggestion is Suggestion.LOWER
    assert advice(role="admin", exceptions=[exception]).suggestion is Suggestion.KEEP


def test_every_rule_that_a_review_asks_is_tried_here() -> None:
    """No rule suggests anything without a case above in which it does."""
    spoiled = [advice(**changes).reason for changes, *_ in CASES.values()]
    silent = []
    for rule in RULES:
        if rule.suggestion is not None:
            off = [advice({rule.id: "disabled"}, **changes).reason for changes, *_ in CASES.values()]
            silent += [rule.id] if off == spoiled else []
    assert silent == ["collaborator-not-project-owner"]  # a project's owner from outside is above every other limit too


def test_the_strongest_wins_and_every_reason_is_shown() -> None:
    """Removal over lowering, lowering over a check; of two roles, the lower."""
    facts: dict[str, Any] = {
        "role": "owner", "engagement_type": "implementation", "email": OUTSIDE, "approver": None,
    }  # fmt: skip
    found = advice(**facts)
    assert (found.suggestion, found.role) == (Suggestion.LOWER, "analyst")
    assert "a collaborator may not own a project" in found.reason
    assert "names no approver" in found.reason
    gone = advice(**facts, ends=ago(1))
    assert (gone.suggestion, gone.role) == (Suggestion.REMOVE, None)
    assert gone.reason.count(";") == found.reason.count(";") + 1


@given(
    st.fixed_dictionaries(
        {
            "role": st.sampled_from(roles.PROJECT_ROLES),
            "engagement_type": st.sampled_from([None, "analytics_review", "implementation", "tea"]),
            "approver": st.sampled_from([None, "ana@example.com"]),
            "ends": st.none() | st.dates().map(date.isoformat),
            "last_login": st.none() | st.dates().map(date.isoformat),
            "never": st.booleans(),
            "since": st.none() | st.dates(max_value=TODAY),
            "email": st.sampled_from([FINE["email"], OUTSIDE]),
            "environment": st.sampled_from(["production", "staging"]),
        }
    )
)
def test_a_suggestion_to_lower_names_a_lower_role(facts: dict[str, Any]) -> None:
    """Whatever the facts; and no other suggestion names a role."""
    found = advice(**facts)
    assert (found.role is not None) == (found.suggestion is Suggestion.LOWER)
    assert found.role is None or is_lower(found.role, facts["role"], in_project=True)
