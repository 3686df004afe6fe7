"""Stacks that have another name since the last update of the access log (`pulumi stack rename`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from mixpanel_access.model.dates import instant, written
from mixpanel_access.operations.tracker.lines import UNKNOWN, Access, LogEvent, LogLine, StateLine
from mixpanel_access.operations.tracker.reading import StackReading
from mixpanel_access.operations.tracker.replay import replay
from mixpanel_access.operations.tracker.runs import SKEW


def renamed(
    lines: Sequence[LogLine], stacks: Mapping[str, StackReading], existing: Sequence[str], now: datetime
) -> list[LogLine]:
    """The lines for stacks that have another name since the last update.

    A stack of the log no longer exists, and another one that the log does not know has its access, in a state that is
    no younger than the log.

    Args:
        lines: the log.
        stacks: the stacks that are read.
        existing: the names of all stacks of the project.
        now: the present instant.
    """
    log = replay(lines, {name: stack.organization for name, stack in stacks.items()})
    newest = max((instant(line.date) for line in lines), default=now)
    known = {log.stack_of(line) for line in lines}
    held: dict[str, set[Access]] = {}
    for access, one in log.held.items():
        for stack in one.stacks:
            held.setdefault(stack, set()).add(access)
    found = []
    for old in sorted(held.keys() - {*existing}):
        common = {
            name: [one for access, one in stack.held.items() if access in held[old]]
            for name, stack in stacks.items()
            if name not in known
        }
        fit = {name: its for name, its in common.items() if its and all(_is_older(one, newest) for one in its)}
        if fit:
            name = max(fit, key=lambda name: len(fit[name]))
            known.add(name)
            found.append(
                LogLine(
                    date=written(max(now, newest)), admin=UNKNOWN, event=LogEvent.RENAMED.value, email="", stack=name,
                    project=None, role="", organization=stacks[name].organization, renamed_from=old,
                )
            )  # fmt: skip
    return found


def _is_older(one: StateLine, newest: datetime) -> bool:
    """Whether the stack got the access before the log's newest line, by any clock."""
    return bool(one.line.date) and instant(one.line.date) <= newest + SKEW
