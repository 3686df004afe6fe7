"""What this machine has sent and Mixpanel does not show yet: invitations and new teams.

An invitation is noted before it is sent, so that a second run on this machine looks for it instead of sending it again.
What stays invisible is noted longer: the next run neither sends it at once again nor takes it for somebody else's.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from mixpanel_access.model import errors

HELD_FOR: Final = timedelta(minutes=2)
"""How long a person whose invitation is not shown yet is not invited again; longer than Mixpanel takes to show it."""


class Notes(Protocol):
    """When something was sent to somebody; `Sendings` keeps it for all processes of this machine."""

    def last(self, key: str) -> datetime | None:
        """The instant that was noted; None if none was within the hour."""

    def replace(self, notes: Mapping[str, datetime], gone: Iterable[str] = ()) -> None:
        """Write some notes, and take others back."""


class OwnNotes:
    """The notes of one process, for where there are none of the machine."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._notes: dict[str, datetime] = {}

    def last(self, key: str) -> datetime | None:
        """The instant that was noted, however long ago."""
        with self._lock:
            return self._notes.get(key)

    def replace(self, notes: Mapping[str, datetime], gone: Iterable[str] = ()) -> None:
        """Write some notes, and take others back."""
        with self._lock:
            for key in gone:
                self._notes.pop(key, None)
            self._notes |= notes


class Unseen:
    """The invitations that are on their way, and what was sent and not shown within the hour.

    Args:
        unseen: the machine's notes on what was not shown.
        inviting: the machine's notes on invitations that are on their way.
    """

    def __init__(self, unseen: Notes | None = None, inviting: Notes | None = None) -> None:
        self._unseen = unseen or OwnNotes()
        self._inviting = inviting or OwnNotes()

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

        Args:
            key: what was noted.
            email: the address.
            now: the present instant.

        Raises:
            NotApplied: it did.
        """
        recent = [sent for notes in (self._unseen, self._inviting) if _is_recent(sent := notes.last(key), now)]
        sent = max((one for one in recent if one is not None), default=None)
        if sent is None:
            return
        raise errors.NotApplied(
            "cannot invite",
            whom=email,
            why=f"an invitation went out at {sent:%H:%M:%S} UTC, or may have, and Mixpanel does not show it yet",
            next_step=f"Run again from {sent + HELD_FOR:%H:%M:%S} UTC: whoever is shown by then is not invited again.",
        )


def _is_recent(sent: datetime | None, now: datetime | None) -> bool:
    return sent is not None and timedelta() <= (now or datetime.now(UTC)) - sent < HELD_FOR
