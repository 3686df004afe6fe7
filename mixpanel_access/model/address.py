"""E-mail addresses: kept as written; every spelling of one mailbox has the same key."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

_PUNYCODE: Final = "xn--"
FEW: Final = 5
"""Addresses that a message names before it counts."""


def same_key(email: str) -> str:
    """The form under which two spellings of one address are the same.

    Neither case nor blanks around it count, nor how an accent is encoded, nor whether the domain is written in Unicode
    or in punycode: kim@münchen.example is kim@xn--mnchen-3ya.example. "ß" is not "ss", which may be somebody else's.
    """
    key = email.strip().lower()
    if key.isascii() and _PUNYCODE not in key:
        return key
    local, at, domain = _normalized(key).rpartition("@")
    return f"{local}{at}{canonical_domain(domain)}" if at else domain


def domain_of(email: str) -> str:
    """The part after the last "@" in the form that `canonical_domain` has; "" where there is none."""
    return canonical_domain(email.rpartition("@")[2]) if "@" in email else ""


def canonical_domain(domain: str) -> str:
    """The form under which two spellings of one domain are the same: Unicode, in lower case."""
    key = domain.strip().lower()
    return key if key.isascii() and _PUNYCODE not in key else _unicode(_normalized(key))


def local_part(email: str) -> str:
    """What stands before the "@" in the form for comparisons: lower case, without what follows a plus sign."""
    return mailbox(email).rpartition("@")[0]


def mailbox(email: str) -> str:
    """The mailbox that an address ends up in, to compare people by: also in compatible letters, and without a tag.

    It does not name resources, as `same_key` does: Mixpanel may take ana+x@example.com, or the same in full-width
    letters, for others than ana@example.com. For a rule they are one person.
    """
    local, at, domain = same_key(unicodedata.normalize("NFKC", email)).rpartition("@")
    return f"{local.partition('+')[0] or local}{at}{domain}" if at else domain


def spellings(email: str) -> list[str]:
    """Forms of an address, in lower case, that earlier versions took for its key; the key itself is not one of them."""
    key = same_key(email)
    local, at, domain = key.rpartition("@")
    found = [email.strip().lower(), f"{local}{at}{_ascii(domain)}"]
    return [form for form in dict.fromkeys(found) if form != key]


def _normalized(text: str) -> str:
    """Composed, in lower case. Twice, since each of the two may undo the other."""
    for _ in range(2):
        text = unicodedata.normalize("NFC", text).lower()
    return unicodedata.normalize("NFC", text)


@lru_cache(maxsize=4096)
def _unicode(domain: str) -> str:
    """A domain in Unicode, as IDNA has it; a label that IDNA does not know stays as it is."""
    import idna  # most organizations have no such domain, and it takes a while to import

    try:
        mapped = idna.uts46_remap(domain, std3_rules=False)
    except idna.IDNAError:
        return domain
    if any(sign.isspace() or sign == "@" for sign in mapped):  # a lone accent or a wide "@": not a domain
        return domain
    return ".".join(map(_label, mapped.split(".")))


def _label(label: str) -> str:
    import idna

    if not label.startswith(_PUNYCODE):
        return label
    try:
        return idna.ulabel(label)
    except (idna.IDNAError, UnicodeError):
        return label


def _ascii(domain: str) -> str:
    """A domain in punycode, or as it is where it has no such form."""
    if domain.isascii():
        return domain
    import idna

    try:
        return idna.encode(domain).decode()
    except (idna.IDNAError, UnicodeError):
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
