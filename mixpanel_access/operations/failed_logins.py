"""Logins that failed: with which factor, and what to do about each. Pure.

What the log calls by a word that we do not know, or by none, is unknown: no advice rests on it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from mixpanel_access.model import audit
from mixpanel_access.model.audit import AuditEvent

ASK: Final = "ask them what the login page says: Mixpanel does not tell what the login failed with"
"""What to do where the factor is unknown."""
_SECOND_FACTOR: Final = (
    "have them try the newest code (for an app, the phone's clock must be right; for a text message, the number)"
)


def since_the_last_login(events: Sequence[AuditEvent], *, by: Callable[[str], bool]) -> list[AuditEvent]:
    """The failed logins after the last login that succeeded.

    Args:
        events: of one person, the newest first.
        by: which factors are meant.
    """
    last = next((event for event in events if event.type == audit.LOGGED_IN), None)
    failed = (event for event in events if event.type == audit.LOGIN_FAILED and by(event.method))
    return [event for event in failed if last is None or event.at > last.at]


def is_unknown(factor: str) -> bool:
    """Whether a factor is none that we know."""
    return factor not in audit.FACTORS


def factors_of(failed: Sequence[AuditEvent]) -> str:
    """With which factors logins failed, in words."""
    factors = sorted({event.method for event in failed})
    known = [factor for factor in factors if not is_unknown(factor)]
    odd = [factor for factor in factors if is_unknown(factor)]
    named = ", ".join(filter(None, odd))
    return ", ".join(known + (["an unknown factor" + (f" ({named})" if named else "")] if odd else []))


def advice(failed: Sequence[AuditEvent], email: str, *, sso_alone: bool, second_factor: bool) -> list[str]:
    """What to do about logins that failed with anything but single sign-on, the surest first.

    Args:
        failed: those logins.
        email: the person's address.
        sso_alone: whether the person can log in by single sign-on alone, so that no password helps.
        second_factor: whether a second factor is required of everybody.
    """
    factors = {event.method for event in failed}
    lines = []
    if audit.PASSWORD in factors and sso_alone:
        lines.append("single sign-on is required of them: have them choose it on the login page, not a password")
    elif audit.PASSWORD in factors:
        lines.append("have them reset the password on the login page")
    if factors & audit.SECOND_FACTORS:
        lines += [_SECOND_FACTOR, "if it fails again, have an organization owner or admin reset their second factor"]
    elif audit.PASSWORD in factors and second_factor and not sso_alone:
        lines.append("a second factor is required: have them set it up, or an organization owner or admin reset it")
    if "magic_link" in factors:
        lines.append("have them ask for a new link on the login page, and open the newest one only")
    if "social" in factors:
        lines.append(f"have them choose the account with the address {email}, or log in another way")
    if any(map(is_unknown, factors)):
        lines.append(ASK)
    return lines
