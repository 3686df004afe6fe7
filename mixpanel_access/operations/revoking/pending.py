"""What a killed run may have created without the state knowing: the creations that it left pending."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from mixpanel_access.model import resources as kinds
from mixpanel_access.model import roles
from mixpanel_access.model.address import same_key
from mixpanel_access.model.brakes import has_ended
from mixpanel_access.model.errors import MixpanelError
from mixpanel_access.model.grants import single_grants
from mixpanel_access.operations.revoking.blocked import BlockedRemoval
from mixpanel_access.operations.revoking.removals import Removal, RosterToday, StateRow
from mixpanel_access.operations.state_outputs import Outputs
from mixpanel_access.provider.exported_states import interrupted_in
from mixpanel_access.provider.session import Session

_WHY: Final = (
    "a run that was killed may have given it, and the state does not have it, so nothing takes it away: look in "
    "Mixpanel, and take it away there. This line comes back until the next run of the engine clears its note of it"
)


def pending_creations(
    export: Mapping[str, Any], rows: Sequence[StateRow], given: RosterToday, session: Session
) -> list[BlockedRemoval]:
    """What the roster no longer gives of what a killed run has begun to give to somebody, and Mixpanel may have.

    Args:
        export: the state of the stack, as the engine exports it.
        rows: its resources.
        given: what the roster gives.
        session: the organization.
    """
    there = {row.urn for row in rows if not row.going}
    found = [
        taking
        for one in interrupted_in(export)
        if one.urn not in there and f"::{kinds.COMPONENT_TYPE}$" in one.urn  # what else is declared, nobody says here
        for taking in _begun(one.urn, one.type, dict(Outputs(one.outputs)), given)
    ]
    ended = [replace(one, planned=has_ended(one.ends, given.today)) for one in dict.fromkeys(found)]
    return [
        BlockedRemoval(one, _WHY)
        for one in ended
        if not given.unsure(given.key(one.email), planned=one.planned) and _may_be_there(one, session)
    ]


def _begun(urn: str, type_: str, inputs: Mapping[str, Any], given: RosterToday) -> Iterator[Removal]:
    """What an open creation gives, and the roster does not."""
    declared, email = given.declared, inputs.get("email")
    if type_ == kinds.PROJECT_ACCESS_TYPE and isinstance(project := _number(inputs.get("project_id")), int):
        for one in single_grants(inputs):
            yield from _grant(urn, type_, project, one, given)
    elif not isinstance(email, str):
        return
    elif type_ == kinds.GRANT_TYPE and isinstance(project := _number(inputs.get("project_id")), int):
        yield from _grant(urn, type_, project, inputs, given)
    elif type_ == kinds.MEMBER_TYPE:
        key, role = given.key(email), inputs.get("role")
        now = declared.members.get(key)
        if now is None:
            yield Removal(urn, type_, "the place in the organization", email, same_key(email), ends=_ends(inputs))
        elif role and roles.organization_rank(role) > roles.organization_rank(now.get("role") or roles.MEMBER):
            what = f"the organization role {role}"
            yield Removal(urn, type_, what, email, same_key(email), ends=_ends(inputs), role=role)
    elif type_ == kinds.TEAM_MEMBER_TYPE and given.key(email) not in {person for _, person in declared.team_members}:
        yield Removal(urn, type_, "the place in a team", email, same_key(email), ends=_ends(inputs))


def _grant(urn: str, type_: str, project: int, one: Mapping[str, Any], given: RosterToday) -> Iterator[Removal]:
    email, role = str(one["email"]), str(one.get("role") or "a role")
    now = given.declared.grants.get((project, given.key(email)))
    if now is None or (
        not roles.is_custom(role)
        and not roles.is_custom(str(now["role"]))
        and roles.project_rank(role) > roles.project_rank(str(now["role"]))
    ):
        what = f"{role} in {given.declared.keys.get(project, f'project {project}')}"
        yield Removal(urn, type_, what, email, same_key(email), project, _ends(one))


def _may_be_there(taking: Removal, session: Session) -> bool:
    """Whether Mixpanel has it; what cannot be told may be there."""
    directory = session.directory
    try:
        person = directory.person(taking.email)
        if person is None or person.deactivated:
            return False
        if taking.project is None:
            return not roles.contradicts(taking.role, person.role)
        if directory.project_is_gone(taking.project):
            return False
        role = directory.access(taking.project, taking.email).individual
        return role is not None or directory.hides_grant(taking.project, taking.email)
    except MixpanelError:
        return True


def _number(value: Any) -> int | None:
    return int(value) if isinstance(value, int | float) or (isinstance(value, str) and value.isdigit()) else None


def _ends(inputs: Mapping[str, Any]) -> str | None:
    ends = inputs.get("ends")
    return ends if isinstance(ends, str) else None
