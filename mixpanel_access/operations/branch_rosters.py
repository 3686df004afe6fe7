"""Copies the rosters of an unreviewed branch into a checkout of reviewed code, and nothing else of the branch."""

from __future__ import annotations

import posixpath
import re
import subprocess
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from mixpanel_access.files.git import first_words, run_git
from mixpanel_access.files.whole import FileChange, content_of, reason, write_all
from mixpanel_access.model.errors import RosterError, UsageError
from mixpanel_access.model.roster.reading import RosterSource, is_roster, parse
from mixpanel_access.model.roster.yaml_text import BadYaml, load
from mixpanel_access.operations.project import roster_file

LARGEST: Final = 4 * 1024 * 1024
"""Bytes that a roster of a branch may have."""
_REGULAR: Final = ("100644", "100755")
_LINK: Final = "120000"
_NONE: Final = "000000"
_PART: Final = r"(?!pulumi(?:policy)?\.)[a-z0-9_][a-z0-9_.-]*"
_PATH: Final = re.compile(rf"(?:{_PART}/)*{_PART}\.ya?ml", re.IGNORECASE)
"""A path in the program's folder that a roster, or what it includes, may have; a file of Pulumi's is none."""


@dataclass(frozen=True)
class BranchRosters:
    """What a branch changes.

    Attributes:
        copied: the rosters and the files that they include, relative to the repository.
        refused: every other path, with what is wrong with it; where there is any, nothing was copied.
    """

    copied: tuple[str, ...]
    refused: dict[str, str]


def copy_rosters(project: Path, commit: str) -> BranchRosters:
    """Copy the rosters that a branch changes, if it changes nothing else.

    They are copied as they would be if the branch were merged now.

    Args:
        project: the project's folder in a checkout of the reviewed code, without changes of its own.
        commit: the branch's commit.

    Raises:
        UsageError: the checkout is of other code or has changes, or the branch cannot be merged.
        RosterError: a roster cannot be used.
    """
    checkout = open_checkout(project)
    tree = checkout.merged(commit)
    changes = list(checkout.changes(tree))
    branch = _Branch(checkout, checkout.files(tree), {change.path for change in changes})
    refused = {change.path: why for change in changes if (why := branch.objection(change))}
    if refused:
        return BranchRosters((), refused)
    used = branch.used()
    unused = {change.path: "is not a roster" for change in changes if change.path not in used}
    if unused:
        return BranchRosters((), unused)
    write_all([branch.change(change.path) for change in changes])
    return BranchRosters(tuple(change.path for change in changes), {})


class _Branch:
    """The program's folder as it is once a branch is merged."""

    def __init__(self, checkout: Checkout, files: dict[str, BranchFile], changed: Collection[str]) -> None:
        self._checkout = checkout
        self._files = files
        self._changed = changed

    def objection(self, change: ChangedPath) -> str:
        """What keeps a path that the branch changes from being a roster, as a clause; "" for nothing."""
        name = change.path.removeprefix(self._checkout.program)
        if not change.path.startswith(self._checkout.program) or not _PATH.fullmatch(name):
            return "is not a roster"
        if change.after == _NONE:
            return "is deleted"
        if _LINK in (change.before, change.after):
            return "is a link"
        if change.after not in _REGULAR or change.before not in (_NONE, *_REGULAR):
            return "is not a regular file"
        if self._files[name].size > LARGEST:
            return f"is larger than {LARGEST} bytes"
        return ""

    def used(self) -> set[str]:
        """The rosters and what they include, relative to the repository.

        Raises:
            RosterError: one of them cannot be used.
        """
        found: set[str] = set()
        for name in sorted(self._files):
            if "/" in name or not _PATH.fullmatch(name) or self._files[name].mode not in _REGULAR:
                continue
            if not self._is_roster(name):
                continue
            found.add(name)

            def include(written: str, found: set[str] = found) -> str:
                included = posixpath.normpath(written)
                text = self._text(included, written)
                found.add(included)
                return text

            parse(self._text(name, name), RosterSource(name, include))
        return {f"{self._checkout.program}{name}" for name in found}

    def change(self, path: str) -> FileChange:
        """The new content of a file, whose folder is made."""
        file = self._checkout.top / path
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(WHAT, subject=path, why=str(error), next_step="Use a fresh checkout.") from None
        content = self._checkout.content(self._files[path.removeprefix(self._checkout.program)])
        return FileChange(file, content_of(file, "the roster"), content, "the roster", private=False)

    def _is_roster(self, name: str) -> bool:
        """Whether a file has what every roster has. A changed one that is not YAML counts, to show its error."""
        try:
            document: Any = load(self._text(name, name))
        except (BadYaml, RosterError):
            return f"{self._checkout.program}{name}" in self._changed
        return is_roster(document)

    def _text(self, name: str, written: str) -> str:
        """The text of a file in the program's folder.

        Raises:
            RosterError: it is not a file that may be read here.
        """
        file = self._files.get(name)
        why = ""
        if ".." in written.split("/") or not _PATH.fullmatch(name):
            why = "in a preview of a branch, a roster includes YAML files of its own folder alone"
        elif file is None:
            why = "the file does not exist"
        elif file.mode not in _REGULAR:
            why = "it is not a regular file"
        elif file.size > LARGEST:
            why = f"it is larger than {LARGEST} bytes"
        if why or file is None:
            raise RosterError("cannot read", subject=written, why=why)
        try:
            return self._checkout.content(file).decode()
        except UnicodeDecodeError as error:
            raise RosterError("cannot read", subject=written, why=str(error)) from None


WHAT: Final = "cannot copy the rosters of the branch"
_COMMIT: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_CONFLICT: Final = 1
"""The exit code of `git merge-tree` where two commits do not merge."""


class BranchFile(NamedTuple):
    """A file of a commit: its mode as git writes it, the name of its object, and its size in bytes."""

    mode: str
    blob: str
    size: int


class ChangedPath(NamedTuple):
    """A path that a branch changes: its mode in the checkout and once merged; zeros where it is not there."""

    path: str
    before: str
    after: str


@dataclass(frozen=True)
class Checkout:
    """A checkout of the reviewed code, without changes of its own.

    Attributes:
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
                WHAT, subject=commit, why="this is not the full id of a commit", next_step="Give its 40 or 64 digits."
            )
        done = _git(self.top, "merge-tree", "--write-tree", "--no-messages", "HEAD", commit, allowed=_CONFLICT)
        if done.returncode == _CONFLICT:
            raise UsageError(
                WHAT,
                subject=commit,
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
            subject=str(top),
            why="the checkout has changes of its own",
            next_step="Use a fresh checkout of the default branch.",
        )
    program = roster_file(project.resolve(), "any").parent.resolve().relative_to(top.resolve()).as_posix()
    return Checkout(top, "" if program == "." else f"{program}/")


def _git(folder: Path, *args: str, allowed: int = 0) -> subprocess.CompletedProcess[bytes]:
    try:
        done = run_git(folder, *args)
    except OSError as error:
        raise UsageError(
            WHAT, why=f"git cannot be run: {reason(error)}", next_step="Install git 2.38 or newer."
        ) from None
    if done.returncode not in (0, allowed):
        raise UsageError(
            WHAT,
            subject=str(folder),
            why=f"`git {args[0]}` failed: {first_words(done)}",
            next_step="Run it with git 2.38 or newer in a full clone that has the branch's commit.",
        )
    return done


def _text(raw: bytes) -> str:
    """What git writes; bytes that are not UTF-8 stay visible."""
    return raw.decode(errors="backslashreplace")
