"""Notes of a command, which the provider's `read` writes into the state in a refresh, under the engine's lock."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

NOTES_VARIABLE: Final = "MIXPANEL_ACCESS_NOTES"
"""The environment variable with the folder of the notes, for one run of `pulumi refresh`."""
_NOTES: Final = "notes.json"
_REACHED: Final = "reached"


@dataclass(frozen=True)
class Note:
    """The new state of a resource, without a request to Mixpanel.

    Attributes:
        gone: whether the resource leaves the state.
        outputs: the outputs that change; with `inputs`, all of them.
        inputs: all inputs; None for no change.
    """

    gone: bool = False
    outputs: Mapping[str, Any] | None = None
    inputs: Mapping[str, Any] | None = None


Notes = Mapping[str, Note]
"""Id of a resource -> note."""


def write_notes(folder: Path, notes: Notes) -> None:
    """Write the notes for a refresh."""
    (folder / _NOTES).write_text(json.dumps({id_: asdict(note) for id_, note in notes.items()}), encoding="utf-8")


def is_reached(folder: Path) -> bool:
    """Whether a refresh has reached the notes; the engine then holds the state's lock."""
    return (folder / _REACHED).exists()


def read_notes(folder: Path) -> Notes:
    """Read the notes, as soon as the command that writes them has unlocked their file."""
    (folder / _REACHED).touch()
    with (folder / _NOTES).open(encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        return {id_: Note(**note) for id_, note in json.loads(file.read() or "{}").items()}


class LockedNotes:
    """Notes in a folder, for which a refresh waits until the block ends; without any, it changes nothing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.notes: Notes = {}

    def __enter__(self) -> Self:
        self._file = (self.folder / _NOTES).open("w", encoding="utf-8")
        fcntl.flock(self._file, fcntl.LOCK_EX)  # it goes with the process too, so that no refresh waits for ever
        return self

    def __exit__(self, *_: object) -> None:
        self._file.write(json.dumps({id_: asdict(note) for id_, note in self.notes.items()}))
        self._file.close()
