"""Why somebody has access: the fields that every resource carries for the tracker and the policies."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from mixpanel_access.model.dates import FIRST_YEAR, LAST_YEAR, day
from mixpanel_access.model.similarity import unknown

DATE_FIELDS: Final = ("starts", "ends", "reviewed")
"""ISO dates, UTC; the first two both belong to the engagement, the third is the day of the last review."""
METADATA_FIELDS: Final = (
    "kind", "engagement", "engagement_type", "sow", "ticket", "approver", "sponsor", "justification", "starts",
    "ends", "reviewed", "notes",
)  # fmt: skip
"""All of them, in the order in which they are shown: what the person is to the company, the engagement's name and
type, its statement of work, the ticket, who approved, who wants it, why, from when until when, when it was last
reviewed, and anything else."""
EMPLOYEE: Final = "employee"
KINDS: Final = (EMPLOYEE, "contractor", "agency", "auditor")
"""What a person can be to the company; all but an employee are external, whatever their address."""
REASONS: Final = ("engagement", "sow", "ticket", "approver", "justification", "starts", "ends")
"""Those that say why somebody has what they have, as lists of who has what show them."""


def problems_with_metadata(values: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with some metadata: field -> problem, in words. Fields that are absent or None are fine."""
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
                problems[field] = f"{value!r} is no date; write it as YYYY-MM-DD"
                continue
            if not FIRST_YEAR <= days[field].year <= LAST_YEAR:
                problems[field] = f"{value} is not of the years {FIRST_YEAR} to {LAST_YEAR}"
    if {"starts", "ends"} <= days.keys() and days["ends"] < days["starts"]:
        problems["ends"] = f"the engagement ends on {days['ends']}, before it starts on {days['starts']}"
    return problems
