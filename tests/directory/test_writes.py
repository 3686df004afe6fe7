"""The writer: who waits together goes together, each has its own answer, and nothing is sent twice by mistake."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from mixpanel_access.directory.crowd import Crowd
from mixpanel_access.directory.snapshot import Part, ReadBack, Snapshot
from mixpanel_access.directory.writer import ATTEMPTS, REFUSALS_BORNE, Writer
from mixpanel_access.directory.writes import Effect, Write
from mixpanel_access.model import errors


class Numbers(Write[int]):
    """Sends numbers as it is told, and keeps the requests."""

    def __init__(self, send: Callable[[Sequence[int]], object] = lambda items: None, at_once: int = 200) -> None:
        self.answer, self.at_once = send, at_once
        self.requests: list[list[int]] = []

    def send(self, items: Sequence[int]) -> None:
        self.requests.append(sorted(items))
        self.answer(items)


def writer(crowd: Crowd | None = None) -> Writer:
    """A writer that never sleeps, and for whose threads nobody waits by default."""
    return Writer(Snapshot(), crowd or Crowd(linger=0), lambda _: None)


def test_what_waits_together_goes_out_as_one() -> None:
    """Four writers at once make one request when four is all that can come."""
    numbers, writes = Numbers(), writer(Crowd(linger=30))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(writes.submit, [numbers] * 4, range(4)))
    assert numbers.requests == [[0, 1, 2, 3]]


def test_a_lone_writer_does_not_wait_for_ever() -> None:
    """A writer for whom nobody comes is sent alone after the linger."""
    numbers = Numbers()
    writer(Crowd(linger=0.001)).submit(numbers, 1)
    assert numbers.requests == [[1]]


def odd(items: Sequence[int]) -> None:
    """Refuse a request with an odd number."""
    if wrong := [item for item in items if item % 2]:
        raise errors.Invalid(f"no {wrong}")


@pytest.mark.parametrize("at_once", [200, 1])
def test_each_writer_gets_its_own_outcome(at_once: int) -> None:
    """One refused item does not fail its neighbours."""
    numbers, writes = Numbers(odd, at_once), writer(Crowd(linger=30))
    with ThreadPoolExecutor(4) as pool:
        outcomes = [pool.submit(writes.submit, numbers, item) for item in range(4)]
    assert [str(outcome.exception() or "") for outcome in outcomes] == ["", "no [1]", "", "no [3]"]


def test_a_send_that_raises_fails_the_whole_batch_and_not_the_next() -> None:
    """After a failed batch the next one goes out as if nothing had been."""
    fail = [ValueError("no route")]

    def send(items: Sequence[int]) -> None:
        if fail:
            raise fail.pop()

    numbers, writes = Numbers(send), writer()
    with pytest.raises(ValueError, match="no route"):
        writes.submit(numbers, 1)
    writes.submit(numbers, 2)


def test_batches_go_out_one_after_the_other_and_nothing_is_lost() -> None:
    """Under many writers every item is sent exactly once, in batches that never overlap."""
    busy = threading.Lock()

    def send(items: Sequence[int]) -> None:
        assert busy.acquire(blocking=False)
        busy.release()

    numbers, writes = Numbers(send), writer(Crowd(linger=0.001))
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(writes.submit, [numbers] * 400, range(400)))
    assert sorted(item for request in numbers.requests for item in request) == list(range(400))


def test_nobody_waits_for_those_who_wait_elsewhere() -> None:
    """Two kinds of writes, two writers each: all four workers wait, so both batches go out at once."""
    kinds, writes = (Numbers(), Numbers()), writer(Crowd(linger=600))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: writes.submit(kinds[n // 2], n), range(4)))
    assert [kind.requests for kind in kinds] == [[[0, 1]], [[2, 3]]]


class Patience(threading.Condition):
    """A condition under which nobody gives up while somebody can come, and everybody at once when nobody can."""

    def __init__(self, can_come: Callable[[], bool]) -> None:
        super().__init__()
        self._can_come = can_come

    def wait_for(self, predicate: Callable[[], bool], timeout: float | None = None) -> bool:  # type: ignore[override]
        return super().wait_for(predicate, 60 if self._can_come() else 0)


def test_who_comes_while_a_batch_is_on_its_way_waits_for_those_who_are_on_it() -> None:
    """Four go, four come meanwhile, the first four come back: all eight are one batch."""
    going = threading.Event()
    crowd = Crowd()
    crowd.changed = Patience(lambda: crowd._waiting < 8)

    def send(items: Sequence[int]) -> None:
        going.set()
        with crowd.changed:
            crowd.changed.wait_for(lambda: crowd._waiting == 8)

    numbers, writes = Numbers(send), writer(crowd)

    def write(item: int) -> None:
        writes.submit(numbers, item)
        if item < 4:
            writes.submit(numbers, item)

    with ThreadPoolExecutor(8) as pool:
        first = [pool.submit(write, item) for item in range(4)]
        assert going.wait(60)
        for done in [*first, *(pool.submit(write, item) for item in range(4, 8))]:
            done.result()
    assert numbers.requests == [[0, 1, 2, 3], list(range(8))]


# Refused requests


class Unseen(Numbers):
    """What has arrived cannot be read."""

    looked = 0

    def arrived(self, item: int, snapshot: Snapshot) -> bool:
        self.looked += 1
        raise errors.RateLimited("cannot list the users")


def refuse(error: errors.AccessError) -> Callable[[Sequence[int]], None]:
    """Refuse every request."""

    def send(items: Sequence[int]) -> None:
        raise error

    return send


def test_what_cannot_be_seen_has_the_batchs_own_error() -> None:
    """The reading's refusal says nothing of the write."""
    error = errors.Invalid("cannot remove")
    unseen = Unseen(refuse(error))
    assert writer().send_all(unseen, [1, 2]) == {1: error, 2: error}
    assert unseen.requests == [[1, 2]]


