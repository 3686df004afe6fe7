"""E-mail addresses and their domains: kept as written; every spelling of one mailbox has the same key."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

_PUNYCODE: Final = "xn--"
_USUAL: Final = re.compile(r"[\w+-]+(?:\.[\w+-]+)*@([A-Za-z0-9.-]+)", re.ASCII)
"""An address in which only the domain can be wrong, if it is not too long."""
_LONG: Final = 254
"""Characters of the longest address."""
FEW: Final = 5
"""Addresses that a message names before it counts."""


@lru_cache(maxsize=1 << 16)
def same_key(email: str) -> str:
    """The key of an address: the same for all its spellings.

    Case, blanks around it, the encoding of accents, and Unicode or punycode in the domain make no difference:
    kim@münchen.example is kim@xn--mnchen-3ya.example. "ß" is not "ss", which can be another person's.
    """
    key = email.strip().lower()
    if key.isascii() and _PUNYCODE not in key:
        return key
    local, at, domain = _normalized(key).rpartition("@")
    return f"{local}{at}{canonical_domain(domain)}" if at else domain


def domain_of(email: str) -> str:
    """The domain of an address, as `canonical_domain` gives it, or ""."""
    return canonical_domain(email.rpartition("@")[2]) if "@" in email else ""


def canonical_domain(domain: str) -> str:
    """A domain in Unicode and lower case: the same for all its spellings."""
    key = domain.strip().lower()
    return key if key.isascii() and _PUNYCODE not in key else _unicode(_normalized(key))


def local_part(email: str) -> str:
    """The part before the "@", for comparisons: in lower case, and without a plus sign and what follows it."""
    return mailbox(email).rpartition("@")[0]


@lru_cache(maxsize=1 << 16)
def mailbox(email: str) -> str:
    """The mailbox of an address, by which rules compare people: in compatible letters, and without a tag.

    Mixpanel may take ana+x@example.com, or the same in full-width letters, for other people than ana@example.com, so
    resources are named by `same_key`.
    """
    local, at, domain = same_key(unicodedata.normalize("NFKC", email)).rpartition("@")
    return f"{local.partition('+')[0] or local}{at}{domain}" if at else domain


def spellings(email: str) -> list[str]:
    """Other forms of an address, in lower case, that earlier versions used as its key."""
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
    """A domain in Unicode (IDNA); a label that IDNA does not know stays as it is."""
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
    """A domain in punycode, or unchanged if it has no such form."""
    if domain.isascii():
        return domain
    import idna

    try:
        return idna.encode(domain).decode()
    except (idna.IDNAError, UnicodeError):
        return domain


def few(emails: Iterable[str]) -> str:
    """Addresses for a message: the first five, and the number of the others."""
    names = sorted(emails)
    shown = ", ".join(names[:FEW])
    more = len(names) - FEW
    return f"{shown} and {more} other{'s' * (more > 1)}" if more > 0 else shown


def problem_with(email: object) -> str | None:
    """Why this is not an e-mail address, in words, or None if it is.

    email-validator checks it (RFC 5321/5322 as mail servers use them), without the DNS. It allows the reserved domains
    of RFC 2606, such as example.com.
    """
    return _problem_with(email) if isinstance(email, str) else f"an e-mail address is text, not {type(email).__name__}"


def _problem_with(email: str) -> str | None:
    """The same of a text. The domain of usual addresses, which thousands share, is checked once."""
    usual = _USUAL.fullmatch(email)
    if usual and len(email) <= _LONG and not _problem_as_written(f"a@{usual[1]}"):
        return None
    return _problem_as_written(email)


@lru_cache(maxsize=1 << 12)
def _problem_as_written(email: str) -> str | None:
    from email_validator import EmailNotValidError, validate_email

    if email != email.strip():
        return "there are blanks around the address"
    try:
        validate_email(email, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        return str(error).rstrip(".")
    return None


CONSUMER_DOMAINS: Final = (
    "aol.com", "fastmail.com", "gmail.com", "gmx.com", "gmx.de", "googlemail.com", "hey.com", "hotmail.com",
    "icloud.com", "live.com", "mac.com", "mail.com", "mail.ru", "me.com", "msn.com", "outlook.com", "pm.me",
    "proton.me", "protonmail.com", "qq.com", "tutanota.com", "web.de", "yahoo.com", "yandex.com", "yandex.ru",
    "ymail.com", "zoho.com",
)  # fmt: skip
"""The best known mail providers where anybody can have an address, and keep it after they leave a company."""
_CONSUMER_NAMES: Final = frozenset(
    {"aol", "gmail", "gmx", "googlemail", "hotmail", "live", "outlook", "protonmail", "rocketmail", "tutanota",
     "yahoo", "yandex", "ymail"}
)  # fmt: skip
"""Names of such providers under any public suffix: yahoo.co.uk, gmx.net."""
_MORE_CONSUMER_DOMAINS: Final = frozenset(
    {
        "126.com", "163.com", "arcor.de", "att.net", "bellsouth.net", "bigpond.com", "bk.ru", "bluewin.ch",
        "bol.com.br", "btinternet.com", "comcast.net", "cox.net", "daum.net", "duck.com", "earthlink.net",
        "fastmail.fm", "foxmail.com", "free.fr", "freenet.de", "hanmail.net", "hushmail.com", "inbox.lv", "inbox.ru",
        "interia.pl", "mozmail.com", "privaterelay.appleid.com", "simplelogin.com", "skiff.com",
        "users.noreply.github.com",
        "laposte.net", "libero.it", "list.ru", "mail.de", "mailbox.org", "mailfence.com", "naver.com",
        "o2.pl", "onet.pl", "orange.fr", "posteo.de", "posteo.net", "proton.ch", "rambler.ru", "rediffmail.com",
        "runbox.com", "sbcglobal.net", "seznam.cz", "sfr.fr", "sina.com", "t-online.de", "tuta.com", "tuta.io",
        "tutamail.com", "ukr.net", "uol.com.br", "verizon.net", "virgilio.it", "wanadoo.fr", "wp.pl", "yeah.net",
        "zohomail.com",
    }
)  # fmt: skip


_DISPOSABLE_DOMAINS: Final = frozenset(
    {
        "10minutemail.com", "10minutemail.net", "1secmail.com", "anonbox.net", "byom.de", "discard.email",
        "dispostable.com", "dropmail.me", "einrot.com", "emailondeck.com", "fakeinbox.com", "fakemail.net",
        "getnada.com", "grr.la", "guerrillamail.biz", "guerrillamail.com", "guerrillamail.de", "guerrillamail.info",
        "guerrillamail.net", "guerrillamail.org", "guerrillamailblock.com", "inboxkitten.com", "jetable.org",
        "mail.tm", "mailcatch.com", "maildrop.cc", "mailinator.com", "mailnesia.com", "mailnull.com", "mailsac.com",
        "mintemail.com", "moakt.com", "mohmal.com", "mytemp.email", "nada.email", "pokemail.net", "sharklasers.com",
        "smailpro.com", "spam4.me", "spambox.us", "temp-mail.org", "tempinbox.com", "tempmailo.com", "tempr.email",
        "throwawaymail.com", "trash-mail.com", "trashmail.com", "trashmail.de", "trashmail.net", "wegwerfmail.de",
        "yopmail.com", "yopmail.fr", "yopmail.net",
    }
)  # fmt: skip
"""Mailboxes for some minutes, often open to everybody: the best known of
https://github.com/disposable-email-domains/disposable-email-domains (CC0), which has thousands."""


