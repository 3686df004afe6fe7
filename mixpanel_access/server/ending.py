"""The end of a run before its end: the verbs get some seconds, and then each has an answer, done or not."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import copy_context
from typing import Any, Final, TypeVar

from mixpanel_access.api.stopping import STOP, Work, working_for
from mixpanel_access.model.errors import Cancelled

Answer = TypeVar("Answer")

THREADS: Final = 32
"""What the engine asks for on eight cores."""
DONE_ONCE: Final = "Run `pulumi refresh`, then `pulumi up`: what is done is not done twice."


class Ending:
    """The verbs that work, and how they end.

    Args:
        seconds: how long a cancelled run waits for Mixpanel's answers.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._verbs = ThreadPoolExecutor(THREADS, "verb")
        self._over: Future[None] = Future()
        self._busy = 0
        self._idle = threading.Condition()

    def begin(self) -> None:
        """Let no further write go out. After some seconds, each verb of ours that still works has its answer."""
        STOP.ask()
        timer = threading.Timer(self._seconds, self._give_up)
        timer.daemon = True
        timer.start()

    def _give_up(self) -> None:
        with self._idle:
            if not self._over.done():
                self._over.set_result(None)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """A verb works meanwhile."""
        with self._idle:
            self._busy += 1
        try:
            yield
        finally:
            with self._idle:
                self._busy -= 1
                self._idle.notify_all()

    def wait(self) -> None:
        """Wait until no verb works."""
        with self._idle:
            self._idle.wait_for(lambda: not self._busy)

    def answer(self, verb: Callable[[], Answer], if_unsent: Cancelled, if_unknown: str = DONE_ONCE) -> Answer:
        """What a verb of ours returns.

        Args:
            verb: does it; it may still work when this has returned.
            if_unsent: the error where the run is cancelled, and no write of the verb went out.
            if_unknown: what to do where it is unknown whether a write of it was done.

        Raises:
            Cancelled: the run was cancelled, and Mixpanel has not answered in time.
        """
        work = Work()
        with working_for([work]):
            context = copy_context()
        running: Future[Answer] = self._verbs.submit(context.run, verb)
        either: list[Future[Any]] = [running, self._over]
        wait(either, return_when=FIRST_COMPLETED)
        if running.done():
            return running.result()
        running.cancel()
        if not work.sent:
            raise if_unsent
        raise Cancelled(
            "cancelled",
            why=f"Mixpanel has not answered within {self._seconds:g} seconds, so it is unknown whether this was done: "
            f"{work.sent[-1]}",
            next_step=if_unknown,
        )
