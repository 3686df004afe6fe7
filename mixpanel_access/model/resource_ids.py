"""The ids of resources in Pulumi's state: `ORG:EMAIL` for a member, for example."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final, Self

from mixpanel_access.model.errors import InputError
from mixpanel_access.model.roles import is_role_id

BRAKE_NAME: Final = "removal-brake"
"""The name of a brake, and the last part of its id."""
MEMBERS_NAME: Final = "members"
"""The name of a `Members` in a roster's stack, and the last part of its id."""
_DIGITS: Final = 20
"""An id has fewer digits."""


def number_in(text: str) -> int | None:
    """A text as a whole number; None for other digits than 0 to 9, and for more digits than any id has."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < _DIGITS else None


def _read(part: str, form: str) -> Any:
    """One part of an id as the type that the form names, or None."""
    if form == "EMAIL":
        return part or None
    if form.islower():
        return part if part == form else None
    if form == "ROLE_ID":
        return part.strip().lower() if is_role_id(part) else None
    return number_in(part)


@dataclass(frozen=True)
class ResourceId:
    """The id of one resource: its parts with colons between them, the organization first."""

    IS_OF: ClassVar[str]
    """The resource, for a message."""
    FORM: ClassVar[str]
    """The parts: a ROLE_ID is a UUID, an EMAIL is any text and comes last, what is in lower case stands there as it is,
    and the others are numbers."""
    WHY: ClassVar[str] = ""
    """What is wrong with a text of another form, if the form alone does not explain it."""

    organization: int

    @property
    def person(self) -> str | None:
        """The address of the resource's person; None for a resource that is not about one person."""
        return getattr(self, "email", None)

    @property
    def parts(self) -> tuple[int | str, ...]:
        """Its parts, the organization first."""
        return tuple(vars(self).values())

    def __str__(self) -> str:
        return ":".join(str(part) for part in self.parts)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an id of this form.

        Raises:
            InputError: the text has another shape.
        """
        forms = cls.FORM.split(":")
        parts = text.split(":", len(forms) - 1)
        values = [_read(part, form) for part, form in zip(parts, forms, strict=False)]
        if len(parts) < len(forms) or None in values:
            why = cls.WHY or f"it has the form {cls.FORM}"
            raise InputError(f"cannot read the id of {cls.IS_OF}", subject=text, why=why)
        return cls(*values)


@dataclass(frozen=True)
class MemberId(ResourceId):
    """One member of one organization."""

    IS_OF: ClassVar[str] = "a member"
    FORM: ClassVar[str] = "ORG:EMAIL"

    email: str


@dataclass(frozen=True)
class MembersId(ResourceId):
    """All members that one stack declares in one organization."""

    IS_OF: ClassVar[str] = "a stack's members"
    FORM: ClassVar[str] = f"ORG:{MEMBERS_NAME}"

    name: str = MEMBERS_NAME


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
    """A holder's role in one project; the holder, a team or a service account, has an id of its own."""

    project: int

    @property
    def holder(self) -> int:
        """Mixpanel's id of the holder, which is the last part."""
        return int(self.parts[-1])


@dataclass(frozen=True)
class ServiceAccountGrantId(HolderGrantId):
    """One service account's role in one project of one organization."""

    IS_OF: ClassVar[str] = "a service account's grant"
    FORM: ClassVar[str] = "ORG:PROJECT:ACCOUNT"

    account: int


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


@dataclass(frozen=True)
class TeamMemberId(ResourceId):
    """One person in one team of one organization."""

    IS_OF: ClassVar[str] = "a team's member"
    FORM: ClassVar[str] = "ORG:TEAM:EMAIL"

    team: int
    email: str


@dataclass(frozen=True)
class TeamMembersId(ResourceId):
    """All people that one stack puts into one team of one organization."""

    IS_OF: ClassVar[str] = "a team's members"
    FORM: ClassVar[str] = "ORG:TEAM"

    team: int


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
    FORM: ClassVar[str] = f"ORG:{BRAKE_NAME}"

    name: str = BRAKE_NAME
