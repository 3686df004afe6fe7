"""The new lines of the access log: what the audit log, the states and the organization say, and the log does not yet.

Everything here is pure. The log, the events and what the states say are gone through in the order of time, so that each
new line follows from what was there at its instant. At the end, the result is compared with the organization.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

from mixpanel_access.model.address import same_key
from mixpanel_access.model.dates import instant, written
from mixpanel_access.operations.tracker.audit_facts import AuditFact, AuditFacts, Change, facts_of
from mixpanel_access.operations.tracker.authors import Authors
from mixpanel_access.operations.tracker.lines import SEEN, UNKNOWN, Access, LogEvent, LogLine, StateLine, ordered
from mixpanel_access.operations.tracker.losses import Loss, Losses
from mixpanel_access.operations.tracker.reading import Absence, OrganizationReading, StackReading
from mixpanel_access.operations.tracker.replay import Interval, Replay, replay
from mixpanel_access.operations.tracker.runs import SKEW, HistoryRun, during
from mixpanel_access.operations.tracker.state_starts import StateStart, StateStarts


def new_lines(
    lines: Sequence[LogLine],
    organizations: Sequence[OrganizationReading],
    stacks: Mapping[str, StackReading],
    now: datetime,
) -> list[LogLine]:
    """The lines that a log lacks, the oldest first.

    Args:
        lines: the log.
        organizations: what Mixpanel says of each organization.
        stacks: the stacks in them.
        now: the present instant.
    """
    found: list[LogLine] = []
    for reading in organizations:
        here = {name: stack for name, stack in stacks.items() if stack.organization == reading.id}
        found += _Writer([*lines, *found], reading, here, now).write(alone=len(organizations) == 1)
    return ordered(found)


class _Undone(NamedTuple):
    """How an access that a stack has was last taken away or changed: what it was before, and whether by hand."""

    event: LogEvent
    role: str
    by_hand: bool


class _Said(NamedTuple):
    """What a new line says, but for the access and the stack."""

    event: LogEvent
    at: datetime
    admin: str
    role: str
    audit_id: str = ""


class _Writer:
    """Writes the new lines about one organization."""

    def __init__(
        self, lines: Sequence[LogLine], reading: OrganizationReading, stacks: Mapping[str, StackReading], now: datetime
    ) -> None:
        self._lines, self._reading, self._stacks, self._now = lines, reading, stacks, now
        self._authors = Authors(reading.own, stacks)
        known = dict.fromkeys(stacks, reading.id)
        self._log, self._end = Replay(lines, known), replay(lines, known)
        facts = [*facts_of(reading.events, reading.id, self._end)]
        self._audit = AuditFacts(facts, lines, self._end)
        self._starts = StateStarts(self._end, reading, stacks, self._authors, self._audit, now)
        self._losses = Losses(self._end, lines, stacks, now)
        self._undone: dict[Access, _Undone] = {}
        self._new: list[LogLine] = []

    def write(self, *, alone: bool) -> list[LogLine]:
        """The new lines; `alone`: the log is about this organization only."""
        steps: list[tuple[datetime, int, int, Callable[[], None]]] = []
        before, number = "", 0
        for line in ordered(self._lines):  # a line without an event stays behind those before it in its second
            number = max(number if line.date == before else 0, self._audit.numbers.get(line.audit_id, 0))
            before = line.date
            steps.append((line.at, 2 if number else 0, number, partial(self._known, line)))
        steps += [(one.at, one.order, 0, partial(self._start, one)) for one in self._starts.found]
        steps += [(fact.at, 2, fact.number, partial(self._happened, fact)) for fact in self._audit.new]
        lost = self._losses.before_events(self._audit.new, self._reading.presence, self._was_gone)
        steps += [(one.run.ends, 3, 0, partial(self._lose, one)) for one in lost]
        for *_, step in sorted(steps, key=lambda one: one[:3]):
            step()
        self._compare_states()
        self._compare_organization(alone=alone)
        self._find()
        return self._new

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

    # What the states say

    def _start(self, start: StateStart) -> None:
        name, access, one, at = start.stack, start.access, start.one, start.at
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
        role = there.role if there else self._starts.role_at(access, at, one.line.role)
        self._add(_Said(event, at, _author(run), role), access, name)

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
        own = self._stack_of(fact)
        found = {name for name in there.stacks if name in self._stacks} if there else set()
        for name, stack in self._stacks.items():
            one = stack.held.get(access)
            if one and (name == own or (one.line.date and self._starts.start(name, access, one) < at)):
                found.add(name)
        return found

    def _stack_of(self, fact: AuditFact | None) -> str:
        """The stack whose state has what a new event gave, or ""."""
        return self._starts.stack_of_fact.get(fact.number, "") if fact else ""

    def _was_undone(self, name: str, access: Access) -> bool:
        """Whether a stack had an access until somebody took it away by hand."""
        undone, lines = self._undone.get(access), self._log.of_stack(name, access)
        return bool(undone and undone.by_hand and lines and lines[-1].event == LogEvent.REVOKED)

    # What the audit log says

    def _happened(self, fact: AuditFact) -> None:
        if fact.change is Change.TAKEN:
            self._taken(fact)
        elif fact.change is Change.ACCEPTED:
            self._accepted(fact)
        elif fact.change is Change.CHANGED:
            self._changed(fact)
        else:
            self._given(fact)

    def _given(self, fact: AuditFact) -> None:
        event, access, role = fact.event, fact.access, fact.event.role or ""
        there, seen = self._log.held.get(access), access in self._log.last
        if there and self._was_noted(fact, there):
            return
        if there and self._was_gone(fact):
            self._note(access, LogEvent.REVOKED, there, by_hand=True)
            self._add_for(there.stacks, _Said(LogEvent.REVOKED, fact.at, UNKNOWN, there.role), access)
        elif there:
            if role and there.role and role != there.role:
                self._changed(fact)
            if (stack := self._stack_of(fact)) and stack not in there.stacks:
                by = self._authors.of(event, [stack]).admin
                self._add(_Said(LogEvent.IMPORTED, fact.at, by, role or there.role), access, stack, fact)
            return
        if fact.repeats_an_acceptance:
            if not seen:
                self._accepted(fact)
            return
        having = self._having(access, fact.at, fact)
        author = self._authors.of(event, having)
        stacks = having | (author.stacks if len(author.stacks) == 1 else frozenset())
        for name in sorted(stacks) or [""]:
            again = self._was_undone(name, access) or (not seen and name in having and name != self._stack_of(fact))
            word = LogEvent.RESTORED if name and again else LogEvent.GRANTED
            self._add(_Said(word, fact.at, author.admin, role, event.id), access, name, fact)
        self._undone.pop(access, None)

    def _was_noted(self, fact: AuditFact, there: Interval) -> bool:
        """Whether a late event is about access that the log took for older; its line then corrects that."""
        last, stack = self._log.last[fact.access], self._stack_of(fact)
        line = last if last.event == LogEvent.FOUND else there.stacks.get(stack)
        if line is None or line.event not in SEEN or abs(line.at - fact.at) > SKEW:
            return False
        at, event = line.at - timedelta(seconds=1), fact.event
        said = _Said(LogEvent.GRANTED, at, self._authors.of(event, there.stacks).admin, event.role or "", event.id)
        self._add(said, fact.access, stack or self._log.stack_of(line), fact)
        return True

    def _was_gone(self, fact: AuditFact) -> bool:
        """Whether access that an event gives was gone without an event, as with an invitation that was cancelled."""
        stack = self._stack_of(fact)
        one = self._stacks[stack].held.get(fact.access) if stack else None
        return one is not None and (not fact.may_repeat or one.adopted is False)

    def _changed(self, fact: AuditFact) -> None:
        event, access = fact.event, fact.access
        role, there = event.role or "", self._log.held.get(access)
        if there is None and access in self._log.last:
            self._given(fact)
            return
        if there and there.role == role:
            return
        stacks = self._having(access, fact.at)
        author, undone = self._authors.of(event, stacks), self._undone.get(access)
        back = bool(undone and undone.by_hand and undone.event is LogEvent.CHANGED and undone.role == role)
        if back:
            del self._undone[access]
        else:
            self._note(access, LogEvent.CHANGED, there, by_hand=not author.stacks)
        word = LogEvent.RESTORED if stacks and back else LogEvent.CHANGED
        self._add_for(stacks, _Said(word, fact.at, author.admin, role, event.id), access, fact)

    def _taken(self, fact: AuditFact) -> None:
        log, own = self._log, fact.access
        gone = [one.access for one in log.ended_with(own, self._reading.id)]
        if own in log.held or (own not in log.last and (own.person or own.project is not None)):
            gone.append(own)  # at last, since it ends the others
        having = {access: self._having(access, fact.at) for access in gone}
        author = self._authors.of(fact.event, set().union(*having.values()))
        for access in gone:
            there = log.held.get(access)
            role = (there.role if there else "") or (fact.event.role or "" if access == fact.access else "")
            self._note(access, LogEvent.REVOKED, there, by_hand=not author.stacks)
            said = _Said(LogEvent.REVOKED, fact.at, author.admin, role, fact.event.id)
            stacks = having[access] | ({*there.stacks} if there else set())
            self._add_for(stacks, said, access, fact if access == fact.access else None)

    def _accepted(self, fact: AuditFact) -> None:
        there, last = self._log.held.get(fact.access), self._log.last.get(fact.access)
        if last and (there is None or (last.event == LogEvent.ACCEPTED and last.at == fact.at)):
            return
        role = (there.role if there else "") or fact.event.role or ""
        said = _Said(LogEvent.ACCEPTED, fact.at, fact.event.who or UNKNOWN, role, fact.event.id)
        self._add_for(self._having(fact.access, fact.at), said, fact.access, fact)

    # What is there now

    def _compare_states(self) -> None:
        """Write what the stacks no longer have, and where their reasons are others."""
        for name, stack in self._stacks.items():
            mine = {access: one for access, one in self._log.held.items() if name in one.stacks}
            for access, there in mine.items():
                one = stack.held.get(access)
                if one is None:
                    self._no_longer_has(stack, access, there)
                elif one.line.reasons != there.stacks[name].reasons or (one.line.role and not there.role):
                    modified = instant(one.modified) if one.modified else self._now
                    run, at = during(stack.runs, modified), self._after(access, modified)
                    if self._log.last[access].event == LogEvent.ACCEPTED:  # which changes neither role nor reasons
                        at = max(modified, *(line.at for line in there.stacks.values()))
                    said = _Said(LogEvent.CHANGED, at, _author(run), there.role or one.line.role)
                    self._add(said, access, name, reasons=one.line)

    def _lose(self, loss: Loss) -> None:
        there, run = self._log.held.get(loss.access), loss.run
        if there and loss.stack in there.stacks:
            stacks = there.stacks if loss.event is LogEvent.REVOKED else [loss.stack]
            self._add_for(stacks, _Said(loss.event, run.ends, _author(run), there.role), loss.access)

    def _no_longer_has(self, stack: StackReading, access: Access, there: Interval) -> None:
        role = self._reading.presence.role(access)
        if role is Absence.UNSEEN:
            return
        run = self._losses.run_of(stack, there)
        if role is Absence.GONE and run and not (run.writes and run.deletes):
            run = None  # it found out, and did nothing
        at = self._after(access, min(run.ends, self._now) if run else self._now)
        admin = _author(run)
        if role is not Absence.GONE:
            self._add(_Said(LogEvent.RELEASED, at, admin, there.role), access, stack.name)
        else:
            self._add_for(there.stacks, _Said(LogEvent.REVOKED, at, admin, there.role), access)

    def _compare_organization(self, *, alone: bool) -> None:
        """Write where the organization has something else than the log adds up to."""
        for access, last in [*self._log.last.items()]:
            of = access.organization or self._log.organization_of(last)
            there, role = self._log.held.get(access), self._reading.presence.role(access)
            if role is Absence.UNSEEN or self._may_settle(last) or not (of == self._reading.id or (alone and not of)):
                continue
            if there is None:
                if role is not Absence.GONE:
                    having = {name for name, stack in self._stacks.items() if access in stack.held}
                    self._differs(LogEvent.RESTORED, access, role, having)
            elif role is Absence.GONE:
                self._differs(LogEvent.REVOKED, access, there.role, there.stacks)
            elif role and there.role and role != there.role:
                self._differs(LogEvent.CHANGED, access, role, there.stacks)

    def _find(self) -> None:
        """Write the access that no line is about, and roles that no line names: no event says since when it is so."""
        log, at = self._log, max(self._now, self._log.whole_since(self._reading.id) or self._now)
        for line in self._reading.lines(at):
            access = log.access_of(line)
            there = log.held.get(access)
            is_known = access in log.last or access._replace(organization=None) in log.last
            if not is_known or (there and line.role and not there.role):
                self._step(line)

    def _may_settle(self, last: LogLine) -> bool:
        """Whether Mixpanel may not show yet what its audit log says."""
        age = self._now - last.at
        return bool(last.audit_id) and timedelta() < age < timedelta(seconds=self._reading.settle_seconds)

    def _differs(self, event: LogEvent, access: Access, role: str, stacks: Collection[str]) -> None:
        """Write what nothing else says; a run of a stack did it if the stack's state has changed to just that."""
        at, by = self._now, UNKNOWN
        for name in sorted(stacks) if event is LogEvent.CHANGED else ():
            one = self._stacks[name].held.get(access) if name in self._stacks else None
            run = during(self._stacks[name].runs, instant(one.modified)) if one and one.modified else None
            if one and run and run.writes and one.line.role == role:
                at, by = instant(one.modified), _author(run)
        self._add_for(stacks, _Said(event, self._after(access, at), by, role), access)

    def _after(self, access: Access, at: datetime) -> datetime:
        """An instant that is not before the last line about an access."""
        last = self._log.last.get(access)
        return max(at, last.at) if last else at

    # The lines

    def _add_for(self, stacks: Collection[str], said: _Said, access: Access, fact: AuditFact | None = None) -> None:
        """Add a line for each of some stacks; where there are none, one without a stack."""
        for name in sorted(stacks) or [""]:
            self._add(said, access, name, fact)

    def _add(
        self, said: _Said, access: Access, stack: str, fact: AuditFact | None = None, reasons: LogLine | None = None
    ) -> None:
        base = reasons or self._base(access, stack, said.at, fact)
        email = fact.email if fact and same_key(fact.email) != base.access.person else base.email
        line = replace(
            base,
            date=written(said.at),
            admin=said.admin,
            event=said.event.value,
            email=email,
            stack=stack,
            role=said.role,
            organization=self._reading.id,
            user_id=self._reading.user_id(access),
            audit_id=said.audit_id,
            role_before=(fact.event.previous_role or "") if fact and fact.change is Change.CHANGED else "",
        )
        self._step(line)

    def _step(self, line: LogLine) -> None:
        self._log.step(line)
        self._new.append(line)

    def _base(self, access: Access, stack: str, at: datetime, fact: AuditFact | None) -> LogLine:
        """The person or the team of a new line; for access of a stack, with the stack's reasons at that time."""
        there = self._log.held.get(access)
        if there and stack in there.stacks:
            return replace(there.stacks[stack], email=there.email, renamed_from="")
        one = self._stacks[stack].held.get(access) if stack in self._stacks else None
        if one and (stack == self._stack_of(fact) or not one.line.date or one.line.at <= at):
            return one.line
        event, last = fact.event if fact else None, self._log.last.get(access)
        names = (event.team_name if event else "", there.team if there else "", last.team if last else "")
        return LogLine(
            date="", admin="", event=LogEvent.GRANTED.value, stack=stack, role="",
            email=fact.email if fact else there.email if there else self._log.email_of(last) if last else "",
            project=access.project,
            team=next(filter(None, names), self._reading.presence.team_name(access.team)),
            team_id=access.team,
        )  # fmt: skip


def _author(run: HistoryRun | None) -> str:
    return (run.author if run else "") or UNKNOWN
