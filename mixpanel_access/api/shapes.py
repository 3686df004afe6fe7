"""What the shapes of all answers are read with: lenient fields, rows in any known form, one clear error."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator

from mixpanel_access.model import errors, roles
from mixpanel_access.model.dates import instant


def _role(value: object) -> str | None:
    """A role word from a string or from an object with `name` and `id` (contract, section 2); None for no role."""
    if isinstance(value, dict):
        custom = value.get("is_custom_role") and isinstance(value.get("id"), str)
        value = value["id"] if custom else value.get("name") or value.get("id")
    if value is None or roles.is_no_role(str(value)):
        return None
    return roles.normalized(str(value))


def _organization_role(value: object) -> str:
    """The organization role of a row that has one; no role is `member`."""
    return roles.organization_role(_role(value))


def _is_told(value: object) -> bool:
    """Whether a value can say that there is no role: an object with neither name nor id says nothing."""
    return not isinstance(value, dict) or bool({"name", "id"} & value.keys())


def _instant(value: object) -> datetime | None:
    try:
        return instant(value) if isinstance(value, str) and value else None
    except ValueError:
        return None  # an unreadable time is unknown, which is how an absent one is taken


RoleWord = Annotated[str | None, BeforeValidator(_role)]
"""A role, as a string or an object; None for no role."""
OrganizationRoleWord = Annotated[str | None, BeforeValidator(_organization_role)]
"""An organization role; no role is `member`. Only a row without the field leaves it unknown."""
Instant = Annotated[datetime | None, BeforeValidator(_instant)]
"""An instant; one that cannot be read is unknown."""


class Wire(BaseModel):
    """Any shape: what is more than expected is ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)


class OrganizationRow(Wire):
    """A row with an organization role, under any of its names; if one of them is empty, another may have it."""

    ROLE_NAMES: ClassVar[tuple[str, ...]] = ("role", "org_role", "organization_role")

    role: OrganizationRoleWord = None

    @model_validator(mode="before")
    @classmethod
    def _role_by_any_name(cls, row: Any) -> Any:
        if not isinstance(row, dict):
            return row
        told = [row[name] for name in cls.ROLE_NAMES if name in row and _is_told(row[name])]
        rest = {name: value for name, value in row.items() if name != "role"}
        return {**rest, "role": next((role for role in told if _role(role)), told[0])} if told else rest


def rows(results: Any, what: str) -> Iterator[Any]:
    """The rows of an array, or of a map keyed by e-mail address or id."""
    if isinstance(results, list):
        for row in results:
            yield {"email": row} if isinstance(row, str) else row
    elif isinstance(results, dict):
        for key, row in results.items():
            if isinstance(row, dict):
                yield {"email": key, **row} if "@" in key else row
            elif (row is None or isinstance(row, str)) and "@" in key:
                yield {"email": key, "role": row}
            else:
                raise unintelligible(what, f"{key!r} holds {type(row).__name__}")
    else:
        raise unintelligible(what, f"{type(results).__name__} where rows were expected")


Row = TypeVar("Row", bound=Wire)


def checked(model: type[Row], row: Any, what: str) -> Row:
    """The row in its shape.

    Raises:
        Unintelligible: it has another.
    """
    try:
        return model.model_validate(row)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "the row"
        raise unintelligible(what, f"{field}: {first['msg']}") from None


def unintelligible(what: str, why: str) -> errors.Unintelligible:
    """An answer that cannot be read."""
    return errors.Unintelligible(
        f"cannot {what}",
        why=f"the answer has an unknown shape ({why})",
        next_step="Run with MIXPANEL_ACCESS_DEBUG=1 and report it; nothing was changed on the strength of it.",
    )
