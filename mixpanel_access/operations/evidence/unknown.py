"""What could not be known about a period, each in a sentence. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from mixpanel_access.model.dates import written
from mixpanel_access.model.grouping import grouped
from mixpanel_access.model.similarity import counted
from mixpanel_access.operations.evidence.document import ChangeRow, EvidenceDocument, EvidenceSource, Period
from mixpanel_access.operations.evidence.sources import StackEvidence
from mixpanel_access.operations.tracker.lines import ENDS, OF_THE_LOG, UNKNOWN, LogEvent, LogLine, ordered
from mixpanel_access.operations.tracker.replay import contradictions

ALWAYS: Final = (
    "Service accounts, the roles of projects that all users have, and what a custom role allows are not in the access "
    "log, and so not in this document."
)
"""What no document has."""


def unknown_of_log(found: EvidenceDocument, log: Sequence[LogLine], cut: str, period: Period) -> Iterator[str]:
    """What the access log does not say.

    Args:
        found: the document, but for what is not known.
        log: the lines of the log.
        cut: the message about a cut-off last line, or "".
        period: the period.
    """
    lines = ordered(log)
    if not period.by_clock:
        day = f"{period.now:%Y-%m-%d}"
        yield f"The document was made for {day}, by --now or mixpanel:now and not by the clock."
    yield from _of_its_span(lines, period)
    if cut:
        yield f"The last line of the access log was cut off, and is left out: {cut}."
    yield from (_pruned(line, period) for line in lines if line.event == LogEvent.PRUNED)
    yield from _of_people(found)
    yield from _of_the_audit_log(lines, found.changes)
    yield from (f"The access log has a problem: {problem}." for problem in contradictions(log))


def _of_its_span(lines: Sequence[LogLine], period: Period) -> Iterator[str]:
    if not lines:
        yield "The access log has no lines: it does not say who had what."
        return
    if lines[0].at > period.before and lines[0].event != LogEvent.PRUNED:
        yield (
            f"The access log begins on {lines[0].date}, after {period.first} began: access that ended before that is "
            "not known, and neither is since when earlier access was there."
        )
    if lines[-1].at < period.end:
        yield (
            f"The newest line of the access log is from {lines[-1].date}: the log does not show whether it was brought "
            f"up to date after that, so changes until {_end(period)} may be missing."
        )


def _end(period: Period) -> str:
    return "now" if period.is_open else f"the end of {period.last}"


def _pruned(line: LogLine, period: Period) -> str:
    words = f"The access log was pruned: {line.justification}; that day is {line.at.date()}."
    if line.at > period.before:
        return f"{words} Who had what before is not complete."
    return f"{words} Since when earlier access was there, and who gave it, may be missing."


def _of_people(document: EvidenceDocument) -> Iterator[str]:
    does_not_say, changes = "The access log does not say", document.changes
    for rows, when in ((document.access_at_start, "start"), (document.access_at_end, "end")):
        of = f"of {counted(len(rows), 'row')} of access at the {when}"
        if nameless := sum(row.given_by == UNKNOWN for row in rows):
            yield f"{does_not_say} who gave {nameless} {of}."
        if undated := sum(row.since is None for row in rows):
            yield f"{does_not_say} the beginning of {undated} {of}."
        if roleless := sum(row.role == UNKNOWN for row in rows):
            yield f"{does_not_say} the role of {roleless} {of}."
    of = f"of {counted(len(changes), 'change')}"
    if nameless := sum(row.by == UNKNOWN for row in changes):
        yield f"{does_not_say} who made {nameless} {of}."
    if found := sum(row.by == UNKNOWN and not row.audit_id and row.event in ENDS for row in changes):
        yield (
            f"{found} {of} took access away, and neither a run of a stack nor Mixpanel's audit log shows how: the time "
            "is that at which the access was found gone."
        )


def _of_the_audit_log(lines: Sequence[LogLine], changes: Sequence[ChangeRow]) -> Iterator[str]:
    about_access = [row for row in changes if row.event not in OF_THE_LOG]
    without = sum(not row.audit_id for row in about_access)
    if lines and not any(line.audit_id for line in lines):
        yield (
            "No line of the access log names an event of Mixpanel's audit log, which not every plan has: changes "
            "outside of the stacks may be missing, and times are those at which they were seen."
        )
    elif without:
        yield (
            f"{without} of {counted(len(about_access), 'change')} {'names' if without == 1 else 'name'} no event of "
            "Mixpanel's audit log: who and when are by the engine's history and the states."
        )


def unknown_of_stacks(found: EvidenceDocument, log: Sequence[LogLine], known: Collection[str]) -> Iterator[str]:
    """What is not known of access outside of the stacks, and because of stacks that no longer exist.

    Args:
        found: the document, but for what is not known.
        log: the lines of the access log.
        known: the stacks of the project.
    """
    asked = found.stacks
    if found.all_stacks:
        named = {line.organization for line in log} - {None}
        read = {line.organization for line in log if line.event in (LogEvent.FOUND, LogEvent.PRUNED)} - {None}
        yield _UNREAD if read and named == read else _OUTSIDE
    else:
        yield (
            f"Only {_stacks(asked)} {'was' if len(asked) == 1 else 'were'} asked about: access of other stacks, and "
            "access outside of the stacks, is not in this document."
        )
    for stack in sorted({row.stack for row in found.access_at_end} - {"", *known}):
        yield (
            f"The access log shows access of the stack {stack} at the end, and the project no longer has that stack: "
            "no state says whether the access is still there."
        )


def unknown_of_stack(stack: str, read: StackEvidence, period: Period) -> Iterator[str]:
    """What is not known of one stack: of its roster in the period, of its runs, and of its state."""
    yield from _of_its_roster(stack, read, period)
    if read.uncommitted:
        yield (
            f"{counted(len(read.uncommitted), 'run')} of the stack {stack} in the period used files with changes that "
            f"were not committed (ended {', '.join(map(written, read.uncommitted))}): no commit shows what was changed "
            "there, and who did it is not known."
        )
    if not any(read.state.resources.values()):
        yield f"The stack {stack} has no state: what its roster gave and took away is known from the access log only."


def _of_its_roster(stack: str, read: StackEvidence, period: Period) -> Iterator[str]:
    known, before, name = read.roster_in_git, read.roster_before, read.rules.roster_path
    present = f"The exceptions of the stack {stack} are those of its present roster"
    if read.rules.roster is None:
        words = "exceptions from policy rules that its program declares are not in this document"
        yield f"The stack {stack} has no roster: {words}."
    elif not (known.commit or read.rules.commit):
        yield f"{present}, and which others there were in the period is not known: {known.note}."
    elif read.why_present:
        yield f"{present} and not of {period.last}: {read.why_present}."
    elif before is None:
        yield (
            f"Git has no commit from before {period.first}: which other exceptions the stack {stack} had in the period "
            f"is not known. Look in `git log -p -- {name}`."
        )
    elif before.commit != known.commit:
        yield (
            f"The roster of the stack {stack} changed in the period: exceptions that it no longer had at the end are "
            f"not in this document; `git log -p -- {name}` shows them."
        )


_OUTSIDE: Final = (
    "Access outside of the stacks that was there before the access log began, and has not changed since, is missing in "
    "this document: `mixpanel-access tracker update` of this version adds what is there now."
)
_UNREAD: Final = (
    "What the stacks' accounts could not read when the access log was updated, such as a project that they do not see, "
    "is not in this document."
)


def _stacks(names: Collection[str]) -> str:
    return f"the stack{'s' if len(names) > 1 else ''} {', '.join(sorted(names))}"


def unknown_of_sources(sources: Sequence[EvidenceSource]) -> Iterator[str]:
    """What git does not prove of the files."""
    noted = (one for one in sources if one.kind != "state" and one.note)
    for note, paths in grouped((one.note, one.path) for one in noted).items():
        yield f"No commit can be named for {', '.join(paths)}: {note}."
    if changed := [one.path for one in sources if one.changed]:
        yield f"{', '.join(changed)} {'has' if len(changed) == 1 else 'have'} changes that are not committed."
