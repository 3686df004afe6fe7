"""The points of a person's access: each row of the table gives them, and not a step before it should."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from mixpanel_access.model.access import Invitation
from mixpanel_access.operations.policy_check import Violation
from mixpanel_access.operations.report.risk import (
    FACTORS,
    LEVELS,
    SEVERITY_POINTS,
    AccessFacts,
    RiskLevel,
    level_of,
    risk_of,
)
from mixpanel_access.rules.catalogue import RULES, find
from mixpanel_access.rules.rule import Level, Severity
from tests.fakes import NOW

QUIET = AccessFacts(NOW, "member", "consumer", "Shop", outside=False, last_login=NOW, idle_days=90)
"""Declared, approved, ending, inside, and here lately."""
CUSTOM = "5b0c0c3e-0000-4000-8000-000000000001"
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)

ROWS: dict[str, tuple[list[dict[str, Any]], list[dict[str, Any]], str]] = {
    "organization-owner": (
        [{"organization_role": "owner"}],
        [{"organization_role": "admin"}, {"organization_role": None}],
        "is organization owner",
    ),
    "organization-admin": (
        [{"organization_role": "admin"}],
        [{"organization_role": "owner"}, {"organization_role": "billing_admin"}],
        "is organization admin",
    ),
    "organization-billing-admin": (
        [{"organization_role": "billing_admin"}],
        [{"organization_role": "admin"}, {"organization_role": "member"}],
        "is organization billing admin",
    ),
    "production-owner": ([{"production": "owner"}], [{"production": "admin"}], "is owner in Shop"),
    "production-admin": ([{"production": "admin"}], [{"production": "owner"}, {"production": "analyst"}],
                         "is admin in Shop"),
    "production-analyst": ([{"production": "analyst"}], [{"production": "consumer"}, {"production": None}],
                           "is analyst in Shop"),
    "production-custom": ([{"production": CUSTOM}], [{"production": "analyst"}], "has a custom role in Shop"),
    "unmanaged": ([{"managed": False}], [{"managed": True}], "no stack has them"),
    "unmanaged-grant": ([{"unmanaged_in": ["Shop", "Lab"]}], [{"unmanaged_in": []}],
                        "has a grant that no stack has in Shop, Lab"),
    "raised": ([{"raised": ["is owner where admin is declared"]}], [{"raised": []}],
               "is owner where admin is declared"),
    "outside": ([{"outside": True}], [{"outside": False}, {"outside": None}], "is outside the company"),
    "dormant": (
        [{"last_login": NOW - 90 * DAY - SECOND}],
        [{"last_login": NOW - 90 * DAY}, {"last_login": None, "invitation": Invitation.PENDING},
         {"last_login": None, "invitation": Invitation.EXPIRED}, {"last_login": None, "invitation": None}],
        "last login 90 days ago",
    ),
    "invitation-expired": ([{"invitation": Invitation.EXPIRED}], [{"invitation": Invitation.PENDING}],
                           "the invitation has expired"),
    "several-ways": ([{"several_sources": ["Shop"]}], [{"several_sources": []}], "has several grants into Shop"),
}  # fmt: skip


def factors(**facts: object) -> dict[str, str]:
    """The facts that count, with their words."""
    return {reason.factor: reason.text for reason in risk_of(replace(QUIET, **facts)).reasons}  # type: ignore[arg-type]


def test_quiet_access_has_no_points() -> None:
    """The lowest level, and no reason."""
    assert risk_of(QUIET) == risk_of(QUIET).__class__(0, RiskLevel.LOW, [])


@pytest.mark.parametrize("name", ROWS)
def test_each_row_counts_alone_and_not_without_its_fact(name: str) -> None:
    """Each fact gives its own points with its reason; what is next to it does not."""
    points = {factor.id: factor.points for factor in FACTORS}
    yes, no, words = ROWS[name]
    for facts in yes:
        risk = risk_of(replace(QUIET, **facts))
        assert [(one.factor, one.text) for one in risk.reasons] == [(name, words)]
        assert risk.score == points[name] > 0
    for facts in no:
        assert name not in factors(**facts)


def test_every_row_has_its_case() -> None:
    """None is left out, and no two have a name."""
    assert list(ROWS) == [factor.id for factor in FACTORS]


def test_a_login_that_nobody_knows_is_told_as_that() -> None:
    """It is not the same as never."""
    assert factors(last_login=None) == {"dormant": "no login is known"}


def test_points_add_up_the_most_first() -> None:
    """The sum is the score; the reasons stand by their weight."""
    risk = risk_of(replace(QUIET, organization_role="admin", outside=True, several_sources=["Shop"], managed=False))
    assert (risk.score, risk.level) == (80, RiskLevel.HIGH)
    assert [reason.points for reason in risk.reasons] == [30, 30, 15, 5]


def found(rule: str, text: str) -> Violation:
    """What a rule finds."""
    return Violation(find(rule), Level.ADVISORY, text, "kim@example.com")


def test_a_policy_finding_counts_by_the_severity_of_its_rule() -> None:
    """Once a rule, however often it finds something; a low finding is the least."""
    by_severity = {rule.severity: rule.id for rule in RULES if rule.id != "dormant-account"}
    assert by_severity.keys() == SEVERITY_POINTS.keys()
    for severity, rule in by_severity.items():
        risk = risk_of(QUIET, [found(rule, "so it is"), found(rule, "so it is")])
        assert [(one.factor, one.text, one.points) for one in risk.reasons] == [
            (rule, "so it is", SEVERITY_POINTS[severity])
        ]
    points = [SEVERITY_POINTS[severity] for severity in Severity]
    assert points == sorted(set(points))


def test_dormancy_counts_once_and_by_the_days_of_the_rule() -> None:
    """The fact is of today, the rule's finding of the last refresh."""
    idle = replace(QUIET, last_login=NOW - 91 * DAY)
    assert [one.factor for one in risk_of(idle, [found("dormant-account", "long ago")]).reasons] == ["dormant"]
    assert factors(last_login=NOW - 91 * DAY, idle_days=365) == {}
    assert factors(last_login=NOW - 31 * DAY, idle_days=30) == {"dormant": "last login 31 days ago"}


@pytest.mark.parametrize(
    ("score", "level"), [(0, "low"), (24, "low"), (25, "medium"), (49, "medium"), (50, "high"), (400, "high")]
)
def test_the_levels_have_edges(score: int, level: str) -> None:
    """A level begins with its own number."""
    assert level_of(score) == level
    assert list(LEVELS.values()) == sorted(LEVELS.values(), reverse=True)
