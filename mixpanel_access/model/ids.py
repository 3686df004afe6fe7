"""Types and ids of resources in Pulumi's state: `ORG:EMAIL` for a member, `ORG:PROJECT:EMAIL` for a grant, ..."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import Any, ClassVar, Final, Self

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
SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
"""The key by which the engine marks a value of its own kind, such as a secret, in an exported state."""
PROVIDER_KEY: Final = "__provider"
"""The property in which a dynamic resource keeps its pickled provider."""
COLLABORATOR_TYPE: Final = "mixpanel:index:CollaboratorAccess"
REMOVAL_BRAKE: Final = "removal-brake"
"""The last part of a brake's id: an organization has one in each stack."""
_DIGITS: Final = 20
"""An id has fewer digits."""


def number_in(text: str) -> int | None:
    """The whole number that a text is; None for one in other digits than 0 to 9, and for one longer than any id."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < _DIGITS else None


def _read(part: str, kind: str) -> Any:
    """One part of an id as what the form says it is; None where it is no such thing."""
    if kind == "EMAIL":
        return part or None
    if kind == REMOVAL_BRAKE:
        return part if part == REMOVAL_BRAKE else None
    if kind == "ROLE_ID":
        return part.strip().lower() if is_role_id(part) else None
    return number_in(part)


@dataclass(frozen=True)
class ResourceId:
    """The id of one resource: its parts with colons between them, the organization first."""

    IS_OF: ClassVar[str]
    """What it is the id of, for a message."""
    FORM: ClassVar[str]
    """The parts: a ROLE_ID is a UUID, an EMAIL any text, as the last part with colons or not; the rest are numbers."""
    WHY: ClassVar[str] = ""
    """What is wrong with a text of another form, where that alone does not say it."""

    organization: int

    def __str__(self) -> str:
        return ":".join(str(part) for part in astuple(self))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an id of this form.

        Raises:
            InputError: the text has another shape.
        """
        kinds = cls.FORM.split(":")
        parts = text.split(":", len(kinds) - 1)
        values = [_read(part, kind) for part, kind in zip(parts, kinds, strict=False)]
        if len(parts) < len(kinds) or None in values:
            why = cls.WHY or f"it has the form {cls.FORM}"
            raise InputError(f"cannot read the id of {cls.IS_OF}", whom=text, why=why)
        return cls(*values)


@dataclass(frozen=True)
class MemberId(ResourceId):
    """One member of one organization."""

    IS_OF: ClassVar[str] = "a member"
    FORM: ClassVar[str] = "ORG:EMAIL"

    email: str


@dataclass(frozen=True)
class GrantId(ResourceId):
    """One person's individual grant in one project of one organization."""

    IS_OF: ClassVar[str] = "a grant"
    FORM: ClassVar[str] = "ORG:PROJECT:EMAIL"

    project: int
    email: str


@dataclass(frozen=True)
class ProjectAccessId(ResourceId):
    """All individual grants of one project of one organization."""

    IS_OF: ClassVar[str] = "a project's access"
    FORM: ClassVar[str] = "ORG:PROJECT"

    project: int


@dataclass(frozen=True)
class ServiceAccountId(ResourceId):
    """One service account of one organization."""

    IS_OF: ClassVar[str] = "a service account"
    FORM: ClassVar[str] = "ORG:ACCOUNT"

    account: int


@dataclass(frozen=True)
class HolderGrantId(ResourceId):
    """The role in one project of a holder that has an id of its own."""

    project: int

    @property
    def holder(self) -> int:
        """Mixpanel's id of the holder."""
        raise NotImplementedError


@dataclass(frozen=True)
class ServiceAccountGrantId(HolderGrantId):
    """One service account's role in one project of one organization."""

    IS_OF: ClassVar[str] = "a service account's grant"
    FORM: ClassVar[str] = "ORG:PROJECT:ACCOUNT"

    account: int

    @property
    def holder(self) -> int:
        """The account."""
        return self.account


@dataclass(frozen=True)
class TeamId(ResourceId):
    """One team of one organization."""

    IS_OF: ClassVar[str] = "a team"
    FORM: ClassVar[str] = "ORG:TEAM"

    team: int


@dataclass(frozen=True)
class TeamGrantId(HolderGrantId):
    """One team's role in one project of one organization."""

    IS_OF: ClassVar[str] = "a team's grant"
    FORM: ClassVar[str] = "ORG:PROJECT:TEAM"

    team: int

    @property
    def holder(self) -> int:
        """The team."""
        return self.team


@dataclass(frozen=True)
class TeamMemberId(ResourceId):
    """One person in one team of one organization."""

    IS_OF: ClassVar[str] = "a team's member"
    FORM: ClassVar[str] = "ORG:TEAM:EMAIL"

    team: int
    email: str


@dataclass(frozen=True)
class CustomRoleId(ResourceId):
    """One custom role of one project of one organization."""

    IS_OF: ClassVar[str] = "a custom role"
    FORM: ClassVar[str] = "ORG:PROJECT:ROLE_ID"
    WHY: ClassVar[str] = "it has the form ORG:PROJECT:ROLE_ID, where the last is a UUID"

    project: int
    role: str


@dataclass(frozen=True)
class OrganizationSecurityId(ResourceId):
    """The security settings of one organization."""

    IS_OF: ClassVar[str] = "an organization's security settings"
    FORM: ClassVar[str] = "ORG"
    WHY: ClassVar[str] = "it is the organization's id, a whole number"


@dataclass(frozen=True)
class RemovalBrakeId(ResourceId):
    """The brake over the removals of one stack."""

    IS_OF: ClassVar[str] = "a removal brake"
    FORM: ClassVar[str] = f"ORG:{REMOVAL_BRAKE}"

    name: str = REMOVAL_BRAKE
