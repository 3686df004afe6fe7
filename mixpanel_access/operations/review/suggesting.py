"""What is suggested for one role of one person, and why: a table of checks over a few facts. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from mixpanel_access.model import roles
from mixpanel_access.model.engagements import PRODUCTION
from mixpanel_access.operations.review.packet import Suggestion

IDLE_DAYS: Final = 90
"""Days without a login from which access counts as not used."""
UNUSED_DAYS: Final = 30
"""Days after which somebody who accepted the invitation should have logged in."""


@dataclass(frozen=True)
class Facts:
    """What is known of a role.

    Attributes:
        role: the role.
        in_project: whether it is a project role, and not the organization role.
        environment: the environment of the stack.
        standard: the highest role that the engagement's type needs, or None where there is none.
        engagement: the engagement's key, or None.
        kind: its type, or None.
        approver: who approved it, or None.
        ends: the last day, or None.
        last_login: the day of the last login, or None.
        never: whether they accepted the invitation and Mixpanel, which shows logins of others, shows none of theirs.
        since: since when the stack has it, or None.
        external: whether they are outside the company.
    """

    role: str
    in_project: bool = True
    environment: str = PRODUCTION
    standard: str | None = None
    engagement: str | None = None
    kind: str | None = None
    approver: str | None = None
    ends: date | None = None
    last_login: date | None = None
    never: bool = False
    since: date | None = None
    external: bool = False

    @property
    def lowest(self) -> str:
        """The lowest role of the kind."""
        return roles.CONSUMER if self.in_project else roles.MEMBER


@dataclass(frozen=True)
class Advice:
    """What is suggested.

    Attributes:
        suggestion: what to do.
        reason: why.
        role: the role to lower to.
    """

    suggestion: Suggestion
    reason: str
    role: str | None = None


def is_lower(role: str, than: str, *, in_project: bool) -> bool:
    """Whether a role is lower than another; a custom role has no height, and is none that one can lower to."""
    order = roles.PROJECT_ROLES if in_project else roles.ORGANIZATION_ROLES
    return role in order and than in order and order.index(role) > order.index(than)


def _over(facts: Facts, today: date) -> Iterator[Advice]:
    if facts.ends is not None and facts.ends < today:
        what = f"the engagement {facts.engagement}" if facts.engagement else "the access"
        yield Advice(Suggestion.REMOVE, f"{what} ended on {facts.ends}")


def _idle(facts: Facts, today: date) -> Iterator[Advice]:
    if facts.last_login is None or (days := (today - facts.last_login).days) < IDLE_DAYS:
        return
    reason = f"no login for {days} days"
    if facts.external or not is_lower(facts.lowest, facts.role, in_project=facts.in_project):
        yield Advice(Suggestion.REMOVE, reason)
    else:
        yield Advice(Suggestion.LOWER, reason, facts.lowest)


def _never_used(facts: Facts, today: date) -> Iterator[Advice]:
    if facts.never and facts.since is not None and (days := (today - facts.since).days) >= UNUSED_DAYS:
        yield Advice(Suggestion.REMOVE, f"the invitation is accepted, and there is no login in {days} days")


def _above_standard(facts: Facts, _today: date) -> Iterator[Advice]:
    if facts.standard is not None and is_lower(facts.standard, facts.role, in_project=facts.in_project):
        reason = f"an engagement of type {facts.kind} needs {facts.standard} at most in {facts.environment}"
        yield Advice(Suggestion.LOWER, reason, facts.standard)


def _external_admin(facts: Facts, _today: date) -> Iterator[Advice]:
    if facts.external and facts.environment == PRODUCTION and facts.role in (roles.OWNER, roles.ADMIN):
        to = roles.ANALYST if facts.in_project else roles.MEMBER
        yield Advice(Suggestion.LOWER, f"somebody outside the company is {facts.role} in production", to)


def _unexplained(facts: Facts, _today: date) -> Iterator[Advice]:
    missing = [name for name in ("engagement", "approver") if not getattr(facts, name)]
    if missing:
        yield Advice(Suggestion.LOOK, f"nothing tells the {' or the '.join(missing)}")


CHECKS: Final[tuple[Callable[[Facts, date], Iterator[Advice]], ...]] = (
    _over, _idle, _never_used, _above_standard, _external_admin, _unexplained,
)  # fmt: skip
"""Each says what it suggests, or nothing."""

_SEVERITY: Final = list(Suggestion)


def advise(facts: Facts, today: date) -> Advice:
    """The strongest of all that is suggested, with every reason; of several roles to lower to, the lowest.

    Args:
        facts: what is known.
        today: the day, UTC.
    """
    found = [advice for check in CHECKS for advice in check(facts, today)]
    if not found:
        return Advice(Suggestion.KEEP, "nothing speaks against it")
    strongest = max((advice.suggestion for advice in found), key=_SEVERITY.index)
    order = roles.PROJECT_ROLES if facts.in_project else roles.ORGANIZATION_ROLES
    lower = [advice.role for advice in found if advice.role is not None]
    role = max(lower, key=order.index) if strongest is Suggestion.LOWER else None
    return Advice(strongest, "; ".join(advice.reason for advice in found), role)
