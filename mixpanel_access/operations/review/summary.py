"""What is to be done about each person in a review, in a line, the worst first. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from mixpanel_access.model.address import same_key
from mixpanel_access.model.grouping import grouped
from mixpanel_access.operations.review.decisions import ItemStatus, ReviewedItem
from mixpanel_access.operations.review.packet import ORGANIZATION, Item, RoleListing
from mixpanel_access.operations.review.progress import ReviewProgress
from mixpanel_access.operations.review.starting import Begun
from mixpanel_access.rules.rule import Suggestion

MOST_PARTS: Final = 3
"""What one line says of a person; it counts the rest."""
_SUGGESTED: Final = {word.value: 10 + rank for rank, word in enumerate(reversed(Suggestion))}
"""The rank of each suggestion: what to remove comes first."""
_DECIDED: Final = 20
"""The rank of what is decided, and only to be applied."""


@dataclass(frozen=True)
class Todo:
    """One thing to do about a person.

    Attributes:
        rank: how bad it is; less is worse.
        text: what to do, in words.
    """

    email: str
    rank: int
    text: str


@dataclass(frozen=True)
class PersonTodos:
    """What to do about one person, the worst first."""

    email: str
    todos: Sequence[Todo]

    @property
    def urgent(self) -> bool:
        """Whether anything objects to what they have, or stops the review."""
        return self.todos[0].rank < _SUGGESTED[Suggestion.KEEP]

    def line(self, most: int | None = MOST_PARTS) -> str:
        """All of it, or the worst things and the number of the others."""
        told = [todo.text for todo in self.todos[:most]]
        if more := len(self.todos) - len(told):
            told.append(f"and {more} more")
        return f"{self.email}: {'; '.join(told)}"


def to_review(begun: Begun) -> list[PersonTodos]:
    """What the reviewers are asked about each person, once a review has begun."""
    items = [item for one in begun.packets for item in one.packet.items]
    name = _name_of_stack([*(one.stack for one in items), *(one.stack for one in begun.unmanaged)])

    def todos() -> Iterator[Todo]:
        for row in begun.unmanaged:
            yield Todo(row.email, 0, f"no roster gives {row.role} in {row.project}{name(row.stack)}")
        for item in begun.unassigned:
            if item.decision is None:
                yield Todo(item.email, 1, f"nobody reviews {_role(item)}{name(item.stack)}: {item.unassigned}")
        for item in items:
            if item.decision is None and not item.unassigned:
                yield Todo(item.email, _rank(item), f"{_suggested(item)}{name(item.stack)}")

    return _by_person(todos())


def left_to_do(found: ReviewProgress) -> list[PersonTodos]:
    """What is left to do about each person, while a review is open."""
    name = _name_of_stack(one.item.stack for one in found.items)

    def todos() -> Iterator[Todo]:
        for there in found.still_there:
            item = there.item
            yield Todo(item.email, 0, f"still has {_role(item)}{name(item.stack)}: {there.next_step}")
        for one in found.items:
            if (told := _left(one)) is not None:
                yield Todo(one.item.email, told[0], f"{told[1]}{name(one.item.stack)}")
        for new in found.new:
            yield Todo(new.email, 3, f"not listed yet: {_role(new)}{name(new.stack)}")

    return _by_person(todos())


def _left(one: ReviewedItem) -> tuple[int, str] | None:
    """What is left to do about an item, with its rank."""
    role = _role(one.item)
    if one.status is ItemStatus.WRONG:
        return 1, f"correct {one.packet_file.file.name}: {role}"
    if one.status is ItemStatus.STALE:
        return 2, f"decide again: {role}"
    if one.status is ItemStatus.UNDECIDED:
        return _rank(one.item), f"undecided: {_suggested(one.item)}"
    return (_DECIDED, f"apply: {one.item.outcome}: {role}") if one.status is ItemStatus.WAITING else None


def _rank(item: Item) -> int:
    return _SUGGESTED.get(item.suggestion, _SUGGESTED[Suggestion.CHECK])  # somebody can have edited the packet


def _suggested(item: Item) -> str:
    return f"{item.suggestion} {_role(item)}{f' to {item.suggested_role}' if item.suggested_role else ''}"


def _role(item: RoleListing) -> str:
    return f"{item.role} in {item.project or ORGANIZATION}"


def _name_of_stack(stacks: Iterable[str]) -> Callable[[str], str]:
    """Names a stack in parentheses, where a review has several."""
    several = len(set(stacks)) > 1
    return lambda stack: f" ({stack})" if several else ""


def _by_person(todos: Iterable[Todo]) -> list[PersonTodos]:
    by_key = grouped((same_key(todo.email), todo) for todo in todos)
    people = [PersonTodos(own[0].email, sorted(own, key=lambda todo: todo.rank)) for own in by_key.values()]
    return sorted(people, key=lambda one: (one.todos[0].rank, -len(one.todos), same_key(one.email)))
