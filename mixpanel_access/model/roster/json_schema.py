"""The JSON schema of a roster, for editors; what it says of a key is the docstring of that field."""

from __future__ import annotations

import ast
import inspect
from itertools import pairwise
from typing import Any, Final

from pydantic import BaseModel
from pydantic.alias_generators import to_snake

from mixpanel_access.model.roster.schema import Common, Roster, RosterPart

_ABBREVIATIONS: Final = {word.lower(): word for word in ("ID", "IP", "MFA", "SOW", "SSO", "URL", "VPN")}


def json_schema(model: type[Common] = Roster) -> dict[str, Any]:
    """The JSON schema of a roster, or of what it includes (`Common`).

    What concerns several parts of it is only checked when it is read.
    """
    schema = model.model_json_schema(by_alias=True)
    parts = {part.__name__: part for part in _below(RosterPart)}
    for name, shape in [(model.__name__, schema), *schema["$defs"].items()]:
        described = _docstrings(parts[name])
        for field, told in parts[name].model_fields.items():
            key = told.alias or field
            whole = {**shape["properties"][key], "title": _title(field)}
            if field in described:
                whole["description"] = " ".join(described[field].split())
            shape["properties"][key] = dict(sorted(whole.items()))
        shape["title"] = _title(to_snake(name.removeprefix("Roster") or name))
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _title(name: str) -> str:
    """A name in words, as an editor shows it above the description."""
    words = " ".join(_ABBREVIATIONS.get(word, word) for word in name.split("_"))
    return words[:1].upper() + words[1:]


def _below(model: type[RosterPart]) -> list[type[RosterPart]]:
    found = [child for direct in model.__subclasses__() for child in (direct, *_below(direct))]
    return list(dict.fromkeys(found))


def _docstrings(model: type[BaseModel]) -> dict[str, str]:
    """The field -> the text below it, also where a parent has it.

    pydantic reads them too (`use_attribute_docstrings`), but as the class is made: at every start of every command.
    """
    found: dict[str, str] = {}
    for owner in reversed(model.__mro__):
        if issubclass(owner, RosterPart):
            (made,) = (node for node in ast.parse(inspect.getsource(owner)).body if isinstance(node, ast.ClassDef))
            for field, text in pairwise(made.body):
                match field, text:
                    case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(said))):
                        found[name] = inspect.cleandoc(said)
    return found
