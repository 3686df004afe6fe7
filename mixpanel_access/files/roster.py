"""A roster's file: its text as it is, what it says, and a new text in its place."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from mixpanel_access.model.errors import RosterError, UsageError
from mixpanel_access.model.roster import Roster
from mixpanel_access.model.roster_reading import Source, parse


def write_roster(file: Path, before: str | None, text: str) -> None:
    """Write a roster, whole or not at all, if it is still as it was read.

    Raises:
        UsageError: it was changed meanwhile, or cannot be written.
    """
    if text == before:
        return
    if text_of(file) != before:
        raise UsageError(
            "cannot write the roster",
            whom=str(file),
            why="it was changed while this ran",
            next_step="Nothing was written; run again.",
        )
    written: str | None = None
    try:
        target = file.resolve()  # what a link points at is what is written
        with tempfile.NamedTemporaryFile("wb", dir=target.parent, prefix=f".{file.name}.", delete=False) as new:
            written = new.name
            new.write(text.encode())
        if target.exists():
            Path(written).chmod(target.stat().st_mode & 0o7777)
        else:
            umask = os.umask(0)
            os.umask(umask)
            Path(written).chmod(0o666 & ~umask)
        Path(written).replace(target)
    except OSError as error:
        if written:
            with suppress(OSError):
                Path(written).unlink()
        raise UsageError(
            "cannot write the roster",
            whom=str(file),
            why=_reason(error),
            next_step="Make it writable and run again; nothing was changed.",
        ) from None


def text_of(file: Path) -> str | None:
    """A roster's text with its line ends as they are, or None where there is no file."""
    try:
        return file.read_bytes().decode()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            "cannot read the roster",
            whom=str(file),
            why=_reason(error),
            next_step="Mend it and run again; nothing was changed.",
        ) from None


def source_of(file: Path) -> Source:
    """Where a roster's text is from; what it includes is found from the roster's folder."""

    def include(name: str) -> str:
        try:
            return (file.parent / name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError, ValueError) as error:  # ValueError: a name with a null character
            raise RosterError("cannot read", whom=name, why=_reason(error)) from None

    return Source(file.name, include)


def read_roster(file: Path, text_in: Path | None = None) -> Roster:
    """Read a roster and what it includes.

    Args:
        file: the roster.
        text_in: a file whose text is read in its place; what it includes is found from the roster's folder.

    Raises:
        RosterError: it cannot be read or used.
    """
    try:
        text = (text_in or file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RosterError(
            "cannot read the roster",
            whom=str(text_in or file),
            why=_reason(error),
            next_step=f"The stack {file.stem!r} needs its roster there.",
        ) from None
    return parse(text, source_of(file))


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
