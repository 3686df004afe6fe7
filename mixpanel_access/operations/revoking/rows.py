"""The resources of a stack's state, one by one, as a run of the engine names them."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

from mixpanel_access.model import resources as kinds
from mixpanel_access.operations.state import Outputs, State, name_of


@dataclass(frozen=True)
class StateRow:
    """One resource of an exported state.

    Attributes:
        inputs: its inputs, without the provider and without what is a secret.
        parent: its parent's name in the engine, or "".
        going: whether a run has replaced it and was killed before it deleted it.
        dependencies: the resources in the engine without which it cannot be.
        known_ref: the id with its parts, if they are known.
    """

    urn: str
    type: str
    id: str
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    parent: str = ""
    protected: bool = False
    going: bool = False
    dependencies: AbstractSet[str] = frozenset()
    known_ref: Any = field(default=None, compare=False)

    @property
    def name(self) -> str:
        """The resource's name in the program."""
        return name_of(self.urn)

    @property
    def key(self) -> str:
        """The key by which the roster has it: the name without what the names of its kind begin with."""
        return self.name.removeprefix(kinds.KINDS[self.type].prefix)

    @property
    def ref(self) -> Any:
        """The id, with its parts.

        Raises:
            InputError: it cannot be read.
        """
        return self.known_ref or kinds.KINDS[self.type].id.parse(self.id)


def rows_of(export: Mapping[str, Any]) -> list[StateRow]:
    """The resources of an exported state."""
    return [
        StateRow(
            urn=str(one.get("urn", "")),
            type=str(one.get("type", "")),
            id=str(one.get("id", "")),
            inputs=dict(Outputs(one.get("inputs") or {})),
            outputs=dict(Outputs(one.get("outputs") or {})),
            parent=str(one.get("parent", "")),
            protected=bool(one.get("protect")),
            going=bool(one.get("delete")),
            dependencies=frozenset(one.get("dependencies") or ()),
        )
        for one in kinds.rows_in(export)
    ]


def rows_of_state(state: State) -> list[StateRow]:
    """The resources of a state, without their inputs: what goes needs only the outputs."""
    return [
        StateRow(
            urn=one.urn,
            type=kind.type,
            id=one.id,
            inputs={},
            outputs=one.outputs,
            parent=one.parent,
            known_ref=one.ref,
        )
        for kind, found in state.resources.items()
        for one in found.values()
        if not (kind is kinds.PROJECT_GRANT and isinstance(one.ref, kinds.ProjectAccessId))  # a part of another
    ]
