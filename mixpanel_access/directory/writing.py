"""How a part of the organization is written: what the write touches is read afresh after it, whatever came of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Sequence

from mixpanel_access.directory.settled import settle
from mixpanel_access.directory.snapshot import Snapshot
from mixpanel_access.model import errors


class Writing:
    """Settles writes over one snapshot.

    Args:
        snapshot: what was read.
        sleep: waits some seconds between attempts.
    """

    def __init__(self, snapshot: Snapshot, sleep: Callable[[float], None] = time.sleep) -> None:
        self._snapshot = snapshot
        self._sleep = sleep

    def settle(
        self,
        write: Callable[[], None],
        applied: Callable[[], bool],
        parts: Sequence[Hashable],
        repeatable: Callable[[errors.MixpanelError], bool] = lambda _: True,
    ) -> None:
        """Send a write until it is known to be applied; see `settle`.

        Args:
            write: sends the write once.
            applied: reads the organization afresh and tells whether the write was applied.
            parts: what of the snapshot it touches.
            repeatable: may hold an error back from being tried again.

        Raises:
            MixpanelError: the last attempt's error; the write was not applied. If it is `unsettled`, it may have been.
        """

        def dropping() -> None:
            try:
                write()
            finally:
                self._snapshot.drop(*parts)

        settle(dropping, applied, repeatable=repeatable, sleep=self._sleep)
