"""The end of an update of the access log: what the states and the organization have, and the log does not add up to."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from mixpanel_access.model.dates import instant
from mixpanel_access.operations.tracker.lines import UNKNOWN, Access, LogEvent, LogLine
from mixpanel_access.operations.tracker.losses import Losses
from mixpanel_access.operations.tracker.pen import Pen, Said
from mixpanel_access.operations.tracker.reading import Absence, StackReading
from mixpanel_access.operations.tracker.replay import Interval
from mixpanel_access.operations.tracker.runs import SKEW, during


class Comparison:
    """Writes what nothing has said.

    Args:
        pen: adds the lines, after all that the log, the states and the events say.
        losses: knows in which run a stack lost access.
        now: the present instant.

    Attributes:
        now: the present instant, or that of the newest line.
    """

    def __init__(self, pen: Pen, losses: Losses, now: datetime) -> None:
        self._pen, self._losses = pen, losses
        self._log, self._reading, self._stacks = pen.log, pen.reading, pen.stacks
        # The organization was read after all that the log has, whatever --now says; clocks may differ a little.
        newest = max((line.at for line in pen.log.last.values()), default=now)
        self.now = newest if newest > now + SKEW else now

    def write(self, *, alone: bool) -> None:
        """Write the lines; `alone`: the log is about this organization only."""
        self._compare_states()
        self._compare_organization(alone=alone)
        self._find()

    def _compare_states(self) -> None:
        """Write what the stacks no longer have, and where their reasons are others."""
        for name, stack in self._stacks.items():
            mine = {access: one for access, one in self._log.held.items() if name in one.stacks}
            for access, there in mine.items():
                one = stack.held.get(access)
                if one is None:
                    self._no_longer_has(stack, access, there)
                elif one.line.reasons != there.stacks[name].reasons or (one.line.role and not there.role):
                    at = instant(one.modified) if one.modified else self.now
                    self._pen.explain(name, access, self._after(access, at))

    def _no_longer_has(self, stack: StackReading, access: Access, there: Interval) -> None:
        role = self._reading.presence.role(access)
        if role is Absence.UNSEEN:
            return
        run = self._losses.run_of(stack, there)
        if role is Absence.GONE and run and not (run.writes and run.deletes):
            run = None  # it found out, and did nothing
        at = self._after(access, min(run.ends, self.now) if run else self.now)
        admin = stack.author_of(run)
        if role is not Absence.GONE:
            self._pen.add(Said(LogEvent.RELEASED, at, admin, there.role), access, stack.name)
        else:
            self._pen.add_for(there.stacks, Said(LogEvent.REVOKED, at, admin, there.role), access)

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
        log, at = self._log, max(self.now, self._log.whole_since(self._reading.id) or self.now)
        for line in self._reading.lines(at):
            access = log.access_of(line)
            there = log.held.get(access)
            is_known = access in log.last or access._replace(organization=None) in log.last
            if not is_known or (there and line.role and not there.role):
                self._pen.step(line)

    def _may_settle(self, last: LogLine) -> bool:
        """Whether Mixpanel may not show yet what its audit log says."""
        age = self.now - last.at
        return bool(last.audit_id) and timedelta() < age < timedelta(seconds=self._reading.settle_seconds)

    def _differs(self, event: LogEvent, access: Access, role: str, stacks: Collection[str]) -> None:
        """Write what nothing else says; a run of a stack did it if the stack's state has changed to just that."""
        at, by = self.now, UNKNOWN
        for name in sorted(stacks) if event is LogEvent.CHANGED else ():
            one = self._stacks[name].held.get(access) if name in self._stacks else None
            run = during(self._stacks[name].runs, instant(one.modified)) if one and one.modified else None
            if one and run and run.writes and one.line.role == role:
                at, by = instant(one.modified), self._stacks[name].author_of(run)
        self._pen.add_for(stacks, Said(event, self._after(access, at), by, role), access)

    def _after(self, access: Access, at: datetime) -> datetime:
        """An instant that is not before the last line about an access."""
        last = self._log.last.get(access)
        return max(at, last.at) if last else at
