"""The form of a roster: the YAML file of one stack, with its projects, its people and their access.

`reading` reads and checks a roster, and `effective_access` says what it gives on a day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cached_property
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic.alias_generators import to_camel

from mixpanel_access.model import roles
from mixpanel_access.model.address import same_key
from mixpanel_access.model.engagements import KINDS, STANDARD_ROLES, StandardRoles, with_changes
from mixpanel_access.model.ownership import OWNERSHIPS, REMOVALS

NEEDS: Final = ("data_warehouse", "lexicon", "experiments")
"""What work in a project may need besides reports; each has prerequisites of its own in the product."""


def _iso(value: object) -> object:
    """A date as ISO text: YAML reads an unquoted 2026-05-01 as a date."""
    return value.isoformat() if type(value) is date else value


def _organization_role(value: object) -> object:
    return roles.organization_role(value) if isinstance(value, str) and value.strip() else value


def _or(empty: object) -> BeforeValidator:
    """A key without a value, as after the deletion of its last entry, is empty."""
    return BeforeValidator(lambda value: empty if value is None else value)


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _offered(*words: str) -> Any:
    """The words that an editor suggests; reading the roster or the policies judge other words."""
    return Field(examples=list(words))


_AS_DATE: Final = Field(json_schema_extra={"format": "date"})
Day = Annotated[str, BeforeValidator(_iso), _AS_DATE]
IsoDate = Annotated[str | None, BeforeValidator(_iso), _AS_DATE]
RoleWord = Annotated[str, BeforeValidator(lambda value: roles.normalized(value) if isinstance(value, str) else value)]
OrganizationRole = Annotated[str | None, BeforeValidator(_organization_role), _offered(*roles.ORGANIZATION_ROLES)]
ProjectRole = Annotated[RoleWord | None, _offered(*roles.PROJECT_ROLES)]


class RosterPart(BaseModel):
    """Any part of a roster."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        alias_generator=to_camel,
        defer_build=True,  # a command that reads no roster does not wait for its schema
    )


class Login(RosterPart):
    """How people log in, for the welcome and the checks before an invitation; Mixpanel's API shows little of it."""

    sso_required: bool | None = None
    """Whether everybody must use single sign-on."""
    identity_provider: str | None = None
    """The name of the identity provider, such as Okta or Entra ID, for the welcome."""
    mfa_required: bool | None = None
    """Whether a second factor is required."""
    vpn: str | None = None
    """The network that people must connect to first, in words."""
    ip_allowlist: Annotated[Sequence[str], _or(())] = ()
    """The networks (CIDR) from which people can log in; none means all."""
    password_rules: str | None = None
    """The rules for passwords, in words, for the welcome."""


class OrganizationFacts(RosterPart):
    """What new people need to know about the organization."""

    name: str | None = None
    """The name of the organization."""
    url: str | None = None
    """The address of the login page."""
    login: Annotated[Login, _or({})] = Login()
    """How people log in."""
    contacts: Annotated[Mapping[str, str], _or({})] = {}
    """The address to ask for each topic, such as access, network or password."""


class StandardRolesChange(RosterPart):
    """Changes of an engagement type's built-in standard roles; a new type starts with the lowest."""

    organization: OrganizationRole = None
    """The organization role."""
    production: ProjectRole = None
    """The project role in production."""
    elsewhere: ProjectRole = None
    """The project role in any other environment."""
    longest_days: Annotated[int | None, Field(gt=0)] = None
    """The largest number of days that an engagement may last."""
    onboarding: str | None = None
    """The name of the onboarding checklist that new people follow."""


class Engagement(RosterPart):
    """The reasons for the access of a group of people."""

    type: Annotated[str | None, _offered(*STANDARD_ROLES)] = None
    """The type: its standard roles count where an entry names none, and are the highest that the policies allow."""
    sow: str | None = None
    """The number of the statement of work."""
    ticket: str | None = None
    """The ticket that asked for the access."""
    approver: str | None = None
    """The address of the person who approved it."""
    sponsor: str | None = None
    """The person of the company who wants it and answers for it."""
    manager: str | None = None
    """The address of the person who runs it, and gets copies of the messages to its people."""
    justification: str | None = None
    """Why the access is needed."""
    starts: IsoDate = None
    """The first day (UTC). Before it, nothing is declared."""
    ends: IsoDate = None
    """The last day (UTC). After it, nothing is declared, and the next `pulumi up` takes the access away."""
    notes: str | None = None
    """Notes for people who read the roster."""


class RosterServiceAccount(RosterPart):
    """A known service account; `import` lists the organization's other ones."""

    purpose: str | None = None
    """What the service account is for."""
    contact: str | None = None
    """The address of the person who answers for it."""


