"""What the runs on one machine note for each other, so that nobody is invited twice.

One run at a time reads who is in an organization and invites. An invitation is noted before it is sent, so that a
second run looks for it instead of sending it again. What stays invisible is noted longer: the next run neither sends it
at once again nor takes it for somebody else's.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from mixpanel_access.model import errors

LONGEST: Final = 30.0
"""Seconds for which a process waits for another one: then it goes on, for it has read people afresh all the same."""
LONGEST_WRITE: Final = 1.0
"""Seconds for which a process waits for another one that writes a note."""
_NOTED_FOR: Final = timedelta(hours=1)
"""How long a sending is noted: longer than a run goes on after it."""


@contextmanager
def one_at_a_time(host: str, organization: int, longest: float = LONGEST) -> Iterator[None]:
    """Hold the other processes of this user that work on the same organization, as well as that can be done.

    Mixpanel sends an e-mail with each invitation, even a repeated one. Between a process's reading and its invitation,
    there is time for another process's invitation. A lock that cannot be had, for whatever reason, holds nothing up.
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
        host: the Mixpanel host; "" for notes that this process keeps for itself.
        organization: the organization's id.
        clock: the time of this machine.
        what: what is noted: "sent" for an expired invitation that went out again, "inviting" for an invitation that
            goes out now, "unseen" for what Mixpanel did not show.
    """

    def __init__(
        self,
        host: str = "",
        organization: int = 0,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        what: str = "sent",
    ) -> None:
        self._host, self._organization, self._clock, self._what = host, organization, clock, what
        self._lock = threading.Lock()
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
        with self._lock, self._alone():
            lines = self._read()
            for key in gone:
                lines.pop(self._digest(key), None)
            lines |= {self._digest(key): (self._clock(), sent) for key, sent in notes.items()}
            if not self._host:
                self._unwritten = lines
                return
            text = "".join(f"{digest} {at.isoformat()} {when.isoformat()}\n" for digest, (at, when) in lines.items())
            try:
                file = self._file()
                file.parent.mkdir(parents=True, exist_ok=True)
                new = file.with_suffix(f".{self._what}-{os.getpid()}")
                new.write_text(text, encoding="ascii")
                new.replace(file)  # at once: a note that is read meanwhile is never missing
                self._unwritten = {}
            except OSError:
                self._unwritten = lines

    def _alone(self) -> AbstractContextManager[None]:
        return _locked(self._file().with_suffix(f".{self._what}-lock"), LONGEST_WRITE) if self._host else nullcontext()

    def _read(self) -> dict[str, tuple[datetime, datetime]]:
        found = {digest: noted for digest, noted in self._unwritten.items() if self._counts(noted[0])}
        if not self._host:
            return found
        try:
            for line in self._file().read_text(encoding="ascii").splitlines():
                digest, at, when = line.split()
                if self._counts(datetime.fromisoformat(at)):
                    found[digest] = datetime.fromisoformat(at), datetime.fromisoformat(when)
        except (OSError, ValueError, TypeError):
            return found
        return found

    def _counts(self, at: datetime) -> bool:
        return timedelta() <= self._clock() - at <= _NOTED_FOR

    def _file(self) -> Path:
        return _file(self._host, self._organization, self._what)

    def _digest(self, key: str) -> str:
        return hashlib.sha256(f"{self._host} {self._organization} {key}".encode()).hexdigest()


def _file(host: str, organization: int, ending: str) -> Path:
    from platformdirs import user_cache_path  # which most commands do not need

    name = hashlib.sha256(f"{host} {organization}".encode()).hexdigest()[:16]
    return user_cache_path("mixpanel-access") / "inviting" / f"{name}.{ending}"


HELD_FOR: Final = timedelta(minutes=2)
"""How long a person whose invitation is not shown yet is not invited again; longer than Mixpanel takes to show it."""


class Unseen:
    """The invitations that are on their way, and what was sent and not shown within the hour."""

    def __init__(self, unseen: Sendings | None = None, inviting: Sendings | None = None) -> None:
        self._unseen = unseen or Sendings()
        self._inviting = inviting or Sendings()

    @contextmanager
    def sending(self, keys: Collection[str]) -> Iterator[None]:
        """Note invitations while the body sends them. The notes stay, unless Mixpanel has certainly sent nothing."""
        self._inviting.replace(dict.fromkeys(keys, datetime.now(UTC)))
        try:
            yield
        except (errors.Unreachable, errors.ServerFault, errors.Unintelligible) as error:
            if error.unsent:
                self.settle(keys)
            raise
        except errors.AccessError:
            self.settle(keys)
            raise

    def settle(self, keys: Collection[str]) -> None:
        """Note that Mixpanel shows some invitations, or that they were not sent."""
        if keys:
            self._inviting.replace({}, keys)

    def is_sending(self, key: str, now: datetime | None = None) -> bool:
        """Whether a run of this machine sends an invitation now, or was killed while it did."""
        return _is_recent(self._inviting.last(key), now)

    def note(self, key: str, now: datetime | None = None) -> None:
        """Note that something was sent, and is not shown."""
        self._unseen.replace({key: now or datetime.now(UTC)})
        self.settle([key])

    def forget(self, key: str) -> None:
        """Take back what was noted of somebody, since they are removed."""
        self._unseen.replace({}, [key])
        self.settle([key])

    def sent(self, key: str) -> datetime | None:
        """When something was sent that was not shown; None if it was not, or is long since."""
        return self._unseen.last(key)

    def hold(self, key: str, email: str, now: datetime | None = None) -> None:
        """Hold an invitation that went out, or may have gone out, just now.

        Raises:
            NotApplied: it did.
        """
        recent = [sent for notes in (self._unseen, self._inviting) if _is_recent(sent := notes.last(key), now)]
        sent = max((one for one in recent if one is not None), default=None)
        if sent is None:
            return
        raise errors.NotApplied(
            "cannot invite",
            subject=email,
            why=f"an invitation went out at {sent:%H:%M:%S} UTC, or may have, and Mixpanel does not show it yet",
            next_step=f"Run again from {sent + HELD_FOR:%H:%M:%S} UTC: whoever is shown by then is not invited again.",
        )


def _is_recent(sent: datetime | None, now: datetime | None) -> bool:
    return sent is not None and timedelta() <= (now or datetime.now(UTC)) - sent < HELD_FOR
