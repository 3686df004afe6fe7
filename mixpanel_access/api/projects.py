"""The organization's projects. Observed in the official provider (contract, section 5); reads only."""

from __future__ import annotations

from typing import Any

from mixpanel_access.api.answers import RoleWord, Wire, checked, rows
from mixpanel_access.api.transport import CallFamily
from mixpanel_access.model.access import Grant, GrantType, Project


class TeamName(Wire):
    """A team as other rows name it."""

    name: str | None = None


class GrantedRow(Wire):
    """One row of a project's granted users."""

    email: str
    role: RoleWord = None
    target_type: str = "individual"
    team: TeamName | None = None

    def grant(self, project: int) -> Grant | None:
        """The row as a value, or None where it holds no role."""
        if self.role is None:
            return None
        grant_type = GRANT_TYPES.get(self.target_type.strip().lower(), GrantType.INDIVIDUAL)
        return Grant(project, self.email, self.role, grant_type, self.team.name if self.team else None)


GRANT_TYPES = {
    "individual": GrantType.INDIVIDUAL,
    "team": GrantType.TEAM,
    "organization": GrantType.ORGANIZATION_ROLE,
    "organization_role": GrantType.ORGANIZATION_ROLE,
    "all_users": GrantType.ALL_USERS,
}
"""The wire's words for how a grant comes about."""


class ProjectRow(Wire):
    """One row of the organization's projects list; its keys and secrets are not read."""

    id: int
    name: str | None = None


def grants_from(results: Any, project: int, what: str) -> list[Grant]:
    """Grants from any known form of a project's granted users."""
    if isinstance(results, dict) and isinstance(results.get("users"), (list, dict)):
        results = results["users"]
    grants = (checked(GrantedRow, row, what).grant(project) for row in rows(results, what))
    return [grant for grant in grants if grant is not None]


def projects_from(results: Any, what: str) -> list[Project]:
    """Projects from the organization's list."""
    if isinstance(results, dict) and isinstance(results.get("projects"), list):
        results = results["projects"]
    found = (checked(ProjectRow, row, what) for row in rows(results, what))
    return [Project(row.id, row.name or "") for row in found]


class ProjectsEndpoint(CallFamily):
    """Projects of one organization, and who holds what in each."""

    def list_projects(self) -> list[Project]:
        """Every project of the organization that we can see."""
        what = f"list the projects of organization {self._organization}"
        pages = self._transport.pages(self._path("projects/"), what)
        return [project for page in pages for project in projects_from(page, what)]

    def granted_users(self, project: int) -> list[Grant]:
        """One row for each source of a person's role in the project.

        The path was once published and withdrawn, its shape is assumed (contract, section 3).
        """
        what = f"read who has access to project {project}"
        pages = self._transport.pages(f"/api/app/projects/{project}/granted-users", what, unique=False)
        return [grant for page in pages for grant in grants_from(page, project, what)]
