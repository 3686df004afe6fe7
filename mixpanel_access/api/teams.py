"""The organization's teams, their projects and people (contract, section 4).

List, names, deletion and projects are in use. How people come into a team and out of it is assumed, and passes
the gate of `undocumented.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from pydantic import AliasChoices, Field

from mixpanel_access.api.answers import OrganizationRow, RoleWord, Wire, checked, rows
from mixpanel_access.api.transport import CallFamily, Transport
from mixpanel_access.api.undocumented import Gate
from mixpanel_access.model.address import same_key
from mixpanel_access.model.grouping import grouped
from mixpanel_access.model.settings import Verb
from mixpanel_access.model.teams import NO_ROLE, TeamInfo


class TeamProjectRow(Wire):
    """One project of a team."""

    id: int
    role: RoleWord = None


class TeamRow(OrganizationRow):
    """One team of the organization's list; its projects are the known part of it, the rest may be missing."""

    ROLE_NAMES: ClassVar[tuple[str, ...]] = ("org_role", "organization_role")

    id: int
    name: str
    projects: list[TeamProjectRow]
    users: Any = Field(None, validation_alias=AliasChoices("users", "members"))
    role: RoleWord = None
    scim_managed: bool | None = None

    def team(self, what: str) -> TeamInfo:
        """The row as a value."""
        return TeamInfo(
            self.id,
            self.name,
            {row.id: row.role for row in self.projects if row.role is not None},
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
    """Whether a team of that name is new; None if the answer does not say so, in whatever shape."""
    for row in results if isinstance(results, list) else ():
        if isinstance(row, dict) and row.get("name") == name and isinstance(row.get("created"), bool):
            return bool(row["created"])
    return None


def account_ids_from(results: Any, what: str) -> list[int]:
    """The ids of a team's service accounts."""
    return [checked(AccountOfTeam, row, what).id for row in rows(results, what)]


def _addresses(users: Any, what: str) -> frozenset[str] | None:
    """The keys of the addresses; None without a list, or if it does not have everybody's address."""
    if not isinstance(users, (list, dict)):
        return None
    found = [row.get("email") if isinstance(row, dict) else None for row in rows(users, what)]
    known = [email for email in found if isinstance(email, str)]
    return frozenset(map(same_key, known)) if len(known) == len(found) else None


class TeamsEndpoint(CallFamily):
    """Teams of one organization."""

    def __init__(self, transport: Transport, organization: int, gate: Gate) -> None:
        super().__init__(transport, organization)
        self._gate = gate

    def list_teams(self) -> list[TeamInfo]:
        """Every team, with its projects, and its people where the list has them."""
        what = f"list the teams of organization {self._organization}"
        pages = self._transport.pages(self._path("teams"), what)
        return [team for page in pages for team in teams_from(page, what)]

    def service_accounts_of(self, team: int) -> list[int]:
        """The ids of the service accounts in a team."""
        what = f"list the service accounts of team {team}"
        path = f"/api/app/organizations/{self._organization}/teams/{team}/service-accounts"
        pages = self._transport.pages(path, what)
        return [id_ for page in pages for id_ in account_ids_from(page, what)]

    def create(self, name: str) -> bool | None:
        """Make a team; the answer has no id.

        Returns:
            Whether it is new: an existing name is not an error. None if the answer does not say so.
        """
        what = f"make the team {name}"
        return created_from(self._transport.write(self._path("add-teams/"), {"teamNames": [name]}, what), name)

    def rename(self, team: int, name: str) -> None:
        """Give a team another name."""
        self._transport.write(self._path(f"teams/{team}/update/"), {"name": name}, f"rename team {team} to {name}")

    def delete(self, team: int) -> None:
        """Delete a team with all that it gives."""
        self._transport.write(self._path("delete-teams/"), {"teamIds": [team]}, f"delete team {team}")

    def grant(self, roles: Mapping[tuple[int, int], str]) -> None:
        """Give teams roles in projects, or change them in place.

        Args:
            roles: (team id, project id) -> project role. Ids go out as numbers: a string gets HTTP 500.
        """
        teams = grouped((team, {"id": project, "role": role}) for (team, project), role in roles.items())
        body = {
            "teams": [{"id": team, "projects": projects} for team, projects in teams.items()],
            "add_default_projects": False,
        }
        words = ", ".join(f"{role} in project {project} to team {team}" for (team, project), role in roles.items())
        self._transport.write(self._path("add-projects-to-teams/"), body, f"grant {words}")

    def remove_grant(self, team: int, project: int) -> None:
        """Take a team's role in a project away."""
        what = f"take the role in project {project} from team {team}"
        self._transport.write(self._path(f"teams/{team}/delete-projects/"), {"projectIds": [project]}, what)

    def add_members(self, members: Iterable[tuple[int, str]]) -> None:
        """Put people into teams; each by team id and address."""
        teams = grouped(members)
        body = {"teams": [{"id": team, "users": [{"email": one} for one in who]} for team, who in teams.items()]}
        what = f"add to team {', '.join(map(str, teams))}"
        self._gate.write(
            Verb.ADD_TO_TEAMS,
            what,
            [email for who in teams.values() for email in who],
            self._path("add-users-to-teams/"),
            body,
        )

    def remove_member(self, team: int, email: str) -> None:
        """Take a person out of a team; nothing else of theirs changes."""
        path = f"teams/{team}/delete-users/"
        self._gate.write(
            Verb.REMOVE_FROM_TEAMS, f"take out of team {team}", [email], self._path(path), {"emails": [email]}
        )
