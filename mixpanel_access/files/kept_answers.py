"""The answers of an `invite` that wrote nothing, kept in the project's folder for the next one.

Only their owner can read them, and Git ignores the folder. A file that others can read is not used: a branch may
have brought it.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

FOLDER: Final = ".mixpanel-access"
"""The folder in the project's folder; it ignores itself."""
_FILE: Final = "invite.json"
_OTHERS: Final = 0o077
_LARGEST: Final = 100_000


def read_answers(project: Path) -> dict[str, str]:
    """The kept answers, by the question's key; none if there is no such file, or it is not one that we wrote."""
    try:
        handle = os.open(project / FOLDER / _FILE, os.O_RDONLY | os.O_NOFOLLOW)
        with os.fdopen(handle, encoding="utf-8") as file:
            about = os.fstat(handle)
            if about.st_uid != os.geteuid() or about.st_mode & _OTHERS:
                return {}
            found = json.loads(file.read(_LARGEST))
    except (OSError, ValueError):
        return {}
    return {key: value for key, value in found.items() if isinstance(value, str)} if isinstance(found, dict) else {}


def write_answers(project: Path, answers: Mapping[str, str]) -> Path:
    """Keep answers in the place of those that are there; return the file.

    Raises:
        OSError: they cannot be written, or the folder is a link that leads elsewhere.
    """
    folder = project / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink():
        raise NotADirectoryError(None, "it is a link", str(folder))
    if not (folder / ".gitignore").exists():
        (folder / ".gitignore").write_text("*\n", encoding="utf-8")
    handle, name = tempfile.mkstemp(dir=folder)  # with mode 0600
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(dict(answers), file, ensure_ascii=False, indent=1)
    return Path(name).replace(folder / _FILE)


def drop_answers(project: Path) -> None:
    """Delete the kept answers, if there are any."""
    (project / FOLDER / _FILE).unlink(missing_ok=True)
