"""The new lines of the access log: what the audit log, the states and the organization say, and the log does not yet.

Everything here is pure. The log, the events and what the states say are gone through in the order of time, so that each
new line follows from what was there at its instant. At the end, the result is compared with the organization.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

from mixpanel_access.model import audit, roles
from mixpanel_access.model.dates import written
from mixpanel_access.operations.tracker.audit_facts import AuditFact, AuditFacts, Change, facts_of
from mixpanel_access.operations.tracker.authors import Authors
from mixpanel_access.operations.tracker.comparing import Comparison
from mixpanel_access.operations.tracker.lines import SEEN, UNKNOWN, Access, LogEvent, LogLine, StateLine, ordered
from mixpanel_access.operations.tracker.losses import Loss, Losses
from mixpanel_access.operations.tracker.pen import Pen, Said
from mixpanel_access.operations.tracker.reading import Absence, OrganizationReading, StackReading
from mixpanel_access.operations.tracker.replay import Interval, Replay
from mixpanel_access.operations.tracker.runs import SKEW, HistoryRun, during
from mixpanel_access.operations.tracker.state_starts import StateStart, StateStarts


def new_lines(
    lines: Sequence[LogLine],
    log: Replay,
    organizations: Sequence[OrganizationReading],
    stacks: Mapping[str, StackReading],
    now: datetime,
) -> list[LogLine]:
    """The lines that a log lacks, the oldest first.

    Args:
        lines: the log.
        log: the same, replayed to its end.
        organizations: what Mixpanel says of each organization.
        stacks: the stacks in them.
        now: the present instant.
    """
    found: list[LogLine] = []
    for reading in organizations:
        here = {name: stack for name, stack in stacks.items() if stack.organization == reading.id}
        found += _Writer([*lines, *found], log, reading, here, now).write(alone=len(organizations) == 1)
    return ordered(found)


class _Undone(NamedTuple):
    """How an access that a stack has was last taken away or changed: what it was before, and whether by hand."""

    event: LogEvent
    role: str
    by_hand: bool


class _Writer:
    """Writes the new lines about one organization."""

    def __init__(
        self,
        lines: Sequence[LogLine],
        end: Replay,
        reading: OrganizationReading,
        stacks: Mapping[str, StackReading],
        now: datetime,
    ) -> None:
        self._lines, self._reading, self._stacks, self._now, self._end = lines, reading, stacks, now, end
        self._authors = Authors(reading.own, stacks)
        self._log = Replay(lines, dict.fromkeys(stacks, reading.id))
        self._audit = AuditFacts([*facts_of(reading.events, reading.id, end)], lines, end)
        self._starts = StateStarts(end, reading, stacks, self._authors, self._audit, now)
        self._losses = Losses(end, lines, stacks, now)
        self._pen = Pen(self._log, reading, stacks, self._starts.stack_of_fact)
        self._undone: dict[Access, _Undone] = {}
        self._waiting: dict[Access, list[AuditFact | StateStart]] = {}

    def write(self, *, alone: bool) -> list[LogLine]:
        """The new lines; `alone`: the log is about this organization only."""
        steps: list[tuple[datetime, int, int, Callable[[], None]]] = []
        before, number = "", 0
        for line in ordered(self._lines):  # a line without an event stays behind those before it in its second
            number = max(number if line.date == before else 0, self._audit.numbers.get(line.audit_id, 0))
            before = line.date
            steps.append((line.at, 2 if number else 0, number, partial(self._known, line)))
        steps += [(one.at, one.order, 0, partial(self._start, one)) for one in self._starts.found]
        for at, name, access in self._starts.other_reasons():
            steps.append((at, 3, 0, partial(self._explain, name, access, at)))
        steps += [(fact.at, 2, fact.number, partial(self._happened, fact)) for fact in self._audit.new]
        lost = self._losses.before_events(self._audit.new, self._reading.presence, self._was_gone)
        steps += [(one.run.ends, 3, 0, partial(self._lose, one)) for one in lost]
        for *_, step in sorted(steps, key=lambda one: one[:3]):
            step()
        comparison = Comparison(self._pen, self._losses, self._now)
        self._take_effect(comparison.now)
        comparison.write(alone=alone)
        return self._pen.new

    # What the log has

    def _known(self, line: LogLine) -> None:
        if line.event in (LogEvent.REVOKED, LogEvent.CHANGED):
            access = self._log.access_of(line)
            there = self._log.held.get(access)
            self._note(access, LogEvent(line.event), there, by_hand=not self._authors.made_in_a_run(line))
        self._log.step(line)

    def _note(self, access: Access, event: LogEvent, there: Interval | None, *, by_hand: bool) -> None:
        before = self._undone.get(access)
        role = there.role if there else ""
        if before and before.by_hand and by_hand and before.event is event is LogEvent.CHANGED:
            role = before.role
        self._undone[access] = _Undone(event, role, by_hand)

    # What waits for somebody's activation

    def _waits(self, one: AuditFact | StateStart) -> bool:
        """Whether something is about somebody who is deactivated at its instant: it takes effect once they are active.

        No event says that somebody was deactivated, so the log has the end of the membership without one.
        """
        access, log, presence = one.access, self._log, self._reading.presence
        membership = self._membership(access)
        if not access.person or membership in log.held:
            return False
        joins = one.joins if isinstance(one, StateStart) else one.change is Change.GIVEN
        if access == membership and joins:
            return False
        if self._reading.since is None:
            return presence.organization.is_deactivated(access.person)
        last = log.last.get(membership)
        return (presence.complete and log.whole_since(self._reading.id) is not None) if not last else not last.audit_id

    def _wait(self, one: AuditFact | StateStart) -> None:
        """Keep it, unless it is from before the person was deactivated again."""
        membership = self._membership(one.access)
        last = self._end.last.get(membership)
        if membership not in self._end.held and (last is None or last.at < one.at) and one.access != membership:
            self._waiting.setdefault(one.access, []).append(one)

    def _take_effect(self, now: datetime) -> None:
        """Write what waited and is there: of the events of each access the last one."""
        for access, its in self._waiting.items():
            membership = self._log.held.get(self._membership(access))
            absent = isinstance(self._reading.presence.role(self._membership(access)), Absence)
            if self._reading.presence.role(access) is Absence.GONE or (membership is None and absent):
                continue
            at = max(membership.begins or its[-1].at, its[-1].at) if membership else now
            facts = [one for one in its if isinstance(one, AuditFact)]
            if facts and facts[-1].change is not Change.TAKEN:
                self._given(replace(facts[-1], since=at))
            for one in its:
                if isinstance(one, StateStart):
                    self._start(one, at)

    def _membership(self, access: Access) -> Access:
        return Access(self._reading.id, None, access.person, None)

    # What the states say

    def _start(self, start: StateStart, since: datetime | None = None) -> None:
        """Write that a stack got access; `since`: when it took effect, if it had to wait."""
        name, access, one, at = start.stack, start.access, start.one, start.at
        if since is None and self._waits(start):
            self._wait(start)
            return
        there, run = self._log.held.get(access), during(self._stacks[name].runs, at)
        if there and name in there.stacks:
            return
        if start.given:
            event = LogEvent.GRANTED
        elif there:
            event = LogEvent.IMPORTED
        elif access in self._log.last:
            event = LogEvent.RESTORED if self._was_undone(name, access) else LogEvent.GRANTED
        else:
            event = LogEvent.IMPORTED if self._was_there(one, at, run) else LogEvent.GRANTED
        role = there.role if there else self._starts.role_at(access, since or at, one.line.role)
        self._pen.add(Said(event, since or at, self._stacks[name].author_of(run), role), access, name, reasons=one.line)

    def _was_there(self, one: StateLine, at: datetime, run: HistoryRun | None) -> bool:
        """Whether access that no line is about was there before the stack got it."""
        if one.adopted is not None:
            return one.adopted
        covered = self._reading.since is not None and self._reading.since <= at
        # Once the log has everybody, it would have the access; an event may still come.
        return bool(run and not run.writes) or (covered and self._log.whole_since(self._reading.id) is None)

    def _having(self, access: Access, at: datetime, fact: AuditFact | None = None) -> set[str]:
        """The stacks that have an access at an instant: by the log, and by states in which it is no younger."""
        there = self._log.held.get(access)
        own = self._pen.stack_of(fact)
        found = {name for name in there.stacks if name in self._stacks} if there else set()
        for name, stack in self._stacks.items():
            one = stack.held.get(access)
            if one and (name == own or (one.line.date and self._starts.start(name, access, one) < at)):
                found.add(name)
        return found

    def _was_undone(self, name: str, access: Access) -> bool:
        """Whether a stack had an access until somebody took it away by hand."""
        undone, lines = self._undone.get(access), self._log.of_stack(name, access)
        return bool(undone and undone.by_hand and lines and lines[-1].event == LogEvent.REVOKED)

    def _explain(self, name: str, access: Access, at: datetime) -> None:
        """Write that a stack gives access for other reasons, if it has the access then."""
        there = self._log.held.get(access)
        if there and name in there.stacks:
            self._pen.explain(name, access, at)

    def _lose(self, loss: Loss) -> None:
        there, run = self._log.held.get(loss.access), loss.run
        if there and loss.stack in there.stacks:
            stacks = there.stacks if loss.event is LogEvent.REVOKED else [loss.stack]
            said = Said(loss.event, run.ends, self._stacks[loss.stack].author_of(run), there.role)
            self._pen.add_for(stacks, said, loss.access)

    # What the audit log says

    def _happened(self, fact: AuditFact) -> None:
        if self._waits(fact):
            self._wait(fact)
        elif fact.change is Change.TAKEN:
            self._taken(fact)
        elif fact.change is Change.ACCEPTED:
            self._accepted(fact)
        elif fact.change is Change.CHANGED:
            self._changed(fact)
        elif fact.change is Change.ROLE_DELETED:
            self._role_deleted(fact)
        else:
            self._given(fact)

    def _given(self, fact: AuditFact) -> None:
        event, access, role = fact.event, fact.access, fact.event.role or ""
        there, seen = self._log.held.get(access), access in self._log.last
        if there and self._was_noted(fact, there):
            return
        if there and self._was_gone(fact):
            self._note(access, LogEvent.REVOKED, there, by_hand=True)
            self._pen.add_for(there.stacks, Said(LogEvent.REVOKED, fact.at, UNKNOWN, there.role), access)
        elif there:
            if role and there.role and role != there.role:
                self._changed(fact)
            if (stack := self._pen.stack_of(fact)) and stack not in there.stacks:
                by = self._authors.of(event, [stack]).admin
                self._pen.add(Said(LogEvent.IMPORTED, fact.at, by, role or there.role), access, stack, fact)
            return
        if fact.repeats_an_acceptance:
            return
        having = self._having(access, fact.at, fact)
        author = self._authors.of(event, having)
        stacks = having | (author.stacks if len(author.stacks) == 1 else frozenset())
        for name in sorted(stacks) or [""]:
            again = self._was_undone(name, access) or (not seen and name in having and name != self._pen.stack_of(fact))
            word = LogEvent.RESTORED if name and again else LogEvent.GRANTED
            self._pen.add(Said(word, fact.at, author.admin, role, event.id), access, name, fact)
        self._undone.pop(access, None)

    def _was_noted(self, fact: AuditFact, there: Interval) -> bool:
        """Whether a late event is about access that the log took for older; its line then corrects that."""
        last, stack = self._log.last[fact.access], self._pen.stack_of(fact)
        line = last if last.event == LogEvent.FOUND else there.stacks.get(stack)
        if line is None or line.event not in SEEN or abs(line.at - fact.at) > SKEW:
            return False
        since = self._log.since.get(fact.access)
        if since is not None and since < line.at:
            return False
        at, event = line.at - timedelta(seconds=1), fact.event
        said = Said(LogEvent.GRANTED, at, self._authors.of(event, there.stacks).admin, event.role or "", event.id)
        self._pen.add(said, fact.access, stack or self._log.stack_of(line), fact)
        return True

    def _was_gone(self, fact: AuditFact) -> bool:
        """Whether access that an event gives was gone without an event, as with an invitation that was cancelled."""
        stack = self._pen.stack_of(fact)
        one = self._stacks[stack].held.get(fact.access) if stack else None
        return one is not None and (not fact.may_repeat or (one.adopted is False and one.dated))

    def _changed(self, fact: AuditFact) -> None:
        event, access = fact.event, fact.access
        role, there = event.role or "", self._log.held.get(access)
        if there is None and access in self._log.last:
            self._given(fact)
            return
        if there and there.role == role:
            return
        # The stack that takes over the access by this event does not have it yet.
        stacks = self._having(access, fact.at) - ({self._pen.stack_of(fact)} - {*(there.stacks if there else ())})
        others = {
            name
            for name, stack in self._stacks.items()
            if self._has_since(stack, access, fact) and stack.held[access].line.role not in ("", role)
        }
        of_role = event.type == audit.CUSTOM_ROLE_DELETED  # which any stack may have done
        author, undone = self._authors.of(event, () if of_role else stacks, others), self._undone.get(access)
        back = bool(undone and undone.by_hand and undone.event is LogEvent.CHANGED and undone.role == role)
        if back:
            del self._undone[access]
        else:
            self._note(access, LogEvent.CHANGED, there, by_hand=not author.stacks)
        word = LogEvent.RESTORED if stacks and back else LogEvent.CHANGED
        self._pen.add_for(stacks, Said(word, fact.at, author.admin, role, event.id), access, fact)

    def _role_deleted(self, fact: AuditFact) -> None:
        """All who have a custom role are consumers from then on (contract, section 13)."""
        event = replace(fact.event, role=roles.CONSUMER, previous_role=fact.event.role)
        for access, there in [*self._log.held.items()]:
            if access.project == fact.access.project and there.role == fact.event.role:
                email = there.email if access.person else ""
                self._changed(replace(fact, change=Change.CHANGED, access=access, email=email, event=event))

    def _taken(self, fact: AuditFact) -> None:
        log, own = self._log, fact.access
        gone = [one.access for one in log.ended_with(own, self._reading.id)]
        if own in log.held or (own not in log.last and (own.person or own.project is not None)):
            gone.append(own)  # at last, since it ends the others
        having = {access: self._having(access, fact.at) for access in gone}
        stacks = self._stacks.values()
        still = {stack.name for stack in stacks if any(self._has_since(stack, access, fact) for access in gone)}
        author = self._authors.of(fact.event, set().union(*having.values()), still)
        for access in gone:
            there = log.held.get(access)
            role = (there.role if there else "") or (fact.event.role or "" if access == fact.access else "")
            self._note(access, LogEvent.REVOKED, there, by_hand=not author.stacks)
            said = Said(LogEvent.REVOKED, fact.at, author.admin, role, fact.event.id)
            having_it = having[access] | ({*there.stacks} if there else set())
            self._pen.add_for(having_it, said, access, fact if access == fact.access else None)

    def _has_since(self, stack: StackReading, access: Access, fact: AuditFact) -> bool:
        """Whether the state of a stack has access from before an event, and is not changed since."""
        one = stack.held.get(access)
        if one is None or not one.line.date or self._starts.start(stack.name, access, one) >= fact.at:
            return False
        return one.modified <= written(fact.at)

    def _accepted(self, fact: AuditFact) -> None:
        there, last = self._log.held.get(fact.access), self._log.last.get(fact.access)
        if last and (there is None or (last.event == LogEvent.ACCEPTED and last.at == fact.at)):
            return
        role = (there.role if there else "") or fact.event.role or ""
        said = Said(LogEvent.ACCEPTED, fact.at, fact.event.who or UNKNOWN, role, fact.event.id)
        self._pen.add_for(self._having(fact.access, fact.at), said, fact.access, fact)
