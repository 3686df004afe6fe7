"""What a program declares: its process writes it down for the provider's, in a run that leaves some resources alone.

With `--target` and `--exclude` the engine asks the provider about some resources only, and so the provider does not
know what the others declare. A group of people takes away before the engine has asked about all. So each resource's
constructor writes it to a file for this run of the engine: digests, no address. In any other run it writes nothing.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
import time
from collections.abc import Awaitable, Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TextIO

from mixpanel_access.model.address import same_key
from mixpanel_access.model.errors import ConfigurationError
from mixpanel_access.model.resource_ids import number_in
from mixpanel_access.provider.command import Command, engine_command

_KEPT_SECONDS: Final = 86400.0
"""How old a file of another run may be. The provider reads it after the program has ended, which cannot delete it."""
_WITH_PROGRAM: Final = {"up", "preview"}
_RESOLVED: Final = "="
_OPEN: Final = "?"
ANYBODY: Final = "*"
"""In place of the people that a resource is about."""
_ORGANIZATION: Final = "__organization"
"""The organization of a resource, next to its inputs."""


@dataclass(frozen=True)
class ProgramDeclaration:
    """What a program declares.

    Attributes:
        identities: digests of what its resources stand for, each in its organization.
        unknown: the types of which it declares some that depend on what is not known.
        perhaps: digests of the people that these are about, each with its type; `ANYBODY` where that is not known.
    """

    identities: frozenset[str] = frozenset()
    unknown: frozenset[str] = frozenset()
    perhaps: frozenset[str] = frozenset()

    def has(self, identity: Hashable, organization: int | None = None) -> bool:
        """Whether a resource stands for this in an organization, or in one that the program could not know."""
        return not self.identities.isdisjoint({digest(identity, organization), digest(identity)})

    def may_have(self, person: str, kinds: Iterable[str]) -> bool:
        """Whether something of these types that is not known yet may be about somebody, by the key of the address."""
        return not self.perhaps.isdisjoint({digest((kind, who)) for kind in kinds for who in (person, ANYBODY)})


def digest(identity: Hashable, organization: int | None = None) -> str:
    """An identity in an organization, so that nobody can read it."""
    return hashlib.sha256(repr((organization, identity)).encode()).hexdigest()


def read(command: Command) -> ProgramDeclaration | None:
    """What the program of an engine's run declares; None if it has not said so."""
    try:
        file = _file(command)
        size, number = file.stat().st_size, file.stat().st_ino
        if (file, number, size) not in _READ:
            text = file.read_text()
            if not text.endswith("\n"):  # it is being written
                return None
            _READ.clear()
            _READ[file, number, size] = _declared(text)
        return _READ[file, number, size]
    except (OSError, ConfigurationError):
        return None


_READ: Final[dict[tuple[Path, int, int], ProgramDeclaration]] = {}
"""What the program of this run had declared when its file had this size: it only grows."""


def _declared(text: str) -> ProgramDeclaration:
    lines = text.splitlines()
    identities: set[str] = set()
    unknown: dict[str, list[str]] = {}
    for line in lines:
        number, sign, *words = line.split()
        if sign == _OPEN:
            unknown[number] = words
        else:
            unknown.pop(number, None)
            identities.update(words)
    kinds, perhaps = (words[0] for words in unknown.values()), (one for words in unknown.values() for one in words[1:])
    return ProgramDeclaration(frozenset(identities), frozenset(kinds), frozenset(perhaps))


