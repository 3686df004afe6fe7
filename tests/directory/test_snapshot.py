"""The snapshot: one fetch a part, whoever asks."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from mixpanel_access.directory.snapshot import Part, Snapshot

PEOPLE: Part[Any] = Part("people")


def test_one_fetch_serves_every_thread() -> None:
    """However many threads ask for a part at once, it is fetched once."""
    snapshot, fetches, gate = Snapshot(), [], threading.Barrier(8)

    def fetch() -> int:
        fetches.append(1)
        return 42

    def ask(_: int) -> int:
        gate.wait()
        return int(snapshot.get(PEOPLE, fetch))

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(8))) == [42] * 8
    assert len(fetches) == 1


def test_a_dropped_part_is_fetched_again_and_others_stay() -> None:
    """A write drops what it touches and nothing else."""
    snapshot, counts = Snapshot(), {"a": 0, "b": 0}

    def fetch(name: str) -> int:
        counts[name] += 1
        return counts[name]

    for name in ("a", "b"):
        snapshot.get(Part(name), lambda name=name: fetch(name))  # type: ignore[misc]
    snapshot.drop(Part("a"))
    assert snapshot.get(Part("a"), lambda: fetch("a")) == 2
    assert snapshot.get(Part("b"), lambda: fetch("b")) == 1


def test_a_fetch_under_way_when_the_part_is_dropped_serves_nobody_after() -> None:
    """What was fetched before a write is never shown after it."""
    snapshot = Snapshot()
    started, go_on = threading.Event(), threading.Event()

    def slow() -> str:
        started.set()
        go_on.wait(10)
        return "old"

    with ThreadPoolExecutor(1) as pool:
        early = pool.submit(snapshot.get, PEOPLE, slow)
        started.wait(10)
        snapshot.drop(PEOPLE)
        assert snapshot.get(PEOPLE, lambda: "new") == "new"
        go_on.set()
        assert early.result(10) == "old"
    assert snapshot.get(PEOPLE, lambda: "newer") == "new"


def test_a_failed_part_stays_failed_until_it_is_dropped() -> None:
    """An outage is told to all who ask by the requests of one."""
    snapshot, tries = Snapshot(), []

    def fail() -> None:
        tries.append(1)
        raise ValueError("outage")

    for _ in range(3):
        with pytest.raises(ValueError, match="outage"):
            snapshot.get(PEOPLE, fail)
    assert len(tries) == 1
    assert not snapshot.fetched(PEOPLE)
    snapshot.drop(PEOPLE)
    assert snapshot.get(PEOPLE, lambda: 1) == 1
    assert snapshot.fetched(PEOPLE)


def test_an_interrupt_during_a_fetch_goes_through() -> None:
    """Ctrl-C is not swallowed, and nobody waits for a fetch that was interrupted."""
    snapshot = Snapshot()

    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        snapshot.get(PEOPLE, interrupted)
    with pytest.raises(KeyboardInterrupt):
        snapshot.get(PEOPLE, lambda: 1)
