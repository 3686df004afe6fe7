"""The file for `pulumi import --file`: resources as the provider itself reads them, so that the engine need not."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from pulumi.dynamic.dynamic import serialize_provider

from mixpanel_access.component.declaration import BRAKE, COMPONENT, Declaration, grant_name
from mixpanel_access.model.address import same_key
from mixpanel_access.model.errors import InputError
from mixpanel_access.model.ids import BRAKE_TYPE, COMPONENT_TYPE, GRANT_TYPE, MEMBER_TYPE, GrantId, MemberId
from mixpanel_access.operations.state import State
from mixpanel_access.provider.base import GONE, PROVIDER_KEY, AccessProvider, Problems
from mixpanel_access.provider.member import MemberProvider
from mixpanel_access.provider.project_grant import ProjectGrantProvider
from mixpanel_access.provider.removal_brake import RemovalBrakeProvider
from mixpanel_access.provider.session import Session

Entry = Mapping[str, Any]


def member_entries(session: Session, declared: Declaration, names: Collection[str]) -> list[Entry]:
    """The entries of members, in the declaration's order; who is not in the organization gets none.

    Raises:
        InputError: what is declared cannot be used.
    """
    provider, organization = _working(MemberProvider(), session), session.organization
    return [
        entry
        for name, inputs in declared.members.items()
        if name in names
        and (entry := _entry(provider, MEMBER_TYPE, name, str(MemberId(organization, inputs["email"])), inputs))
    ]


def grant_entries(session: Session, declared: Declaration, names: Collection[tuple[int, str]]) -> list[Entry]:
    """The entries of grants, in the declaration's order; what the project does not have gets none.

    Raises:
        InputError: what is declared cannot be used.
    """
    provider, organization = _working(ProjectGrantProvider(), session), session.organization
    return [
        entry
        for (project, member), inputs in declared.grants.items()
        if (project, member) in names
        and (
            entry := _entry(
                provider,
                GRANT_TYPE,
                grant_name(project, member),
                str(GrantId(organization, project, inputs["email"])),
                inputs,
            )
        )
    ]


def brake_entry(session: Session, people: Sequence[Mapping[str, Any]]) -> Entry:
    """The entry of the brake over these people."""
    provider = _working(RemovalBrakeProvider(), session)
    made = provider.make({"people": [dict(person) for person in people]})
    return _row(provider, BRAKE_TYPE, BRAKE, str(made.id), made.outs or {}, made.outs or {})


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


def _working(provider: AccessProvider, session: Session) -> AccessProvider:
    provider.use(session)
    return provider


def _entry(provider: AccessProvider, kind: str, name: str, id_: str, declared: Mapping[str, Any]) -> Entry | None:
    """What the provider reads of a declared resource, or None where there is nothing."""
    inputs, problems = dict(declared), Problems()
    provider.inspect(inputs, problems)
    if problems:
        raise InputError(
            "cannot import",
            whom=name,
            why="; ".join(f"{failure.property}: {failure.reason}" for failure in problems.failures),
            next_step="Mend the roster and run again.",
        )
    found = provider.look(id_, inputs)
    if found is GONE:
        return None
    return _row(provider, kind, name, id_, found.inputs or {}, found.outs or {})


def _row(
    provider: AccessProvider, kind: str, name: str, id_: str, inputs: Mapping[str, Any], outputs: Mapping[str, Any]
) -> Entry:
    pickled = {PROVIDER_KEY: serialize_provider(provider)}
    return {
        "type": kind,
        "name": name,
        "id": id_,
        "parent": COMPONENT,
        "inputs": {**inputs, **pickled},
        "outputs": {**outputs, **pickled},
    }
