"""Work for many people at once, in threads: what several want at the same time goes out as one request."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context, copy_context
from typing import Any, Final, TypeVar

from mixpanel_access.directory.progress import Progress
from mixpanel_access.directory.writes import AT_ONCE
from mixpanel_access.model.errors import AccessError

THREADS: Final = AT_ONCE
"""People for whom something is done at once: as many as one request takes."""

_T = TypeVar("_T")


def at_once(
    items: Sequence[_T],
    do: Callable[[_T], Any],
    say: Callable[[str], None],
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[tuple[_T, Any]]:
    """Do something for each; each with what came of it, an `AccessError` where it failed."""

    def outcome(item: _T) -> Any:
        try:
            return do(item)
        except AccessError as error:
            return error

    if len(items) <= 1:
        yield from ((item, outcome(item)) for item in items)
        return
    context, progress = copy_context(), Progress(len(items), "people done", say, clock)
    with ThreadPoolExecutor(min(THREADS, len(items)), initializer=_continue, initargs=(context,)) as pool:
        for item, result in zip(items, pool.map(outcome, items), strict=True):
            yield item, result
            progress()


def _continue(context: Context) -> None:
    """Have this thread speak and work for whom another one does."""
    for variable, value in context.items():
        variable.set(value)
