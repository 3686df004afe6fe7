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
        items = dict(_items(path, old, new))
        yield from items.items()
        if not items:  # only the order or the number of equal ones differs
            yield path, PropertyDiff.UPDATE
    else:
        yield path, PropertyDiff.UPDATE


def _step(key: str) -> str:
    """A key of a mapping within a path, as the engine reads it."""
    return f".{key}" if _PLAIN.fullmatch(key) else '["{}"]'.format(key.replace("\\", "\\\\").replace('"', '\\"'))


def _items(path: str, old: Sequence[Any], new: Sequence[Any]) -> Iterator[tuple[str, PropertyDiff.Kind.ValueType]]:
    """The items that came or went, whatever their order; of one that changed, the parts that did."""
    was, now = [list(map(_comparable, items)) for items in (old, new)]
    before, after = frozenset(was), frozenset(now)
    gone = {place for place, item in enumerate(was) if item not in after}
    come = {place for place, item in enumerate(now) if item not in before}
    for left, right in sorted(_pairs(old, gone, new, come).items()):
        gone.remove(left)
        come.remove(right)
        if left == right:
            yield from _differences(f"{path}[{left}]", old[left], new[left])
        else:
            yield from _only_in(f"{path}[{left}]", old[left], new[right], PropertyDiff.DELETE)
            yield from _only_in(f"{path}[{right}]", new[right], old[left], PropertyDiff.ADD)
    both, kinds = gone & come, dict.fromkeys(gone, PropertyDiff.DELETE) | dict.fromkeys(come, PropertyDiff.ADD)
    for place in sorted(kinds):
        yield f"{path}[{place}]", PropertyDiff.UPDATE if place in both else kinds[place]


def _pairs(old: Sequence[Any], gone: set[int], new: Sequence[Any], come: set[int]) -> dict[int, int]:
    """The items that changed, by their places: of mappings with other items in their lists, or else at the same place.

    So a reason with one person less is the same reason. The engine looks a path up before and after: reasons that moved
    count as the same only where nothing else is shown at both of their places.
    """
    was, now = _alone(old, gone), _alone(new, come)
    pairs = {was[one]: now[one] for one in was.keys() & now.keys()}
    moved = [(left, right) for left, right in pairs.items() if left != right]
    shown = [left for left, right in moved if any(_only_in("", old[left], new[right], PropertyDiff.DELETE))]
    shown += [right for left, right in moved if any(_only_in("", new[right], old[left], PropertyDiff.ADD))]
    shown += (gone - pairs.keys()) | (come - set(pairs.values()))
    if len(shown) > len(set(shown)):
        pairs = {left: right for left, right in pairs.items() if left == right}
    rest = (gone - pairs.keys()) & (come - set(pairs.values()))
    same = {place for place in rest if isinstance(old[place], Mapping) and isinstance(new[place], Mapping)}
    return {**pairs, **{place: place for place in same}}


def _alone(items: Sequence[Any], places: Collection[int]) -> dict[Hashable, int]:
    """What mappings have besides lists -> the place of the only one that has it."""
    found: dict[Hashable, list[int]] = {}
    for place in places:
        if isinstance(item := items[place], Mapping):
            rest = {key: value for key, value in item.items() if not isinstance(value, list)}
            found.setdefault(_comparable(rest), []).append(place)
    return {rest: some[0] for rest, some in found.items() if len(some) == 1}


def _only_in(
    path: str, item: Properties, other: Properties, kind: PropertyDiff.Kind.ValueType
) -> Iterator[tuple[str, PropertyDiff.Kind.ValueType]]:
    """What the lists of a mapping have, and those of another do not."""
    for key in sorted(name for name, value in item.items() if isinstance(value, list)):
        there = frozenset(map(_comparable, other.get(key) or ()))
        for place, part in enumerate(item[key]):
            if _comparable(part) not in there:
                yield f"{path}{_step(key)}[{place}]", kind


def _comparable(value: Any) -> Hashable:
    """A value of JSON as one that can be in a set: to look for each of thousands of items in a list takes minutes."""
    if isinstance(value, Mapping):
        return frozenset((key, _comparable(part)) for key, part in value.items())
    if isinstance(value, list):
        return tuple(map(_comparable, value))
    return value if isinstance(value, Hashable) else repr(value)
