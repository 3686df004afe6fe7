"""Whether a roster's exception from a rule is in force, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from mixpanel_access.model.dates import day_or_none
from mixpanel_access.model.similarity import counted, did_you_mean, in_words, is_empty
from mixpanel_access.rules.entry import Entry, ExceptionEntry
from mixpanel_access.rules.facts import Context

CRITICAL: Final = "critical"
"""The severity of the rules whose exceptions are shorter."""
_NEEDED: Final = ("reason", "approver", "ends", "starts", "ticket")


def is_in_force(one: ExceptionEntry, context: Context, entry: Entry | None = None) -> bool:
    """Whether an exception of a resource, or of the stack without one, holds today.

    Raises:
        NotJudged: the person of the resource is not known before the update.
    """
    days = span(one)
    return days is not None and days[0] <= context.today <= days[1] and problem_with(one, context, entry) is None


def has_lapsed(one: ExceptionEntry, context: Context) -> bool:
    """Whether the last day of an exception has passed."""
    ends = day_or_none(one.ends.strip())
    return ends is not None and ends < context.today


def problem_with(one: ExceptionEntry, context: Context, entry: Entry | None = None) -> str | None:
    """Why an exception does not count even on its days, with the edit that corrects it, or None."""
    return next(_problems(one, context, entry), None)


def longest(one: ExceptionEntry, context: Context) -> int:
    """The most days of an exception."""
    usual, critical = context.exception_days
    return critical if context.rules.get(one.rule) == CRITICAL else usual


def span(one: ExceptionEntry) -> tuple[date, date] | None:
    """The first and the last day of an exception, or None if one of them is not a date."""
    starts, ends = day_or_none(one.starts.strip()), day_or_none(one.ends.strip())
    return (starts, ends) if starts and ends else None


def _problems(one: ExceptionEntry, context: Context, entry: Entry | None) -> Iterator[str]:
    if one.rule not in context.rules:
        yield f"the exception names an unknown rule, {one.rule!r}{did_you_mean(one.rule, list(context.rules))}"
    elif context.rules[one.rule] is None:
        yield f"the rule {one.rule!r} has no exceptions; delete this one, and fix what it covers"
    if missing := [name for name in _NEEDED if is_empty(getattr(one, name))]:
        yield f"it has no {', '.join(missing)}; add {in_words(_edits(missing, context))}"
    for name in ("starts", "ends"):
        if day_or_none((text := getattr(one, name)).strip()) is None:
            yield f"its {name} {text!r} is not a date; write it as YYYY-MM-DD"
    yield from _days(one, context)
    yield from _approver(one, context, entry)


def _edits(missing: list[str], context: Context) -> Iterator[str]:
    for name in missing:
        yield f"`starts: {context.today}`" if name == "starts" else f"`{name}: ...`"


def _days(one: ExceptionEntry, context: Context) -> Iterator[str]:
    days = span(one)
    if days is None:
        return
    starts, ends = days
    lasts, most = (ends - starts).days + 1, longest(one, context)
    if lasts < 1:
        yield f"it ends on {ends}, before it starts on {starts}; correct the dates"
    elif lasts > most:
        why = "from a critical rule " if context.rules.get(one.rule) == CRITICAL else ""
        last = starts + timedelta(days=most - 1)
        yield f"it lasts {counted(lasts, 'day')}, and an exception {why}lasts at most {most}; set `ends: {last}`"


def _approver(one: ExceptionEntry, context: Context, entry: Entry | None) -> Iterator[str]:
    if not context.company_domains:
        yield (f"nobody can tell whether its approver {one.approver} is of the company; set mixpanel:companyDomains")
        return
    emails = {one.email: None, entry.email if entry else "": None}  # a program may name somebody else in the exception
    for email in emails:
        if problem := context.problem_with_approver(one.approver, email):
            yield problem
