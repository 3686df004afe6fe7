"""The end of a run before its end: no further write goes out, and those that did are known by name."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from mixpanel_access.model.errors import Cancelled


class Work:
    """What somebody waits for.

    Attributes:
        sent: the writes that went out for it so far, answered or not, each as a clause that follows "cannot".
    """

    def __init__(self) -> None:
        self.sent: list[str] = []


_works: ContextVar[tuple[Work, ...]] = ContextVar("works", default=())


def works() -> tuple[Work, ...]:
    """What this thread works for; several, where it sends what others want too."""
    return _works.get()


def work_for(several: Iterable[Work]) -> None:
    """Have this thread work for somebody from now on."""
    _works.set(tuple(dict.fromkeys(several)))


@contextmanager
def working_for(several: Iterable[Work]) -> Iterator[None]:
    """Have this thread work for somebody meanwhile."""
    before = _works.set(tuple(dict.fromkeys(several)))
    try:
        yield
    finally:
        _works.reset(before)


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
            raise unsent(what)
        for work in works():
            work.sent.append(what)
        thread = threading.get_ident()
        self._under_way[thread] = what
        try:
            yield
        finally:
            del self._under_way[thread]

    def under_way(self) -> list[str]:
        """The writes that have no answer yet."""
        return sorted(self._under_way.values())


def unsent(what: str) -> Cancelled:
    """The error of what a cancelled run has not sent; `what` is a clause that follows "cannot"."""
    why = "the run was cancelled before this was sent"
    return Cancelled(f"cannot {what}", why=why, next_step="Run `pulumi up` again for the rest.")


STOP: Final = Stop()
"""That of this process."""
