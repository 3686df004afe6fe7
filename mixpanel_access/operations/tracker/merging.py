"""The merge of access logs to which two branches have added: the same fact once, in order, and without contradictions.

Two branches can have the same fact in different words: one found access gone on Monday, and the other read on Tuesday
who took it away. So a line repeats another one if it says the same of the same access and stack, and nothing in between
undid that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from mixpanel_access.files import whole
from mixpanel_access.files.lines import read_sides, text_of_lines
from mixpanel_access.model.dates import instant
from mixpanel_access.model.errors import UsageError
from mixpanel_access.operations.tracker.lines import ENDS, GIVES, OF_THE_LOG, Access, LogEvent, LogKey, LogLine
from mixpanel_access.operations.tracker.replay import Replay, problems
from mixpanel_access.operations.tracker.runs import SKEW


class Origin(NamedTuple):
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
    """

    lines: Sequence[LogLine]
    added: Sequence[LogLine]
    repeated: Sequence[LogLine] = field(default_factory=list)


def merge(file: Path, others: Sequence[Path]) -> Merged:
    """Write the union of a log, or of both sides of its conflict markers, and of other logs.

    Raises:
        UsageError: a log cannot be read or written, or two lines contradict each other; nothing is written.
    """
    content = whole.content_of(file, LogLine.file_is)
    sides = [
        [Origin(line, source, number, 0) for number, line in side]
        for source in (file, *others)
        for side in read_sides(source, LogLine)
    ]
    found = merged([[one._replace(side=number) for one in side] for number, side in enumerate(sides)], file)
    after = whole.encoded(text_of_lines(found.lines), file, LogLine.file_is)
    whole.write_all([whole.FileChange(file, content, after, LogLine.file_is)])
    return found


def merged(sides: Sequence[Sequence[Origin]], file: Path) -> Merged:
    """The union of logs.

    Raises:
        UsageError: two lines contradict each other.
    """
    union = _ordered(_without_pruned(sides))
    lines = [one.line for one in union]
    log = Replay(lines)
    _must_agree(union, log)
    once = _Once(lines)
    for one in union:
        once.take(one.line)
    kept = once.kept
    known = {line for side in sides for line in problems([one.line for one in side], {})}
    if sum(1 for _ in problems(kept, {})) > len(known):
        new = next(iter(problems(kept, {})))
        raise _refused(file, f"replayed, the union contradicts itself: {new}", "Correct the logs, or take one of them.")
    mine = {one.line for one in sides[0]}
    return Merged(kept, [line for line in kept if line not in mine], once.repeated)


def _without_pruned(sides: Sequence[Sequence[Origin]]) -> Iterator[Origin]:
    """Every line once, but for those that one log has pruned and another one still has."""
    everything = [{one.line for one in side} for side in sides]
    pruned = [
        max((instant(line.date) for line in lines if line.event == LogEvent.PRUNED), default=None)
        for lines in everything
    ]
    seen: set[LogLine] = set()
    for side in sides:
        for one in side:
            at = instant(one.line.date)
            gone = any(day and at < day and one.line not in its for day, its in zip(pruned, everything, strict=True))
            if one.line not in seen and not gone:
                seen.add(one.line)
                yield one


def _ordered(lines: Iterable[Origin]) -> list[Origin]:
    return sorted(lines, key=lambda one: instant(one.line.date))


def _must_agree(union: Sequence[Origin], log: Replay) -> None:
    """Refuse two lines of one event, or of different logs in one second, that cannot both be true."""
    same: dict[tuple[object, ...], list[Origin]] = {}
    for one in union:
        line, access = one.line, log.access_of(one.line)
        key = (line.audit_id, access) if line.audit_id else (line.date, access, log.stack_of(line))
        same.setdefault(key, []).append(one)
    for its in same.values():
        for other in its[1:]:
            first = its[0]
            if why := _contradiction(first, other):
                raise _refused(first.file, f"{first} and {other} contradict each other: {why}", "Correct one of them.")


def _contradiction(one: Origin, other: Origin) -> str:
    """Why two lines about the same cannot both be true, or ""."""
    first, second = one.line, other.line
    if one.side == other.side:
        return ""
    if (first.event == LogEvent.REVOKED) != (second.event == LogEvent.REVOKED):
        return f"{first.label} {first.event} and {second.event}, {first.date}"
    if first.role and second.role and first.role != second.role and first.event != LogEvent.REVOKED:
        return f"{first.label} as {first.what} and as {second.what}, {first.date}"
    if first.audit_id and first.admin != second.admin and "@" in first.admin and "@" in second.admin:
        return f"{first.label} {first.event} by {first.admin} and by {second.admin}, {first.date}"
    return ""


