"""The shapes of custom roles and their permissions (contract, section 7)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator

from mixpanel_access.api.shapes import Wire, checked, rows, unintelligible
from mixpanel_access.model.access import CustomRoleInfo


def _codes(value: object) -> frozenset[str] | None:
    """Permissions as a set; None where there is no list of texts."""
    if not isinstance(value, list) or not all(isinstance(code, str) for code in value):
        return None
    return frozenset(value)


class CustomRoleRow(Wire):
    """One row of a project's custom roles."""

    role_id: str
    name: str | None = None
    description: str | None = None
    permissions: Annotated[frozenset[str] | None, BeforeValidator(_codes)] = None
    is_default: bool | None = None

    def role(self, project: int) -> CustomRoleInfo:
        """The row as a value."""
        return CustomRoleInfo(project, self.role_id.lower(), self.name or "", self.description or "", self.permissions)


def custom_roles_from(results: Any, project: int, what: str) -> list[CustomRoleInfo]:
    """Custom roles from a project's list, which may have the four default roles among them."""
    found = (checked(CustomRoleRow, row, what) for row in rows(results, what))
    return [row.role(project) for row in found if not row.is_default]


def permissions_from(results: Any, what: str) -> frozenset[str]:
    """The permissions of a catalogue, whatever its groups.

    Raises:
        Unintelligible: it has none.
    """
    groups = results.get("groups") if isinstance(results, dict) else None
    found: frozenset[str] = frozenset()
    for group in groups if isinstance(groups, list) else []:
        codes = _codes(group.get("permissions")) if isinstance(group, dict) else None
        if codes is None:
            raise unintelligible(what, "a group without a list of permissions")
        found |= codes
    if not found:
        raise unintelligible(what, "it has no permissions")
    return found


def migrated_from(results: Any) -> int | None:
    """How many grants the deletion of a role has moved; None where the answer does not tell."""
    count = results.get("migrated_grants_count") if isinstance(results, dict) else None
    return count if isinstance(count, int) and not isinstance(count, bool) else None
