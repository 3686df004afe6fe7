"""Reads files, and writes them as a whole or not at all, never over somebody else's change.

It writes all files that this project changes: rosters, the access log, evidence, packets, ticks.
"""

from __future__ import annotations

import errno
import fcntl
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from mixpanel_access.model.errors import UsageError


@dataclass(frozen=True)
class FileChange:
    """A file's new content.

    Attributes:
        file: its path; of a link, the target is written.
        before: its content as it was read; None if it did not exist.
        after: the whole new content.
        what: its name in an error.
        private: whether only the owner can read a new file (mode 0600); an existing one keeps its mode.
    """

    file: Path
    before: bytes | None
    after: bytes
    what: str
    private: bool = True


def write_text(file: Path, before: str | None, text: str, what: str, *, private: bool = True) -> None:
    """Write a file, if it is still as it was read; for the arguments, see `FileChange`.

    Raises:
        UsageError: it was changed meanwhile, or cannot be written.
    """
    if text != before:
        old = None if before is None else encoded(before, file, what)
        write_all([FileChange(file, old, encoded(text, file, what), what, private)])


def write_all(changes: Sequence[FileChange]) -> None:
    """Write files, if they are still as they were read: each as a whole, and all of them or none.

    All new content is on the disk before the first file is replaced, so a full disk or a kill leaves whole files. After
    a kill between two replacements, the second file is old; callers order the files so that the next run finishes.

    Raises:
        UsageError: one was changed meanwhile, or cannot be written; none is changed.
    """
    wanted = [change for change in changes if change.after != change.before]
    with ExitStack() as stack:
        staged = [_staged(change, stack) for change in wanted]
        for folder in sorted({one.target.parent for one in staged}):
            stack.enter_context(_locked(folder))
        twice = {one.target for one in staged if sum(other.target == one.target for other in staged) > 1}
        for one in staged:
            if one.target in twice or content_of(one.change.file, one.change.what) != one.change.before:
                raise UsageError(
                    f"cannot write {one.change.what}",
                    subject=str(one.change.file),
                    why="it was changed while this ran",
                    next_step="Nothing was written; run again.",
                )
        with ExitStack() as undo:
            for one in staged:
                try:
                    one.new.replace(one.target)
                except OSError as error:
                    raise _unwritable(one.change, error) from None
                undo.callback(one.put_back)
            undo.pop_all()


@dataclass(frozen=True)
class _Staged:
    """A change of the file `target`, with its new and old content in files next to it."""

    change: FileChange
    target: Path
    new: Path
    old: Path | None

    def put_back(self) -> None:
        """Restore the old content."""
        if self.old is None:
            self.target.unlink(missing_ok=True)
        else:
            self.old.replace(self.target)


def _staged(change: FileChange, stack: ExitStack) -> _Staged:
    try:
        target = change.file.resolve()
        if target.exists():
            mode = target.stat().st_mode & 0o7777
        else:
            umask = os.umask(0)
            os.umask(umask)
            mode = 0o600 if change.private else 0o666 & ~umask
        new = _beside(target, change.after, mode, stack)
        old = None if change.before is None else _beside(target, change.before, mode, stack)
    except OSError as error:
        raise _unwritable(change, error) from None
    return _Staged(change, target, new, old)


