"""`Write`: one kind of write that changes the organization, and what it must show. `Writer` sends them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from mixpanel_access.directory.snapshot import Part, Snapshot
from mixpanel_access.model import errors

AT_ONCE: Final = 200
"""People in one request: some ten kilobytes, and few enough to find one that is refused in some requests more."""
FEW: Final = 8
"""Items of a refused request that are sent one by one; more of them in halves."""

Item = TypeVar("Item", bound=Hashable)
_T = TypeVar("_T")


@dataclass(frozen=True)
class Effect(Generic[_T]):
    """What one part of the organization shows once a write was applied.

    Attributes:
        part: the part.
        item: who or what in it; a later effect on the same takes the place of this one.
        shown: whether the part, as it was read, shows it; None where it cannot be seen there.
        consequence: whether it only follows from the write, and so does not prove that the write was applied.
    """

    part: Part[_T]
    item: Hashable
    shown: Callable[[_T], bool | None]
    consequence: bool = False


class Write(Generic[Item]):
    """One kind of write.

    Attributes:
        at_once: how many items one request takes.
        apart: whether each request is about one person or thing, so that several requests are under way at once.
        once: whether to send it twice does harm: then the effect is looked for longer before it is sent again.
        takes: whether it takes something away: then an item that is not there is as it should be.
        limited: whether a rate limit may be one item's, as that on invitations to a domain.
    """

    at_once: int = AT_ONCE
    apart: bool = False
    once: bool = False
    takes: bool = False
    limited: bool = False

    def send(self, items: Sequence[Item]) -> None:
        """Send one request for all the items, at most `at_once` of them."""
        raise NotImplementedError

    def effects(self, item: Item) -> Iterable[Effect[Any]]:  # noqa: ARG002
        """What shows an item; asked before the write, too. Without any, nothing that can be read shows it."""
        return ()

    def touches(self, item: Item) -> Iterable[Part[Any]]:  # noqa: ARG002
        """What else has to be read afresh after it."""
        return ()

    def request_of(self, item: Item) -> Hashable:  # noqa: ARG002
        """Items with the same value can go out in one request."""
        return None

    def arrived(self, item: Item, snapshot: Snapshot) -> bool:
        """Read back whether an item was applied."""
        shown = [effect.shown(snapshot.read(effect.part)) for effect in self.effects(item) if not effect.consequence]
        return False not in shown and True in shown

    def may_repeat(self, error: errors.MixpanelError) -> bool:  # noqa: ARG002
        """Whether to send it again after an error, where reading back does not show it."""
        return True

    def refusal(self, item: Item) -> errors.AccessError | None:  # noqa: ARG002
        """The limit that has refused others like this item, which is then not sent."""
        return None

    def refused_alone(self, item: Item, error: errors.AccessError) -> None:
        """Note why Mixpanel refused an item that was alone in its request."""

    def parts(self, items: Sequence[Item], error: errors.AccessError) -> list[Sequence[Item]]:  # noqa: ARG002
        """The smaller requests in which to send the items of a refused one."""
        size = 1 if len(items) <= FEW else (len(items) + 1) // 2
        return [items[start : start + size] for start in range(0, len(items), size)]

    def explain_missing(self, error: errors.NotFound) -> None:
        """Say what to do by hand where Mixpanel may not offer the call."""
