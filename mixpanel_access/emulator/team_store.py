"""Teams in SQLite: their people, their projects, their service accounts (contract, section 4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mixpanel_access.emulator.database import TEAM_ROLES, StoreBase, insert
from mixpanel_access.model.address import same_key


@dataclass(frozen=True)
class StoredTeam:
    """A team.

    Attributes:
        org_role: the organization role that it gives; it can be set only in the product.
        scim_managed: whether an identity provider feeds it.
        external_id: the identity provider's own id.
    """

    id: int
    name: str
    org_role: str | None = None
    scim_managed: bool = False
    external_id: str | None = None


class TeamStore(StoreBase):
    """The part of the store with teams."""

    def teams(self) -> list[StoredTeam]:
        """Every team, by id."""
        return [_team(row) for row in self._rows("SELECT * FROM team ORDER BY id")]

    def team(self, id_: int) -> StoredTeam | None:
        """A team by its id."""
        found = self._rows("SELECT * FROM team WHERE id = ?", id_) if 0 < id_ < 2**63 else []
        return _team(found[0]) if found else None

    def team_by_name(self, name: str) -> StoredTeam | None:
        """A team by its name, in any case."""
        return next((team for team in self.teams() if same_key(team.name) == same_key(name)), None)

    def teams_with(self, email: str) -> list[StoredTeam]:
        """The teams of a person."""
        statement = "SELECT t.* FROM team t JOIN team_member m ON m.team = t.id WHERE m.key = ? ORDER BY t.id"
        return [_team(row) for row in self._rows(statement, same_key(email))]

    def feed_team(self, id_: int, name: str, external_id: str | None) -> None:
        """Note that an identity provider feeds a team, with the name and id that it sent."""
        statement = "UPDATE team SET name = ?, external_id = ?, scim_managed = 1 WHERE id = ?"
        self._db.execute(statement, (name, external_id, id_))

    def add_team(self, name: str, *, scim_managed: bool = False, external_id: str | None = None) -> StoredTeam:
        """Create a team with an id that no team had."""
        row = {"id": self._next_id("team", 1), "name": name, "scim_managed": scim_managed, "external_id": external_id}
        insert(self._db, "team", [row])
        return _team({**row, "org_role": None})

    def rename_team(self, id_: int, name: str) -> None:
        """Give a team another name."""
        self._db.execute("UPDATE team SET name = ? WHERE id = ?", (name, id_))

    def remove_team(self, id_: int) -> None:
        """Delete a team with its grants."""
        self._db.execute("DELETE FROM team WHERE id = ?", (id_,))

    def team_members(self, id_: int) -> list[dict[str, Any]]:
        """Id and address of a team's people."""
        statement = "SELECT m.id, m.email FROM team_member t JOIN member m ON m.key = t.key WHERE t.team = ?"
        return self._rows(f"{statement} ORDER BY t.rowid", id_)

    def join_team(self, id_: int, email: str) -> bool:
        """Add a person to a team; whether they are new in it."""
        statement = "INSERT OR IGNORE INTO team_member (team, key) VALUES (?, ?)"
        return self._db.execute(statement, (id_, same_key(email))).rowcount > 0

    def leave_team(self, id_: int, email: str) -> bool:
        """Take a person out of a team; whether they were in it."""
        statement = "DELETE FROM team_member WHERE team = ? AND key = ?"
        return self._db.execute(statement, (id_, same_key(email))).rowcount > 0

    def team_projects(self, id_: int) -> list[dict[str, Any]]:
        """A team's grants: project id and role."""
        return self._rows("SELECT project AS id, role FROM team_grant WHERE team = ? ORDER BY project", id_)

    def put_team_grant(self, id_: int, project: int, role: str | None) -> str | None:
        """Give, change or (None) take away a team's role in a project; the old role."""
        found = self._rows("SELECT role FROM team_grant WHERE team = ? AND project = ?", id_, project)
        if role is None:
            self._db.execute("DELETE FROM team_grant WHERE team = ? AND project = ?", (id_, project))
        else:
            self._db.execute(
                "INSERT INTO team_grant (team, project, role) VALUES (?, ?, ?) "
                "ON CONFLICT DO UPDATE SET role = excluded.role",
                (id_, project, role),
            )
        return found[0]["role"] if found else None

    def teams_of(self, project: int) -> list[dict[str, Any]]:
        """The teams with a role in a project: id, name, role."""
        return self._rows(
            f"SELECT t.id, t.name, g.role FROM {TEAM_ROLES} g JOIN team t ON t.id = g.team "  # noqa: S608  # our own
            "WHERE g.project = ? ORDER BY t.id",
            project,
        )

    def team_grants(self, project: int) -> list[dict[str, Any]]:
        """A row for each member of each team with a role in a project: key, role, id, name."""
        return self._rows(
            f"SELECT m.key, g.role, t.id, t.name FROM {TEAM_ROLES} g JOIN team t ON t.id = g.team "  # noqa: S608  # our own
            "JOIN team_member m ON m.team = t.id WHERE g.project = ? ORDER BY t.id, m.rowid",
            project,
        )

    def team_account_ids(self, id_: int) -> list[int]:
        """The service accounts of a team."""
        found = self._rows("SELECT account FROM team_service_account WHERE team = ? ORDER BY account", id_)
        return [row["account"] for row in found]

    def put_team_account(self, id_: int, account: int, *, member: bool) -> bool:
        """Add a service account to a team or take it out; whether that changed anything."""
        statement = (
            "INSERT OR IGNORE INTO team_service_account (team, account) VALUES (?, ?)"
            if member
            else "DELETE FROM team_service_account WHERE team = ? AND account = ?"
        )
        return self._db.execute(statement, (id_, account)).rowcount > 0


def _team(row: dict[str, Any]) -> StoredTeam:
    return StoredTeam(**{**row, "scim_managed": bool(row["scim_managed"])})
