"""The shapes of service accounts (contract, section 6)."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from mixpanel_access.api.shapes import Instant, OrganizationRow, RoleWord, Wire, checked, rows, unintelligible
from mixpanel_access.api.wire import GRANT_TYPES
from mixpanel_access.model.access import (
    GrantType,
    NewServiceAccount,
    ServiceAccountInfo,
    ServiceAccountRole,
    service_account_name,
)
from mixpanel_access.model.other_access import AccountFlag
from mixpanel_access.model.secret import Secret


class AccountRow(OrganizationRow):
    """One service account."""

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
