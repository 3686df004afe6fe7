"""The shapes of teams (contract, section 4): the list may lack who is in them, which is then unknown, not empty."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import AliasChoices, Field

from mixpanel_access.api.shapes import OrganizationRow, RoleWord, Wire, checked, rows
from mixpanel_access.model.address import same_key
from mixpanel_access.model.teams import NO_ROLE, TeamInfo


class HeldRow(Wire):
    """One project of a team."""

    id: int
    role: RoleWord = None


class TeamRow(OrganizationRow):
    """One team of the organization's list; its projects are the known part of it, the rest may be missing."""

    ROLE_NAMES: ClassVar[tuple[str, ...]] = ("org_role", "organization_role")

    id: int
    name: str
    projects: list[HeldRow]
    users: Any = Field(None, validation_alias=AliasChoices("users", "members"))
    role: RoleWord = None
    scim_managed: bool | None = None

    def team(self, what: str) -> TeamInfo:
        """The row as a value."""
        return TeamInfo(
            self.id,
            self.name,
            {held.id: held.role for held in self.projects if held.role is not None},
            _addresses(self.users, what),
            (self.role or NO_ROLE) if "role" in self.model_fields_set else None,
            bool(self.scim_managed),
        )


class AccountOfTeam(Wire):
    """One service account of a team."""

    id: int


def teams_from(results: Any, what: str) -> list[TeamInfo]:
    """Teams from the organization's list."""
    if isinstance(results, dict) and isinstance(results.get("teams"), (list, dict)):
        results = results["teams"]
    return [checked(TeamRow, row, what).team(what) for row in rows(results, what)]


def created_from(results: Any, name: str) -> bool | None:
    """Whether a team of that name is new; None where the answer does not tell, which may have any shape."""
    for row in results if isinstance(results, list) else ():
        if isinstance(row, dict) and row.get("name") == name and isinstance(row.get("created"), bool):
            return bool(row["created"])
    return None


def account_ids_from(results: Any, what: str) -> list[int]:
    """The ids of a team's service accounts."""
    return [checked(AccountOfTeam, row, what).id for row in rows(results, what)]


def _addresses(users: Any, what: str) -> frozenset[str] | None:
    """The keys of the addresses; None where there is no list, or one that does not name everybody by address."""
    if not isinstance(users, (list, dict)):
        return None
    found = [row.get("email") if isinstance(row, dict) else None for row in rows(users, what)]
    known = [email for email in found if isinstance(email, str)]
    return frozenset(map(same_key, known)) if len(known) == len(found) else None