class OwnServiceAccount(RosterServiceAccount):
    """A service account in a roster: with a role, the stack creates it; without one, it is only known."""

    role: Annotated[RoleWord | None, _offered(*roles.SERVICE_ACCOUNT_ROLES)] = None
    """The organization role in Mixpanel's words: admin, analyst or consumer."""
    expires: IsoDate = None
    """The last day (UTC). After it, Mixpanel refuses the account, and `pulumi up` refuses to create it."""
    rotate_after: Annotated[int | None, Field(gt=0, le=3650)] = None
    """The days after which another account replaces it."""
    overlap: Annotated[int | None, Field(gt=0, le=3650)] = None
    """The days that it stays after another account has replaced it; fewer than `rotateAfter`."""
    projects: Annotated[Mapping[str, RoleWord], _or({})] = {}
    """The project role of the account in each project, by the project's key."""
    ticket: str | None = None
    """The ticket that asked for it."""
    approver: str | None = None
    """The address of the person who approved it."""


class RosterCustomRole(RosterPart):
    """A custom role of one project, on the plan Enterprise; people, teams and accounts get it by its key."""

    name: str
    """Its name in Mixpanel, unique in the project in any case."""
    description: str | None = None
    """What the role is for."""
    project: str
    """The key of the project that has the role."""
    permissions: Annotated[Sequence[str], _or(())] = ()
    """Mixpanel's codes of its permissions, in any order."""


class RosterSecurity(RosterPart):
    """The organization's security settings; a setting that is left out does not change."""

    two_factor_required: bool | None = None
    """Whether a login with a password or Google needs a second factor; not possible together with single sign-on."""
    request_access: Annotated[Mapping[str, Any], _or({})] = {}
    """The settings on requests for access, by Mixpanel's own keys."""


class RosterProject(RosterPart):
    """One project of Mixpanel, under a short key that entries use."""

    id: Annotated[int, Field(gt=0)]
    """Mixpanel's id of the project, in only one roster of the program."""
    name: str | None = None
    """Its name in Mixpanel; if another project has this name, the id is refused."""
    environment: str
    """Its environment, which must be the roster's."""
    platform: Annotated[str | None, _offered("web", "ios", "android")] = None
    """The platform that sends data, such as web or ios."""
    authoritative: bool | None = None
    """Whether only people of this roster have an individual grant in it. Default: the roster's own `authoritative`."""
    grouped: bool | None = None
    """Whether its individual grants are one resource. Default: the roster's own `grouped`."""
    needs: Annotated[Sequence[str], _or(()), _offered(*NEEDS)] = ()
    """What people need for their work in it besides reports: data_warehouse, lexicon or experiments."""
    dashboards: Annotated[Mapping[str, str], _or({})] = {}
    """The URLs of dashboards that new people start with, by title."""


_ROLES_OR_STANDARD = WithJsonSchema(
    {
        "type": "object",
        "additionalProperties": {"anyOf": [{"type": "string", "examples": [*roles.PROJECT_ROLES]}, {"type": "null"}]},
    }
)


class RosterTeam(RosterPart):
    """A team, whose members share its roles in projects."""

    name: str
    """Its unique name in Mixpanel; a new name renames the team."""
    standard: Annotated[str | None, _offered(*STANDARD_ROLES)] = None
    """The engagement type whose standard roles it gets in projects without a role."""
    projects: Annotated[Mapping[str, RoleWord | None], _or({}), _ROLES_OR_STANDARD] = {}
    """Project key -> project role of its members, as for a person, or nothing for the standard one."""
    removal: Annotated[str | None, _offered(*REMOVALS)] = None
    """Whether the team is deleted with its entry: when_unused (the default), always or never."""
    ticket: str | None = None
    """The ticket that asked for it."""
    approver: str | None = None
    """The address of the person who approved it."""
    justification: str | None = None
    """What the team is for."""
    starts: IsoDate = None
    """The first day (UTC). Before it, nothing of the team is declared."""
    ends: IsoDate = None
    """The last day (UTC). After it, nothing of the team is declared, and the next `pulumi up` takes away its roles and
    its members."""


class RosterPerson(RosterPart):
    """The access of one person for one reason; a person with several engagements has an entry for each."""

    email: str
    """The address, spelled the same in all entries of the person."""
    name: str | None = None
    """The person's name."""
    kind: Annotated[str | None, _offered(*KINDS)] = None
    """What the person is to the company: employee, contractor, agency or auditor. Default: the address decides who is
    external."""
    organization_role: OrganizationRole = None
    """The organization role; only in the one roster that declares them."""
    removal: Annotated[str | None, _offered(*REMOVALS)] = None
    """Whether the person is removed with their last entry: when_unused (the default), always or never."""
    ownership: Annotated[str | None, _offered(*OWNERSHIPS)] = None
    """Whether the person leaves with the last stack that declares them (ours) or stays as a plain member (found).
    Default: what the stack saw when it first declared them."""
    projects: Annotated[Mapping[str, RoleWord | None], _or({}), _ROLES_OR_STANDARD] = {}
    """Project key -> project role: owner, admin, analyst, consumer, the key of a custom role, a custom role's id, or
    nothing for the standard of the engagement's type."""
    teams: Annotated[Sequence[str], _or(())] = ()
    """The keys of the person's teams, for the days of the entry."""
    engagement: str | None = None
    """The engagement's key. The engagement has the values that the entry leaves out."""
    ticket: str | None = None
    """The ticket that asked for this person's access."""
    approver: str | None = None
    """The address of the person who approved it."""
    justification: str | None = None
    """Why the access is needed."""
    starts: IsoDate = None
    """The first day (UTC). Before it, the entry declares nothing."""
    ends: IsoDate = None
    """The last day (UTC). After it, the entry declares nothing, and the next `pulumi up` takes the access away."""
    reviewed: IsoDate = None
    """The day of the last access review."""
    notes: str | None = None
    """Notes for people who read the roster."""

    @property
    def key(self) -> str:
        """The key of the address."""
        return same_key(self.email)