@pytest.mark.parametrize("kind", [errors.PlanRefusal, errors.ServerFault, errors.Unreachable, errors.Unauthorized])
def test_what_is_no_items_fault_is_neither_sent_nor_looked_for_in_parts(kind: type[errors.MixpanelError]) -> None:
    """The plan refuses whoever is in it (contract, section 13); what may have been applied is not repeated."""
    error = kind("cannot remove")
    unseen = Unseen(refuse(error))
    assert writer().send_all(unseen, [1, 2]) == {1: error, 2: error}
    assert (unseen.requests, unseen.looked) == ([[1, 2]], kind in (errors.ServerFault, errors.Unreachable))


class There(Numbers):
    """Zero has arrived in any case."""

    def arrived(self, item: int, snapshot: Snapshot) -> bool:
        return item == 0


def test_only_what_did_not_arrive_is_sent_again() -> None:
    """A few one by one, so that each has its own answer."""
    numbers = There(odd)
    assert {item: str(error) for item, error in writer().send_all(numbers, [0, 1, 2, 4, 6]).items()} == {1: "no [1]"}
    assert numbers.requests == [[0, 1, 2, 4, 6], [1], [2], [4], [6]]


def test_many_are_sent_again_in_halves() -> None:
    """So that one who is refused among many is found in few requests."""
    numbers = Numbers(odd)
    assert writer().send_all(numbers, [*range(0, 60, 2), 61, 62]).keys() == {61}
    assert list(map(len, numbers.requests)) == [32, 16, 16, 8, 8, *[1] * 8]


@pytest.mark.parametrize(("borne", "requests"), [(None, 1 + 2 + 4 + 8 + 64), (REFUSALS_BORNE, REFUSALS_BORNE)])
def test_refusals_of_everything_stop_the_writes_of_one_resource(borne: int | None, requests: int) -> None:
    """What was not tried has the error too; resources of their own each have their own answer."""
    numbers = Numbers(refuse(errors.Invalid("no")))
    assert writer().send_all(numbers, range(64), borne).keys() == set(range(64))
    assert len(numbers.requests) == requests


class ByTens(Numbers):
    """One request for each ten."""

    def request_of(self, item: int) -> int:
        return item // 10


def test_what_does_not_fit_together_goes_out_in_requests_of_its_own() -> None:
    """And an outage of one is not the other's."""
    tens = ByTens(lambda items: refuse(errors.Unauthorized("401"))(items) if items[0] >= 10 else None)
    assert writer().send_all(tens, [1, 11, 2, 12]).keys() == {11, 12}
    assert tens.requests == [[1, 2], [11, 12]]


# Lost answers

OPEN = [errors.Unreachable, errors.ServerFault, errors.RateLimited, errors.Unintelligible]
DEFINITE = [errors.Invalid, errors.Forbidden, errors.NotFound, errors.Unauthorized, errors.NotApplied]


class Server:
    """Answers with the given errors in turn, then well; applies from the given call on."""

    def __init__(self, *answers: errors.MixpanelError, applies_from: int = 1) -> None:
        self.answers, self.applies_from = list(answers), applies_from
        self.calls, self.waits = 0, list[float]()

    def write(self) -> None:
        self.calls += 1
        if self.answers:
            raise self.answers.pop(0)

    def applied(self) -> bool:
        return self.calls >= self.applies_from

    def run(self) -> None:
        Writer(Snapshot(), Crowd(linger=0), self.waits.append).settle(Once(self), ["it"])


