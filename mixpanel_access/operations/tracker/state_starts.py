"""When the stacks got the access that their states have, and by which events of the audit log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mixpanel_access.model.dates import instant
from mixpanel_access.operations.tracker.audit_facts import AuditFact, AuditFacts, Change
from mixpanel_access.operations.tracker.authors import Authors
from mixpanel_access.operations.tracker.lines import Access, LogEvent, LogKey, StateLine
from mixpanel_access.operations.tracker.reading import Absence, OrganizationReading, StackReading
from mixpanel_access.operations.tracker.replay import Replay
from mixpanel_access.operations.tracker.runs import SKEW, during


@dataclass(frozen=True, kw_only=True)
class StateStart:
    """Access that a stack got without a new event of the audit log.

    Attributes:
        at: when, by Mixpanel's clock as far as that is known.
        order: its place among what happened in the same second: 1 comes before the events (2), and 3 after them.
        given: whether the log has the event, for no stack.
        joins: whether the person is in the organization from then on, by an invitation or an activation of the stack.
    """

    stack: str
    access: Access
    one: StateLine
    at: datetime
    order: int
    given: bool
    joins: bool


class StateStarts:
    """What the states say of when the stacks got their access.

    Args:
        log: the log, replayed to its end.
        reading: what Mixpanel says of the organization.
        stacks: the stacks in it.
        authors: knows our own accounts.
        audit: what the audit log says, and what of it the log does not have.
        now: the present instant.

    Attributes:
        stack_of_fact: the number of a new fact -> the stack that gave the access.
        found: the access that the stacks got otherwise.
    """

    def __init__(
        self,
        log: Replay,
        reading: OrganizationReading,
        stacks: Mapping[str, StackReading],
        authors: Authors,
        audit: AuditFacts,
        now: datetime,
    ) -> None:
        self._end, self._reading, self._stacks, self._authors, self._now = log, reading, stacks, authors, now
        self._by_access = audit.by_access
        self._starts: dict[LogKey, datetime] = {}
        self.stack_of_fact: dict[int, str] = {}
        self.found: list[StateStart] = []
        self._kept: list[tuple[str, Access, StateLine]] = []
        new, gifts = {fact.number for fact in audit.new}, self._gifts(audit.stacks)
        for name, stack in stacks.items():
            for access, one in stack.held.items():
                at, gift = self._start_of(name, access, one), gifts.get(LogKey(name, access))
                if at is None and (gift is None or gift.number not in new):
                    self._kept.append((name, access, one))
                if gift is not None and gift.number in new:
                    self.stack_of_fact[gift.number] = name
                    gift, at = (None, at) if self._was_taken(gift, one) else (gift, None)
                if at is not None:
                    at, order = self._between(self._by_access.get(access, ()), at, access)
                    given = gift is not None and not audit.stacks.get(gift.event.id)
                    if activates := self._activates(name, access, one):
                        at, order = self._before_its_gifts(name, access, one, at), 1
                    self._starts[LogKey(name, access)] = at
                    start = StateStart(
                        stack=name, access=access, one=one, at=at, order=order, given=given,
                        joins=activates or one.adopted is False,
                    )  # fmt: skip
                    self.found.append(start)

    def _activates(self, name: str, access: Access, one: StateLine) -> bool:
        """Whether a stack has activated somebody when it got them; the identity provider may have done it later.

        A stack activates nobody whom another stack has.
        """
        others = (stack for other, stack in self._stacks.items() if other != name)
        return one.activated and (one.modified == one.line.date or all(access not in stack.held for stack in others))

    def _before_its_gifts(self, name: str, membership: Access, one: StateLine, at: datetime) -> datetime:
        """When a stack activated somebody, by Mixpanel's clock: just before it gave them anything."""
        since = at - SKEW if one.dated else instant(one.earliest) - SKEW
        since = max(since, self._end.out_since(membership) or since)
        runs = self._authors.writing_runs(name)
        facts = (fact for access, its in self._by_access.items() if access.person == membership.person for fact in its)
        gifts = (fact.at for fact in facts if fact.change is Change.GIVEN and self._authors.is_ours(fact.event))
        return min((gift for gift in gifts if since < gift <= at + SKEW and during(runs, gift)), default=at)

    def _was_taken(self, gift: AuditFact, one: StateLine) -> bool:
        """Whether what an event gave was taken away before the stack got what its state has."""
        facts, until = self._by_access[gift.access], one.line.at
        return any(fact.change is Change.TAKEN and gift.at < fact.at < until for fact in facts)

    def start(self, name: str, access: Access, one: StateLine) -> datetime:
        """Since when a stack has access by its state, by Mixpanel's clock as far as that is known."""
        return self._starts.get(LogKey(name, access)) or one.line.at

    def other_reasons(self) -> Iterator[tuple[datetime, str, Access]]:
        """When the stacks changed the reasons of access that they had at the last update: at the end of its events."""
        for name, access, one in self._kept:
            there = self._end.held.get(access)
            before = there.stacks.get(name) if there else None
            if there is None or before is None or not one.modified or one.line.reasons == before.reasons:
                continue
            last = self._end.last[access]  # an acceptance changes no reasons
            lines = there.stacks.values() if last.event == LogEvent.ACCEPTED else [last]
            at = max([instant(one.modified), *(line.at for line in lines)])
            ours = (fact.at for fact in self._by_access.get(access, ()) if self._authors.is_ours(fact.event))
            yield max([at, *(event for event in ours if event <= at + SKEW)]), name, access

    def role_at(self, access: Access, at: datetime, role: str) -> str:
        """The role of access at an instant: what a later event says it was before, or else what it is now."""
        changes = (fact for fact in self._by_access.get(access, ()) if fact.at >= at)
        first = next((fact for fact in changes if fact.change is Change.CHANGED), None)
        if first is not None:
            return first.event.previous_role or ""
        there = "" if role else self._reading.presence.role(access)
        return there if isinstance(there, str) and there else role

    def _gifts(self, given: Mapping[str, str]) -> dict[LogKey, AuditFact]:
        """The event by which a stack gave access that its state has; one event is that of the nearest stack."""
        nearest: dict[int, tuple[timedelta, LogKey, AuditFact]] = {}
        for name, stack in self._stacks.items():
            for access, one in stack.held.items():
                fact = self._gift(stack, one, self._by_access.get(access, ()))
                if fact is None or given.get(fact.event.id) not in (None, "", name):
                    continue
                far = abs(one.line.at - fact.at)
                if fact.number not in nearest or far < nearest[fact.number][0]:
                    nearest[fact.number] = far, LogKey(name, access), fact
        return {key: fact for _, key, fact in nearest.values()}

    def _between(self, facts: Sequence[AuditFact], at: datetime, access: Access) -> tuple[datetime, int]:
        """When a stack took over access by Mixpanel's clock: after it was given, and before it was taken away."""
        given = [fact.at for fact in facts if fact.change is Change.GIVEN and at < fact.at <= at + SKEW]
        if given and access not in self._end.held:
            return given[-1], 3
        taken = [fact.at for fact in facts if fact.change is Change.TAKEN]
        if taken and at - SKEW <= taken[-1] <= at and self._reading.presence.role(access) is Absence.GONE:
            return taken[-1], 1
        return at, 3

    def _start_of(self, name: str, access: Access, one: StateLine) -> datetime | None:
        """When a stack got access that the log does not show as its own; None if it does, or somebody took it away."""
        there, lines = self._end.held.get(access), self._end.of_stack(name, access)
        at = one.line.at if one.line.date else self._now
        # Of a grant in a `ProjectAccess`, the date may be that of the others, and Mixpanel may not show it.
        unproven = one.line.date != one.earliest and isinstance(self._reading.presence.role(access), Absence)
        if there and name in there.stacks:  # it may have lost the access and got it again since
            return at if at > lines[0].at + SKEW and not unproven else None
        by_hand = bool(lines) and lines[-1].event == LogEvent.REVOKED and not self._authors.made_in_a_run(lines[-1])
        if by_hand and unproven:
            return None
        if lines and at <= (end := lines[-1].at):
            if by_hand:
                return None
            modified = instant(one.modified) if one.modified else self._now
            return modified if modified > end else self._now
        return at

    def _gift(self, stack: StackReading, one: StateLine, facts: Sequence[AuditFact]) -> AuditFact | None:
        """The event by which a stack gave access that its state has."""
        if not one.line.date:
            return None
        ours = [fact for fact in facts if fact.change is Change.GIVEN and self._authors.is_ours(fact.event)]
        ours = [fact for fact in ours if not fact.repeats_an_acceptance]
        at, since = one.line.at, instant(one.earliest)
        run = during(self._authors.writing_runs(stack.name), at) if ours else None
        begins, ends = (run.starts, max(run.ends, at)) if run else (at, at)
        within = [fact for fact in reversed(ours) if min(since, begins) - SKEW <= fact.at <= ends + SKEW]
        if not one.dated and (runs := self._authors.writing_runs(stack.name)):  # others gave it in its span
            within = [fact for fact in within if fact.at < runs[-1].starts or during(runs, fact.at)]
        return next(iter(within), None)
