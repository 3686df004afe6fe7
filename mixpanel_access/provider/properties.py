"""Inputs and outputs of resources as the engine hands them over: plain values, some of which are not known yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pulumi.output import Unknown
from pulumi.runtime import rpc

from mixpanel_access.model.resources import PROVIDER_KEY

Properties = dict[str, Any]


def known(value: Any) -> bool:
    """Whether a value is known: at preview, another resource's output may not be."""
    return not (isinstance(value, str) and value == rpc.UNKNOWN)


def changed(fields: Iterable[str], olds: Mapping[str, Any], news: Mapping[str, Any]) -> bool:
    """Whether any of the fields differs; an unknown value counts as another."""
    return any(olds.get(field) != news.get(field) for field in fields)


def select(props: Mapping[str, Any], fields: Iterable[str]) -> Properties:
    """The fields that have a value."""
    return {field: props[field] for field in fields if props.get(field) is not None}


def own(props: Properties) -> Properties:
    """The resource's own properties, without the pickled provider."""
    return {key: _plain(value) for key, value in props.items() if key != PROVIDER_KEY}


def _plain(value: Any) -> Any:
    """A value without what the engine adds: its numbers are all floating-point, its unknowns are objects."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return rpc.UNKNOWN if isinstance(value, Unknown) else value
