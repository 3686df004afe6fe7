"""Secrets in the engine's messages: taken off before a provider sees the values, and put on its answer again.

Whatever a verb says or fails with has "[secret]" in place of the secret values of its resource.

A provider takes plain values. For a server that accepts no secrets, the engine itself does both, and then the server
cannot know that the keys of a mapping are secret, which are part of the paths of a difference.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any, Final

from google.protobuf import struct_pb2  # type: ignore[import-untyped]

from mixpanel_access.model.resources import PROVIDER_KEY, SIGNATURE

_SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105  # what the engine signs a secret with
_SIGNED: Final = _SECRET.encode()
HIDDEN: Final = "[secret]"
"""What a line shows in place of a secret value, as Pulumi does."""
_SHORT: Final = 8
"""The length up to which a secret value may well be a part of another word."""


def revealed(properties: Any) -> Any:
    """The properties without the marks of secrets."""
    if _SIGNED not in properties.SerializeToString():
        return properties
    plain = struct_pb2.Struct()
    for key, value in properties.fields.items():
        plain.fields[key].CopyFrom(_plain(value))
    return plain


def secret_in(properties: Any) -> set[str]:
    """The names of the properties that are secret, or have a secret in them."""
    return {key for key, value in properties.fields.items() if _hides(value)}


def hidden_in(properties: Any) -> set[str]:
    """The names of the properties that are secret as a whole; of a mapping with secret values, the keys are plain."""
    return {key for key, value in properties.fields.items() if _hides(value) and not _is_mapping(value)}


def texts_in(*several: Any) -> frozenset[str]:
    """The secret values among properties, each as a text: what a line must not show."""
    return frozenset(
        text
        for properties in several
        if _SIGNED in properties.SerializeToString()
        for key, value in properties.fields.items()
        if key != PROVIDER_KEY
        for text in _texts(value, secret=False)
    )


def hidden(line: str, texts: Collection[str]) -> str:
    """A line without secret values: a short one is looked for as a word, for others may have it in them."""
    forms = {form for text in texts for form in (text, repr(text)[1:-1], " ".join(text.split())) if form.strip()}
    folded = line.casefold()
    forms = {form for form in forms if form.casefold() in folded}  # a stack may have thousands of secret addresses
    if not forms:
        return line
    patterns = [_pattern(form) for form in sorted(forms, key=len, reverse=True)]
    return re.sub("|".join(patterns), HIDDEN, line, flags=re.IGNORECASE)


def _pattern(form: str) -> str:
    return re.escape(form) if len(form) > _SHORT else rf"(?<!\w){re.escape(form)}(?!\w)"


def _texts(value: Any, *, secret: bool) -> Iterator[str]:
    match value.WhichOneof("kind"):
        case "struct_value" if _is_secret(value):
            yield from _texts(value.struct_value.fields["value"], secret=True)
        case "struct_value":
            yield from value.struct_value.fields if secret else ()
            for part in value.struct_value.fields.values():
                yield from _texts(part, secret=secret)
        case "list_value":
            for part in value.list_value.values:
                yield from _texts(part, secret=secret)
        case "string_value" if secret:
            yield value.string_value
        case "number_value" if secret:
            yield f"{value.number_value:.15g}"
        case "bool_value" if secret:
            yield str(value.bool_value)


def mark(answer: Any, request: Any) -> Any:
    """Mark as secret in an answer what is so in the request, as the engine does (`annotateSecrets`); the answer."""
    for key, given in request.fields.items():
        if key not in answer.fields:
            continue
        value = answer.fields[key]
        if _is_mapping(value) and _is_mapping(given):
            mark(value.struct_value, given.struct_value)
        elif _hides(given) and not _is_secret(value):
            plain = struct_pb2.Value()
            plain.CopyFrom(value)
            value.struct_value.Clear()
            value.struct_value.fields[SIGNATURE].string_value = _SECRET
            value.struct_value.fields["value"].CopyFrom(plain)
    return answer


def _plain(value: Any) -> Any:
    plain = struct_pb2.Value()
    if _is_secret(value):
        return _plain(value.struct_value.fields["value"])
    match value.WhichOneof("kind"):
        case "struct_value":
            plain.struct_value.CopyFrom(revealed(value.struct_value))
        case "list_value":
            plain.list_value.SetInParent()
            plain.list_value.values.extend(_plain(part) for part in value.list_value.values)
        case _:
            plain.CopyFrom(value)
    return plain


def _is_secret(value: Any) -> bool:
    if value.WhichOneof("kind") != "struct_value" or SIGNATURE not in value.struct_value.fields:
        return False
    return bool(value.struct_value.fields[SIGNATURE].string_value == _SECRET)


def _is_mapping(value: Any) -> bool:
    return value.WhichOneof("kind") == "struct_value" and not _is_secret(value)


def _hides(value: Any) -> bool:
    """Whether a value is a secret, or has one in it."""
    return _is_secret(value) or any(map(_hides, _parts(value)))


def _parts(value: Any) -> Iterator[Any]:
    match value.WhichOneof("kind"):
        case "struct_value":
            yield from value.struct_value.fields.values()
        case "list_value":
            yield from value.list_value.values
