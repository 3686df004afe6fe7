"""Write the tables of docs/resources.md again: the inputs and outputs of each resource and component, from its class.

A table stands between two comments of the page, `<!-- Member: inputs -->` and `<!-- end -->`; everything else is
written by hand. Types, meanings and what is required are those of the annotations and docstrings.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, get_args, get_type_hints

from mixpanel_access import component, provider
from mixpanel_access.component_package.components import COMPONENTS, OrganizationInputs, PackageComponent
from mixpanel_access.component_package.documented import Field, fields_of
from mixpanel_access.component_package.types import Items, Kind, Listing, Record, kind_of
from mixpanel_access.model.resources import BY_NAME, ResourceKind
from mixpanel_access.provider.base import AccessProvider
from mixpanel_access.provider.handler import Handler
from mixpanel_access.provider.resource import Metadata

PAGE: Final = Path(__file__).parents[1] / "docs" / "resources.md"
_TABLE: Final = re.compile(r"(<!-- (\w+): ([\w ]+) -->\n\n).*?(\n<!-- end -->)", re.DOTALL)
_WORDS: Final = {str: "string", int: "integer", float: "number", bool: "boolean"}
DEFAULTS: Final[Mapping[tuple[str, str], str]] = {
    ("Member", "removal"): "when_unused",
    ("Team", "removal"): "when_unused",
    ("ServiceAccount", "role"): "consumer",
    ("CustomRole", "description"): "",
}
"""What `check` gives an input that a program leaves out."""
REPLACES: Final[Mapping[str, tuple[str, ...]]] = {"ServiceAccount": ("username", "role", "expires")}
"""The inputs whose change replaces a resource, where the handler decides it by more than the name of the input."""


def tables(page: str) -> str:
    """The page with each of its tables as the classes say now."""
    return _TABLE.sub(lambda found: f"{found[1]}{_table(found[2], found[3])}{found[4]}", page)


def handler_of(kind: ResourceKind) -> type[Handler[Any]]:
    """The handler of a kind of resource."""
    module = __import__(f"mixpanel_access.provider.{kind.module}", fromlist=[kind.name])
    found: type[AccessProvider] = getattr(module, f"{kind.name}Provider")
    return found.HANDLER


def inputs_of(kind: ResourceKind) -> list[Field]:
    """The inputs of a kind of resource, without the metadata that nearly all of them take."""
    (record,) = get_args(get_type_hints(getattr(provider, kind.name).__init__, include_extras=True)["inputs"])
    named = record if isinstance(record, type) else _named(kind, record)
    return [field for field in fields_of(named) if field.name not in _METADATA]


def replaces(kind: ResourceKind) -> tuple[str, ...]:
    """The inputs whose change replaces a resource."""
    return REPLACES.get(kind.name) or handler_of(kind).REPLACES


def _named(kind: ResourceKind, record: Any) -> type:
    module = __import__(f"mixpanel_access.provider.{kind.module}", fromlist=[kind.name])
    found: type = getattr(module, record.__forward_arg__)
    return found


_METADATA: Final = {field.name: field for field in fields_of(Metadata)}


def _table(name: str, what: str) -> str:
    if name == "Metadata":
        rows = ([_code(one.name), _type(one), one.doc] for one in _METADATA.values())
        return _rows(("input", "type", "meaning"), rows)
    if name in BY_NAME:
        return _resource_inputs(BY_NAME[name]) if what == "inputs" else _resource_outputs(BY_NAME[name])
    found = next((one for one in COMPONENTS.values() if one.name == name), None)
    if found is None:
        return _arguments(fields_of(getattr(component, name)))
    if what == "inputs":
        return _arguments(found.inputs)
    return _attributes(found) if what == "attributes" else _component_outputs(found)


def _resource_inputs(kind: ResourceKind) -> str:
    handler = handler_of(kind)()
    rows = []
    for field in inputs_of(kind):
        default = "required" if field.required else _code(DEFAULTS.get((kind.name, field.name), ""))
        rows.append([_code(field.name), _type(field), default, _change(kind, handler, field.name), field.doc])
    return _rows(("input", "type", "default", "a change", "meaning"), rows)


def _change(kind: ResourceKind, handler: Handler[Any], name: str) -> str:
    if name in replaces(kind):
        return "replaces"
    return "" if name in handler.hints else "updates"


def _resource_outputs(kind: ResourceKind) -> str:
    documented = {field.name: field for field in fields_of(getattr(provider, kind.name))}
    found = [
        field for name, field in documented.items() if name in handler_of(kind).OUTPUTS or name not in _given(kind)
    ]
    return _rows(("output", "type", "meaning"), ([_code(field.name), _type(field), field.doc] for field in found))


def _given(kind: ResourceKind) -> set[str]:
    return {field.name for field in inputs_of(kind)}


def _arguments(found: Iterable[Field]) -> str:
    rows = ([_python(one), _code(one.key), _type(one), "required" if one.required else "", one.doc] for one in found)
    return _rows(("in Python", "elsewhere", "type", "default", "meaning"), rows)


def _python(field: Field) -> str:
    """The name in Python, where a provider knows its organization itself."""
    return "" if field.name in OrganizationInputs.__annotations__ else _code(field.name)


def _attributes(one: PackageComponent) -> str:
    return _rows(("attribute", "meaning"), ([_code(field.name), field.doc] for field in fields_of(one.made)))


def _component_outputs(one: PackageComponent) -> str:
    rows = (
        [_code(field.key), f"{_type(field)}{', secret' if field.name in one.secrets else ''}", field.doc]
        for field in one.outputs
    )
    return _rows(("output", "type", "meaning"), rows)


def _type(field: Field) -> str:
    return _words(kind_of(field.annotation))


def _words(kind: Kind) -> str:
    match kind.type:
        case Listing(of):
            return f"map of {_words(of)}" if of.type is not Any else "object"
        case Items(of):
            return f"list of {_words(of)}"
        case Record(made):
            return f"`{made.__name__}`"
        case word if word in _WORDS:
            return _WORDS[word]
    return "object"


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _rows(head: tuple[str, ...], rows: Iterable[list[str]]) -> str:
    lines = [list(head), ["---"] * len(head), *rows]
    return "".join(f"|{'|'.join(f' {cell} ' if cell else ' ' for cell in line)}|\n" for line in lines)


def main() -> None:
    """Write the page."""
    PAGE.write_text(tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
