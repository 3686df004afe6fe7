"""The organization document, which is seeded and dumped, and the types of its values.

Seeding a dump makes the same organization again.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterable
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from mixpanel_access.emulator.audit_store import is_event, is_of_projects
from mixpanel_access.model import roles
from mixpanel_access.model.address import problem_with, same_key
from mixpanel_access.model.dates import FIRST_YEAR, LAST_YEAR

_DEEPEST: Final = 100

OrganizationRole = Literal["owner", "admin", "billing_admin", "member"]
LoginMethod = Literal["password", "sso", "magic_link", "social"]


def _address(email: str) -> str:
    if reason := problem_with(email):
        raise ValueError(reason)
    return email


def _utc(value: datetime) -> datetime:
    """A time in UTC, far enough from the ends of the calendar for calculations."""
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise ValueError(f"the year is not between {FIRST_YEAR} and {LAST_YEAR}")
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _project_role(role: str) -> str:
    if not roles.is_project_role(role):
        raise ValueError(f"{role!r} is neither a project role nor a custom role's id")
    return role


def _domain(name: str) -> str:
    _address(f"somebody@{name}")
    return name.lower()


def _json_object(value: dict[str, Any]) -> dict[str, Any]:
    """An object that every reader of JSON can read: its numbers are finite, and it is not nested too deep."""
    level: list[Any] = [value]
    for _ in range(_DEEPEST):
        nested: list[Any] = []
        for item in level:
            if isinstance(item, float) and not math.isfinite(item):
                raise ValueError("a number is not finite")
            nested += item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
        if not nested:
            return value
        level = nested
    raise ValueError("nested too deep")


Email = Annotated[str, AfterValidator(_address)]
ProjectRole = Annotated[str, AfterValidator(_project_role)]
DomainName = Annotated[str, AfterValidator(_domain)]
JsonObject = Annotated[dict[str, Any], AfterValidator(_json_object)]
Id = Annotated[int, Field(gt=0, le=2**53 - 1)]
"""A JSON number that every reader reads as an integer."""

Instant = Annotated[datetime, AfterValidator(_utc)]
"""A time in UTC; a time without an offset counts as UTC."""


class DocumentPart(BaseModel):
    """An object with these fields and no others."""

    model_config = ConfigDict(extra="forbid")


def _event_type(name: str) -> str:
    if not is_event(name):
        raise ValueError(f"{name!r} is not an event type")
    return name


EventType = Annotated[str, AfterValidator(_event_type)]


class OrganizationPart(DocumentPart):
    """The organization with its plan."""

    id: Id
    name: str
    plan: Literal["free", "growth", "enterprise"] = "enterprise"


class MemberPart(DocumentPart):
    """A person: invited while `invited_at` is set, else a member; `scim` has attributes from an identity provider."""

    email: Email
    name: str | None = None
    role: OrganizationRole = "member"
    id: Id | None = None
    invited_at: Instant | None = None
    last_login: Instant | None = None
    active: bool = True
    scim: JsonObject | None = None


class GrantPart(DocumentPart):
    """An individual grant of a person in a project."""

    project: Id
    email: Email
    role: ProjectRole


class CustomRolePart(DocumentPart):
    """A custom role of a project; `created_by` is the id of a user."""

    role_id: ProjectRole
    name: str
    description: str = ""
    permissions: list[str] = Field(default_factory=list)
    created: Instant | None = None
    modified: Instant | None = None
    created_by: Id | None = None


class ProjectPart(DocumentPart):
    """A project; `all_users` is the role that everybody in the organization has in it."""

    id: Id
    name: str
    all_users: ProjectRole | None = None
    timezone_name: str = "US/Pacific"
    domain: Literal["mixpanel.com", "eu.mixpanel.com", "in.mixpanel.com"] = "mixpanel.com"
    custom_roles: list[CustomRolePart] = Field(default_factory=list)


class ProjectRolePart(DocumentPart):
    """A role in a project, of a team or a service account."""

    id: Id
    role: ProjectRole


class TeamPart(DocumentPart):
    """A team, with its members' addresses, its projects, and its service accounts' user names."""

    id: Id
    name: str
    org_role: OrganizationRole | None = None
    scim_managed: bool = False
    external_id: str | None = None
    members: list[Email] = Field(default_factory=list)
    projects: list[ProjectRolePart] = Field(default_factory=list)
    service_accounts: list[str] = Field(default_factory=list)


class ServiceAccountPart(DocumentPart):
    """A service account that may log in; `creator` is the id of a user."""

    username: str
    secret: str
    role: OrganizationRole = "admin"
    user_id: Id = 9001
    id: Id | None = None
    expires: Instant | None = None
    created: Instant | None = None
    creator: Id | None = None
    creator_name: str | None = None
    creator_email: str | None = None
    last_used: Instant | None = None
    projects: list[ProjectRolePart] = Field(default_factory=list)


class MailPart(DocumentPart):
    """An invitation e-mail that was sent."""

    email: str
    kind: Literal["invitation", "resend", "link"]
    sent_at: Instant


class DomainPart(DocumentPart):
    """A domain that the organization claims."""

    name: DomainName
    state: Literal["verified", "pending"] = "verified"


class SsoPart(DocumentPart):
    """Single sign-on.

    Attributes:
        enabled: people of a verified domain may log in by the identity provider.
        required: only organization owners and admins may log in another way.
        idp_managed: the first such login of a stranger makes them a member.
        idp_name: the identity provider.
        domains: the claimed domains.
    """

    enabled: bool = False
    required: bool = False
    idp_managed: bool = False
    idp_name: str | None = None
    domains: list[DomainPart] = Field(default_factory=list)

    @model_validator(mode="after")
    def _consistent(self) -> SsoPart:
        if (self.required or self.idp_managed) and not self.enabled:
            raise ValueError("required and idp_managed need enabled")
        names = [domain.name for domain in self.domains]
        if len(set(names)) < len(names):
            raise ValueError("a domain is there twice")
        return self

    def has_verified(self, domain: str) -> bool:
        """Whether the domain is claimed and verified."""
        return any(held.name == domain and held.state == "verified" for held in self.domains)


class SecurityPart(DocumentPart):
    """The organization's settings; by default, all are off.

    Attributes:
        twofactor: what was last posted to the two-factor settings.
        request_access: the same of the request-access settings.
        session: the same of the session settings.
        sso: single sign-on.
        scim_name: the name by which groups of Shared SSO find the organization.
        scim_token: the token of the identity provider; without one, SCIM is off.
        accounts_elsewhere: addresses that have an account in another organization.
        discoverability: how people of a verified domain find the organization.
    """

    twofactor: JsonObject = Field(default_factory=lambda: {"twofactor_auth_required": False})
    request_access: JsonObject = Field(default_factory=dict)
    session: JsonObject = Field(default_factory=dict)
    sso: SsoPart = Field(default_factory=SsoPart)
    scim_name: str | None = None
    scim_token: str | None = None
    accounts_elsewhere: list[Email] = Field(default_factory=list)
    discoverability: Literal["closed", "request", "open"] = "closed"


class AuditPart(DocumentPart):
    """An event of the audit log.

    Attributes:
        type: a documented event, or another one with such a name.
        created: when it happened; whole seconds are kept.
        project: the project that it is about, for events that the log of a project has too.
        user_id: the user who did it; "" if nobody is known.
        user_email: their address, or the username of a service account.
        entity_id: what it was done to; None takes the organization, or the project.
        entity_name: the name of that.
        payload: the details, with ids as text.
        was_impersonated_by_staff: whether Mixpanel's staff did it in the user's name; only the Platform API shows it.
    """

    type: EventType
    created: Instant
    project: Id | None = None
    user_id: str = ""
    user_email: str | None = None
    client_ip: str | None = None
    service: str = "webapp"
    entity_id: str | None = None
    entity_name: str | None = None
    payload: JsonObject = Field(default_factory=dict)
    was_impersonated_by_staff: bool = False

    @model_validator(mode="after")
    def _in_its_log(self) -> AuditPart:
        if self.project is not None and not is_of_projects(self.type):
            raise ValueError(f"{self.type} is not an event of a project")
        return self


_LONGEST_LIFE: Final = 36_500  # days


class Document(DocumentPart):
    """A whole organization.

    Attributes:
        now: the emulator's clock; None leaves it as it is.
        invitation_life_days: after how many days an invitation expires.
        rate_limit_per_minute: requests that are answered in a minute; None sets no limit.
    """

    now: Instant | None = None
    organization: OrganizationPart
    members: list[MemberPart] = Field(default_factory=list)
    projects: list[ProjectPart] = Field(default_factory=list)
    grants: list[GrantPart] = Field(default_factory=list)
    teams: list[TeamPart] = Field(default_factory=list)
    service_accounts: list[ServiceAccountPart] = Field(default_factory=list)
    mails: list[MailPart] = Field(default_factory=list)
    security: SecurityPart = Field(default_factory=SecurityPart)
    audit: list[AuditPart] = Field(default_factory=list)
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
        accounts = [account.username for account in self.service_accounts]
        for team in self.teams:
            for email in team.members:
                if same_key(email) not in keys:
                    raise ValueError(f"teams: {email} is not among the members")
            for username in team.service_accounts:
                if username not in accounts:
                    raise ValueError(f"teams: {username} is not among the service accounts")
        holders: list[tuple[str, list[ProjectRolePart]]] = [("teams", team.projects) for team in self.teams]
        holders += [("service_accounts", account.projects) for account in self.service_accounts]
        for part, grants in holders:
            for held in grants:
                if held.id not in projects:
                    raise ValueError(f"{part}: {held.id} is not among the projects")
        for project in self.projects:
            _unique("custom_roles", [role.role_id for role in project.custom_roles])
        return self


def _unique(part: str, values: Iterable[Hashable]) -> None:
    twice = [value for value, count in Counter(values).items() if count > 1]
    if twice:
        raise ValueError(f"{part}: {', '.join(map(str, sorted(twice, key=str)))} is there twice")
