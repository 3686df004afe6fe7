"""What an address says of its owner: whether an external's, or a mailbox that several people or a program read."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from fnmatch import fnmatchcase
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
"""Words that nobody is called: a mailbox with one of them is not one person's, whatever stands beside it."""


ALONE_NAMES: Final = frozenset(
    {
        "all", "analysts", "api", "backend", "billing", "bots", "ci", "dashboard", "dashboards", "data", "design",
        "devops", "digital", "ecommerce", "equipe", "etl", "growth", "hr", "infra", "insights", "integration",
        "integrations", "it", "jira", "leads", "legal", "mail", "mixpanel", "ops", "platform", "product", "projects",
        "qa", "reporting", "reports", "root", "sales", "science", "seo", "soporte", "tech", "test", "testing",
        "tracking", "users", "ux",
    }
)  # fmt: skip
"""Words that are a mailbox by themselves or with each other, and beside a first name somebody's surname."""


PERHAPS_NAMES: Final = frozenset({"bot", "desk", "dev", "devs", "guest", "page", "student", "temp", "trial", "web"})
"""Words that may be the whole name of a person, or not: Dev is both."""


_BETWEEN: Final = re.compile(r"[\W\d_]+")


def is_shared(name: str, more: Collection[str] = ()) -> bool:
    """Whether a mailbox is surely not one person's.

    Args:
        name: what stands before the @, in lower case.
        more: further words that nobody is called.
    """
    words = list(_words(name))
    sure = SHARED_NAMES | set(more)
    return any(word in sure or _joined(word, sure) for word in words) or _only(words, ALONE_NAMES)


def may_be_shared(name: str) -> bool:
    """Whether a mailbox may be a person's or not: nothing stands before the @ but words that can be either."""
    words = list(_words(name))
    return not is_shared(name) and bool(words) and all(word in PERHAPS_NAMES | ALONE_NAMES for word in words)


def _words(name: str) -> Iterator[str]:
    """The words of a name, which signs and digits part: data.team-2 is data and team."""
    return (word for word in _BETWEEN.split(name) if word)


def _only(words: Collection[str], known: Collection[str]) -> bool:
    return bool(words) and all(word in known for word in words)


def _joined(word: str, sure: Collection[str]) -> bool:
    """Whether a word is two of them, at least one of which nobody is called: itsupport, datateam."""
    known = {*sure, *ALONE_NAMES, *PERHAPS_NAMES}
    parts = [(word[:at], word[at:]) for at in range(2, len(word) - 1)]
    return any(one in known and other in known and (one in sure or other in sure) for one, other in parts)


EXTERNAL_NAMES: Final = tuple(
    pattern
    for word in (
        "ext", "extern", "external", "contractor", "externe", "externo", "freelance", "freelancer", "consultant",
        "vendor",
    )
    for pattern in (f"{word}[-._]*", f"*[-._]{word}")
)  # fmt: skip
"""Patterns of the name before the @ where a company gives an address to somebody who is not of it."""


def is_external_kind(kind: str | None) -> bool:
    """Whether the roster says that somebody is not the company's own; it need not say anything."""
    return bool(kind) and kind != EMPLOYEE


def is_external(email: str, domains: Collection[str], names: Sequence[str]) -> bool:
    """Whether an address is outside the company; a subdomain is, unless it is listed too.

    Args:
        email: the address.
        domains: the company's, as `canonical_domain` gives them.
        names: patterns of the name before the @ of somebody external.
    """
    name = "".join("-" if unicodedata.category(sign) == "Pd" else sign for sign in local_part(email)).lstrip("+")
    forms = (name, "".join(sign for sign in name if not sign.isdecimal()))  # kim.ext2
    return domain_of(email) not in domains or any(fnmatchcase(form, pattern) for pattern in names for form in forms)
