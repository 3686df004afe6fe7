"""The lines of several access logs as one log: each fact once, and for the stacks that had the access at its instant.

What each line says is judged by the replay of the lines before it, so it does not matter which log knew more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from mixpanel_access.model.address import same_key
from mixpanel_access.model.engagements import REASONS
from mixpanel_access.model.grouping import grouped
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
        self._numbers: dict[tuple[Access, str, bool], int] = {}
        self.kept: list[LogLine] = []
        events = grouped(((line.audit_id, self._log.access_of(line)), line) for line in lines if line.audit_id)
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
        gives = event in GIVES or (there is None and any(line.event in GIVES for line in its))
        if gives or not seen:
            chosen = of_stacks or [best]
        elif there is None:
            chosen = []  # another line has the end of it
        else:
            chosen = [line for line in of_stacks if log.stack_of(line) in there.stacks]
            if len(chosen) < max(1, len(there.stacks)):
                chosen = [
                    *(chosen if "" not in by_stack else ()),
                    by_stack.get("") or replace(best, stack="", **_NO_REASONS),
                ]
        if event == LogEvent.ACCEPTED and access in self._accepted:
            chosen = []
        for line in chosen:
            self._keep(line)

    def _take(self, line: LogLine) -> None:
        """Take a line without an event, unless it says nothing new."""
        if line.event in OF_THE_LOG:
            if not self._is_known(line):
                self._log.step(line)
                self.kept.append(line)
        elif news := self._news(line):
            self._keep(news)

    def _is_known(self, line: LogLine) -> bool:
        """Whether a line about the log or a name says what an earlier one says; logs may be pruned on several days."""
        if line.event == LogEvent.PRUNED:
            return (line.organization, line.date) in ((one.organization, one.date) for one in self._of(LogEvent.PRUNED))
        if line.user_id is not None:
            return False  # `MergedAddresses` has each of them once
        same = (_names(one) for one in self._of(LogEvent(line.event)))
        return next((names == _names(line) for names in same if {*names} & {*_names(line)}), False)

    def _of(self, event: LogEvent) -> Iterator[LogLine]:
        """The lines of an event that are kept, the newest first."""
        return (line for line in reversed(self.kept) if line.event == event)

    def _news(self, line: LogLine) -> LogLine | None:
        """What a line without an event says that the lines before it do not say, or None."""
        log, access, stack = self._log, self._log.access_of(line), self._log.stack_of(line)
        there = log.held.get(access)
        mine = there is not None and (not stack or stack in there.stacks)
        if line.event == LogEvent.ACCEPTED:
            return None if access in self._accepted else line
        if line.event in ENDS:
            if access not in log.last and log.person(access.person, log.organization_of(line)) != access.person:
                return None  # another log knows that the person has another address
            return line if mine or access not in log.last else self._second_end(line, access, stack)
        if there is None:
            known = False
        elif line.event == LogEvent.FOUND:
            known = line.role in ("", there.role)
        elif line.event in GIVES:
            known = mine and (line.event != LogEvent.RESTORED or there.role == line.role)
        else:
            known = mine and there.role == line.role and (not stack or there.stacks[stack].reasons == line.reasons)
        return None if known else line

    def _second_end(self, line: LogLine, access: Access, stack: str) -> LogLine | None:
        """What is left of a line about the end of access that the stack does not have."""
        if line.event != LogEvent.REVOKED:
            return None
        if (ended := self._log.of_stack(stack, access)) and not ended[-1].stack:
            return line  # an earlier version writes first that somebody took it away, and then that a stack lost it
        return replace(line, stack="", **_NO_REASONS) if access in self._log.held else None

    def _keep(self, line: LogLine) -> None:
        access, gives = self._log.access_of(line), line.event in GIVES
        key = access, line.stack, gives
        if line.event in ENDS:
            self._accepted.discard(access)
        elif line.event == LogEvent.ACCEPTED:
            self._accepted.add(access)
        if line.audit_id and gives and key in self._numbers and access in self._log.held:
            noted = self.kept[self._numbers[key]]
            if not noted.audit_id and abs(noted.at - line.at) <= SKEW:
                self.kept[self._numbers[key]] = line  # the note was the state's, of this event
                return
        self._numbers[key] = len(self.kept)
        self.kept.append(line)
        self._log.step(line)


def _names(line: LogLine) -> tuple[tuple[int | None, str], ...]:
    """The earlier and the later name in a line about a stack or a person; an address is one of an organization."""
    if line.event == LogEvent.RENAMED:
        return (None, line.renamed_from), (None, line.stack)
    return (line.organization, same_key(line.email_before)), (line.organization, same_key(line.email))


def _worth(line: LogLine) -> tuple[object, ...]:
    """How much a line says of the same event: that of a stack, with reasons and a known admin, and so on."""
    said = sum(map(bool, line.reasons))
    known = line.admin not in ("", UNKNOWN), "@" in line.admin
    restored, before = line.event == LogEvent.RESTORED, bool(line.role_before)
    return bool(line.stack), said, known, restored, line.organization or 0, before, line.user_id or 0, str(line.row())
