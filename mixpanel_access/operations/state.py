"""What the stacks' states hold: people, teams, service accounts, grants and brakes, read from `pulumi stack export`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from mixpanel_access.model import roles
from mixpanel_access.model.access import Person
from mixpanel_access.model.address import same_key
from mixpanel_access.model.dates import instant, written
from mixpanel_access.model.resources import (
    BRAKE_TYPE,
    COMPONENT_TYPE,
    CUSTOM_ROLE_TYPE,
    GRANT_TYPE,
    MEMBER_TYPE,
    ORGANIZATION_SECURITY_TYPE,
    PROJECT_ACCESS_TYPE,
    SERVICE_ACCOUNT_GRANT_TYPE,
    SERVICE_ACCOUNT_TYPE,
    TEAM_GRANT_TYPE,
    TEAM_MEMBER_TYPE,
    TEAM_TYPE,
    CustomRoleId,
    GrantId,
    MemberId,
    OrganizationSecurityId,
    ProjectAccessId,
    ResourceId,
    ServiceAccountGrantId,
    ServiceAccountId,
    TeamGrantId,
    TeamId,
    TeamMemberId,
)
from mixpanel_access.model.single_grants import single_grants
from mixpanel_access.operations.state_outputs import Outputs, granted


@dataclass(frozen=True)
class HeldMember:
    """A member in a state.

    Attributes:
        email: the address as it is written there.
        role: the organization role that is declared, or None where it is not managed.
        urn: the resource's name in the engine.
        outputs: what the state holds of it, without the provider.
        modified: when the engine last changed it (ISO 8601, UTC), or "".
        created: when the engine made it or took it in (ISO 8601, UTC), or "".
        id: the resource's id.
    """

    email: str
    role: str | None
    urn: str = ""
    outputs: Mapping[str, Any] = field(default_factory=dict, compare=False)
    modified: str = field(default="", compare=False)
    created: str = field(default="", compare=False)
    id: str = field(default="", compare=False)


@dataclass(frozen=True)
class HeldGrant:
    """A grant in a state; `outputs`, `modified`, `created` and `id` are as with a member."""

    project: int
    email: str
    role: str
    urn: str = ""
    outputs: Mapping[str, Any] = field(default_factory=dict, compare=False)
    modified: str = field(default="", compare=False)
    created: str = field(default="", compare=False)
    id: str = field(default="", compare=False)


@dataclass(frozen=True)
class HeldAccount:
    """A service account in a state: the name that it was made with, and Mixpanel's id."""

    name: str
    id: int
    urn: str = ""
    outputs: Mapping[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class HeldAccountGrant:
    """A service account's role in a project, in a state."""

    project: int
    account: int
    role: str
    urn: str = ""
    outputs: Mapping[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class HeldTeam:
    """A team in a state: its name, and Mixpanel's id."""

    name: str
    id: int
    urn: str = ""
    outputs: Mapping[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class HeldTeamGrant:
    """A team's role in a project, in a state."""

    project: int
    team: int
    role: str
    urn: str = ""
    outputs: Mapping[str, Any] = field(default_factory=dict, compare=False)
    modified: str = field(default="", compare=False)
    created: str = field(default="", compare=False)
    id: str = field(default="", compare=False)


@dataclass(frozen=True)
class HeldTeamMember:
    """A person in a team, in a state."""

    team: int
    email: str
    urn: str = ""
    outputs: Mapping[str, Any] = field(default_factory=dict, compare=False)
    modified: str = field(default="", compare=False)
    created: str = field(default="", compare=False)
    id: str = field(default="", compare=False)

    @property
    def given(self) -> bool:
        """Whether the stack put the person there: one may wait for it, or be left to an identity provider."""
        return self.outputs.get("status") not in ("waiting", "left_to_scim")


@dataclass(frozen=True)
class HeldCustomRole:
    """A custom role in a state, by Mixpanel's id."""

    project: int
    id: str
    urn: str = ""
    outputs: Mapping[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class HeldSecurity:
    """The organization's security settings in a state."""

    urn: str
    outputs: Mapping[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class HeldBrake:
    """A brake in a state, with the people that it knows."""

    urn: str
    people: Sequence[Mapping[str, Any]]
    id: str = field(default="", compare=False)


@dataclass(frozen=True)
class State:
    """What some states have in Mixpanel.

    Attributes:
        members: by the key of the address.
        grants: by project id and the key of the address.
        brakes: the brakes.
        wholes: project id -> the `ProjectAccess` of which the grants there are a part, by its name in the engine.
        component: the name of the `RosterAccess` in the engine, or "" where there is none.
        facts: what that says of the roster as a whole.
        accounts: the service accounts, by Mixpanel's id.
        account_grants: their roles, by project id and account id.
        teams: the teams, by Mixpanel's id.
        team_grants: their roles, by project id and team id.
        team_members: who is in them, by team id and the key of the address.
        custom_roles: the custom roles, by project id and the role's id.
        security: the security settings; None where the stack does not declare them.
    """

    members: Mapping[str, HeldMember]
    grants: Mapping[tuple[int, str], HeldGrant]
    brakes: Sequence[HeldBrake] = ()
    component: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict, compare=False)
    accounts: Mapping[int, HeldAccount] = field(default_factory=dict)
    account_grants: Mapping[tuple[int, int], HeldAccountGrant] = field(default_factory=dict)
    wholes: Mapping[int, str] = field(default_factory=dict)
    teams: Mapping[int, HeldTeam] = field(default_factory=dict)
    team_grants: Mapping[tuple[int, int], HeldTeamGrant] = field(default_factory=dict)
    team_members: Mapping[tuple[int, str], HeldTeamMember] = field(default_factory=dict)
    custom_roles: Mapping[tuple[int, str], HeldCustomRole] = field(default_factory=dict)
    security: HeldSecurity | None = None

    def __or__(self, other: State) -> State:
        """What both have in Mixpanel; the rest is each stack's own."""
        return State(
            {**self.members, **other.members},
            {**self.grants, **other.grants},
            accounts={**self.accounts, **other.accounts},
            account_grants={**self.account_grants, **other.account_grants},
            wholes={**self.wholes, **other.wholes},
            teams={**self.teams, **other.teams},
            team_grants={**self.team_grants, **other.team_grants},
            team_members={**self.team_members, **other.team_members},
            custom_roles={**self.custom_roles, **other.custom_roles},
            security=other.security or self.security,
        )

    def known_as(self, changed: Mapping[str, str]) -> State:
        """The same, by the addresses that people have in Mixpanel now.

        Args:
            changed: the key of an address here -> the key of the one that the person has now.
        """
        return replace(
            self,
            members={changed.get(key, key): one for key, one in self.members.items()},
            grants={(project, changed.get(key, key)): one for (project, key), one in self.grants.items()},
            team_members={(team, changed.get(key, key)): one for (team, key), one in self.team_members.items()},
        )

    def team_name(self, id_: int) -> str:
        """A team's name, or its id where no stack has the team itself, or the name is a secret."""
        return (self.teams[id_].name if id_ in self.teams else "") or str(id_)


EMPTY: Final = State({}, {})

_IDS: Final[Mapping[str, type[ResourceId]]] = {
    MEMBER_TYPE: MemberId,
    GRANT_TYPE: GrantId,
    PROJECT_ACCESS_TYPE: ProjectAccessId,
    SERVICE_ACCOUNT_TYPE: ServiceAccountId,
    SERVICE_ACCOUNT_GRANT_TYPE: ServiceAccountGrantId,
    TEAM_TYPE: TeamId,
    TEAM_GRANT_TYPE: TeamGrantId,
    TEAM_MEMBER_TYPE: TeamMemberId,
    CUSTOM_ROLE_TYPE: CustomRoleId,
    ORGANIZATION_SECURITY_TYPE: OrganizationSecurityId,
}
"""How the ids of each type are read."""


def state_of(export: Mapping[str, Any], organization: int) -> State:
    """The members and grants of one organization in an exported state.

    Args:
        export: the document of `pulumi stack export`.
        organization: the organization's id; what belongs to another is left out.

    Raises:
        InputError: an id in it cannot be read.
    """
    members: dict[str, HeldMember] = {}
    grants: dict[tuple[int, str], HeldGrant] = {}
    brakes: tuple[HeldBrake, ...] = ()
    component = ""
    facts: Mapping[str, Any] = {}
    accounts: dict[int, HeldAccount] = {}
    account_grants: dict[tuple[int, int], HeldAccountGrant] = {}
    wholes: dict[int, str] = {}
    teams: dict[int, HeldTeam] = {}
    team_grants: dict[tuple[int, int], HeldTeamGrant] = {}
    team_members: dict[tuple[int, str], HeldTeamMember] = {}
    custom_roles: dict[tuple[int, str], HeldCustomRole] = {}
    security: HeldSecurity | None = None
    for resource in _resources(export):
        type_, urn = str(resource.get("type", "")), str(resource.get("urn", ""))
        outputs = Outputs(resource.get("outputs") or {})
        if type_ == BRAKE_TYPE:
            known = [person for person in outputs.get("people") or () if person.get("email")]
            brakes += (HeldBrake(urn, known, str(resource.get("id", ""))),)
        elif type_ == COMPONENT_TYPE:
            component, facts = urn, outputs
        if type_ not in _IDS:
            continue
        id_: ResourceId = _IDS[type_].parse(str(resource.get("id", "")))
        if id_.organization != organization:
            continue
        role = str(outputs.get("role", ""))
        origin = (
            _seconds(resource.get("modified") or resource.get("created")),
            _seconds(resource.get("created")),
            str(id_),
        )
        match id_:
            case MemberId():
                email = outputs["email"] = str(outputs.get("email", id_.email))
                members[same_key(email)] = HeldMember(email, _organization_role(outputs), urn, outputs, *origin)
            case GrantId():
                email = outputs["email"] = str(outputs.get("email", id_.email))
                grants[id_.project, same_key(email)] = HeldGrant(id_.project, email, role, urn, outputs, *origin)
            case ProjectAccessId():
                wholes[id_.project] = urn
                everybody = granted((resource.get("outputs") or {}).get("grants"))
                for one in single_grants({**outputs, "grants": everybody}):
                    email = str(one["email"])
                    held = HeldGrant(id_.project, email, str(one["role"]), urn, one, *origin)
                    grants[id_.project, same_key(email)] = held
            case ServiceAccountId():
                name = str(outputs.get("username", ""))  # "" is a secret one
                accounts[id_.account] = HeldAccount(name, id_.account, urn, outputs)
            case ServiceAccountGrantId():
                place = (id_.project, id_.account)
                account_grants[place] = HeldAccountGrant(*place, role, urn, outputs)
            case TeamId():
                teams[id_.team] = HeldTeam(str(outputs.get("name", "")), id_.team, urn, outputs)
            case TeamGrantId():
                place = (id_.project, id_.team)
                team_grants[place] = HeldTeamGrant(*place, role, urn, outputs, *origin)
            case TeamMemberId():
                email = outputs["email"] = str(outputs.get("email", id_.email))
                team_members[id_.team, same_key(email)] = HeldTeamMember(id_.team, email, urn, outputs, *origin)
            case CustomRoleId():
                custom_roles[id_.project, id_.role] = HeldCustomRole(id_.project, id_.role, urn, outputs)
            case OrganizationSecurityId():
                security = HeldSecurity(urn, outputs)
    return State(
        members,
        grants,
        brakes,
        component,
        facts,
        accounts,
        account_grants,
        wholes,
        teams,
        team_grants,
        team_members,
        custom_roles,
        security,
    )


def changed_addresses(members: Mapping[str, Mapping[str, Any]], people: Mapping[str, Person]) -> dict[str, str]:
    """Whose address has changed in Mixpanel: the key in a state -> the key there.

    Mixpanel's id decides: whoever else has got an old address since is somebody else.

    Args:
        members: what the state has of each `Member`, by the key of the address.
        people: everybody in the organization, by the key of the address.
    """
    by_id = {person.user_id: key for key, person in people.items() if person.user_id is not None}
    found: dict[str, str] = {}
    for key, member in members.items():
        user_id, current = member.get("user_id"), member.get("current_email")
        now = by_id.get(user_id) if isinstance(user_id, int) else None
        if now is None and key not in people and isinstance(current, str) and same_key(current) in people:
            now = same_key(current)
        if now not in (None, key):
            found[key] = now
    return found


def _organization_role(outputs: Mapping[str, Any]) -> str | None:
    """The declared organization role; an import of an earlier version may have kept Mixpanel's word for none."""
    role = outputs.get("role")
    return roles.organization_role(role) if isinstance(role, str) else role


def name_of(urn: str) -> str:
    """A resource's name in the program."""
    return urn.rpartition("::")[2]


def _seconds(instant_text: Any) -> str:
    """The engine's instant in the project's form, without its fractions of a second."""
    return written(instant(instant_text)) if isinstance(instant_text, str) else ""


def _resources(export: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    """The live resources; one that waits for its deletion is on its way out."""
    resources = (export.get("deployment") or {}).get("resources") or []
    return (resource for resource in resources if not resource.get("delete"))
