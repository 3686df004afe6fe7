"""The file for `pulumi import --file`: resources as the provider itself reads them, so that the engine need not."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Any

from pulumi.dynamic.dynamic import serialize_provider

from mixpanel_access.model import resources as kinds
from mixpanel_access.model import roles
from mixpanel_access.model.address import same_key
from mixpanel_access.model.declaration import COMPONENT, Declaration, DeclaredResource
from mixpanel_access.model.errors import InputError
from mixpanel_access.model.grants import is_exclusive
from mixpanel_access.model.groups import OUTPUTS, people_in, without
from mixpanel_access.model.ownership import Origin
from mixpanel_access.model.resource_ids import BRAKE_NAME, ResourceId
from mixpanel_access.model.resources import PROVIDER_KEY, ResourceKind
from mixpanel_access.model.roster.schema import Roster
from mixpanel_access.operations.roles_there import role_there
from mixpanel_access.operations.state import State, StateResource, key_of, name_of
from mixpanel_access.provider.base import AccessProvider
from mixpanel_access.provider.handler import Problems
from mixpanel_access.provider.session import Session

ImportEntry = Mapping[str, Any]
"""One resource in the file for `pulumi import`."""
Inputs = Mapping[str, Any]
"""The inputs of a resource, by their names."""


@dataclass(frozen=True)
class Wanted:
    """What an import takes of people; of other kinds, it takes what the organization has and the state does not.

    Attributes:
        members: the names of the members.
        grants: the individual grants, by project id and the name of the member.
        project_access: the ids of the projects of which one resource has all grants, those of nobody else's too.
    """

    members: Collection[str] = ()
    grants: Collection[tuple[int, str]] = ()
    project_access: Collection[int] = ()


def entries_of(
    session: Session, declared: Declaration, state: State, wanted: Wanted
) -> tuple[list[ImportEntry], dict[str, str]]:
    """The entries of what is declared, as the organization has it; what it does not have gets none.

    Returns:
        The entries, in the declaration's order, and service account -> why it is left out.

    Raises:
        InputError: what is declared cannot be used.
        MixpanelError: something cannot be read, as custom roles without the plan for them.
    """
    finder = _Finder(session, state, wanted)
    resources = list(declared.resources())
    readers = {kind: _Reader(kind, session) for kind in {one.kind for one in resources}}
    found = []
    for one in resources:
        if (ref := finder.find(one)) is not None:
            inputs = {**finder.taken(one), **{name: finder.ids[other] for name, other in one.refers_to.items()}}
            if one.kind is kinds.MEMBER:
                inputs["origin"] = Origin.IMPORTED.value
            elif one.kind is kinds.MEMBERS:
                inputs[OUTPUTS] = {email: {"origin": Origin.IMPORTED.value} for email in inputs["people"]}
            found.append(readers[one.kind].read(one.name, ref, inputs))
    return [entry for entry in found if entry], finder.left_out


@dataclass
class _Finder:
    """Finds in the organization what is declared, and decides what of it the import takes.

    Attributes:
        ids: Mixpanel's id of each team and service account, by the name of the resource.
        left_out: service account -> why it cannot be found.
    """

    session: Session
    state: State
    wanted: Wanted
    ids: dict[str, int] = field(init=False)
    left_out: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        accounts = {kinds.SERVICE_ACCOUNT.named(one.name): one.account for one in self.state.accounts.values()}
        self.ids = {**accounts, **{name_of(one.urn): one.team for one in self.state.teams.values()}}

    def find(self, one: DeclaredResource) -> ResourceId | None:
        """The id of a resource that the import takes, else None."""
        if one.name in self.ids or not self.ids.keys() >= set(one.refers_to.values()):
            return None
        parts = self._parts(one)
        if parts is None:
            return None
        if one.kind in (kinds.SERVICE_ACCOUNT, kinds.TEAM):
            self.ids[one.name] = parts[0]
        ref = one.kind.id(self.session.organization, *parts)
        is_held = key_of(StateResource(one.kind, ref)) in self.state.of(one.kind)
        return None if is_held and not one.kind.parts else ref

    def taken(self, one: DeclaredResource) -> Inputs:
        """The inputs of a resource, of a group with the people that the import takes alone."""
        if one.kind.parts is None or is_whole(one):
            return one.inputs
        return without(one.kind, one.inputs, people_in(one.kind, one.inputs) - self._people(one))

    def _people(self, one: DeclaredResource) -> set[str]:
        """The keys of the people whom the import takes into a group."""
        wanted = self.wanted
        if one.kind is kinds.MEMBERS:
            return {*wanted.members}
        if one.kind is kinds.PROJECT_ACCESS:
            return {key for project, key in wanted.grants if project == one.key}
        team = next(self.ids[other] for other in one.refers_to.values())
        keys = people_in(one.kind, one.inputs)
        return {key for key in keys if self._is_in(team, key) and (team, key) not in self.state.team_members}

    def _is_in(self, id_: int, key: str) -> bool:
        """Whether the import takes somebody's membership in a team; if not, the next `up` adds them."""
        teams = self.session.directory.teams
        team = teams.get(id_)
        if team is None or key not in {*self.wanted.members, *self.state.members}:
            return False
        return bool(teams.fed_by_others(team) or teams.is_member(team, key))

    def _parts(self, one: DeclaredResource) -> tuple[Any, ...] | None:
        """The parts of the id after the organization; None for what is not there, or not wanted."""
        directory, inputs, wanted = self.session.directory, one.inputs, self.wanted
        holder = next((self.ids[other] for other in one.refers_to.values()), 0)
        match one.kind:
            case kinds.MEMBER:
                return (inputs["email"],) if one.key in wanted.members else None
            case kinds.PROJECT_GRANT:
                return (inputs["project_id"], inputs["email"]) if one.key in wanted.grants else None
            case kinds.PROJECT_ACCESS:
                takes = one.key in wanted.project_access if is_whole(one) else bool(self._people(one))
                return (one.key,) if takes else None
            case kinds.MEMBERS:
                return () if self._people(one) else None
            case kinds.TEAM_MEMBERS:
                return (holder,) if self._people(one) else None
            case kinds.CUSTOM_ROLE:
                role = directory.custom_roles.by_name(inputs["project_id"], inputs["name"])
                return (inputs["project_id"], role.id) if role else None
            case kinds.SERVICE_ACCOUNT:
                there = directory.accounts.by_name(one.key)
                if len(there) > 1:
                    names = ", ".join(account.username for account in there)
                    self.left_out[one.key] = f"{names} are there, and one can be meant"
                return (there[0].id,) if len(there) == 1 else None
            case kinds.TEAM:
                team = directory.teams.by_name(inputs["name"])
                return (team.id,) if team else None
            case kinds.TEAM_MEMBER:
                return (holder, inputs["email"]) if self._is_in(holder, one.key[1]) else None
        return (inputs["project_id"], holder) if one.refers_to else ()


