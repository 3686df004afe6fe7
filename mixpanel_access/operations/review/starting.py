"""Begin a review, or bring it up to date: the packets of what is there now, and every decision kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mixpanel_access.directory.other_access import read_other_access
from mixpanel_access.files.lines import Say, append_lines, read_lines
from mixpanel_access.model.access import OtherAccess
from mixpanel_access.model.address import same_key
from mixpanel_access.operations.overview import Overview
from mixpanel_access.operations.review import evidence
from mixpanel_access.operations.review.files import PacketFile, drop_packet, file_name, read_packets, write_packet
from mixpanel_access.operations.review.listing import Listed, items, unmanaged
from mixpanel_access.operations.review.packet import FILLED_IN, Item, ItemKey, Packet, Unmanaged


@dataclass(frozen=True)
class Begun:
    """A review that was begun.

    Attributes:
        folder: its folder.
        packets: the packets, each with its file.
        other_access: the access that no stack manages.
    """

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
    overview: Overview, domains: Mapping[str, frozenset[str]], by: str, folder: Path, say: Say | None = None
) -> Begun:
    """Write one packet a reviewer; decisions that were made stay, in the packet in which they were made.

    Args:
        overview: the stacks that are looked at; what the packets have of others stays.
        domains: stack -> the company's e-mail domains, lower case.
        by: who is asked; one of `REVIEWERS`.
        folder: the review's folder; its name is the review's.
        say: shows a line about the evidence.

    Raises:
        UsageError: a packet cannot be read or written.
        MixpanelError: Mixpanel cannot be read.
    """
    before = read_packets(folder)
    file = evidence.file_of(folder)
    lines = read_lines(file, evidence.EvidenceLine, say)
    other = read_other_access(overview.directory, overview.projects.keys(), overview.now)
    unknown = [str(one) for one in other if not one.known]
    packets = packets_of(
        [one.packet for one in before],
        items(overview, domains, by, other),
        unmanaged(overview),
        overview.stacks.keys(),
        Packet(review=folder.name, made=overview.today.isoformat(), unknown=unknown),
    )
    written = [PacketFile(write_packet(folder, packet), packet) for packet in packets]
    for old in before:
        if old.file not in {one.file for one in written}:
            drop_packet(old.file)
    known = {(line.item_key, line.role) for line in lines if line.event == evidence.ReviewEvent.LISTED}
    new = [
        evidence.listed(item, folder.name, packet.reviewer_of(item), overview.now)
        for packet in packets
        for item in packet.items
        if (item.item_key, item.role) not in known
    ]
    append_lines(file, new, lines)
    return Begun(folder, written, other)


def packets_of(
    before: Sequence[Packet],
    listed: Sequence[Listed],
    rows: Sequence[Unmanaged],
    stacks: Collection[str],
    empty: Packet,
) -> list[Packet]:
    """The packets that are to be there. Pure.

    Args:
        before: those that are there.
        listed: what is there to review now, in the stacks that are looked at.
        rows: what no roster gives, in those.
        stacks: the stacks that are looked at.
        empty: a packet with the review and the day on which it is begun.
    """
    reviewers: dict[str, str | None] = {}
    content: dict[str, list[Item]] = {}
    filled: dict[ItemKey, Item] = {}
    made = min((packet.made for packet in before if packet.made), default=empty.made)

    def put(reviewer: str | None, item: Item) -> None:
        name = file_name(reviewer)
        reviewers.setdefault(name, reviewer)
        content.setdefault(name, []).append(item)

    for packet in before:
        for item in packet.items:
            if item.decision is not None or item.stack not in stacks:
                put(packet.reviewer, item)
            else:
                filled[item.item_key] = item
    kept = {item.item_key for own in content.values() for item in own}
    for one in listed:
        if one.item.item_key not in kept:
            old = filled.get(one.item.item_key)
            said = {name: getattr(old, name) for name in FILLED_IN} if old else {}
            put(one.reviewer, one.item.model_copy(update=said))
    told = [row for packet in before for row in packet.unmanaged if row.stack not in stacks] + list(rows)
    if told:
        reviewers.setdefault(file_name(None), None)
    return [
        empty.model_copy(
            update={
                "made": made,
                "reviewer": reviewer,
                "items": sorted(content.get(name, []), key=_order),
                "unmanaged": told if reviewer is None else (),
            }
        )
        for name, reviewer in sorted(reviewers.items())
    ]


def _order(item: Item) -> tuple[str, str, str, str]:
    return same_key(item.email), item.stack, item.engagement or "", item.project or ""
