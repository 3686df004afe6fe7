"""Lines in a file that are only ever added, each with the hash of the line before it.

A line that was changed, taken out of the middle or put in shows. Lines at the end can be cut off without a trace in the
file itself: it is for version control to keep.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, ClassVar, Final, TypeVar

from mixpanel_access.files import whole
from mixpanel_access.model.errors import Refused, UsageError

FIRST: Final = "0" * 64
"""What the first line holds in place of a hash."""
_LINKS: Final = ("previous", "hash")


@dataclass(frozen=True, kw_only=True)
class Link:
    """One line; each kind of file has its own.

    Attributes:
        previous: the hash of the line before.
        hash: the hash of this one.
    """

    file_is: ClassVar[str] = "the file"
    """What the file is, for a message."""
    later: ClassVar[tuple[str, ...]] = ()
    """Fields that lines did not always have: where empty, they are not in the hash, and older lines stay trusted."""

    previous: str = ""
    hash: str = ""

    @classmethod
    def columns(cls) -> tuple[str, ...]:
        """The names of the fields; the hashes are the last."""
        return (*(field.name for field in fields(cls) if field.name not in _LINKS), *_LINKS)

    @property
    def about(self) -> str:
        """Which line it is, for a message."""
        raise NotImplementedError

    def row(self) -> dict[str, Any]:
        """The line as plain data."""
        return {name: getattr(self, name) for name in self.columns()}

    def digest(self) -> str:
        """The hash over everything else in the line."""
        empty = {name for name in self.later if getattr(self, name) in ("", None)}
        content = {name: value for name, value in asdict(self).items() if name != "hash" and name not in empty}
        return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


AnyLink = TypeVar("AnyLink", bound=Link)
Say = Callable[[str], None]
"""Shows a line."""


def read(file: Path, kind: type[AnyLink], say: Say | None = None) -> list[AnyLink]:
    """The lines of a file; none where there is no file yet.

    Args:
        file: the file.
        kind: what its lines are.
        say: shows a line where the last one was cut: a run that wrote it was killed, or its disk was full.

    Raises:
        UsageError: a line cannot be read.
    """
    content = whole.content_of(file, kind.file_is) or b""
    lines, cut = _whole_lines(content, file, kind)
    if cut and say is not None:
        say(
            f"{file}: the last line was cut off after {len(cut)} bytes, and is left out: a run was killed or its disk "
            f"was full; the next command that adds lines replaces it"
        )
    return lines


def _whole_lines(content: bytes, file: Path, kind: type[AnyLink]) -> tuple[list[AnyLink], bytes]:
    """The lines of a file, and what stands behind them without a line end and is no line: one that was cut."""
    found: list[AnyLink] = []
    rows = content.split(b"\n")  # a value may hold other line ends
    for number, row in enumerate(rows, 1):
        if number == len(rows) and not row:
            break
        try:
            found.append(kind(**json.loads(row.decode())))
        except (ValueError, TypeError, RecursionError):
            if number == len(rows):
                return found, row
            raise _unreadable(file, kind, f"line {number} is none of its lines") from None
    return found, b""


def verify(lines: Sequence[Link], file: Path) -> None:
    """Hold a file that was touched.

    Raises:
        Refused: a line was changed, or does not follow the one before it.
    """
    previous = FIRST
    for number, line in enumerate(lines, 1):
        if line.previous != previous or line.digest() != line.hash:
            what = "was changed" if line.digest() != line.hash else "does not follow the line before it"
            raise Refused(
                f"cannot trust {line.file_is}",
                whom=str(file),
                why=f"line {number} ({line.about}) {what}",
                next_step="Take the file back from version control, and look who changed it.",
            )
        previous = line.hash


def linked(new: Iterable[AnyLink], lines: Sequence[AnyLink]) -> Iterator[AnyLink]:
    """New lines with their hashes, behind those that are there."""
    previous = lines[-1].hash if lines else FIRST
    for line in new:
        follows = replace(line, previous=previous, hash="")
        follows = replace(follows, hash=follows.digest())
        previous = follows.hash
        yield follows


def append(file: Path, new: Iterable[AnyLink], lines: Sequence[AnyLink]) -> list[AnyLink]:
    """Add lines to a file: all of them, or none. A last line that was cut goes.

    Args:
        file: the file.
        new: what to add, without hashes.
        lines: what the file has; verified.

    Returns:
        The lines as they were added.

    Raises:
        UsageError: it was changed meanwhile, or cannot be written.
    """
    added = list(linked(new, lines))
    if added:
        whole.write_all([with_lines(file, added, lines)])
    return added


def text_of_lines(lines: Iterable[Link]) -> str:
    """Lines as a file has them."""
    return "".join(f"{json.dumps(line.row(), ensure_ascii=False)}\n" for line in lines)


def with_lines(file: Path, added: Sequence[AnyLink], lines: Sequence[AnyLink]) -> whole.FileChange:
    """What a file is with more lines, to be written; the arguments are those of `append`, and `added` is linked.

    Raises:
        UsageError: it was changed meanwhile.
    """
    kind = type(added[0])
    rows = whole.encoded(text_of_lines(added), file, kind.file_is)
    before = whole.content_of(file, kind.file_is)
    there, cut = _whole_lines(before or b"", file, kind)
    if there != list(lines):
        raise UsageError(
            f"cannot write {kind.file_is}",
            whom=str(file),
            why="it was changed while this ran",
            next_step="Nothing was added; run again.",
        )
    kept = (before or b"").removesuffix(cut)
    end = b"\n" if kept and not kept.endswith(b"\n") else b""  # as some editors leave it
    return whole.FileChange(file, before, kept + end + rows, kind.file_is)


def _unreadable(file: Path, kind: type[Link], why: str) -> UsageError:
    return UsageError(
        f"cannot read {kind.file_is}",
        whom=str(file),
        why=why,
        next_step="Take the file back from version control; nothing was added.",
    )
