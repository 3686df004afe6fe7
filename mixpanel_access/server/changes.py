"""What differs between two versions of a resource, part by part: for each, the path of the property and the kind."""

from __future__ import annotations

import re
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from pulumi.runtime.proto.provider_pb2 import PropertyDiff

_PLAIN: Final = re.compile(r"[A-Za-z_$][\w$]*")
_ABSENT: Final = object()
_REPLACING: Final = {
    PropertyDiff.ADD: PropertyDiff.ADD_REPLACE,
    PropertyDiff.DELETE: PropertyDiff.DELETE_REPLACE,
    PropertyDiff.UPDATE: PropertyDiff.UPDATE_REPLACE,
}


Properties = Mapping[str, Any]


def detailed(
    fields: Iterable[str], olds: Properties, news: Properties, replaces: Collection[str], secret: Collection[str] = ()
) -> dict[str, PropertyDiff.Kind.ValueType]:
    """The paths that differ, and how; none if something else than a difference forces a replacement, such as a date.

    Args:
        fields: the properties that count.
        olds: the outputs of the resource.
        news: its new inputs.
        replaces: the properties that force a replacement.
        secret: the properties that are secret, of which no part is named: the engine prints the paths.
    """
    found: dict[str, PropertyDiff.Kind.ValueType] = {}
    for field in fields:
        parts = dict(_differences(field, _value(olds, field), _value(news, field)))
        if parts and field in secret:
            parts = {field: parts.get(field, PropertyDiff.UPDATE)}
        if field in replaces:
            if not parts:
                return {}
            parts = {path: _REPLACING[kind] for path, kind in parts.items()}
        found.update(parts)
    return found


def _value(properties: Properties, field: str) -> Any:
    value = properties.get(field)
    return _ABSENT if value is None else value


def _differences(path: str, old: Any, new: Any) -> Iterator[tuple[str, PropertyDiff.Kind.ValueType]]:
    if old is new or old == new:
        return
    if old is _ABSENT:
        yield path, PropertyDiff.ADD
    elif new is _ABSENT:
        yield path, PropertyDiff.DELETE
    elif isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted(old.keys() | new.keys()):
            yield from _differences(f"{path}{_step(key)}", _value(old, key), _value(new, key))
    elif isinstance(old, list) and isinstance(new, list):
        items = _items(old, new)
        yield from ((f"{path}[{place}]", kind) for place, kind in items.items())
        if not items:  # only the order or the number of equal ones differs
            yield path, PropertyDiff.UPDATE
    else:
        yield path, PropertyDiff.UPDATE


def _step(key: str) -> str:
    """A key of a mapping within a path, as the engine reads it."""
    return f".{key}" if _PLAIN.fullmatch(key) else '["{}"]'.format(key.replace("\\", "\\\\").replace('"', '\\"'))


def _items(old: Sequence[Any], new: Sequence[Any]) -> dict[int, PropertyDiff.Kind.ValueType]:
    """The items that came or went, whatever their order: one that came in the place of one that went is a change."""
    was, now = [list(map(_comparable, items)) for items in (old, new)]
    before, after = frozenset(was), frozenset(now)
    gone = {place for place, item in enumerate(was) if item not in after}
    come = {place for place, item in enumerate(now) if item not in before}
    both, kinds = gone & come, dict.fromkeys(gone, PropertyDiff.DELETE) | dict.fromkeys(come, PropertyDiff.ADD)
    return {place: PropertyDiff.UPDATE if place in both else kinds[place] for place in sorted(kinds)}


def _comparable(value: Any) -> Hashable:
    """A value of JSON as one that can be in a set: to look for each of thousands of items in a list takes minutes."""
    if isinstance(value, Mapping):
        return frozenset((key, _comparable(part)) for key, part in value.items())
    if isinstance(value, list):
        return tuple(map(_comparable, value))
    return value if isinstance(value, Hashable) else repr(value)
