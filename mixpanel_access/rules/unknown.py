"""What a rule does with a value that is not known before the update: it judges all that can be judged without it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from mixpanel_access.rules.facts import Entry


class Unknown:
    """Stands for a value that is not known before the update."""

    def __repr__(self) -> str:
        return "unknown"


UNKNOWN: Final = Unknown()
_AT_PREVIEW: Final = "Write the value into the program, or create what it comes from in an earlier run."


class NotJudged(Exception):
    """A rule cannot judge: an input is not known before the update. It is a violation, of the rule's own level.

    Attributes:
        entry: the resource whose input it is, or None.
        next_step: what to do.
    """

    def __init__(self, text: str, entry: Entry | None = None, next_step: str = _AT_PREVIEW) -> None:
        self.entry = entry
        self.next_step = next_step
        super().__init__(text)


class NotThereYet(Exception):
    """A rule cannot judge what Mixpanel alone says, of something that is not there yet: advice, no input is hidden."""


def all_hold(*conditions: Callable[[], object]) -> bool:
    """Whether all conditions hold; one that is known not to hold is enough for a no.

    Raises:
        NotJudged: it depends on one that is not known.
    """
    unknown = None
    for condition in conditions:
        try:
            if not condition():
                return False
        except NotJudged as error:
            unknown = unknown or error
    if unknown:
        raise unknown
    return True


def any_holds(*conditions: Callable[[], object]) -> bool:
    """Whether one of the conditions holds; one that is known to hold is enough for a yes.

    Raises:
        NotJudged: it depends on one that is not known.
    """
    return not all_hold(*map(_negated, conditions))


def _negated(condition: Callable[[], object]) -> Callable[[], bool]:
    return lambda: not condition()


_Item = TypeVar("_Item")
_Found = TypeVar("_Found")


def each(items: Iterable[_Item], judge: Callable[[_Item], Iterator[_Found]]) -> Iterator[_Found | NotJudged]:
    """What is found in each of several items; one that cannot be judged hides nothing about the others."""
    for item in items:
        try:
            yield from judge(item)
        except NotJudged as unknown:
            yield unknown
