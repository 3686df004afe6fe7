"""Reads a roster, and reports every problem at once, with file and line. Only `RosterSource` reads files."""

from __future__ import annotations

import re
import reprlib
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from mixpanel_access.model.errors import RosterError
from mixpanel_access.model.roster.problems import Path, problems_with
from mixpanel_access.model.roster.schema import Common, OwnServiceAccount, Roster, RosterServiceAccount
from mixpanel_access.model.roster.yaml_text import BadYaml, load_once, slip_paths, slips, uncollected, with_lines
from mixpanel_access.model.similarity import did_you_mean

_SHARED: Final = tuple(Common.model_fields)
"""The fields of an included file."""
_SHORT: Final = reprlib.Repr()
"""Shows the beginning of a value, which can be large."""
_SHORT.maxstring = _SHORT.maxother = 100


def is_roster(document: object) -> bool:
    """Whether a YAML document has what every roster has, and no file that rosters include."""
    return isinstance(document, dict) and "environment" in document


def _nothing(name: str) -> str:
    raise RosterError("nothing can be included here", subject=name, next_step="Read the roster from a file.")


@dataclass(frozen=True)
class RosterSource:
    """The file of a roster.

    Attributes:
        name: its name, for messages.
        include: gives the text of a file that the roster includes by this name, or raises RosterError.
    """

    name: str
    include: Callable[[str], str] = _nothing


def parse(text: str, source: RosterSource) -> Roster:
    """Read a roster, and what it includes.

    Raises:
        RosterError: it cannot be used; the error lists every problem, with file and line.
    """
    with uncollected():
        own = _File(source.name, text)
        roster = own.read(Roster)
        files = [own]
        for name in roster.include:
            included = _File(name, _included(source, name, own))
            roster = _joined(roster, included.read(Common), included, files)
            files.append(included)
        if problems := list(problems_with(roster)):
            raise _error([_placed(path, words, files) for path, words in problems])
        return roster


def line_of(text: str, path: Path) -> int:
    """The line of a part of a roster, or of the deepest existing part above it, from 1."""
    return _File("", text).line(path)


def lines_of_entries(text: str, section: str, count: int) -> list[int]:
    """The lines of the entries of a section, as `line_of` gives them; it reads only that part of a long roster.

    Args:
        text: a document that can be read.
        section: the key of the list.
        count: the number of its entries.
    """
    begin = re.search(rf"^{section}\s*:", text, re.MULTILINE)
    start = begin.start() if begin else 0
    after = re.search(r"^[^\s#-]", text[begin.end() :], re.MULTILINE) if begin else None
    part = text[start : begin.end() + after.start()] if begin and after else text[start:]
    file = _File("", part)
    if count and not file.has((section, count - 1)):
        file, start = _File("", text), 0
    above = text.count("\n", 0, start)
    return [file.line((section, index)) + above for index in range(count)]


_WORDS: Final = ("ticket", "approver", "sponsor", "justification", "sow", "notes", "reviewed", "manager")
"""The fields of an entry or an engagement on which no access depends."""


def slips_of_access(text: str) -> list[Path]:
    """The places on which access depends and that YAML reads differently from how they look (see `slips`)."""
    return [path for path in slip_paths(text) if not (path[:1] in _WITH_WORDS and path[2:3] and path[2] in _WORDS)]


_WITH_WORDS: Final = (("people",), ("engagements",))


def parse_document(document: Any, source: RosterSource) -> tuple[Roster | None, list[Path]]:
    """Read a roster from plain data: the roster, if it has the form of one, and the places of its problems.

    Raises:
        RosterError: a file that it includes cannot be used.
    """
    try:
        roster = Roster.model_validate(document)
    except ValidationError as error:
        return None, [_place(item["loc"]) for item in error.errors(include_url=False)]
    own = _File(source.name, "{}")
    files = [own]
    for name in roster.include:
        included = _File(name, _included(source, name, own))
        roster = _joined(roster, included.read(Common, with_slips=True), included, files)
        files.append(included)
    return roster, [path for path, _ in problems_with(roster)]


def paths_in_common(document: Any) -> list[Path]:
    """The places of problems in a file to include, from plain data."""
    try:
        Common.model_validate(document)
    except ValidationError as error:
        return [_place(item["loc"]) for item in error.errors(include_url=False)]
    return []


def _included(source: RosterSource, name: str, own: _File) -> str:
    try:
        return source.include(name)
    except RosterError as error:
        why = f"{name} cannot be included: {error.why or error.what}"
        raise _error([(own.name, own.line(("include",)), why)]) from None


def _joined(roster: Roster, common: Common, included: _File, before: Sequence[_File]) -> Roster:
    """The roster with the content of an included file; every key can be in only one of them."""
    changes: dict[str, Any] = {}
    problems: list[tuple[Path, str]] = []
    for field in common.model_fields_set:
        here, there = getattr(roster, field), getattr(common, field)
        alias = str(Common.model_fields[field].alias or field)
        if not isinstance(there, Mapping):
            twice: list[Path] = [(alias,)] if field in roster.model_fields_set else []
        else:
            twice = [(alias, key) for key in there if key in here]
            there = {**here, **{key: _as_own(part) for key, part in there.items()}}
        for path in twice:
            first = next(file.name for file in before if file.has(path))
            problems.append((path, f"{path[-1]} is in {first} too; it can be in only one of them"))
        changes[field] = there
    if problems:
        raise _error([(included.name, included.line(path), words) for path, words in problems])
    return roster.model_copy(update=changes)


def _as_own(part: Any) -> Any:
    """A part of an included file as the roster's own; its service accounts are only known ones."""
    if isinstance(part, RosterServiceAccount):
        return OwnServiceAccount.model_validate(part.model_dump(by_alias=True, exclude_unset=True))
    return part


