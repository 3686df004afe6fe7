"""One decision from the command line, and whether the decisions in the packets agree with the evidence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from mixpanel_access.model import roles
from mixpanel_access.model.address import same_key
from mixpanel_access.model.dates import day
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.similarity import meant_address
from mixpanel_access.operations.review.decisions import ItemStatus, checked_items, not_a_decision, problems
from mixpanel_access.operations.review.files import PacketFile, read_packets, write_packet
from mixpanel_access.operations.review.packet import DECISIONS, Item, Packet
from mixpanel_access.operations.review.record import ReviewRecord, read_record

CLEAR: Final = "clear"
"""The word for no decision, on the command line."""


class SeveralRoles(UsageError):
    """A decision that could be about several roles.

    Attributes:
        choices: the options that select each of them.
    """

    choices: Sequence[str] = ()


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


def verify(folder: Path, record: ReviewRecord) -> Iterator[str]:
    """What is wrong with the evidence of a review, in words, compared with its packets.

    Each decision must follow the listing of that role with these facts, and the packets must still have the facts that
    were listed and the decisions that were applied, unless somebody has decided anew since. Decisions of two branches
    must agree, and every decision be one.
    """
    yield from record.problems
    packets = read_packets(folder)
    yield from (str(one) for one in checked_items(packets, record, date.max) if one.status is ItemStatus.WRONG)
    for one in packets:
        yield from _packet_problems(one, record)
    found = {item.listing_key for one in packets for item in one.packet.items}
    for key, heads in record.decided.items():
        if record.latest_key(key.item_key) != key:
            continue  # the role was listed again since
        if words := record.contradiction(key):
            yield f"{heads[-1]}: {words}"
        elif key not in found:
            yield f"no packet has the decision that was applied on {heads[-1]}: {heads[-1].outcome}"


def _packet_problems(one: PacketFile, record: ReviewRecord) -> Iterator[str]:
    for item in one.packet.items:
        applied, is_applied = record.applied(item.item_key), record.is_applied(one.packet, item)
        is_lost = applied and not is_applied and not record.contradiction(applied.listing_key)
        if applied and is_lost and (item.decision is None or not record.is_anew(item)):
            yield f"{one.file.name} has another decision than was applied on {applied}: {applied.outcome}"
        elif (item.listing_key in record.listed or not is_applied) and (words := record.unlisted(item)):
            yield f"{one.file.name}: {item}: {words}"


def decided_anew(folder: Path, record: ReviewRecord) -> list[Item]:
    """The items with a decision that is to replace an applied one."""
    packets = [one.packet for one in read_packets(folder)]
    found = [(packet, item) for packet in packets for item in packet.items if item.decision and record.is_anew(item)]
    return [item for packet, item in found if not record.is_applied(packet, item)]


def decide(folder: Path, wish: Wish, today: date) -> Item:
    """Record one decision in the packet that has the item, or clear one; an applied one that it replaced comes back.

    Raises:
        UsageError: a packet cannot be read or written, no item is meant or several are, or the decision is none.
    """
    if wish.decision not in (*DECISIONS, CLEAR):
        raise UsageError(
            "cannot decide",
            subject=wish.email,
            why=not_a_decision(wish.decision),
            next_step="Nothing was written. Say keep, lower=ROLE, remove or clear.",
        )
    _must_be_day(wish.starts)
    record = read_record(folder)
    found = [(one, at) for one in read_packets(folder) for at, item in enumerate(one.packet.items) if wish.means(item)]
    if len(found) != 1:
        raise _not_one(wish, [one.packet.items[at] for one, at in found], folder)
    ((one, at),) = found
    packet, item = one.packet, one.packet.items[at]
    if wish.decision == CLEAR:
        item = _cleared(packet, item, record)
    else:
        old = record.replaceable(item)
        item = item.model_copy(update={**_decision(wish, packet, today), "replaces": old.outcome if old else None})
    if wrong := [words for _, words in problems(packet, item, today, record)]:
        raise UsageError("cannot decide", subject=str(item), why="; ".join(wrong), next_step="Nothing was written.")
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


def _cleared(packet: Packet, item: Item, record: ReviewRecord) -> Item:
    """An item without the decision that is not applied; raises UsageError if the decision is applied."""
    if record.is_applied(packet, item):
        raise UsageError(
            "cannot clear the decision",
            subject=str(item),
            why=f"{item.outcome} is applied",
            next_step="Nothing was written. Decide anew: keep, lower=ROLE or remove.",
        )
    return record.put_back(packet, item)


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
        error = SeveralRoles(
            "cannot decide",
            subject=wish.email,
            why=f"they have {len(found)} such roles in this review",
            next_step="Select one with its options, which are listed above.",
        )
        error.choices = [_options(item, found) for item in found]
        return error
    everybody = sorted({item.key for one in read_packets(folder) for item in one.packet.items})
    like = "" if same_key(wish.email) in everybody else meant_address(wish.email, everybody)
    return UsageError(
        "cannot decide",
        subject=wish.email,
        why=f"no packet in {folder} has such a role of theirs{like}",
        next_step="See `mixpanel-access review status`, or bring the packets up to date: mixpanel-access review start",
    )


def _options(item: Item, others: Sequence[Item]) -> str:
    """The options that select an item, also from others with an engagement or a first day."""
    words = item.options
    for name in ("engagement", "starts"):
        if not getattr(item, name) and any(getattr(other, name) for other in others):
            words += f' --{name} ""'
    return words
