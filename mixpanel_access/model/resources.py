"""The kinds of resources, one row each.

The row has what the program, the state, the import and the policies need to know of a kind. A new kind is a row
here and a class for its id in `resource_ids`; see CONTRIBUTING.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Final, NamedTuple

from mixpanel_access.model.resource_ids import (
    BRAKE_NAME,
    MEMBERS_NAME,
    CustomRoleId,
    GrantId,
    MemberId,
    MembersId,
    OrganizationSecurityId,
    ProjectAccessId,
    RemovalBrakeId,
    ResourceId,
    ServiceAccountGrantId,
    ServiceAccountId,
    TeamGrantId,
    TeamId,
    TeamMemberId,
    TeamMembersId,
    number_in,
)

PACKAGE: Final = "pulumi-python"
"""The engine's package of all dynamic resources in Python."""
DEFAULT: Final = "default"
"""What the engine's names for the provider of the stack's configuration begin with."""
STACK_TYPE: Final = "pulumi:pulumi:Stack"
DYNAMIC_TYPE: Final = f"{PACKAGE}:dynamic/mixpanel:"
"""The beginning of the type of each of our resources."""
COMPONENT_TYPE: Final = "mixpanel:index:RosterAccess"
OF_ORGANIZATION: Final = "organization"
"""The output of a `RosterAccess` with the id of its organization, if that is not the stack's."""
SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
"""The key by which the engine marks a special value, such as a secret, in an exported state."""
PROVIDER_KEY: Final = "__provider"
"""The property of a dynamic resource with its pickled provider."""
COLLABORATOR_TYPE: Final = "mixpanel:index:CollaboratorAccess"


def rows_in(export: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The resources of a state, as `pulumi stack export` has them, without those that a program only reads."""
    rows = (export.get("deployment") or {}).get("resources") or ()
    return [row for row in rows if not row.get("external")]


def organizations_in(export: Mapping[str, Any]) -> Mapping[int, int]:
    """The organizations of our resources in an exported state, each with their number."""
    ids = (str(row.get("id", "")) for row in rows_in(export) if row.get("type") in KINDS)
    return Counter(number for id_ in ids if (number := number_in(id_.partition(":")[0])) is not None)


class PartsOf(NamedTuple):
    """What a grouped resource consists of: one single resource for each person; see `mixpanel_access.model.groups`.

    Attributes:
        kind: the name of the kind of its parts.
        people: the input that has the people.
        common: the other inputs and outputs that each part has too, as the metadata.
    """

    kind: str
    people: str = "people"
    common: Sequence[str] = ()


class OutputOf(NamedTuple):
    """The output of another resource, of the kind with this name, from which an input comes."""

    kind: str
    output: str


Shown = Callable[[str], str]
"""Gives a property for a message, or ""."""


def _by_name(shown: Shown, name: str) -> str:
    return shown("username") or shown("name") or name


def _team(shown: Shown, name: str) -> str:
    """A team by its id, or before its creation by the resource's name."""
    team = shown("team_id")
    return f"team {team}" if team and not team.startswith("(") else name


@dataclass(frozen=True, eq=False)
class ResourceKind:
    """One kind of resource.

    Attributes:
        name: the name of its class in a program.
        id: the class of its ids.
        plural: the rules' word for several of them; "" if no rule judges them one by one.
        prefix: the beginning of its resources' names in a roster's stack.
        references: the inputs that refer to another resource, by its id in Mixpanel.
        identity: the inputs that say what it is in Mixpanel; none where its id alone does.
        label: names one resource in a finding, by its properties or its name in the program.
        in_a_project: whether it takes the project's name as a hint, to find a wrong id.
        renamed_in_place: whether a new one may take the name of another; the hint `beside` says so.
        parts: what it consists of; None for a single resource.
    """

    name: str
    id: type[ResourceId]
    plural: str = ""
    prefix: str = ""
    references: Mapping[str, OutputOf] = field(default_factory=dict)
    identity: Sequence[str] = ()
    label: Callable[[Shown, str], str] = _by_name
    in_a_project: bool = False
    renamed_in_place: bool = False
    parts: PartsOf | None = None

    def named(self, key: object) -> str:
        """The name of a resource in a roster's stack, by its key in the roster."""
        return f"{self.prefix}{key}"

    @property
    def type(self) -> str:
        """Its type in the engine."""
        return f"{DYNAMIC_TYPE}{self.name}"

    @property
    def module(self) -> str:
        """The module in `mixpanel_access.provider` that has its class."""
        return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in self.name).lstrip("_")

    @property
    def of_a_person(self) -> bool:
        """Whether each of them is about one person, with the address in the id."""
        return any(part.name == "email" for part in fields(self.id))


