"""Group commit: who waits together goes together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from mixpanel_access.directory.coalescer import LONGEST, LOOK_AGAIN, Coalescer, Crowd


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
    """A condition under which, instead of time, so many others come in each wait; in the end nobody."""

    def __init__(self, crowd: Crowd, numbers: Sequence[int]) -> None:
        super().__init__()
        self._crowd = crowd
        self._numbers = iter(numbers)
        self.waited: list[float | None] = []

    def wait_for(self, predicate: Callable[[], bool], timeout: float | None = None) -> bool:  # type: ignore[override]
        self.waited.append(timeout)
        for _ in range(next(self._numbers, 0)):
            self._crowd.enter()
        return predicate()


@pytest.mark.parametrize(
    ("comers", "held", "waited"),
    [
        ([], 0.1, [0.1] * 2),
        ([1], 0.1, [0.1] * 3),
        ([2], 0.1, [0.1] * 3),
        ([1, 1], 0.1, [0.1] * 4),
        ([0, 1], 0.4, [0.1, 0.1, 0.2, 0.2]),
        ([1, 0, 1], 0.4, [0.1, 0.1, 0.1, 0.2, 0.2]),
        ([0, 1, 0, 1], 0.8, [0.1, 0.1, 0.2, 0.2, 0.4, 0.4]),
        ([0, 3], 0.2, [0.1, 0.1]),
        ([3], 0.2, [0.1]),
        ([1, 1, 1], 0.2, [0.1] * 3),
    ],
)
def test_a_batch_is_held_longer_where_one_comes_late(comers: list[int], held: float, waited: list[float]) -> None:
    """Twice as long as before; as at first where nobody came late; as before where all came."""
    crowd = Crowd(linger=0.1)
    crowd.hold = 0.2
    crowd.changed = arrivals = Arrivals(crowd, comers)
    with arrivals:
        crowd.enter()
        crowd.gather()
    assert crowd.hold == held
    assert arrivals.waited == waited


def test_a_batch_is_held_for_a_second_at_most() -> None:
    """However slowly they come."""
    crowd = Crowd(linger=0.1)
    crowd.changed = arrivals = Arrivals(crowd, [0, 1, 0, 0] * 8)
    with arrivals:
        for _ in range(8):
            crowd.enter()
            crowd.gather()
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
        for _ in range(3):
            crowd.enter()
        crowd.gather()
    assert len(arrivals.waited) == 2


def test_as_many_are_waited_for_as_were_seen_at_once() -> None:
    """Six came while four were on their way: there may be more, and after a while without anybody, ten are all."""
    crowd = Crowd(linger=600)
    crowd.changed = arrivals = Arrivals(crowd, [4, 0, 0, 6])
    with arrivals:
        for _ in range(4):
            crowd.enter()
        crowd.gather()  # four are all that are known
        for _ in range(6):
            crowd.enter()
        assert arrivals.waited == []
        crowd.leave(4)
        crowd.gather()  # the four come back, and two waits later nobody else has come
        assert len(arrivals.waited) == 3
        crowd.leave(6)
        crowd.gather()  # ten are all that are known
    assert len(arrivals.waited) == 4


def test_it_is_looked_for_more_now_and_again() -> None:
    """After as many full batches as before, one waits until nobody comes."""
    crowd = Crowd(linger=600)
    crowd.changed = arrivals = Arrivals(crowd, [])
    probed = []
    with arrivals:
        for batch in range(40):
            for _ in range(4):
                crowd.enter()
            before = len(arrivals.waited)
            crowd.gather()
            if len(arrivals.waited) > before:
                probed.append(batch)
            crowd.leave(4)
    assert probed == [LOOK_AGAIN, 2 * LOOK_AGAIN + 1, 4 * LOOK_AGAIN + 2, 8 * LOOK_AGAIN + 3]


class Patience(threading.Condition):
    """A condition under which nobody gives up while somebody can come, and everybody at once when nobody can."""

    def __init__(self, can_come: Callable[[], bool]) -> None:
        super().__init__()
        self._can_come = can_come

    def wait_for(self, predicate: Callable[[], bool], timeout: float | None = None) -> bool:  # type: ignore[override]
        return super().wait_for(predicate, 60 if self._can_come() else 0)


def test_who_comes_while_a_batch_is_on_its_way_waits_for_those_who_are_on_it() -> None:
    """Four go, four come meanwhile, the first four come back: all eight are one batch."""
    batches: list[list[int]] = []
    going = threading.Event()
    crowd = Crowd()
    crowd.changed = Patience(lambda: crowd._waiting < 8)

    def send(items: Sequence[int]) -> Mapping[int, Exception | None]:
        batches.append(sorted(items))
        going.set()
        with crowd.changed:
            crowd.changed.wait_for(lambda: crowd._waiting == 8)
        return {}

    writes = Coalescer(send, crowd)

    def write(item: int) -> None:
        writes.submit(item)
        if item < 4:
            writes.submit(item)

    with ThreadPoolExecutor(8) as pool:
        first = [pool.submit(write, item) for item in range(4)]
        assert going.wait(60)
        for done in [*first, *(pool.submit(write, item) for item in range(4, 8))]:
            done.result()
    assert batches == [[0, 1, 2, 3], list(range(8))]
