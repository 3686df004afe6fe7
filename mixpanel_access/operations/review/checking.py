"""Whether a decision still holds for what stands in the roster. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from mixpanel_access.model import roles
from mixpanel_access.operations.review.facts import FactChange, Facts, RosterRoles, changes
from mixpanel_access.operations.review.packet import EntryKey, Item
from mixpanel_access.operations.review.record import ReviewRecord, after
from mixpanel_access.rules.rule import Suggestion

START_AGAIN: Final = "clear its decision, and run `mixpanel-access review start` again"


@dataclass(frozen=True)
class DecisionCheck:
    """What decisions on the roles of one stack are held against.

    Attributes:
        roles: what the stack's roster gives; None if it has none.
        lowered: the organization roles to which decisions in the packets lower entries.
    """

    roles: RosterRoles | None
    record: ReviewRecord
    lowered: Mapping[EntryKey, str]
    today: date

    def problem(self, item: Item) -> str:
        """Why the decision on an item cannot be applied, with what to do, or "" if it holds."""
        if self.roles is None:
            return f"the stack {item.stack} has no roster; {START_AGAIN}"
        key, record = item.item_key, self.record
        if words := record.unlisted(item):
            return f"{words}; take the review's folder back from version control, or {START_AGAIN}"
        now = self.roles.facts(key)
        if now is None:
            return self._gone(item)
        if words := record.again(key, now) or (
            "it is listed again" if item.listing_key != record.latest_key(key) else ""
        ):
            return f"{words}; run `mixpanel-access review start` again, and decide on the new item"
        found = ", ".join(map(str, self._changes(item, now)))
        return f"since it was listed, {found}; {START_AGAIN}" if found else ""

    def changed(self, item: Item) -> str:
        """What has changed of an item that is not decided, in words, or ""."""
        now = self.roles.facts(item.item_key) if self.roles else None
        if now is None:
            return "the roster does not give it any more"
        return ", ".join(map(str, self._changes(item, now)))

    def _gone(self, item: Item) -> str:
        """Why a decision does not hold on what the roster does not give any more."""
        moved = self.roles.moved(item, self.record.latest, self.today) if self.roles else None
        if moved:
            now = {"engagement": moved.entry.engagement, "starts": moved.entry.starts, "project": moved.project}
            found = [FactChange(name, getattr(item, name) or "", value or "") for name, value in now.items()]
            what = ", ".join(str(one) for one in found if one.was != one.now)
            return f"since it was listed, {what}; {START_AGAIN}"
        return "" if item.decision == Suggestion.REMOVE else f"the roster has it no longer; {START_AGAIN}"

    def _changes(self, item: Item, now: Facts) -> list[FactChange]:
        """What has changed of an item since it was listed, but for what decisions of this review have done."""
        applied = self.record.applied(item.item_key)
        was = {**self.record.listed_facts(item), **({"role": after(applied)["role"]} if applied else {})}
        done = {"organization_role": self.lowered.get(item.entry, "")}
        if item.decision == Suggestion.LOWER:
            done["role"] = roles.normalized(item.new_role or "")
        return [change for change in changes(was, now) if done.get(change.name) != change.now]


def lowered_organization_roles(items: Iterable[Item]) -> dict[EntryKey, str]:
    """The organization roles to which decisions lower entries."""
    return {
        item.entry: roles.normalized(item.new_role)
        for item in items
        if item.project is None and item.decision == Suggestion.LOWER and item.new_role
    }
