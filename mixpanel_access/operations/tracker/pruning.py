"""The removal of old lines from the access log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from mixpanel_access.files import whole
from mixpanel_access.files.lines import read_lines, text_of_lines
from mixpanel_access.model.address import same_key
from mixpanel_access.model.audit import LOOK_BACK
from mixpanel_access.model.errors import UsageError
from mixpanel_access.operations.project import Progress
from mixpanel_access.operations.tracker.lines import NAMING, UNKNOWN, Access, LogEvent, LogLine, ordered
from mixpanel_access.operations.tracker.replay import Replay


@dataclass(frozen=True)
class Pruned:
    """What `prune` removes from a log.

    Attributes:
        lines: the lines that are removed.
        people: the addresses that no longer appear in the log.
        kept: the lines that stay; the first says what was removed.
    """

    lines: Sequence[LogLine]
    people: Sequence[str]
    kept: Sequence[LogLine]


def prune(file: Path, before: date, now: datetime, progress: Progress, *, act: bool) -> Pruned:
    """Remove the lines before a day, except for access that continued on that day.

    From that day on, the log shows who had what, as before. It no longer shows access that had ended before, earlier
    roles of access that continued, and when invitations were accepted.

    Args:
        file: the log.
        before: the first day whose lines stay (UTC).
        now: the present instant.
        progress: shows a line if the last line was cut off.
        act: whether to write the log.

    Raises:
        UsageError: the day is too near, or the log cannot be read or written.
    """
    if before > (latest := (now - LOOK_BACK).date()):
        raise UsageError(
            "cannot prune the access log",
            subject=f"--before {before}",
            why=f"Mixpanel's audit log goes back {LOOK_BACK.days} days, and the next update would add it again",
            next_step=f"Give {latest} or an earlier day.",
        )
    content = whole.content_of(file, LogLine.file_is)
    lines = read_lines(file, LogLine, progress)
    old = [line for line in lines if line.at.date() < before]
    stay = _needed(lines, old)
    gone = [line for line in old if id(line) not in stay]
    left = [line for line in lines if id(line) in stay or line.at.date() >= before]
    if not gone:
        return Pruned([], [], lines)
    known = [line.organization for line in old if line.event in (LogEvent.FOUND, LogEvent.PRUNED)]
    read: list[int | None] = [*sorted({one for one in known if one is not None})]
    records = [
        LogLine(
            date=f"{before}T00:00:00Z",
            admin=UNKNOWN,
            event=LogEvent.PRUNED.value,
            email="",
            stack="",
            project=None,
            role="",
            organization=organization,
            justification=f"{len(gone)} lines from before this day were removed",
        )
        for organization in read or [None]
    ]
    kept = [*records, *left]
    people = sorted(_people(gone) - _people(left) - {""})
    if act:
        after = whole.encoded(text_of_lines(kept), file, LogLine.file_is)
        whole.write_all([whole.FileChange(file, content, after, LogLine.file_is)])
    return Pruned(gone, people, kept)


def _people(lines: Sequence[LogLine]) -> set[str]:
    """The addresses that lines name."""
    return {email for line in lines for email in (line.email, line.email_before)}


def _needed(lines: Sequence[LogLine], old: Sequence[LogLine]) -> set[int]:
    """The old lines (their `id`) that say who had what at their end: those of the stacks, and of the role."""
    replayed = Replay(lines)
    of_access: dict[Access, list[LogLine]] = {}
    for line in ordered(old):
        replayed.step(line)
        of_access.setdefault(replayed.access_of(line), []).append(line)
    needed: list[LogLine] = []
    for access, there in replayed.held.items():
        its = of_access[access]
        others = [line for line in its if line.event != LogEvent.ACCEPTED] or its[:1]
        needed += there.stacks.values() or others[-1:]
        same = [line for line in its if line.role == there.role]
        needed += ([line for line in same if line.event != LogEvent.ACCEPTED] or same)[-1:]
        needed += [line for line in its if line.user_id is not None][-1:]
    names = {name for line in needed for name in (line.stack, same_key(line.email))}
    for line in reversed(ordered(line for line in old if line.event in NAMING)):
        before, now = (line.renamed_from or same_key(line.email_before)), (line.stack or same_key(line.email))
        if before in names or now in names:
            names.add(before)
            needed.append(line)
    return {id(line) for line in needed}
