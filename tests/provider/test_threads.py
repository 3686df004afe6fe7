"""The pool that the SDK runs a provider in, and what it grows to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from mixpanel_access.provider.base import THREADS, use_more_threads

SDKS = 4
"""Threads that the SDK's pool has."""


@pytest.fixture(autouse=True)
def afresh() -> Iterator[None]:
    """A process in which nobody has asked for more yet."""
    use_more_threads.cache_clear()
    yield
    use_more_threads.cache_clear()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """A pool like the SDK's."""
    with ThreadPoolExecutor(SDKS) as made:
        yield made


def at_once(pool: ThreadPoolExecutor, number: int) -> bool:
    """Whether so many tasks of a pool run at the same time."""
    all_there = threading.Barrier(number)

    def meet() -> bool:
        try:
            all_there.wait(5)
        except threading.BrokenBarrierError:
            return False
        return True

    return all(done.result() for done in [pool.submit(meet) for _ in range(number)])


def test_the_pool_grows_to_what_the_engine_asks_for(pool: ThreadPoolExecutor) -> None:
    """If this fails on a new Python: batches are of four again, and nothing else is wrong."""
    pool.submit(use_more_threads).result()
    assert at_once(pool, THREADS)


def test_only_the_pool_grows_that_asks(pool: ThreadPoolExecutor) -> None:
    """Others of the process stay as they were made."""
    with ThreadPoolExecutor(1) as other:
        other.submit(int).result()
        pool.submit(use_more_threads).result()
        assert other._max_workers == 1


def test_outside_of_a_pool_nothing_happens(pool: ThreadPoolExecutor) -> None:
    """As where a program calls a provider itself."""
    pool.submit(int).result()
    use_more_threads()
    assert pool._max_workers == SDKS


def test_a_pool_that_is_larger_already_stays_so() -> None:
    """Should the SDK ever make a larger one."""
    with ThreadPoolExecutor(2 * THREADS) as large:
        large.submit(use_more_threads).result()
        assert large._max_workers == 2 * THREADS


def test_nothing_that_another_thread_is_making_is_touched(pool: ThreadPoolExecutor) -> None:
    """A tuple that grows while somebody else holds it cannot be finished: Python fails in that thread."""
    done = threading.Event()

    def make_tuples() -> int:
        made = 0
        while not done.is_set():
            made += len(tuple(n for n in range(100)))
        return made

    makers = [pool.submit(make_tuples) for _ in range(SDKS - 1)]
    for _ in range(60):
        use_more_threads.cache_clear()
        pool.submit(use_more_threads).result()
    done.set()
    assert all(maker.result() for maker in makers)
