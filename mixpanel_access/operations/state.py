"""What the stacks' states hold, read from `pulumi stack export`: one record for each resource, of whatever kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Final

from mixpanel_access.model import roles
from mixpanel_access.model.access import Person
from mixpanel_access.model.address import same_key
from mixpanel_access.model.dates import instant, written
from mixpanel_access.model.groups import parts
from mixpanel_access.model.resource_ids import RemovalBrakeId, ResourceId
from mixpanel_access.model.resources import (
    COMPONENT_TYPE,
    CUSTOM_ROLE,
    KINDS,
    MEMBER,
    OF_ORGANIZATION,
    ORGANIZATION_SECURITY,
    PROJECT_ACCESS,
    PROJECT_GRANT,
    REMOVAL_BRAKE,
    SERVICE_ACCOUNT,
    SERVICE_ACCOUNT_GRANT,
    TEAM,
    TEAM_GRANT,
    TEAM_MEMBER,
    ResourceKind,
    rows_in,
)
from mixpanel_access.model.roster.schema import Roster
from mixpanel_access.operations.outputs import Outputs, with_people


@dataclass(frozen=True)
class StateResource:
    """One resource in a state, or one person's part of a group there.

    Attributes:
        kind: its kind; of a part, that of the single resource which it stands for.
        ref: its id, with its parts; of a part, that of the single resource.
        urn: its name in the engine; of a part, the group's.
        outputs: what the state holds of it, without the provider.
        modified: when the engine last changed it (ISO 8601, UTC), or ""; of a part, the group.
        created: when the engine created or adopted it (ISO 8601, UTC), or ""; of a part, the group.
        parent: its parent's name in the engine, or "".
        in_group: whether it is a part of a group.
    """

    kind: ResourceKind
    ref: ResourceId
    urn: str = ""
    outputs: Mapping[str, Any] = field(default_factory=dict, compare=False)
    modified: str = field(default="", compare=False)
    created: str = field(default="", compare=False)
    parent: str = field(default="", compare=False)
    in_group: bool = field(default=False, compare=False)

    @property
    def id(self) -> str:
        """The id as the engine has it."""
        return str(self.ref)

    @property
    def begun(self) -> str:
        """When the stack got it (ISO 8601, UTC), or "" if the state does not say, as mostly of a grant in a group."""
        return str(self.outputs.get("added") or "") if self.in_group else self.created

    @property
    def changed(self) -> str:
        """When the engine last changed it (ISO 8601, UTC), or "" if the state does not say, as of a part of a group."""
        return "" if self.in_group else self.modified

    @property
    def name(self) -> str:
        """The name in Mixpanel; "" where the kind has none, or it is a secret."""
        return str(self.outputs.get("username") or self.outputs.get("name") or "")

    @property
    def email(self) -> str:
        """The address as it is written in the state; "" where the resource is not about one person."""
        return str(self.outputs.get("email") or self.ref.person or "")

    @property
    def role(self) -> str:
        """The role that is declared; "" where there is none, or it is a secret."""
        role = self.outputs.get("role")
        if self.kind is MEMBER and isinstance(role, str):
            return roles.organization_role(role) or ""  # an import of an early version kept Mixpanel's word for none
        return "" if role is None else str(role)

    @property
    def project(self) -> int:
        """The project's id; 0 where the resource is not about one project."""
        return int(getattr(self.ref, "project", 0))

    @property
    def team(self) -> int:
        """Mixpanel's id of the team; 0 where the resource is not about one."""
        return int(getattr(self.ref, "team", 0))

    @property
    def account(self) -> int:
        """Mixpanel's id of the service account; 0 where the resource is not about one."""
        return int(getattr(self.ref, "account", 0))

    @property
    def given_by_stack(self) -> bool:
        """Whether the stack gave the access: a team member may wait, or be left to an identity provider."""
        return self.outputs.get("status") not in ("waiting", "left_to_scim")

    @property
    def waits(self) -> bool:
        """Whether a team member waits for the acceptance of the invitation."""
        return self.outputs.get("status") == "waiting"

    @property
    def people(self) -> list[Mapping[str, Any]]:
        """The people in a brake."""
        return [person for person in self.outputs.get("people") or () if person.get("email")]


