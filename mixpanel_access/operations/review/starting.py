"""Begin a review, or bring it up to date: one packet a reviewer, and the evidence of what was listed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mixpanel_access.directory.other_access import read_other_access
from mixpanel_access.files.lines import Say, append_lines
from mixpanel_access.model.access import OtherAccess
from mixpanel_access.model.address import same_key
from mixpanel_access.operations.overview import Overview
from mixpanel_access.operations.review.facts import Facts
from mixpanel_access.operations.review.files import PacketFile, file_name, make_folder, read_packets, write_packet
from mixpanel_access.operations.review.listing import Listed, listed_roles, unmanaged
from mixpanel_access.operations.review.owners import with_two_owners
from mixpanel_access.operations.review.packet import Item, ItemKey, Packet, Unmanaged, evidence_file
from mixpanel_access.operations.review.record import ReviewRecord, listed_line, read_record
from mixpanel_access.rules.rule import Suggestion

_CARRIED: Final = ("comment", "reviewer")
"""What a reviewer filled in of an item that is not decided, and that stays."""


@dataclass(frozen=True)
class Begun:
    """A review that was begun."""

    folder: Path
    packets: Sequence[PacketFile]
    other_access: Sequence[OtherAccess]

    @property
    def unassigned(self) -> list[Item]:
        """What has no reviewer."""
        return [item for one in self.packets if one.packet.reviewer is None for item in one.packet.items]

    @property
    def unmanaged(self) -> list[Unmanaged]:
        """What no roster gives."""
        return [row for one in self.packets for row in one.packet.unmanaged]


def begin(
    overview: Overview, by: str, folder: Path, existing: Collection[str] | None = None, say: Say | None = None
) -> Begun:
    """Write one packet a reviewer; decisions that were made stay, in the packet in which they were made.

    What the packets have of stacks that are not in the overview stays, as long as they are among the `existing` stacks.

    Raises:
        UsageError: a packet cannot be read or written.
    """
    before = read_packets(folder)
    record = read_record(folder, say)
    other = read_other_access(overview.directory, overview.projects.keys(), overview.now)
    unknown = [str(one) for one in other if not one.known]
    packets = packets_of(
        [_without_undecided(one.packet, existing) for one in before],
        record,
        listed_roles(overview, by, other),
        unmanaged(overview),
        overview.stacks.keys(),
        Packet(review=folder.name, made=overview.today.isoformat(), unknown=unknown),
    )
    packets = with_two_owners(packets, overview.directory.people(), overview.directory.key_of)
    new = [
        listed_line(item, folder.name, packet.reviewer_of(item), overview.now)
        for packet in packets
        for item in packet.items
        if item.decision is None and item.stack in overview.stacks and _to_list(item, record)
    ]
    make_folder(folder)
    append_lines(evidence_file(folder), new, record.lines)  # first, so that no packet has what is not listed
    written = [PacketFile(write_packet(folder, packet), packet) for packet in packets]
    for old in before:
        if old.file not in {one.file for one in written}:
            for gone in (old.file, old.file.with_suffix(".md")):
                gone.unlink(missing_ok=True)
    return Begun(folder, written, other)


def _without_undecided(packet: Packet, existing: Collection[str] | None) -> Packet:
    """A packet without what is undecided of stacks that do not exist any more."""
    left = [item for item in packet.items if existing is None or item.decision is not None or item.stack in existing]
    return packet.model_copy(update={"items": left})


def _to_list(item: Item, record: ReviewRecord) -> bool:
    """Whether the evidence does not list an item as it is now."""
    found = record.listed.get(item.listing_key, ())
    facts = Facts.of_listed(item)
    return not found or not found[-1].organization_role or bool(Facts.of_listed(found[-1]).changes(facts))


def packets_of(
    before: Sequence[Packet],
    record: ReviewRecord,
    listed: Sequence[Listed],
    rows: Sequence[Unmanaged],
    stacks: Collection[str],
    empty: Packet,
) -> list[Packet]:
    """The packets of a review. Pure."""
    content: dict[str, tuple[str | None, list[Item]]] = {}

    def items_for(reviewer: str | None) -> list[Item]:
        return content.setdefault(file_name(reviewer), (reviewer, []))[1]

    again = {
        key for one in listed if record.again(record.latest_key(key := one.item.item_key), Facts.of_listed(one.item))
    }
    kept: set[tuple[ItemKey, str]] = set()
    for packet in before:
        for item in packet.items:
            if (item.item_key, item.outcome) not in kept and _stays(item, record, again, stacks):
                kept.add((item.item_key, item.outcome))
                items_for(packet.reviewer).append(item)
    there = {key for key, _ in kept}
    filled = {item.item_key: item for packet in before for item in packet.items if item.decision is None}
    for one in listed:
        if (key := one.item.item_key) not in there:
            items_for(one.reviewer).append(_listed(one.item, filled.get(key), record))
    told = [row for packet in before for row in packet.unmanaged if row.stack not in stacks] + list(rows)
    if told:
        items_for(None)
    made = min((packet.made for packet in before if packet.made), default=empty.made)
    packets = []
    for _, (reviewer, own) in sorted(content.items()):
        more = told if reviewer is None else ()
        update = {"made": made, "reviewer": reviewer, "items": sorted(own, key=_order), "unmanaged": more}
        packets.append(empty.model_copy(update=update))
    return packets


def _stays(item: Item, record: ReviewRecord, again: Collection[ItemKey], stacks: Collection[str]) -> bool:
    """Whether an item stays as it is: a decision does, unless the role must be listed again."""
    if item.stack not in stacks:
        return True
    current = item.listing >= record.latest_key(item.item_key).listing
    return item.decision is not None and current and item.item_key not in again


def _listed(item: Item, old: Item | None, record: ReviewRecord) -> Item:
    """An item as it is listed: with what the reviewer filled in, and with why it is listed again."""
    listing, again = record.next_listing(item.item_key, Facts.of_listed(item))
    update: dict[str, Any] = {"listing": listing}
    if old is not None and old.listing == listing:
        update |= {name: getattr(old, name) for name in _CARRIED}
    if again:
        update["reason"] = f"{again}; {item.reason}"
        if item.suggestion == Suggestion.KEEP:
            update["suggestion"] = Suggestion.CHECK.value
    return item.model_copy(update=update)


def _order(item: Item) -> tuple[str, str, str, str]:
    return same_key(item.email), item.stack, item.engagement or "", item.project or ""
