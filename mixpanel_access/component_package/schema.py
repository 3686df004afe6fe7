"""The schema of the package, made of the classes: for `pulumi package add`, and for editors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from mixpanel_access import __version__
from mixpanel_access.component_package.components import COMPONENTS, PACKAGE, PackageComponent
from mixpanel_access.component_package.documented import Field, fields_of, summary
from mixpanel_access.component_package.types import Kind, Listing, Record, kind_of

_WORDS: Final = {str: "string", int: "integer", bool: "boolean"}


def schema() -> dict[str, Any]:
    """The schema, as `pulumi package get-schema` prints it."""
    return {
        "name": PACKAGE,
        "version": __version__,
        "displayName": "Mixpanel Access",
        "description": "Who has access to a Mixpanel organization, and why: rosters and single engagements.",
        "license": "Apache-2.0",
        "meta": {"supportPack": True},
        "language": {"nodejs": {"respectSchemaVersion": True}, "csharp": {"respectSchemaVersion": True}},
        "resources": {one.type: _component(one) for one in COMPONENTS.values()},
        "types": {_token(record): _record(record) for record in _records()},
    }


def _component(one: PackageComponent) -> dict[str, Any]:
    outputs = {field.key: _property(field) for field in one.outputs}
    for field in one.outputs:
        if field.name in one.secrets:
            outputs[field.key]["secret"] = True
    return {
        "isComponent": True,
        "description": summary(one.made),
        "inputProperties": _inputs(one.inputs),
        "requiredInputs": [field.key for field in one.inputs if field.required],
        "properties": outputs,
        "required": [field.key for field in one.outputs if kind_of(field.annotation).needed],
    }


def _record(record: type) -> dict[str, Any]:
    found = fields_of(record)
    return {
        "type": "object",
        "description": summary(record),
        "properties": _inputs(found),
        "required": [field.key for field in found if field.required],
    }


def _inputs(found: Iterable[Field]) -> dict[str, Any]:
    return {field.key: _property(field, plain=True) for field in found}


def _property(field: Field, *, plain: bool = False) -> dict[str, Any]:
    return {**_type(kind_of(field.annotation), plain=plain), "description": field.doc}


def _type(kind: Kind, *, plain: bool) -> dict[str, Any]:
    """A type of the schema; a plain one is no other resource's output, with all that is in it."""
    mark = {"plain": True} if plain and not kind.later else {}
    match kind.type:
        case Listing(of):
            return {"type": "object", "additionalProperties": _type(of, plain=plain), **mark}
        case Record(record):
            return {"type": "object", "$ref": f"#/types/{_token(record)}", **mark}
        case word if word in _WORDS:
            return {"type": _WORDS[word], **mark}
    return {"$ref": "pulumi.json#/Any", **mark}


def _token(record: type) -> str:
    return f"{PACKAGE}:index:{record.__name__.removesuffix('Args')}"


def _records() -> list[type]:
    """The records that components take, and those within them."""
    found: dict[type, None] = {}

    def walk(fields: Iterable[Field]) -> None:
        for field in fields:
            for record in _records_in(kind_of(field.annotation)):
                found[record] = None
                walk(fields_of(record))

    for one in COMPONENTS.values():
        walk(one.inputs)
    return list(found)


def _records_in(kind: Kind) -> Iterator[type]:
    match kind.type:
        case Listing(of):
            yield from _records_in(of)
        case Record(record):
            yield record
