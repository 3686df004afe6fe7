"""Standard roles: what an engagement of a type needs, at most, and for how long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from mixpanel_access.model import roles


@dataclass(frozen=True)
class StandardRoles:
    """The row of one engagement type.

    Attributes:
        organization: the highest organization role.
        production: the highest project role in production.
        elsewhere: the highest project role in any other environment.
        longest_days: for how long, at most.
        onboarding: the track that new people follow.
    """

    organization: str
    production: str
    elsewhere: str
    longest_days: int
    onboarding: str

    def project_role(self, environment: str | None) -> str:
        """The highest project role in an environment; one that is not known counts as production."""
        return self.production if environment in (None, PRODUCTION) else self.elsewhere


ORGANIZATION_ADMIN: Final = "organization_admin"
PROJECT_ADMIN: Final = "project_admin"
TRACKS: Final = (ORGANIZATION_ADMIN, PROJECT_ADMIN, roles.ANALYST, roles.CONSUMER)
"""The built-in tracks that new people follow, by what they come to do."""

PRODUCTION: Final = "production"
"""The environment that is held to the strictest rules."""

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
"""What a new type has where nothing is said."""
_FIELDS: Final = frozenset(field.name for field in fields(StandardRoles))


def with_changes(changes: Mapping[str, Mapping[str, Any]] | None) -> dict[str, StandardRoles]:
    """The standard roles with what somebody sets otherwise: type -> attribute -> value; a new type starts lowest."""
    found = dict(STANDARD_ROLES)
    for kind, values in (changes or {}).items():
        known = {name: value for name, value in values.items() if name in _FIELDS}
        found[kind] = replace(found.get(kind, _LEAST), **known)
    return found
