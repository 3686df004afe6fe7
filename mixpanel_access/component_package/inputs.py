"""The inputs of a component as its class takes them: checked by the schema's types, named as in Python.

A program in another language hands over every value as JSON, or as another resource's output. A component in Python
decides by plain values what it declares, so an output must be known and public, but for a project's id.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import pulumi
from pydantic import BaseModel

from mixpanel_access.component_package.documented import Field, fields_of
from mixpanel_access.component_package.types import Kind, Listing, Record, kind_of
from mixpanel_access.model import dates
from mixpanel_access.model.similarity import similar

_WORDS: Final[Mapping[type, str]] = {str: "text", int: "a whole number", bool: "true or false"}


@dataclass(frozen=True)
class Resolved:
    """Another resource's output.

    Attributes:
        output: the output.
        value: its value, if it is known.
        known: whether it is.
        secret: whether it is a secret.
    """

    output: pulumi.Output[Any]
    value: Any
    known: bool
    secret: bool


async def resolved(value: Any) -> Any:
    """A value with each output in it resolved; one that is known and public is a plain value."""
    if isinstance(value, pulumi.Output) or _is_unknown(value):
        value = pulumi.Output.from_input(value)
        known, secret = await value.is_known(), await value.is_secret()
        plain = await value.future() if known else None
        return plain if known and not secret and not await value.resources() else Resolved(value, plain, known, secret)
    if isinstance(value, Mapping):
        return {key: await resolved(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [await resolved(part) for part in value]
    return value


def _is_unknown(value: Any) -> bool:
    return not isinstance(value, (Mapping, list, tuple)) and pulumi.contains_unknowns(value)


def read_inputs(component: str, fields: Iterable[Field], given: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs of a component, by their names in Python.

    Args:
        component: its type and name, for messages.
        fields: what it takes.
        given: the resolved values, by their names in other languages.

    Raises:
        pulumi.RunError: an input is missing, unknown or of another type.
    """
    return _fields(fields, given, component, "")


def _fields(fields: Iterable[Field], given: Mapping[str, Any], component: str, path: str) -> dict[str, Any]:
    by_key = {field.key: field for field in fields}
    for key in given:
        if key not in by_key:
            meant = similar(key, by_key)
            advice = f"did you mean {path}{meant}?" if meant else f"its inputs are {', '.join(by_key)}"
            raise pulumi.RunError(f"{component} has no input {path}{key}; {advice}")
    present = {key: value for key, value in given.items() if value is not None}
    for key, field in by_key.items():
        if field.required and key not in present:
            raise pulumi.RunError(f"{component} needs the input {path}{key}: {field.doc}")
    return {
        by_key[key].name: _value(kind_of(by_key[key].annotation), value, component, f"{path}{key}")
        for key, value in present.items()
    }


def _value(kind: Kind, value: Any, component: str, path: str) -> Any:
    if isinstance(value, Resolved):
        if kind.later:
            return value.output.apply(_whole)
        if not value.known or value.secret:
            why = "is a secret, which would be in the state in plain text" if value.secret else "is not known yet"
            raise pulumi.RunError(f"{component}: {path} {why}. Give it a plain value.")
        value = value.value
    match kind.type:
        case Listing(of):
            _must_be(isinstance(value, Mapping), component, path, "an object")
            return {key: _value(of, part, component, f"{path}.{key}") for key, part in value.items()}
        case Record(made):
            _must_be(isinstance(value, Mapping), component, path, "an object")
            return _made(made, _fields(fields_of(made), value, component, f"{path}."))
        case type() as plain if plain in _WORDS:
            value = _whole(value)
            _must_be(type(value) is plain, component, path, _WORDS[plain])
    return _day(value, component, path) if kind.python is date else value


def _whole(value: Any) -> Any:
    """A number as Python has it: protobuf has no whole numbers."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _made(record: type, fields: Mapping[str, Any]) -> Any:
    return record.model_validate(fields) if issubclass(record, BaseModel) else record(**fields)


def _day(value: str, component: str, path: str) -> date:
    try:
        return dates.day(value)
    except ValueError:
        raise pulumi.RunError(f"{component}: {path} is {value!r}, which is not a date of the form YYYY-MM-DD") from None


def _must_be(is_one: bool, component: str, path: str, wanted: str) -> None:
    if not is_one:
        raise pulumi.RunError(f"{component}: {path} must be {wanted}")
