"""Mailboxes that several people or a program read, told by what stands before the @."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Final

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
