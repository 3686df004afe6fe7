"""The roster as its file says it: the YAML file of one stack, with its projects and who has what.

These are the words of the file and no more; `roster_reading` reads and checks them, `given` says what follows on a day.
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
"""What work in a project may need beside the reports, each with prerequisites of its own in the product."""


def _iso(value: object) -> object:
    """YAML reads an unquoted 2026-05-01 as a date; the rest of the project keeps dates as ISO texts."""
    return value.isoformat() if type(value) is date else value


def _organization_role(value: object) -> object:
    return roles.organization_role(value) if isinstance(value, str) and value.strip() else value


def _or(empty: object) -> BeforeValidator:
    """A key with nothing behind it, as is left when the last entry goes, is empty."""
    return BeforeValidator(lambda value: empty if value is None else value)


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _offered(*words: str) -> Any:
    """What an editor offers; other words are judged when the roster is read, or by the policies."""
    return Field(examples=list(words))


IsoDate = Annotated[str | None, BeforeValidator(_iso)]
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
    """How one gets in, for the welcome and the checks before an invitation; Mixpanel's API tells little of it."""

    sso_required: bool | None = None
    """Whether everybody must come through single sign-on."""
    identity_provider: str | None = None
    """The identity provider, for people: Okta, Entra ID."""
    mfa_required: bool | None = None
    """Whether a second factor is required."""
    vpn: str | None = None
    """The network to be in, for people."""
    ip_allowlist: Annotated[Sequence[str], _or(())] = ()
    """Networks (CIDR) from which one may come; none means from everywhere."""
    password_rules: str | None = None
    """The password rules, for people."""


class OrganizationFacts(RosterPart):
    """What people have to know of the organization."""

    name: str | None = None
    """Its name."""
    url: str | None = None
    """Where one logs in."""
    login: Annotated[Login, _or({})] = Login()
    """How one gets in."""
    contacts: Annotated[Mapping[str, str], _or({})] = {}
    """Topic -> address: access, network, password, ..."""


class StandardRolesChange(RosterPart):
    """What is otherwise than in the built-in row of an engagement type; a new type starts with the least."""

    organization: OrganizationRole = None
    """The organization role."""
    production: ProjectRole = None
    """The project role in production."""
    elsewhere: ProjectRole = None
    """The project role in any other environment."""
    longest_days: Annotated[int | None, Field(gt=0)] = None
    """For how many days, at most."""
    onboarding: str | None = None
    """The track that new people follow."""


class Engagement(RosterPart):
    """Why people have access, for all of them together."""

    type: Annotated[str | None, _offered(*STANDARD_ROLES)] = None
    """The type: its standard roles are given where none is named, and are what the policies allow."""
    sow: str | None = None
    """The statement of work."""
    ticket: str | None = None
    """The ticket that asked for the access."""
    approver: str | None = None
    """The address of who approved it."""
    sponsor: str | None = None
    """Who wants it and answers for it, of the company."""
    manager: str | None = None
    """The address of who runs it: gets copies of what its people are written."""
    justification: str | None = None
    """Why the access is needed."""
    starts: IsoDate = None
    """The first day (UTC): before it, nothing is declared."""
    ends: IsoDate = None
    """The last day (UTC): after it, nothing is declared, and the next `pulumi up` takes the access away."""
    notes: str | None = None
    """Anything else."""


class RosterServiceAccount(RosterPart):
    """A service account that is known and wanted; the others of the organization are told by `import`."""

    purpose: str | None = None
    """What it does."""
    contact: str | None = None
    """The address of who answers for it."""


class OwnServiceAccount(RosterServiceAccount):
    """A service account in a roster: with a role, the stack makes it; without one, it is only known."""

    role: Annotated[RoleWord | None, _offered(*roles.SERVICE_ACCOUNT_ROLES)] = None
    """The organization role in Mixpanel's words: admin, analyst or consumer."""
    expires: IsoDate = None
    """The last day (UTC): after it, Mixpanel refuses the account."""
    rotate_after: Annotated[int | None, Field(gt=0, le=3650)] = None
    """After how many days another account takes its place."""
    overlap: Annotated[int | None, Field(gt=0, le=3650)] = None
    """For how many days the account stays beside the one that takes its place; fewer than `rotateAfter`."""
    projects: Annotated[Mapping[str, RoleWord], _or({})] = {}
    """Project key -> project role."""
    ticket: str | None = None
    """The ticket that asked for it."""
    approver: str | None = None
    """The address of who approved it."""


