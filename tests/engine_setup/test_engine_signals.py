"""A signal that comes while a child is being started."""

from __future__ import annotations

import signal
import threading

import pytest

from mixpanel_access.engine.process import uninterrupted


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_waits_for_the_end_of_the_block(number: signal.Signals) -> None:
    """Nothing in the block is cut short, and the handler runs right after it."""
    done: list[str] = []

    def handler(*_: object) -> None:
        done.append("handled")
        raise InterruptedError

    before = signal.signal(number, handler)
    try:
        with pytest.raises(InterruptedError), uninterrupted():  # noqa: PT012  # what comes in between is the point
            signal.raise_signal(number)
            done.append("started")
        assert signal.getsignal(number) is handler
    finally:
        signal.signal(number, before)
    assert done == ["started", "handled"]


def test_an_ignored_signal_stays_ignored() -> None:
    """Who ignores a signal is not killed by it afterwards."""
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with uninterrupted():
            signal.raise_signal(signal.SIGTERM)
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)


def test_other_threads_start_children_too() -> None:
    """Signals never reach them, and they may not touch the handlers."""
    entered: list[bool] = []

    def work() -> None:
        with uninterrupted():
            entered.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert entered == [True]
