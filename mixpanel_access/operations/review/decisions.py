"""The items of a review and how far each is: what `review status` shows, and what `review apply` does. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Final

from mixpanel_access.model import roles
from mixpanel_access.model.address import problem_with, same_key
from mixpanel_access.model.dates import day
from mixpanel_access.model.grouping import grouped
from mixpanel_access.model.similarity import unknown
from mixpanel_access.operations.review.facts import FactChange, Facts, RosterRoles, reviewed_parts
from mixpanel_access.operations.review.files import PacketFile
from mixpanel_access.operations.review.packet import DECISIONS, EntryKey, Item, ItemKey, Packet
from mixpanel_access.operations.review.record import ReviewRecord, facts_after, first_day
from mixpanel_access.operations.review.suggesting import is_lower
from mixpanel_access.rules.rule import Suggestion

START: Final = "`mixpanel-access review start`"
_WITH_THE_ENTRY: Final = "the organization role goes with the whole entry"


class ItemStatus(StrEnum):
    """How far an item is."""

    UNDECIDED = "undecided"
    APPLIED = "applied"
    WAITING = "waiting"
    """Decided, and not applied yet."""
    STALE = "stale"
    """Decided, but for access that has changed since."""
    WRONG = "wrong"
    """Somebody must correct it in the packet."""


@dataclass(frozen=True, kw_only=True)
class ReviewedItem:
    """An item of a packet, and how far it is.

    Attributes:
        at: its position in the packet.
        why: what has changed since it was listed or what is wrong, with what to do; "" if nothing.
        field: the field of the item that `why` is about.
    """

    packet_file: PacketFile
    at: int
    status: ItemStatus
    why: str = ""
    field: str = "role"

    @property
    def packet(self) -> Packet:
        """The packet that has it."""
        return self.packet_file.packet

    @property
    def item(self) -> Item:
        """The item of the packet."""
        return self.packet.items[self.at]

    @property
    def line(self) -> int:
        """The line in the packet's file that `why` is about."""
        return self.packet_file.line(self.at, self.field)

    def __str__(self) -> str:
        return f"{self.packet_file.file.name}:{self.line}: {self.item}: {self.why}"


def decisions_of(
    packets: Sequence[PacketFile], record: ReviewRecord, rosters: Mapping[str, RosterRoles], today: date
) -> list[ReviewedItem]:
    """Every item of a review with its status, by the rosters of their stacks."""
    found = [*checked_items(packets, record, today)]
    lowered = {
        one.item.entry: one.item.lowered_to
        for one in found
        if one.item.project is None and one.item.decision == Suggestion.LOWER
    }
    check = _RosterCheck(record, rosters, lowered, today)
    found = [check.compared(one) for one in found]
    entries = grouped((one.item.entry, one) for one in found)
    return [check.with_its_entry(one, entries[one.item.entry]) for one in found]


def checked_items(packets: Sequence[PacketFile], record: ReviewRecord, today: date) -> Iterator[ReviewedItem]:
    """Every item with its status and what is wrong with it, compared with no roster."""
    first: dict[ItemKey, str] = {}
    for one in packets:
        for at, item in enumerate(one.packet.items):
            wrong = [*problems(one.packet, item, today, record)]
            if item.item_key in first:
                wrong.append(("email", f"{first[item.item_key]} already has it; delete one of them"))
            first.setdefault(item.item_key, one.file.name)
            if wrong:
                status = ItemStatus.WRONG
            elif item.decision is None:
                status = ItemStatus.UNDECIDED
            else:
                status = ItemStatus.APPLIED if record.is_applied(one.packet, item) else ItemStatus.WAITING
            field, why = wrong[0][0] if wrong else "role", "; ".join(words for _, words in wrong)
            yield ReviewedItem(packet_file=one, at=at, status=status, why=why, field=field)


