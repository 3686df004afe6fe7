"""Decisions: what is wrong with those in the packets, one more from the command line, and how far the review is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from mixpanel_access.model import roles
from mixpanel_access.model.address import problem_with, same_key
from mixpanel_access.model.dates import day
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.similarity import meant_address, unknown
from mixpanel_access.operations.review.files import PacketFile, read_packets, write_packet
from mixpanel_access.operations.review.packet import (
    DECISIONS,
    ORGANIZATION,
    Item,
    ItemKey,
    Packet,
)
from mixpanel_access.operations.review.record import ReviewRecord, read_record
from mixpanel_access.operations.review.suggesting import is_lower
from mixpanel_access.rules.rule import Suggestion

CLEAR: Final = "clear"
"""The word for no decision, on the command line."""


@dataclass(frozen=True)
class Wish:
    """A decision from the command line.

    Attributes:
        new_role: the role to lower to, or None.
        reviewer: who decides; None for the packet's own reviewer.
        comment: what they have to say, or None.
        stack: the stack, or None where that is clear.
        project: the project's key, or None where that is clear.
        organization: whether it is about the organization role.
        engagement: the engagement, "" for the entry without one, or None where that is clear.
        starts: the entry's first day, "" for the entry without one, or None where that is clear.
    """

    email: str
    decision: str
    new_role: str | None = None
    reviewer: str | None = None
    comment: str | None = None
    stack: str | None = None
    project: str | None = None
    organization: bool = False
    engagement: str | None = None
    starts: str | None = None

    def means(self, item: Item) -> bool:
        """Whether it is about an item."""
        return (
            item.key == same_key(self.email)
            and self.stack in (None, item.stack)
            and self.project in (None, item.project)
            and self.engagement in (None, item.engagement or "")
            and self.starts in (None, item.starts or "")
            and not (self.organization and item.project is not None)
        )


def problems(packet: Packet, item: Item, today: date, record: ReviewRecord) -> Iterator[tuple[str, str]]:
    """What is wrong with the decision on an item: the field, and in words. The evidence says when it was listed.

    An item without a decision has no problem.
    """
    if item.decision is None:
        if item.new_role is not None:
            yield "new_role", "there is a newRole and no decision"
        return
    if item.decision not in DECISIONS:
        yield "decision", _no_decision(item.decision)
    elif item.decision == Suggestion.LOWER:
        yield from _lowered(item)
    elif item.new_role is not None:
        yield "new_role", "newRole is for the decision lower"
    yield from _reviewed(packet, item, today, record)


def _no_decision(written: str) -> str:
    return unknown(written, "decision", [one.value for one in DECISIONS])


def _lowered(item: Item) -> Iterator[tuple[str, str]]:
    in_project, new = item.project is not None, roles.normalized(item.new_role or "")
    own = [roles.normalized(key) for key in item.custom_roles]
    known = [*roles.PROJECT_ROLES, *own] if in_project else roles.ORGANIZATION_ROLES

    def custom(role: str) -> bool:
        return role in own or roles.is_role_id(role)

    if not new:
        yield "decision", "lower needs newRole"
    elif new not in known and not (in_project and roles.is_role_id(new)):
        yield "new_role", unknown(new, "project role" if in_project else "organization role", known)
    elif new == item.role or not (custom(new) or custom(item.role) or is_lower(new, item.role, in_project=in_project)):
        yield "new_role", f"{new} is not lower than {item.role}"


def _reviewed(packet: Packet, item: Item, today: date, record: ReviewRecord) -> Iterator[tuple[str, str]]:
    reviewer = packet.reviewer_of(item)
    if not reviewer:
        yield "decision", "nobody is named who decided: fill in reviewer"
    elif reason := problem_with(reviewer):
        yield "reviewer", f"the reviewer, {reviewer!r}, is not an e-mail address ({reason})"
    elif same_key(reviewer) == item.key:
        yield "reviewer", "nobody reviews what they have themselves"
    if item.decided is None:
        return
    try:
        decided = day(item.decided)
    except ValueError:
        yield "decided", f"{item.decided!r} is not a date; write it as YYYY-MM-DD"
        return
    if decided > today:
        yield "decided", f"it was decided on {decided}, which is to come"
    elif packet.made is not None and item.decided < packet.made:
        yield "decided", f"it was decided on {decided}, before the review was begun on {packet.made}"
    elif (listed := record.first_listed(item)) is not None and decided < listed:
        yield "decided", f"it was decided on {decided}, before it was listed like that on {listed}"


@dataclass(frozen=True)
class WrongDecision:
    """An item that cannot be applied as it stands in its packet.

    Attributes:
        one: the packet.
        at: the position of the item there.
        name: the field that is wrong.
        words: what is wrong.
    """

    one: PacketFile
    at: int
    name: str
    words: str

    @property
    def item(self) -> Item:
        """The item."""
        return self.one.packet.items[self.at]

    def __str__(self) -> str:
        return f"{self.one.file.name}:{self.one.line(self.at, self.name)}: {self.item}: {self.words}"


def wrong_decisions(packets: Sequence[PacketFile], record: ReviewRecord, today: date) -> Iterator[WrongDecision]:
    """The decisions that are none, and the items that stand in the packets twice."""
    first: dict[ItemKey, str] = {}
    for one in packets:
        for at, item in enumerate(one.packet.items):
            for name, words in problems(one.packet, item, today, record):
                yield WrongDecision(one, at, name, words)
            if item.item_key in first:
                words = f"it stands in {first[item.item_key]} already; delete one of them"
                yield WrongDecision(one, at, "email", words)
            first.setdefault(item.item_key, one.file.name)


def verify(folder: Path, record: ReviewRecord) -> Iterator[str]:
    """What is wrong with the evidence of a review, in words, compared with its packets.

    Each decision must follow the listing of that role with these facts, and the packets must still have the facts that
    were listed and the decisions that were applied. Decisions of two branches must agree, and every decision be one.
    """
    yield from record.problems
    packets = read_packets(folder)
    for wrong in wrong_decisions(packets, record, date.max):
        yield str(wrong)
    for one in packets:
        yield from _packet_problems(one, record)
    found = {item.listing_key for one in packets for item in one.packet.items}
    for listing_key, heads in record.decided.items():
        if record.latest_key(listing_key.item_key) != listing_key:
            continue  # the role was listed again since
        if words := record.contradiction(listing_key.item_key):
            yield f"{heads[-1]}: {words}"
        elif listing_key not in found:
            yield f"no packet has the decision that was applied on {heads[-1]}: {heads[-1].outcome}"


def _packet_problems(one: PacketFile, record: ReviewRecord) -> Iterator[str]:
    for item in one.packet.items:
        applied, is_applied = record.applied(item.item_key), record.is_applied(one.packet, item)
        if applied and not is_applied and not record.contradiction(item.item_key):
            yield f"{one.file.name} has another decision than was applied on {applied}: {applied.outcome}"
        elif (item.listing_key in record.listed or not is_applied) and (words := record.unlisted(item)):
            yield f"{one.file.name}: {item}: {words}"


def decide(folder: Path, wish: Wish, today: date) -> Item:
    """Record one decision in the packet that has the item, or clear one that is not applied.

    Raises:
        UsageError: a packet cannot be read or written, no item is meant or several are, or the decision is none.
    """
    if wish.decision not in (*DECISIONS, CLEAR):
        raise UsageError(
            "cannot decide",
            subject=wish.email,
            why=_no_decision(wish.decision),
            next_step="Nothing was written. Say keep, lower=ROLE, remove or clear.",
        )
    _must_be_day(wish.starts)
    record = read_record(folder)
    found = [(one, at) for one in read_packets(folder) for at, item in enumerate(one.packet.items) if wish.means(item)]
    if len(found) != 1:
        raise _not_one(wish, [one.packet.items[at] for one, at in found], folder)
    ((one, at),) = found
    packet = one.packet
    update = _decision(wish, packet, today) if wish.decision != CLEAR else _cleared(packet, at, record)
    item = packet.items[at].model_copy(update=update)
    if wrong := [f"{item}: {words}" for _, words in problems(packet, item, today, record)]:
        raise UsageError("cannot decide", why="; ".join(wrong), next_step="Nothing was written. Correct that.")
    write_packet(folder, packet.model_copy(update={"items": [*packet.items[:at], item, *packet.items[at + 1 :]]}))
    return item


def _decision(wish: Wish, packet: Packet, today: date) -> dict[str, str | None]:
    """What a decision fills in."""
    reviewer = wish.reviewer
    if reviewer is not None and packet.reviewer is not None and same_key(reviewer) == same_key(packet.reviewer):
        reviewer = None
    return {
        "decision": wish.decision,
        "new_role": roles.normalized(wish.new_role) if wish.new_role else None,
        **({"comment": wish.comment} if wish.comment is not None else {}),
        "reviewer": reviewer,
        "decided": today.isoformat(),
    }


def _cleared(packet: Packet, at: int, record: ReviewRecord) -> dict[str, None]:
    """What clearing a decision fills in; raises UsageError if the decision is applied."""
    item = packet.items[at]
    if record.is_applied(packet, item):
        raise UsageError(
            "cannot clear the decision",
            subject=str(item),
            why=f"{item.outcome} is applied",
            next_step="Nothing was written. Decide anew: keep, lower=ROLE or remove.",
        )
    return dict.fromkeys(("decision", "new_role", "decided"))


def _must_be_day(starts: str | None) -> None:
    try:
        if starts:
            day(starts)
    except ValueError:
        raise UsageError(
            "cannot use --starts",
            subject=starts or "",
            why="it is not a date",
            next_step='Write it as YYYY-MM-DD, or "" for the entry without a first day.',
        ) from None


def _not_one(wish: Wish, found: Sequence[Item], folder: Path) -> UsageError:
    if found:
        successive = len({_but_for_the_days(item) for item in found}) < len(found)
        return UsageError(
            "cannot tell which of their roles is meant",
            subject=wish.email,
            why=f"there are {'; '.join(_which(item, found) for item in found)}",
            next_step="Name it with --stack, --project or --organization, "
            + ("--engagement, and --starts" if successive else "and --engagement")
            + '; "" stands for none.',
        )
    everybody = sorted({item.key for one in read_packets(folder) for item in one.packet.items})
    like = "" if same_key(wish.email) in everybody else meant_address(wish.email, everybody)
    return UsageError(
        "cannot find what is to be decided",
        subject=wish.email,
        why=f"no packet in {folder} has it{like}",
        next_step="See `mixpanel-access review status`, or bring the packets up to date: mixpanel-access review start",
    )


def _which(item: Item, found: Sequence[Item]) -> str:
    """An item among others: with its engagement and its first day where another has a different one."""
    words = f"{item.project or ORGANIZATION} in stack {item.stack}"
    if item.engagement:
        words += f" with the engagement {item.engagement}"
    elif any(one.engagement for one in found):
        words += " without an engagement"
    if sum(_but_for_the_days(one) == _but_for_the_days(item) for one in found) > 1:
        words += f" from {item.starts}" if item.starts else " without a first day"
    return words


def _but_for_the_days(item: Item) -> tuple[str, str | None, str | None]:
    return item.stack, item.project, item.engagement
