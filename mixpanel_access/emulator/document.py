"""The organization document: what is seeded and dumped. Seeding a dump makes the same organization again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from datetime import UTC, datetime
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from mixpanel_access.model import roles
from mixpanel_access.model.address import problem_with, same_key

_FIRST_YEAR: Final = 1970
_LAST_YEAR: Final = 8999
_LONGEST_LIFE: Final = 36_500  # days

OrganizationRole = Literal["owner", "admin", "billing_admin", "member"]


def _address(email: str) -> str:
    if reason := problem_with(email):
        raise ValueError(reason)
    return email


def _utc(value: datetime) -> datetime:
    """In UTC, and far enough from the ends of the calendar to reckon with."""
    if not _FIRST_YEAR <= value.year <= _LAST_YEAR:
        raise ValueError(f"the year is not between {_FIRST_YEAR} and {_LAST_YEAR}")
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _project_role(role: str) -> str:
    if not roles.is_project_role(role):
        raise ValueError(f"{role!r} is neither a project role nor a custom role's id")
    return role


Email = Annotated[str, AfterValidator(_address)]
ProjectRole = Annotated[str, AfterValidator(_project_role)]
Id = Annotated[int, Field(gt=0, le=2**53 - 1)]
"""A JSON number that every reader takes for an integer."""

Instant = Annotated[datetime, AfterValidator(_utc)]
"""An instant in UTC; one without an offset is UTC."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class MemberPart(_Part):
    """A person: a member, or invited while `invited_at` is set."""

    email: Email
    name: str | None = None
    role: OrganizationRole = "member"
    id: Id | None = None
    invited_at: Instant | None = None
    last_login: Instant | None = None


class GrantPart(_Part):
    """An individual grant."""

    project: Id
    email: Email
    role: ProjectRole


class CustomRolePart(_Part):
    """A custom role of a project."""

    role_id: ProjectRole
    name: str


class ProjectPart(_Part):
    """A project; `all_users` is the role that everybody in the organization has in it."""

    id: Id
    name: str
    all_users: ProjectRole | None = None
    custom_roles: list[CustomRolePart] = []


class TeamGrantPart(_Part):
    """A team's role in a project."""

    id: Id
    role: ProjectRole


class TeamPart(_Part):
    """A team, with its members' addresses and its projects."""

    id: Id
    name: str
    members: list[Email] = []
    projects: list[TeamGrantPart] = []


class ServiceAccountPart(_Part):
    """A service account that may log in."""

    username: str
    secret: str
    role: OrganizationRole = "admin"
    user_id: Id = 9001
    id: Id | None = None
    expires: Instant | None = None


class MailPart(_Part):
    """An invitation e-mail that went out."""

    email: str
    kind: Literal["invitation", "resend", "link"]
    sent_at: Instant


class OrganizationPart(_Part):
    """The organization itself."""

    id: Id
    name: str
    plan: Literal["free", "growth", "enterprise"] = "enterprise"


class Document(_Part):
    """A whole organization.

    Attributes:
        now: the emulator's clock; None leaves it as it is.
        invitation_life_days: after how many days an invitation expires.
        rate_limit_per_minute: requests that are answered in a minute; None sets no limit.
    """

    now: Instant | None = None
    organization: OrganizationPart
    members: list[MemberPart] = []
    projects: list[ProjectPart] = []
    grants: list[GrantPart] = []
    teams: list[TeamPart] = []
    service_accounts: list[ServiceAccountPart] = []
    mails: list[MailPart] = []
    invitation_life_days: Annotated[float, Field(gt=0, le=_LONGEST_LIFE)] = 7
    rate_limit_per_minute: Annotated[int, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Document:
        keys = [same_key(member.email) for member in self.members]
        projects = [project.id for project in self.projects]
        _unique("members", keys)
        _unique("members", [member.id for member in self.members if member.id is not None])
        _unique("projects", projects)
        _unique("teams", [team.id for team in self.teams])
        _unique("service_accounts", [account.username for account in self.service_accounts])
        _unique("service_accounts", [account.id for account in self.service_accounts if account.id is not None])
        _unique("grants", [(grant.project, same_key(grant.email)) for grant in self.grants])
        for grant in self.grants:
            if same_key(grant.email) not in keys:
                raise ValueError(f"grants: {grant.email} is not among the members")
            if grant.project not in projects:
                raise ValueError(f"grants: {grant.project} is not among the projects")
        for team in self.teams:
            for email in team.members:
                if same_key(email) not in keys:
                    raise ValueError(f"teams: {email} is not among the members")
            for held in team.projects:
                if held.id not in projects:
                    raise ValueError(f"teams: {held.id} is not among the projects")
        return self


def _unique(part: str, values: Iterable[Hashable]) -> None:
    twice = [value for value, count in Counter(values).items() if count > 1]
    if twice:
        raise ValueError(f"{part}: {', '.join(map(str, sorted(twice, key=str)))} stands there twice")
