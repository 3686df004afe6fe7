"""What a class documents and types: its fields, each with its annotation and its docstring."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import MISSING, dataclass, fields, is_dataclass
from importlib import import_module
from itertools import pairwise
from typing import Any, Final, Required, get_args, get_origin, get_type_hints

import pulumi
from pydantic import BaseModel

_SECTION: Final = re.compile(r"^(?:Args|Attributes):\n((?:    .+\n|\n)+)", re.MULTILINE)
_ENTRY: Final = re.compile(r"^    (\w+): (.+(?:\n        .+)*)", re.MULTILINE)
_NAMES: Final = {"Output": pulumi.Output, "T": Any}
"""What `pulumi.Input` consists of, which is text to the SDK."""


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field of a class, or one argument of a function.

    Attributes:
        name: its name in Python.
        annotation: its type.
        doc: what it means.
        required: whether it has no default.
    """

    name: str
    annotation: Any
    doc: str
    required: bool = False

    @property
    def key(self) -> str:
        """Its name in other languages."""
        first, *rest = self.name.split("_")
        return first + "".join(word.capitalize() for word in rest)


def summary(documented: Any) -> str:
    """The docstring up to the section about arguments or attributes."""
    text = inspect.getdoc(documented) or ""
    return re.split(r"^(?:Args|Attributes|Raises|Returns):\n", text, maxsplit=1, flags=re.MULTILINE)[0].strip()


def arguments(function: Callable[..., Any], documented: Any, *names: str) -> list[Field]:
    """These arguments of a function, documented by the section `Args` of a class."""
    hints, docs = get_type_hints(function, localns=_NAMES), _section(documented)
    defaults = inspect.signature(function).parameters
    return [
        Field(name=name, annotation=hints[name], doc=docs[name], required=defaults[name].default is inspect._empty)
        for name in names
    ]


def fields_of(record: type) -> list[Field]:
    """The documented fields of a data class, a model, a dictionary with typed keys, or a resource, in their order."""
    hints = _hints(record)
    docs = {**_docstrings(record), **_section(record)}
    required = _required(record)
    return [
        Field(name=name, annotation=_plain(hint), doc=docs.get(name, ""), required=required(name, hint))
        for name, hint in hints.items()
        if name in docs
    ]


def _hints(record: type) -> dict[str, Any]:
    if not issubclass(record, pulumi.Resource):
        return get_type_hints(record, localns=_NAMES, include_extras=not is_dataclass(record))
    found: dict[str, Any] = {}  # the hints of the SDK's classes above cannot be read
    for base in reversed(_bases(record)):
        found |= inspect.get_annotations(base, eval_str=True)
    return found


def _required(record: type) -> Callable[[str, Any], bool]:
    if is_dataclass(record):
        defaults = {field.name: field for field in fields(record)}
        return lambda name, _: defaults[name].default is MISSING and defaults[name].default_factory is MISSING
    if issubclass(record, BaseModel):
        models = record.model_fields
        return lambda name, _: models[name].is_required()
    return lambda _, hint: get_origin(hint) is Required


def _plain(hint: Any) -> Any:
    return get_args(hint)[0] if get_origin(hint) is Required else hint


def _section(documented: Any) -> dict[str, str]:
    found = _SECTION.search(f"{inspect.getdoc(documented) or ''}\n")
    entries = _ENTRY.findall(found[1]) if found else []
    return {name: _sentence(text) for name, text in entries}


def _docstrings(record: type) -> dict[str, str]:
    """The strings below the fields of a class and of its bases."""
    found: dict[str, str] = {}
    for base in reversed(_bases(record)):
        found.update(_strings(_source(base)))
    return found


def _bases(record: type) -> list[type]:
    """A class and those of ours above it, by its source: a dictionary with typed keys forgets its bases."""
    names = vars(import_module(record.__module__))
    above = [names.get(base.id) for base in _source(record).bases if isinstance(base, ast.Name)]
    ours = [base for base in above if isinstance(base, type) and base.__module__.startswith("mixpanel_access")]
    return [record, *(one for base in ours for one in _bases(base))]


def _source(record: type) -> ast.ClassDef:
    (class_,) = ast.parse(textwrap.dedent(inspect.getsource(record))).body
    assert isinstance(class_, ast.ClassDef)  # noqa: S101  # it is the source of a class
    return class_


def _strings(class_: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for field, below in pairwise(class_.body):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                yield name, _sentence(text)


def _sentence(text: str) -> str:
    """A docstring as one sentence or several, in one line."""
    line = " ".join(text.split())
    return f"{line[0].upper()}{line[1:]}" if line else line
