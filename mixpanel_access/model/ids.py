"""Types and ids of resources in Pulumi's state: `ORG:EMAIL` for a member, `ORG:PROJECT:EMAIL` for a grant, ..."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from mixpanel_access.model.errors import InputError
from mixpanel_access.model.roles import is_role_id

MEMBER_TYPE: Final = "pulumi-python:dynamic/mixpanel:Member"
GRANT_TYPE: Final = "pulumi-python:dynamic/mixpanel:ProjectGrant"
PROJECT_ACCESS_TYPE: Final = "pulumi-python:dynamic/mixpanel:ProjectAccess"
TEAM_TYPE: Final = "pulumi-python:dynamic/mixpanel:Team"
TEAM_MEMBER_TYPE: Final = "pulumi-python:dynamic/mixpanel:TeamMember"
TEAM_GRANT_TYPE: Final = "pulumi-python:dynamic/mixpanel:TeamGrant"
CUSTOM_ROLE_TYPE: Final = "pulumi-python:dynamic/mixpanel:CustomRole"
ORGANIZATION_SECURITY_TYPE: Final = "pulumi-python:dynamic/mixpanel:OrganizationSecurity"
SERVICE_ACCOUNT_TYPE: Final = "pulumi-python:dynamic/mixpanel:ServiceAccount"
SERVICE_ACCOUNT_GRANT_TYPE: Final = "pulumi-python:dynamic/mixpanel:ServiceAccountGrant"
BRAKE_TYPE: Final = "pulumi-python:dynamic/mixpanel:RemovalBrake"
COMPONENT_TYPE: Final = "mixpanel:index:RosterAccess"
PROVIDER_KEY: Final = "__provider"
"""The property in which a dynamic resource keeps its pickled provider."""
COLLABORATOR_TYPE: Final = "mixpanel:index:CollaboratorAccess"


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None


@dataclass(frozen=True)
class MemberId:
    """One member of one organization."""

    organization: int
    email: str

    def __str__(self) -> str:
        return f"{self.organization}:{self.email}"

    @classmethod
    def parse(cls, text: str) -> MemberId:
        """Read `ORG:EMAIL`.

        Raises:
            InputError: the text has another shape.
        """
        organization, _, email = text.partition(":")
        if not organization.isdigit() or not email:
            raise InputError("cannot read the id of a member", whom=text, why="it has the form ORG:EMAIL")
        return cls(int(organization), email)


@dataclass(frozen=True)
class GrantId:
    """One person's individual grant in one project of one organization."""

    organization: int
    project: int
    email: str

    def __str__(self) -> str:
        return f"{self.organization}:{self.project}:{self.email}"

    @classmethod
    def parse(cls, text: str) -> GrantId:
        """Read `ORG:PROJECT:EMAIL`.

        Raises:
            InputError: the text has another shape.
        """
        organization, _, rest = text.partition(":")
        project, _, email = rest.partition(":")
        if not organization.isdigit() or not project.isdigit() or not email:
            raise InputError("cannot read the id of a grant", whom=text, why="it has the form ORG:PROJECT:EMAIL")
        return cls(int(organization), int(project), email)


@dataclass(frozen=True)
class ProjectAccessId:
    """All individual grants of one project of one organization."""

    organization: int
    project: int

    def __str__(self) -> str:
        return f"{self.organization}:{self.project}"

    @classmethod
    def parse(cls, text: str) -> ProjectAccessId:
        """Read `ORG:PROJECT`.

        Raises:
            InputError: the text has another shape.
        """
        organization, project = (_number(part) for part in (*text.split(":"), "")[:2])
        if organization is None or project is None or text.count(":") != 1:
            raise InputError("cannot read the id of a project's access", whom=text, why="it has the form ORG:PROJECT")
        return cls(organization, project)


@dataclass(frozen=True)
class ServiceAccountId:
    """One service account of one organization."""

    organization: int
    account: int

    def __str__(self) -> str:
        return f"{self.organization}:{self.account}"

    @classmethod
    def parse(cls, text: str) -> ServiceAccountId:
        """Read `ORG:ACCOUNT`.

        Raises:
            InputError: the text has another shape.
        """
        organization, account = (_number(part) for part in (*text.split(":"), "")[:2])
        if organization is None or account is None or text.count(":") != 1:
            raise InputError("cannot read the id of a service account", whom=text, why="it has the form ORG:ACCOUNT")
        return cls(organization, account)


