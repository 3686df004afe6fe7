"""From when on a service account is refused: a day counts to its end, as the `ends` of people does."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from mixpanel_access.model.dates import instant, written


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
    """From when on the account is refused: after the whole of a day, or from an instant on.

    Raises:
        ValueError: it is neither a day nor an instant.
    """
    last = _day(text)
    try:
        return instant(text) if last is None else _beginning(last + timedelta(days=1))
    except OverflowError:
        raise ValueError(f"{text!r} is outside the years 1 to 9999 in UTC") from None


def earlier_reading(text: str) -> datetime | None:
    """From when on version 0.1.0 had the account refused: from the beginning of a day. None for an instant."""
    last = _day(text)
    return None if last is None else _beginning(last)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _beginning(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
