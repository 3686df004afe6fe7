"""The emulator's own time: it runs on from wherever it is set."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class Clock:
    """Real time, moved by an offset."""

    def __init__(self) -> None:
        self._offset = timedelta()

    def now(self) -> datetime:
        """The emulator's present instant, UTC."""
        return datetime.now(UTC) + self._offset

    def set(self, instant: datetime) -> None:
        """Make it that instant now."""
        self._offset = instant - datetime.now(UTC)

    def advance(self, seconds: float) -> None:
        """Move forward (or back) by some seconds."""
        self._offset += timedelta(seconds=seconds)
