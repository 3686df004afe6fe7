"""A write whose fate is known: repeated only after reading back shows that it was not applied."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from mixpanel_access.model import errors

ATTEMPTS: Final = 4
FIRST_WAIT: Final = 0.5
"""Seconds before the second attempt; doubled for each further one."""


def settle(
    write: Callable[[], None],
    applied: Callable[[], bool],
    *,
    repeatable: Callable[[errors.MixpanelError], bool] = lambda _: True,
    expect: Callable[[], None] = lambda: None,
    once: bool = False,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Send a write until it is known to be applied.

    An answer that leaves the fate open (no answer, a fault of the server, a rate limit) is followed by `applied`,
    which reads back. Only if that is False is the write sent again. Where reading back fails, nothing is repeated. A
    refusal that follows such an answer may be due to the first attempt: it too is followed by `applied`.

    Args:
        write: sends the write once.
        applied: reads the organization afresh and tells whether the write was applied.
        repeatable: may hold an error back from being tried again.
        expect: has `applied` look for some seconds, since Mixpanel may be late to show what it did.
        once: whether to do it twice does harm: then `applied` looks for some seconds before it is sent again, and what
            is held back is told as open.
        sleep: waits some seconds.

    Raises:
        MixpanelError: the last attempt's error; the write was not applied. If it is `unsettled`, it may have been.
    """
    wait, lost = FIRST_WAIT, False
    for attempt in range(1, ATTEMPTS + 1):
        try:
            write()
            return
        except (errors.Unreachable, errors.ServerFault, errors.RateLimited, errors.Unintelligible) as error:
            may_have_arrived = not isinstance(error, errors.RateLimited) and not error.unsent
            lost = lost or may_have_arrived
            try:
                if may_have_arrived and once:
                    expect()
                if applied():
                    return
            except errors.AccessError as unread:
                raise _unsettled(error, f"reading back failed too ({unread.why or unread.what})") from unread
            pause = error.retry_after if error.retry_after is not None else wait
            repeats = repeatable(error)
            if attempt == ATTEMPTS or pause > errors.LONGEST_WAIT or not repeats:
                raise (_unsettled(error, "Mixpanel does not show it yet") if once and not repeats else error) from None
        except errors.MixpanelError:
            if lost and _was_applied(applied, expect):
                return
            raise
        sleep(pause)
        wait *= 2


def _was_applied(applied: Callable[[], bool], expect: Callable[[], None]) -> bool:
    expect()
    try:
        return applied()
    except errors.AccessError:
        return False


def _unsettled(error: errors.MixpanelError, why: str) -> errors.MixpanelError:
    """A write's error where nobody knows whether it was applied; a rate limit alone is a clear no."""
    if not isinstance(error, errors.RateLimited):
        error.unsettled = True
        error.next_step = f"It may have been done all the same, and {why}. Run again: what is done is not done twice."
    return error
