"""What a state holds, for tests: resources by their essential values, and states of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from mixpanel_access.model import resources as kinds
from mixpanel_access.operations.state import State, StateResource
from tests.fakes import ORGANIZATION


def _held(kind: kinds.ResourceKind, ref: kinds.ResourceId, urn: str, outputs: Any, **given: Any) -> StateResource:
    times = {name: given.pop(name) for name in ("modified", "created") if name in given}
    known = {name: value for name, value in given.items() if value is not None}
    return StateResource(kind, ref, urn, {**known, **(outputs or {})}, **times)


def held_member(email: str, role: str | None, urn: str = "", outputs: Any = None, **times: str) -> StateResource:
    """A `Member`."""
    return _held(kinds.MEMBER, kinds.MemberId(ORGANIZATION, email), urn, outputs, email=email, role=role, **times)


def held_grant(project: int, email: str, role: str, urn: str = "", outputs: Any = None, **times: str) -> StateResource:
    """A `ProjectGrant`."""
    ref = kinds.GrantId(ORGANIZATION, project, email)
    return _held(kinds.PROJECT_GRANT, ref, urn, outputs, email=email, role=role or None, **times)


def held_account(name: str, account: int, urn: str = "", outputs: Any = None) -> StateResource:
    """A `ServiceAccount`."""
    return _held(kinds.SERVICE_ACCOUNT, kinds.ServiceAccountId(ORGANIZATION, account), urn, outputs, username=name)


def held_account_grant(project: int, account: int, role: str) -> StateResource:
    """A `ServiceAccountGrant`."""
    ref = kinds.ServiceAccountGrantId(ORGANIZATION, project, account)
    return _held(kinds.SERVICE_ACCOUNT_GRANT, ref, "", None, role=role)


def held_team(name: str, team: int, urn: str = "", outputs: Any = None) -> StateResource:
    """A `Team`."""
    return _held(kinds.TEAM, kinds.TeamId(ORGANIZATION, team), urn, outputs, name=name)


def held_team_grant(
    project: int, team: int, role: str, urn: str = "", outputs: Any = None, **times: str
) -> StateResource:
    """A `TeamGrant`."""
    ref = kinds.TeamGrantId(ORGANIZATION, project, team)
    return _held(kinds.TEAM_GRANT, ref, urn, outputs, role=role, **times)


def held_team_member(team: int, email: str, urn: str = "", outputs: Any = None, **times: str) -> StateResource:
    """A `TeamMember`."""
    ref = kinds.TeamMemberId(ORGANIZATION, team, email)
    return _held(kinds.TEAM_MEMBER, ref, urn, outputs, email=email, **times)


def held_custom_role(project: int, role: str, urn: str = "") -> StateResource:
    """A `CustomRole`."""
    return _held(kinds.CUSTOM_ROLE, kinds.CustomRoleId(ORGANIZATION, project, role), urn, None)


def held_security(urn: str) -> StateResource:
    """An `OrganizationSecurity`."""
    return _held(kinds.ORGANIZATION_SECURITY, kinds.OrganizationSecurityId(ORGANIZATION), urn, None)


def held_brake(urn: str, people: Sequence[Mapping[str, Any]]) -> StateResource:
    """A `RemovalBrake`."""
    return _held(kinds.REMOVAL_BRAKE, kinds.RemovalBrakeId(ORGANIZATION), urn, {"people": list(people)})


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
