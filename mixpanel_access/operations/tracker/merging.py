"""The merge of access logs to which two branches have added: the same fact once, in order, and without contradictions.

Two branches can have the same fact in different words: one found access gone on Monday, and the other read on Tuesday
who took it away. So a line repeats another one if it says the same of the same access and stack, and nothing in between
undid that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from mixpanel_access.files import whole
from mixpanel_access.files.lines import read_sides, text_of_lines
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.grouping import grouped
from mixpanel_access.operations.tracker.lines import ENDS, OF_THE_LOG, LogEvent, LogLine
from mixpanel_access.operations.tracker.merged_addresses import MergedAddresses
from mixpanel_access.operations.tracker.names import Names
from mixpanel_access.operations.tracker.replay import contradictions
from mixpanel_access.operations.tracker.union import Union


class LineOfLog(NamedTuple):
    """A line of one of the logs, and where it is."""

    line: LogLine
    file: Path
    number: int
    side: int

    def __str__(self) -> str:
        return f"line {self.number} of {self.file}"


@dataclass(frozen=True)
class Merged:
    """The result of a merge.

    Attributes:
        lines: the lines of the merged log.
        added: those that the log itself, or its first side, did not have.
        repeated: the lines that say what another line says, and are left out.
        had_conflict: whether the log had conflict markers of git.
    """

    lines: Sequence[LogLine]
    added: Sequence[LogLine]
    repeated: Sequence[LogLine]
    had_conflict: bool = False


def merge(file: Path, others: Sequence[Path]) -> Merged:
    """Write the union of a log, or of both sides of its conflict markers, and of other logs.

    Raises:
        UsageError: a log cannot be read or written, or two lines contradict each other; nothing is written.
    """
    content = whole.content_of(file, LogLine.file_is)
    sides = [
        [LineOfLog(line, source, number, 0) for number, line in side]
        for source in (file, *others)
        for side in read_sides(source, LogLine)
    ]
    found = merged([[one._replace(side=number) for one in side] for number, side in enumerate(sides)], file)
    after = whole.encoded(text_of_lines(found.lines), file, LogLine.file_is)
    whole.write_all([whole.FileChange(file, content, after, LogLine.file_is)])
    return replace(found, had_conflict=len(sides) > 1 + len(others))


def merged(sides: Sequence[Sequence[LineOfLog]], file: Path) -> Merged:
    """The union of logs, which is the same in whichever order they come.

    Raises:
        UsageError: two lines contradict each other.
    """
    known = {line for side in sides for line in contradictions([one.line for one in side])}
    sides = _by_one_address(sides, file)
    in_order = sorted(sides, key=lambda side: text_of_lines(one.line for one in side))
    union = _ordered(_without_pruned(in_order))
    lines = [one.line for one in union]
    _must_agree(_ordered(_without_pruned(sides)), Names(lines))
    found = Union(lines)
    wrong = list(contradictions(found.kept))
    if len(wrong) > len(known):
        raise _refused(file, f"replayed, the union contradicts itself: {wrong[0]}", "Correct the logs, or take one.")
    mine = {one.line for one in sides[0]}
    return Merged(
        found.kept,
        [line for line in found.kept if line not in mine],
        [line for line in dict.fromkeys(lines) if line not in {*found.kept}],
    )


def _by_one_address(sides: Sequence[Sequence[LineOfLog]], file: Path) -> list[list[LineOfLog]]:
    """The lines with the addresses that people had then by all logs.

    Raises:
        UsageError: by the logs, two people had one address at an instant.
    """
    addresses, known = MergedAddresses([one.line for one in side] for side in sides), list[tuple[LineOfLog, str]]()
    found: list[list[LineOfLog]] = []
    for side in sides:
        its = zip(side, addresses.lines([one.line for one in side]), strict=True)
        new = [(one._replace(line=line), person) for one, (line, person) in its if line is not None]
        found.append([one for one, _ in new])
        known += new
    log = Names([one.line for one, _ in known])
    for one, person in known:
        if person and log.access_of(one.line).person != person:
            why = f"by {one}, {one.line.email} is {person} now, and by another log somebody else"
            raise _refused(file, why, "Take one of the logs, and run `mixpanel-access tracker update`.")
    return found


def _without_pruned(sides: Sequence[Sequence[LineOfLog]]) -> Iterator[LineOfLog]:
    """Every line once, but for those that one log has pruned and another one still has."""
    everything = [{one.line for one in side} for side in sides]
    pruned = [max((line.at for line in lines if line.event == LogEvent.PRUNED), default=None) for lines in everything]
    seen: set[LogLine] = set()
    for side in sides:
        for one in side:
            at = one.line.at
            gone = any(day and at < day and one.line not in its for day, its in zip(pruned, everything, strict=True))
            if one.line not in seen and not gone:
                seen.add(one.line)
                yield one


def _ordered(lines: Iterable[LineOfLog]) -> list[LineOfLog]:
    """The lines in the order of time; an end without an event comes before what an event gives in that second."""
    return sorted(lines, key=lambda one: (one.line.at, bool(one.line.audit_id) or one.line.event not in ENDS))


def _must_agree(union: Sequence[LineOfLog], log: Names) -> None:
    """Refuse two lines of one event, or of different logs in one second, that cannot both be true."""

    def key(line: LogLine) -> tuple[object, ...]:
        when = (line.audit_id,) if line.audit_id else (line.date, log.stack_of(line))
        return log.access_of(line), *when

    about_access = (one for one in union if one.line.event not in OF_THE_LOG)
    for its in grouped((key(one.line), one) for one in about_access).values():
        for other in its[1:]:
            first = its[0]
            if why := _contradiction(first, other):
                raise _refused(first.file, f"{first} and {other} contradict each other: {why}", "Correct one of them.")


def _contradiction(one: LineOfLog, other: LineOfLog) -> str:
    """Why two lines about the same cannot both be true, or ""."""
    first, second = one.line, other.line
    if one.side == other.side:
        return ""
    if (first.event == LogEvent.REVOKED) != (second.event == LogEvent.REVOKED):
        return f"{first.label} {first.event} and {second.event}, {first.date}"
    # A line without an event has the role that its update read, which may be a later one.
    if first.audit_id and first.role and second.role and first.role != second.role and first.event != LogEvent.REVOKED:
        return f"{first.label} has {first.what} and {second.what}, {first.date}"
    if first.audit_id and first.admin != second.admin and "@" in first.admin and "@" in second.admin:
        return f"{first.label} {first.event} by {first.admin} and by {second.admin}, {first.date}"
    return ""


def _refused(file: Path, why: str, next_step: str) -> UsageError:
    return UsageError(
        "cannot merge the access log", subject=str(file), why=why, next_step=f"Nothing was written. {next_step}"
    )
