"""The first day of somebody's access that the state has: a `starts` that is moved on does not hide it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from mixpanel_access.model.address import same_key
from mixpanel_access.model.dates import day_or_none


def first_day(olds: Mapping[str, Any], news: Mapping[str, Any], today: date) -> str | None:
    """The day to keep beside `starts`, or None where `starts` is the first day, or the access has no end.

    Args:
        olds: the inputs that the state has; none for a new resource.
        news: the inputs that the program declares.
        today: the day, UTC.
    """
    if olds and same_key(str(olds.get("email"))) != same_key(str(news.get("email"))):
        olds = {}
    known = [found for name in ("since", "starts") if (found := day_or_none(olds.get(name)))]
    starts = day_or_none(news.get("starts"))
    if known:
        first = min(known)
        return None if starts and starts <= first else first.isoformat()
    prolonged = not olds or olds.get("ends") != news.get("ends")
    return today.isoformat() if not news.get("starts") and news.get("ends") and prolonged else None
