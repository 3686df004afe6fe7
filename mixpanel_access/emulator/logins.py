"""Logins: accepting an invitation, and logging in. People do this in a browser, so no API verb does it.

For required SSO and its exceptions, see contract, section 13.
"""

from __future__ import annotations

from mixpanel_access.emulator import rules
from mixpanel_access.emulator.answer import Refusal
from mixpanel_access.emulator.document import SsoPart
from mixpanel_access.emulator.recording import Audit, person
from mixpanel_access.emulator.store import MemberRow, Store
from mixpanel_access.model import roles
from mixpanel_access.model.address import domain_of


def accept(store: Store, email: str, method: str | None, client_ip: str | None) -> MemberRow:
    """Let an invited person join and log in.

    Args:
        store: the organization.
        email: the person.
        method: how they log in; None takes SSO for a verified domain if it is on, else the password.
        client_ip: the address that they come from.

    Raises:
        Refusal: nobody with this address is invited (404); the invitation has expired, or they cannot log in (409).
    """
    member = store.member(email)
    if member is None or not member.invited:
        raise Refusal(404, f"no invitation to {email}")
    if store.expired(member):
        raise Refusal(409, f"the invitation to {email} has expired")
    sso = _sso(store)
    method = method or _default_method(sso, email)
    reason = rules.why_no_login(sso, member.role, email, method)
    if reason:
        raise Refusal(409, reason)
    store.accept(email)
    joined = _member(store, email)
    own = Audit(store, person(joined, client_ip))
    own.invitation_accepted(joined)
    Audit(store, store.inviter(email) or own.actor).user_added(joined, "invitation")
    _let_in(store, joined, method, own)
    return joined


def log_in(
    store: Store,
    email: str,
    method: str | None,
    client_ip: str | None,
    failed: str | None = None,
    factor: str | None = None,
) -> str | None:
    """Log a person in, or record why the login fails; the reason, or None.

    If the identity provider manages access, a stranger's first login by SSO makes them a member.

    Args:
        store: the organization.
        email: the person.
        method: see `accept`.
        client_ip: the address that they come from.
        failed: why the attempt itself fails, such as a wrong password.
        factor: what fails in it; None for the method.

    Raises:
        Refusal: nobody with this address is a member (404).
    """
    sso = _sso(store)
    method = method or _default_method(sso, email)
    if failed is None and store.member(email) is None and _joins_by_sso(sso, email, method):
        store.put_member(email, roles.MEMBER, invited=False)
        joined = _member(store, email)
        Audit(store, person(joined, client_ip)).user_added(joined, "sso_jit")
    member = _member(store, email)
    audit = Audit(store, person(member, client_ip))
    deactivated = None if member.active else f"{email} is deactivated"
    reason = failed or deactivated or rules.why_no_login(sso, member.role, email, method)
    if reason:
        audit.login_failed(member, factor or method, reason)
    else:
        _let_in(store, member, method, audit)
    return reason


def _let_in(store: Store, member: MemberRow, method: str, audit: Audit) -> None:
    store.log_in(member.email)
    audit.logged_in(member, method)


def _joins_by_sso(sso: SsoPart, email: str, method: str) -> bool:
    return sso.idp_managed and rules.why_no_login(sso, roles.MEMBER, email, method) is None and method == rules.SSO


def _default_method(sso: SsoPart, email: str) -> str:
    return rules.SSO if sso.enabled and sso.has_verified(domain_of(email)) else "password"


def _sso(store: Store) -> SsoPart:
    return SsoPart.model_validate(store.setting("security")["sso"])


def _member(store: Store, email: str) -> MemberRow:
    member = store.member(email)
    if member is None or member.invited:
        raise Refusal(404, f"{email} is not a member of the organization")
    return member
