"""How much a person's access deserves a look: points for facts, each with its reason in words. Pure.

The table of the facts is the whole rule. It is shown on the report's page and in its documentation as it stands here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from mixpanel_access.model import roles
from mixpanel_access.model.access import Invitation

DORMANT_AFTER: Final = timedelta(days=90)
"""How long ago the last login may be."""


class RiskLevel(StrEnum):
    """How soon to look."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


LEVELS: Final = {RiskLevel.HIGH: 50, RiskLevel.MEDIUM: 25, RiskLevel.LOW: 0}
"""The least points of each level, the highest first."""


@dataclass(frozen=True)
class AccessFacts:
    """What is known of one person's access; without a fact there are no points for it.

    Attributes:
        now: the instant that counts.
        organization_role: as Mixpanel has it, or None.
        production: the highest role in production by any way but the organization role, or None.
        where: the project in which they have it.
        outside: whether the address is none of the company's; None where nobody told which are.
        managed: whether a stack has the person.
        unmanaged_in: the projects with an individual grant that no stack has, of a person whom a stack has.
        raised: what is higher than declared, in words.
        over: the day on which access ended that is still there, or None.
        endless: whether something is declared without an end.
        unapproved: whether something is declared without an approver.
        without_engagement: whether something is declared without an engagement.
        invitation: how far they have come; None who is not in the organization.
        last_login: or None where none is known.
        many_ways: the projects that they reach by more than one way.
    """

    now: datetime
    organization_role: str | None = None
    production: str | None = None
    where: str = ""
    outside: bool | None = None
    managed: bool = True
    unmanaged_in: Sequence[str] = ()
    raised: Sequence[str] = ()
    over: date | None = None
    endless: bool = False
    unapproved: bool = False
    without_engagement: bool = False
    invitation: Invitation | None = Invitation.ACCEPTED
    last_login: datetime | None = None
    several_sources: Sequence[str] = ()


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
    """Why somebody has points."""

    factor: str
    points: int
    text: str


@dataclass(frozen=True)
class Risk:
    """One person's points.

    Attributes:
        score: their sum.
        level: what that means.
        reasons: each with its points, the most first.
    """

    score: int
    level: RiskLevel
    reasons: Sequence[Reason]


def risk_of(facts: AccessFacts) -> Risk:
    """Add up what the table says of one person's access."""
    reasons = sorted(_reasons(facts), key=lambda reason: -reason.points)
    score = sum(reason.points for reason in reasons)
    return Risk(score, level_of(score), reasons)


def level_of(score: int) -> RiskLevel:
    """The level of a sum of points."""
    return next(level for level, least in LEVELS.items() if score >= least)


def _reasons(facts: AccessFacts) -> Iterator[Reason]:
    for factor in FACTORS:
        if text := factor.reason(facts):
            yield Reason(factor.id, factor.points, text)


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
    if facts.now - facts.last_login > DORMANT_AFTER:
        return f"last login {(facts.now - facts.last_login).days} days ago"
    return None


def _listed(what: str, places: Sequence[str]) -> str | None:
    return f"{what} {', '.join(places)}" if places else None


FACTORS: Final = (
    Factor("organization-owner", 40, "Organization owner.", _organization(roles.OWNER)),
    Factor("organization-admin", 30, "Organization admin.", _organization(roles.ADMIN)),
    Factor("organization-billing-admin", 10, "Organization billing admin.", _organization(roles.BILLING_ADMIN)),
    Factor(
        "production-owner",
        30,
        "Owner of a project in production by another way than the organization role.",
        _production(roles.OWNER),
    ),
    Factor("production-admin", 25, "Admin of one, likewise.", _production(roles.ADMIN)),
    Factor("production-analyst", 10, "Analyst in one, likewise.", _production(roles.ANALYST)),
    Factor("production-custom", 10, "A custom role in one, likewise: what it allows is not known here.", _custom),
    Factor(
        "unmanaged",
        30,
        "No stack has the person: nobody has written down why, approved by whom, and until when.",
        lambda facts: None if facts.managed else "no stack has them",
    ),
    Factor(
        "over",
        30,
        "The access has ended and is not taken away.",
        lambda facts: f"the access ended on {facts.over} and is still there" if facts.over else None,
    ),
    Factor(
        "unmanaged-grant",
        20,
        "A stack has the person, and an individual grant that no stack has.",
        lambda facts: _listed("has a grant that no stack has in", facts.unmanaged_in),
    ),
    Factor(
        "raised",
        20,
        "A role is higher than the declared one.",
        lambda facts: "; ".join(facts.raised) or None,
    ),
    Factor(
        "outside",
        15,
        "The address is outside the company's domains (`mixpanel:companyDomains`).",
        lambda facts: "is outside the company" if facts.outside else None,
    ),
    Factor("endless", 10, "Declared without an end.", lambda facts: "has no end date" if facts.endless else None),
    Factor(
        "unapproved", 10, "Declared without an approver.", lambda facts: "has no approver" if facts.unapproved else None
    ),
    Factor(
        "no-engagement",
        5,
        "Declared without an engagement.",
        lambda facts: "has no engagement" if facts.without_engagement else None,
    ),
    Factor("dormant", 10, "In the organization, and the last login is more than 90 days ago or not known.", _dormant),
    Factor(
        "invitation-expired",
        5,
        "The invitation has expired.",
        lambda facts: "the invitation has expired" if facts.invitation is Invitation.EXPIRED else None,
    ),
    Factor(
        "several-ways",
        5,
        "Reaches a project by more than one way, so that taking one away changes nothing.",
        lambda facts: _listed("has several ways into", facts.several_sources),
    ),
)
"""Every fact that counts; each counts once."""
