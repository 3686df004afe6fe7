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
from mixpanel_access.model.grouping import grouped
from mixpanel_access.model.settings import Settings
from mixpanel_access.operations.project import Progress, PulumiProject, of_each
from mixpanel_access.operations.state import EMPTY, State
from mixpanel_access.operations.tracker.lines import LogLine, ordered
from mixpanel_access.operations.tracker.reading import (
    OrganizationReading,
    StackReading,
    read_in_mixpanel,
    stack_reading,
)
from mixpanel_access.operations.tracker.renames import by_present_addresses, readdressed, renamed
from mixpanel_access.operations.tracker.replay import contradictions, differences, replay
from mixpanel_access.operations.tracker.runs import runs_of
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
    new = additions(lines, organizations, known, project.stacks, now)
    held = replay([*lines, *new]).held.values()
    if left := sorted({stack for one in held for stack in one.stacks} - {*project.stacks}):
        progress(f"no stack {', '.join(left)} exists any more: the log still shows its access in its lines")
    append_lines(file, new, lines)
    return new


def additions(
    lines: Sequence[LogLine],
    organizations: Sequence[OrganizationReading],
    stacks: Mapping[str, StackReading],
    existing: Sequence[str],
    now: datetime,
) -> list[LogLine]:
    """The lines that a log lacks: other names of people and stacks first, and then what has happened.

    Args:
        lines: the log.
        organizations: what Mixpanel says of each organization.
        stacks: the stacks in them.
        existing: the names of all stacks of the project.
        now: the present instant.
    """
    of_stacks, newest = {name: one.organization for name, one in stacks.items()}, max([now, *(one.at for one in lines)])
    log = replay(lines, of_stacks)
    new = [line for reading in organizations for line in readdressed(log, reading, newest)]
    log = replay([*lines, *new], of_stacks) if new else log
    read = {reading.id: reading for reading in organizations}
    known = {name: by_present_addresses(one, log, read[one.organization]) for name, one in stacks.items()}
    if renames := [*renamed(lines, log, known, existing, now)]:
        new += renames
        log = replay([*lines, *new], of_stacks)
    return ordered([*new, *new_lines([*lines, *new], log, organizations, known, now)])


def _read(
    project: PulumiProject, stacks: Sequence[str], lines: Sequence[LogLine], now: datetime, progress: Progress
) -> tuple[dict[str, StackReading], list[OrganizationReading]]:
    """What the stacks and their organizations say now; the audit log from the newest line on, and 90 days at least."""

    def asked(stack: str) -> tuple[Settings, State, StackReading]:
        settings = project.settings(stack)
        state = project.state(stack, settings.organization_id)
        runs = runs_of(project.history(stack))
        return settings, state, stack_reading(stack, settings, state, runs)

    answers = of_each(stacks, asked)
    newest = max((line.at for line in lines), default=now)
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
    found = list(differences(replay(lines), states))
    wrong = [*contradictions(lines), *(one.text for one in found if not one.by_hand)]
    return Verified(len(lines), "".join(cut), wrong, [one.text for one in found if one.by_hand])
