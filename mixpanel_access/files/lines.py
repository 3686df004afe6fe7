"""Files of JSON lines to which commands only add: the access log, and the evidence of a review.

Lines of version 0.1.0 also have `previous` and `hash`, which are ignored: version control shows who changed a file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Final, TypeVar

from mixpanel_access.files import whole
from mixpanel_access.model.dates import instant
from mixpanel_access.model.errors import UsageError

_IGNORED: Final = ("previous", "hash")
_TYPES: Final = {"str": (str,), "int": (int,), "int | None": (int, type(None))}
"""The annotation of a field -> the classes of its values."""
_BOTH: Final = (0, 1)
_SIDES: Final = {b"<<<<<<<": (0,), b"|||||||": (), b"=======": (1,), b">>>>>>>": _BOTH}
"""The conflict markers of git -> the sides of which the lines below it are."""
_MARKERS: Final = tuple(_SIDES)
_KEEP_BOTH: Final = (
    "Keep the lines of both branches, and delete those that begin with <<<<<<<, |||||||, ======= and >>>>>>>; "
    "nothing was added."
)
_BITS: Final = 63  # the most for a number in a workbook


@dataclass(frozen=True, kw_only=True)
class FileLine:
    """One line; each kind of file has its own class."""

    file_is: ClassVar[str] = "the file"
    """The name of the file in a message."""
    merged_by: ClassVar[str] = ""
    """The command that resolves the conflict markers of git in such a file, or ""."""

    @classmethod
    def columns(cls) -> tuple[str, ...]:
        """The names of the fields."""
        return tuple(field.name for field in fields(cls))

    def row(self) -> dict[str, Any]:
        """The line as plain data."""
        return {name: getattr(self, name) for name in self.columns()}


@dataclass(frozen=True)
class Verified:
    """The result of a check of a file.

    Attributes:
        lines: its number of lines.
        cut: a message about a cut-off last line, or "".
        problems: what is wrong with it.
        by_hand: the changes by hand that the access log has, and the stacks' states do not have yet.
    """

    lines: int
    cut: str
    problems: Sequence[str]
    by_hand: Sequence[str] = ()


AnyLine = TypeVar("AnyLine", bound=FileLine)
Say = Callable[[str], None]
"""Shows a line of text to the user."""


def read_lines(file: Path, line_type: type[AnyLine], say: Say | None = None) -> list[AnyLine]:
    """The lines of a file; none if the file does not exist. `say` shows a message about a cut-off last line.

    Raises:
        UsageError: a line cannot be read.
    """
    content = whole.content_of(file, line_type.file_is) or b""
    lines, cut = _parse(content, file, line_type)
    if cut and say is not None:
        say(
            f"{file}: the last line was cut off after {len(cut)} bytes, and is left out: a run was killed or its disk "
            f"was full; the next command that adds lines replaces it"
        )
    return lines


def append_lines(file: Path, new: Sequence[AnyLine], lines: Sequence[AnyLine]) -> None:
    """Add `new` to a file with these `lines`: all or nothing. They replace a last line that was cut off.

    Raises:
        UsageError: the file was changed meanwhile, or cannot be written.
    """
    if new:
        whole.write_all([with_lines(file, new, lines)])


def with_lines(file: Path, new: Sequence[AnyLine], lines: Sequence[AnyLine]) -> whole.FileChange:
    """The change that adds lines to a file, with the arguments of `append_lines`.

    Raises:
        UsageError: the file was changed meanwhile.
    """
    line_type = type(new[0])
    rows = whole.encoded(text_of_lines(new), file, line_type.file_is)
    before = whole.content_of(file, line_type.file_is)
    there, cut = _parse(before or b"", file, line_type)
    if there != list(lines):
        raise UsageError(
            f"cannot write {line_type.file_is}",
            subject=str(file),
            why="it was changed while this ran",
            next_step="Nothing was added; run again.",
        )
    kept = (before or b"").removesuffix(cut)
    end = b"\n" if kept and not kept.endswith(b"\n") else b""  # some editors drop the last line end
    return whole.FileChange(file, before, kept + end + rows, line_type.file_is)


def text_of_lines(lines: Iterable[FileLine]) -> str:
    """The text of a file with these lines."""
    return "".join(f"{json.dumps(line.row(), ensure_ascii=False)}\n" for line in lines)


def _parse(content: bytes, file: Path, line_type: type[AnyLine]) -> tuple[list[AnyLine], bytes]:
    """The lines of a file, and the bytes of a last line that was cut off."""
    found: list[AnyLine] = []
    rows = content.split(b"\n")  # a value may contain other line ends
    for number, row in enumerate(rows, 1):
        if number == len(rows) and not row:
            break
        try:
            found.append(_line(json.loads(row.decode()), line_type))
        except (ValueError, TypeError, OverflowError, RecursionError):
            if number == len(rows):
                return found, row
            raise _unreadable(file, line_type, number, row) from None
    return found, b""


def _unreadable(file: Path, line_type: type[FileLine], number: int, row: bytes) -> UsageError:
    why, next_step = (
        f"line {number} is none of its lines",
        "Take the file back from version control; nothing was added.",
    )
    if row.startswith(_MARKERS):
        why = f"line {number} is a conflict marker of git"
        next_step = f"Run: {line_type.merged_by}" if line_type.merged_by else _KEEP_BOTH
    return UsageError(f"cannot read {line_type.file_is}", subject=str(file), why=why, next_step=next_step)


def read_sides(file: Path, line_type: type[AnyLine]) -> list[list[tuple[int, AnyLine]]]:
    """The lines of a file and their numbers: two sides if it has conflict markers of git, else one.

    A last line that was cut off is left out.

    Raises:
        UsageError: a line cannot be read.
    """
    rows = (whole.content_of(file, line_type.file_is) or b"").split(b"\n")
    sides: list[list[tuple[int, AnyLine]]] = [[], []]
    in_side: tuple[int, ...] = _BOTH
    for number, row in enumerate(rows, 1):
        if marker := next((one for one in _MARKERS if row.startswith(one)), None):
            in_side = _SIDES[marker]
            continue
        if (number == len(rows) and not row) or not in_side:
            continue
        try:
            line = _line(json.loads(row.decode()), line_type)
        except (ValueError, TypeError, OverflowError, RecursionError):
            if number == len(rows):
                break
            raise _unreadable(file, line_type, number, row) from None
        for side in in_side:
            sides[side].append((number, line))
    return sides if sides[0] != sides[1] else sides[:1]


def _line(values: Any, line_type: type[AnyLine]) -> AnyLine:
    """A line from its values.

    Raises:
        ValueError, TypeError, OverflowError: they do not make a line; somebody may have edited the file.
    """
    line = line_type(**{name: value for name, value in dict(values).items() if name not in _IGNORED})
    for field in fields(line_type):
        value = getattr(line, field.name)
        if type(value) not in _TYPES[str(field.type)] or (isinstance(value, int) and value.bit_length() > _BITS):
            raise TypeError(field.name)
        if isinstance(value, str):
            value.encode()  # half a surrogate pair can neither be printed nor written
        if field.name == "date":
            instant(value)
    return line
