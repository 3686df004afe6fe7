"""What a program says when it registers a resource."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.python_engine import values
from tests.python_engine.backend import State
from tests.python_engine.names import PACKAGE, make_urn, name_of, type_of
from tests.python_engine.steps import Options
from tests.python_engine.unknown import Unknown

_KNOWN = frozenset({
    "type", "name", "parent", "custom", "object", "protect", "dependencies", "propertyDependencies",
    "deleteBeforeReplace", "deleteBeforeReplaceDefined", "ignoreChanges", "acceptSecrets", "aliases",
    "supportsPartialValues", "retainOnDelete", "acceptResources", "sourcePosition", "stackTrace", "aliasSpecs",
    "supportsResultReporting", "hooks", "customTimeouts",
})  # fmt: skip
"""What a registration may say; with anything else it is left to the engine."""
_EMPTY = frozenset({"hooks", "customTimeouts"})
"""What it may only say without a content."""


def check_known(request: Any) -> None:
    """Check that a registration says nothing that only the engine knows.

    Raises:
        Unknown: it does.
    """
    for described, value in request.ListFields():
        if described.name not in _KNOWN or (described.name in _EMPTY and value.ByteSize()):
            raise Unknown(f"a resource with {described.name}")
    if request.custom and request.type.partition(":")[0] != PACKAGE:
        raise Unknown(f"a resource of {request.type}")
    if len(request.object.fields) and not request.propertyDependencies:
        raise Unknown("inputs without a word on what they depend on")


@dataclass(frozen=True)
class Registration:
    """A resource that a program registers, in plain values.

    Attributes:
        parent: the parent's URN, or "".
        of_property: input -> the URNs that it depends on.
        position: where in the program it is made, below the project's folder.
        frames: the same of each frame of the stack.
        aliases: the messages with its other names.
    """

    type: str
    name: str
    parent: str
    custom: bool
    inputs: Mapping[str, Any]
    dependencies: Sequence[str] = ()
    of_property: Mapping[str, Sequence[str]] = field(default_factory=dict)
    protect: bool = False
    retain: bool = False
    ignore_changes: Sequence[str] = ()
    delete_first: bool = False
    position: str = ""
    frames: Sequence[Mapping[str, str]] = ()
    aliases: Sequence[Any] = ()


def registration_in(request: Any, root: str) -> Registration:
    """What a program says when it registers a resource.

    Args:
        request: the message.
        root: the project's folder.

    Raises:
        Unknown: it says something that only the engine knows.
    """
    check_known(request)
    return Registration(
        type=request.type, name=request.name, parent=request.parent, custom=request.custom,
        inputs=values.plain(request.object), dependencies=list(request.dependencies),
        of_property={key: list(one.urns) for key, one in sorted(request.propertyDependencies.items())},
        protect=request.protect, retain=request.retainOnDelete, ignore_changes=list(request.ignoreChanges),
        delete_first=request.deleteBeforeReplace, position=_position(request.sourcePosition, root),
        frames=[_frame(frame, root) for frame in request.stackTrace.frames], aliases=list(request.aliases),
    )  # fmt: skip


def new_state(one: Registration, urn: str, provider: str) -> State:
    """What the state will have of a resource, before its inputs are checked.

    Args:
        one: the registration.
        urn: the resource's.
        provider: the reference of its provider; "" for a component.
    """
    return {
        "urn": urn, "custom": one.custom, "type": one.type, "inputs": dict(one.inputs), "parent": one.parent,
        "protect": one.protect, "dependencies": list(one.dependencies), "provider": provider,
        "propertyDependencies": {key: list(urns) for key, urns in one.of_property.items()},
        "retainOnDelete": one.retain, "ignoreChanges": list(one.ignore_changes), "sourcePosition": one.position,
        "stackTrace": list(one.frames),
    }  # fmt: skip


def aliases(one: Registration, options: Options, alias_of: Mapping[str, str]) -> list[str]:
    """The other URNs that a resource may have in the state.

    Args:
        one: the registration.
        options: the run's.
        alias_of: the URN of a resource of the program -> the other one that it has in the state.
    """
    found = [_alias(one, alias, options, alias_of) for alias in one.aliases]
    if above := alias_of.get(one.parent):
        parent = name_of(one.parent)
        names = [(one.type, one.name), *((type_of(alias), name_of(alias)) for alias in found)]
        for type_, name in names:
            inherited = name_of(above) + name.removeprefix(parent) if name.startswith(parent) else name
            found.append(make_urn(options.stack, options.project, above, type_, inherited))
    return list(dict.fromkeys(found))


def _alias(one: Registration, alias: Any, options: Options, alias_of: Mapping[str, str]) -> str:
    if alias.urn:
        return str(alias.urn)
    spec = alias.spec
    parent = alias_of.get(spec.parentUrn, spec.parentUrn) or ("" if spec.noParent else one.parent)
    stack, project = spec.stack or options.stack, spec.project or options.project
    return make_urn(stack, project, parent, spec.type or one.type, spec.name or one.name)


def _position(position: Any, root: str) -> str:
    if not position.uri:
        return ""
    path = posixpath.relpath(position.uri.removeprefix("file://"), root)
    return f"project:///{path}#{position.line}" + (f",{position.column}" if position.column else "")


def _frame(frame: Any, root: str) -> dict[str, str]:
    position = _position(frame.pc, root)
    return {"sourcePosition": position} if position else {}
