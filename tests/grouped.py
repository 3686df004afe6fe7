"""The same access in groups: a state of single resources, turned into the one that a grouped roster leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from mixpanel_access.model import resources as kinds
from mixpanel_access.model.grants import REASON_FIELDS, shared_reasons
from mixpanel_access.model.groups import OUTPUTS, parts, single_kind
from mixpanel_access.operations.revoking.rows import StateRow
from mixpanel_access.operations.state import State, StateResource, key_of

OWN_INPUTS: Final = ("role", "removal", "ownership", "since")
"""The inputs of a `Member` that a `Members` has of each person."""
_GROUPS: Final = {single: kind for kind in kinds.ALL_KINDS if (single := single_kind(kind)) is not None}
Properties = Mapping[str, Any]


def inputs_of_group(kind: kinds.ResourceKind, inputs: Sequence[Properties]) -> dict[str, Any]:
    """The inputs of a group, by those of the single resources that it stands for."""
    reasons = shared_reasons(inputs)
    found: dict[str, Any] = {"reasons": reasons} if reasons else {}
    if kind is kinds.MEMBERS:
        found["people"] = {one["email"]: {name: one[name] for name in OWN_INPUTS if name in one} for one in inputs}
    elif kind is kinds.TEAM_MEMBERS:
        found |= {"people": [one["email"] for one in inputs], **_common(inputs, "team_id")}
    else:
        found |= {"grants": {one["email"]: one.get("role") or "" for one in inputs}, "exclusive": False}
        found |= _common(inputs, "project_id", "environment")
    return found


def outputs_of_group(kind: kinds.ResourceKind, outputs: Sequence[Properties]) -> dict[str, Any]:
    """Its outputs."""
    found = inputs_of_group(kind, outputs)
    if kind is not kinds.PROJECT_ACCESS:
        known = (*OWN_INPUTS, "email", "team_id", *REASON_FIELDS)
        found[OUTPUTS] = {one["email"]: {name: one[name] for name in one if name not in known} for one in outputs}
    return found


def _common(some: Sequence[Properties], *names: str) -> dict[str, Any]:
    return {name: one[name] for one in some for name in names if name in one}


def grouped_rows(rows: Iterable[StateRow]) -> list[StateRow]:
    """The resources of a state, with one resource in place of those that a group stands for."""
    rows = list(rows)
    apart: dict[tuple[kinds.ResourceKind, tuple[Any, ...]], list[StateRow]] = {}
    for row in rows:
        if (group := _GROUPS.get(kinds.KINDS.get(row.type))) is not None:  # type: ignore[arg-type]
            apart.setdefault((group, row.ref.parts[:-1]), []).append(row)
    teams = {row.ref.team: row.key for row in rows if row.type == kinds.TEAM_TYPE}
    found = [row for row in rows if kinds.KINDS.get(row.type) not in _GROUPS]
    for (group, where), some in apart.items():
        ref = group.id(*where)
        key = "" if group is kinds.MEMBERS else where[1]
        name = group.named(teams.get(key, key) if group is kinds.TEAM_MEMBERS else key)
        path = some[0].urn.rpartition("::")[0].rpartition(some[0].type)[0]
        found.append(
            StateRow(
                urn=f"{path}{group.type}::{name}", type=group.type, id=str(ref),
                inputs=inputs_of_group(group, [{**row.inputs, "email": row.ref.email} for row in some]),
                outputs=outputs_of_group(group, [{**row.outputs, "email": row.ref.email} for row in some]),
                parent=some[0].parent,
            )
        )  # fmt: skip
    return found


def grouped_state(state: State, **times: Any) -> State:
    """A state with groups, as it is read; `times` are when the engine created and changed them."""
    found = {kind: dict(some) for kind, some in state.resources.items()}
    for single, group in _GROUPS.items():
        apart: dict[tuple[Any, ...], list[StateResource]] = {}
        for one in state.of(single).values():
            if isinstance(one.ref, single.id):
                apart.setdefault(one.ref.parts[:-1], []).append(one)
        for where, some in apart.items():
            ref = group.id(*where)
            outputs = outputs_of_group(group, [{**one.outputs, "email": one.email} for one in some])
            name = group.named("" if group is kinds.MEMBERS else where[1])
            whole = StateResource(group, ref, f"urn:pulumi:s::p::{group.type}::{name}", outputs, **times)
            whole = replace(whole, parent=some[0].parent)
            found.setdefault(group, {})[key_of(whole)] = whole
            for part in parts(group, ref, outputs):
                one = replace(whole, kind=part.kind, ref=part.ref, outputs=part.props)
                found[single][key_of(one)] = one
    return replace(state, resources=found)


Form = Callable[[Iterable[StateRow]], list[StateRow]]
FORMS: Final[Mapping[str, Form]] = {"single": list, "grouped": grouped_rows}
"""A state in both forms, for the tests of what does not differ."""
