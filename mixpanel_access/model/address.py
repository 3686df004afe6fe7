"""E-mail addresses: kept as written, compared without regard to case."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

FEW: Final = 5
"""Addresses that a message names before it counts."""


def same_key(email: str) -> str:
    """The form under which two spellings of one address are the same: "ß" is not "ss", which may be somebody else's."""
    return email.strip().lower()


def domain_of(email: str) -> str:
    """The part after the last "@", in its canonical form; "" where there is none."""
    return canonical_domain(email.rpartition("@")[2]) if "@" in email else ""


@lru_cache(maxsize=4096)
def canonical_domain(domain: str) -> str:
    """The form under which two spellings of one domain are the same: lower case, and letters instead of "xn--"."""
    domain = domain.strip().lower()
    if domain.isascii() and "xn--" not in domain:
        return domain
    import idna  # a table of Unicode that few commands need

    try:
        return idna.decode(idna.encode(domain, uts46=True))
    except UnicodeError:  # which idna's errors are
        return domain


def few(emails: Iterable[str]) -> str:
    """Some addresses for a message: a few by name, the others by their number."""
    names = sorted(emails)
    shown = ", ".join(names[:FEW])
    more = len(names) - FEW
    return f"{shown} and {more} other{'s' * (more > 1)}" if more > 0 else shown


def problem_with(email: object) -> str | None:
    """Why this can be no e-mail address, in words, or None when it can.

    Checked by email-validator (RFC 5321/5322 as mail servers use them); nothing is looked up in the DNS, and the
    reserved domains of RFC 2606 (example.com and its kin) are allowed. Shared by every layer that takes an address.
    """
    from email_validator import EmailNotValidError, validate_email

    if not isinstance(email, str):
        return f"an e-mail address is text, not {type(email).__name__}"
    if email != email.strip():
        return "there are blanks around the address"
    try:
        validate_email(email, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        return str(error).rstrip(".")
    return None
