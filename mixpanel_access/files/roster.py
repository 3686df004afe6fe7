"""A roster's file: its text as it is, what it says, and a new text in its place."""

from __future__ import annotations

from pathlib import Path

from mixpanel_access.files import whole
from mixpanel_access.model.errors import RosterError
from mixpanel_access.model.roster.reading import RosterSource, parse
from mixpanel_access.model.roster.salvage import Salvaged, salvage
from mixpanel_access.model.roster.schema import Roster


def write_roster(file: Path, before: str | None, text: str) -> None:
    """Write a roster, whole or not at all, if it is still as it was read.

    Raises:
        UsageError: it was changed meanwhile, or cannot be written.
    """
    whole.write_text(file, before, text, "the roster", private=False)


def roster_change(file: Path, before: str, text: str) -> whole.FileChange:
    """A roster's new text, to be written together with other files.

    Raises:
        UsageError: no file can hold the text.
    """
    what = "the roster"
    return whole.FileChange(
        file, whole.encoded(before, file, what), whole.encoded(text, file, what), what, private=False
    )


def text_of(file: Path) -> str | None:
    """A roster's text with its line ends as they are, or None where there is no file.

    Raises:
        UsageError: it cannot be read.
    """
    return whole.text_of(file, "the roster")


def source_of(file: Path) -> RosterSource:
    """Where a roster's text is from; what it includes is found from the roster's folder."""

    def include(name: str) -> str:
        try:
            return (file.parent / name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError, ValueError) as error:  # ValueError: a name with a null character
            raise RosterError("cannot read", whom=name, why=whole.reason(error)) from None

    return RosterSource(file.name, include)


def read_roster(file: Path, text_in: Path | None = None) -> Roster:
    """Read a roster and what it includes.

    Args:
        file: the roster.
        text_in: a file whose text is read in its place; what it includes is found from the roster's folder.

    Raises:
        RosterError: it cannot be read or used.
    """
    return parse(_text(text_in or file, file), source_of(file))


def read_salvaged(file: Path) -> Salvaged:
    """Read a roster without the entries that have problems.

    Raises:
        RosterError: it cannot be read, or not one entry of it.
    """
    return salvage(_text(file, file), source_of(file))


def _text(text_in: Path, file: Path) -> str:
    try:
        return text_in.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RosterError(
            "cannot read the roster",
            whom=str(text_in),
            why=whole.reason(error),
            next_step=f"The stack {file.stem!r} needs its roster there.",
        ) from None
