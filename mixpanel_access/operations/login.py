"""How people log in: what is required of them, when they last did, and what to do about logins that failed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from mixpanel_access.directory.security import UNKNOWN
from mixpanel_access.model import audit
from mixpanel_access.model.access import Security
from mixpanel_access.model.address import same_key
from mixpanel_access.model.audit import LOGGED_IN, LOOK_BACK, AuditEvent
from mixpanel_access.model.roster.schema import OrganizationFacts

if TYPE_CHECKING:
    from mixpanel_access.directory.directory import Directory


def sso_required(security: Security, facts: OrganizationFacts) -> bool | None:
    """Whether single sign-on is required; None where nobody says."""
    told = security.sso.required
    return facts.login.sso_required if told is None else told


def second_factor_required(security: Security, facts: OrganizationFacts) -> bool | None:
    """Whether a second factor is required of who logs in with a password; None where nobody says."""
    told = security.two_factor_required
    return facts.login.mfa_required if told is None else told


def identity_provider(security: Security, facts: OrganizationFacts) -> str:
    """The identity provider's name, for a message."""
    return facts.login.identity_provider or security.sso.idp_name or "the identity provider"


ASK: Final = "ask them what the login page says: Mixpanel does not say why a login failed"
"""What to do where the factor is unknown."""
_SECOND_FACTOR: Final = (
    "have them try the newest code (for an app, the phone's clock must be right; for a text message, the number)"
)


def since_the_last_login(events: Sequence[AuditEvent], *, by: Callable[[str], bool]) -> list[AuditEvent]:
    """The failed logins after the last login that succeeded."""
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


@dataclass(frozen=True)
class Logins:
    """The last logins.

    Attributes:
        last: key of the address -> when; who is not in it has not logged in, or nobody knows.
        refused: why the audit log cannot be read, where the list of people shows no login; else "".
    """

    last: Mapping[str, datetime]
    refused: str = ""

    @property
    def warning(self) -> str:
        """What to say of what cannot be seen; "" for nothing."""
        if not self.refused:
            return ""
        return (
            "Mixpanel's list of people shows no last login, and the audit log cannot be read, so it is unknown who has "
            f"logged in: {self.refused}"
        )


def read_logins(directory: Directory, now: datetime) -> Logins:
    """The last logins; the audit log is read only where the list of people shows nobody's.

    Raises:
        MixpanelError: Mixpanel cannot be read at all.
    """
    shown = {key: person.last_login for key, person in directory.people().items() if person.last_login}
    if shown:
        return Logins(shown)
    last: dict[str, datetime] = {}
    try:
        for event in directory.audit_events((LOGGED_IN,), now - LOOK_BACK, now):  # the newest first
            last.setdefault(same_key(event.email), event.at)
    except UNKNOWN as error:
        return Logins({}, error.why or error.what)
    return Logins(last)
