"""The file for `pulumi import --file`: resources as the provider itself reads them, so that the engine need not."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pulumi.dynamic.dynamic import serialize_provider

from mixpanel_access.model import resources as kinds
from mixpanel_access.model import roles
from mixpanel_access.model.address import same_key
from mixpanel_access.model.declaration import COMPONENT, Declaration, grant_name, team_member_name
from mixpanel_access.model.errors import InputError
from mixpanel_access.model.ownership import Origin
from mixpanel_access.model.resources import (
    BRAKE_TYPE,
    COMPONENT_TYPE,
    CUSTOM_ROLE_TYPE,
    GRANT_TYPE,
    MEMBER_TYPE,
    ORGANIZATION_SECURITY_TYPE,
    PROJECT_ACCESS_TYPE,
    PROVIDER_KEY,
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
    ServiceAccountGrantId,
    ServiceAccountId,
    TeamGrantId,
    TeamId,
    TeamMemberId,
)
from mixpanel_access.model.roster.schema import Roster
from mixpanel_access.operations.own_roles import role_there
from mixpanel_access.operations.state import State, name_of
from mixpanel_access.provider.base import AccessProvider
from mixpanel_access.provider.custom_role import CustomRoleProvider
from mixpanel_access.provider.handler import Problems
from mixpanel_access.provider.member import MemberProvider
from mixpanel_access.provider.organization_security import OrganizationSecurityProvider
from mixpanel_access.provider.project_access import ProjectAccessProvider
from mixpanel_access.provider.project_grant import ProjectGrantProvider
from mixpanel_access.provider.removal_brake import RemovalBrakeProvider
from mixpanel_access.provider.service_account import ServiceAccountProvider
from mixpanel_access.provider.service_account_grant import ServiceAccountGrantProvider
from mixpanel_access.provider.session import Session
from mixpanel_access.provider.team import TeamProvider
from mixpanel_access.provider.team_grant import TeamGrantProvider
from mixpanel_access.provider.team_member import TeamMemberProvider

Entry = Mapping[str, Any]


def member_entries(session: Session, declared: Declaration, names: Collection[str]) -> list[Entry]:
    """The entries of members, in the declaration's order; who is not in the organization gets none.

    Raises:
        InputError: what is declared cannot be used.
    """
    members = _Kind(MEMBER_TYPE, MemberProvider(), session)
    found: list[Entry | None] = []
    for name, inputs in declared.members.items():
        if name in names:
            id_ = MemberId(session.organization, inputs["email"])
            found.append(members.read(name, id_, {**inputs, "origin": Origin.IMPORTED.value}))
    return [entry for entry in found if entry]


def grant_entries(session: Session, declared: Declaration, names: Collection[tuple[int, str]]) -> list[Entry]:
    """The entries of single grants, in the declaration's order; what the project does not have gets none.

    Raises:
        InputError: what is declared cannot be used.
    """
    grants, found = _Kind(GRANT_TYPE, ProjectGrantProvider(), session), []
    for (project, member), inputs in declared.single_grants.items():
        if (project, member) in names:
            id_ = GrantId(session.organization, project, inputs["email"])
            found.append(grants.read(grant_name(project, member), id_, inputs))
    return [entry for entry in found if entry]


def whole_entries(session: Session, declared: Declaration, projects: Collection[int]) -> list[Entry]:
    """The entries of projects whose grants the roster alone says; one that the organization has not gets none.

    Raises:
        InputError: what is declared cannot be used.
    """
    project_access = _Kind(PROJECT_ACCESS_TYPE, ProjectAccessProvider(), session)
    found = [
        project_access.read(kinds.PROJECT_ACCESS.named(project), ProjectAccessId(session.organization, project), inputs)
        for project, inputs in declared.project_access.items()
        if project in projects
    ]
    return [entry for entry in found if entry]


def role_entries(session: Session, declared: Declaration, state: State) -> list[Entry]:
    """The entries of custom roles that the organization has by their names and the state has not.

    Raises:
        InputError: what is declared cannot be used.
        MixpanelError: custom roles cannot be read: the plan has none, for one.
    """
    kind = _Kind(CUSTOM_ROLE_TYPE, CustomRoleProvider(), session)
    found: list[Entry | None] = []
    for key, inputs in declared.custom_roles.items():
        project = inputs["project_id"]
        there = session.directory.custom_roles.by_name(project, inputs["name"])
        if there is not None and (project, there.id) not in state.custom_roles:
            id_ = CustomRoleId(session.organization, project, there.id)
            found.append(kind.read(kinds.CUSTOM_ROLE.named(key), id_, inputs))
    return [entry for entry in found if entry]


def security_entries(session: Session, declared: Declaration, state: State) -> list[Entry]:
    """The entry of the security settings, where the roster has them and the state has not.

    Raises:
        InputError: what is declared cannot be used.
    """
    if declared.security is None or state.security is not None:
        return []
    settings = _Kind(ORGANIZATION_SECURITY_TYPE, OrganizationSecurityProvider(), session)
    name, id_ = kinds.ORGANIZATION_SECURITY.prefix, OrganizationSecurityId(session.organization)
    entry = settings.read(name, id_, declared.security)
    return [entry] if entry else []


def with_role_ids(session: Session, roster: Roster, declared: Declaration) -> Declaration:
    """What is declared, with the ids of the roster's own custom roles in place of their keys, where they are there.

    A grant of a role that is yet to be made is left out: it cannot be there.
    """

    def there(project: int, role: str) -> str | None:
        found = role_there(session.directory, roster, declared.keys[project], role)
        return found if roles.is_project_role(found) else None

    def named(grants: Mapping[tuple[int, str], Entry]) -> dict[tuple[int, str], Entry]:
        found = {place: there(place[0], inputs["role"]) for place, inputs in grants.items()}
        return {place: {**grants[place], "role": role} for place, role in found.items() if role}

    def whole(project: int, inputs: Entry) -> Entry:
        found = {email: there(project, role) for email, role in inputs["grants"].items()}
        return {**inputs, "grants": {email: role for email, role in found.items() if role}}

    return replace(
        declared,
        grants=named(declared.grants),
        account_grants=named(declared.account_grants),
        team_grants=named(declared.team_grants),
        project_access={project: whole(project, inputs) for project, inputs in declared.project_access.items()},
    )


def account_entries(session: Session, declared: Declaration, state: State) -> tuple[list[Entry], dict[str, str]]:
    """The entries of service accounts that the organization has and the state has not, and of their roles.

    Returns:
        The entries, in the declaration's order, and account -> why it is left out: several of that name are there.

    Raises:
        InputError: what is declared cannot be used.
    """
    accounts = _Kind(SERVICE_ACCOUNT_TYPE, ServiceAccountProvider(), session)
    held = _Kind(SERVICE_ACCOUNT_GRANT_TYPE, ServiceAccountGrantProvider(), session)
    ids = {account.name: account.account for account in state.accounts.values()}
    found: list[Entry | None] = []
    left_out: dict[str, str] = {}
    for name, inputs in declared.accounts.items():
        if name in ids:
            continue
        there = session.directory.accounts.by_name(name)
        if len(there) > 1:
            left_out[name] = f"{', '.join(account.username for account in there)} are there, and one can be meant"
        elif there:
            ids[name] = there[0].id
            id_ = ServiceAccountId(session.organization, there[0].id)
            found.append(accounts.read(kinds.SERVICE_ACCOUNT.named(name), id_, inputs))
    for (project, name), inputs in declared.account_grants.items():
        account = ids.get(name)
        if account is not None and (project, account) not in state.account_grants:
            place = ServiceAccountGrantId(session.organization, project, account)
            resource = grant_name(project, kinds.SERVICE_ACCOUNT.named(name))
            found.append(held.read(resource, place, {**inputs, "service_account_id": account}))
    return [entry for entry in found if entry], left_out


def team_entries(session: Session, declared: Declaration, state: State, members: Collection[str]) -> list[Entry]:
    """The entries of teams that the organization has and the state has not, of their roles, and of who is in them.

    Args:
        session: the operation.
        declared: what the roster declares.
        state: what the stack has already.
        members: whose places come in: the names of members who are in the stack then.

    Returns:
        The entries, in the declaration's order. Who is not seen to be in a team has none: the next `up` puts them in.

    Raises:
        InputError: what is declared cannot be used.
    """
    teams = _Kind(TEAM_TYPE, TeamProvider(), session)
    roles = _Kind(TEAM_GRANT_TYPE, TeamGrantProvider(), session)
    places = _Kind(TEAM_MEMBER_TYPE, TeamMemberProvider(), session)
    held = {name_of(team.urn): team.team for team in state.teams.values()}
    ids: dict[str, int] = {}
    found: list[Entry | None] = []
    for key, inputs in declared.teams.items():
        if (known := held.get(kinds.TEAM.named(key))) is not None:
            ids[key] = known
        elif there := session.directory.teams.by_name(inputs["name"]):
            ids[key] = there.id
            found.append(teams.read(kinds.TEAM.named(key), TeamId(session.organization, there.id), inputs))
    for (project, key), inputs in declared.team_grants.items():
        if key in ids and (project, ids[key]) not in state.team_grants:
            role = TeamGrantId(session.organization, project, ids[key])
            found.append(roles.read(grant_name(project, kinds.TEAM.named(key)), role, {**inputs, "team_id": ids[key]}))
    for (key, member), inputs in declared.team_members.items():
        teams_there = session.directory.teams
        team = teams_there.get(ids[key]) if key in ids else None
        seen = team is not None and (teams_there.fed_by_others(team) or teams_there.is_member(team, inputs["email"]))
        if team and seen and member in members and (team.id, member) not in state.team_members:
            place = TeamMemberId(session.organization, team.id, inputs["email"])
            found.append(places.read(team_member_name(key, member), place, {**inputs, "team_id": team.id}))
    return [entry for entry in found if entry]


def brake_entry(session: Session, people: Sequence[Mapping[str, Any]]) -> Entry:
    """The entry of the brake over these people."""
    brakes = _Kind(BRAKE_TYPE, RemovalBrakeProvider(), session)
    made = brakes.provider.lifecycle.create({"people": [dict(person) for person in people]})
    return brakes.entry(kinds.BRAKE_NAME, made.id, made.outputs, made.outputs)


def people_for_brake(declared: Declaration, state: State) -> list[Mapping[str, Any]]:
    """Whom the brake is to know: all that are declared, and whom it knew and the roster has no longer.

    The latter are still in the state: the next `pulumi up` is to judge their removal.
    """
    names = {same_key(person["email"]) for person in declared.people}
    before = [person for brake in state.brakes for person in brake.people]
    return [*declared.people, *(person for person in before if same_key(str(person["email"])) not in names)]


def import_file(entries: Sequence[Entry], state: State) -> dict[str, Any]:
    """The document: the component first where the state has none, then the entries below it."""
    if state.component:
        return {"nameTable": {COMPONENT: state.component}, "resources": list(entries)}
    return {"resources": [{"type": COMPONENT_TYPE, "name": COMPONENT, "component": True}, *entries]}


class _Kind:
    """The resources of one type, with their provider, which is the same in each."""

    def __init__(self, type_: str, provider: AccessProvider, session: Session) -> None:
        self.provider = provider
        provider.use(session)
        self._type, self._pickled = type_, {PROVIDER_KEY: serialize_provider(provider)}

    def read(self, name: str, id_: object, declared: Mapping[str, Any]) -> Entry | None:
        """What the provider reads of a declared resource, or None where there is nothing."""
        inputs, problems = dict(declared), Problems()
        self.provider.handler.check(inputs, problems)
        if problems:
            raise InputError(
                "cannot import",
                whom=name,
                why="; ".join(f"{failure.field}: {failure.reason}" for failure in problems.failures),
                next_step="Fix the roster and run again.",
            )
        found = self.provider.lifecycle.refresh(str(id_), inputs)
        return found and self.entry(name, id_, found.inputs, found.outputs)

    def entry(
        self, name: str, id_: object, inputs: Mapping[str, Any] | None, outputs: Mapping[str, Any] | None
    ) -> Entry:
        return {
            "type": self._type,
            "name": name,
            "id": str(id_),
            "parent": COMPONENT,
            "inputs": {**(inputs or {}), **self._pickled},
            "outputs": {**(outputs or {}), **self._pickled},
        }
