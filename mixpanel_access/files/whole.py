"""A file's text as it is, and a new text in its place: whole or not at all, and never over somebody else's change."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from mixpanel_access.model.errors import UsageError


def write_text(file: Path, before: str | None, text: str, what: str) -> None:
    """Write a file, if it is still as it was read.

    Args:
        file: which; what a link points at is written.
        before: its text as it was read; None where there was no file.
        text: all of the new text.
        what: what the file is, for the error.

    Raises:
        UsageError: it was changed meanwhile, or cannot be written.
    """
    if text == before:
        return
    content = encoded(text, file, what)
    if text_of(file, what) != before:
        raise UsageError(
            f"cannot write {what}",
            whom=str(file),
            why="it was changed while this ran",
            next_step="Nothing was written; run again.",
        )
    written: str | None = None
    try:
        target = file.resolve()
        with tempfile.NamedTemporaryFile("wb", dir=target.parent, prefix=f".{file.name}.", delete=False) as new:
            written = new.name
            new.write(content)
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
            f"cannot write {what}",
            whom=str(file),
            why=reason(error),
            next_step="Make it writable and run again; nothing was changed.",
        ) from None


def encoded(text: str, file: Path, what: str) -> bytes:
    """A text as a file holds it, in UTF-8.

    Raises:
        UsageError: half characters are in it, as come of bytes that are not UTF-8.
    """
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        around = text[max(0, error.start - 20) : error.end].rpartition("\n")[2]
        raise UsageError(
            f"cannot write {what}",
            whom=str(file),
            why=f"UTF-8 cannot hold the end of {around.encode(errors='backslashreplace').decode()}",
            next_step="Nothing was written. Correct that.",
        ) from None


def text_of(file: Path, what: str) -> str | None:
    """A file's text with its line ends as they are, or None where there is no file.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        return file.read_bytes().decode()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"cannot read {what}",
            whom=str(file),
            why=reason(error),
            next_step="Mend it and run again; nothing was changed.",
        ) from None


def reason(error: Exception) -> str:
    """Why a file cannot be read or written, in words."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
