"""The types of values that the organization document and the control surface accept."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from mixpanel_access.model import roles
from mixpanel_access.model.address import problem_with

FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 8999
"""Times must be within these years, so that calculations stay within the calendar."""

_DEEPEST: Final = 100

OrganizationRole = Literal["owner", "admin", "billing_admin", "member"]
LoginMethod = Literal["password", "sso", "magic_link", "social"]


def _address(email: str) -> str:
    if reason := problem_with(email):
        raise ValueError(reason)
    return email


def _utc(value: datetime) -> datetime:
    """A time in UTC, far enough from the ends of the calendar for calculations."""
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise ValueError(f"the year is not between {FIRST_YEAR} and {LAST_YEAR}")
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _project_role(role: str) -> str:
    if not roles.is_project_role(role):
        raise ValueError(f"{role!r} is neither a project role nor a custom role's id")
    return role


def _domain(name: str) -> str:
    _address(f"somebody@{name}")
    return name.lower()


def _json_object(value: dict[str, Any]) -> dict[str, Any]:
    """An object that every reader of JSON can read: its numbers are finite, and it is not nested too deep."""
    level: list[Any] = [value]
    for _ in range(_DEEPEST):
        nested: list[Any] = []
        for item in level:
            if isinstance(item, float) and not math.isfinite(item):
                raise ValueError("a number is not finite")
            nested += item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
        if not nested:
            return value
        level = nested
    raise ValueError("nested too deep")


Email = Annotated[str, AfterValidator(_address)]
ProjectRole = Annotated[str, AfterValidator(_project_role)]
DomainName = Annotated[str, AfterValidator(_domain)]
JsonObject = Annotated[dict[str, Any], AfterValidator(_json_object)]
Id = Annotated[int, Field(gt=0, le=2**53 - 1)]
"""A JSON number that every reader reads as an integer."""

Instant = Annotated[datetime, AfterValidator(_utc)]
"""A time in UTC; a time without an offset counts as UTC."""


class DocumentPart(BaseModel):
    """An object with these fields and no others."""

    model_config = ConfigDict(extra="forbid")