class RosterCustomRole(RosterPart):
    """A role that one project has of its own, on the plan Enterprise; people, teams and accounts get it by its key."""

    name: str
    """Its name in Mixpanel; in a project no two are the same, whatever the case."""
    description: str | None = None
    """What it is for."""
    project: str
    """The project's key."""
    permissions: Annotated[Sequence[str], _or(())] = ()
    """Mixpanel's codes of what it may; their order means nothing."""


class RosterSecurity(RosterPart):
    """The organization's security settings; what is not given stays as it is."""

    two_factor_required: bool | None = None
    """Whether a second factor is required of who logs in with a password or Google; not beside single sign-on."""
    request_access: Annotated[Mapping[str, Any], _or({})] = {}
    """Settings on requests for access, by Mixpanel's own keys."""


class RosterProject(RosterPart):
    """One project of Mixpanel, under a short key that entries use."""

    id: Annotated[int, Field(gt=0)]
    """Mixpanel's id of the project; no other roster of the program has it."""
    name: str | None = None
    """Its name in Mixpanel, for people; an id is refused if the name is that of another project."""
    environment: str
    """Its environment, which must be the roster's."""
    platform: Annotated[str | None, _offered("web", "ios", "android")] = None
    """Its platform: web, ios, ..."""
    authoritative: bool | None = None
    """Whether nobody has an individual grant in it who is not in this roster; left out, as the roster says for all."""
    needs: Annotated[Sequence[str], _or(()), _offered(*NEEDS)] = ()
    """What work in it needs: data_warehouse, lexicon, experiments."""
    dashboards: Annotated[Mapping[str, str], _or({})] = {}
    """Dashboards to start with: title -> URL."""


_ROLES_OR_STANDARD = WithJsonSchema(
    {
        "type": "object",
        "additionalProperties": {"anyOf": [{"type": "string", "examples": [*roles.PROJECT_ROLES]}, {"type": "null"}]},
    }
)


class RosterTeam(RosterPart):
    """A team: people come by its roles in projects together."""

    name: str
    """Its name in Mixpanel, which no other team has; another one is given in place."""
    standard: Annotated[str | None, _offered(*STANDARD_ROLES)] = None
    """The engagement type whose standard roles it has, where a project has none here."""
    projects: Annotated[Mapping[str, RoleWord | None], _or({}), _ROLES_OR_STANDARD] = {}
    """Project key -> project role of everybody in it, as for a person, or nothing for the standard one."""
    removal: Annotated[str | None, _offered(*REMOVALS)] = None
    """What becomes of the team when it goes here: when_unused (the default), always or never."""
    ticket: str | None = None
    """The ticket that asked for it."""
    approver: str | None = None
    """The address of who approved it."""
    justification: str | None = None
    """What the team is for."""
    starts: IsoDate = None
    """The first day (UTC): before it, nothing of the team is declared."""
    ends: IsoDate = None
    """The last day (UTC): after it, nothing of the team is declared, and the next `pulumi up` takes its roles and all
    places in it away."""


class RosterPerson(RosterPart):
    """What one person has, for one reason; a person of several engagements has an entry for each."""

    email: str
    """The address; every spelling of one mailbox is the same, and each entry of a person has the same one."""
    name: str | None = None
    """The name, for people."""
    kind: Annotated[str | None, _offered(*KINDS)] = None
    """What the person is to the company: employee, contractor, agency or auditor; left out, the address decides who is
    external."""
    organization_role: OrganizationRole = None
    """The organization role; only in the one roster that owns them."""
    removal: Annotated[str | None, _offered(*REMOVALS)] = None
    """What becomes of the person when the entry goes: when_unused (the default), always or never."""
    ownership: Annotated[str | None, _offered(*OWNERSHIPS)] = None
    """Whether the person leaves with the last stack that declares them (ours) or stays as a plain member (found); left
    out, as the stack saw when it first declared them."""
    projects: Annotated[
        Mapping[str, RoleWord | None],
        _or({}),
        WithJsonSchema(
            {
                "type": "object",
                "additionalProperties": {
                    "anyOf": [{"type": "string", "examples": [*roles.PROJECT_ROLES]}, {"type": "null"}]
                },
            }
        ),
    ] = {}
    """Project key -> project role: owner, admin, analyst, consumer, the key of a custom role, a custom role's id, or
    nothing for the standard of the engagement's type."""
    teams: Annotated[Sequence[str], _or(())] = ()
    """Keys of teams that the person is in, for the days of the entry."""
    engagement: str | None = None
    """The engagement's key; what is not said here is as it is there."""
    ticket: str | None = None
    """The ticket that asked for this person's access."""
    approver: str | None = None
    """The address of who approved it."""
    justification: str | None = None
    """Why the access is needed."""
    starts: IsoDate = None
    """The first day (UTC): before it, the entry declares nothing."""
    ends: IsoDate = None
    """The last day (UTC): after it, the entry declares nothing, and the next `pulumi up` takes the access away."""
    reviewed: IsoDate = None
    """The day of the last access review."""
    notes: str | None = None
    """Anything else."""

    @property
    def key(self) -> str:
        """The address in the form in which two spellings are the same."""
        return same_key(self.email)


