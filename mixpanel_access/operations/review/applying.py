"""Decisions into the rosters: checked against what stands there now, shown, written, and put into the evidence.

Mixpanel is not touched: what was lowered or removed goes with the next `pulumi up`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path

from mixpanel_access.files.lines import Say, read_lines, with_lines
from mixpanel_access.files.roster import roster_change, source_of, text_of
from mixpanel_access.files.whole import write_all
from mixpanel_access.model import roles
from mixpanel_access.model.dates import day
from mixpanel_access.model.effective_access import RosterEntry, effective_access
from mixpanel_access.model.roster.editing import EntryChange, change_entries
from mixpanel_access.model.roster.reading import parse
from mixpanel_access.model.roster.schema import Roster
from mixpanel_access.operations.review.checking import DecisionCheck, lowered_organization_roles
from mixpanel_access.operations.review.deciding import wrong_decisions
from mixpanel_access.operations.review.facts import RosterRoles, reviewed_parts
from mixpanel_access.operations.review.files import PacketFile, read_packets, unusable
from mixpanel_access.operations.review.packet import (
    ORGANIZATION,
    Item,
    Packet,
    ReviewLine,
    evidence_file,
)
from mixpanel_access.operations.review.record import ReviewRecord, decided_line, listed_line, read_record
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
class StaleDecision:
    """A decision that does not hold for what stands in the roster now.

    Attributes:
        packet: the file that has it.
        line: the line of its item there.
        why: what changed, and what to do.
    """

    item: Item
    packet: Path
    line: int
    why: str

    def __str__(self) -> str:
        return f"{self.packet.name}:{self.line}: {self.item}: {self.why}"


@dataclass(frozen=True)
class ReviewPlan:
    """What applying a review does.

    Attributes:
        rosters: the rosters on which there are decisions that are not in the evidence.
        undecided: how many items are not decided.
        applied: how many decisions are applied already.
        stale: the decisions that are not applied, because what they are about has changed.
    """

    folder: Path
    rosters: Sequence[RosterChange]
    undecided: int
    applied: int
    stale: Sequence[StaleDecision] = ()


@dataclass(frozen=True)
class _Decided:
    """A decision, and the packet that has it."""

    one: PacketFile
    at: int
    new: bool

    @property
    def packet(self) -> Packet:
        return self.one.packet

    @property
    def item(self) -> Item:
        return self.one.packet.items[self.at]

    @property
    def new_role(self) -> str | None:
        return roles.normalized(self.item.new_role) if self.item.new_role else None

    def day(self, today: date) -> date:
        return day(self.item.decided) if self.item.decided else today

    def problem(self, name: str, words: str) -> str:
        return f"{self.one.file.name}:{self.one.line(self.at, name)}: {words}"

    def stale(self, why: str) -> StaleDecision:
        return StaleDecision(self.item, self.one.file, self.one.line(self.at, "role"), why)


def plan(
    folder: Path, roster_of: Callable[[str], Path], stacks: Sequence[str], now: datetime, say: Say | None = None
) -> ReviewPlan:
    """Work out what the decisions do, for all stacks unless some are named. Writes nothing.

    A decision on access that has changed since is left out, and named.

    Raises:
        UsageError: decisions are wrong; all of them are named.
    """
    record, packets, undecided = read_record(folder, say), read_packets(folder), 0
    refused = list(wrong_decisions(packets, record, now.date()))
    left_out = {(one.one.file, one.at) for one in refused}
    wrong = [str(one) for one in refused]
    decided: dict[str, list[_Decided]] = {}
    for one in packets:
        for at, item in enumerate(one.packet.items):
            if stacks and item.stack not in stacks:
                continue
            undecided += item.decision is None
            if item.decision is not None and (one.file, at) not in left_out:
                found = _Decided(one, at, new=not record.is_applied(one.packet, item))
                decided.setdefault(item.stack, []).append(found)
    rosters: list[RosterChange] = []
    stale: list[StaleDecision] = []
    for stack, own in sorted(decided.items()):
        if any(one.new for one in own):
            found_here = _roster_change(stack, roster_of(stack), own, now, record)
            wrong += found_here.wrong
            stale += found_here.stale
            rosters += [found_here.change] if found_here.change else []
    if wrong:
        raise unusable(wrong)
    applied = sum(not one.new for own in decided.values() for one in own)
    return ReviewPlan(folder, rosters, undecided, applied, stale)


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


@dataclass
class _Entry:
    """An entry of the roster, and the decisions on it."""

    at: int
    entry: RosterEntry
    decided: list[_Decided] = field(default_factory=list)

    @property
    def items(self) -> set[str | None]:
        """What there is to decide on it."""
        return set(reviewed_parts(self.entry))

    def change(self, today: date) -> EntryChange:
        """What the decisions make of it."""
        new, gone = [one for one in self.decided if one.new], self.gone
        if not self.items - gone.keys() and not self.only_memberships_left:
            return EntryChange(gone=True)
        lowered = {one.item.project: one.new_role for one in new if one.item.decision == Suggestion.LOWER}
        reviewed = max((one.day(today) for one in self.decided), default=None)
        return EntryChange(
            {key: lowered.get(key) for key in self.entry.projects if key in gone or key in lowered},
            lowered.get(None),
            reviewed if new and not self.missing else None,
        )

    @property
    def missing(self) -> set[str | None]:
        """What is not decided on it; once its projects are gone, that is the rest of it, as `review start` lists it."""
        return {None} if self.only_memberships_left else self.items - {one.item.project for one in self.decided}

    @property
    def gone(self) -> dict[str | None, _Decided]:
        """The roles to take away now, each with its decision."""
        return {one.item.project: one for one in self.decided if one.new and one.item.decision == Suggestion.REMOVE}

    @property
    def only_memberships_left(self) -> bool:
        """Whether all that can be decided on goes, and places in teams stay, on which nobody has decided."""
        return bool(self.entry.person.teams) and None not in self.gone and self.items <= self.gone.keys()


@dataclass(frozen=True)
class _StackResult:
    """What applying does to one stack: the change of its roster, if any, and the decisions that it leaves out."""

    change: RosterChange | None = None
    wrong: Sequence[str] = ()
    stale: Sequence[StaleDecision] = ()


def _roster_change(
    stack: str, file: Path, decided: Sequence[_Decided], now: datetime, record: ReviewRecord
) -> _StackResult:
    text, today = text_of(file), now.date()
    source = source_of(file)
    roles_now = RosterRoles.of(stack, parse(text, source)) if text is not None else None
    check = DecisionCheck(roles_now, record, lowered_organization_roles(one.item for one in decided), today)
    problems_of = {id(one): check.problem(one.item) for one in decided if one.new}
    held = [one for one in decided if not problems_of.get(id(one))]
    stale = [one.stale(problems_of[id(one)]) for one in decided if problems_of.get(id(one))]
    if text is None or roles_now is None:
        return _StackResult(stale=stale)
    found = {key: _Entry(at, entry) for at, (key, entry) in enumerate(roles_now.entries.items())}
    for one in held:
        if one.item.entry in found:
            found[one.item.entry].decided.append(one)
    wrong: list[str] = []
    for key, here in found.items():
        for one, words in _organization_alone(here):
            if any(other.item.entry == key for other in stale):
                here.decided.remove(one)
                held.remove(one)
                stale.append(one.stale(f"{words}, and one of them has changed; decide on that first"))
            else:
                wrong.append(one.problem("decision", f"{one.item}: {words}"))
    if wrong or not any(one.new for one in held):
        return _StackResult(wrong=wrong, stale=stale)
    after = change_entries(text, source, {here.at: here.change(today) for here in found.values()})
    change = RosterChange(
        stack=stack,
        file=file,
        before=text,
        after=after,
        meaning=list(_meaning(roles_now.roster, parse(after, source), today)),
        notes=list(_notes(found.values())),
        lines=[_line(one, file, (_hash(text), _hash(after)), now, record) for one in held if one.new],
    )
    return _StackResult(change, stale=stale)


def _organization_alone(here: _Entry) -> list[tuple[_Decided, str]]:
    """The organization role cannot go while projects of the entry stay."""
    gone = here.gone
    words = "the organization role goes with the whole entry: lower it to member, or remove all the projects too"
    return [(gone[None], words)] if None in gone and here.items - gone.keys() else []


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


def _notes(found: Iterable[_Entry]) -> Iterator[str]:
    """Entries on which a part is decided: they count as reviewed once all is."""
    for here in found:
        if any(one.new for one in here.decided) and (missing := sorted(key or ORGANIZATION for key in here.missing)):
            yield (
                f"{here.entry.person.email} counts as reviewed once {' and '.join(missing)} "
                f"{'is' if len(missing) == 1 else 'are'} decided too (`review start` lists what is new)"
            )


def _line(one: _Decided, file: Path, hashes: tuple[str, str], now: datetime, record: ReviewRecord) -> ReviewLine:
    listed = listed_line(one.item, one.packet.review, one.packet.reviewer_of(one.item), now)
    line = decided_line(listed, one.item, one.day(now.date()), record)
    return replace(line, roster=file.name, before=hashes[0], after=hashes[1])


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()
