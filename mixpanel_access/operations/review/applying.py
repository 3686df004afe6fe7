"""Decisions into the rosters: checked against what stands there now, shown, written, and put into the evidence.

Mixpanel is not touched: what was lowered or removed goes with the next `pulumi up`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path

from mixpanel_access.files.lines import Say, read_lines, with_lines
from mixpanel_access.files.roster import roster_change, source_of, text_of
from mixpanel_access.files.whole import write_all
from mixpanel_access.model.access import Person
from mixpanel_access.model.effective_access import RosterEntry, effective_access
from mixpanel_access.model.grouping import grouped
from mixpanel_access.model.roster.editing import EntryChange, change_entries
from mixpanel_access.model.roster.reading import parse
from mixpanel_access.model.roster.schema import Roster
from mixpanel_access.model.similarity import in_words
from mixpanel_access.operations.review.decisions import ItemStatus, ReviewedItem, decisions_of
from mixpanel_access.operations.review.facts import RosterRoles, reviewed_parts
from mixpanel_access.operations.review.files import read_packets, unusable
from mixpanel_access.operations.review.owners import OwnersLeft, decided, losing, owners_without
from mixpanel_access.operations.review.packet import Item, ReviewLine, evidence_file
from mixpanel_access.operations.review.record import ReviewRecord, decided_line, read_record
from mixpanel_access.rules.rule import Suggestion


@dataclass(frozen=True)
class RosterChange:
    """What a review does to one roster.

    Attributes:
        after: its text with the decisions.
        meaning: what that means for each person, in words.
        notes: what is left to do, in words.
        lines: what goes into the evidence with it.
    """

    stack: str
    file: Path
    before: str
    after: str
    meaning: Sequence[str]
    notes: Sequence[str]
    lines: Sequence[ReviewLine]


@dataclass(frozen=True)
class ReviewPlan:
    """What applying a review does.

    Attributes:
        rosters: the rosters on which there are decisions that are not in the evidence.
        undecided: how many items are not decided.
        applied: how many decisions are applied already.
        stale: the decisions that are not applied, because what they are about has changed.
        items: all items of the review, of every stack.
    """

    folder: Path
    rosters: Sequence[RosterChange]
    undecided: int
    applied: int
    stale: Sequence[ReviewedItem] = ()
    items: Sequence[Item] = ()

    @property
    def takes_membership(self) -> bool:
        """Whether somebody loses an organization role, or leaves, by what is to be applied."""
        return bool(self.rosters) and bool(losing(self.items, decided))

    def owners_left(self, people: Mapping[str, Person], key_of: Callable[[str], str]) -> OwnersLeft:
        """The owners that remain after all decisions of the review: of every stack, and applied ones too."""
        return owners_without(people, losing(self.items, decided, key_of).keys())


@dataclass(frozen=True)
class _RosterText:
    """A roster's file, and what it gives."""

    file: Path
    text: str
    roles: RosterRoles


def plan(
    folder: Path, roster_of: Callable[[str], Path], stacks: Sequence[str], now: datetime, say: Say | None = None
) -> ReviewPlan:
    """Work out what the decisions do, for all stacks unless some are named. Writes nothing.

    A decision on access that has changed since is left out, and named.

    Raises:
        UsageError: decisions are wrong; all of them are named.
    """
    record, packets = read_record(folder, say), read_packets(folder)
    named = stacks or sorted({item.stack for one in packets for item in one.packet.items})
    rosters: dict[str, _RosterText] = {}
    for stack in named:
        if (text := text_of(file := roster_of(stack))) is not None:
            rosters[stack] = _RosterText(file, text, RosterRoles.of(stack, parse(text, source_of(file))))
    roles_now = {stack: roster.roles for stack, roster in rosters.items()}
    found = [one for one in decisions_of(packets, record, roles_now, now.date()) if one.item.stack in named]
    if wrong := [str(one) for one in found if one.status is ItemStatus.WRONG]:
        raise unusable(wrong)
    held = grouped((one.item.stack, one) for one in found if one.status in (ItemStatus.WAITING, ItemStatus.APPLIED))
    waiting = {one.item.stack for one in found if one.status is ItemStatus.WAITING}
    changes = [_roster_change(rosters[stack], held[stack], now, record) for stack in rosters if stack in waiting]
    statuses = Counter(one.status for one in found)
    stale = [one for one in found if one.status is ItemStatus.STALE]
    return ReviewPlan(
        folder,
        changes,
        undecided=statuses[ItemStatus.UNDECIDED],
        applied=statuses[ItemStatus.APPLIED],
        stale=stale,
        items=[item for one in packets for item in one.packet.items],
    )


