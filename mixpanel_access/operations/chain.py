"""Lines in a file that are only ever added, each with the hash of the line before it.

A line that was changed, taken out of the middle or put in shows. Lines at the end can be cut off without a trace in the
file itself: it is for version control to keep.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, ClassVar, Final, TypeVar

from mixpanel_access.files.whole import encoded
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


def read(file: Path, kind: type[AnyLink]) -> list[AnyLink]:
    """The lines of a file; none where there is no file yet.

    Raises:
        UsageError: a line cannot be read.
    """
    try:
        text = file.read_text(encoding="utf-8").removesuffix("\n")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(file, kind, str(error)) from None
    found = []
    for number, line in enumerate(text.split("\n") if text else [], 1):  # a value may hold other line ends
        try:
            found.append(kind(**json.loads(line)))
        except (ValueError, TypeError, RecursionError):
            raise _unreadable(file, kind, f"line {number} is none of its lines") from None
    return found


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
    """Add lines to a file.

    Args:
        file: the file.
        new: what to add, without hashes.
        lines: what the file has; verified.

    Returns:
        The lines as they were added.

    Raises:
        UsageError: it cannot be written.
    """
    added = list(linked(new, lines))
    if not added:
        return []
    text = "".join(f"{json.dumps(line.row(), ensure_ascii=False)}\n" for line in added)
    rows = encoded(text, file, added[0].file_is)
    try:
        with file.open("a+b") as log:
            fcntl.flock(log, fcntl.LOCK_EX)  # until it is closed: another run that adds waits, and sees these lines
            log.seek(0)
            content = log.read()
            if len(read(file, type(added[0]))) != len(lines):
                raise UsageError(
                    f"cannot write {added[0].file_is}",
                    whom=str(file),
                    why="it was changed while this ran",
                    next_step="Nothing was added; run again.",
                )
            cut = b"\n" if content and not content.endswith(b"\n") else b""  # as some editors leave it
            log.write(cut + rows)
    except OSError as error:
        what = f"cannot write {added[0].file_is}"
        raise UsageError(what, whom=str(file), why=error.strerror or str(error), next_step="Mend that.") from None
    return added


def _unreadable(file: Path, kind: type[Link], why: str) -> UsageError:
    return UsageError(
        f"cannot read {kind.file_is}",
        whom=str(file),
        why=why,
        next_step="Take the file back from version control; nothing was added.",
    )
