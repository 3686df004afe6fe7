"""E-mail domains that are nobody's own: public suffixes, providers where anybody gets an address, throw-away ones."""

from __future__ import annotations

from typing import Final

CONSUMER_DOMAINS: Final = (
    "aol.com", "fastmail.com", "gmail.com", "gmx.com", "gmx.de", "googlemail.com", "hey.com", "hotmail.com",
    "icloud.com", "live.com", "mac.com", "mail.com", "mail.ru", "me.com", "msn.com", "outlook.com", "pm.me",
    "proton.me", "protonmail.com", "qq.com", "tutanota.com", "web.de", "yahoo.com", "yandex.com", "yandex.ru",
    "ymail.com", "zoho.com",
)  # fmt: skip
"""The best known providers where anybody can have an address, and keeps it after they left the company."""

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
    """Whether a registry gives out domains under this one, so that it is no company's.

    Args:
        domain: as `canonical_domain` gives it.
    """
    above, _, country = domain.rpartition(".")
    return not above or (len(country) == _COUNTRY and above in _SECOND_LEVELS)


def is_consumer(domain: str) -> bool:
    """Whether anybody can have an address there: a known provider, under any public suffix for those of many countries.

    Args:
        domain: as `canonical_domain` gives it.
    """
    name, _, suffix = domain.partition(".")
    everywhere = name in _CONSUMER_NAMES and is_public_suffix(suffix)
    return everywhere or domain in CONSUMER_DOMAINS or domain in _MORE_CONSUMER_DOMAINS


def is_disposable(domain: str) -> bool:
    """Whether mailboxes there are thrown away; subdomains are the same mailboxes.

    Args:
        domain: as `canonical_domain` gives it.
    """
    labels = domain.split(".")
    return any(".".join(labels[start:]) in _DISPOSABLE_DOMAINS for start in range(len(labels) - 1))


def problem_with_company_domain(domain: str) -> str | None:
    """Why a domain can be no company's, in words, or None when it can.

    Args:
        domain: as `canonical_domain` gives it.
    """
    if is_public_suffix(domain):
        return f"{domain} is a public suffix, under which anybody can have a domain"
    if is_consumer(domain) or is_disposable(domain):
        return f"{domain} is a mail provider, where anybody can have an address"
    return None
