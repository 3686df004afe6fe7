"""The organization document: what is seeded and dumped. Seeding a dump makes the same organization again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from typing import Annotated, Final

from pydantic import Field, model_validator

from mixpanel_access.emulator.document_parts import (
    AuditPart,
    GrantPart,
    HeldPart,
    MailPart,
    MemberPart,
    OrganizationPart,
    ProjectPart,
    SecurityPart,
    ServiceAccountPart,
    TeamPart,
)
from mixpanel_access.emulator.fields import Instant, Part
from mixpanel_access.model.address import same_key

_LONGEST_LIFE: Final = 36_500  # days


class Document(Part):
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
        holders: list[tuple[str, list[HeldPart]]] = [("teams", team.projects) for team in self.teams]
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
        raise ValueError(f"{part}: {', '.join(map(str, sorted(twice, key=str)))} stands there twice")
