"""What a command has the next refresh write into a state: under the engine's lock, by the provider's `read`."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

NOTES_VARIABLE: Final = "MIXPANEL_ACCESS_NOTES"
"""The environment variable that names the folder with the notes, for one run of `pulumi refresh`."""
_NOTES: Final = "notes.json"
_REACHED: Final = "reached"


@dataclass(frozen=True)
class Note:
    """What a resource is from now on; Mixpanel is not asked.

    Attributes:
        gone: whether the resource leaves the state.
        outputs: the outputs that become others; with `inputs`, all of them.
        inputs: all inputs; None for those that it has.
    """

    gone: bool = False
    outputs: Mapping[str, Any] | None = None
    inputs: Mapping[str, Any] | None = None


Notes = Mapping[str, Note]
"""The resource's id -> what it is from now on."""


def write_notes(folder: Path, notes: Notes) -> None:
    """Write the notes that a refresh is to take."""
    (folder / _NOTES).write_text(json.dumps({id_: asdict(note) for id_, note in notes.items()}), encoding="utf-8")


def is_reached(folder: Path) -> bool:
    """Whether a refresh has come to the notes: the engine holds the state's lock then."""
    return (folder / _REACHED).exists()


def read_notes(folder: Path) -> Notes:
    """The notes; waits while the command that writes them holds their file locked."""
    (folder / _REACHED).touch()
    with (folder / _NOTES).open(encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        return {id_: Note(**note) for id_, note in json.loads(file.read() or "{}").items()}


class HeldNotes:
    """Notes that a refresh waits for, until the block ends; without any in the end, the refresh changes nothing.

    Args:
        folder: where they are.

    Attributes:
        notes: what the refresh finds when the block ends.
    """

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
