"""The rules that the server enforces, as pure functions (contract, section 13)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from mixpanel_access.emulator.answer import PlanRefusal, Refusal
from mixpanel_access.emulator.document_parts import SsoPart
from mixpanel_access.model import roles
from mixpanel_access.model.address import domain_of

SSO: Final = "sso"
MAILS_PER_HOUR: Final = 10
_HOUR: Final = timedelta(hours=1)
_FREE_PLAN_ROLES: Final = (roles.OWNER, roles.BILLING_ADMIN)


def must_have(plan: str, feature: str) -> None:
    """Custom roles and SCIM are for the plan enterprise."""
    if plan != "enterprise":
        raise PlanRefusal(feature)


def why_no_login(sso: SsoPart, role: str, email: str, method: str) -> str | None:
    """Why SSO does not let somebody in, or None where it does.

    With required SSO passwords are refused, except for organization owners and admins; people of an unclaimed domain
    have nothing else, and cannot log in.

    Args:
        sso: the organization's settings.
        role: the person's organization role.
        email: their address.
        method: how they log in.
    """
    verified = sso.has_verified(domain_of(email))
    if method == SSO:
        if not sso.enabled:
            return "SSO is not enabled"
        return None if verified else f"{email} is of no verified domain, and cannot log in by SSO"
    if not sso.required or role in roles.MANAGING_ROLES:
        return None
    if verified:
        return f"SSO is required, and {email} cannot log in by {method}"
    return f"SSO is required, and {email} is of no verified domain"


def must_manage(own: str) -> None:
    """Only an organization's owners and admins manage people."""
    if own not in roles.MANAGING_ROLES:
        raise Refusal(403, f"the role {own} may not manage the users of the organization")


def must_assign(own: str, role: str, plan: str) -> None:
    """Nobody gives an organization role above their own; the free plan has two roles only."""
    if role not in roles.ORGANIZATION_ROLES:
        raise Refusal(400, f"{role} is not an organization role")
    if not roles.may_assign(own, role):
        raise Refusal(403, f"the role {own} may not assign the organization role {role} (edit_userroles)")
    if plan == "free" and role not in _FREE_PLAN_ROLES:
        raise PlanRefusal(f"the organization role {role}")


def must_assign_in_project(own: str, role: str, custom_roles: Sequence[str]) -> None:
    """Nobody gives a project role above the one that their organization role gives them."""
    if role not in roles.PROJECT_ROLES and role not in custom_roles:
        raise Refusal(400, f"{role} is not a role of the project")
    if not roles.may_assign_in_project(own, role):
        raise Refusal(403, f"the role {own} may not assign the project role {role}")


def must_be_below(own: str, role: str, email: str) -> None:
    """People are removed only by somebody whose role is above theirs; taken literally, owners by nobody."""
    if roles.organization_rank(role) >= roles.organization_rank(own):
        raise Refusal(403, f"{email} has the role {role}, which is not below {own} (delete_members)")


def must_change(own: str, old: str, email: str) -> None:
    """An admin does not touch an owner's role."""
    if roles.organization_rank(old) > roles.organization_rank(own):
        raise Refusal(403, f"{email} has the role {old}, which is above {own} (edit_userroles)")


def must_leave_an_owner(owners_left: int) -> None:
    """An organization always has an owner."""
    if owners_left < 1:
        raise Refusal(400, "an organization must have at least one owner")


def must_be_within_limit(sent: Sequence[datetime], more: int, now: datetime, domain: str) -> None:
    """About 10 invitation e-mails an hour and domain: a sliding hour by the emulator's clock.

    Args:
        sent: when e-mails went out to the domain within the last hour, in order.
        more: how many the request would send.
        now: the emulator's present.
        domain: the domain.
    """
    if len(sent) + more <= MAILS_PER_HOUR:
        return
    if more > MAILS_PER_HOUR:
        seconds = _HOUR.total_seconds()  # such a request never fits
    else:
        frees = sent[len(sent) + more - MAILS_PER_HOUR - 1] + _HOUR
        seconds = (frees - now).total_seconds()
    words = f"the limit of {MAILS_PER_HOUR} invitation e-mails an hour to {domain} is reached"
    raise Refusal(429, words, {"Retry-After": str(max(1, math.ceil(seconds)))})


def hour_before(now: datetime) -> datetime:
    """The instant after which an e-mail still counts against the limit."""
    return now - _HOUR
