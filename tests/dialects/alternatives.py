"""Every alternative of every field of a dialect, one at a time, and random combinations of them."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any, Final

from mixpanel_access.emulator.dialect import Dialect

_O: Final = "/organizations/{o}"
MISSING: Final = (
    f"POST {_O}/add-users/",
    f"POST {_O}/users/{{email}}/update/",
    f"POST {_O}/users/{{email}}/delete-projects/",
    f"POST {_O}/add-users-to-teams/",
    f"POST {_O}/teams/{{t}}/delete-users/",
    "GET /api/app/projects/{p}/granted-users",
)
"""Verbs that may not be there: their path is assumed, or was in a text that has been withdrawn."""

ALTERNATIVES: Final[Mapping[str, tuple[Any, ...]]] = {
    "organization_role": ("no role", "capitalized", "object"),
    "owner_word": ("admin",),
    "me_permissions": (False,),
    "user_projects": (True,),
    "invited_in_granted_users": (False,),
    "no_access": ("redirect",),
    "wrong_body": (400,),
    "plan_refusal": (402,),
    "escaped_errors": (True,),
    "refused_update": ("updated_false",),
    "audit": ("platform", "old", "none"),
    "page_size": (1, 2),
    "stale_reads": ({"users": 2}, {"granted-users": 2}, {"teams": 2}, {"scim-users": 2}),
    "discoverability": ("lower", "object", "none"),
    "invite_existing": ("raise",),
    "invitation_limit": ("400", "error_200"),
    "scim_errors": ("detail",),
    "scim_media_type": ("strict",),
    "missing": tuple([verb] for verb in MISSING),
}
"""Field -> what it may be other than its default."""


def name_of(field: str, value: Any) -> str:
    """How one alternative is named, in tests and on the page."""
    if field == "missing":
        return f"missing {value[0]}"
    return f"{field} {value}" if not isinstance(value, dict) else f"{field} {next(iter(value))}"


ALONE: Final[Mapping[str, dict[str, Any]]] = {
    name_of(field, value): {field: value} for field, values in ALTERNATIVES.items() for value in values
}
"""Each alternative by its name: the one field in which it differs from the default."""


def combination(seed: int) -> dict[str, Any]:
    """A random dialect: each field is another one in about half of them."""
    draw = random.Random(seed)
    chosen = {}
    for field, values in ALTERNATIVES.items():
        if draw.random() < 1 / 2:
            chosen[field] = draw.choice(values)
    return chosen


def parts_of(fields: Mapping[str, Any]) -> list[str]:
    """The names of the alternatives that a dialect is made of."""
    return [name_of(field, value) for field, value in fields.items()]


def dialect_of(fields: Mapping[str, Any]) -> Dialect:
    """The dialect."""
    return Dialect.model_validate(fields)
