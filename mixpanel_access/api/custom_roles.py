"""Custom roles of a project (Enterprise). Paths and bodies are in use, some answers once published and withdrawn.

The writes are in use, path and body, so they pass no gate (contract, sections 0 and 7).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import BeforeValidator

from mixpanel_access.api.answers import Wire, checked, rows, unintelligible
from mixpanel_access.api.transport import Transport
from mixpanel_access.model.roles import CustomRoleInfo


def _codes(value: object) -> frozenset[str] | None:
    """Permissions as a set; None for anything but a list of texts."""
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
    """How many grants the deletion of a role has moved; None if the answer does not say so."""
    count = results.get("migrated_grants_count") if isinstance(results, dict) else None
    return count if isinstance(count, int) and not isinstance(count, bool) else None


class CustomRolesEndpoint:
    """The roles that projects have of their own."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list_roles(self, project: int) -> list[CustomRoleInfo]:
        """The project's custom roles; the four default roles are left out.

        Raises:
            Forbidden: the plan has none, or our role in the project is too low.
        """
        what = f"list the custom roles of project {project}"
        pages = self._transport.pages(_path(project), what)
        return [role for page in pages for role in custom_roles_from(page, project, what)]

    def permissions(self, project: int) -> frozenset[str]:
        """The permissions that can be switched; the path was once published and withdrawn.

        Raises:
            MixpanelError: this Mixpanel does not list them.
        """
        what = f"list the permissions that project {project} has for custom roles"
        return permissions_from(self._transport.read(_path(project, "/switch-config"), what), what)

    def create(self, project: int, name: str, description: str, permissions: Iterable[str]) -> None:
        """Make a role; the server may add permissions."""
        body = _body(name, description, permissions)
        self._transport.write(_path(project), body, f"make the custom role {name} in project {project}")

    def change(self, project: int, id_: str, name: str, description: str, permissions: Iterable[str]) -> None:
        """Change a role: name, description and permissions, always all three."""
        body = _body(name, description, permissions)
        what = f"change the custom role {name} in project {project}"
        self._transport.write(_path(project, f"/{id_}"), body, what, "PUT")

    def delete(self, project: int, id_: str) -> int | None:
        """Delete a role; its holders become consumers. Returns how many, if the answer says so."""
        what = f"delete the custom role {id_} of project {project}"
        return migrated_from(self._transport.write(_path(project, f"/{id_}"), None, what, "DELETE"))


def _path(project: int, rest: str = "") -> str:
    return f"/api/app/projects/{project}/custom-roles{rest}"


def _body(name: str, description: str, permissions: Iterable[str]) -> dict[str, object]:
    return {"name": name, "description": description, "permissions": sorted(permissions)}
