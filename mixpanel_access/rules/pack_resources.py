"""The engine's resources as the entries that rules judge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pulumi_policy.proxy import UnknownValueError

from mixpanel_access.model.grouping import grouped
from mixpanel_access.model.resources import COMPONENT_TYPE, DYNAMIC_TYPE, PACKAGE, PROVIDER_KEY
from mixpanel_access.model.settings import NAMESPACE
from mixpanel_access.rules.entry import UNKNOWN, Entry, ExceptionEntry, entries_of
from mixpanel_access.rules.facts import Stack

_PROVIDER: Final = f"pulumi:providers:{PACKAGE}"
"""The resource with the stack's configuration, in a program, a state and an exported file."""


@dataclass(frozen=True)
class Group:
    """Our resources of one provider, its settings, and the stack's name."""

    stack: Stack
    settings: Mapping[str, Any]
    name: str = ""


def groups(resources: Sequence[Any]) -> list[Group]:
    """Our resources by their provider: a stack can have several, also for other people's dynamic resources."""
    ours = grouped(
        (str(one.provider.urn) if one.provider else "", one)
        for one in resources
        if one.resource_type.startswith(DYNAMIC_TYPE)
    )
    if not ours and any(one.resource_type == COMPONENT_TYPE for one in resources):
        ours[""] = []
    return [_group(members, resources, alone=len(ours) == 1) for members in ours.values()]


def _group(members: Sequence[Any], resources: Sequence[Any], *, alone: bool) -> Group:
    rosters = [one for one in resources if one.resource_type == COMPONENT_TYPE]
    if not alone:
        above = {ancestor.urn for one in members for ancestor in _ancestors(one)}
        rosters = [one for one in rosters if one.urn in above]
    facts = [_values(one.props) for one in rosters]
    owns = [one.get("organization_roles") for one in facts]
    exceptions = [part for one in facts if isinstance(one.get("exceptions"), list) for part in one["exceptions"]]
    stack = Stack(
        [entry for one in members for entry in entries_in(one)],
        UNKNOWN if UNKNOWN in owns else any(owns) if owns else None,
        [ExceptionEntry.of(one) for one in exceptions],
        {name: value for one in facts for name, value in one.items()},
    )
    provider = members[0].provider if members else None
    others = [one for one in resources if one.resource_type == _PROVIDER]
    only = others[0].props if len(others) == 1 else {}
    return Group(stack, settings_in(provider.props if provider else only), _stack_of([*members, *rosters]))


def _stack_of(resources: Sequence[Any]) -> str:
    """The stack's name, by the URNs of its resources: urn:pulumi:STACK::..."""
    parts = str(resources[0].urn).split(":") if resources else []
    return parts[2] if len(parts) > 2 else ""


def _ancestors(resource: Any) -> Iterator[Any]:
    while resource := resource.parent:
        yield resource


def entries_in(resource: Any) -> list[Entry]:
    """A resource as rules see it."""
    sources = getattr(resource, "property_dependencies", {})  # the engine has them only for a whole stack
    return entries_of(
        resource.resource_type,
        str(resource.name),
        str(resource.urn),
        _values(resource.props),
        secret_outputs=frozenset(resource.opts.additional_secret_outputs),
        sources={name: [str(one.urn) for one in made] for name, made in sources.items()},
    )


def _values(props: Mapping[str, Any]) -> dict[str, Any]:
    return dict(_items(props))


def _items(props: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key in props:
        if key != PROVIDER_KEY:
            yield key, _value(props, key)


_BY_PERSON: Final = ("grants", "people", "members")
"""The properties of a group in which each part can be unknown by itself."""


def _value(props: Mapping[str, Any], key: str) -> Any:
    """A property; of a group, each part of what it says of each person, and of a reason, is known or not by itself."""
    try:
        value = props[key]
        if key in _BY_PERSON:
            return _parts(value)
        if key == "reasons" and isinstance(value, Sequence) and not isinstance(value, str):
            reasons = [_values(one) if isinstance(one, Mapping) else plain(one) for one in value]
            people = [one.get("people") for one in reasons if isinstance(one, Mapping)]
            hidden = any(part is UNKNOWN or (isinstance(part, list) and UNKNOWN in part) for part in people)
            return UNKNOWN if hidden else reasons
        return plain(value)
    except UnknownValueError:
        return UNKNOWN


def _parts(value: Any) -> Any:
    """A value with `UNKNOWN` in place of each part of it that is not known before the update."""
    if isinstance(value, Mapping):
        return {key: _part(value, key) for key in value}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_part(value, index) for index in range(len(value))]
    return plain(value)


def _part(value: Any, key: Any) -> Any:
    try:
        return _parts(value[key])
    except UnknownValueError:
        return UNKNOWN


def plain(value: Any) -> Any:
    """A value without the SDK's proxies, and with whole numbers as integers."""
    if isinstance(value, Mapping):
        return {key: plain(value[key]) for key in value}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(part) for part in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def settings_in(config: Mapping[str, Any]) -> dict[str, Any]:
    """A provider's settings, by key without the namespace; `UNKNOWN` for those that are not known before the update."""
    prefix = f"{NAMESPACE}:"
    return {key.removeprefix(prefix): _value(config, key) for key in config if key.startswith(prefix)}
