"""The lines of several access logs as one log: each fact once, and for the stacks that had the access at its instant.

What each line says is judged by the replay of the lines before it, so it does not matter which log knew more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from mixpanel_access.model.dates import instant
from mixpanel_access.model.engagements import REASONS
from mixpanel_access.operations.tracker.lines import ENDS, GIVES, OF_THE_LOG, UNKNOWN, Access, LogEvent, LogLine
from mixpanel_access.operations.tracker.replay import Replay
from mixpanel_access.operations.tracker.runs import SKEW

_NO_REASONS: Final[Mapping[str, Any]] = dict.fromkeys(REASONS, "")


class Union:
    """One log of the lines of several.

    Args:
        lines: all lines, in the order of time.

    Attributes:
        kept: the lines of that log.
    """

    def __init__(self, lines: Sequence[LogLine]) -> None:
        self._log = Replay(lines)
        self._accepted: set[Access] = set()
        self._places: dict[tuple[Access, str, bool], int] = {}
        self.kept: list[LogLine] = []
        events: dict[tuple[str, Access], list[LogLine]] = {}
        for line in lines:
            if line.audit_id:
                events.setdefault((line.audit_id, self._log.access_of(line)), []).append(line)
        for line in lines:
            if not line.audit_id:
                self._take(line)
            elif its := events.pop((line.audit_id, self._log.access_of(line)), None):
                self._take_event(its)

    def _take_event(self, its: Sequence[LogLine]) -> None:
        """Take one event, which several logs may have in different words."""
        log, access = self._log, self._log.access_of(its[0])
        there, seen = log.held.get(access), access in log.last
        by_stack: dict[str, LogLine] = {}
        for line in sorted(its, key=_worth):
            by_stack[log.stack_of(line)] = line
        best, event = max(its, key=_worth), its[0].event
        of_stacks = [line for stack, line in sorted(by_stack.items()) if stack]
        if event in GIVES or not seen:
            chosen = of_stacks or [best]
        elif there is None:
            chosen = []  # another line has the end of it
        else:
            chosen = [line for line in of_stacks if log.stack_of(line) in there.stacks]
            if len(chosen) < max(1, len(there.stacks)):
                chosen = [*(chosen if "" not in by_stack else ()), by_stack.get("") or _of_no_stack(best)]
        if event == LogEvent.ACCEPTED and access in self._accepted:
            chosen = []
        for line in chosen:
            self._keep(line)

    def _take(self, line: LogLine) -> None:
        """Take a line without an event, unless it says nothing new."""
        log = self._log
        if line.event in OF_THE_LOG:
            words = [(one.event, one.renamed_from, one.stack, one.organization, one.date) for one in self.kept]
            same = [word for word in words if word[:3] == (line.event, line.renamed_from, line.stack)]
            if not same or (
                line.event == LogEvent.PRUNED and (line.organization, line.date) not in {word[3:] for word in same}
            ):
                self._log.step(line)
                self.kept.append(line)
            return
        access, stack = log.access_of(line), log.stack_of(line)
        there, seen = log.held.get(access), access in log.last
        mine = there is not None and (stack in there.stacks if stack else True)
        if line.event == LogEvent.FOUND:
            known = there is not None and line.role in ("", there.role)
        elif line.event in GIVES:
            known = mine and (line.event != LogEvent.RESTORED or (there is not None and there.role == line.role))
        elif line.event == LogEvent.CHANGED:
            known = there is not None and mine and there.role == line.role
            known = known and (not stack or (there is not None and there.stacks[stack].reasons == line.reasons))
        elif line.event == LogEvent.ACCEPTED:
            known = access in self._accepted
        else:
            known = seen and not mine
            ended = log.of_stack(stack, access)
            if known and line.event == LogEvent.REVOKED and ended and not ended[-1].stack:
                known = (
                    False  # an earlier version writes first that somebody took it away, and then that a stack lost it
                )
            elif known and there is not None and line.event == LogEvent.REVOKED:
                line, known = _of_no_stack(line), False
        if not known:
            self._keep(line)

    def _keep(self, line: LogLine) -> None:
        access, gives = self._log.access_of(line), line.event in GIVES
        place = self._places.get((access, line.stack, gives))
        if line.event in ENDS:
            self._accepted.discard(access)
        elif line.event == LogEvent.ACCEPTED:
            self._accepted.add(access)
        if line.audit_id and place is not None and gives and _is_noted(self.kept[place], line, self._log, access):
            self.kept[place] = line
            return
        self._places[access, line.stack, gives] = len(self.kept)
        self.kept.append(line)
        self._log.step(line)


def _is_noted(kept: LogLine, line: LogLine, log: Replay, access: Access) -> bool:
    """Whether a line without an event is the state's note of this event."""
    near = abs(instant(kept.date) - instant(line.date)) <= SKEW
    there = log.held.get(access)
    return near and not kept.audit_id and there is not None


def _worth(line: LogLine) -> tuple[object, ...]:
    """How much a line says of the same event: that of a stack, with reasons and a known admin, and so on."""
    said = sum(map(bool, line.reasons))
    known = line.admin not in ("", UNKNOWN), "@" in line.admin
    restored, before = line.event == LogEvent.RESTORED, bool(line.role_before)
    return bool(line.stack), said, known, restored, line.organization or 0, before, str(line.row())


def _of_no_stack(line: LogLine) -> LogLine:
    return replace(line, stack="", **_NO_REASONS)