def is_whole(one: DeclaredResource) -> bool:
    """Whether a resource is all grants of a project, those that nobody declares too."""
    return one.kind is kinds.PROJECT_ACCESS and is_exclusive(one.inputs)


def with_role_ids(session: Session, roster: Roster, declared: Declaration) -> Declaration:
    """What is declared, with the ids of the roster's own custom roles in place of their keys, where they are there.

    A grant of a role that is yet to be made is left out: it cannot be there.
    """

    def there(project: int, role: str) -> str | None:
        found = role_there(session.directory, roster, declared.keys[project], role)
        return found if roles.is_project_role(found) else None

    def named(grants: Mapping[tuple[int, str], Inputs]) -> dict[tuple[int, str], Inputs]:
        found = {place: there(place[0], inputs["role"]) for place, inputs in grants.items()}
        return {place: {**grants[place], "role": role} for place, role in found.items() if role}

    def with_ids(project: int, inputs: Inputs) -> Inputs:
        found = {email: there(project, role) for email, role in inputs["grants"].items()}
        return {**inputs, "grants": {email: role for email, role in found.items() if role}}

    return replace(
        declared,
        grants=named(declared.grants),
        account_grants=named(declared.account_grants),
        team_grants=named(declared.team_grants),
        project_access={project: with_ids(project, inputs) for project, inputs in declared.project_access.items()},
    )


def brake_entry(session: Session, people: Sequence[Mapping[str, Any]]) -> ImportEntry:
    """The entry of the brake over these people."""
    brakes = _Reader(kinds.REMOVAL_BRAKE, session)
    made = brakes.provider.lifecycle.create({"people": [dict(person) for person in people]})
    return brakes.entry(BRAKE_NAME, made.id, made.outputs, made.outputs)


def people_for_brake(declared: Declaration, state: State) -> list[Mapping[str, Any]]:
    """The people for the brake: those that are declared, and those that it had and the roster no longer has.

    The latter are still in the state: the next `pulumi up` judges their removal.
    """
    names = {same_key(person["email"]) for person in declared.people}
    before = [person for brake in state.brakes for person in brake.people]
    return [*declared.people, *(person for person in before if same_key(str(person["email"])) not in names)]


def import_file(entries: Sequence[ImportEntry], state: State) -> dict[str, Any]:
    """The document: the component first where the state has none, then the entries below it."""
    if state.component:
        return {"nameTable": {COMPONENT: state.component}, "resources": list(entries)}
    return {"resources": [{"type": kinds.COMPONENT_TYPE, "name": COMPONENT, "component": True}, *entries]}


class _Reader:
    """Reads the resources of one kind with their provider, which is the same in each."""

    def __init__(self, kind: ResourceKind, session: Session) -> None:
        module = import_module(f"mixpanel_access.provider.{kind.module}")
        self.provider: AccessProvider = getattr(module, f"{kind.name}Provider")()
        self.provider.use(session)
        self.provider.handler.keeps = True  # a state that the engine imports keeps what it has
        self._type, self._pickled = kind.type, {PROVIDER_KEY: serialize_provider(self.provider)}

    def read(self, name: str, id_: object, declared: Mapping[str, Any]) -> ImportEntry | None:
        """What the provider reads of a declared resource, or None where there is nothing."""
        inputs, problems = dict(declared), Problems()
        self.provider.handler.check(inputs, problems)
        if problems:
            raise InputError(
                "cannot import",
                subject=name,
                why="; ".join(f"{failure.field}: {failure.reason}" for failure in problems.failures),
                next_step="Fix the roster and run again.",
            )
        found = self.provider.lifecycle.refresh(str(id_), inputs)
        return found and self.entry(name, id_, found.inputs, found.outputs)

    def entry(
        self, name: str, id_: object, inputs: Mapping[str, Any] | None, outputs: Mapping[str, Any] | None
    ) -> ImportEntry:
        return {
            "type": self._type,
            "name": name,
            "id": str(id_),
            "parent": COMPONENT,
            "inputs": {**(inputs or {}), **self._pickled},
            "outputs": {**(outputs or {}), **self._pickled},
        }
