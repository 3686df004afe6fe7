"""What YAML reads otherwise than it looks: numbers in odd writings, and values that a comment swallows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from mixpanel_access.model.yaml_text import compose, load

_SUSPECT: Final = re.compile(
    r"#[^\s#]|(?<![\w'\"./@:+-])[+-]?(0[\doOxXbB_]|\.\d|\d[\d_]*(_|\.?\d*[eE]))|[\s\[{,:][+]\d"
)
"""What a document must have somewhere for a slip to be in it; few have."""
_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
_COMMENT: Final = re.compile(r"\s+(#[^\s#]\S*)")
_COMMENT_AFTER_KEY: Final = re.compile(r"\s*:\s+(#[^\s#]\S*)")
_NUMBER_IN_COMMENT: Final = re.compile(r"\s+(#[0-9]\S*)")


def slips(text: str) -> list[tuple[int, str]]:
    """The line of each slip, from 1, and in words what is read and what to write; few, since they are all errors.

    Args:
        text: a document that `load` reads.
    """
    if not _SUSPECT.search(text):
        return []
    return list(_in_node(compose(text), "", text.splitlines(), set()))


def slip_paths(text: str) -> list[tuple[Any, ...]]:
    """Where in the loaded document the slips are; what an alias or a merge repeats, in each place.

    Args:
        text: a document that `load` reads.
    """
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
    """What is wrong with an unquoted value, or with the one of a key; None for nothing, and for a list or a mapping."""
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
    if key is not None and comment is None:  # in braces, where no value is ends before what comes next
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
    """What stands behind a part in its last line."""
    end = node.end_mark
    return lines[end.line][end.column :] if end.line < len(lines) else ""
