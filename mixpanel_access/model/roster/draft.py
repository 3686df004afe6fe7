"""A roster's text with the places of its parts, and the cuts to make in it.

A YAML library that writes the whole document again moves comments to the entry before them, and loses them with it. So
we only take the places from the library, and change the text there.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import date
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from mixpanel_access.model.address import same_key
from mixpanel_access.model.errors import RosterError
from mixpanel_access.model.roster.yaml_text import BadYaml, nodes


@dataclass(frozen=True)
class NewPerson:
    """An entry to add: its fields in the roster's spelling and in order, and a comment below it, or ""."""

    values: Mapping[str, Any]
    note: str = ""


def by_hand(file: str, why: str) -> RosterError:
    """The error for an edit that only a person can make."""
    return RosterError(
        "cannot edit the roster",
        subject=file,
        why=why,
        next_step="Nothing was written. Make the change by hand, or write that part as a plain list, and run again.",
    )


class Draft:
    """A text with the places of its parts, and the cuts to make."""

    def __init__(self, text: str, file: str) -> None:
        self._text = text
        self._file = file
        self._newline = "\r\n" if "\r\n" in text else "\n"
        try:
            root = nodes(text)
        except BadYaml as error:
            raise by_hand(file, f"line {error.line}: {error}") from None
        if not isinstance(root, MappingNode):
            raise by_hand(file, "it is not a mapping")
        self._root = root
        self._cuts: list[tuple[int, int, str]] = []

    def text(self) -> str:
        """The text with all cuts made."""
        text = self._text
        for start, end, new in sorted(self._cuts, reverse=True):
            text = text[:start] + new + text[end:]
        return text

    def top(self, key: str) -> Node | None:
        """The value of a key of the document."""
        return self.value(self._root, key)

    def value(self, mapping: MappingNode, key: str) -> Node | None:
        """The value of a key, or None.

        Raises:
            RosterError: it is an alias, so that an edit would change another place too.
        """
        for name, value in mapping.value:
            if name.value == key:
                if value.start_mark.index < name.end_mark.index:
                    raise by_hand(self._file, f"line {name.start_mark.line + 1}: {key} is an alias of another part")
                return self._placed(name, value)
        return None

    def _placed(self, name: Node, value: Node) -> Node:
        """A value with its place; the library places an empty value where the next thing begins, lines below."""
        if value.start_mark.index == value.end_mark.index:
            colon = self._text.index(":", name.end_mark.index)
            value.start_mark = value.end_mark = copy(value.start_mark)
            value.start_mark.index = colon + 1
        return value

    def entries(self, section: str) -> Iterator[tuple[str, MappingNode]]:
        """Each entry of a list, with the key of its address, or ""."""
        node = self.top(section)
        for entry in node.value if isinstance(node, SequenceNode) else ():
            email = self.value(entry, "email")
            yield "" if email is None else same_key(str(email.value)), entry

    def put(self, node: Node | None, key: str, values: Mapping[str, Any], within: MappingNode | None = None) -> None:
        """Add values to the mapping `node`, the value of `key` in `within` (or the document), or create it."""
        parent = within or self._root
        if node is None:
            self._extend(parent, {key: dict(values)})
        elif isinstance(node, MappingNode) and node.value:
            self._extend(node, values)
        else:  # empty: nothing, null or {}
            column = parent.start_mark.column
            new = _json(values) if parent.flow_style else self._block(values, column + 2, first=self._newline)
            self._cuts.append((self._gap_before(node), node.end_mark.index, f" {new}" if parent.flow_style else new))

    def append_items(self, mapping: MappingNode, key: str, items: Sequence[str]) -> None:
        """Add texts to the list that is the value of `key`, or create it."""
        node = self.value(mapping, key)
        if node is None:
            self._extend(mapping, {key: list(items)})
        elif isinstance(node, SequenceNode) and node.value and not node.flow_style:
            column = node.start_mark.column
            end = self._end_with_comments(node, column or 1)
            lines = "".join(f"{self._newline}{' ' * column}- {scalar(item)}" for item in items)
            self._cuts.append((end, end, lines))
        elif isinstance(node, SequenceNode) and node.value:
            last = node.value[-1].end_mark.index
            self._cuts.append((last, last, "".join(f", {_json(item)}" for item in items)))
        else:  # empty: nothing, null or []
            self._cuts.append((self._gap_before(node), node.end_mark.index, f" {_json(list(items))}"))

    def append_people(self, people: Sequence[NewPerson]) -> None:
        """Add entries at the end of `people`."""
        node = self.top("people")
        if node is not None and self._root.flow_style and not node.value:
            rows = _json([dict(person.values) for person in people])
            self._cuts.append((self._gap_before(node), node.end_mark.index, f" {rows}"))
            return
        if isinstance(node, SequenceNode) and node.value and node.flow_style:
            new = "".join(f", {_json(person.values)}" for person in people)
            last = node.value[-1].end_mark.index
            self._cuts.append((last, last, new))
            return
        filled = node if isinstance(node, SequenceNode) and node.value else None
        column = filled.start_mark.column if filled else 2
        blank = self._newline if filled and self._apart(filled) else ""
        lines = "".join(self._newline + blank + self._entry(person, column) for person in people)
        if node is None:
            end = self._end_with_comments(self._root, 0)
            self._cuts.append((end, end, f"{self._gap_after(end)}{self._newline}people:{lines}"))
        elif filled:
            end = self._end_with_comments(filled.value[-1], column or 1)
            self._cuts.append((end, end, lines))
        else:
            self._cuts.append((self._gap_before(node), node.end_mark.index, lines))

    def set_value(self, mapping: MappingNode, key: str, value: str | date) -> None:
        """Set a key to a word or a date, with the quotes of the old value, or add it at the end."""
        node = self.value(mapping, key)
        if node is None:
            quoted = mapping.flow_style and self._text.startswith('"', mapping.value[0][0].start_mark.index)
            self._extend(mapping, {key: value}, plain=not quoted)
        elif not isinstance(node, ScalarNode) or node.style not in (None, "'", '"'):
            raise by_hand(self._file, f"line {node.start_mark.line + 1}: {key} is not a plain value")
        elif node.start_mark.index == node.end_mark.index:
            self._cuts.append((node.start_mark.index, node.end_mark.index, f" {value}"))
        else:
            quote = node.style or ""
            self._cuts.append((node.start_mark.index, node.end_mark.index, f"{quote}{value}{quote}"))

    def drop_comment(self, entry: MappingNode, words: str) -> None:
        """Remove a comment of these words below an entry, with its line."""
        if entry.flow_style:
            return
        start = self._end_of(entry)
        end = self._entry_end(entry, max(0, entry.start_mark.column - 2))
        found = re.compile(rf"\r?\n +# {re.escape(words)}(?=\r?\n|$)").search(self._text, start, end)
        if found:
            self._cuts.append((found.start(), found.end(), ""))

    def drop_keys(self, mapping: MappingNode, key: str, gone: Collection[str]) -> None:
        """Remove keys from the mapping that is the value of `key`; if no others remain, it becomes `{}`."""
        node = self.value(mapping, key)
        if not isinstance(node, MappingNode):
            raise by_hand(self._file, f"line {mapping.start_mark.line + 1}: {key} is not a mapping")
        pairs = [(name, self._placed(name, value)) for name, value in node.value]
        if any(value.start_mark.index < name.end_mark.index for name, value in pairs):
            raise by_hand(self._file, f"line {node.start_mark.line + 1}: a value in {key} is an alias of another part")
        if all(name.value in gone for name, _ in pairs):
            start, end = node.start_mark.index, node.end_mark.index
            if not node.flow_style:
                start, end = self._text.rindex(":", 0, start) + 1, self._end_of(node)
            self._cuts.append((start, end, "{}" if node.flow_style else " {}"))
        elif node.flow_style:
            self._drop_from_line(pairs, gone)
        else:
            for name, value in pairs:
                if name.value in gone:
                    self._drop_lines(name, value)

    def _drop_from_line(self, pairs: Sequence[tuple[Node, Node]], gone: Collection[str]) -> None:
        """Cut pairs, each with the comma before it, or after it if it comes before all that stay."""
        begins = [name.start_mark.index for name, _ in pairs]
        ends = [max(name.end_mark.index, value.end_mark.index) for name, value in pairs]
        kept = False
        for number, (name, _) in enumerate(pairs):
            if name.value not in gone:
                kept = True
            elif kept:
                self._cuts.append((ends[number - 1], ends[number], ""))
            else:
                self._cuts.append((begins[number], begins[number + 1], ""))

    def _drop_lines(self, name: Node, value: Node) -> None:
        """Cut a pair's lines."""
        start = self._text.rfind("\n", 0, name.start_mark.index) + 1
        if self._text[start : name.start_mark.index].strip():
            raise by_hand(self._file, f"line {name.start_mark.line + 1}: something stands before {name.value}")
        end = self._end_of(value if value.end_mark.index > value.start_mark.index else name)
        self._cuts.append((start, end + len(self._newline) if self._text.startswith(self._newline, end) else end, ""))

    def drop(self, keys: set[str]) -> None:
        """Remove people's entries from every list."""
        for section in ("people", "exceptions"):
            self._drop_from(section, [entry for key, entry in self.entries(section) if key in keys])

    def drop_entries(self, positions: Collection[int], keys: set[str]) -> None:
        """Remove single entries, and the exceptions of people who have no other."""
        self._drop_from("people", [entry for at, (_, entry) in enumerate(self.entries("people")) if at in positions])
        self._drop_from("exceptions", [entry for key, entry in self.entries("exceptions") if key in keys])

    def _drop_from(self, section: str, gone: Sequence[MappingNode]) -> None:
        node = self.top(section)
        if not isinstance(node, SequenceNode) or not gone:
            return
        if len(gone) == len(node.value) and not node.flow_style:
            for person in gone[1:]:
                self._cut_lines(person, node.start_mark.column)
            start = self._text.rindex("-", 0, gone[0].start_mark.index)
            left = "[]" if node.start_mark.column else "  []"  # at the margin it would not be the value of `people`
            self._cuts.append((start, self._entry_end(gone[0], node.start_mark.column), left))
        elif node.flow_style:
            kept = [person for person in node.value if person not in gone]
            inner = ", ".join(self._text[one.start_mark.index : one.end_mark.index] for one in kept)
            self._cuts.append((node.start_mark.index, node.end_mark.index, f"[{inner}]"))
        else:
            for person in gone:
                self._cut_lines(person, node.start_mark.column)

    def _cut_lines(self, entry: Node, column: int) -> None:
        """Cut a whole entry of a block sequence, from its dash to the end of its last line."""
        dash = self._text.rindex("-", 0, entry.start_mark.index)
        if self._text[dash + 1 : entry.start_mark.index].strip():
            raise by_hand(self._file, f"line {entry.start_mark.line + 1}: a comment stands between dash and entry")
        start = self._text.rfind("\n", 0, dash) + 1
        end = self._entry_end(entry, column)
        after = end + len(self._newline) if self._text.startswith(self._newline, end) else end
        alone = self._text.startswith(self._newline, after) or after >= len(self._text)
        if alone and self._text.endswith(self._newline * 2, 0, start):  # blank lines on both sides: one is enough
            start -= len(self._newline)
        self._cuts.append((start, after, ""))

    def _extend(self, mapping: MappingNode, values: Mapping[str, Any], *, plain: bool = False) -> None:
        """Add keys at the end of a mapping that has some; plain ones get no quotes."""
        if mapping.flow_style:
            write = str if plain else _json
            new = "".join(f", {write(key)}: {write(value)}" for key, value in values.items())
            last = mapping.value[-1][1].end_mark.index
            self._cuts.append((last, last, new))
        else:
            column = mapping.start_mark.column
            end = self._end_with_comments(mapping, column)
            gap = self._gap_after(end) if mapping is self._root else ""
            self._cuts.append((end, end, gap + self._block(values, column, first=self._newline)))

    def _block(self, values: Mapping[str, Any], column: int, first: str) -> str:
        return first + self._newline.join(" " * column + line for line in _dumped(values))

    def _entry(self, person: NewPerson, column: int) -> str:
        lines = _dumped(person.values) + ([f"# {person.note}"] if person.note else [])
        return self._newline.join(" " * column + ("  " if number else "- ") + line for number, line in enumerate(lines))

    def _apart(self, people: SequenceNode) -> bool:
        """Whether there are blank lines between the last two entries."""
        if len(people.value) == 1:
            return False
        last_but_one, last = people.value[-2:]
        between = self._text[self._entry_end(last_but_one, people.start_mark.column) : last.start_mark.index]
        return any(not line.strip() for line in between.splitlines()[1:])

    def _end_of(self, node: Node) -> int:
        """The end of the line in which a node's content ends, with a comment on that line."""
        end = self._text.find("\n", self._content_end(node))
        if end < 0:
            return len(self._text.rstrip())
        return end - 1 if self._text[end - 1] == "\r" else end

    def _end_with_comments(self, node: Node, column: int) -> int:
        """The end of a node and of the comments below it with at least this indentation, before what is added."""
        end = self._end_of(node)
        comments = re.compile(rf"(?:(?:\r?\n[ \t]*)*\r?\n {{{column},}}#[^\r\n]*)*").match(self._text, end)
        return comments.end() if comments else end

    def _gap_after(self, end: int) -> str:
        """A blank line for a new section that would otherwise stand under a comment, or next to sections with gaps."""
        line = self._text[self._text.rfind("\n", 0, end) + 1 : end]
        pairs = self._root.value[-2:]
        between = self._text[self._content_end(pairs[0][1]) : pairs[-1][0].start_mark.index]
        apart = any(not blank.strip() for blank in between.splitlines()[1:])
        return self._newline if apart or line.lstrip().startswith("#") else ""

    def _entry_end(self, entry: Node, column: int) -> int:
        """The end of an entry with the comments below it that have more indentation than its dash."""
        end = self._end_of(entry)
        comments = re.compile(rf"(\r?\n {{{column + 1},}}#[^\r\n]*)*").match(self._text, end)
        return comments.end() if comments else end

    def _content_end(self, node: Node) -> int:
        """The end of a node's own text; the library's mark of a block comes after the comments below it."""
        if isinstance(node, (MappingNode, SequenceNode)) and not node.flow_style and node.value:
            last = node.value[-1]
            if isinstance(last, tuple):
                name, value = last
                if value.start_mark.index < name.end_mark.index:  # an alias
                    return int(name.end_mark.index)
                return max(int(name.end_mark.index), self._content_end(self._placed(name, value)))
            return self._content_end(last)
        end = int(node.end_mark.index)
        while end > node.start_mark.index and self._text[end - 1].isspace():
            end -= 1
        return end

    def _gap_before(self, node: Node) -> int:
        """The start of the blanks before a value on its line."""
        start = int(node.start_mark.index)
        while self._text[start - 1] in " \t":
            start -= 1
        return start


def flow(row: Mapping[str, Any]) -> CommentedMap:
    """A mapping to write on one line."""
    mapping = CommentedMap(row)
    mapping.fa.set_flow_style()
    return mapping


def _dumped(values: Mapping[str, Any]) -> list[str]:
    """Values as the lines of a block."""
    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = 10_000
    out = io.StringIO()
    yaml.dump(dict(values), out)
    return out.getvalue().rstrip("\n").split("\n")  # a name may end in other blanks, or hold other line ends


def _json(value: Any) -> str:
    """A value in flow style, with escapes where YAML needs them; YAML does not know JSON's surrogate pairs."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return re.sub("[\x7f-\xa0\u2028\u2029\ufeff]", lambda found: f"\\u{ord(found[0]):04x}", text)


def scalar(value: str) -> str:
    """A text as YAML, with quotes if it needs them."""
    return _dumped({"value": value})[0].removeprefix("value: ")
