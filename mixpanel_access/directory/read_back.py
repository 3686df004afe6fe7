"""Reading back after a write: for some seconds, Mixpanel may still show the old state (contract, section 1).

The effect that an accepted write must have is noted here. A read that does not show it is repeated, with growing pauses
and for a bounded time, before it is believed. A write that shows at once costs no extra request.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from math import inf
from typing import Any, Final, TypeVar

from mixpanel_access.model.errors import NotApplied
from mixpanel_access.model.pauses import pauses
from mixpanel_access.model.settings import READ_BACK_SECONDS

FIRST_PAUSE: Final = 0.25
"""Seconds before the second read; doubled for each further one."""
_MOMENT: Final = 0.01
"""Seconds that are not waited for any more."""

IN_USERS: Final = "Organization Settings > Users & Teams"
IN_PROJECT: Final = "Project Settings > Users & Teams"

_T = TypeVar("_T")
Shown = Callable[[Any], bool | None]
"""Whether a part of the organization, as it was read, shows a write; None where it cannot be seen there."""


@dataclass(frozen=True)
class _Expected:
    shown: Shown
    since: float


class ReadBack:
    """What the writes of one operation must show.

    Args:
        seconds: how long an accepted write is looked for.
        sleep: waits some seconds.
        clock: seconds from any beginning.
    """

    def __init__(
        self,
        seconds: float = READ_BACK_SECONDS,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.seconds = seconds
        self._sleep = sleep
        self._clock = clock
        self._lock = threading.Lock()
        self._expected: dict[Hashable, dict[Hashable, _Expected]] = {}

    def expect(self, part: Hashable, item: Hashable, shown: Shown) -> None:
        """Note what a part must show of one item; it takes the place of what was noted of the item before.

        Args:
            part: the part of the organization.
            item: who or what the write is about.
            shown: whether the part shows it.
        """
        if self.seconds:
            with self._lock:
                self._expected.setdefault(part, {})[item] = _Expected(shown, self._clock())

    def read(self, part: Hashable, fetch: Callable[[], _T]) -> _T:
        """Fetch a part, until it shows what it must or the time is over: then it is believed as it is."""
        value, waited = fetch(), 0.0
        for pause in pauses(FIRST_PAUSE):
            missing = self._missing(part, value)
            left = min(max(missing.values(), default=-inf) + self.seconds - self._clock(), self.seconds - waited)
            if left < _MOMENT:
                self._forget(part, missing)
                break
            self._sleep(min(pause, left))
            waited += min(pause, left)
            value = fetch()
        return value

    def _missing(self, part: Hashable, value: object) -> dict[Hashable, float]:
        """The items that a part does not show yet, each with the time since when; the others are forgotten."""
        with self._lock:
            expected = dict(self._expected.get(part, {}))
        missing = {item: one.since for item, one in expected.items() if one.shown(value) is False}
        self._forget(part, {item: one.since for item, one in expected.items() if item not in missing})
        return missing

    def _forget(self, part: Hashable, items: dict[Hashable, float]) -> None:
        with self._lock:
            expected = self._expected.get(part, {})
            for item, since in items.items():
                if item in expected and expected[item].since == since:  # else another write has come since
                    del expected[item]


def not_shown(what: str, whom: str, shows: str, seconds: float, page: str) -> NotApplied:
    """The error of a write that Mixpanel accepted and does not show, though it was looked for.

    Args:
        what: what was not done, as a clause that begins with "cannot".
        whom: for whom.
        shows: what Mixpanel shows, as a clause that follows "Mixpanel".
        seconds: how long it was looked for.
        page: where in Mixpanel to look.
    """
    return NotApplied(
        what,
        whom=whom,
        why=f"Mixpanel took the request and {shows}" + (f", {seconds:g} seconds later" if seconds else ""),
        next_step=f"Run again: nothing is done twice. If it stays so, look in {page}.",
    )
