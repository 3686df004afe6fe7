"""Projects in SQLite, with their custom roles (contract, sections 5 and 7)."""

from __future__ import annotations

import json
from typing import Any, Final
from uuid import uuid4

from mixpanel_access.emulator.database import StoreBase, custom_roles, insert
from mixpanel_access.model import roles
from mixpanel_access.model.dates import written

_GRANTS: Final = ("individual_grant", "team_grant", "service_account_grant")


class ProjectStore(StoreBase):
    """The projects and their custom roles."""

    def projects(self) -> list[dict[str, Any]]:
        """Every project with id, name, all_users, timezone_name, domain and custom_roles."""
        found = self._rows("SELECT * FROM project ORDER BY id")
        return [{**row, "custom_roles": custom_roles(self._db, row["id"])} for row in found]

    def project(self, id_: int) -> dict[str, Any] | None:
        """A project by its id, as in `projects`."""
        found = self._rows("SELECT * FROM project WHERE id = ?", id_) if 0 < id_ < 2**63 else []
        return {**found[0], "custom_roles": custom_roles(self._db, id_)} if found else None

    def projects_of(self, key: str) -> list[dict[str, Any]]:
        """The individual grants of a person, given by the key of the address: project id and role."""
        return self._rows("SELECT project AS id, role FROM individual_grant WHERE key = ? ORDER BY project", key)

    def add_project(self, name: str, timezone_name: str, domain: str) -> int:
        """Create a project with an id that no project had; the id."""
        id_ = self._next_id("project", 1)
        row = {"id": id_, "name": name, "timezone_name": timezone_name, "domain": domain}
        insert(self._db, "project", [row])
        return id_

    def change_project(self, id_: int, *, name: str | None = None, timezone_name: str | None = None) -> None:
        """Rename a project, or set its time zone."""
        statement = (
            "UPDATE project SET name = coalesce(?, name), timezone_name = coalesce(?, timezone_name) WHERE id = ?"
        )
        self._db.execute(statement, (name, timezone_name, id_))

    def remove_project(self, id_: int) -> None:
        """Delete a project with all grants in it."""
        self._db.execute("DELETE FROM project WHERE id = ?", (id_,))

    def custom_roles(self, project: int) -> list[dict[str, Any]]:
        """The custom roles of a project."""
        return custom_roles(self._db, project)

    def custom_role(self, project: int, role_id: str) -> dict[str, Any] | None:
        """A custom role of a project by its id."""
        return next((role for role in self.custom_roles(project) if role["role_id"] == role_id), None)

    def custom_role_name(self, project: int, role_id: str) -> str | None:
        """The name of a custom role, or None if the project does not have it."""
        role = self.custom_role(project, role_id)
        return None if role is None else str(role["name"])

    def add_custom_role(self, project: int, name: str, description: str, permissions: list[str], by: int) -> str:
        """Create a custom role; its id."""
        role_id, now = str(uuid4()), written(self.clock.now())
        row = {"project": project, "role_id": role_id, "name": name, "description": description, "created": now}
        more = {"permissions": json.dumps(permissions), "modified": now, "created_by": by}
        insert(self._db, "custom_role", [{**row, **more}])
        return role_id

    def change_custom_role(
        self, project: int, role_id: str, name: str, description: str, permissions: list[str]
    ) -> None:
        """Replace name, description and permissions of a custom role."""
        self._db.execute(
            "UPDATE custom_role SET name = ?, description = ?, permissions = ?, modified = ? "
            "WHERE project = ? AND role_id = ?",
            (name, description, json.dumps(permissions), written(self.clock.now()), project, role_id),
        )

    def remove_custom_role(self, project: int, role_id: str) -> int:
        """Delete a custom role; how many grants (people, teams, accounts, all users) become `consumer`."""
        values = (roles.CONSUMER, project, role_id)
        moved = 0
        for table in _GRANTS:
            statement = f"UPDATE {table} SET role = ? WHERE project = ? AND role = ?"  # noqa: S608  # our own names
            moved += self._db.execute(statement, values).rowcount
        statement = "UPDATE project SET all_users = ? WHERE id = ? AND all_users = ?"
        moved += self._db.execute(statement, values).rowcount
        self._db.execute("DELETE FROM custom_role WHERE project = ? AND role_id = ?", (project, role_id))
        return moved