_Model = TypeVar("_Model", bound=Common)


_QUOTED: Final = re.compile(r"""(["'])(.{2,}?)\1""")
"""A quotation in an error; a single character is not from the document, but one that the reader expected."""


class _File:
    """One document, and the lines of its parts."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self._text = text
        self._positions: Any = None

    def read(self, model: type[_Model], *, with_slips: bool = False) -> _Model:
        """The document as a model; `with_slips` accepts slips of YAML on which no access depends.

        Raises:
            RosterError: it does not have that form.
        """
        try:
            document = load_once(self._text)
        except BadYaml as error:
            words = str(error) if model is Roster else self._without_values(str(error))
            raise _error([(self.name, error.line, words)]) from None
        if not isinstance(document, dict) or not (model is Roster or _may_be_common(document)):
            what = "a roster is a mapping with environment, projects and people"
            if model is not Roster:  # it may be any file, which the roster's author may not read: show nothing of it
                what = f"a file to include is a mapping with {', '.join(_aliases(Common))} and nothing else"
            raise _error([(self.name, 1, what)])
        harmless = with_slips and not slips_of_access(self._text)
        found = [] if harmless else [(self.name, line, words) for line, words in slips(self._text)]
        try:
            read = model.model_validate(document)
        except ValidationError as error:
            told = {line for _, line, _ in found}  # a slip is most likely the reason
            problems = [(_place(item["loc"]), _words(item, model)) for item in error.errors(include_url=False)]
            places = [(self.name, self.line(path), words) for path, words in problems]
            raise _error([*found, *(one for one in places if one[1] not in told)]) from None
        if found:
            raise _error(found)
        return read

    def _without_values(self, words: str) -> str:
        """An error without quotations from the document."""
        return _QUOTED.sub(lambda quoted: "(...)" if quoted[2] in self._text else quoted[0], words)

    def has(self, path: Path) -> bool:
        """Whether the document has the whole path."""
        return self._found(path)[0] == len(path)

    def line(self, path: Path) -> int:
        """The line of the deepest part of the path that the document has, from 1."""
        return self._found(path)[1] + 1

    def _found(self, path: Path) -> tuple[int, int]:
        """How many parts of the path the document has, and the line of the last of them, from 0."""
        if self._positions is None:  # slow, and only needed for errors
            self._positions = with_lines(self._text)
        node, line = self._positions, 0
        for depth, part in enumerate(path):
            try:
                if isinstance(node, CommentedMap):
                    line = int(node.lc.key(part)[0])
                elif isinstance(node, CommentedSeq) and isinstance(part, int):
                    line = int(node.lc.item(part)[0])
                else:
                    return depth, line
                node = node[part]
            except (KeyError, IndexError, TypeError):
                return depth, line
        return len(path), line


def _may_be_common(document: Mapping[Any, Any]) -> bool:
    """Whether a document can be one to include: it has only a roster's keys, perhaps misspelled."""
    known = _aliases(Roster)
    return all(isinstance(key, str) and (key in known or did_you_mean(key, known)) for key in document)


def _place(loc: Sequence[str | int]) -> Path:
    return tuple(part for part in loc if part != "[key]")


def _words(item: Any, model: type[BaseModel]) -> str:
    loc = item["loc"]
    field = str(loc[-1]) if loc else "the roster"
    if item["type"] == "extra_forbidden":
        known = _aliases(_part_at(model, loc[:-1]))
        return f"{field!r} is unknown here{did_you_mean(field, known)}; the fields here are {', '.join(known)}"
    if item["type"] == "missing":
        return f"{field!r} is missing"
    value = item["input"]
    if item["type"] == "string_type" and isinstance(value, date):
        return f"{field}: '{value}' is not a date; write it as YYYY-MM-DD"
    why = _FORMS.get(item["type"]) or f"{item['msg'][0].lower()}{item['msg'][1:]}"
    return f"{field}: {_SHORT.repr(value)} cannot be used ({why})"


_FORMS: Final[Mapping[str, str]] = {
    "bool_type": "it is neither true nor false",
    "int_type": "it is not a whole number",
    "int_parsing": "it is not a whole number",
    "string_type": "it is not a text; put it in quotes",
    "dict_type": "it is not a mapping; write `key: value` in each line",
    "model_type": "it is not a mapping; write `key: value` in each line",
    "is_instance_of": "it is not a list; begin each entry with a hyphen",
}
"""The type of an error of Pydantic -> what is wrong with the value, for somebody who writes YAML."""


def _aliases(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _part_at(model: type[BaseModel], loc: Sequence[str | int]) -> type[BaseModel]:
    """The model at a place: at `people, 3` a person."""
    found: Any = model
    for part in loc:
        if isinstance(found, type) and issubclass(found, BaseModel):
            found = next(field.annotation for name, field in found.model_fields.items() if part in (field.alias, name))
        elif isinstance(get_origin(found), type):  # a mapping's or a list's values
            found = get_args(found)[-1]
    return _model_in(found) or model


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if isinstance(annotation, types.UnionType):
        return next(filter(None, map(_model_in, get_args(annotation))), None)
    return None


def _placed(path: Path, words: str, files: Sequence[_File]) -> tuple[str, int, str]:
    """A problem with the file and the line that have most of its path; the roster comes before included files."""
    file = max(files, key=lambda file: file._found(path)[0])  # the first of equals
    return file.name, file.line(path), words


def _error(problems: Sequence[tuple[str, int, str]]) -> RosterError:
    shown = [f"{name}:{line}: {words}" for name, line, words in sorted(problems, key=lambda one: (one[0], one[1]))]
    return RosterError("cannot use the roster", why="; ".join(shown), next_step="Fix it and run again.")
