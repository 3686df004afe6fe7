"""In which runs the stacks lost access that their states had at the last update."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from mixpanel_access.model.audit import LOOK_BACK
from mixpanel_access.model.grouping import grouped
from mixpanel_access.operations.tracker.audit_facts import AuditFact
from mixpanel_access.operations.tracker.lines import NAMING, Access, LogEvent, LogLine
from mixpanel_access.operations.tracker.reading import Absence, Presence, StackReading
from mixpanel_access.operations.tracker.replay import Interval, Replay
from mixpanel_access.operations.tracker.runs import SKEW, HistoryRun, only_of


@dataclass(frozen=True, kw_only=True)
class Loss:
    """Access that a stack lost in a run.

    Attributes:
        event: `released`; `revoked` if it was given anew later, so that it was gone in between.
    """

    stack: str
    access: Access
    run: HistoryRun
    event: LogEvent


class Losses:
    """What the stacks lost since the last update.

    Args:
        log: the log, replayed to its end.
        lines: its lines.
        stacks: the stacks of the organization.
        now: the present instant.
    """

    def __init__(
        self, log: Replay, lines: Sequence[LogLine], stacks: Mapping[str, StackReading], now: datetime
    ) -> None:
        dates = [line.at for line in lines if line.event not in NAMING]
        self._seen = max((date for date in dates if date <= now), default=now - LOOK_BACK)
        self._log, self._stacks, self._now = log, stacks, now

    def run_of(self, stack: StackReading, there: Interval) -> HistoryRun | None:
        """The run in which a stack lost access, as far as that is known."""
        since = max(there.stacks[stack.name].at, self._seen)
        return only_of(stack.runs, since, self._now)

    def before_events(
        self, pending: Sequence[AuditFact], presence: Presence, was_gone: Callable[[AuditFact], bool]
    ) -> Iterator[Loss]:
        """The losses in known runs, of access to which something happened later, or which is there.

        Args:
            pending: the new facts of the audit log.
            presence: what the organization has.
            was_gone: whether access that an event gives was gone before.
        """
        related = grouped((fact.access.person or fact.access.team, fact) for fact in pending)
        for name, stack in self._stacks.items():
            for access, there in self._log.held.items():
                if name not in there.stacks or access in stack.held:
                    continue
                run = self.run_of(stack, there)
                if run is None or run.ends > self._now:
                    continue
                facts = [*related.get(access.person or access.team, ()), *related.get(access.team, ())]
                taken = [fact.at for fact in facts if fact.takes(access)]
                if any(run.covers(at, SKEW) for at in taken):
                    continue  # the event says it
                again = any(fact.access == access and fact.at > run.ends and was_gone(fact) for fact in facts)
                if again and run.writes and run.deletes and not taken:
                    yield Loss(stack=name, access=access, run=run, event=LogEvent.REVOKED)
                elif not again and (any(at > run.ends for at in taken) or presence.role(access) is not Absence.GONE):
                    yield Loss(stack=name, access=access, run=run, event=LogEvent.RELEASED)
