"""What git knows of the files of a project: the commit that last changed each, and their text in an earlier commit."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from mixpanel_access.files.whole import reason
from mixpanel_access.model.dates import instant, written

_SHALLOW: Final = "the clone is shallow: git does not know which commit last changed it; fetch the whole history"


@dataclass(frozen=True)
class FileInGit:
    """What git knows of a file, or of all that is in a folder.

    Attributes:
        commit: the commit that last changed it, or "" if git does not know it.
        committed: when that was committed, or None.
        changed: whether it has changes that are not committed; None if git does not know the file.
        note: why git does not know more, in words, or "".
    """

    commit: str = ""
    committed: datetime | None = None
    changed: bool | None = None
    note: str = ""


def run_git(folder: Path, *args: str) -> subprocess.CompletedProcess[bytes]:
    """Run git in a folder, without input.

    Raises:
        OSError: git cannot be run.
    """
    command = ["git", "-C", str(folder), *args]
    environ = {**os.environ, "LC_ALL": "C", "GIT_LITERAL_PATHSPECS": "1"}
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False, env=environ)  # noqa: S603


def first_words(done: subprocess.CompletedProcess[bytes]) -> str:
    """The first line of what git says about a failure."""
    said = done.stderr.decode(errors="backslashreplace").strip().splitlines()
    return said[0].removeprefix("fatal: ") if said else f"exit code {done.returncode}"


def file_in_git(path: Path, revision: str = "HEAD") -> FileInGit:
    """The commit that last changed a file or a folder, up to a revision; without git, the note says why."""
    folder, name = (path, ".") if path.is_dir() else (path.parent, path.name)
    try:
        shallow = run_git(folder, "rev-parse", "--is-shallow-repository")
        if shallow.returncode:
            return FileInGit(note=f"git does not know it: {first_words(shallow)}")
        log = run_git(folder, "log", "-1", "--format=%H %cI", revision, "--", name)
        status = run_git(folder, "status", "--porcelain", "--", name)
        commit, _, at = log.stdout.decode().strip().partition(" ")
        if log.returncode or status.returncode or not commit:
            return FileInGit(note="git does not have it: it is not committed")
        changed = bool(status.stdout)
        if shallow.stdout.strip() == b"true" and commit in _boundaries(folder):
            return FileInGit(changed=changed, note=_SHALLOW)
    except OSError as error:
        return FileInGit(note=f"git cannot be run: {reason(error)}")
    return FileInGit(commit=commit, committed=instant(at), changed=changed)


def _boundaries(folder: Path) -> set[str]:
    """The commits of a shallow clone whose parents it does not have: each seems to have made all of its files."""
    where = run_git(folder, "rev-parse", "--path-format=absolute", "--git-path", "shallow").stdout.decode().strip()
    return set(Path(where).read_text(encoding="utf-8").split())


def commit_at(folder: Path, at: datetime) -> str:
    """The commit that the branch that is checked out had at an instant, by the dates of its commits; "" if none."""
    try:
        done = run_git(folder, "rev-list", "-1", "--first-parent", f"--before={written(at)}", "HEAD")
    except OSError:
        return ""
    return "" if done.returncode else done.stdout.decode().strip()


def text_in_git(file: Path, commit: str) -> str | None:
    """The text of a file in a commit, or None if the commit does not have it as text."""
    try:
        done = run_git(file.parent, "show", f"{commit}:./{file.name}")
        return None if done.returncode else done.stdout.decode()
    except (OSError, UnicodeDecodeError):
        return None
