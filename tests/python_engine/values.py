"""Property values: from the SDK's messages to plain JSON, as a state has them, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf import struct_pb2  # type: ignore[import-untyped]

from tests.python_engine.backend import SECRET
from tests.python_engine.unknown import Unknown

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""What stands for a value that is known after an update only, in messages and in a preview's JSON."""


def plain(message: struct_pb2.Struct) -> dict[str, Any]:
    """A message's values.

    Raises:
        Unknown: one of them is a secret, an asset or another special value.
    """
    return {key: _value(value) for key, value in sorted(message.fields.items())}


def _value(value: struct_pb2.Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return value.string_value
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    if kind == "bool_value":
        return value.bool_value
    if kind == "list_value":
        return [_value(part) for part in value.list_value.values]
    if kind == "struct_value":
        found = plain(value.struct_value)
        if SECRET in found:
            raise Unknown("a secret, or another special value")
        return found
    return None


def message(values: Mapping[str, Any]) -> struct_pb2.Struct:
    """A message with these values."""
    made = struct_pb2.Struct()
    for key, value in values.items():
        _fill(made.fields[key], value)
    return made


def _fill(made: struct_pb2.Value, value: Any) -> None:
    if value is None:
        made.null_value = struct_pb2.NULL_VALUE
    elif isinstance(value, bool):
        made.bool_value = value
    elif isinstance(value, (int, float)):
        made.number_value = value
    elif isinstance(value, str):
        made.string_value = value
    elif isinstance(value, Mapping):
        made.struct_value.SetInParent()
        for key, part in value.items():
            _fill(made.struct_value.fields[key], part)
    else:
        made.list_value.SetInParent()
        for part in value:
            _fill(made.list_value.values.add(), part)


def shown(value: Any) -> str:
    """A value as the engine shows it where a check refuses it."""
    return f"{{{str(value).lower() if isinstance(value, bool) else value}}}"


def has_unknown(value: Any) -> bool:
    """Whether a part of a value is not known."""
    if isinstance(value, Mapping):
        return any(map(has_unknown, value.values()))
    if isinstance(value, list):
        return any(map(has_unknown, value))
    return bool(value == UNKNOWN)