_GIVEN: Final = "given"


class _Once:
    """Takes lines in the order of time, and leaves out those that repeat one."""

    def __init__(self, lines: Sequence[LogLine]) -> None:
        self._log = Replay(lines)
        self._said: dict[LogKey, dict[str, int]] = {}
        self._events: dict[tuple[str, Access], list[int]] = {}
        self.kept: list[LogLine] = []
        self.repeated: list[LogLine] = []

    def take(self, line: LogLine) -> None:
        """Keep a line, or the better one of the two if it repeats one."""
        log = self._log
        key = LogKey(log.stack_of(line), log.access_of(line))
        place = self._same_event(line, key)
        place = self._same_fact(line, key) if place is None else place
        if place is None:
            _note(line, key, self._said, len(self.kept))
            if line.audit_id:
                self._events.setdefault((line.audit_id, key.access), []).append(len(self.kept))
            self.kept.append(line)
            log.step(line)
            return
        kept = self.kept[place]
        better = self._better(kept, line)
        self.repeated.append(line if better is kept else kept)
        self.kept[place] = better

    def _same_event(self, line: LogLine, key: LogKey) -> int | None:
        """Where the line of the same event is, for the same stack or with and without a stack."""
        for place in self._events.get((line.audit_id, key.access), ()) if line.audit_id else ():
            other = self._log.stack_of(self.kept[place])
            if other == key.stack or "" in (other, key.stack):
                return place
        return None

    def _same_fact(self, line: LogLine, key: LogKey) -> int | None:
        """Where a line is that says the same, if nothing has undone it since."""
        kept = self.kept
        if line.event in OF_THE_LOG:
            same = (line.event, line.renamed_from, line.stack, line.date if line.event == LogEvent.PRUNED else "")
            words = [(one.event, one.renamed_from, one.stack, one.date if one.event == LogEvent.PRUNED else "")
                     for one in kept]  # fmt: skip
            return words.index(same) if same in words else None
        place = self._said.get(key, {}).get(_word(line))
        if place is None or (kept[place].audit_id and line.audit_id):
            return None  # two events of the audit log are two facts
        if line.event in (LogEvent.CHANGED, LogEvent.RESTORED):
            same_now = (kept[place].role, kept[place].reasons) == (line.role, line.reasons)
            return place if same_now else None
        return place

    def _better(self, kept: LogLine, line: LogLine) -> LogLine:
        """The line that stays: that of a stack that had the access, or that of the event; else the first."""
        if bool(kept.stack) != bool(line.stack):
            of_stack, without = (kept, line) if kept.stack else (line, kept)
            had = self._log.of_stack(self._log.stack_of(of_stack), self._log.access_of(of_stack))
            let_go = bool(had) and had[-1].event == LogEvent.RELEASED
            return without if line.event in ENDS and let_go else of_stack
        near = abs(instant(kept.date) - instant(line.date)) <= SKEW
        return line if near and line.audit_id and not kept.audit_id else kept


def _word(line: LogLine) -> str:
    return _GIVEN if line.event in (LogEvent.GRANTED, LogEvent.IMPORTED) else line.event


def _note(line: LogLine, key: LogKey, said: dict[LogKey, dict[str, int]], place: int) -> None:
    """Note what a line says, and drop what it undoes."""
    if line.event in ENDS:
        of_all = line.event == LogEvent.REVOKED and not key.stack
        for other, its in [*said.items(), (key, said.setdefault(key, {}))]:
            with_person = key.access.project is None and key.access.team is None
            same = other.access == key.access or (with_person and other.access.person == key.access.person)
            if other == key or (of_all and same):
                its.clear()
    elif line.event in GIVES:
        for event in (*ENDS, LogEvent.CHANGED):
            said.setdefault(key, {}).pop(event, None)
    elif line.event == LogEvent.CHANGED:
        said.setdefault(key, {}).pop(LogEvent.RESTORED, None)
    said.setdefault(key, {})[_word(line)] = place


def _refused(file: Path, why: str, next_step: str) -> UsageError:
    return UsageError(
        "cannot merge the access log", subject=str(file), why=why, next_step=f"Nothing was written. {next_step}"
    )
