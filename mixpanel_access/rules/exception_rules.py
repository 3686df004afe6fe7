"""Exceptions from rules are complete, few, short and visible."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final

from mixpanel_access.model.address import mailbox
from mixpanel_access.model.similarity import counted
from mixpanel_access.rules.entry import EXCEPTION_DAYS, Entry, ExceptionEntry, NotJudged, each
from mixpanel_access.rules.exceptions import has_lapsed, is_in_force, longest, problem_with, span
from mixpanel_access.rules.facts import Context, Stack
from mixpanel_access.rules.rule import Family, Level, Rule, RuleFinding, Severity, controls, option

EXCEPTIONS_COUNT: Final = "exceptions-count"
"""The rule whose options limit the days of all exceptions."""


def exception_days(options: Mapping[str, Any]) -> tuple[int, int]:
    """The longest days of an exception, and of one from a critical rule."""
    return options["days"], options["criticalDays"]


@dataclass(frozen=True)
class _Carried:
    """One exception of a stack.

    Attributes:
        exception: the exception.
        label: its rule, with the person or resource.
        place: its file and line with a colon, or "".
        entry: a resource that has it; None for an exception of the stack.
    """

    exception: ExceptionEntry
    label: str
    place: str
    entry: Entry | None = None


def _carried(stack: Stack) -> tuple[list[_Carried], list[NotJudged]]:
    """Each exception once, and the resources whose exceptions are not known."""
    carried: dict[tuple[ExceptionEntry, str], _Carried] = {}
    unknown: list[NotJudged] = []
    places = stack.roster.get("exception_places")

    def add(one: ExceptionEntry, label: str, entry: Entry | None = None) -> None:
        at = places.get(one.label) if isinstance(places, Mapping) else None
        carried.setdefault((one, label), _Carried(one, label, f"{at}: " if at else "", entry))

    for one in stack.exceptions:
        add(one, one.label)
    for entry in stack.entries:
        try:
            for one in entry.exceptions:
                add(one, one.label if one.email else f"{one.rule} for {entry.name}", entry)
        except NotJudged as error:
            unknown.append(error)
    return list(carried.values()), unknown


def _exceptions_count(stack: Stack, context: Context) -> Iterator[RuleFinding | NotJudged]:
    carried, unknown = _carried(stack)
    context = replace(context, exception_days=exception_days(context.options))
    yield from unknown
    living = [one for one in carried if not has_lapsed(one.exception, context)]

    def judge(one: _Carried) -> Iterator[RuleFinding]:
        if problem := problem_with(one.exception, context, one.entry):
            yield RuleFinding(f"{one.place}the exception from {one.label} does not count: {problem}", one.entry)
        elif is_in_force(one.exception, context, one.entry):
            holding.append(one)

    holding: list[_Carried] = []
    yield from each(living, judge)
    most = context.options["most"]
    if len(holding) > most:
        names = "; ".join(f"{one.place}{one.label}" for one in holding)
        is_or_are = "is" if len(holding) == 1 else "are"
        yield RuleFinding(
            f"{counted(len(holding), 'exception')} {is_or_are} in force, and at most {most} may be: {names}"
        )
    yield from _mutual(living)
    yield from _in_a_row(carried, context)


def _mutual(carried: list[_Carried]) -> Iterator[RuleFinding]:
    """Two people who approve each other's exceptions."""
    given = {(mailbox(one.exception.approver), mailbox(one.exception.email)): one for one in carried}
    for (approver, person), one in given.items():
        if approver < person and (other := given.get((person, approver))):
            yield RuleFinding(
                f"{one.place}{approver} approves the exception from {one.label}, and {person} the one from "
                f"{other.label}; let somebody else approve one of them",
                one.entry,
            )


