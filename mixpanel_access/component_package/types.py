"""Annotations as types that every language has."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from datetime import date
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, NamedTuple, Union, get_args, get_origin

import pulumi
from pydantic import BaseModel

_TEXTS: Final = (str, date, Path)


class Listing(NamedTuple):
    """Keys that the user chooses, with values of one kind."""

    of: Kind


class Items(NamedTuple):
    """A list of values of one kind."""

    of: Kind


class Record(NamedTuple):
    """An object with the fields of a class."""

    made: type


@dataclass(frozen=True)
class Kind:
    """What a value is.

    Attributes:
        type: `str`, `int`, `bool`, a listing, a list, a record, or anything.
        python: the class of the value in Python, where that is another one.
        needed: whether it is always there.
        later: whether it may be another resource's output, which is not known yet.
    """

    type: Any
    python: Any = None
    needed: bool = True
    later: bool = False


def kind_of(annotation: Any) -> Kind:
    """The type of an annotation."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return kind_of(inner[0])
    if origin in (Union, UnionType):
        return _of_union(inner)
    if origin is pulumi.Output:
        return kind_of(inner[0])
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return Kind(Listing(kind_of(inner[1])))
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return Kind(Items(kind_of(inner[0])))
    if annotation in _TEXTS:
        return Kind(str, annotation)
    if annotation in (int, bool):
        return Kind(annotation)
    if isinstance(annotation, type) and (is_dataclass(annotation) or issubclass(annotation, BaseModel)):
        return Kind(Record(annotation))
    return Kind(Any)


def _of_union(parts: tuple[Any, ...]) -> Kind:
    later = any(get_origin(part) is pulumi.Output for part in parts)
    wrapped = (pulumi.Output, Awaitable)
    values = [part for part in parts if part is not NoneType and get_origin(part) not in wrapped]
    if str in values:  # the words that editors offer are texts too
        values = [part for part in values if get_origin(part) is not Literal]
    kind = kind_of(values[0]) if len(values) == 1 else Kind(Any)
    return Kind(kind.type, kind.python, NoneType not in parts, later)
