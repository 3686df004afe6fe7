"""The reasons for access: their fields, and the standard roles of each engagement type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any, Final

from mixpanel_access.model import roles
from mixpanel_access.model.dates import FIRST_YEAR, LAST_YEAR, day
from mixpanel_access.model.similarity import unknown


@dataclass(frozen=True)
class StandardRoles:
    """The standard of one engagement type: its highest roles, its longest duration, and its onboarding track."""

    organization: str
    production: str
    elsewhere: str
    longest_days: int
    onboarding: str

    def project_role(self, environment: str | None) -> str:
        """The highest project role in an environment; an unknown environment counts as production."""
        return self.production if environment in (None, PRODUCTION) else self.elsewhere


ORGANIZATION_ADMIN: Final = "organization_admin"
PROJECT_ADMIN: Final = "project_admin"
TRACKS: Final = (ORGANIZATION_ADMIN, PROJECT_ADMIN, roles.ANALYST, roles.CONSUMER)
"""The built-in tracks that new people follow, by what they come to do."""

PRODUCTION: Final = "production"
"""The environment with the strictest rules."""

STANDARD_ROLES: Final[Mapping[str, StandardRoles]] = {
    "analytics_review": StandardRoles(roles.MEMBER, roles.ANALYST, roles.ANALYST, 90, roles.ANALYST),
    "implementation": StandardRoles(roles.MEMBER, roles.ANALYST, roles.ADMIN, 180, PROJECT_ADMIN),
    "data_engineering": StandardRoles(roles.MEMBER, roles.ANALYST, roles.ADMIN, 180, PROJECT_ADMIN),
    "experimentation": StandardRoles(roles.MEMBER, roles.ANALYST, roles.ANALYST, 90, roles.ANALYST),
    "training": StandardRoles(roles.MEMBER, roles.CONSUMER, roles.ANALYST, 30, roles.CONSUMER),
    "audit": StandardRoles(roles.MEMBER, roles.CONSUMER, roles.CONSUMER, 30, roles.CONSUMER),
    "administration": StandardRoles(roles.ADMIN, roles.ADMIN, roles.ADMIN, 365, ORGANIZATION_ADMIN),
}
"""Engagement type -> standard roles."""

_LEAST: Final = StandardRoles(roles.MEMBER, roles.CONSUMER, roles.CONSUMER, 90, "")
"""The defaults of a new type."""
_FIELDS: Final = frozenset(field.name for field in fields(StandardRoles))


def with_changes(changes: Mapping[str, Mapping[str, Any]] | None) -> dict[str, StandardRoles]:
    """The standard roles with changes: type -> attribute -> value. A new type starts with the lowest roles."""
    found = dict(STANDARD_ROLES)
    for kind, values in (changes or {}).items():
        known = {name: value for name, value in values.items() if name in _FIELDS}
        found[kind] = replace(found.get(kind, _LEAST), **known)
    return found


DATE_FIELDS: Final = ("starts", "ends", "reviewed")
"""The fields that are ISO dates (UTC): the first and the last day, and the day of the last review."""
METADATA_FIELDS: Final = (
    "kind", "engagement", "engagement_type", "sow", "ticket", "approver", "sponsor", "justification", "starts",
    "ends", "reviewed", "notes",
)  # fmt: skip
"""All fields, in the order in which we show them: what the person is to the company, the engagement's name and type,
its statement of work, the ticket, the approver, the sponsor, the reason, the days, the last review, and notes."""

EMPLOYEE: Final = "employee"
KINDS: Final = (EMPLOYEE, "contractor", "agency", "auditor")
"""What a person can be to the company; everybody but an employee is external, whatever their address."""

REASONS: Final = ("engagement", "sow", "ticket", "approver", "justification", "starts", "ends")
"""The fields that lists of access show as its reasons."""


def problems_with_metadata(values: Mapping[str, Any]) -> dict[str, str]:
    """The problems of metadata, in words, by field; a field may be absent or None."""
    problems: dict[str, str] = {}
    days: dict[str, date] = {}
    for field in METADATA_FIELDS:
        value = values.get(field)
        if value is None:
            continue
        if not isinstance(value, str):
            problems[field] = f"{field} is text, not {type(value).__name__}"
        elif field == "kind" and value not in KINDS:
            problems[field] = unknown(value, "kind of person", KINDS)
        elif field in DATE_FIELDS:
            try:
                days[field] = day(value)
            except ValueError:
                problems[field] = f"{value!r} is not a date; write it as YYYY-MM-DD"
                continue
            if not FIRST_YEAR <= days[field].year <= LAST_YEAR:
                problems[field] = f"{value} is not of the years {FIRST_YEAR} to {LAST_YEAR}"
    if {"starts", "ends"} <= days.keys() and days["ends"] < days["starts"]:
        problems["ends"] = f"it ends on {days['ends']}, before it starts on {days['starts']}"
    return problems
