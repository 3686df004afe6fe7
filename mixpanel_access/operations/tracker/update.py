"""The access log: who got, changed or lost access, when, why, and who did it. Commands only add lines.

`update` adds what Mixpanel's audit log says happened, and from the states and a fresh read of the organization what it
does not say (`writing.py`). `verify` replays the log and compares it with the states (`replay.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import reduce
from operator import or_
from pathlib import Path

from mixpanel_access.directory import connected
from mixpanel_access.files.lines import Verified, append_lines, read_lines
from mixpanel_access.model.audit import LOOK_BACK
from mixpanel_access.model.dates import instant, written
from mixpanel_access.model.grouping import grouped
from mixpanel_access.model.settings import Settings
from mixpanel_access.operations.project import Progress, PulumiProject, of_each
from mixpanel_access.operations.state import EMPTY, State
from mixpanel_access.operations.tracker.lines import UNKNOWN, LogEvent, LogLine, StateLine
from mixpanel_access.operations.tracker.reading import (
    OrganizationReading,
    StackReading,
    read_in_mixpanel,
    stack_reading,
)
from mixpanel_access.operations.tracker.replay import contradictions, differences, replay
from mixpanel_access.operations.tracker.runs import SKEW, runs_of
from mixpanel_access.operations.tracker.writing import new_lines


def update(
    project: PulumiProject, file: Path, stacks: Sequence[str], now: datetime, progress: Progress
) -> list[LogLine]:
    """Add what has happened since the last update.

    Returns:
        The lines that were added.

    Raises:
        UsageError: the log cannot be read or written.
    """
    lines = read_lines(file, LogLine, progress)
    known, organizations = _read(project, stacks, lines, now, progress)
    new = renamed(lines, known, project.stacks, now)
    new += new_lines([*lines, *new], organizations, known, now)
    held = replay([*lines, *new]).held.values()
    if left := sorted({stack for one in held for stack in one.stacks} - {*project.stacks}):
        progress(f"no stack {', '.join(left)} exists any more: the log still shows its access in its lines")
    append_lines(file, new, lines)
    return new


def _read(
    project: PulumiProject, stacks: Sequence[str], lines: Sequence[LogLine], now: datetime, progress: Progress
) -> tuple[dict[str, StackReading], list[OrganizationReading]]:
    """What the stacks and their organizations say now; the audit log from the newest line on, and 90 days at least."""

    def asked(stack: str) -> tuple[Settings, State, StackReading]:
        settings = project.settings(stack)
        state = project.state(stack, settings.organization_id)
        runs = runs_of(project.history(stack))
        return settings, state, stack_reading(stack, settings.organization_id, state, runs)

    answers = of_each(stacks, asked)
    newest = max((instant(line.date) for line in lines), default=now)
    found, read = [], {stack.rpartition("/")[2] for stack in stacks}
    if left_out := sorted({stack.rpartition("/")[2] for stack in project.stacks} - read):
        progress(f"access outside of the stacks is not added to the log, as {', '.join(left_out)} may have it")
    for its in grouped((one[0].organization_id, one[:2]) for one in answers.values()).values():
        accounts, everywhere = [settings for settings, _ in its], reduce(or_, (state for _, state in its), EMPTY)
        with connected(accounts[0], progress) as directory:
            # The organization is read as it is, so the events until then count too, whatever our clock or --now shows.
            span = min(newest, now - LOOK_BACK), max(now, newest, datetime.now(UTC))
            reading = read_in_mixpanel(directory, accounts, everywhere, span, progress)
            found.append(replace(reading, all_stacks=not left_out))
    return {stack: facts for stack, (*_, facts) in answers.items()}, found


def verify(project: PulumiProject, file: Path, stacks: Sequence[str]) -> Verified:
    """Replay the log, and compare it with the states of these stacks.

    Raises:
        UsageError: the log cannot be read.
    """
    cut: list[str] = []
    lines = read_lines(file, LogLine, cut.append)
    states: Mapping[str, State] = of_each(
        stacks, lambda stack: project.state(stack, project.settings(stack).organization_id)
    )
    found = list(differences(lines, states))
    wrong = [*contradictions(lines), *(one.text for one in found if not one.by_hand)]
    return Verified(len(lines), "".join(cut), wrong, [one.text for one in found if one.by_hand])


def renamed(
    lines: Sequence[LogLine], stacks: Mapping[str, StackReading], existing: Sequence[str], now: datetime
) -> list[LogLine]:
    """The lines for stacks that have another name since the last update (`pulumi stack rename`).

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
    found = []
    for old in sorted({stack for there in log.held.values() for stack in there.stacks} - {*existing}):
        common = grouped(
            (name, one)
            for name, stack in stacks.items()
            for access, one in stack.held.items()
            if name not in known and access in log.held and old in log.held[access].stacks
        )
        fit = {name: len(its) for name, its in common.items() if all(_is_older(one, newest) for one in its)}
        if fit:
            name = max(fit, key=fit.__getitem__)
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
