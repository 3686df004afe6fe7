"""A batch that is refused: each item has its own answer, and none that is another's."""

from __future__ import annotations

from collections.abc import Sequence

from mixpanel_access.directory.one_by_one import one_by_one_if_refused
from mixpanel_access.model.errors import Forbidden, MixpanelError, PlanRefusal, RateLimited, ServerFault


class Batches:
    """Refuses every request, and who has arrived cannot be seen."""

    def __init__(self, error: MixpanelError) -> None:
        self.error, self.sent, self.looked = error, list[Sequence[str]](), list[str]()

    def send(self, items: Sequence[str]) -> None:
        self.sent.append(items)
        raise self.error

    def arrived(self, item: str) -> bool:
        self.looked.append(item)
        raise RateLimited("cannot list the users")


def test_what_cannot_be_seen_is_told_as_the_batchs_own_error() -> None:
    """The reading's refusal says nothing of the write."""
    error = ServerFault("cannot remove")
    batches = Batches(error)
    assert one_by_one_if_refused(batches.send, batches.arrived, ["a", "b"]) == {"a": error, "b": error}
    assert batches.sent == [["a", "b"]]


def test_what_may_have_been_applied_is_neither_sent_nor_looked_for_again() -> None:
    """Reading back has failed just now."""
    error = ServerFault("cannot remove")
    error.unsettled = True
    batches = Batches(error)
    assert one_by_one_if_refused(batches.send, batches.arrived, ["a", "b"]) == {"a": error, "b": error}
    assert (batches.sent, batches.looked) == ([["a", "b"]], [])


def test_what_the_plan_refuses_is_not_sent_again() -> None:
    """Not in smaller pieces either: the plan refuses whoever is in it (contract, section 13)."""
    error = PlanRefusal("cannot remove")
    batches = Batches(error)
    assert one_by_one_if_refused(batches.send, batches.arrived, ["a", "b"]) == {"a": error, "b": error}
    assert (batches.sent, batches.looked) == ([["a", "b"]], [])


def test_each_item_has_its_own_answer() -> None:
    """What did not arrive goes out alone; what did is left."""
    sent: list[Sequence[str]] = []

    def send(items: Sequence[str]) -> None:
        sent.append(items)
        if "bad" in items:
            raise Forbidden(f"cannot remove {len(items)}")

    outcome = one_by_one_if_refused(send, "there".__eq__, ["there", "bad", "good"])
    assert {item: str(error) for item, error in outcome.items()} == {"bad": "cannot remove 1"}
    assert sent == [["there", "bad", "good"], ["bad"], ["good"]]
