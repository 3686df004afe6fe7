"""For all tests: how long an example takes says something of the machine, and nothing of the promise."""

import gc
import signal
import sys

import pytest
from hypothesis import HealthCheck, settings

from tests import tally

# A shell's job in the background ignores Ctrl-C, and so would each process that a test starts and interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Quick is the default; `make reliability` asks for many.
settings.register_profile("many", max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
if settings.get_current_profile_name() == "default":  # hypothesis has a profile of its own for CI, without a deadline
    settings.register_profile("default", deadline=None)
    settings.load_profile("default")


def pytest_collection_finish() -> None:
    """Keep what is there out of each search for garbage: with all tests, one of them takes a third of a second."""
    gc.collect()
    gc.freeze()


def pytest_sessionfinish() -> None:
    """Leave what was counted for `make reliability`."""
    tally.write()


@pytest.fixture(autouse=True)
def _tracebacks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a later test have tracebacks again: a provider that is configured in this process turns them off."""
    monkeypatch.setattr(sys, "tracebacklimit", 1000, raising=False)
