"""Custom roles of a project (Enterprise). Paths and bodies are observed, some answers once published and withdrawn.

The writes are observed in use, path and body, so they pass no gate (contract, sections 0 and 7).
"""

from __future__ import annotations

from collections.abc import Iterable

from mixpanel_access.api import wire_roles
from mixpanel_access.api.transport import Transport
from mixpanel_access.model.access import CustomRoleInfo


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
        return [role for page in pages for role in wire_roles.custom_roles_from(page, project, what)]

    def permissions(self, project: int) -> frozenset[str]:
        """The permissions that can be switched; the path was once published and withdrawn.

        Raises:
            MixpanelError: this Mixpanel does not tell.
        """
        what = f"list the permissions that project {project} has for custom roles"
        return wire_roles.permissions_from(self._transport.read(_path(project, "/switch-config"), what), what)

    def create(self, project: int, name: str, description: str, permissions: Iterable[str]) -> None:
        """Make a role; the server may add permissions."""
        body = _body(name, description, permissions)
        self._transport.write(_path(project), body, f"make the custom role {name} in project {project}")

    def change(self, project: int, id_: str, name: str, description: str, permissions: Iterable[str]) -> None:
        """Change a role: name, description and permissions, always all three."""
        body = _body(name, description, permissions)
        what = f"change the custom role {name} in project {project}"
        self._transport.replace(_path(project, f"/{id_}"), body, what)

    def delete(self, project: int, id_: str) -> int | None:
        """Delete a role; whoever holds it becomes a consumer. How many they are, where the answer tells."""
        what = f"delete the custom role {id_} of project {project}"
        return wire_roles.migrated_from(self._transport.delete(_path(project, f"/{id_}"), what))


def _path(project: int, rest: str = "") -> str:
    return f"/api/app/projects/{project}/custom-roles{rest}"


def _body(name: str, description: str, permissions: Iterable[str]) -> dict[str, object]:
    return {"name": name, "description": description, "permissions": sorted(permissions)}
