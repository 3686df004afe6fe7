"""The organization's service accounts and their roles in projects. Documented (contract, section 6)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from pydantic import Field

from mixpanel_access.api.answers import Instant, Json, OrganizationRow, RoleWord, Wire, checked, rows, unintelligible
from mixpanel_access.api.projects import GRANT_TYPES
from mixpanel_access.api.transport import CallFamily
from mixpanel_access.model.access import AccountFlag, GrantType
from mixpanel_access.model.dates import written
from mixpanel_access.model.service_accounts import (
    NewServiceAccount,
    ServiceAccountInfo,
    ServiceAccountRole,
    service_account_name,
)
from mixpanel_access.model.setting_values import Secret


class AccountRow(OrganizationRow):
    """One row of the list of service accounts."""

    ROLE_NAMES: ClassVar[tuple[str, ...]] = ("org_role", "organization_role")

    id: int
    username: str
    created: Instant = None
    expires: Instant = None
    last_used: Instant = None
    creator_email: Any = None

    def account(self) -> ServiceAccountInfo:
        """The row as a value."""
        creator = self.creator_email if isinstance(self.creator_email, str) else None
        return ServiceAccountInfo(
            self.id, self.username, self.created, self.expires, self.last_used, self.role, creator
        )


class NewAccountRow(AccountRow):
    """The answer to the making of one, which has its token."""

    token: str = Field(repr=False)


class RoleRow(Wire):
    """One row of a project's service accounts."""

    id: int
    role: RoleWord = None
    target_type: str = "individual"


def accounts_from(results: Any, what: str) -> list[ServiceAccountInfo]:
    """Service accounts from the organization's list."""
    return [checked(AccountRow, row, what).account() for row in rows(results, what)]


def new_account_from(results: Any, what: str) -> NewServiceAccount:
    """A new account with its token.

    Raises:
        Unintelligible: the answer has no id or no token.
    """
    if not isinstance(results, dict) or not isinstance(results.get("token"), str) or not results["token"]:
        raise unintelligible(what, "it has no token")  # and says nothing of what it has in its place
    row = checked(NewAccountRow, results, what)
    return NewServiceAccount(row.account(), Secret(row.token))


def roles_from(results: Any, project: int, what: str) -> list[ServiceAccountRole]:
    """Roles from a project's list of service accounts; a row without a role holds none."""
    found = (checked(RoleRow, row, what) for row in rows(results, what))
    return [
        ServiceAccountRole(
            row.id, project, row.role, GRANT_TYPES.get(row.target_type.strip().lower(), GrantType.INDIVIDUAL)
        )
        for row in found
        if row.role is not None
    ]


class FlagRow(Wire):
    """One row of a project's service accounts, read for its flag."""

    id: int
    username: Any = None
    role: RoleWord = None
    sensitive: Any = Field(None, validation_alias="hasSensitiveAccess")

    def flag(self) -> AccountFlag:
        """The row as a value; a flag that is neither true nor false is unknown."""
        name = service_account_name(self.username) if isinstance(self.username, str) else ""
        return AccountFlag(
            name or str(self.id), self.role, self.sensitive if isinstance(self.sensitive, bool) else None
        )


def flags_from(results: Any, what: str) -> list[AccountFlag]:
    """The flags of a project's service accounts, whether they hold a role or not."""
    return [checked(FlagRow, row, what).flag() for row in rows(results, what)]


class ServiceAccountsEndpoint(CallFamily):
    """Service accounts of one organization."""

    def list_accounts(self) -> list[ServiceAccountInfo]:
        """Every service account, including our own; the answer has no projects."""
        what = f"list the service accounts of organization {self._organization}"
        pages = self._transport.pages(self._path(), what)
        return [account for page in pages for account in accounts_from(page, what)]

    def list_of_project(self, project: int) -> list[ServiceAccountRole]:
        """One row for each source of an account's role in the project."""
        pages, what = self._pages_of_project(project)
        return [role for page in pages for role in roles_from(page, project, what)]

    def flags_of_project(self, project: int) -> list[AccountFlag]:
        """Whether each account of the project has sensitive access, as the same list says it."""
        pages, what = self._pages_of_project(project)
        return [flag for page in pages for flag in flags_from(page, what)]

    def create(self, name: str, role: str, expires: datetime | None) -> NewServiceAccount:
        """Make an account; the server makes the name longer, and shows the token this once.

        Args:
            name: the name wanted.
            role: `admin`, `analyst` or `consumer`: project words, and yet its organization role.
            expires: from when on it is refused (whole seconds), or None for never.
        """
        what = f"make the service account {name}"
        body: dict[str, Any] = {"username": name, "role": role}
        if expires is not None:
            body["expires"] = written(expires)
        return new_account_from(self._transport.write(self._path(), body, what), what)

    def delete(self, id_: int) -> None:
        """Delete an account; its grants end with it."""
        self._transport.write(self._path(f"/{id_}"), None, f"delete the service account {id_}", "DELETE")

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
