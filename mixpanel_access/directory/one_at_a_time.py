"""Processes of one machine that read who is in an organization and invite whoever is not: one at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

LONGEST: Final = 30.0
"""Seconds for which a process waits for another one: then it goes on, for it has read people afresh all the same."""
LONGEST_WRITE: Final = 1.0
"""Seconds for which a process waits for another one that writes a note."""
_NOTED_FOR: Final = timedelta(hours=1)
"""How long a sending is noted: longer than a run goes on after it."""


@contextmanager
def one_at_a_time(host: str, organization: int, longest: float = LONGEST) -> Iterator[None]:
    """Hold the other processes of this user that work on the same organization, as well as that can be done.

    Mixpanel sends an e-mail to whoever is invited, however often: between a process's reading and its invitation there
    is time for another one's. A lock that cannot be had, for whatever reason, holds nothing up.

    Args:
        host: the Mixpanel host.
        organization: the organization's id.
        longest: seconds to wait at most.
    """
    with _locked(_file(host, organization, "lock"), longest):
        yield


@contextmanager
def _locked(file: Path, longest: float) -> Iterator[None]:
    """Hold a lock file, as well as that can be done."""
    from filelock import FileLock, Timeout  # which most commands do not need

    lock: FileLock | None = None
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(file, timeout=longest, thread_local=False)
        lock.acquire()
    except (Timeout, OSError, NotImplementedError, RuntimeError):
        lock = None
    try:
        yield
    finally:
        if lock is not None:
            with suppress(OSError):
                lock.release(force=True)


class Sendings:
    """When the processes of this machine have just sent somebody something: best effort, as the lock.

    Their stacks' states say so when their runs are over. What is kept of a person is the digest of their address.

    Args:
        host: the Mixpanel host.
        organization: the organization's id.
        clock: the time of this machine.
        what: what is noted: "sent" for an expired invitation that went out again, "inviting" for an invitation that
            goes out now, "unseen" for what Mixpanel did not show.
    """

    def __init__(
        self,
        host: str,
        organization: int,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        what: str = "sent",
    ) -> None:
        self._host, self._organization, self._clock, self._what = host, organization, clock, what
        self._unwritten: dict[str, tuple[datetime, datetime]] = {}

    def last(self, key: str) -> datetime | None:
        """The instant that was noted for an address; None if none was within the hour."""
        noted = self._read().get(self._digest(key))
        return noted[1] if noted else None

    def note(self, key: str, sent: datetime) -> None:
        """Note that an invitation was sent, and when, as the stack counts the time; what is old is forgotten."""
        self.replace({key: sent})

    def replace(self, notes: Mapping[str, datetime], gone: Iterable[str] = ()) -> None:
        """Write some notes, and take others back."""
        if not notes and not self._read().keys() & set(map(self._digest, gone)):
            return
        with _locked(self._file().with_suffix(f".{self._what}-lock"), LONGEST_WRITE):
            lines = self._read()
            for key in gone:
                lines.pop(self._digest(key), None)
            lines |= {self._digest(key): (self._clock(), sent) for key, sent in notes.items()}
            text = "".join(f"{digest} {at.isoformat()} {when.isoformat()}\n" for digest, (at, when) in lines.items())
            try:
                self._file().parent.mkdir(parents=True, exist_ok=True)
                self._file().write_text(text, encoding="ascii")
                self._unwritten = {}
            except OSError:
                self._unwritten = lines

    def _read(self) -> dict[str, tuple[datetime, datetime]]:
        found = dict(self._unwritten)
        try:
            for line in self._file().read_text(encoding="ascii").splitlines():
                digest, at, when = line.split()
                if timedelta() <= self._clock() - datetime.fromisoformat(at) <= _NOTED_FOR:
                    found[digest] = datetime.fromisoformat(at), datetime.fromisoformat(when)
        except (OSError, ValueError, TypeError):
            return found
        return found

    def _file(self) -> Path:
        return _file(self._host, self._organization, self._what)

    def _digest(self, key: str) -> str:
        return hashlib.sha256(f"{self._host} {self._organization} {key}".encode()).hexdigest()


def _file(host: str, organization: int, ending: str) -> Path:
    from platformdirs import user_cache_path  # which most commands do not need

    name = hashlib.sha256(f"{host} {organization}".encode()).hexdigest()[:16]
    return user_cache_path("mixpanel-access") / "inviting" / f"{name}.{ending}"