@dataclass(frozen=True)
class _RosterCheck:
    """What decisions are compared with.

    Attributes:
        rosters: the roles that the roster of each stack gives; none for a stack without a roster.
        lowered: the organization roles to which decisions in the packets lower entries.
    """

    record: ReviewRecord
    rosters: Mapping[str, RosterRoles]
    lowered: Mapping[EntryKey, str]
    today: date

    def compared(self, one: ReviewedItem) -> ReviewedItem:
        """An item with what has changed since it was listed."""
        if one.status is ItemStatus.UNDECIDED:
            words = self._changed(one.item)
            return replace(one, why=f"{words}; run {START}") if words else one
        words = self._problem(one.item) if one.status is ItemStatus.WAITING else ""
        return replace(one, status=ItemStatus.STALE, why=words) if words else one

    def with_its_entry(self, one: ReviewedItem, entry: Iterable[ReviewedItem]) -> ReviewedItem:
        """An item after the other decisions on its entry: the organization role cannot go while a project stays."""
        if not _is_removed(one) or one.item.project is not None:
            return one
        found = self.rosters[one.item.stack].entries.get(one.item.entry)
        gone = {other.item.project for other in entry if _is_removed(other)}
        if found is None or gone.issuperset(reviewed_parts(found)):
            return one
        if any(other.status is ItemStatus.STALE for other in entry):
            words = f"{_WITH_THE_ENTRY}, and another role of it has changed; decide on that first"
            return replace(one, status=ItemStatus.STALE, why=words)
        words = f"{_WITH_THE_ENTRY}: lower it to member, or remove all the projects too"
        return replace(one, status=ItemStatus.WRONG, why=words, field="decision")

    def _changed(self, item: Item) -> str:
        """What has changed of an item that is not decided, in words, or ""."""
        there = self.rosters.get(item.stack)
        now = there.facts(item.item_key) if there else None
        if now is None:
            return "the roster does not give it any more"
        return ", ".join(map(str, self._changes(item, now)))

    def _problem(self, item: Item) -> str:
        """Why a decision cannot be applied, with what to do, or "" if it holds."""
        record, there, key = self.record, self.rosters.get(item.stack), item.item_key
        clear = f"run `mixpanel-access review decide {item.email} clear {item.options}`, then {START}"
        if there is None:
            return f"the stack {item.stack} has no roster; {clear}"
        if words := record.unlisted(item):
            return f"{words}; take the review's folder back from version control, or {clear}"
        now = there.facts(key)
        if now is None:
            words = self._gone(item, there)
            return f"{words}; {clear}" if words else ""
        latest = record.latest_key(key)
        if words := record.again(latest, now) or ("it is listed again" if item.listing_key != latest else ""):
            return f"{words}; run {START}, and decide on the new item"
        found = ", ".join(map(str, self._changes(item, now)))
        return f"since it was listed, {found}; {clear}" if found else ""

    def _gone(self, item: Item, there: RosterRoles) -> str:
        """Why a decision does not hold for what the roster does not give any more, or ""."""
        moved = there.moved(item, self.record.latest, self.today)
        if moved is None:
            return "" if item.decision == Suggestion.REMOVE else "the roster does not give it any more"
        now = {"engagement": moved.entry.engagement, "starts": moved.entry.starts, "project": moved.project}
        found = [FactChange(name, getattr(item, name) or "", value or "") for name, value in now.items()]
        return f"since it was listed, {', '.join(str(one) for one in found if one.was != one.now)}"

    def _changes(self, item: Item, now: Facts) -> list[FactChange]:
        """What has changed of an item since it was listed, except what decisions of this review have done."""
        was, applied = self.record.listed_facts(item), self.record.applied(item.item_key)
        if applied:
            was = was.but({"role": facts_after(applied).values["role"]})
        done = {"organization_role": self.lowered.get(item.entry, "")}
        if item.decision == Suggestion.LOWER:
            done["role"] = item.lowered_to
        return [change for change in was.changes(now) if done.get(change.name) != change.now]


def _is_removed(one: ReviewedItem) -> bool:
    return one.status is ItemStatus.WAITING and one.item.decision == Suggestion.REMOVE


def problems(packet: Packet, item: Item, today: date, record: ReviewRecord) -> Iterator[tuple[str, str]]:
    """What is wrong with the decision on an item: the field, and in words. The evidence says when it was listed."""
    if item.decision is None:
        if item.new_role is not None:
            yield "new_role", "there is a newRole and no decision"
        return
    if item.decision not in DECISIONS:
        yield "decision", not_a_decision(item.decision)
    elif item.decision == Suggestion.LOWER:
        yield from _lowered(item)
    elif item.new_role is not None:
        yield "new_role", "newRole is for the decision lower"
    reviewer = packet.reviewer_of(item)
    if not reviewer:
        yield "decision", "nobody is named who decided: fill in reviewer, or use --reviewer"
    elif reason := problem_with(reviewer):
        yield "reviewer", f"the reviewer, {reviewer!r}, is not an e-mail address ({reason})"
    elif same_key(reviewer) == item.key:
        yield "reviewer", f"{item.email} cannot decide on their own access: name another reviewer"
    if item.decided is not None and (words := _wrong_day(packet, item, today, record)):
        yield "decided", words


def not_a_decision(written: str) -> str:
    """What is wrong with a word that is not a decision."""
    return unknown(written, "decision", [one.value for one in DECISIONS])


def _lowered(item: Item) -> Iterator[tuple[str, str]]:
    in_project, new = item.project is not None, item.lowered_to
    own = [roles.normalized(key) for key in item.custom_roles]
    known = [*roles.PROJECT_ROLES, *own] if in_project else roles.ORGANIZATION_ROLES
    custom = [role for role in (new, item.role) if role in own or roles.is_role_id(role)]
    if not new:
        yield "decision", "lower needs a role: lower=ROLE, or newRole in the packet"
    elif new not in known and not (in_project and roles.is_role_id(new)):
        yield "new_role", unknown(new, "project role" if in_project else "organization role", known)
    elif new == item.role or not (custom or is_lower(new, item.role, in_project=in_project)):
        yield "new_role", f"{new} is not lower than {item.role}"


def _wrong_day(packet: Packet, item: Item, today: date, record: ReviewRecord) -> str:
    try:
        decided = day(item.decided or "")
    except ValueError:
        return f"{item.decided!r} is not a date; write it as YYYY-MM-DD"
    if decided > today:
        return f"it was decided on {decided}, which is in the future (today is {today})"
    if packet.made is not None and decided.isoformat() < packet.made:
        return f"it was decided on {decided}, before the review was started on {packet.made}"
    listed = first_day(record.same_listings(item))
    return (
        f"it was decided on {decided}, before it was listed like that on {listed}"
        if listed and decided < listed
        else ""
    )
