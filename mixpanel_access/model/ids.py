"""Types and ids of resources in Pulumi's state: `ORG:EMAIL` for a member, `ORG:PROJECT:EMAIL` for a grant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from mixpanel_access.model.errors import InputError

MEMBER_TYPE: Final = "pulumi-python:dynamic/mixpanel:Member"
GRANT_TYPE: Final = "pulumi-python:dynamic/mixpanel:ProjectGrant"
TEAM_TYPE: Final = "pulumi-python:dynamic/mixpanel:Team"
SERVICE_ACCOUNT_TYPE: Final = "pulumi-python:dynamic/mixpanel:ServiceAccount"
SERVICE_ACCOUNT_GRANT_TYPE: Final = "pulumi-python:dynamic/mixpanel:ServiceAccountGrant"
BRAKE_TYPE: Final = "pulumi-python:dynamic/mixpanel:RemovalBrake"
COMPONENT_TYPE: Final = "mixpanel:index:RosterAccess"
PROVIDER_KEY: Final = "__provider"
"""The property in which a dynamic resource keeps its pickled provider."""
COLLABORATOR_TYPE: Final = "mixpanel:index:CollaboratorAccess"


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
