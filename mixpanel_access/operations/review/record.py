"""What the evidence of a review adds up to, also where Git merged the lines of two branches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Final

from mixpanel_access.files.lines import Say, read_lines
from mixpanel_access.model.address import same_key
from mixpanel_access.model.dates import instant, written
from mixpanel_access.operations.review.facts import Facts
from mixpanel_access.operations.review.packet import (
    Item,
    ItemKey,
    ListingKey,
    Packet,
    ReviewEvent,
    ReviewLine,
    evidence_file,
)
from mixpanel_access.rules.rule import Suggestion

_COPIED: Final = ("stack", "email", "project", "engagement", "starts", "suggestion", "suggested_role", "reason")
"""What a line that lists an item has from it as it is."""
_AND: Final = " and "
"""Between the decisions of two branches that one replaces."""


@dataclass(kw_only=True)
class ReviewRecord:
    """What the evidence says.

    Attributes:
        lines: its lines as they stand there.
        counted: the lines without the decisions that a second branch applied too.
        listed: the listings of each role, the first one first: the facts may have changed before somebody decided.
        decided: the decisions that were applied and not replaced: one, or several if two branches applied their own.
        latest: the number of the latest listing of each role.
        problems: what does not follow from the lines before, in words.
        doubtful: the decisions that do not follow from the lines before.
    """

    lines: Sequence[ReviewLine]
    counted: list[ReviewLine] = field(default_factory=list)
    listed: dict[ListingKey, list[ReviewLine]] = field(default_factory=dict)
    decided: dict[ListingKey, list[ReviewLine]] = field(default_factory=dict)
    latest: dict[ItemKey, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    doubtful: list[ReviewLine] = field(default_factory=list)

    def latest_key(self, key: ItemKey) -> ListingKey:
        """The latest listing of a role."""
        return ListingKey(key, self.latest.get(key, 1))

    def applied(self, key: ItemKey) -> ReviewLine | None:
        """The decision that was applied to the latest listing of a role, or None."""
        found = self.decided.get(self.latest_key(key), ())
        return found[-1] if found else None

    def contradiction(self, listing_key: ListingKey) -> str:
        """The different decisions of two branches on a listing, in words, or ""."""
        found = self.decided.get(listing_key, ())
        if len({line.outcome for line in found}) < 2:
            return ""
        words = " and ".join(f"{line.outcome} by {line.reviewer} on {line.decided}" for line in found)
        return f"two branches applied different decisions: {words}"

    @property
    def contradicted(self) -> list[ListingKey]:
        """The latest listings on which two branches applied different decisions."""
        return [key for key in self.decided if key == self.latest_key(key.item_key) and self.contradiction(key)]

    def is_applied(self, packet: Packet, item: Item) -> bool:
        """Whether the decision on an item is in the evidence as it is in the packet."""
        says = (item.role, item.decision or "", item.lowered_to, same_key(packet.reviewer_of(item)))
        found = self.decided.get(item.listing_key, ())
        return any(line.says == says for line in found) and not self.contradiction(item.listing_key)

    def replaceable(self, item: Item) -> ReviewLine | None:
        """The decision that was applied to an item; None if there is none, or two branches applied different ones."""
        found = self.decided.get(item.listing_key, ())
        return found[-1] if found and not self.contradiction(item.listing_key) else None

    def put_back(self, packet: Packet, item: Item) -> Item:
        """An item with the decision that was applied to it, or without one."""
        line = self.replaceable(item)
        if line is None:
            return item.model_copy(update=dict.fromkeys(("decision", "new_role", "decided", "replaces")))
        own = same_key(line.reviewer) == same_key(packet.reviewer or "")
        found = {
            "decision": line.decision,
            "new_role": line.new_role or None,
            "comment": line.comment or None,
            "reviewer": None if own else line.reviewer,
            "decided": line.decided or None,
            "replaces": None,
        }
        return item.model_copy(update=found)

    def is_anew(self, item: Item) -> bool:
        """Whether a decision was made after another one was applied, and is not applied yet."""
        line = self.replaceable(item)
        return line is not None and (item.replaces == line.outcome or (item.decided or "") > line.decided)

    def again(self, listing_key: ListingKey, now: Facts) -> str:
        """Why a role with these facts must be listed again after a listing was decided, in words, or ""."""
        found = self.decided.get(listing_key, ())
        if not found:
            return ""
        if words := self.contradiction(listing_key):
            return words
        line = found[-1]
        if line.decision == Suggestion.REMOVE:
            return f"it was given again after the decision to remove it, of {line.decided}, was applied"
        changed = ", ".join(map(str, facts_after(line).more(now)))
        return f"since the decision of {line.decided} was applied, {changed}" if changed else ""

    def next_listing(self, key: ItemKey, now: Facts) -> tuple[int, str]:
        """The number under which a role with these facts is listed now, and why it is not the first one, or ""."""
        latest = self.latest_key(key)
        if words := self.again(latest, now):
            return latest.listing + 1, words
        before = ListingKey(key, latest.listing - 1)
        return latest.listing, "" if latest in self.decided else self.again(before, now)

    def same_listings(self, listed: Item | ReviewLine) -> list[ReviewLine]:
        """The lines that list a role with the same facts, as far as both have them."""
        return _with_facts(self.listed.get(listed.listing_key, ()), Facts.of_listed(listed))

    def unlisted(self, item: Item) -> str:
        """Why an item is not as the evidence lists it, in words, or ""."""
        found = self.listed.get(item.listing_key, ())
        if not found:
            return "the evidence does not list it"
        edits = Facts.of_listed(found[-1]).changes(Facts.of_listed(item))
        words = f"the packet differs from the evidence: {', '.join(map(str, edits))}"
        return "" if self.same_listings(item) else words

    def listed_facts(self, item: Item) -> Facts:
        """The facts of an item, by the evidence where the packet does not have them."""
        own, same = Facts.of_listed(item), self.same_listings(item)
        return Facts.of_listed(same[-1]).but(own.values) if same else own


def _with_facts(listed: Sequence[ReviewLine], facts: Facts) -> list[ReviewLine]:
    return [line for line in listed if not Facts.of_listed(line).changes(facts)]


def first_day(listed: Sequence[ReviewLine]) -> date | None:
    """The day of the first of some listings, or None if there is none."""
    return min((instant(line.date).date() for line in listed), default=None)


def facts_after(line: ReviewLine) -> Facts:
    """The facts of a role after a decision to keep or to lower it."""
    facts = Facts.of_listed(line)
    if not line.new_role:
        return facts
    left = {name: value for name, value in facts.values.items() if name != "permissions"}
    return Facts({**left, "role": line.new_role}, facts.in_project)


def read_record(folder: Path, say: Say | None = None) -> ReviewRecord:
    """What the evidence of a review says.

    Raises:
        UsageError: it cannot be read.
    """
    return record_of_lines(read_lines(evidence_file(folder), ReviewLine, say))


def record_of_lines(lines: Sequence[ReviewLine]) -> ReviewRecord:
    """What lines add up to. A decision that two branches applied counts once."""
    record = ReviewRecord(lines=lines)
    before: dict[ListingKey, list[ReviewLine]] = {}
    for number, line in enumerate(lines, 1):
        key = line.listing_key
        record.latest[key.item_key] = max(line.listing, record.latest.get(key.item_key, 1))
        if line.event == ReviewEvent.LISTED:
            record.listed.setdefault(key, []).append(line)
            record.counted.append(line)
            continue
        earlier, found = before.setdefault(key, []), record.decided.setdefault(key, [])
        if not _counted(found, earlier, line):
            found[:] = [*_left(found, line), line]
            record.counted.append(line)
        if wrong := [*_out_of_turn(line, record.listed.get(key, ()), earlier)]:
            record.problems += (f"line {number} {words}" for words in wrong)
            record.doubtful.append(line)
        earlier.append(line)
    return record


def _left(found: Sequence[ReviewLine], line: ReviewLine) -> list[ReviewLine]:
    """The decisions that one more does not replace. A line of an earlier version replaces all of them."""
    replaced = line.replaces.split(_AND)
    return [one for one in found if line.organization_role and one.outcome not in replaced]


def _counted(found: Sequence[ReviewLine], earlier: Sequence[ReviewLine], line: ReviewLine) -> bool:
    """Whether a decision is the one that another branch applied and that counts already."""
    if not line.organization_role or len(_left(found, line)) < len(found):
        return False
    return any(one.says == line.says for one in (found if line.replaces else earlier))


def _out_of_turn(line: ReviewLine, listed: Sequence[ReviewLine], earlier: Sequence[ReviewLine]) -> Iterator[str]:
    """What is wrong with a decision after the lines before it."""
    first = first_day(_with_facts(listed, Facts.of_listed(line)))
    if first is None:
        alike = " like that" if any(one.role == line.role for one in listed) else ""
        yield f"decides on {line}, which no line before it lists{alike}"
    elif line.organization_role and line.decided and line.decided < first.isoformat():
        yield f"decides on {line} on {line.decided}, before it was listed on {first}"
    unknown = set(line.replaces.split(_AND)) - {"", *(one.outcome for one in earlier)}
    for outcome in sorted(unknown):
        yield f"replaces the decision {outcome} on {line}, which no line before it has"


def listed_line(item: Item, review: str, reviewer: str, now: datetime) -> ReviewLine:
    """The line that says that a reviewer was asked about an item."""
    return ReviewLine(
        date=written(now),
        event=ReviewEvent.LISTED.value,
        review=review,
        reviewer=reviewer,
        **{name: getattr(item, name) or "" for name in _COPIED},
        listing=item.listing,
        **(Facts.of_listed(item).values if item.organization_role else {"role": item.role}),
    )


def decided_line(packet: Packet, item: Item, now: datetime, record: ReviewRecord) -> ReviewLine:
    """The line that says that a decision was applied, but for the roster."""
    old = dict.fromkeys(one.outcome for one in record.decided.get(item.listing_key, ()))
    return replace(
        listed_line(item, packet.review, packet.reviewer_of(item), now),
        event=ReviewEvent.DECIDED.value,
        decided=item.decided_on(now.date()).isoformat(),
        decision=item.decision or "",
        new_role=item.lowered_to,
        comment=item.comment or "",
        replaces=_AND.join(old),
    )