class DeclarationWriter:
    """The program's side: a new file for each process, and a line for each resource."""

    def __init__(self, command: Callable[[], Command | None] = engine_command) -> None:
        self._command = command
        self._to: TextIO | None = None
        self._number = 0
        self._is_asked = False
        self._held: list[tuple[Any, Mapping[str, Any], Any]] = []

    def declare(self, handler: Any, props: Mapping[str, Any], organization: Any = None) -> None:
        """Write down what a resource stands for; of what depends on another resource, once that is there.

        The organization is an `Input` too; None for one that the program cannot know.
        """
        command = self._command()
        if command is None or command.verb not in _WITH_PROGRAM:
            return
        self._held.append((handler, props, organization))
        self._is_asked = self._is_asked or command.partial or bool(handler.PLAIN)
        if not self._is_asked:
            return
        if self._to is None:
            self._to = new_file(command)
        held, self._held = self._held, []
        for one in held:
            self._declare(*one)

    def _declare(self, handler: Any, props: Mapping[str, Any], organization: Any) -> None:
        self._number += 1
        number = self._number
        whole = {**props, _ORGANIZATION: organization}
        if _plain(whole):
            self._write(number, handler, whole)
            return
        kind = handler.kind.name
        self._line(number, _OPEN, kind, *(digest((kind, who)) for who in _people(handler, props)))
        import pulumi  # a command that reads needs no SDK

        pulumi.Output.from_input(whole).apply(lambda known: self._write(number, handler, known))

    def close(self) -> None:
        """Let go of the file; a program's process does that by its end."""
        if self._to is not None:
            self._to.close()
            self._to = None

    def _write(self, number: int, handler: Any, props: Mapping[str, Any]) -> None:
        known = {key: _as_checked(key, value) for key, value in props.items() if value is not None}
        organization = known.pop(_ORGANIZATION, None)
        try:
            identities: Iterable[Hashable] = list(handler.identities(known))
        except (AttributeError, TypeError):  # values of wrong types, which the provider's check refuses
            kind = handler.kind.name
            self._line(number, _OPEN, kind, digest((kind, ANYBODY)))
            return
        self._line(number, _RESOLVED, *(digest(identity, organization) for identity in identities))

    def _line(self, *words: object) -> None:
        with _in_one_line():
            print(*words, file=self._to, flush=True)


def _plain(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(map(_plain, value.values()))
    if isinstance(value, (list, tuple)):
        return all(map(_plain, value))
    import pulumi

    return not isinstance(value, (pulumi.Output, Awaitable))


def _people(handler: Any, props: Mapping[str, Any]) -> list[str]:
    """The keys of the people that a resource is about, as far as the program knows them; else `ANYBODY`."""
    parts = handler.kind.parts
    named = props.get(parts.people if parts else "email")
    if named is None:
        return []
    emails = list(named) if isinstance(named, (Mapping, list, tuple)) else [named]
    known = [same_key(email) for email in emails if isinstance(email, str)]
    return known if len(known) == len(emails) else [ANYBODY]


def _as_checked(key: str, value: Any) -> Any:
    """An id as the provider's check has it: a number, though configuration values are texts."""
    number = number_in(value.strip()) if key.endswith("_id") and isinstance(value, str) else None
    return value if number is None else number


def new_file(command: Command) -> TextIO:
    """A new file for what the program of an engine's run declares.

    Raises:
        pulumi.RunError: it cannot be written.
    """
    with _in_one_line():
        file = _file(command)
        file.unlink(missing_ok=True)
        tidy(file.parent)
        return os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w")


def tidy(folder: Path) -> None:
    """Delete the files of runs that ended long ago."""
    for file in folder.iterdir():
        with suppress(FileNotFoundError):  # another run tidies too
            if time.time() - file.stat().st_mtime > _KEPT_SECONDS:
                file.unlink()


@contextmanager
def _in_one_line() -> Iterator[None]:
    """Say in one line that the file cannot be written.

    Raises:
        pulumi.RunError: it cannot.
    """
    what = "cannot write down what the program declares, as a run with --target or --exclude has to"
    try:
        yield
    except (OSError, ConfigurationError) as error:
        import pulumi  # a command that reads needs no SDK

        parts = (error.strerror, error.filename) if isinstance(error, OSError) else (error,)
        why = ": ".join(str(part) for part in parts if part)
        raise pulumi.RunError(f"{what}: {why}. Set TMPDIR to a folder of your own.") from None


def _file(command: Command) -> Path:
    """The file of an engine's run.

    The process's number alone would name one of another run too, which had the same.
    """
    return own_folder() / f"{command.pid}-{command.started}"


def own_folder() -> Path:
    """A folder for the runs of this user, which nobody else can write to.

    Raises:
        ConfigurationError: somebody else can.
    """
    user = os.getuid() if hasattr(os, "getuid") else 0
    folder = Path(tempfile.gettempdir()) / f"mixpanel-access-{user}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or (hasattr(os, "getuid") and (found.st_uid != user or found.st_mode & 0o077)):
        raise ConfigurationError(f"cannot use {folder}", why="it is not a folder that only you may use")
    return folder


declare: Final = DeclarationWriter().declare
"""Say what a resource stands for; called by each resource in the program's process."""
