"""Grouped resources as the script of a life knows them: it has one resource for each person, and knows no groups."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from mixpanel_access.model import resources as kinds
from mixpanel_access.model.address import same_key
from mixpanel_access.model.grants import REASON_FIELDS
from mixpanel_access.model.groups import part_properties
from mixpanel_access.operations.revoking.removals import Removal
from tests.lives.stacks import Op

_SHOWN = ("role", *REASON_FIELDS)


def steps_of(step: Mapping[str, Any], differing: Mapping[str, AbstractSet[str]]) -> set[Op]:
    """A step of the engine as steps of single resources: the step and the resource's name.

    Args:
        step: as a preview shows it.
        differing: the URN of a group -> the keys of the people in it whom the run changes.
    """
    op, urn = str(step["op"]), str(step["urn"])
    kind, name = kinds.KINDS.get(urn.split("::")[-2].rpartition("$")[2]), urn.rpartition("::")[2]
    old = dict((step.get("oldState") or {}).get("outputs") or {})
    new = dict((step.get("newState") or {}).get("inputs") or {}) if op != "delete" else {}
    if kind is None or kind.parts is None or (kind is kinds.PROJECT_ACCESS and _is_whole({**old, **new})):
        return {(op, name)}
    before, after = _parts(kind, {**old, "lost": None}), _parts(kind, new)
    both = before.keys() & after.keys()
    if kind is kinds.PROJECT_ACCESS:
        changed = {key for key in both if any(before[key].get(one) != after[key].get(one) for one in _SHOWN)}
    else:
        changed = both & differing.get(urn, frozenset())
    found = {"create": after.keys() - both, "delete": before.keys() - both, "update": changed}
    return {(word, _name(kind, name, key)) for word, keys in found.items() for key in keys}


def removed_name(taking: Removal) -> str:
    """The name of the single resource that goes, or is lowered."""
    type_, _, name = taking.urn.rpartition("::")
    kind = kinds.KINDS[type_.rpartition("::")[2].rpartition("$")[2]]
    return _name(kind, name, taking.key) if taking.in_group else name


def _parts(kind: kinds.ResourceKind, props: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {same_key(one["email"]): one for one in part_properties(kind, props)}


def _is_whole(props: Mapping[str, Any]) -> bool:
    return props.get("exclusive") is not False


def _name(kind: kinds.ResourceKind, name: str, key: str) -> str:
    """The name of a person's single resource, by that of the group."""
    where = name.removeprefix(kind.prefix)
    if kind is kinds.TEAM_MEMBERS:
        return f"{kinds.TEAM.named(where)}:{key}"
    return f"{where}:{key}" if kind is kinds.PROJECT_ACCESS else key
