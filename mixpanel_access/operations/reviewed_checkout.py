"""A checkout of reviewed code, and what a branch that nobody has reviewed would change in it, read as data.

The branch is read from git's objects and never checked out: no link is followed, and no filter or hook runs.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mixpanel_access.files.whole import reason
from mixpanel_access.model.errors import UsageError
from mixpanel_access.operations.project import roster_file

WHAT: Final = "cannot copy the rosters of the branch"
_COMMIT: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_CONFLICT: Final = 1
"""The exit code of `git merge-tree` where two commits do not merge."""


@dataclass(frozen=True)
class BranchFile:
    """A file of a commit.

    Attributes:
        mode: as git writes it: of a regular file, a link, a submodule.
        blob: the name of its object.
        size: in bytes.
    """

    mode: str
    blob: str
    size: int


@dataclass(frozen=True)
class ChangedPath:
    """A path that a branch changes.

    Attributes:
        path: relative to the repository.
        before: its mode in the checkout; zeros where it is new.
        after: its mode once the branch is merged; zeros where it is deleted.
    """

    path: str
    before: str
    after: str


@dataclass(frozen=True)
class Checkout:
    """A checkout of the reviewed code, without changes of its own.

    Attributes:
        top: its folder.
        program: the folder of the Pulumi program in it, with a slash at the end; "" for the top itself.
    """

    top: Path
    program: str

    def merged(self, commit: str) -> str:
        """The tree that the checkout has once a commit is merged.

        Raises:
            UsageError: it is no commit of this clone, or conflicts with what is checked out.
        """
        if not _COMMIT.fullmatch(commit):
            raise UsageError(
                WHAT, whom=commit, why="this is not the full id of a commit", next_step="Give its 40 or 64 digits."
            )
        done = _git(self.top, "merge-tree", "--write-tree", "--no-messages", "HEAD", commit, allowed=_CONFLICT)
        if done.returncode == _CONFLICT:
            raise UsageError(
                WHAT,
                whom=commit,
                why="the branch conflicts with the commit that is checked out",
                next_step="Merge the default branch into it, resolve the conflict, and push.",
            )
        return done.stdout.decode().splitlines()[0]

    def changes(self, merged: str) -> Iterator[ChangedPath]:
        """What differs between the checkout and a tree."""
        parts = _git(self.top, "diff-tree", "-r", "-z", "--raw", "--no-renames", "HEAD", merged).stdout.split(b"\0")
        for fields, path in zip(parts[0:-1:2], parts[1::2], strict=True):
            before, after = fields.decode().removeprefix(":").split(" ")[:2]
            yield ChangedPath(_text(path), before, after)

    def files(self, tree: str) -> dict[str, BranchFile]:
        """All that a tree has in the program's folder, by its path there."""
        found = {}
        where = ["--", self.program] if self.program else []
        for line in _git(self.top, "ls-tree", "-r", "-l", "-z", tree, *where).stdout.split(b"\0")[:-1]:
            fields, _, path = line.partition(b"\t")
            mode, kind, blob, size = fields.decode().split()
            found[_text(path).removeprefix(self.program)] = BranchFile(mode, blob, int(size) if kind == "blob" else 0)
        return found

    def content(self, file: BranchFile) -> bytes:
        """What a file holds."""
        return _git(self.top, "cat-file", "blob", file.blob).stdout


def open_checkout(project: Path) -> Checkout:
    """The checkout that a project's folder is in.

    Raises:
        UsageError: it is in none, or the checkout has changes of its own.
    """
    top = Path(_git(project, "rev-parse", "--show-toplevel").stdout.decode().removesuffix("\n"))
    if _git(top, "status", "--porcelain", "--untracked-files=no").stdout:
        raise UsageError(
            WHAT,
            whom=str(top),
            why="the checkout has changes of its own",
            next_step="Use a fresh checkout of the default branch.",
        )
    program = roster_file(project.resolve(), "any").parent.resolve().relative_to(top.resolve()).as_posix()
    return Checkout(top, "" if program == "." else f"{program}/")


def _git(folder: Path, *args: str, allowed: int = 0) -> subprocess.CompletedProcess[bytes]:
    command = ["git", "-C", str(folder), *args]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)  # noqa: S603
    except OSError as error:
        raise UsageError(
            WHAT, why=f"git cannot be run: {reason(error)}", next_step="Install git 2.38 or newer."
        ) from None
    if done.returncode not in (0, allowed):
        said = _text(done.stderr).strip().splitlines()
        raise UsageError(
            WHAT,
            whom=str(folder),
            why=f"`git {args[0]}` failed{f': {said[0]}' if said else ''}",
            next_step="Run it with git 2.38 or newer in a full clone that has the branch's commit.",
        )
    return done


def _text(raw: bytes) -> str:
    """What git writes; bytes that are not UTF-8 stay visible."""
    return raw.decode(errors="backslashreplace")
