"""Reads YAML with the place of each part, and finds slips: values that YAML reads differently from how they look."""

from __future__ import annotations

import gc
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property, lru_cache
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError, YAMLWarning
from ruamel.yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.resolver import VersionedResolver

MOST_PARTS: Final = 1_000_000
"""The most parts of a document with its aliases written out; a roster of thousands has a tenth of that."""

_CONFLICT: Final = (
    "it is a conflict marker of git; keep what is right of both branches, and delete the lines that begin with "
    "<<<<<<<, |||||||, ======= and >>>>>>>"
)


_SAID: Final = {
    "found a tab character": "a tab is not allowed in the indentation; use spaces",
    "found character that cannot start any token": "a value cannot begin with this character; put the value in quotes",
    "expected ',' or": "a bracket or brace is not closed, or a comma is missing, here or in a line above",
    "mapping values are not allowed": "the indentation is wrong, or a text contains a colon and needs quotes",
    "could not find expected ':'": "a key has no colon with a space after it, here or in the line above",
}
"""A part of what the library says of a frequent mistake -> what we say."""


def in_plain_words(words: str) -> str:
    """What the library says of a mistake, for somebody who does not know its words."""
    return next((said for part, said in _SAID.items() if part in words), words)


class BadYaml(ValueError):
    """A text that is not a YAML document, or not one that we read; `line` counts from 1."""

    def __init__(self, why: str, line: int = 1) -> None:
        self.line = line
        super().__init__(" ".join(why.split()))


class _Resolver(VersionedResolver):
    """Finds the tag of each plain text once, and the rules of the document's version of YAML; the library often."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._tags: dict[str, Any] = {}

    @cached_property
    def versioned_resolver(self) -> Any:
        return super().versioned_resolver

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        if kind is not ScalarNode or not implicit[0]:
            return super().resolve(kind, value, implicit)
        if (tag := self._tags.get(value)) is None:
            tag = self._tags[value] = super().resolve(kind, value, implicit)
        return tag


class _Constructor(SafeConstructor):
    """Makes texts, lists, and mappings whose keys are texts in few steps, and each other value once.

    All else is the library's, and so are the errors and their order.
    """

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._values: dict[tuple[Any, Any], Any] = {}

    def construct_object(self, node: Any, deep: bool = False) -> Any:
        tag = node.ctag
        if tag is _TEXT:
            return node.value
        if deep or self.deep_construct:
            return super().construct_object(node, deep)
        if tag is _MAPPING or tag is _LIST:
            if node not in self.constructed_objects:
                parts = self._mapping(node) if tag is _MAPPING else self._list(node)
                self.constructed_objects[node] = next(parts)
                self.state_generators.append(parts)  # the library fills it after all that is above it
            return self.constructed_objects[node]
        if not isinstance(node, ScalarNode):
            return super().construct_object(node)
        key = (node.tag, node.value)
        if key not in self._values:
            self._values[key] = super().construct_object(node)
        return self._values[key]

    def _mapping(self, node: MappingNode) -> Iterator[Any]:
        data: dict[Any, Any] = {}
        yield data
        if node.merge is not None or any(key.ctag is not _TEXT for key, _ in node.value):
            data.update(self.construct_mapping(node))
            return
        for key, part in node.value:
            value = part.value if part.ctag is _TEXT else self.construct_object(part)
            if key.value in data:
                self.check_mapping_key(node, key, data, key.value, value)  # which raises
            data[key.value] = value

    def _list(self, node: SequenceNode) -> Iterator[Any]:
        data: list[Any] = []
        yield data
        data.extend([self.construct_object(part) for part in node.value])


class _ConstructorOfAliases(_Constructor):
    """The same, of a document that may have aliases: it counts what the document is with all of them written out."""

    def construct_document(self, node: Node) -> Any:
        _parts(node, {})
        return super().construct_document(node)


_TEXT, _MAPPING, _LIST = _Resolver.DEFAULT_SCALAR_TAG, _Resolver.DEFAULT_MAPPING_TAG, _Resolver.DEFAULT_SEQUENCE_TAG


def _yaml(text: str) -> YAML:
    """What reads one document as plain data."""
    yaml = YAML(typ="safe")
    yaml.Resolver, yaml.Constructor = _Resolver, _ConstructorOfAliases if "*" in text else _Constructor
    return yaml


@contextmanager
def uncollected() -> Iterator[None]:
    """Until the end of the block, look for no garbage: a long roster is a million objects, and none of them is."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def load(text: str) -> Any:
    """A YAML document as plain data: mappings, lists, texts, numbers, dates.

    Raises:
        BadYaml: it is not YAML, has a tag for an object, is nested too deeply, or is too large with its aliases written
            out.
    """
    with _told(text), uncollected():
        try:
            return _yaml(text).load(text)
        except BadYaml:
            raise
        except ValueError:  # an impossible date or number; the library does not say where
            _check_scalars(_yaml(text).compose(text), set())
            raise


