"""How long a write waits for others: not at all where all wait, longer where they come slowly."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import pytest

from mixpanel_access.directory.crowd import LONGEST, LOOK_AGAIN, Crowd


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


@pytest.mark.parametrize(("items", "patience"), [(10, 0.1), (300, 0.6), (5000, LONGEST)])
def test_a_writer_of_many_waits_until_nobody_comes(items: int, patience: float) -> None:
    """The others may have as many, for the same people: longer for more, and also if all seem to be there."""
    crowd = Crowd(linger=0.1)
    crowd.changed = arrivals = Arrivals(crowd, [1, 1, 1, 1])
    with arrivals:
        crowd.enter()
        crowd.gather(items)
    assert arrivals.waited[:5] == [patience] * 5


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
    with crowd.changed:
        for _ in range(5):
            crowd.enter()
            crowd.gather()
            crowd.leave(1)
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