class Once(Write[str]):
    """One write on a server."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def send(self, items: Sequence[str]) -> None:
        self.server.write()

    def arrived(self, item: str, snapshot: Snapshot) -> bool:
        return self.server.applied()


@pytest.mark.parametrize("kind", OPEN)
def test_a_write_whose_answer_was_lost_is_not_repeated(kind: type[errors.MixpanelError]) -> None:
    """Applied, but not heard of: once is enough."""
    server = Server(kind("cannot"), applies_from=1)
    server.run()
    assert (server.calls, server.waits) == (1, [])


@pytest.mark.parametrize("kind", OPEN)
def test_a_write_that_was_not_applied_is_repeated(kind: type[errors.MixpanelError]) -> None:
    """Not applied: it goes out again, after a wait."""
    server = Server(kind("cannot"), applies_from=2)
    server.run()
    assert (server.calls, server.waits) == (2, [0.5])


@pytest.mark.parametrize("kind", DEFINITE)
def test_a_refusal_is_final(kind: type[errors.MixpanelError]) -> None:
    """A clear no is not asked again."""
    server = Server(kind("cannot"), applies_from=9)
    with pytest.raises(kind):
        server.run()
    assert server.calls == 1


def test_after_the_last_attempt_the_last_error_is_told() -> None:
    """It gives up after its attempts, with waits that double."""
    server = Server(*[errors.ServerFault(f"cannot {n}") for n in range(9)], applies_from=99)
    with pytest.raises(errors.ServerFault, match=f"cannot {ATTEMPTS - 1}"):
        server.run()
    assert (server.calls, server.waits) == (ATTEMPTS, [0.5, 1.0, 2.0])


@pytest.mark.parametrize(
    ("seconds", "calls"),
    [(0.0, 2), (errors.LONGEST_WAIT, 2), (errors.LONGEST_WAIT + 1, 1)],
    ids=["now", "longest", "too long"],
)
def test_the_wait_that_the_server_asks_for(seconds: float, calls: int) -> None:
    """Retry-After is kept, unless it asks for more than anybody would sit through."""
    error = errors.RateLimited("cannot")
    error.retry_after = seconds
    server = Server(error, applies_from=2)
    if calls == 2:
        server.run()
        assert server.waits == [seconds]
    else:
        with pytest.raises(errors.RateLimited):
            server.run()
    assert server.calls == calls


UNREAD = [*OPEN, *DEFINITE, errors.ConfigurationError]


@pytest.mark.parametrize("unread", UNREAD)
@pytest.mark.parametrize("kind", OPEN)
def test_where_reading_back_fails_too_the_writes_own_error_is_told(
    kind: type[errors.MixpanelError], unread: type[errors.AccessError]
) -> None:
    """The read's would say something else: that a removal was refused, say. Nothing is repeated blindly."""
    server = Server(kind("cannot remove", next_step="Wait."))

    def applied() -> bool:
        raise unread("cannot list", why="Mixpanel answered 429")

    server.applied = applied  # type: ignore[method-assign]
    with pytest.raises(kind, match="cannot remove") as told:
        server.run()
    assert server.calls == 1
    done = kind is not errors.RateLimited  # which says clearly that nothing was
    assert told.value.unsettled is done
    assert ("may have been done all the same" in str(told.value)) is done
    assert ("(Mixpanel answered 429). Run again" in str(told.value)) is done


DIVIDED = {
    errors.ServerFault: "It may have been done all the same, and the run was cancelled before Mixpanel showed it.",
    errors.Invalid: "4xx, of a request with others, and the run was cancelled before this was sent alone",
}


@pytest.mark.parametrize("kind", DIVIDED)
def test_a_part_that_a_ctrl_c_stops_is_not_said_to_be_unsent(kind: type[errors.MixpanelError]) -> None:
    """It went out before, together with others."""
    answers: list[errors.AccessError] = [
        kind("cannot give", why="Mixpanel answered 4xx") for _ in range(ATTEMPTS if kind is errors.ServerFault else 1)
    ]

    def send(items: Sequence[int]) -> None:
        raise answers.pop() if answers else errors.Cancelled("cannot give", why="cancelled before this was sent")

    failures = writer().send_all(Numbers(send), [1, 2])
    assert [DIVIDED[kind] in str(error) for error in failures.values()] == [True, True]


# Effects

LIST: Part[frozenset[int]] = Part("list")


class Listed(Numbers):
    """Shows in a list, if the list says anything; and there is a consequence that cannot be read."""

    takes = True

    def effects(self, item: int) -> Iterable[Effect[Any]]:
        yield Effect(LIST, item, lambda held: None if -1 in held else item in held)
        yield Effect(Part("unreadable"), item, lambda held: False, consequence=True)


@pytest.mark.parametrize(("held", "done"), [({1, 2}, True), ({1}, False), ({-1}, False), (set(), False)], ids=repr)
def test_a_lost_write_is_applied_if_the_list_shows_all_of_it(held: set[int], done: bool) -> None:
    """What the list does not tell is no proof, and consequences are none either: they are not read."""
    snapshot = Snapshot(read_back=ReadBack(0))
    snapshot.read_by(LIST.kind, lambda: frozenset(held))
    listed = Listed(refuse(errors.ServerFault("502")))
    failures = Writer(snapshot, Crowd(linger=0), lambda _: None).send_all(listed, [1, 2])
    assert (listed.requests == [[1, 2]]) is done
    assert (failures == {}) is done


@pytest.mark.parametrize(("held", "fails"), [({1}, False), (set(), True)], ids=repr)
def test_what_is_not_there_need_not_be_taken_away(held: set[int], fails: bool) -> None:
    """A 404 is an error only if the list still shows it."""
    snapshot = Snapshot(read_back=ReadBack(0))
    snapshot.read_by(LIST.kind, lambda: frozenset(held))
    listed = Listed(refuse(errors.NotFound("404")))
    assert bool(Writer(snapshot, Crowd(linger=0)).send_all(listed, [1])) is fails