MEMBER: Final = ResourceKind(
    "Member",
    MemberId,
    "members",
    identity=("email",),
    label=lambda shown, _: f"{shown('email')} as organization {shown('role')}" if shown("role") else shown("email"),
)
PROJECT_GRANT: Final = ResourceKind(
    "ProjectGrant",
    GrantId,
    "grants",
    identity=("project_id", "email"),
    label=lambda shown, _: f"{shown('email')} as {shown('role')} in project {shown('project_id')}",
    in_a_project=True,
)
PROJECT_ACCESS: Final = ResourceKind(
    "ProjectAccess",
    ProjectAccessId,
    prefix="project-access/",
    identity=("project_id",),
    in_a_project=True,
    parts=PartsOf("ProjectGrant", people="grants", common=("project_id", "environment", "open_to_all_users")),
)
MEMBERS: Final = ResourceKind("Members", MembersId, prefix=MEMBERS_NAME, parts=PartsOf("Member"))
TEAM: Final = ResourceKind(
    "Team",
    TeamId,
    "teams",
    prefix="team/",
    identity=("name",),
    renamed_in_place=True,
)
TEAM_MEMBER: Final = ResourceKind(
    "TeamMember",
    TeamMemberId,
    "memberships in teams",
    prefix="team/",
    references={"team_id": OutputOf("Team", "team_id")},
    identity=("team_id", "email"),
    label=lambda shown, name: f"{shown('email')} in {_team(shown, name)}",
)
TEAM_MEMBERS: Final = ResourceKind(
    "TeamMembers",
    TeamMembersId,
    prefix="team-members/",
    references={"team_id": OutputOf("Team", "team_id")},
    identity=("team_id",),
    parts=PartsOf("TeamMember", common=("team_id", "team_projects", "organization_role")),
)
TEAM_GRANT: Final = ResourceKind(
    "TeamGrant",
    TeamGrantId,
    "teams' grants",
    references={"team_id": OutputOf("Team", "team_id")},
    identity=("team_id", "project_id"),
    label=lambda shown, name: f"{_team(shown, name)} as {shown('role')} in project {shown('project_id')}",
    in_a_project=True,
)
SERVICE_ACCOUNT: Final = ResourceKind(
    "ServiceAccount", ServiceAccountId, "service accounts", prefix="service-account/", identity=("username",)
)
SERVICE_ACCOUNT_GRANT: Final = ResourceKind(
    "ServiceAccountGrant",
    ServiceAccountGrantId,
    "service accounts' grants",
    references={"service_account_id": OutputOf("ServiceAccount", "account_id")},
    identity=("service_account_id", "project_id"),
    in_a_project=True,
)
CUSTOM_ROLE: Final = ResourceKind(
    "CustomRole",
    CustomRoleId,
    "custom roles",
    prefix="custom-role/",
    label=lambda shown, name: f"custom role {shown('name') or name} in project {shown('project_id')}",
    in_a_project=True,
    renamed_in_place=True,
)
ORGANIZATION_SECURITY: Final = ResourceKind(
    "OrganizationSecurity", OrganizationSecurityId, "security settings", prefix="organization-security"
)
REMOVAL_BRAKE: Final = ResourceKind("RemovalBrake", RemovalBrakeId, prefix=BRAKE_NAME)

ALL_KINDS: Final = (
    MEMBER, MEMBERS, PROJECT_GRANT, PROJECT_ACCESS, SERVICE_ACCOUNT, SERVICE_ACCOUNT_GRANT, TEAM, TEAM_GRANT,
    TEAM_MEMBER, TEAM_MEMBERS, CUSTOM_ROLE, ORGANIZATION_SECURITY, REMOVAL_BRAKE,
)  # fmt: skip
KINDS: Final[Mapping[str, ResourceKind]] = {kind.type: kind for kind in ALL_KINDS}
"""Type in the engine -> kind."""
BY_NAME: Final[Mapping[str, ResourceKind]] = {kind.name: kind for kind in ALL_KINDS}
"""Name of the class -> kind."""
REFERENCES: Final[Mapping[str, OutputOf]] = {
    name: output for kind in ALL_KINDS for name, output in kind.references.items()
}
"""The inputs that refer to another resource, of all kinds."""

MEMBER_TYPE: Final = MEMBER.type
GRANT_TYPE: Final = PROJECT_GRANT.type
PROJECT_ACCESS_TYPE: Final = PROJECT_ACCESS.type
TEAM_TYPE: Final = TEAM.type
TEAM_MEMBER_TYPE: Final = TEAM_MEMBER.type
TEAM_GRANT_TYPE: Final = TEAM_GRANT.type
MEMBERS_TYPE: Final = MEMBERS.type
TEAM_MEMBERS_TYPE: Final = TEAM_MEMBERS.type
CUSTOM_ROLE_TYPE: Final = CUSTOM_ROLE.type
ORGANIZATION_SECURITY_TYPE: Final = ORGANIZATION_SECURITY.type
SERVICE_ACCOUNT_TYPE: Final = SERVICE_ACCOUNT.type
SERVICE_ACCOUNT_GRANT_TYPE: Final = SERVICE_ACCOUNT_GRANT.type
BRAKE_TYPE: Final = REMOVAL_BRAKE.type