_SECOND_LEVELS: Final = frozenset(
    {"ac", "co", "com", "edu", "go", "gob", "gouv", "gov", "gv", "ltd", "mil", "ne", "net", "nom", "or", "org", "plc",
     "sch"}
)  # fmt: skip
"""Labels under which a country's registry gives out domains, as co in co.uk: the usual ones of
https://publicsuffix.org/list/public_suffix_list.dat."""
_COUNTRY: Final = 2
"""Letters of a country's top-level domain."""


def is_public_suffix(domain: str) -> bool:
    """Whether a registry gives out domains under this one (in the form of `canonical_domain`)."""
    above, _, country = domain.rpartition(".")
    return not above or (len(country) == _COUNTRY and above in _SECOND_LEVELS)


def is_consumer(domain: str) -> bool:
    """Whether a domain (in the form of `canonical_domain`) is a mail provider's where anybody can have an address."""
    name, _, suffix = domain.partition(".")
    everywhere = name in _CONSUMER_NAMES and is_public_suffix(suffix)
    return everywhere or domain in CONSUMER_DOMAINS or domain in _MORE_CONSUMER_DOMAINS


def is_disposable(domain: str) -> bool:
    """Whether a domain (in the form of `canonical_domain`), or one above it, has throw-away mailboxes."""
    labels = domain.split(".")
    return any(".".join(labels[start:]) in _DISPOSABLE_DOMAINS for start in range(len(labels) - 1))


def problem_with_company_domain(domain: str) -> str | None:
    """Why a domain (in the form of `canonical_domain`) cannot be a company's, in words, or None if it can."""
    if is_public_suffix(domain):
        return f"{domain} is a public suffix, under which anybody can have a domain"
    if is_consumer(domain) or is_disposable(domain):
        return f"{domain} is a mail provider, where anybody can have an address"
    return None
