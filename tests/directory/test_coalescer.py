"""Group commit: who waits together goes together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from mixpanel_access.directory.coalescer import LONGEST, Coalescer, Crowd


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


class Arrivals(threading.Condition):
    """A condition under which, instead of time, so many others come in each wait."""

    def __init__(self, crowd: Crowd, numbers: Sequence[int]) -> None:
        super().__init__()
        self._crowd = crowd
        self._numbers = iter(numbers)
        self.waited: list[float | None] = []

    def wait_for(self, predicate: Callable[[], bool], timeout: float | None = None) -> bool:  # type: ignore[override]
        self.waited.append(timeout)
        for _ in range(next(self._numbers)):
            self._crowd.enter(leads=False)
        return predicate()


@pytest.mark.parametrize(
    ("early", "late", "held"),
    [(0, 0, 0.1), (1, 0, 0.1), (2, 0, 0.1), (0, 1, 0.4), (1, 1, 0.4), (0, 3, 0.2), (3, 0, 0.2)],
)
def test_a_batch_is_held_longer_where_one_comes_late(early: int, late: int, held: float) -> None:
    """Twice as long as before; as at first where nobody came late; as before where all came."""
    crowd = Crowd(linger=0.1)
    crowd.hold = 0.2
    crowd.changed = arrivals = Arrivals(crowd, [early, late])
    with arrivals:
        crowd.enter(leads=True)
    assert crowd.hold == held
    assert arrivals.waited == ([0.1] if early == 3 else [0.1, 0.1])


def test_a_batch_is_held_for_a_second_at_most() -> None:
    """However slowly they come."""
    crowd = Crowd(linger=0.1)
    crowd.changed = arrivals = Arrivals(crowd, [0, 1] * 8)
    with arrivals:
        for _ in range(8):
            crowd.enter(leads=True)
            crowd.leave(2)
    assert crowd.hold == LONGEST


def test_who_is_served_does_not_count_any_more() -> None:
    """After five writes nobody waits: three are not all, and the last of them waits for the fourth."""
    crowd = Crowd(linger=0.001)
    writes: Coalescer[int] = Coalescer(lambda _: {}, crowd)
    for item in range(5):
        writes.submit(item)
    crowd.changed = arrivals = Arrivals(crowd, [0, 0])
    with arrivals:
        crowd.enter(leads=False)
        crowd.enter(leads=False)
        crowd.enter(leads=True)
    assert len(arrivals.waited) == 2
