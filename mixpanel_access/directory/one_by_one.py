"""A batch that is refused for one of its items: what did not arrive goes out alone, so that each has its own answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from mixpanel_access.model import errors

_Item = TypeVar("_Item")

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
    """Send a batch; if it is refused, send what did not arrive one by one, so that each item has its own answer."""
    items = list(dict.fromkeys(batch))
    try:
        send(items)
        return {}
    except _REFUSALS as error:
        if len(items) == 1:
            return {items[0]: error}
    outcome: dict[_Item, Exception | None] = {}
    for item in items:
        try:
            if not arrived(item):
                send([item])
        except errors.AccessError as error:
            outcome[item] = error
    return outcome