class RosterException(RosterPart):
    """An approved exception from a policy rule, from one day to another."""

    rule: str
    """The id of the rule; `mixpanel-access policy list` shows all."""
    email: str | None = None
    """The person's address. Default: the stack as a whole."""
    project: str | None = None
    """A project's key. Default: all access of the person."""
    reason: str
    """Why the exception is needed."""
    ticket: str | None = None
    """The ticket that asked for it; without one, it does not count."""
    approver: str
    """The address of the person who approves it: of the company, and not the person themselves."""
    starts: IsoDate = None
    """The first day (UTC); without one, it does not count."""
    ends: Day
    """The last day (UTC): at most 90 days with the first, or 30 for a critical rule."""


class Common(RosterPart):
    """A file that several rosters can include."""

    organization: Annotated[OrganizationFacts, _or({})] = OrganizationFacts()
    """How people log in, and who helps them."""
    standard_roles: Annotated[Mapping[str, StandardRolesChange], _or({})] = {}
    """Changes of the built-in standard roles, by engagement type."""
    engagements: Annotated[Mapping[str, Engagement], _or({})] = {}
    """The engagements, each under a key that entries use."""
    service_accounts: Annotated[Mapping[str, RosterServiceAccount], _or({})] = {}
    """The service accounts, by their names."""

    @cached_property
    def standards(self) -> Mapping[str, StandardRoles]:
        """The standard roles of each engagement type, with the changes."""
        changes = {kind: change.model_dump(exclude_none=True) for kind, change in self.standard_roles.items()}
        return with_changes(changes)


class Roster(Common):
    """The projects, people and access of one stack."""

    include: Annotated[
        Sequence[str],
        BeforeValidator(_listed),
        _or(()),
        WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
    ] = ()
    """The files with what several rosters share, relative to this file."""
    environment: str
    """The environment of every project in this roster, such as production."""
    organization_roles: bool = False
    """Whether this roster, and no other, declares organization roles."""
    authoritative: bool = False
    """Whether only people of this roster have an individual grant in its projects: each is one `ProjectAccess`."""
    grouped: bool = False
    """Whether all members are one resource, and so are the grants of each project and the members of each team; for
    hundreds of people. It changes nobody's access."""
    projects: Annotated[Mapping[str, RosterProject], _or({})] = {}
    """The projects, each under a short key that entries use."""
    people: Annotated[Sequence[RosterPerson], _or(())] = ()
    """The people and their access."""
    teams: Annotated[Mapping[str, RosterTeam], _or({})] = {}
    """The teams, each under a key that entries use."""
    service_accounts: Annotated[Mapping[str, OwnServiceAccount], _or({})] = {}
    """The service accounts, by their names."""
    custom_roles: Annotated[Mapping[str, RosterCustomRole], _or({})] = {}
    """The custom roles, each under a key that entries use."""
    security: RosterSecurity | None = None
    """The organization's security settings; only in the one roster with organizationRoles: true."""
    exceptions: Annotated[Sequence[RosterException], _or(())] = ()
    """The approved exceptions from policy rules."""

    @property
    def own_accounts(self) -> dict[str, OwnServiceAccount]:
        """The service accounts that the stack creates, by name without blanks around it."""
        return {name.strip(): account for name, account in self.service_accounts.items() if account.role is not None}

    def is_authoritative(self, project: RosterProject) -> bool:
        """Whether only people of this roster have an individual grant in a project of it."""
        return self.authoritative if project.authoritative is None else project.authoritative

    @property
    def whole_projects(self) -> dict[int, RosterProject]:
        """The projects whose individual grants are one resource, by id."""
        return {project.id: project for project in self.projects.values() if self._is_whole(project)}

    def _is_whole(self, project: RosterProject) -> bool:
        return self.is_authoritative(project) or (self.grouped if project.grouped is None else project.grouped)

    def role_here(self, project: str, role: str) -> str:
        """A project role as it is declared; for the key of the roster's own custom role, the word for that."""
        if not self.custom_roles:
            return role
        word = roles.declared_role(role)
        return word if word in self.own_roles(project) else role

    def role_word(self, project: str, role: str) -> str:
        """A project role as the file has it; for the word of the roster's own custom role, its key."""
        return roles.normalized(self.own_roles(project).get(role, role))

    def own_roles(self, project: str) -> dict[str, str]:
        """The words for the roster's own custom roles in a project -> their keys."""
        return {roles.declared_role(key): key for key, one in self.custom_roles.items() if one.project == project}

    def document(self) -> dict[str, Any]:
        """The roster as plain data in the file's words, without defaults; reading that gives the same roster."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)