Resources = Mapping[Any, StateResource]
"""Key -> resource: the parts of the id after the organization, an address as its key; of a single part, that alone."""


@dataclass(frozen=True)
class State:
    """What some states have in Mixpanel.

    Attributes:
        resources: kind -> its resources.
        component: the name of the `RosterAccess` in the engine, or "" where there is none.
        facts: what that says of the roster as a whole.
    """

    resources: Mapping[ResourceKind, Resources] = field(default_factory=dict)
    component: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def of(self, kind: ResourceKind) -> Resources:
        """The resources of a kind, by their keys."""
        return self.resources.get(kind, {})

    @property
    def members(self) -> Resources:
        """The members, by the key of the address."""
        return self.of(MEMBER)

    @property
    def grants(self) -> Resources:
        """The grants, by project id and the key of the address; those of a `ProjectAccess` one by one."""
        return self.of(PROJECT_GRANT)

    @property
    def project_access(self) -> Resources:
        """The `ProjectAccess` of which the grants in a project are a part, by project id."""
        return self.of(PROJECT_ACCESS)

    @property
    def accounts(self) -> Resources:
        """The service accounts, by Mixpanel's id."""
        return self.of(SERVICE_ACCOUNT)

    @property
    def account_grants(self) -> Resources:
        """Their roles, by project id and account id."""
        return self.of(SERVICE_ACCOUNT_GRANT)

    @property
    def teams(self) -> Resources:
        """The teams, by Mixpanel's id."""
        return self.of(TEAM)

    @property
    def team_grants(self) -> Resources:
        """Their roles, by project id and team id."""
        return self.of(TEAM_GRANT)

    @property
    def team_members(self) -> Resources:
        """Who is in them, by team id and the key of the address."""
        return self.of(TEAM_MEMBER)

    @property
    def custom_roles(self) -> Resources:
        """The custom roles, by project id and the role's id."""
        return self.of(CUSTOM_ROLE)

    @property
    def security(self) -> StateResource | None:
        """The security settings; None where the stack does not declare them."""
        return next(iter(self.of(ORGANIZATION_SECURITY).values()), None)

    @property
    def brakes(self) -> Sequence[StateResource]:
        """The `RemovalBrake` resources of the state."""
        return [*self.of(REMOVAL_BRAKE).values()]

    def __or__(self, other: State) -> State:
        """What both have in Mixpanel; the rest is each stack's own."""
        kinds = dict.fromkeys((*self.resources, *other.resources))
        return State({kind: _joined(self.of(kind), other.of(kind)) for kind in kinds if kind is not REMOVAL_BRAKE})

    def known_as(self, changed: Mapping[str, str]) -> State:
        """The same, by the addresses that people have in Mixpanel now.

        Args:
            changed: the key of an address here -> the key of the one that the person has now.
        """
        if not changed:
            return self

        def now(key: Any) -> Any:
            return (*key[:-1], changed.get(key[-1], key[-1])) if isinstance(key, tuple) else changed.get(key, key)

        return replace(
            self,
            resources={
                kind: {now(key): one for key, one in found.items()} if kind.of_a_person else found
                for kind, found in self.resources.items()
            },
        )

    def team_name(self, id_: int) -> str:
        """A team's name, or its id where no stack has the team itself, or the name is a secret."""
        return (self.teams[id_].name if id_ in self.teams else "") or str(id_)


def _joined(some: Resources, more: Resources) -> Resources:
    """The resources of a kind in two states: of what both have, what claims more, with what the other knows."""
    both = {
        key: replace(stronger, outputs={**weaker.outputs, **stronger.outputs})
        for key in some.keys() & more.keys()
        for weaker, stronger in [sorted((some[key], more[key]), key=lambda one: (bool(one.role), one.given_by_stack))]
    }
    return {**some, **more, **both}


