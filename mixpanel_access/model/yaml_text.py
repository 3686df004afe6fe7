"""Reads YAML that somebody else may have written: plain data only, never objects, and never more than it looks like."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError, YAMLWarning
from ruamel.yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode

MOST_PARTS: Final = 1_000_000
"""Parts that a document may have once its aliases are written out; a roster of thousands has a tenth of that."""


class BadYaml(ValueError):
    """A text that is no YAML document, or none that is read here.

    Attributes:
        line: where, from 1.
    """

    def __init__(self, why: str, line: int = 1) -> None:
        self.line = line
        super().__init__(" ".join(why.split()))


def load(text: str) -> Any:
    """What a YAML document says, in plain data: mappings, lists, texts, numbers, dates.

    Raises:
        BadYaml: it is none, has a tag that stands for an object, is nested too deeply, or is too large with its aliases
            written out.
    """
    with _told():
        if "*" in text:
            _parts(YAML(typ="safe").compose(text), {})
        try:
            return YAML(typ="safe").load(text)
        except ValueError:  # a date or a number that there is not; the library does not tell where
            _check_scalars(YAML(typ="safe").compose(text), set())
            raise


def with_lines(text: str) -> Any:
    """The same where each mapping and list knows its lines (`.lc`); slow, for errors.

    Args:
        text: a document that `load` reads.

    Returns:
        None where the parser that knows lines, which is another one, does not read it: of a few odd characters.
    """
    try:
        with _told():
            return YAML(typ="rt").load(text)
    except BadYaml:
        return None


def compose(text: str) -> Node | None:
    """The document as the parser of `load` takes it: what each part is read as, with its place.

    Raises:
        BadYaml: it is none.
    """
    with _told():
        found: Node | None = YAML(typ="safe").compose(text)
        return found


def nodes(text: str) -> Node | None:
    """The document as it is written, each part with its place.

    Raises:
        BadYaml: the parser that knows places does not read it.
    """
    with _told():
        found: Node | None = YAML(typ="rt", pure=True).compose(text)
        return found


@contextmanager
def _told() -> Iterator[None]:
    """All that a library has to say of a text as one error; an anchor that is defined anew is legal, and no warning."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", YAMLWarning)
            yield
    except BadYaml:
        raise
    except RecursionError:
        raise BadYaml("it is nested too deeply") from None
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise BadYaml(str(error.problem or error.context or error), line) from None
    except (YAMLError, ValueError) as error:  # ValueError: a date or a number that there is not
        raise BadYaml(str(error)) from None


def _check_scalars(node: Node | None, seen: set[int]) -> None:
    """Raises BadYaml with the line of the first date or number that there is not."""
    if node is None or id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, CollectionNode):
        for part in node.value:
            for below in part if isinstance(node, MappingNode) else (part,):
                _check_scalars(below, seen)
    elif isinstance(node, ScalarNode) and node.style not in ("'", '"', "|", ">"):
        try:
            YAML(typ="safe").load(node.value)
        except MarkedYAMLError:
            return
        except ValueError as error:
            raise BadYaml(f"{node.value!r} cannot be read: {error}", node.start_mark.line + 1) from None


def _parts(node: Node | None, counted: dict[int, int]) -> int:
    """How many parts a node has, its aliases written out; counted once each, however often they stand there."""
    if not isinstance(node, CollectionNode):
        return 1
    if id(node) not in counted:
        counted[id(node)] = MOST_PARTS  # until it is counted: what stands in itself has no end
        below = (part for pair in node.value for part in pair) if isinstance(node, MappingNode) else node.value
        counted[id(node)] = 1 + sum(_parts(part, counted) for part in below)
    if counted[id(node)] > MOST_PARTS:
        why = f"with its aliases written out it has more than {MOST_PARTS:,} parts"
        raise BadYaml(why, node.start_mark.line + 1)
    return counted[id(node)]
