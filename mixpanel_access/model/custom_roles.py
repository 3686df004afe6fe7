"""Custom roles as plain values: their names, and their permissions as a set without the server's own (contract, 7)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from mixpanel_access.model import roles

MOST_CUSTOM_ROLES: Final = 5
"""A project has no more of them (contract, section 13)."""


def problem_with_role_name(name: object) -> str | None:
    """Why this cannot be the name of a custom role, in words, or None when it can."""
    if not isinstance(name, str) or not name.strip():
        return f"{name!r} cannot be the name of a custom role"
    if roles.is_project_role(roles.normalized(name)):
        return f"{name!r} is a role that every project has; give the custom role another name"
    return None


def problem_with_permissions(permissions: object) -> str | None:
    """Why these can be no permissions, in words, or None when they can; which codes there are, Mixpanel knows."""
    if not isinstance(permissions, (list, tuple)):
        return f"{permissions!r} is not a list of permissions"
    wrong = [code for code in permissions if not isinstance(code, str) or not code.strip()]
    return f"{wrong[0]!r} is not a permission, which is a code of Mixpanel's" if wrong else None


def as_set(permissions: Iterable[str]) -> list[str]:
    """Permissions in the one order in which two equal sets are written alike."""
    return sorted({code.strip() for code in permissions})


def base_of(
    held: Iterable[str], wanted: Iterable[str], added: Iterable[str] | None, catalogue: Iterable[str] | None
) -> frozenset[str]:
    """Which of a role's permissions are the server's own: it adds them, and they are no drift.

    Args:
        held: what the role has.
        wanted: what is declared; that is never the server's own.
        added: what the server added when the role was last written; None where that is not known.
        catalogue: what can be switched; what cannot, only the server can have added. None where it is not told.
    """
    extra = frozenset(held) - frozenset(wanted)
    if added is not None:
        return extra & frozenset(added)
    return frozenset() if catalogue is None else extra - frozenset(catalogue)


@dataclass(frozen=True)
class CustomRoleInfo:
    """A role of a project's own (Enterprise); `id` is used wherever a project role is.

    Attributes:
        permissions: codes that only Mixpanel knows the meaning of; None where they are not told.
    """

    project: int
    id: str
    name: str
    description: str = ""
    permissions: frozenset[str] | None = None
