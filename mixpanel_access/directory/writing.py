"""How a part of the organization is written: what the write touches is read afresh after it, whatever came of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable, Sequence

from mixpanel_access.directory.read_back import ReadBack, Shown
from mixpanel_access.directory.settled import settle
from mixpanel_access.directory.snapshot import Snapshot
from mixpanel_access.model import errors

Expected = tuple[Hashable, Hashable, Shown]
"""A part of the snapshot, the item in it, and whether the part, as it was read, shows what was written of the item."""


class Writing:
    """Settles writes over one snapshot.

    Args:
        snapshot: what was read.
        read_back: looks for some seconds for what was written.
        sleep: waits some seconds between attempts.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        read_back: ReadBack,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._snapshot = snapshot
        self._read_back = read_back
        self._sleep = sleep

    def settle(
        self,
        write: Callable[[], None],
        applied: Callable[[], bool],
        parts: Sequence[Hashable],
        repeatable: Callable[[errors.MixpanelError], bool] = lambda _: True,
        *,
        shows: Callable[[], Iterable[Expected]] = tuple,
        once: bool = False,
    ) -> None:
        """Send a write until it is known to be applied; see `settle`.

        What was accepted, or is gone already, is looked for in what is read next; see `ReadBack`.

        Args:
            write: sends the write once.
            applied: reads the organization afresh and tells whether the write was applied.
            parts: what of the snapshot it touches.
            repeatable: may hold an error back from being tried again.
            shows: what the snapshot must show once the write was applied.
            once: whether to do it twice does harm.

        Raises:
            MixpanelError: the last attempt's error; the write was not applied. If it is `unsettled`, it may have been.
        """

        def expect() -> None:
            for part, item, shown in shows():
                self._read_back.expect(part, item, shown)
            self._snapshot.drop(*parts)

        def dropping() -> None:
            try:
                write()
                expect()
            except errors.NotFound:  # gone already, and still listed, or there is no such call
                expect()
                raise
            finally:
                self._snapshot.drop(*parts)

        settle(dropping, applied, repeatable=repeatable, expect=expect, once=once, sleep=self._sleep)

    def look_for(self, expected: Sequence[Expected]) -> None:
        """Read afresh what must show, some seconds long where it does not."""
        for part, item, shown in expected:
            self._read_back.expect(part, item, shown)
        self._snapshot.drop(*dict.fromkeys(part for part, _, _ in expected))

    @property
    def seconds(self) -> float:
        """How long what was written is looked for."""
        return self._read_back.seconds

    def fate_is_known(self, error: errors.MixpanelError) -> bool:
        """Whether a write that was not answered well, and is not shown by now, was certainly not applied."""
        return isinstance(error, errors.RateLimited) or error.unsent or not self._read_back.seconds