class RosterException(RosterPart):
    """Somebody's word that a policy rule does not hold, from one day to another."""

    rule: str
    """The rule's id."""
    email: str | None = None
    """Whom it concerns; left out, the stack as a whole."""
    project: str | None = None
    """A project's key; left out, all that the person has."""
    reason: str
    """Why."""
    ticket: str | None = None
    """The ticket that asked for it; without one, it does not count."""
    approver: str
    """The address of who says so: of the company, and not the person themselves."""
    starts: IsoDate = None
    """The first day (UTC); without one, it does not count."""
    ends: Annotated[str, BeforeValidator(_iso)]
    """The last day (UTC): at most 90 days, or 30 from a critical rule, with the first."""


class Common(RosterPart):
    """What a file may hold that several rosters include."""

    organization: Annotated[OrganizationFacts, _or({})] = OrganizationFacts()
    """Where one logs in, how, and whom to ask."""
    standard_roles: Annotated[Mapping[str, StandardRolesChange], _or({})] = {}
    """Engagement type -> what is otherwise than in the built-in standard roles."""
    engagements: Annotated[Mapping[str, Engagement], _or({})] = {}
    """Key -> engagement."""
    service_accounts: Annotated[Mapping[str, RosterServiceAccount], _or({})] = {}
    """Name -> service account."""

    @cached_property
    def standards(self) -> Mapping[str, StandardRoles]:
        """The standard roles that hold here."""
        changes = {kind: change.model_dump(exclude_none=True) for kind, change in self.standard_roles.items()}
        return with_changes(changes)


class Roster(Common):
    """One stack's projects and people."""

    include: Annotated[
        Sequence[str],
        BeforeValidator(_listed),
        _or(()),
        WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
    ] = ()
    """Files with what several rosters share, relative to this one."""
    environment: str
    """The environment of every project here."""
    organization_roles: bool = False
    """Whether this roster, and no other, declares organization roles."""
    authoritative: bool = False
    """Whether nobody has an individual grant in these projects who is not here: each project is one `ProjectAccess`."""
    projects: Annotated[Mapping[str, RosterProject], _or({})] = {}
    """Short key -> project."""
    people: Annotated[Sequence[RosterPerson], _or(())] = ()
    """Who has what."""
    teams: Annotated[Mapping[str, RosterTeam], _or({})] = {}
    """Key -> team."""
    service_accounts: Annotated[Mapping[str, OwnServiceAccount], _or({})] = {}
    """Name -> service account."""
    custom_roles: Annotated[Mapping[str, RosterCustomRole], _or({})] = {}
    """Key -> custom role."""
    security: RosterSecurity | None = None
    """Security settings; only in the one roster with organizationRoles: true."""
    exceptions: Annotated[Sequence[RosterException], _or(())] = ()
    """Where policy rules do not hold."""

    @property
    def own_accounts(self) -> dict[str, OwnServiceAccount]:
        """The service accounts that this roster makes, without blanks around their names.

        Those of an included file are only known.
        """
        return {name.strip(): account for name, account in self.service_accounts.items() if account.role is not None}

    @property
    def whole_projects(self) -> dict[int, RosterProject]:
        """The projects whose grants this roster alone says, by id."""
        return {
            project.id: project
            for project in self.projects.values()
            if (self.authoritative if project.authoritative is None else project.authoritative)
        }

    def role_here(self, project: str, role: str) -> str:
        """A project role as it is declared: the word of the roster's own custom role where it names one."""
        word = roles.declared_role(role)
        return word if word in self.own_roles(project) else role

    def role_word(self, project: str, role: str) -> str:
        """A project role as it stands in the file: the key of the roster's own custom role for the word of one."""
        return roles.normalized(self.own_roles(project).get(role, role))

    def own_roles(self, project: str) -> dict[str, str]:
        """The words of the custom roles that this roster makes in a project -> their keys."""
        return {roles.declared_role(key): key for key, one in self.custom_roles.items() if one.project == project}

    def document(self) -> dict[str, Any]:
        """The roster as plain data in the file's words, without what was not said; reading that gives it again."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)
