"""What a program says when it registers a resource."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
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


def new_state(request: Any, urn: str, provider: str, root: str) -> State:
    """What the state will have of a resource, before its inputs are checked.

    Args:
        request: the registration.
        urn: the resource's.
        provider: the reference of its provider; "" for a component.
        root: the project's folder.
    """
    of_property = sorted(request.propertyDependencies.items())
    return {
        "urn": urn, "custom": request.custom, "type": request.type, "inputs": values.plain(request.object),
        "parent": request.parent, "protect": request.protect, "dependencies": list(request.dependencies),
        "provider": provider, "propertyDependencies": {key: list(one.urns) for key, one in of_property},
        "retainOnDelete": request.retainOnDelete, "ignoreChanges": list(request.ignoreChanges),
        "sourcePosition": _position(request.sourcePosition, root),
        "stackTrace": [_frame(frame, root) for frame in request.stackTrace.frames],
    }  # fmt: skip


def aliases(request: Any, options: Options, alias_of: Mapping[str, str]) -> list[str]:
    """The other URNs that a resource may have in the state.

    Args:
        request: the registration.
        options: the run's.
        alias_of: the URN of a resource of the program -> the other one that it has in the state.
    """
    found = [_alias(request, alias, options, alias_of) for alias in request.aliases]
    if above := alias_of.get(request.parent):
        parent = name_of(request.parent)
        names = [(request.type, request.name), *((type_of(alias), name_of(alias)) for alias in found)]
        for type_, name in names:
            inherited = name_of(above) + name.removeprefix(parent) if name.startswith(parent) else name
            found.append(make_urn(options.stack, options.project, above, type_, inherited))
    return list(dict.fromkeys(found))


def _alias(request: Any, alias: Any, options: Options, alias_of: Mapping[str, str]) -> str:
    if alias.urn:
        return str(alias.urn)
    spec = alias.spec
    parent = alias_of.get(spec.parentUrn, spec.parentUrn) or ("" if spec.noParent else request.parent)
    stack, project = spec.stack or options.stack, spec.project or options.project
    return make_urn(stack, project, parent, spec.type or request.type, spec.name or request.name)


def _position(position: Any, root: str) -> str:
    if not position.uri:
        return ""
    path = posixpath.relpath(position.uri.removeprefix("file://"), root)
    return f"project:///{path}#{position.line}" + (f",{position.column}" if position.column else "")


def _frame(frame: Any, root: str) -> dict[str, str]:
    position = _position(frame.pc, root)
    return {"sourcePosition": position} if position else {}