def _in_a_row(carried: list[_Carried], context: Context) -> Iterator[RuleFinding]:
    """Several exceptions from one rule for one person or resource, each soon after the one before."""
    rows: dict[tuple[str, str], list[_Carried]] = {}
    for one in carried:
        who = mailbox(one.exception.email) if one.exception.email else one.label.casefold()
        rows.setdefault((one.exception.rule, who), []).append(one)
    for row in (part for rows_of_one in rows.values() for part in _by_project(rows_of_one)):
        for first, last in _runs(row, longest(row[0].exception, context)):
            if last >= context.today:
                yield RuleFinding(
                    f"{row[-1].place}the exceptions from {row[0].label} follow each other from {first} to {last}, and "
                    f"together last at most {longest(row[0].exception, context)} days; fix what they cover",
                    row[-1].entry,
                )


def _by_project(row: list[_Carried]) -> Iterator[list[_Carried]]:
    """The exceptions for each project, with those for all access of the person."""
    for project in dict.fromkeys(one.exception.project for one in row):
        yield [one for one in row if one.exception.project in (None, project)]


def _runs(row: list[_Carried], most: int) -> Iterator[tuple[date, date]]:
    """The first and the last day of each series of exceptions that is longer than one exception may be."""
    days = sorted(filter(None, (span(one.exception) for one in row)))
    runs: list[tuple[date, date, int]] = []
    for starts, ends in days:
        if runs and starts <= runs[-1][1] + timedelta(days=_GAP):
            first, last, many = runs.pop()
            runs.append((first, max(last, ends), many + 1))
        else:
            runs.append((starts, ends, 1))
    return ((first, last) for first, last, many in runs if many > 1 and (last - first).days + 1 > most)


_GAP: Final = 7
"""The most days between two exceptions of one series."""


def _exceptions_lapsed(stack: Stack, context: Context) -> Iterator[RuleFinding | NotJudged]:
    carried, unknown = _carried(stack)
    yield from unknown
    for one in carried:
        if has_lapsed(one.exception, context):
            yield RuleFinding(
                f"{one.place}the exception from {one.label} ended on {one.exception.ends}, and the rule holds again",
                one.entry,
            )


def _exceptions_in_force(stack: Stack, context: Context) -> Iterator[RuleFinding | NotJudged]:
    carried, unknown = _carried(stack)
    yield from unknown

    def judge(one: _Carried) -> Iterator[RuleFinding]:
        if is_in_force(one.exception, context, one.entry):
            yield RuleFinding(f"EXCEPTION from {one.label}, {_why(one.exception)}", one.entry)

    yield from each(carried, judge)


def _why(one: ExceptionEntry) -> str:
    return f"until {one.ends}: {one.reason} (ticket: {one.ticket}, approver: {one.approver})"


_NUMBERS: Final[Mapping[str, tuple[int, str]]] = {
    "days": (EXCEPTION_DAYS[0], "Days that an exception may hold, from starts to ends."),
    "criticalDays": (EXCEPTION_DAYS[1], "Days that an exception from a rule of critical severity may hold."),
    "most": (5, "Exceptions that may be in force at once."),
}

EXCEPTION_RULES: Final = Family.HYGIENE.rules(
    Rule(
        EXCEPTIONS_COUNT,
        "An exception names a rule, a reason, a ticket, an approver of the company, a start and a near end.",
        Level.MANDATORY,
        Severity.MEDIUM,
        "Complete the exception, or delete it and fix what it covers.",
        _exceptions_count,
        options=tuple(
            option(name, "integer", default, words, minimum=0 if name == "most" else 1)
            for name, (default, words) in _NUMBERS.items()
        ),
        controls=controls("iso27001 A.5.18"),
        exceptable=False,
    ),
    Rule(
        "exceptions-lapsed",
        "An exception that has ended is deleted.",
        Level.ADVISORY,
        Severity.LOW,
        "Delete the exception, and fix what it covered; or ask for a new one.",
        _exceptions_lapsed,
        controls=controls("iso27001 A.5.18"),
        exceptable=False,
    ),
    Rule(
        "exceptions-in-force",
        "Exceptions are shown for as long as they are in force.",
        Level.ADVISORY,
        Severity.LOW,
        "Delete the exception as soon as it is no longer needed.",
        _exceptions_in_force,
        controls=controls("iso27001 A.5.18"),
        exceptable=False,
    ),
)
