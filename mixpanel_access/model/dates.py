"""Dates, instants, expiries and pauses: ISO 8601, UTC. "Now" is always an argument."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from math import inf
from typing import Final

FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 8999
"""The first and the last year of a date: a term that is added to it still ends on a date."""
INVITATION_LIFE_DAYS: Final = 7
"""Days after which an invitation expires, unless set otherwise (Mixpanel says 7 to 14)."""


def instant(text: str) -> datetime:
    """Read an ISO 8601 instant; without an offset, it is UTC.

    Raises:
        ValueError: the text is not an instant.
    """
    value = datetime.fromisoformat(text)
    try:
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text!r} is outside the years 1 to 9999 in UTC") from None


def today(now: str | None) -> date:
    """The day (UTC) of an instant, or else of the clock; raises as `instant` does."""
    return (instant(now) if now else datetime.now(UTC)).date()


def written(value: datetime) -> str:
    """An instant as `2026-05-01T08:00:00Z`, whole seconds, UTC."""
    return f"{value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='seconds')}Z"


@lru_cache(maxsize=4096)
def day(text: str) -> date:
    """Read an ISO 8601 calendar date (`2026-05-01`).

    Raises:
        ValueError: the text is not such a date.
    """
    value = date.fromisoformat(text)
    if value.isoformat() != text:  # 20260501, 2026-W18-5
        raise ValueError(f"{text!r} is not a date of the form YYYY-MM-DD")
    return value


def day_or_none(text: object) -> date | None:
    """A value of a state as a date, or None if it is not a date."""
    try:
        return day(text) if isinstance(text, str) else None
    except ValueError:
        return None


def expiry(invited_at: datetime, life_days: int = INVITATION_LIFE_DAYS) -> datetime:
    """The instant at which an invitation expires."""
    return invited_at + timedelta(days=life_days)


def normalized(text: str) -> str:
    """An expiry as inputs have it: a day (`2027-01-01`), or an instant (`2027-01-01T08:00:00Z`).

    Raises:
        ValueError: it is neither.
    """
    last = _day(text)
    if last is None:
        return written(instant(text))
    ends_at(text)
    return last.isoformat()


def ends_at(text: str) -> datetime:
    """From when on Mixpanel refuses the account: after the end of a day, or from an instant on.

    Raises:
        ValueError: it is neither a day nor an instant.
    """
    last = _day(text)
    try:
        return instant(text) if last is None else _beginning(last + timedelta(days=1))
    except OverflowError:
        raise ValueError(f"{text!r} is outside the years 1 to 9999 in UTC") from None


def earlier_reading(text: str) -> datetime | None:
    """The expiry as version 0.1.0 sent it: the beginning of a day. None for an instant."""
    last = _day(text)
    return None if last is None else _beginning(last)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _beginning(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def pauses(first: float, longest: float = inf) -> Iterator[float]:
    """Seconds to wait before each further attempt: `first`, then twice as long each time, up to `longest`."""
    pause = first
    while True:
        yield min(pause, longest)
        pause *= 2
