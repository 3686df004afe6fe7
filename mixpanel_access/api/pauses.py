"""How long a server asks to wait: Retry-After, or else RateLimit and RateLimit-Policy (contract, section 1).

What cannot be read counts as not there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

LONGEST: Final = 86_400.0
"""Seconds; a day. A server that asks for more, or for more than there are dates, is taken to ask for this."""
_LIMITING: Final = frozenset({429, 503})
"""The statuses whose RateLimit says how long to wait; elsewhere it only says what is left."""
_QUOTED: Final = re.compile(r'"[^"]*"')
_REMAINING: Final = ("r", "remaining")
_RESET: Final = ("t", "reset")


def pause_of(status: int, headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that an answer asks to wait; None where it does not say."""
    text = headers.get("retry-after")
    seconds = None if text is None else _retry_after(text, now)
    if seconds is None and status in _LIMITING:
        seconds = _rate_limit(headers.get("ratelimit", ""), headers.get("ratelimit-policy", ""))
    return None if seconds is None else min(seconds, LONGEST)


def _retry_after(text: str, now: datetime) -> float | None:
    """Whole seconds or an HTTP date (RFC 9110, 10.2.3)."""
    seconds = _seconds(text)
    if seconds is not None:
        return seconds
    until = seconds_until(text, now)
    return None if until is None else max(0.0, until)


def seconds_until(text: str, now: datetime) -> float | None:
    """The seconds from now to an HTTP date, negative if it has passed; None for what is not one."""
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    date = date if date.tzinfo else date.replace(tzinfo=UTC)
    return (date - now).total_seconds()


def _rate_limit(limit: str, policy: str) -> float | None:
    """The longest reset of the limits that are used up.

    Where none has a reset, the shortest window of the policies: which of them is used up is not known.
    """
    limits = [*_items(limit), _older(limit)]
    left = [seconds for words in limits if (seconds := _first(words, _REMAINING)) is not None]
    if left and min(left) > 0:
        return None  # the refusal has another reason
    used_up = [words for words in limits if not _first(words, _REMAINING)]
    resets = [seconds for words in used_up if (seconds := _first(words, _RESET)) is not None]
    windows = [seconds for words in _items(policy) if (seconds := _first(words, ("w",))) is not None]
    return max(resets) if resets else min(windows, default=None)


def _items(text: str) -> Iterator[dict[str, str]]:
    """The parameters of each item of a list, as `"default";r=0;t=30, "daily";r=9;t=400`."""
    for item in _QUOTED.sub("name", text).split(","):
        pairs = (part.partition("=") for part in item.split(";")[1:])
        yield {name.strip().lower(): value.strip() for name, _, value in pairs}


def _older(text: str) -> dict[str, str]:
    """The parameters in the older spelling, `limit=100, remaining=0, reset=30`."""
    pairs = (part.partition("=") for part in _QUOTED.sub("name", text).split(","))
    return {name.strip().lower(): value.partition(";")[0].strip() for name, _, value in pairs}


def _first(words: dict[str, str], names: tuple[str, ...]) -> float | None:
    return next((seconds for name in names if (seconds := _seconds(words.get(name, ""))) is not None), None)


def _seconds(text: str) -> float | None:
    """Whole seconds, however many; `inf` where they are more than a number holds."""
    text = text.strip()
    return float(text) if text.isascii() and text.isdigit() else None