EMPTY: Final = State()


def state_of(export: Mapping[str, Any], organization: int) -> State:
    """The resources of one organization in an exported state.

    Raises:
        InputError: an id in it cannot be read.
    """
    found: dict[ResourceKind, dict[Any, StateResource]] = {}
    component = ""
    facts: Mapping[str, Any] = {}
    for row in rows_in(export):
        if row.get("delete"):
            continue  # it is on its way out
        type_, urn, outputs = str(row.get("type", "")), str(row.get("urn", "")), Outputs(row.get("outputs") or {})
        if type_ == COMPONENT_TYPE and outputs.get(OF_ORGANIZATION, organization) == organization:
            component, facts = urn, outputs
        if type_ not in KINDS:
            continue
        kind, id_ = KINDS[type_], str(row.get("id", ""))
        ref = RemovalBrakeId(organization) if kind is REMOVAL_BRAKE else kind.id.parse(id_)
        if ref.organization != organization:
            continue
        if ref.person:
            outputs["email"] = str(outputs.get("email", ref.person))
        resource = StateResource(
            kind=kind,
            ref=ref,
            urn=urn,
            outputs=outputs,
            modified=_seconds(row.get("modified") or row.get("created")),
            created=_seconds(row.get("created")),
            parent=str(row.get("parent", "")),
        )
        found.setdefault(kind, {})[key_of(resource)] = resource
        for part in parts(kind, ref, with_people(kind, outputs, row.get("outputs") or {})) if kind.parts else ():
            single = replace(resource, kind=part.kind, ref=part.ref, outputs=part.props, in_group=True)
            found.setdefault(part.kind, {})[key_of(single)] = single
    return State(found, component, facts)


def key_of(resource: StateResource) -> Any:
    """The key of a resource among those of its kind; of a brake, its name: a stack may have several."""
    if resource.kind is REMOVAL_BRAKE:
        return resource.urn
    _, *parts = resource.ref.parts
    if resource.ref.person:
        parts[-1] = same_key(resource.email)
    return parts[0] if len(parts) == 1 else tuple(parts)


def changed_addresses(members: Mapping[str, Mapping[str, Any]], people: Mapping[str, Person]) -> dict[str, str]:
    """Whose address has changed in Mixpanel: the key in a state -> the key there.

    Mixpanel's id decides: whoever else has got an old address since is somebody else.
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


def team_keys(roster: Roster | None, state: State) -> dict[int, str]:
    """Mixpanel's id of each team in a state -> its key in the roster, else the one in the resource's name."""
    declared = {same_key(team.name): key for key, team in roster.teams.items()} if roster else {}

    def key(team: StateResource) -> str:
        own = name_of(team.urn).removeprefix(TEAM.prefix)
        if roster and own in roster.teams:
            return own
        return declared.get(same_key(team.name), own or team.name or str(team.team))

    return {team.team: key(team) for team in state.teams.values()}


def role_words(state: State) -> dict[tuple[int, str], str]:
    """The custom roles of a state by the roster's word for them: project id and the role's id -> the word."""
    names = {key: name_of(one.urn).removeprefix(CUSTOM_ROLE.prefix) for key, one in state.custom_roles.items()}
    return {key: roles.declared_role(name) for key, name in names.items()}


def name_of(urn: str) -> str:
    """A resource's name in the program."""
    return urn.rpartition("::")[2]


def _seconds(instant_text: Any) -> str:
    """The engine's instant in the project's form, without its fractions of a second."""
    return _written(instant_text) if isinstance(instant_text, str) else ""


@lru_cache(maxsize=1024)
def _written(instant_text: str) -> str:
    """The same of a text; one run of the engine changes many resources in one instant."""
    return written(instant(instant_text))
