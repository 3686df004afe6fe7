"""The parts of the organization document."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from mixpanel_access.emulator.events import is_of_projects
from mixpanel_access.emulator.fields import (
    DomainName,
    Email,
    EventType,
    Id,
    Instant,
    JsonObject,
    OrganizationRole,
    Part,
    ProjectRole,
)


class OrganizationPart(Part):
    """The organization itself."""

    id: Id
    name: str
    plan: Literal["free", "growth", "enterprise"] = "enterprise"


class MemberPart(Part):
    """A person: a member, or invited while `invited_at` is set; `scim` has what else an identity provider said."""

    email: Email
    name: str | None = None
    role: OrganizationRole = "member"
    id: Id | None = None
    invited_at: Instant | None = None
    last_login: Instant | None = None
    active: bool = True
    scim: JsonObject | None = None


class GrantPart(Part):
    """An individual grant."""

    project: Id
    email: Email
    role: ProjectRole


class CustomRolePart(Part):
    """A custom role of a project; `created_by` is a user's id."""

    role_id: ProjectRole
    name: str
    description: str = ""
    permissions: list[str] = Field(default_factory=list)
    created: Instant | None = None
    modified: Instant | None = None
    created_by: Id | None = None


class ProjectPart(Part):
    """A project; `all_users` is the role that everybody in the organization has in it."""

    id: Id
    name: str
    all_users: ProjectRole | None = None
    timezone_name: str = "US/Pacific"
    domain: Literal["mixpanel.com", "eu.mixpanel.com", "in.mixpanel.com"] = "mixpanel.com"
    custom_roles: list[CustomRolePart] = Field(default_factory=list)


class HeldPart(Part):
    """A role in a project, of a team or a service account."""

    id: Id
    role: ProjectRole


class TeamPart(Part):
    """A team, with its members' addresses, its projects, and its service accounts' user names."""

    id: Id
    name: str
    org_role: OrganizationRole | None = None
    scim_managed: bool = False
    external_id: str | None = None
    members: list[Email] = Field(default_factory=list)
    projects: list[HeldPart] = Field(default_factory=list)
    service_accounts: list[str] = Field(default_factory=list)


class ServiceAccountPart(Part):
    """A service account that may log in; `creator` is a user's id."""

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
    projects: list[HeldPart] = Field(default_factory=list)


class MailPart(Part):
    """An invitation e-mail that went out."""

    email: str
    kind: Literal["invitation", "resend", "link"]
    sent_at: Instant


class DomainPart(Part):
    """A domain that the organization claims."""

    name: DomainName
    state: Literal["verified", "pending"] = "verified"


class SsoPart(Part):
    """Single sign-on.

    Attributes:
        enabled: people of a verified domain may log in by the identity provider.
        required: nobody but organization owners and admins logs in otherwise.
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
            raise ValueError("a domain stands there twice")
        return self

    def has_verified(self, domain: str) -> bool:
        """Whether the domain is claimed and verified."""
        return any(held.name == domain and held.state == "verified" for held in self.domains)


class SecurityPart(Part):
    """The organization's settings: nothing is on unless it is said.

    Attributes:
        twofactor: what was last posted to the two-factor settings.
        request_access: the same of the request-access settings.
        session: the same of the session settings.
        sso: single sign-on.
        scim_name: the name by which groups of Shared SSO find the organization.
        scim_token: the token of the identity provider; without one nobody speaks SCIM.
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


class AuditPart(Part):
    """An event of the audit log.

    Attributes:
        type: a documented event, or any other that is named like one.
        created: when it was; whole seconds are kept.
        project: the project it is about, for the events that the log of a project has too.
        user_id: who did it; "" for nobody known.
        user_email: their address, or a service account's user name.
        entity_id: what it was done to; None takes the organization, or the project.
        entity_name: the name of that.
        payload: the details; ids in it are texts.
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
            raise ValueError(f"{self.type} is no event of a project")
        return self
