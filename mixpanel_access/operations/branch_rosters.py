"""Copies the rosters of a branch that nobody has reviewed into a checkout of reviewed code, and nothing else of it.

A preview there runs the reviewed program, policies, configuration and requirements; the branch gives data alone.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mixpanel_access.files.whole import FileChange, content_of, write_all
from mixpanel_access.model.errors import RosterError, UsageError
from mixpanel_access.model.roster_reading import RosterSource, parse
from mixpanel_access.model.yaml_text import BadYaml, load
from mixpanel_access.operations.reviewed_checkout import WHAT, BranchFile, ChangedPath, Checkout, open_checkout

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
        UsageError: this is no such checkout, or the branch cannot be merged.
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
            raise UsageError(WHAT, whom=path, why=str(error), next_step="Use a fresh checkout.") from None
        content = self._checkout.content(self._files[path.removeprefix(self._checkout.program)])
        return FileChange(file, content_of(file, "the roster"), content, "the roster", private=False)

    def _is_roster(self, name: str) -> bool:
        """Whether a file has what every roster has. A changed one that is no YAML counts, so that its error is told."""
        try:
            document: Any = load(self._text(name, name))
        except (BadYaml, RosterError):
            return f"{self._checkout.program}{name}" in self._changed
        return isinstance(document, dict) and "environment" in document

    def _text(self, name: str, written: str) -> str:
        """The text of a file in the program's folder.

        Raises:
            RosterError: it is no file that may be read here.
        """
        file = self._files.get(name)
        why = ""
        if ".." in written.split("/") or not _PATH.fullmatch(name):
            why = "in a preview of a branch, a roster includes YAML files of its own folder alone"
        elif file is None:
            why = "there is no such file"
        elif file.mode not in _REGULAR:
            why = "it is not a regular file"
        elif file.size > LARGEST:
            why = f"it is larger than {LARGEST} bytes"
        if why or file is None:
            raise RosterError("cannot read", whom=written, why=why)
        try:
            return self._checkout.content(file).decode()
        except UnicodeDecodeError as error:
            raise RosterError("cannot read", whom=written, why=str(error)) from None