def _beside(target: Path, content: bytes, mode: int, stack: ExitStack) -> Path:
    """A file with this content in the same folder, which the end of the block deletes unless it was renamed."""
    with tempfile.NamedTemporaryFile("wb", dir=target.parent, prefix=f".{target.name}.", delete=False) as made:
        written = Path(made.name)
        stack.callback(partial(written.unlink, missing_ok=True))
        made.write(content)
        made.flush()
        os.fsync(made.fileno())
    written.chmod(mode)
    return written


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Lock a folder against other runs of ours, if the file system has locks."""
    with ExitStack() as stack:
        with suppress(OSError):
            handle = os.open(folder, os.O_RDONLY)
            stack.callback(os.close, handle)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _unwritable(change: FileChange, error: OSError) -> UsageError:
    return UsageError(
        f"cannot write {change.what}",
        subject=str(change.file),
        why=reason(error),
        next_step="Correct that and run again; nothing was changed.",
    )


def encoded(text: str, file: Path, what: str) -> bytes:
    """A text in UTF-8; raises UsageError if it has half characters, as after reading bytes that are not UTF-8."""
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        around = text[max(0, error.start - 20) : error.end].rpartition("\n")[2]
        raise UsageError(
            f"cannot write {what}",
            subject=str(file),
            why=f"UTF-8 cannot hold the end of {around.encode(errors='backslashreplace').decode()}",
            next_step="Nothing was written. Correct that.",
        ) from None


def text_of(file: Path, what: str) -> str | None:
    """A file's text with its own line ends, or None if it does not exist; UsageError if it cannot be read."""
    content = content_of(file, what)
    try:
        return None if content is None else content.decode()
    except UnicodeDecodeError as error:
        raise _unreadable(file, what, error) from None


def content_of(file: Path, what: str) -> bytes | None:
    """A file's content, or None if it does not exist; UsageError if it cannot be read."""
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unreadable(file, what, error) from None


def _unreadable(file: Path, what: str, error: Exception) -> UsageError:
    return UsageError(
        f"cannot read {what}",
        subject=str(file),
        why=reason(error),
        next_step="Correct it and run again; nothing was changed.",
    )


def nearest_project(folder: Path) -> Path | None:
    """The folder with the Pulumi.yaml: this one, or the nearest above it; None if there is none."""
    own = folder.absolute()
    return next((one for one in (own, *own.parents) if (one / "Pulumi.yaml").is_file()), None)


def reason(error: Exception) -> str:
    """Why a file cannot be read or written, in words."""
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start + 1} is not UTF-8"
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


_MOVE: Final = "Move that away, or name another folder."
_ALLOW: Final = "Make the folder writable, or name another one."
_NEXT_STEPS: Final[Mapping[int | None, str]] = {
    errno.EEXIST: _MOVE,
    errno.ENOTDIR: _MOVE,
    errno.EACCES: _ALLOW,
    errno.EPERM: _ALLOW,
    errno.EROFS: _ALLOW,
    errno.ENAMETOOLONG: "Name a shorter one.",
    errno.ENOSPC: "Make room on the disk, or name a folder on another one.",
}
"""What helps against an error of the file system."""


def create_files(folder: Path, contents: Mapping[str, str | bytes], what: str) -> None:
    """Create files in a folder, and the folder if necessary: all of them, or none.

    Raises:
        UsageError: one of them exists, or cannot be written; `what` names them in the error.
    """
    if there := [file for file in contents if os.path.lexists(folder / file)]:
        raise UsageError(
            f"cannot make the {what}",
            subject=str(folder),
            why=f"it has {', '.join(there[:3])}{' and more' if len(there) > 3 else ''} already",
            next_step="Nothing was written; name another folder.",
        )
    try:
        _have_room(folder / file for file in contents)
        _write_new({folder / file: content for file, content in contents.items()})
    except OSError as error:
        raise UsageError(
            f"cannot make the {what}",
            subject=str(error.filename or folder),
            why=reason(error),
            next_step=_NEXT_STEPS.get(error.errno, "Fix that, or name another folder."),
        ) from None


def _have_room(files: Iterable[Path]) -> None:
    """Raise NotADirectoryError if there is a file in the place of a folder."""
    for file in files:
        nearest = next(parent for parent in file.absolute().parents if os.path.lexists(parent))
        if not nearest.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(nearest))


def _write_new(files: Mapping[Path, str | bytes]) -> None:
    """Create files with their folders; if one cannot be written, delete the others."""
    made: list[Path] = []
    try:
        for file, content in files.items():
            for folder in (folder for folder in reversed(file.parents) if not folder.exists()):
                folder.mkdir()
                made.append(folder)
            with file.open("xb") as new:
                made.append(file)
                new.write(content if isinstance(content, bytes) else content.encode())
    except BaseException:
        for path in reversed(made):
            with suppress(OSError):
                path.rmdir() if path.is_dir() else path.unlink()
        raise
