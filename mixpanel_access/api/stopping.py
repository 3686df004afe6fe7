"""The end of a run before its end: no further write goes out, and those that are under way are known by name."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from mixpanel_access.model.errors import Cancelled


class Stop:
    """Whether a process may still write, and what it is writing."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._under_way: dict[int, str] = {}

    @property
    def asked(self) -> bool:
        """Whether nothing more may be written."""
        return self._asked.is_set()

    def ask(self) -> None:
        """Let no further write go out, and end all waiting."""
        self._asked.set()

    def sleep(self, seconds: float) -> bool:
        """Wait, until nothing more may be written at the longest; whether for all of that time."""
        return not self._asked.wait(seconds)

    @contextmanager
    def writing(self, what: str) -> Iterator[None]:
        """A write is under way meanwhile; `what` is a clause that follows "cannot".

        Raises:
            Cancelled: it may not go out.
        """
        if self.asked:
            raise Cancelled(
                f"cannot {what}",
                why="the run was cancelled before this was sent",
                next_step="Run `pulumi up` again for the rest.",
            )
        thread = threading.get_ident()
        self._under_way[thread] = what
        try:
            yield
        finally:
            del self._under_way[thread]

    def under_way(self) -> list[str]:
        """The writes that have no answer yet."""
        return sorted(self._under_way.values())


STOP: Final = Stop()
"""That of this process."""
