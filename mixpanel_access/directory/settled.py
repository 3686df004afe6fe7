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
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Send a write until it is known to be applied.

    An answer that leaves the fate open (no answer, a fault of the server, a rate limit) is followed by `applied`,
    which reads back. Only if that is False is the write sent again. Where reading back fails, nothing is repeated.

    Args:
        write: sends the write once.
        applied: reads the organization afresh and tells whether the write was applied.
        repeatable: may hold an error back from being tried again.
        sleep: waits some seconds.

    Raises:
        MixpanelError: the last attempt's error; the write was not applied. If it is `unsettled`, it may have been.
    """
    wait = FIRST_WAIT
    for attempt in range(1, ATTEMPTS + 1):
        try:
            write()
            return
        except (errors.Unreachable, errors.ServerFault, errors.RateLimited, errors.Unintelligible) as error:
            try:
                if applied():
                    return
            except errors.AccessError as unread:
                raise _unsettled(error, unread) from unread
            pause = error.retry_after if error.retry_after is not None else wait
            if attempt == ATTEMPTS or pause > errors.LONGEST_WAIT or not repeatable(error):
                raise
        sleep(pause)
        wait *= 2


def _unsettled(error: errors.MixpanelError, unread: errors.AccessError) -> errors.MixpanelError:
    """A write's error where reading back failed too; a rate limit alone is a clear no."""
    if not isinstance(error, errors.RateLimited):
        error.unsettled = True
        error.next_step = (
            f"It may have been done all the same, and reading back failed too ({unread.why or unread.what}). "
            "Run again: what is done is not done twice."
        )
    return error
