"""The organization's projects. Observed in the official provider (contract, section 5); reads only."""

from __future__ import annotations

from mixpanel_access.api import wire
from mixpanel_access.api.transport import Transport
from mixpanel_access.model.access import Grant, Project


class ProjectsEndpoint:
    """Projects of one organization, and who holds what in each."""

    def __init__(self, transport: Transport, organization: int) -> None:
        self._transport = transport
        self._organization = organization

    def list_projects(self) -> list[Project]:
        """Every project of the organization that we can see."""
        what = f"list the projects of organization {self._organization}"
        pages = self._transport.pages(f"/organizations/{self._organization}/projects/", what)
        return [project for page in pages for project in wire.projects_from(page, what)]

    def granted_users(self, project: int) -> list[Grant]:
        """One row for each way in which a person holds a role in the project.

        The path was once published and withdrawn, its shape is assumed (contract, section 3).
        """
        what = f"read who has access to project {project}"
        pages = self._transport.pages(f"/api/app/projects/{project}/granted-users", what, unique=False)
        return [grant for page in pages for grant in wire.grants_from(page, project, what)]
