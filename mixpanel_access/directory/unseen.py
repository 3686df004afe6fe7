"""What was sent and is not shown: an invitation or a new team that Mixpanel may show later.

The next run then neither sends it at once again nor takes for found what this one has made.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Final

from mixpanel_access.directory.one_at_a_time import Sendings
from mixpanel_access.model.errors import NotApplied

HELD_FOR: Final = timedelta(minutes=2)
"""How long a person whose invitation is not shown yet is not invited again; longer than Mixpanel takes to show it."""


class Unseen:
    """What was sent and not shown within the hour.

    Args:
        notes: those of the other processes of this machine.
    """

    def __init__(self, notes: Sendings | None = None) -> None:
        self._notes = notes
        self._lock = threading.Lock()
        self._own: dict[str, datetime] = {}

    def note(self, key: str, now: datetime | None = None) -> None:
        """Note that something was sent, and is not shown."""
        sent = now or datetime.now(UTC)
        with self._lock:
            self._own[key] = sent
            if self._notes is not None:
                self._notes.note(key, sent)

    def sent(self, key: str) -> datetime | None:
        """When it was sent; None if it was not, or is long since."""
        with self._lock:
            return self._own.get(key) or (self._notes.last(key) if self._notes is not None else None)

    def hold(self, key: str, email: str, now: datetime | None = None) -> None:
        """Hold an invitation that went out, or may have gone out, just now.

        Args:
            key: what was noted.
            email: the address.
            now: the present instant.

        Raises:
            NotApplied: it did.
        """
        sent = self.sent(key)
        if sent is None or not timedelta() <= (now or datetime.now(UTC)) - sent < HELD_FOR:
            return
        raise NotApplied(
            "cannot invite",
            whom=email,
            why=f"an invitation went out at {sent:%H:%M:%S} UTC, or may have, and Mixpanel does not show it yet",
            next_step=f"Run again from {sent + HELD_FOR:%H:%M:%S} UTC: whoever is shown by then is not invited again.",
        )
