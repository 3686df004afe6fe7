"""Projects in SQLite (contract, section 5)."""

from __future__ import annotations

from typing import Any

from mixpanel_access.emulator.store_base import StoreBase
from mixpanel_access.emulator.tables import custom_roles, insert


class ProjectStore(StoreBase):
    """The projects."""

    def projects(self) -> list[dict[str, Any]]:
        """Every project: id, name, all_users, timezone_name, domain, custom_roles."""
        found = self._rows("SELECT * FROM project ORDER BY id")
        return [{**row, "custom_roles": custom_roles(self._db, row["id"])} for row in found]

    def project(self, id_: int) -> dict[str, Any] | None:
        """One of them."""
        found = self._rows("SELECT * FROM project WHERE id = ?", id_) if 0 < id_ < 2**63 else []
        return {**found[0], "custom_roles": custom_roles(self._db, id_)} if found else None

    def projects_of(self, key: str) -> list[dict[str, Any]]:
        """The individual grants of one person, by the key of the address: project id and role."""
        return self._rows("SELECT project AS id, role FROM individual_grant WHERE key = ? ORDER BY project", key)

    def add_project(self, name: str, timezone_name: str, domain: str) -> int:
        """Make a project; an id that no project had."""
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
        """Delete a project with everything that was granted in it."""
        self._db.execute("DELETE FROM project WHERE id = ?", (id_,))