@lru_cache(maxsize=8)
def load_once(text: str) -> Any:
    """The same, read once for several readers, of whom none may change it: a long roster takes a second to read."""
    return load(text)


def with_lines(text: str) -> Any:
    """A document that `load` reads, with the lines (`.lc`) of each mapping and list; slow, for errors.

    None if the parser that knows lines, which is another one, does not read it, because of a few odd characters.
    """
    try:
        with _told(text):
            return YAML(typ="rt").load(text)
    except BadYaml:
        return None


def compose(text: str) -> Node | None:
    """The nodes of the parser of `load`: how it reads each part, with its place; raises as `load` does."""
    with _told(text):
        found: Node | None = _yaml(text).compose(text)
        return found


def nodes(text: str) -> Node | None:
    """The nodes of the document as it is written, with their places.

    Raises:
        BadYaml: the parser that knows places does not read it.
    """
    with _told(text):
        found: Node | None = YAML(typ="rt", pure=True).compose(text)
        return found


@contextmanager
def _told(text: str) -> Iterator[None]:
    """Turn every error of the library into BadYaml; ignore its warning about a redefined anchor, which is legal."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", YAMLWarning)
            yield
    except BadYaml:
        raise
    except RecursionError:
        raise BadYaml("it is nested too deeply") from None
    except MarkedYAMLError as error:
        if marked := next(
            (number for number, row in enumerate(text.split("\n"), 1) if row.startswith("<<<<<<< ")), None
        ):
            raise BadYaml(_CONFLICT, marked) from None
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise BadYaml(in_plain_words(str(error.problem or error.context or error)), line) from None
    except (YAMLError, ValueError) as error:  # ValueError: an impossible date or number
        raise BadYaml(str(error)) from None


def _check_scalars(node: Node | None, seen: set[int]) -> None:
    """Raises BadYaml with the line of the first impossible date or number."""
    if node is None or id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, CollectionNode):
        for part in node.value:
            for below in part if isinstance(node, MappingNode) else (part,):
                _check_scalars(below, seen)
    elif isinstance(node, ScalarNode) and node.style not in ("'", '"', "|", ">"):
        try:
            _yaml(node.value).load(node.value)
        except MarkedYAMLError:
            return
        except ValueError as error:
            raise BadYaml(f"{node.value!r} cannot be read: {error}", node.start_mark.line + 1) from None


def _parts(node: Node | None, counted: dict[int, int]) -> int:
    """The number of parts of a node with its aliases written out; each is counted once."""
    if not isinstance(node, CollectionNode):
        return 1
    if id(node) not in counted:
        counted[id(node)] = MOST_PARTS  # until it is counted: a node that contains itself has no end
        below = (part for pair in node.value for part in pair) if isinstance(node, MappingNode) else node.value
        counted[id(node)] = 1 + sum(_parts(part, counted) for part in below)
    if counted[id(node)] > MOST_PARTS:
        why = f"with its aliases written out it has more than {MOST_PARTS:,} parts"
        raise BadYaml(why, node.start_mark.line + 1)
    return counted[id(node)]


_SUSPECT: Final = re.compile(
    r"#[^\s#]|(?<![\w'\"./@:+-])[+-]?(0[\doOxXbB_]|\.\d|\d[\d_]*(_|\.?\d*[eE]))|[\s\[{,:][+]\d"
)
"""What a document with a slip must contain; few documents do."""
_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
_COMMENT: Final = re.compile(r"\s+(#[^\s#]\S*)")
_COMMENT_AFTER_KEY: Final = re.compile(r"\s*:\s+(#[^\s#]\S*)")
_NUMBER_IN_COMMENT: Final = re.compile(r"\s+(#[0-9]\S*)")


def slips(text: str) -> list[tuple[int, str]]:
    """The line of each slip in a document that `load` reads, from 1, with what YAML reads and what to write."""
    if not _SUSPECT.search(text):
        return []
    return list(_in_node(compose(text), "", text.splitlines(), set()))


def slip_paths(text: str) -> list[tuple[Any, ...]]:
    """The place of each slip in a document that `load` reads; for an alias or a merge, all its places."""
    return list(_paths(compose(text), (), text.splitlines())) if _SUSPECT.search(text) else []


def _paths(node: Node | None, path: tuple[Any, ...], lines: list[str]) -> Iterator[tuple[Any, ...]]:
    if isinstance(node, MappingNode):
        for name, value in node.value:
            if str(name.tag).endswith(":merge"):
                for part in value.value if isinstance(value, SequenceNode) else (value,):
                    yield from _paths(part, path, lines)
            else:
                below = (*path, _key(name))
                if _words(name, lines):
                    yield below
                if _words(value, lines, name):
                    yield below
                else:
                    yield from _paths(value, below, lines)
    elif isinstance(node, SequenceNode):
        for at, value in enumerate(node.value):
            yield from _paths(value, (*path, at), lines)
    elif _words(node, lines):
        yield path


def _key(name: Node) -> Any:
    """A key as the loaded document has it."""
    plain = isinstance(name, ScalarNode) and not name.style and not str(name.tag).endswith(":str")
    return load(name.value) if plain else name.value


def _in_node(node: Node | None, key: str, lines: list[str], seen: set[int]) -> Iterator[tuple[int, str]]:
    if node is None or id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, MappingNode):
        for name, value in node.value:
            yield from _in_node(name, "a key", lines, seen)
            called = str(name.value) if isinstance(name, ScalarNode) else key
            if id(value) not in seen and (words := _words(value, lines, name)):
                seen.add(id(value))
                yield name.end_mark.line + 1, f"{called}: {words}"
            yield from _in_node(value, called, lines, seen)
    elif isinstance(node, SequenceNode):
        for value in node.value:
            yield from _in_node(value, key, lines, seen)
    elif words := _words(node, lines):
        yield node.start_mark.line + 1, f"{key}: {words}"


def _words(node: Node | None, lines: list[str], key: Node | None = None) -> str | None:
    """The slip in an unquoted value, or in the value of a key, in words, or None."""
    if not isinstance(node, ScalarNode) or node.style:
        return None
    kind, written = str(node.tag).rpartition(":")[2], str(node.value)
    if kind in ("int", "float"):
        if _NUMBER.fullmatch(written):
            return None
        value = load(written)
        return f"{written} is read as the number {value}; write {value}, or {written!r} in quotes if it is a text"
    after = _after(node, lines)
    comment = _COMMENT.match(after)
    if key is not None and comment is None:  # in braces, a missing value ends where the next thing begins
        comment = _COMMENT_AFTER_KEY.match(_after(key, lines))
    if kind == "null" and not written and comment:
        lost = comment[1]
        return (
            f"{lost} is a comment, so that there is no value; write '{lost}' in quotes, or # and a blank for a comment"
        )
    if kind == "str" and (comment := _NUMBER_IN_COMMENT.match(after)):
        whole = f"{written} {comment[1]}"
        return f"{comment[1]} is a comment, so that only {written!r} is read; write '{whole}' in quotes"
    return None


def _after(node: Node, lines: list[str]) -> str:
    """The text after a part in its last line."""
    end = node.end_mark
    return lines[end.line][end.column :] if end.line < len(lines) else ""
