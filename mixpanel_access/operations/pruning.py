"""Remove old lines from the access log: access that had ended before a day, and the people who had it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final

from mixpanel_access.files import whole
from mixpanel_access.model.audit import LOOK_BACK
from mixpanel_access.model.dates import instant
from mixpanel_access.model.errors import UsageError
from mixpanel_access.operations.chain import linked, read, text_of_lines, verify
from mixpanel_access.operations.project import Progress
from mixpanel_access.operations.tracker_lines import LogEvent, LogLine

_TELLS: Final = (LogEvent.GRANTED, LogEvent.CHANGED, LogEvent.REVOKED)
"""The events that change who has access; an accepted invitation does not."""


@dataclass(frozen=True)
class Pruned:
    """What is taken out of a log.

    Attributes:
        lines: the lines, as they were.
        people: the addresses that no longer appear in the log.
        kept: the lines that stay, with their new hashes; the first says what was taken out.
        last_hash: the hash of the log's last line before.
    """

    lines: Sequence[LogLine]
    people: Sequence[str]
    kept: Sequence[LogLine]
    last_hash: str


def prune(file: Path, before: date, now: datetime, progress: Progress, *, act: bool) -> Pruned:
    """Take out the lines before a day, except what still held on that day.

    From that day on the log says as before who had what at every instant. It no longer says what had ended by then, how
    something that still held had changed, and when an invitation was accepted.

    Args:
        file: the log.
        before: the first day whose lines stay (UTC).
        now: the present instant.
        progress: shows a line where the last line was cut.
        act: whether to write it; else it is only looked at.

    Raises:
        Refused: the log was touched.
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
    lines = read(file, LogLine, progress)
    verify(lines, file)
    old = [line for line in lines if instant(line.date).date() < before]
    last = {line.place: line for line in old if line.event in _TELLS}
    stay = [line for line in old if line is last.get(line.place) and line.event != LogEvent.REVOKED]
    kept_hashes = {line.hash for line in stay}
    gone = [line for line in old if line.hash not in kept_hashes]
    left = [*stay, *(line for line in lines if instant(line.date).date() >= before)]
    if not gone:
        return Pruned([], [], lines, lines[-1].hash if lines else "")
    kept = list(linked([_record(before, gone, lines[-1].hash), *left], []))
    people = sorted({line.email for line in gone} - {"", *(line.email for line in left)})
    if act:
        after = whole.encoded(text_of_lines(kept), file, LogLine.file_is)
        whole.write_all([whole.FileChange(file, content, after, LogLine.file_is)])
    return Pruned(gone, people, kept, lines[-1].hash)


def _record(before: date, gone: Sequence[LogLine], last_hash: str) -> LogLine:
    words = f"{len(gone)} lines from before this day were taken out; the log ended with the hash {last_hash}"
    return LogLine(f"{before}T00:00:00Z", "", LogEvent.PRUNED.value, "", "", None, "", justification=words)
