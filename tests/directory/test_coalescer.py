"""Group commit: who waits together goes together."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from mixpanel_access.directory import coalescer
from mixpanel_access.directory.coalescer import Coalescer, Crowd


def test_what_waits_together_goes_out_as_one() -> None:
    """Four writers at once make one request when four is all that can come."""
    batches: list[list[int]] = []

    def send(items: Sequence[int]) -> Mapping[int, Exception | None]:
        batches.append(sorted(items))
        return {}

    writes = Coalescer(send, Crowd(linger=30))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(writes.submit, range(4)))
    assert batches == [[0, 1, 2, 3]]


def test_a_lone_writer_does_not_wait_for_ever() -> None:
    """A writer for whom nobody comes is sent alone after the linger."""
    batches: list[Sequence[str]] = []
    Coalescer[str](lambda items: batches.append(items) or {}, Crowd(linger=0.001)).submit("a")  # type: ignore[func-returns-value]
    assert batches == [["a"]]


def test_each_writer_gets_its_own_outcome() -> None:
    """One refused item does not fail its neighbours."""

    def send(items: Sequence[int]) -> Mapping[int, Exception | None]:
        return {item: ValueError(f"no {item}") if item % 2 else None for item in items}

    writes = Coalescer(send, Crowd(linger=30))
    with ThreadPoolExecutor(4) as pool:
        outcomes = [pool.submit(writes.submit, item) for item in range(4)]
    assert [str(outcome.exception() or "") for outcome in outcomes] == ["", "no 1", "", "no 3"]


def test_a_send_that_raises_fails_the_whole_batch_and_not_the_next() -> None:
    """After a failed batch the next one goes out as if nothing had been."""
    fail = [True]

    def send(items: Sequence[int]) -> Mapping[int, Exception | None]:
        if fail.pop() if fail else False:
            raise ValueError("no route")
        return {}

    writes = Coalescer(send, Crowd(linger=0))
    with pytest.raises(ValueError, match="no route"):
        writes.submit(1)
    writes.submit(2)


def test_batches_go_out_one_after_the_other_and_nothing_is_lost() -> None:
    """Under many writers every item is sent exactly once, in batches that never overlap."""
    sent: list[int] = []
    busy = threading.Lock()

    def send(items: Sequence[int]) -> Mapping[int, Exception | None]:
        assert busy.acquire(blocking=False)
        sent.extend(items)
        busy.release()
        return {}

    writes = Coalescer(send, Crowd(linger=0.001))
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(writes.submit, range(400)))
    assert sorted(sent) == list(range(400))


def test_nobody_waits_for_those_who_wait_elsewhere() -> None:
    """Two kinds of writes, two writers each: all four workers wait, so both batches go out at once."""
    batches: list[list[int]] = []

    def send(items: Sequence[int]) -> Mapping[int, Exception | None]:
        batches.append(sorted(items))
        return {}

    crowd = Crowd(linger=600)
    kinds = Coalescer(send, crowd), Coalescer(send, crowd)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: kinds[n // 2].submit(n), range(4)))
    assert sorted(batches) == [[0, 1], [2, 3]]


def test_a_batch_is_held_longer_where_others_come_slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of four came: the next is held twice as long, up to the longest; one that stayed alone begins anew."""
    monkeypatch.setattr(coalescer, "LONGEST", 0.005)
    crowd = Crowd(linger=0.001)
    held = []
    with crowd.changed:
        crowd.enter(leads=False)
        for _ in range(4):
            held.append(crowd.hold)
            crowd.enter(leads=True)
            crowd.leave()
        assert held == [0.001, 0.002, 0.004, 0.005]
        crowd.leave()
        crowd.enter(leads=True)
    assert crowd.hold == 0.001
