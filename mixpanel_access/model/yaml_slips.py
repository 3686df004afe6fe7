"""What YAML reads otherwise than it looks: numbers in odd writings, and values that a comment swallows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from mixpanel_access.model.yaml_text import compose, load

_SUSPECT: Final = re.compile(
    r"#[^\s#]|(?<![\w'\"./@:+-])[+-]?(0[\doOxXbB_]|\.\d|\d[\d_]*(_|\.?\d*[eE]))|[\s\[{,:][+]\d"
)
"""What a document must have somewhere for a slip to be in it; few have."""
_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
_COMMENT: Final = re.compile(r"\s+(#[^\s#]\S*)")
_NUMBER_IN_COMMENT: Final = re.compile(r"\s+(#[0-9]\S*)")


def slips(text: str) -> list[tuple[int, str]]:
    """The line of each slip, from 1, and in words what is read and what to write; few, since they are all errors.

    Args:
        text: a document that `load` reads.
    """
    if not _SUSPECT.search(text):
        return []
    return list(_in_node(compose(text), "", text.splitlines(), set()))


def _in_node(node: Node | None, key: str, lines: list[str], seen: set[int]) -> Iterator[tuple[int, str]]:
    if node is None or id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, MappingNode):
        for name, value in node.value:
            yield from _in_node(name, "a key", lines, seen)
            yield from _in_node(value, str(name.value) if isinstance(name, ScalarNode) else key, lines, seen)
    elif isinstance(node, SequenceNode):
        for value in node.value:
            yield from _in_node(value, key, lines, seen)
    elif isinstance(node, ScalarNode) and not node.style and (words := _words(node, lines)):
        yield node.start_mark.line + 1, f"{key}: {words}"


def _words(node: ScalarNode, lines: list[str]) -> str | None:
    """What is wrong with an unquoted value."""
    kind, written = str(node.tag).rpartition(":")[2], str(node.value)
    if kind in ("int", "float"):
        if _NUMBER.fullmatch(written):
            return None
        value = load(written)
        return f"{written} is read as the number {value}; write {value}, or {written!r} in quotes if it is a text"
    end = node.end_mark
    after = lines[end.line][end.column :] if end.line < len(lines) else ""
    if kind == "null" and not written and (comment := _COMMENT.match(after)):
        lost = comment[1]
        return (
            f"{lost} is a comment, so that there is no value; write '{lost}' in quotes, or # and a blank for a comment"
        )
    if kind == "str" and (comment := _NUMBER_IN_COMMENT.match(after)):
        whole = f"{written} {comment[1]}"
        return f"{comment[1]} is a comment, so that only {written!r} is read; write '{whole}' in quotes"
    return None