@dataclass(frozen=True)
class ServiceAccountGrantId:
    """One service account's role in one project of one organization."""

    organization: int
    project: int
    account: int

    def __str__(self) -> str:
        return f"{self.organization}:{self.project}:{self.account}"

    @classmethod
    def parse(cls, text: str) -> ServiceAccountGrantId:
        """Read `ORG:PROJECT:ACCOUNT`.

        Raises:
            InputError: the text has another shape.
        """
        parts = [_number(part) for part in text.split(":")]
        if len(parts) != 3 or None in parts:  # as the form says
            why = "it has the form ORG:PROJECT:ACCOUNT"
            raise InputError("cannot read the id of a service account's grant", whom=text, why=why)
        organization, project, account = (part or 0 for part in parts)
        return cls(organization, project, account)


@dataclass(frozen=True)
class TeamId:
    """One team of one organization."""

    organization: int
    team: int

    def __str__(self) -> str:
        return f"{self.organization}:{self.team}"

    @classmethod
    def parse(cls, text: str) -> TeamId:
        """Read `ORG:TEAM`.

        Raises:
            InputError: the text has another shape.
        """
        organization, team = (_number(part) for part in (*text.split(":"), "")[:2])
        if organization is None or team is None or text.count(":") != 1:
            raise InputError("cannot read the id of a team", whom=text, why="it has the form ORG:TEAM")
        return cls(organization, team)


@dataclass(frozen=True)
class TeamGrantId:
    """One team's role in one project of one organization."""

    organization: int
    project: int
    team: int

    def __str__(self) -> str:
        return f"{self.organization}:{self.project}:{self.team}"

    @classmethod
    def parse(cls, text: str) -> TeamGrantId:
        """Read `ORG:PROJECT:TEAM`.

        Raises:
            InputError: the text has another shape.
        """
        parts = [_number(part) for part in text.split(":")]
        if len(parts) != 3 or None in parts:  # as the form says
            raise InputError("cannot read the id of a team's grant", whom=text, why="it has the form ORG:PROJECT:TEAM")
        organization, project, team = (part or 0 for part in parts)
        return cls(organization, project, team)


@dataclass(frozen=True)
class TeamMemberId:
    """One person in one team of one organization."""

    organization: int
    team: int
    email: str

    def __str__(self) -> str:
        return f"{self.organization}:{self.team}:{self.email}"

    @classmethod
    def parse(cls, text: str) -> TeamMemberId:
        """Read `ORG:TEAM:EMAIL`.

        Raises:
            InputError: the text has another shape.
        """
        first, _, rest = text.partition(":")
        second, _, email = rest.partition(":")
        organization, team = _number(first), _number(second)
        if organization is None or team is None or not email:
            raise InputError("cannot read the id of a team's member", whom=text, why="it has the form ORG:TEAM:EMAIL")
        return cls(organization, team, email)


@dataclass(frozen=True)
class CustomRoleId:
    """One custom role of one project of one organization."""

    organization: int
    project: int
    role: str

    def __str__(self) -> str:
        return f"{self.organization}:{self.project}:{self.role}"

    @classmethod
    def parse(cls, text: str) -> CustomRoleId:
        """Read `ORG:PROJECT:ROLE_ID`.

        Raises:
            InputError: the text has another shape.
        """
        organization, _, rest = text.partition(":")
        project, _, role = rest.partition(":")
        numbers = _number(organization), _number(project)
        if numbers[0] is None or numbers[1] is None or not is_role_id(role):
            why = "it has the form ORG:PROJECT:ROLE_ID, where the last is a UUID"
            raise InputError("cannot read the id of a custom role", whom=text, why=why)
        return cls(numbers[0], numbers[1], role.strip().lower())


@dataclass(frozen=True)
class OrganizationSecurityId:
    """The security settings of one organization."""

    organization: int

    def __str__(self) -> str:
        return str(self.organization)

    @classmethod
    def parse(cls, text: str) -> OrganizationSecurityId:
        """Read `ORG`.

        Raises:
            InputError: the text has another shape.
        """
        organization = _number(text)
        if organization is None:
            why = "it is the organization's id, a whole number"
            raise InputError("cannot read the id of an organization's security settings", whom=text, why=why)
        return cls(organization)
