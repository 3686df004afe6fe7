"""The few calls of Mixpanel that the directory makes; `api/` has them, and so does any fake."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from mixpanel_access.model.access import Grant, Person, Project, ScimUser
from mixpanel_access.model.audit import AuditEvent
from mixpanel_access.model.custom_roles import CustomRoleInfo
from mixpanel_access.model.other_access import AccountFlag, Discoverability
from mixpanel_access.model.rights import Identity
from mixpanel_access.model.security import SingleSignOn
from mixpanel_access.model.service_accounts import NewServiceAccount, ServiceAccountInfo, ServiceAccountRole
from mixpanel_access.model.teams import ScimGroup, TeamInfo


class Me(Protocol):
    """Who we are."""

    def read(self) -> Identity:
        """Our login name and organizations."""


class Users(Protocol):
    """The organization's users."""

    def list_users(self) -> list[Person]:
        """Members and invited people."""

    def invite(self, roles: Mapping[str, str]) -> None:
        """Invite addresses, each with its organization role."""

    def grant(self, roles: Mapping[tuple[int, str], str]) -> None:
        """Give or change individual project roles."""

    def change_role(self, email: str, role: str) -> None:
        """Change a person's organization role."""

    def remove_grants(self, email: str, projects: Iterable[int]) -> None:
        """Take individual grants away."""

    def remove(self, emails: Iterable[str]) -> None:
        """Remove people from the organization."""

    def resend(self, emails: Iterable[str]) -> None:
        """Send pending invitations again."""


class Projects(Protocol):
    """The organization's projects."""

    def list_projects(self) -> list[Project]:
        """Every project."""

    def granted_users(self, project: int) -> list[Grant]:
        """Who holds what in a project."""


class CustomRoles(Protocol):
    """The custom roles of projects."""

    def list_roles(self, project: int) -> list[CustomRoleInfo]:
        """The custom roles of a project."""

    def permissions(self, project: int) -> frozenset[str]:
        """The permissions that there are."""

    def create(self, project: int, name: str, description: str, permissions: Iterable[str]) -> None:
        """Make a role."""

    def change(self, project: int, id_: str, name: str, description: str, permissions: Iterable[str]) -> None:
        """Change all of a role."""

    def delete(self, project: int, id_: str) -> int | None:
        """Delete a role; how many grants of it are now of a consumer, where the answer tells."""


class ServiceAccounts(Protocol):
    """The organization's service accounts."""

    def list_accounts(self) -> list[ServiceAccountInfo]:
        """Every service account."""

    def list_of_project(self, project: int) -> list[ServiceAccountRole]:
        """Which accounts hold what in a project."""

    def flags_of_project(self, project: int) -> list[AccountFlag]:
        """Which accounts of a project have sensitive access."""

    def create(self, name: str, role: str, expires: datetime | None) -> NewServiceAccount:
        """Make an account."""

    def delete(self, id_: int) -> None:
        """Delete an account."""

    def add_to_project(self, id_: int, project: int, role: str) -> None:
        """Give or change a role in a project."""

    def remove_from_project(self, id_: int, project: int) -> None:
        """Take the role in a project away."""


class Teams(Protocol):
    """The organization's teams."""

    def list_teams(self) -> list[TeamInfo]:
        """Every team."""

    def service_accounts_of(self, team: int) -> list[int]:
        """The ids of the service accounts in a team."""

    def create(self, name: str) -> bool | None:
        """Make a team; whether it is new, or None where that is not told."""

    def rename(self, team: int, name: str) -> None:
        """Give a team another name."""

    def delete(self, team: int) -> None:
        """Delete a team."""

    def grant(self, roles: Mapping[tuple[int, int], str]) -> None:
        """Give or change teams' roles in projects."""

    def remove_grant(self, team: int, project: int) -> None:
        """Take a team's role in a project away."""

    def add_members(self, members: Iterable[tuple[int, str]]) -> None:
        """Put people into teams."""

    def remove_member(self, team: int, email: str) -> None:
        """Take a person out of a team."""


class OrganizationSettings(Protocol):
    """The organization's security settings."""

    def two_factor(self) -> Mapping[str, object]:
        """The settings on the second factor."""

    def request_access(self) -> Mapping[str, object]:
        """The settings on requests for access."""

    def put_two_factor(self, settings: Mapping[str, object]) -> None:
        """Put the settings on the second factor."""

    def put_request_access(self, settings: Mapping[str, object]) -> None:
        """Put the settings on requests for access."""

    def sso(self) -> SingleSignOn:
        """Single sign-on."""

    def discoverability(self) -> Discoverability:
        """How people come into the organization by themselves."""


class AuditLog(Protocol):
    """The organization's audit log."""

    @property
    def fallback(self) -> str:
        """Why it is not read by the Platform API, or ""."""

    def events(
        self, types: Sequence[str], since: datetime, until: datetime, pages: int | None = None
    ) -> list[AuditEvent]:
        """The events of some types within a span; of all pages, or of the first ones, which have the newest."""


class Scim(Protocol):
    """People of claimed domains and their groups, by the SCIM token."""

    def list_users(self) -> list[ScimUser]:
        """Everybody whom SCIM knows."""

    def find_user(self, email: str) -> ScimUser | None:
        """Somebody by their address."""

    def create(self, email: str) -> None:
        """Make somebody a member."""

    def set_active(self, user: ScimUser, *, active: bool) -> None:
        """Let somebody in again, or keep them out."""

    def find_group(self, name: str) -> ScimGroup | None:
        """The group of a name."""

    def create_group(self, name: str, members: Iterable[str]) -> None:
        """Make a group of users."""

    def change_group(self, id_: str, name: str, joining: Iterable[str], leaving: Iterable[str]) -> None:
        """Put users into a group and take others out."""

    def rename_group(self, id_: str, name: str) -> None:
        """Give a group another name."""


class Api(Protocol):
    """All of them."""

    @property
    def me(self) -> Me:
        """Who we are."""

    @property
    def users(self) -> Users:
        """The organization's users."""

    @property
    def projects(self) -> Projects:
        """The organization's projects."""

    @property
    def custom_roles(self) -> CustomRoles:
        """The custom roles of projects."""

    @property
    def service_accounts(self) -> ServiceAccounts:
        """The organization's service accounts."""

    @property
    def teams(self) -> Teams:
        """The organization's teams."""

    @property
    def organization_settings(self) -> OrganizationSettings:
        """The organization's security settings."""

    @property
    def audit_log(self) -> AuditLog:
        """The organization's audit log."""

    @property
    def scim(self) -> Scim | None:
        """SCIM, or None without a token."""
