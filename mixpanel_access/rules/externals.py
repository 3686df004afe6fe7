"""Whose address is not of the company, by its domain and by the name before the @."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence
from fnmatch import fnmatchcase
from typing import Final

from mixpanel_access.model.address import domain_of, local_part
from mixpanel_access.model.metadata import EMPLOYEE

EXTERNAL_NAMES: Final = tuple(
    pattern
    for word in (
        "ext",
        "extern",
        "external",
        "contractor",
        "externe",
        "externo",
        "freelance",
        "freelancer",
        "consultant",
        "vendor",
    )
    for pattern in (f"{word}[-._]*", f"*[-._]{word}")
)
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
