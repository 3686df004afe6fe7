"""Remove old lines from the access log: access that had ended before a day, and the people who had it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import compress
from pathlib import Path
from typing import Final

from mixpanel_access.files import whole
from mixpanel_access.files.lines import read_lines, text_of_lines
from mixpanel_access.model.audit import LOOK_BACK
from mixpanel_access.model.dates import instant
from mixpanel_access.model.errors import UsageError
from mixpanel_access.operations.project import Progress
from mixpanel_access.operations.tracker.lines import LogEvent, LogLine

_TELLS: Final = (LogEvent.GRANTED, LogEvent.CHANGED, LogEvent.REVOKED)
"""The events that change who has access, unlike an accepted invitation."""


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
            whom=f"--before {before}",
            why=f"Mixpanel's audit log goes back {LOOK_BACK.days} days, and the next update would add it again",
            next_step=f"Give {latest} or an earlier day.",
        )
    content = whole.content_of(file, LogLine.file_is)
    lines = read_lines(file, LogLine, progress)
    old = [line for line in lines if instant(line.date).date() < before]
    last = {line.key: line for line in old if line.event in _TELLS}
    holds = [line is last.get(line.key) and line.event != LogEvent.REVOKED for line in old]
    stay = list(compress(old, holds))
    gone = [line for line, still in zip(old, holds, strict=True) if not still]
    left = [*stay, *(line for line in lines if instant(line.date).date() >= before)]
    if not gone:
        return Pruned([], [], lines)
    kept = [_record(before, gone), *left]
    people = sorted({line.email for line in gone} - {"", *(line.email for line in left)})
    if act:
        after = whole.encoded(text_of_lines(kept), file, LogLine.file_is)
        whole.write_all([whole.FileChange(file, content, after, LogLine.file_is)])
    return Pruned(gone, people, kept)


def _record(before: date, gone: Sequence[LogLine]) -> LogLine:
    words = f"{len(gone)} lines from before this day were removed"
    return LogLine(
        date=f"{before}T00:00:00Z",
        admin="",
        event=LogEvent.PRUNED.value,
        email="",
        stack="",
        project=None,
        role="",
        justification=words,
    )
