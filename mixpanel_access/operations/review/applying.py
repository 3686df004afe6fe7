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
from mixpanel_access.model.effective_access import RosterEntry, effective_access, entry_of
from mixpanel_access.model.roster.editing import EntryChange, change_entries
from mixpanel_access.model.roster.reading import parse
from mixpanel_access.model.roster.schema import Roster
from mixpanel_access.operations.review.deciding import is_applied, latest, problems
from mixpanel_access.operations.review.files import PacketFile, read_packets, unusable
from mixpanel_access.operations.review.packet import (
    ORGANIZATION,
    EntryKey,
    EvidenceLine,
    Item,
    ItemKey,
    Packet,
    ReviewEvent,
    evidence_file,
    listed_line,
)
from mixpanel_access.operations.review.starting import has_organization_item, role_in
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
    lines: Sequence[EvidenceLine]


@dataclass(frozen=True)
class ReviewPlan:
    """What applying a review does.

    Attributes:
        rosters: the rosters on which there are decisions that are not in the evidence.
        undecided: how many items are not decided.
        applied: how many decisions are applied already.
    """

    folder: Path
    rosters: Sequence[RosterChange]
    undecided: int
    applied: int


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


def plan(
    folder: Path, roster_of: Callable[[str], Path], stacks: Sequence[str], now: datetime, say: Say | None = None
) -> ReviewPlan:
    """Work out what the decisions do, for all stacks unless some are named. Writes nothing.

    Raises:
        UsageError: decisions are wrong, or a roster is no longer as it was reviewed; it lists all of them.
    """
    file = evidence_file(folder)
    lines = read_lines(file, EvidenceLine, say)
    last, undecided = latest(lines), 0
    wrong: list[str] = []
    places: dict[ItemKey, _Decided] = {}
    decided: dict[str, list[_Decided]] = {}
    for one in read_packets(folder):
        for at, item in enumerate(one.packet.items):
            found = _Decided(one, at, new=not is_applied(one.packet, item, last))
            told = [found.problem(*problem) for problem in problems(one.packet, item, now.date())]
            if (first := places.setdefault(item.item_key, found)) is not found:
                told.append(found.problem("email", f"{item}: it stands in {first.one.file.name} already"))
            wrong += told
            if stacks and item.stack not in stacks:
                continue
            undecided += item.decision is None
            if item.decision is not None and not told:
                decided.setdefault(item.stack, []).append(found)
    rosters: list[RosterChange] = []
    for stack, own in sorted(decided.items()):
        if any(one.new for one in own):
            change, problems_here = _roster_change(stack, roster_of(stack), own, now)
            wrong += problems_here
            rosters += [change] if change else []
    if wrong:
        raise unusable(wrong)
    return ReviewPlan(folder, rosters, undecided, sum(not one.new for own in decided.values() for one in own))


def carry_out(made: ReviewPlan) -> list[EvidenceLine]:
    """Write the rosters and their evidence: all of it or nothing. One that was killed half-way is run again.

    Raises:
        UsageError: a roster was changed meanwhile, or something cannot be written.
    """
    if not made.rosters:
        return []
    file = evidence_file(made.folder)
    lines = read_lines(file, EvidenceLine)
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
        return {*self.entry.projects, *([None] if has_organization_item(self.entry) else [])}

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


def _roster_change(
    stack: str, file: Path, decided: Sequence[_Decided], now: datetime
) -> tuple[RosterChange | None, list[str]]:
    text, today = text_of(file), now.date()
    if text is None:
        return None, [decided[0].problem("stack", f"the stack {stack} has no roster {file}")]
    source = source_of(file)
    roster = parse(text, source)
    found = {_entry_key(stack, entry): _Entry(at, entry) for at, entry in _entries(roster)}
    wrong: list[str] = []
    for one in decided:
        here = found.get(one.item.entry)
        if one.new and (words := _stale(one, roster, here.entry if here else None)):
            wrong.append(one.problem("role", words))
        if here is not None:
            here.decided.append(one)
    for here in found.values():
        wrong += _organization_alone(here)
    if wrong:
        return None, wrong
    after = change_entries(text, source, {here.at: here.change(today) for here in found.values()})
    changed = parse(after, source)
    hashes = (_hash(text), _hash(after))
    return (
        RosterChange(
            stack,
            file,
            text,
            after,
            list(_meaning(roster, changed, today)),
            list(_notes(found.values())),
            [_line(one, file, hashes, now) for one in decided if one.new],
        ),
        [],
    )


def _entries(roster: Roster) -> Iterator[tuple[int, RosterEntry]]:
    return ((at, entry_of(roster, person)) for at, person in enumerate(roster.people))


def _entry_key(stack: str, entry: RosterEntry) -> EntryKey:
    starts = entry.starts.isoformat() if entry.starts else None
    return EntryKey(stack, entry.person.key, entry.engagement, starts)


def _stale(one: _Decided, roster: Roster, entry: RosterEntry | None) -> str | None:
    """Why a decision is none on what stands in the roster now; what is there already as decided is fine."""
    item = one.item
    now = role_in(roster, entry, item.project) if entry else None
    if now is None and item.decision == Suggestion.REMOVE:
        return None
    if now in ({item.role, one.new_role} if item.decision == Suggestion.LOWER else {item.role}):
        return None
    what = f"the roster gives {now} now" if now else "the roster has it no longer"
    return f"{item}: {what}; clear its decision, and run `mixpanel-access review start` again"


def _organization_alone(here: _Entry) -> Iterator[str]:
    """The organization role cannot go while projects of the entry stay."""
    gone = here.gone
    if None in gone and here.items - gone.keys():
        words = "the organization role goes with the whole entry: lower it to member, or remove all the projects too"
        yield gone[None].problem("decision", f"{gone[None].item}: {words}")


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
    seen = {_entry_key("", entry): entry for _, entry in _entries(before)}
    for item_key, entry in ((_entry_key("", one), one) for _, one in _entries(after)):
        if item_key in seen and entry.person.reviewed != seen[item_key].person.reviewed:
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


def _line(one: _Decided, file: Path, hashes: tuple[str, str], now: datetime) -> EvidenceLine:
    item = one.item
    return replace(
        listed_line(item, one.packet.review, one.packet.reviewer_of(item), now),
        event=ReviewEvent.DECIDED.value,
        decided=one.day(now.date()).isoformat(),
        decision=item.decision or "",
        new_role=one.new_role or "",
        comment=item.comment or "",
        roster=file.name,
        before=hashes[0],
        after=hashes[1],
    )


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()
