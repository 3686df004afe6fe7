"""How much a person's access deserves attention: points for policy findings and for facts that only Mixpanel has. Pure.

A policy finding counts by the severity of its rule. The report's page shows both tables as they stand here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from mixpanel_access.model import roles
from mixpanel_access.model.access import Invitation
from mixpanel_access.operations.policy_check import Violation
from mixpanel_access.rules.rule import Severity


class RiskLevel(StrEnum):
    """How soon to look."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


DORMANT_RULE: Final = "dormant-account"
SEVERITY_POINTS: Final = {Severity.CRITICAL: 20, Severity.HIGH: 10, Severity.MEDIUM: 4, Severity.LOW: 1}
"""What a finding of a policy rule adds, by the rule's severity."""
LEVELS: Final = {RiskLevel.HIGH: 50, RiskLevel.MEDIUM: 25, RiskLevel.LOW: 0}
"""The least points of each level, the highest first."""


@dataclass(frozen=True)
class AccessFacts:
    """What is known of one person's access; without a fact there are no points for it.

    Attributes:
        organization_role: as Mixpanel has it, or None.
        production: the highest role in production through anything but the organization role, or None.
        where: the project in which they have it.
        outside: whether the address is none of the company's; None where the domains of the company are not known.
        managed: whether a stack has the person.
        unmanaged_in: the projects in which a person that a stack has also has an individual grant that no stack has.
        raised: what is higher than declared, in words.
        invitation: how far they have come; None who is not in the organization.
        last_login: or None where none is known.
        several_sources: the projects that they reach through more than one grant.
        idle_days: the days for which they may stay away.
    """

    now: datetime
    organization_role: str | None = None
    production: str | None = None
    where: str = ""
    outside: bool | None = None
    managed: bool = True
    unmanaged_in: Sequence[str] = ()
    raised: Sequence[str] = ()
    invitation: Invitation | None = Invitation.ACCEPTED
    last_login: datetime | None = None
    several_sources: Sequence[str] = ()
    _: KW_ONLY
    idle_days: int


@dataclass(frozen=True)
class Factor:
    """One row of the table.

    Attributes:
        id: its name in the JSON document.
        points: what it adds.
        rule: when, in words.
        reason: the reason for one person, in words; None where the fact is not so.
    """

    id: str
    points: int
    rule: str
    reason: Callable[[AccessFacts], str | None]


@dataclass(frozen=True)
class Reason:
    """One reason for a person's points.

    Attributes:
        factor: the id of a factor or of a policy rule.
        points: the points that it adds.
        text: the reason, in words.
    """

    factor: str
    points: int
    text: str


@dataclass(frozen=True)
class Risk:
    """One person's points.

    Attributes:
        score: the sum of the points.
        level: the level of risk.
        reasons: the reasons, the one with the most points first.
    """

    score: int
    level: RiskLevel
    reasons: Sequence[Reason]


def risk_of(facts: AccessFacts, findings: Iterable[Violation] = ()) -> Risk:
    """Add up the points of one person's access.

    Each policy rule that finds something about the person counts once.
    """
    rules = {one.rule.id: Reason(one.rule.id, SEVERITY_POINTS[one.rule.severity], one.text) for one in findings}
    rules.pop(DORMANT_RULE, None)  # the fact says it as of today, the rule as of the last refresh
    known = [Reason(one.id, one.points, text) for one in FACTORS if (text := one.reason(facts))]
    reasons = sorted([*known, *rules.values()], key=lambda reason: -reason.points)
    score = sum(reason.points for reason in reasons)
    return Risk(score, level_of(score), reasons)


def level_of(score: int) -> RiskLevel:
    """The level of a sum of points."""
    return next(level for level, least in LEVELS.items() if score >= least)


def _organization(role: str) -> Callable[[AccessFacts], str | None]:
    word = role.replace("_", " ")
    return lambda facts: f"is organization {word}" if facts.organization_role == role else None


def _production(*wanted: str) -> Callable[[AccessFacts], str | None]:
    return lambda facts: f"is {facts.production} in {facts.where}" if facts.production in wanted else None


def _custom(facts: AccessFacts) -> str | None:
    is_custom = facts.production is not None and roles.is_custom(facts.production)
    return f"has a custom role in {facts.where}" if is_custom else None


def _dormant(facts: AccessFacts) -> str | None:
    if facts.invitation is not Invitation.ACCEPTED:
        return None
    if facts.last_login is None:
        return "no login is known"
    if facts.now - facts.last_login > timedelta(days=facts.idle_days):
        return f"last login {(facts.now - facts.last_login).days} days ago"
    return None


def _listed(what: str, places: Sequence[str]) -> str | None:
    return f"{what} {', '.join(places)}" if places else None


FACTORS: Final = (
    Factor("organization-owner", 40, "Organization owner.", _organization(roles.OWNER)),
    Factor("organization-admin", 30, "Organization admin.", _organization(roles.ADMIN)),
    Factor("organization-billing-admin", 10, "Organization billing admin.", _organization(roles.BILLING_ADMIN)),
    Factor("production-owner", 30, "Owner of a project in production through something other than the organization "
           "role.", _production(roles.OWNER)),
    Factor("production-admin", 25, "Admin of one, likewise.", _production(roles.ADMIN)),
    Factor("production-analyst", 10, "Analyst in one, likewise.", _production(roles.ANALYST)),
    Factor("production-custom", 10, "A custom role in one, likewise: what it allows is not known here.", _custom),
    Factor("unmanaged", 30, "No stack has the person: nothing says why they have access, who approved it, and until "
           "when.", lambda facts: None if facts.managed else "no stack has them"),
    Factor("unmanaged-grant", 20, "A stack has the person, and an individual grant that no stack has.",
           lambda facts: _listed("has a grant that no stack has in", facts.unmanaged_in)),
    Factor("raised", 20, "A role is higher than the declared one.", lambda facts: "; ".join(facts.raised) or None),
    Factor("outside", 15, "The address is outside the company's domains (`mixpanel:companyDomains`).",
           lambda facts: "is outside the company" if facts.outside else None),
    Factor("dormant", 10, "In the organization, and the last login is longer ago than the rule "
           f"`{DORMANT_RULE}` allows, or not known.", _dormant),
    Factor("invitation-expired", 5, "The invitation has expired.",
           lambda facts: "the invitation has expired" if facts.invitation is Invitation.EXPIRED else None),
    Factor("several-ways", 5, "Reaches a project through more than one grant, so that taking one away changes nothing.",
           lambda facts: _listed("has several grants into", facts.several_sources)),
)  # fmt: skip
"""Every fact that counts; each counts once."""


def points_table() -> list[tuple[int, str]]:
    """What gives points, and how many."""
    rules = [
        (points, f"A finding of a policy rule of {severity} severity.") for severity, points in SEVERITY_POINTS.items()
    ]
    return [*rules, *((factor.points, factor.rule) for factor in FACTORS)]
