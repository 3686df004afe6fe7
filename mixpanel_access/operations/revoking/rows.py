"""The resources of a stack's state, one by one, as a run of the engine names them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from mixpanel_access.model import resources as kinds
from mixpanel_access.model.address import same_key
from mixpanel_access.model.grants import is_exclusive
from mixpanel_access.model.groups import parts
from mixpanel_access.operations.outputs import Outputs
from mixpanel_access.operations.state import State, name_of


@dataclass(frozen=True)
class StateRow:
    """One resource of an exported state, or one person's part of a group there.

    Attributes:
        urn: its name in the engine; of a part, the group's.
        type: its type; of a part, that of the single resource which it stands for.
        inputs: its inputs, without the provider and without what is a secret.
        parent: its parent's name in the engine, or "".
        going: whether a run has replaced it and was killed before it deleted it.
        dependencies: the resources in the engine without which it cannot be.
        known_ref: the id with its parts, if they are known.
        in_group: whether it is a part of a group: to take it away is an update of that.
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
    in_group: bool = False

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

    @property
    def place(self) -> tuple[str, str]:
        """What names it among single resources and parts: the name in the engine, and the key of the address."""
        return self.urn, same_key(self.ref.person or "")

    @cached_property
    def parts(self) -> Sequence[StateRow]:
        """The parts of a group, one for each person; none of any other resource."""
        kind = kinds.KINDS.get(self.type)
        if kind is None or kind.parts is None:
            return ()
        inputs = {one.key: one.props for one in parts(kind, self.ref, self.inputs)}
        return [
            replace(
                self,
                type=one.kind.type,
                id=str(one.ref),
                inputs=inputs.get(one.key, {}),
                outputs=one.props,
                known_ref=one.ref,
                in_group=True,
            )
            for one in parts(kind, self.ref, self.outputs)
        ]


def singles(rows: Iterable[StateRow]) -> Iterator[StateRow]:
    """The resources with the parts of each group in its place; a group whose people are a secret stays as it is.

    A lost grant is no part, as no state has a single one; but it is one of all grants of a project.
    """
    for row in rows:
        if not row.parts:
            yield row
        else:
            yield from row.parts if is_whole(row) else (part for part in row.parts if part.outputs.get("role") != "")


def is_whole(row: StateRow) -> bool:
    """Whether it is all grants of a project, and those that nobody declares go too."""
    return row.type == kinds.PROJECT_ACCESS_TYPE and is_exclusive(row.inputs)


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
    """The resources of a state and the parts of groups, without their inputs: what goes needs only the outputs."""
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
    ]