def carry_out(made: ReviewPlan) -> list[ReviewLine]:
    """Write the rosters and their evidence: all of it or nothing. One that was killed half-way is run again.

    Raises:
        UsageError: a roster was changed meanwhile, or something cannot be written.
    """
    if not made.rosters:
        return []
    file = evidence_file(made.folder)
    lines = read_lines(file, ReviewLine)
    added = [line for one in made.rosters for line in one.lines]
    rosters = [roster_change(one.file, one.before, one.after) for one in made.rosters]
    write_all([*rosters, with_lines(file, added, lines)])  # the evidence last: the next run can finish it
    return added


@dataclass(frozen=True)
class _DecidedEntry:
    """An entry of the roster, its position there, and the decisions on it that are applied or are to be applied."""

    at: int
    entry: RosterEntry
    decided: Sequence[ReviewedItem]

    @property
    def new(self) -> list[Item]:
        """What is to be applied."""
        return [one.item for one in self.decided if one.status is ItemStatus.WAITING]

    @property
    def parts(self) -> set[str | None]:
        """What there is to decide on it."""
        return set(reviewed_parts(self.entry))

    def change(self, today: date) -> EntryChange:
        """What the decisions make of it."""
        if self.gone.issuperset(self.parts) and not self.only_memberships_left:
            return EntryChange(gone=True)
        lowered = {item.project: item.lowered_to for item in self.new if item.decision == Suggestion.LOWER}
        reviewed = max((one.item.decided_on(today) for one in self.decided), default=None)
        return EntryChange(
            {key: lowered.get(key) for key in self.entry.projects if key in self.gone or key in lowered},
            lowered.get(None),
            reviewed if self.new and not self.missing else None,
        )

    @property
    def missing(self) -> set[str | None]:
        """What is not decided on it; once its projects are gone, that is the rest of it, as `review start` lists it."""
        return {None} if self.only_memberships_left else self.parts - {one.item.project for one in self.decided}

    @property
    def gone(self) -> set[str | None]:
        """The roles to take away now."""
        return {item.project for item in self.new if item.decision == Suggestion.REMOVE}

    @property
    def only_memberships_left(self) -> bool:
        """Whether all that can be decided on goes, and memberships in teams stay, on which nobody has decided."""
        return bool(self.entry.person.teams) and None not in self.gone and self.gone.issuperset(self.parts)


def _roster_change(
    roster: _RosterText, decided: Sequence[ReviewedItem], now: datetime, record: ReviewRecord
) -> RosterChange:
    """What the decisions on one stack do to its roster; all of them hold."""
    today, source = now.date(), source_of(roster.file)
    of_entries = grouped((one.item.entry, one) for one in decided)
    found = enumerate(roster.roles.entries.items())
    entries = [_DecidedEntry(at, entry, of_entries.get(key, ())) for at, (key, entry) in found]
    after = change_entries(roster.text, source, {one.at: one.change(today) for one in entries})
    lines = [decided_line(one.packet, one.item, now, record) for one in decided if one.status is ItemStatus.WAITING]
    before_hash, after_hash = _hash(roster.text), _hash(after)
    return RosterChange(
        stack=roster.roles.stack,
        file=roster.file,
        before=roster.text,
        after=after,
        meaning=list(_meaning(roster.roles.roster, parse(after, source), today)),
        notes=list(_notes(entries)),
        lines=[replace(line, roster=roster.file.name, before=before_hash, after=after_hash) for line in lines],
    )


def _meaning(before: Roster, after: Roster, today: date) -> Iterator[str]:
    """What changes for each person; several entries of a person are added up, as `pulumi up` does."""
    then = {person.key: person for person in effective_access(after, today)}
    for person in effective_access(before, today):
        left = then.get(person.key)
        if left is None:
            yield f"{person.email} has nothing any more"
            continue
        if left.organization_role != person.organization_role:
            yield f"{person.email}: organization {person.organization_role} becomes {left.organization_role}"
        for key, held in person.projects.items():
            new, was = left.projects.get(key), before.role_word(key, held.role)
            if new is None:
                yield f"{person.email}: {was} in {key} is taken away"
            elif new.role != held.role:
                yield f"{person.email}: {was} in {key} becomes {after.role_word(key, new.role)}"
    seen = RosterRoles.of("", before).entries
    for found, entry in RosterRoles.of("", after).entries.items():
        if found in seen and entry.person.reviewed != seen[found].person.reviewed:
            which = f" ({entry.engagement})" if entry.engagement else ""
            yield f"{entry.person.email}{which}: reviewed on {entry.person.reviewed}"


def _notes(entries: Iterable[_DecidedEntry]) -> Iterator[str]:
    """Entries on which a part is decided: they count as reviewed once all is."""
    for one in entries:
        if one.new and (missing := sorted(key or "the organization role" for key in one.missing)):
            yield (
                f"{one.entry.person.email} counts as reviewed once {in_words(missing)} "
                f"{'is' if len(missing) == 1 else 'are'} decided too (`review start` lists what is new)"
            )


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()
