"""Custom roles of the fake organization's projects."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from mixpanel_access.model.errors import NotFound
from mixpanel_access.model.roles import CustomRoleInfo

if TYPE_CHECKING:
    from tests.fakes import FakeApi

BASE = "view"
"""What the server adds to every role; the catalogue does not list it."""
CODES = frozenset({"export", "share", "classified"})


def role_id(number: int) -> str:
    """The id of a role."""
    return f"5b0c0c3e-0000-4000-8000-{number:012}"


@dataclass
class FakeRoles:
    """Keeps roles; counts and fails as the organization's fake is told."""

    api: FakeApi
    rows: list[CustomRoleInfo] = field(default_factory=list)

    def put(self, project: int, name: str, *permissions: str, description: str = "") -> CustomRoleInfo:
        role = CustomRoleInfo(project, role_id(1 + len(self.rows)), name, description, frozenset({BASE, *permissions}))
        self.rows.append(role)
        return role

    def list_roles(self, project: int) -> list[CustomRoleInfo]:
        self.api.calls["custom_roles"] += 1
        self.api.fail("custom_roles")
        if project not in self.api.projects_:
            raise NotFound(f"cannot list the custom roles of project {project}", why="404")
        return [role for role in self.rows if role.project == project]

    def permissions(self, project: int) -> frozenset[str]:  # all projects have the same
        self.api.calls["permissions"] += 1
        self.api.fail("permissions")
        return CODES

    def create(self, project: int, name: str, description: str, permissions: Iterable[str]) -> None:
        with self.api.writing("create_role", (project, name, description, tuple(sorted(permissions)))) as writing:
            if writing:
                self.put(project, name, *permissions, description=description)

    def change(self, project: int, id_: str, name: str, description: str, permissions: Iterable[str]) -> None:
        with self.api.writing("put_role", (project, id_, name, description, tuple(sorted(permissions)))) as writing:
            if writing:
                held = self._of(project, id_)
                changed = replace(held, name=name, description=description, permissions=frozenset({BASE, *permissions}))
                self.rows[self.rows.index(held)] = changed

    def delete(self, project: int, id_: str) -> int | None:
        with self.api.writing("delete_role", (project, id_)) as writing:
            if not writing:
                return None
            self.rows.remove(self._of(project, id_))
            held = [grant for grant in self.api.rows if (grant.project, grant.role) == (project, id_)]
            self.api.rows = [replace(grant, role="consumer") if grant in held else grant for grant in self.api.rows]
            accounts = self.api.service_accounts
            moved = [row for row in accounts.rows if (row.project, row.role) == (project, id_)]
            accounts.rows = [replace(row, role="consumer") if row in moved else row for row in accounts.rows]
            return len(held) + len(moved) + self._move_teams(project, id_)

    def _move_teams(self, project: int, id_: str) -> int:
        teams = self.api.teams.teams
        moved = [team for team in teams.values() if team.projects.get(project) == id_]
        teams |= {team.id: replace(team, projects={**team.projects, project: "consumer"}) for team in moved}
        return len(moved)

    def _of(self, project: int, id_: str) -> CustomRoleInfo:
        for role in self.rows:
            if (role.project, role.id) == (project, id_):
                return role
        raise NotFound(f"project {project} has no custom role {id_}", why="404")
