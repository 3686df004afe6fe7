"""A roster's file: its text as it is, and a new text in its place."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from mixpanel_access.model.errors import UsageError


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
            why=error.strerror or str(error),
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
            why=(error.strerror if isinstance(error, OSError) else None) or str(error),
            next_step="Mend it and run again; nothing was changed.",
        ) from None
