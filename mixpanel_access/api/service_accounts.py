"""The organization's service accounts and their roles in projects. Documented (contract, section 6)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from mixpanel_access.api import wire_accounts
from mixpanel_access.api.envelope import Json
from mixpanel_access.api.transport import Transport
from mixpanel_access.model.access import NewServiceAccount, ServiceAccountInfo, ServiceAccountRole
from mixpanel_access.model.dates import written
from mixpanel_access.model.other_access import AccountFlag


class ServiceAccountsEndpoint:
    """Service accounts of one organization."""

    def __init__(self, transport: Transport, organization: int) -> None:
        self._transport = transport
        self._organization = organization

    def list_accounts(self) -> list[ServiceAccountInfo]:
        """Every service account, ours included; the answer tells no projects."""
        what = f"list the service accounts of organization {self._organization}"
        pages = self._transport.pages(self._path(), what)
        return [account for page in pages for account in wire_accounts.accounts_from(page, what)]

    def list_of_project(self, project: int) -> list[ServiceAccountRole]:
        """One row for each way in which an account holds a role in the project."""
        pages, what = self._pages_of_project(project)
        return [role for page in pages for role in wire_accounts.roles_from(page, project, what)]

    def flags_of_project(self, project: int) -> list[AccountFlag]:
        """Whether each account of the project has sensitive access, as the same list says it."""
        pages, what = self._pages_of_project(project)
        return [flag for page in pages for flag in wire_accounts.flags_from(page, what)]

    def create(self, name: str, role: str, expires: datetime | None) -> NewServiceAccount:
        """Make an account; the server makes the name longer, and tells the token this once.

        Args:
            name: the name wanted.
            role: `admin`, `analyst` or `consumer`: project words, and yet its organization role.
            expires: from when on it is refused (whole seconds), or None for never.
        """
        what = f"make the service account {name}"
        body: dict[str, Any] = {"username": name, "role": role}
        if expires is not None:
            body["expires"] = written(expires)
        return wire_accounts.new_account_from(self._transport.write(self._path(), body, what), what)

    def delete(self, id_: int) -> None:
        """Delete an account."""
        self._transport.delete(self._path(f"/{id_}"), f"delete the service account {id_}")

    def add_to_project(self, id_: int, project: int, role: str) -> None:
        """Give an account a role in a project, or change it."""
        body = {"service_account_ids": [id_], "projects": [{"id": project, "role": role}]}
        what = f"grant {role} in project {project} to the service account {id_}"
        self._transport.write(self._path("/add-to-project"), body, what)

    def remove_from_project(self, id_: int, project: int) -> None:
        """Take an account's role in a project away."""
        body = {"projects": [{"id": project, "service_account_ids": [id_]}]}
        what = f"take the role in project {project} from the service account {id_}"
        self._transport.write(self._path("/remove-from-project"), body, what)

    def _pages_of_project(self, project: int) -> tuple[list[Json], str]:
        """The pages of a project's accounts, and what was read, as a clause that follows "cannot"."""
        what = f"list the service accounts of project {project}"
        return self._transport.pages(f"/api/app/projects/{project}/service-accounts", what, unique=False), what

    def _path(self, rest: str = "") -> str:
        return f"/api/app/organizations/{self._organization}/service-accounts{rest}"
