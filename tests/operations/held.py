"""What a state holds, for tests: resources by their essential values, and states of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from mixpanel_access.model import resources as kinds
from mixpanel_access.model import roles
from mixpanel_access.model.declaration import Declaration
from mixpanel_access.model.groups import parts
from mixpanel_access.model.resource_ids import (
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
)
from mixpanel_access.operations.state import State, StateResource, key_of
from tests.fakes import ORGANIZATION


def _held(kind: kinds.ResourceKind, ref: ResourceId, urn: str, outputs: Any, **given: Any) -> StateResource:
    times = {name: given.pop(name) for name in ("modified", "created") if name in given}
    known = {name: value for name, value in given.items() if value is not None}
    return StateResource(kind, ref, urn, {**known, **(outputs or {})}, **times)


def held_member(email: str, role: str | None, urn: str = "", outputs: Any = None, **times: str) -> StateResource:
    """A `Member`."""
    return _held(kinds.MEMBER, MemberId(ORGANIZATION, email), urn, outputs, email=email, role=role, **times)


def held_grant(project: int, email: str, role: str, urn: str = "", outputs: Any = None, **times: str) -> StateResource:
    """A `ProjectGrant`."""
    ref = GrantId(ORGANIZATION, project, email)
    return _held(kinds.PROJECT_GRANT, ref, urn, outputs, email=email, role=role or None, **times)


def held_account(name: str, account: int, urn: str = "", outputs: Any = None) -> StateResource:
    """A `ServiceAccount`."""
    return _held(kinds.SERVICE_ACCOUNT, ServiceAccountId(ORGANIZATION, account), urn, outputs, username=name)


def held_account_grant(project: int, account: int, role: str) -> StateResource:
    """A `ServiceAccountGrant`."""
    ref = ServiceAccountGrantId(ORGANIZATION, project, account)
    return _held(kinds.SERVICE_ACCOUNT_GRANT, ref, "", None, role=role)


def held_team(name: str, team: int, urn: str = "", outputs: Any = None) -> StateResource:
    """A `Team`."""
    return _held(kinds.TEAM, TeamId(ORGANIZATION, team), urn, outputs, name=name)


def held_team_grant(
    project: int, team: int, role: str, urn: str = "", outputs: Any = None, **times: str
) -> StateResource:
    """A `TeamGrant`."""
    ref = TeamGrantId(ORGANIZATION, project, team)
    return _held(kinds.TEAM_GRANT, ref, urn, outputs, role=role, **times)


def held_team_member(team: int, email: str, urn: str = "", outputs: Any = None, **times: str) -> StateResource:
    """A `TeamMember`."""
    ref = TeamMemberId(ORGANIZATION, team, email)
    return _held(kinds.TEAM_MEMBER, ref, urn, outputs, email=email, **times)


def held_custom_role(project: int, role: str, urn: str = "") -> StateResource:
    """A `CustomRole`."""
    return _held(kinds.CUSTOM_ROLE, CustomRoleId(ORGANIZATION, project, role), urn, None)


def held_security(urn: str) -> StateResource:
    """An `OrganizationSecurity`."""
    return _held(kinds.ORGANIZATION_SECURITY, OrganizationSecurityId(ORGANIZATION), urn, None)


def held_brake(urn: str, people: Sequence[Mapping[str, Any]]) -> StateResource:
    """A `RemovalBrake`."""
    return _held(kinds.REMOVAL_BRAKE, RemovalBrakeId(ORGANIZATION), urn, {"people": list(people)})


_KINDS = {
    "members": kinds.MEMBER,
    "grants": kinds.PROJECT_GRANT,
    "accounts": kinds.SERVICE_ACCOUNT,
    "account_grants": kinds.SERVICE_ACCOUNT_GRANT,
    "project_access": kinds.PROJECT_ACCESS,
    "teams": kinds.TEAM,
    "team_grants": kinds.TEAM_GRANT,
    "team_members": kinds.TEAM_MEMBER,
    "custom_roles": kinds.CUSTOM_ROLE,
}


def state_of_resources(
    members: Mapping[str, StateResource] | None = None,
    grants: Mapping[tuple[int, str], StateResource] | None = None,
    brakes: Sequence[StateResource] = (),
    component: str = "",
    facts: Mapping[str, Any] | None = None,
    security: StateResource | None = None,
    **more: Mapping[Any, StateResource],
) -> State:
    """A state; each argument is the attribute of that name."""
    found = State({}, component, facts or {})
    if brakes:
        found = replace(found, resources={kinds.REMOVAL_BRAKE: {one.urn: one for one in brakes}})
    if security:
        found = replace(found, resources={**found.resources, kinds.ORGANIZATION_SECURITY: {(): security}})
    return changed_state(found, members=members or {}, grants=grants or {}, **more)


def changed_state(state: State, **changes: Mapping[Any, StateResource]) -> State:
    """The state with other resources of some kinds."""
    resources = {**state.resources, **{_KINDS[name]: found for name, found in changes.items()}}
    return replace(state, resources={kind: found for kind, found in resources.items() if found})


def role_id(number: int) -> str:
    """The id that Mixpanel gives the custom role of a number."""
    return f"11111111-2222-4333-8444-{number:012}"


def applied(declared: Declaration, **left_out: Any) -> State:
    """The state that an `up` leaves of a declaration; `left_out` are other resources in place of some kinds'."""
    teams = {key: number for number, key in enumerate(declared.teams, 100)}
    accounts = {name: number for number, name in enumerate(declared.accounts, 500)}
    own_roles = {roles.declared_role(key): role_id(number) for number, key in enumerate(declared.custom_roles)}
    refs: dict[str, Any] = {"Team": teams, "ServiceAccount": accounts}
    found: dict[kinds.ResourceKind, dict[Any, StateResource]] = {}
    for one in declared.resources():
        inputs = {**one.inputs, **({"role": own_roles.get(role, role)} if (role := one.inputs.get("role")) else {})}
        match one.kind, one.key:
            case kinds.MEMBER, key:
                ref: Any = MemberId(ORGANIZATION, inputs["email"])
            case kinds.PROJECT_GRANT, (project, key):
                ref = GrantId(ORGANIZATION, project, inputs["email"])
            case kinds.MEMBERS, _:
                ref = MembersId(ORGANIZATION)
            case kinds.TEAM_MEMBERS, key:
                ref = TeamMembersId(ORGANIZATION, teams[key])
            case kinds.PROJECT_ACCESS, key:
                ref = ProjectAccessId(ORGANIZATION, key)
                inputs["grants"] = {email: own_roles.get(role, role) for email, role in inputs["grants"].items()}
            case kinds.TEAM | kinds.SERVICE_ACCOUNT, key:
                ref = one.kind.id.parse(f"{ORGANIZATION}:{refs[one.kind.name][key]}")
            case kinds.TEAM_GRANT, (project, key):
                ref = TeamGrantId(ORGANIZATION, project, teams[key])
            case kinds.TEAM_MEMBER, (key, _):
                ref = TeamMemberId(ORGANIZATION, teams[key], inputs["email"])
            case kinds.SERVICE_ACCOUNT_GRANT, (project, key):
                ref = ServiceAccountGrantId(ORGANIZATION, project, accounts[key])
            case kinds.CUSTOM_ROLE, key:
                ref = CustomRoleId(ORGANIZATION, inputs["project_id"], own_roles[roles.declared_role(key)])
            case _:
                continue
        held = StateResource(one.kind, ref, f"urn:pulumi:s::p::type::{one.name}", inputs)
        found.setdefault(one.kind, {})[key_of(held)] = held
        for part in parts(one.kind, ref, inputs):
            single = replace(held, kind=part.kind, ref=part.ref, outputs=part.props, in_group=True)
            found.setdefault(part.kind, {})[key_of(single)] = single
    return changed_state(State(found), **left_out)
