"""What the evidence of a review adds up to, also where Git merged the lines of two branches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Final

from mixpanel_access.files.lines import Say, read_lines
from mixpanel_access.model import roles
from mixpanel_access.model.address import same_key
from mixpanel_access.model.dates import instant, written
from mixpanel_access.operations.review.facts import Facts, changes, columns_of, facts_of, more
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

_AND: Final = " and "
"""Between the decisions of two branches that one replaces."""


@dataclass(frozen=True)
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
    counted: Sequence[ReviewLine]
    listed: Mapping[ListingKey, Sequence[ReviewLine]]
    decided: Mapping[ListingKey, Sequence[ReviewLine]]
    latest: Mapping[ItemKey, int]
    problems: Sequence[str]
    doubtful: Sequence[ReviewLine]

    def latest_key(self, key: ItemKey) -> ListingKey:
        """The latest listing of a role."""
        return ListingKey(key, self.latest.get(key, 1))

    def applied(self, key: ItemKey) -> ReviewLine | None:
        """The decision that was applied to the latest listing of a role, or None."""
        found = self.decided.get(self.latest_key(key), ())
        return found[-1] if found else None

    def contradiction(self, key: ItemKey) -> str:
        """The different decisions of two branches on the latest listing of a role, in words, or ""."""
        return self._contradiction(self.latest_key(key))

    def _contradiction(self, listing_key: ListingKey) -> str:
        found = self.decided.get(listing_key, ())
        if len({line.outcome for line in found}) < 2:
            return ""
        words = " and ".join(f"{line.outcome} by {line.reviewer} on {line.decided}" for line in found)
        return f"two branches applied different decisions: {words}"

    @property
    def contradicted(self) -> list[ItemKey]:
        """The roles on which two branches applied different decisions."""
        return [listing_key.item_key for listing_key in self.decided if self.contradiction(listing_key.item_key)]

    def is_applied(self, packet: Packet, item: Item) -> bool:
        """Whether the decision on an item is in the evidence as it stands in the packet."""
        says = (
            item.role,
            item.decision or "",
            roles.normalized(item.new_role or ""),
            same_key(packet.reviewer_of(item)),
        )
        found = self.decided.get(item.listing_key, ())
        return any(line.says == says for line in found) and not self.contradiction(item.item_key)

    def again(self, key: ItemKey, now: Facts) -> str:
        """Why a role that the roster gives must be listed again after a decision was applied, in words, or ""."""
        return self._again(self.latest_key(key), now)

    def next_listing(self, key: ItemKey, now: Facts) -> tuple[int, str]:
        """The number under which a role that the roster gives is listed now, and why it is not the first one, or ""."""
        listing_key = self.latest_key(key)
        if words := self._again(listing_key, now):
            return listing_key.listing + 1, words
        before = ListingKey(key, listing_key.listing - 1)
        return listing_key.listing, "" if listing_key in self.decided else self._again(before, now)

    def _again(self, listing_key: ListingKey, now: Facts) -> str:
        found = self.decided.get(listing_key, ())
        if not found:
            return ""
        if words := self._contradiction(listing_key):
            return words
        line = found[-1]
        if line.decision == Suggestion.REMOVE:
            return f"it was given again after the decision to remove it, of {line.decided}, was applied"
        changed = ", ".join(map(str, more(after(line), now, in_project=listing_key.item_key.project is not None)))
        return f"since the decision of {line.decided} was applied, {changed}" if changed else ""

    def unlisted(self, item: Item) -> str:
        """Why an item is not as the evidence lists it, in words, or ""."""
        found = self.listed.get(item.listing_key, ())
        if not found:
            return "the evidence does not list it"
        own = facts_of(item)
        edits = [list(changes(facts_of(line), own)) for line in found]
        return "" if [] in edits else f"the packet differs from the evidence: {', '.join(map(str, edits[-1]))}"

    def listed_facts(self, item: Item) -> Facts:
        """The facts of an item, by the evidence where the packet does not have them."""
        own = facts_of(item)
        same = _with_facts(self.listed.get(item.listing_key, ()), own)
        return {**(facts_of(same[-1]) if same else {}), **own}

    def first_listed(self, item: Item) -> date | None:
        """The day on which an item was first listed as it is, or None."""
        return _first_day(_with_facts(self.listed.get(item.listing_key, ()), facts_of(item)))


def _with_facts(listed: Sequence[ReviewLine], facts: Facts) -> list[ReviewLine]:
    """The listings with these facts; a fact that one of both does not have is not compared."""
    return [line for line in listed if not list(changes(facts_of(line), facts))]


def _first_day(listed: Sequence[ReviewLine]) -> date | None:
    return min((instant(line.date).date() for line in listed), default=None)


def after(line: ReviewLine) -> Facts:
    """The facts of a role after a decision to keep or to lower it."""
    facts = facts_of(line)
    if not line.new_role:
        return facts
    return {name: value for name, value in facts.items() if name != "permissions"} | {"role": line.new_role}


def read_record(folder: Path, say: Say | None = None) -> ReviewRecord:
    """What the evidence of a review says.

    Raises:
        UsageError: it cannot be read.
    """
    return record_of_lines(read_lines(evidence_file(folder), ReviewLine, say))


def record_of_lines(lines: Sequence[ReviewLine]) -> ReviewRecord:
    """What lines add up to. A decision that two branches applied counts once."""
    counted: list[ReviewLine] = []
    listed: dict[ListingKey, list[ReviewLine]] = {}
    decided: dict[ListingKey, list[ReviewLine]] = {}
    before: dict[ListingKey, list[ReviewLine]] = {}
    latest: dict[ItemKey, int] = {}
    problems: list[str] = []
    doubtful: list[ReviewLine] = []
    for number, line in enumerate(lines, 1):
        latest[line.item_key] = max(line.listing, latest.get(line.item_key, 1))
        if line.event == ReviewEvent.LISTED:
            listed.setdefault(line.listing_key, []).append(line)
            counted.append(line)
            continue
        earlier, found = before.setdefault(line.listing_key, []), decided.setdefault(line.listing_key, [])
        if not _counted(found, earlier, line):
            found[:] = [*_left(found, line), line]
            counted.append(line)
        if wrong := [*_out_of_turn(line, listed.get(line.listing_key, ()), earlier)]:
            problems += (f"line {number} {words}" for words in wrong)
            doubtful.append(line)
        earlier.append(line)
    return ReviewRecord(
        lines=lines,
        counted=counted,
        listed=listed,
        decided=decided,
        latest=latest,
        problems=problems,
        doubtful=doubtful,
    )


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
    first = _first_day(_with_facts(listed, facts_of(line)))
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
        stack=item.stack,
        email=item.email,
        project=item.project or "",
        engagement=item.engagement or "",
        starts=item.starts or "",
        role=item.role,
        suggestion=item.suggestion,
        suggested_role=item.suggested_role or "",
        reason=item.reason,
        reviewer=reviewer,
        listing=item.listing,
        **columns_of(item),
    )


def decided_line(listed: ReviewLine, item: Item, day: date, record: ReviewRecord) -> ReviewLine:
    """The line that says that a decision was applied, but for the roster."""
    old = dict.fromkeys(one.outcome for one in record.decided.get(item.listing_key, ()))
    return replace(
        listed,
        event=ReviewEvent.DECIDED.value,
        decided=day.isoformat(),
        decision=item.decision or "",
        new_role=roles.normalized(item.new_role) if item.new_role else "",
        comment=item.comment or "",
        replaces=_AND.join(old),
    )
