"""Batches whose items go out alone, so that each has its own answer: where the verb takes one, or one was refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from mixpanel_access.model import errors

_Item = TypeVar("_Item")

AT_ONCE: Final = 3
"""Requests under way at once; the transport lets no more through."""
_REFUSALS = (
    errors.Invalid,
    errors.Forbidden,
    errors.NotFound,
    errors.NotApplied,
    errors.RateLimited,
    errors.ServerFault,
)
"""Answers that may be one item's fault; a string id, for one, gets HTTP 500 (contract, section 1)."""


def one_by_one_if_refused(
    send: Callable[[Sequence[_Item]], None], arrived: Callable[[_Item], bool], batch: Sequence[_Item]
) -> Mapping[_Item, Exception | None]:
    """Send a batch; if it is refused, send what did not arrive one by one, so that each item has its own answer.

    Where it cannot be seen what arrived, or the plan refuses, the batch's own error is the item's, and nothing is
    repeated.
    """
    items = list(dict.fromkeys(batch))
    try:
        send(items)
        return {}
    except _REFUSALS as error:
        if len(items) == 1 or error.unsettled or isinstance(error, errors.PlanRefusal):
            return dict.fromkeys(items, error)
        refusal = error
    outcome: dict[_Item, Exception | None] = {}
    for item in items:
        try:
            there = arrived(item)
        except errors.AccessError:
            outcome[item] = refusal
            continue
        try:
            if not there:
                send([item])
        except errors.AccessError as error:
            outcome[item] = error
    return outcome


def each_alone(send: Callable[[_Item], None], batch: Sequence[_Item]) -> Mapping[_Item, errors.AccessError | None]:
    """Send each item of a batch in a request of its own, some at once; what they touch is read back once for all."""

    def outcome(item: _Item) -> errors.AccessError | None:
        try:
            send(item)
        except errors.AccessError as error:
            return error
        return None

    items = list(dict.fromkeys(batch))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip(items, pool.map(outcome, items), strict=True))
