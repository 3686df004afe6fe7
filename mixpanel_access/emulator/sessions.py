"""How people come in: an invitation accepted, a login that succeeds or fails. In a browser, so never by the API."""

from __future__ import annotations

from mixpanel_access.emulator.answer import Refusal
from mixpanel_access.emulator.recording import Audit, person
from mixpanel_access.emulator.store import Member, Store


def accept(store: Store, email: str, method: str, client_ip: str | None) -> Member:
    """The invited person joins and is logged in.

    Raises:
        Refusal: nobody is invited so (404), or not any more (409).
    """
    member = store.member(email)
    if member is None or not member.invited:
        raise Refusal(404, f"no invitation to {email}")
    if store.expired(member):
        raise Refusal(409, f"the invitation to {email} has expired")
    store.accept(email)
    joined = _present(store, email)
    own = Audit(store, person(joined, client_ip))
    own.invitation_accepted(joined)
    Audit(store, store.inviter(email) or own.actor).user_added(joined, "invitation")
    _let_in(store, joined, method, own)
    return joined


def log_in(store: Store, email: str, method: str, client_ip: str | None) -> Member:
    """The person logs in.

    Raises:
        Refusal: no such member (404).
    """
    member = _member(store, email)
    _let_in(store, member, method, Audit(store, person(member, client_ip)))
    return member


def fail(store: Store, email: str, method: str, client_ip: str | None, reason: str) -> Member:
    """The person tries to log in and is not let in.

    Raises:
        Refusal: no such member (404).
    """
    member = _member(store, email)
    Audit(store, person(member, client_ip)).login_failed(member, method, reason)
    return member


def _let_in(store: Store, member: Member, method: str, audit: Audit) -> None:
    store.log_in(member.email)
    audit.logged_in(member, method)


def _member(store: Store, email: str) -> Member:
    member = store.member(email)
    if member is None or member.invited:
        raise Refusal(404, f"{email} is no member of the organization")
    return member


def _present(store: Store, email: str) -> Member:
    member = store.member(email)
    if member is None:  # pragma: no cover  # it was there a statement ago
        raise AssertionError(email)
    return member
