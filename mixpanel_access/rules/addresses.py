"""What an address says about its owner: external or not, one person or a mailbox of several people or a program."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from fnmatch import translate
from functools import lru_cache
from typing import Final

from mixpanel_access.model.address import domain_of, local_part
from mixpanel_access.model.engagements import EMPLOYEE

SHARED_NAMES: Final = frozenset(
    {
        "abuse", "accounting", "accounts", "admin", "administration", "administrator", "admins", "analytics",
        "automation", "buchhaltung", "contact", "contacto", "crew", "deploy", "deployment", "developers", "donotreply",
        "engineering", "engineers", "everybody", "everyone", "finance", "group", "hello", "help", "helpdesk",
        "hostmaster", "inbox", "info", "infos", "invoice", "invoices", "jenkins", "kontakt", "mailbox", "marketing",
        "newsletter", "noc", "noreply", "notifications", "office", "operations", "payroll", "poststelle", "postmaster",
        "procurement", "rechnung", "reception", "recruiting", "reply", "robot", "security", "sekretariat", "service",
        "servicedesk", "services", "shared", "staff", "support", "svc", "sysadmin", "system", "team", "teams",
        "vertrieb", "webmaster",
    }
)  # fmt: skip
"""Words that are not names: a mailbox with one of them is not one person's, whatever else is in its name."""
ALONE_NAMES: Final = frozenset(
    {
        "all", "analysts", "api", "backend", "billing", "bots", "ci", "dashboard", "dashboards", "data", "design",
        "devops", "digital", "ecommerce", "equipe", "etl", "growth", "hr", "infra", "insights", "integration",
        "integrations", "it", "jira", "leads", "legal", "mail", "mixpanel", "ops", "platform", "product", "projects",
        "qa", "reporting", "reports", "root", "sales", "science", "seo", "soporte", "tech", "test", "testing",
        "tracking", "users", "ux",
    }
)  # fmt: skip
"""Words that are a mailbox alone or with each other, but can be a surname after a first name."""
PERHAPS_NAMES: Final = frozenset({"bot", "desk", "dev", "devs", "guest", "page", "student", "temp", "trial", "web"})
"""Words that may be the whole name of a person, or not: Dev is both."""
_PERHAPS_OR_ALONE: Final = PERHAPS_NAMES | ALONE_NAMES
_DIGIT: Final = re.compile(r"\d")
_BETWEEN: Final = re.compile(r"[\W\d_]+")


def is_shared(name: str, more: Collection[str] = ()) -> bool:
    """Whether a mailbox is certainly not one person's, by its name before the @ and more words that are not names."""
    return _is_shared(name, frozenset(more))


@lru_cache(maxsize=1 << 16)
def _is_shared(name: str, more: frozenset[str]) -> bool:
    words, sure = list(_words(name)), SHARED_NAMES | more
    return any(word in sure or _joined(word, sure) for word in words) or _only(words, ALONE_NAMES)


def may_be_shared(name: str) -> bool:
    """Whether a mailbox can be a person's or not: its name has only words that can be either."""
    words = list(_words(name))
    return not is_shared(name) and bool(words) and all(word in _PERHAPS_OR_ALONE for word in words)


def _words(name: str) -> Iterator[str]:
    """The words of a name, between punctuation and digits: data.team-2 is data and team."""
    return (word for word in _BETWEEN.split(name) if word)


def _only(words: Collection[str], known: Collection[str]) -> bool:
    return bool(words) and all(word in known for word in words)


def _joined(word: str, sure: Collection[str]) -> bool:
    """Whether a word is two known words, at least one of which is not a name: itsupport, datateam."""
    names = _PERHAPS_OR_ALONE
    parts = [(word[:at], word[at:]) for at in range(2, len(word) - 1)]
    return any(
        (one in sure and (other in sure or other in names)) or (one in names and other in sure) for one, other in parts
    )


EXTERNAL_NAMES: Final = tuple(
    pattern
    for word in (
        "ext", "extern", "external", "contractor", "externe", "externo", "freelance", "freelancer", "consultant",
        "vendor",
    )
    for pattern in (f"{word}[-._]*", f"*[-._]{word}")
)  # fmt: skip
"""Patterns of names before the @ by which companies mark the addresses of external people."""


def is_external_kind(kind: str | None) -> bool:
    """Whether the roster says that a person is external."""
    return bool(kind) and kind != EMPLOYEE


def is_external(email: str, domains: Collection[str], names: Sequence[str]) -> bool:
    """Whether an address is external: of another domain, also a subdomain, or with an external's name.

    Args:
        email: the address.
        domains: the company's domains, as `canonical_domain` gives them.
        names: patterns of external people's names before the @.
    """
    return _is_external(email, frozenset(domains), tuple(names))


@lru_cache(maxsize=1 << 16)
def _is_external(email: str, domains: frozenset[str], names: tuple[str, ...]) -> bool:
    return domain_of(email) not in domains or _is_marked(local_part(email), names)


def _is_marked(local: str, names: tuple[str, ...]) -> bool:
    """Whether a name before the @ is one by which companies mark the addresses of external people."""
    if not local.isascii():
        local = "".join("-" if unicodedata.category(sign) == "Pd" else sign for sign in local)
    name = local.lstrip("+")
    forms = (name, _DIGIT.sub("", name))  # kim.ext2
    return any(map(_any_of(names).fullmatch, forms))


@lru_cache
def _any_of(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """What matches any of some patterns with * and ?."""
    return re.compile("|".join(map(translate, patterns)) or r"(?!)")
