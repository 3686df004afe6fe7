"""Access starts, is reviewed, and ends."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from mixpanel_access.model import roles
from mixpanel_access.model.engagements import with_changes
from mixpanel_access.model.ownership import NEVER
from mixpanel_access.model.similarity import counted
from mixpanel_access.rules.company import outsider
from mixpanel_access.rules.entry import PEOPLE, Entry, NotJudged, Type, all_hold, each
from mixpanel_access.rules.facts import Context, Stack
from mixpanel_access.rules.least_privilege import STANDARDS
from mixpanel_access.rules.rule import Family, Level, Rule, RuleFinding, Severity, Suggestion, controls, option
from mixpanel_access.rules.teams import TeamRoles, Through

_TOMORROW: Final = 1
"""The days by which a review can be ahead of today in UTC: in the east, tomorrow has begun."""
_QUARTER: Final = 92
"""The days between reviews."""


def _has_end(entry: Entry, context: Context) -> Iterator[str]:
    if all_hold(lambda: not entry.text("ends"), lambda: context.external(entry)):
        yield f"{outsider(entry, context)} has access without an end"
    elif all_hold(lambda: entry.text("removal") == NEVER, lambda: context.external(entry)):
        yield f"{outsider(entry, context)} stays in the organization after the end; delete `removal: never`"


def _longest(entry: Entry, context: Context) -> Iterator[str]:
    ends = entry.day("ends")
    if ends is None:
        return
    first, starts = entry.day("since"), entry.day("starts")
    begins = starts or first or context.today
    engagement_type = entry.text("engagement_type")
    standard = with_changes(context.options["standards"]).get(engagement_type)
    most = standard.longest_days if standard else context.options["days"]
    lasts = (ends - begins).days + 1  # both days belong to it
    if all_hold(lambda: lasts > most, lambda: standard or context.external(entry)):
        why = f"an engagement of type {engagement_type}" if standard else "external access"
        yield f"it lasts {counted(lasts, 'day')}, from {begins} to {ends}, and {why} lasts at most {most}"
    most = context.options["totalDays"]
    total = (ends - first).days + 1 if first else 0
    if all_hold(lambda: total > most, lambda: context.external(entry)):
        moved = f" (starts says {starts} by now)" if starts else ""
        yield (
            f"it lasts {counted(total, 'day')} in all, from {first}, the first day in the state{moved}, to {ends}; "
            f"external access lasts at most {most}"
        )


def _expired(entry: Entry, context: Context) -> Iterator[str]:
    ends = entry.day("ends")
    if ends is not None and ends < context.today:
        yield f"the access ended on {ends} and is still declared"


def _ending(entry: Entry, context: Context) -> Iterator[str]:
    ends = entry.day("ends")
    if ends is not None and context.today <= ends <= context.today + timedelta(days=context.options["days"]):
        left = (ends - context.today).days
        yield f"the access ends {'in ' + counted(left, 'day') if left else 'today'}, on {ends}"


def _ordered(entry: Entry, _context: Context) -> Iterator[str]:
    starts, ends = entry.day("starts"), entry.day("ends")
    if starts and ends and ends < starts:
        yield f"it ends on {ends}, before it starts on {starts}"


def _short(entry: Entry, context: Context) -> Iterator[str]:
    starts, ends = entry.day("starts"), entry.day("ends")
    if starts is None or ends is None or ends < starts:
        return
    lasts = (ends - starts).days + 1
    low = roles.project_rank(entry.role) <= roles.project_rank(roles.ANALYST) and not roles.is_custom(entry.role)
    if low and lasts < context.options["days"]:
        yield f"for {counted(lasts, 'day')} as {entry.role}, sharing a screen or a dashboard may do without an account"


def _review_ahead(entry: Entry, context: Context) -> Iterator[str]:
    reviewed = entry.day("reviewed")
    if reviewed is not None and (reviewed - context.today).days > _TOMORROW:
        yield f"it was reviewed on {reviewed}, which is still to come"


def _privileged(stack: Stack, context: Context) -> Iterator[RuleFinding | NotJudged]:
    """For roles that manage, of people of the company, their own and through teams."""

    def judge(entry: Entry) -> Iterator[RuleFinding]:
        if words := _neither_ends_nor_reviewed(entry, context):
            yield RuleFinding(f"{entry}: {words}", entry)

    def judge_through(through: Through) -> Iterator[RuleFinding]:
        if words := _neither_ends_nor_reviewed(through.gets, context):
            through.must_be_certain()
            yield RuleFinding(f"{through}: {words}", through.membership)

    yield from each(stack.of(Type.MEMBER, Type.GRANT), judge)
    teams = TeamRoles(stack)
    for place in stack.of(Type.TEAM_MEMBER):
        yield from each(teams.roles(place), judge_through)


def _neither_ends_nor_reviewed(entry: Entry, context: Context) -> str:
    """The problem of a role that manages, or ""."""
    longest, often = context.options["endDays"], context.options["reviewDays"]

    def lasts() -> bool:
        ends = entry.day("ends")
        return ends is None or (ends - context.today).days > longest

    def not_reviewed() -> bool:
        reviewed = entry.day("reviewed") or _began(entry)
        return reviewed is None or not -_TOMORROW <= (context.today - reviewed).days <= often

    wrong = all_hold(
        lasts, not_reviewed, lambda: _needs_review(entry, context), lambda: not context.known_external(entry)
    )
    if not wrong:
        return ""
    ends, reviewed = entry.text("ends"), entry.text("reviewed")
    end, review = f"ends on {ends}" if ends else "has no end", f"reviewed on {reviewed}" if reviewed else "not reviewed"
    return (
        f"it {end} and was {review}; a privileged role ends within {longest} days, or is reviewed every {often}; "
        f"review it, then add `reviewed: {context.today}`"
    )


def _began(entry: Entry) -> date | None:
    """The first day of an entry with `starts`, when it was approved; an earlier day in the state counts."""
    starts = entry.day("starts")
    return starts and (entry.day("since") or starts)


def _needs_review(entry: Entry, context: Context) -> bool:
    """Whether a role is more than most people need: above member, or admin of a project in production."""
    if entry.type == Type.MEMBER:
        return entry.role not in ("", roles.MEMBER)
    return all_hold(lambda: context.is_production(entry), lambda: entry.height() >= roles.project_rank(roles.ADMIN))


def _reviewed(stack: Stack, context: Context) -> Iterator[RuleFinding | NotJudged]:
    most = context.options["days"]

    def judge(entry: Entry) -> Iterator[RuleFinding]:
        reviewed = entry.day("reviewed")
        last = reviewed or entry.day("starts")
        if last is None:
            yield RuleFinding(
                f"{entry}: nobody knows when it was last reviewed (reviewed and starts are empty); it is due every "
                f"{most} days",
                entry,
            )
        elif (days := (context.today - last).days) > most:
            what, since = ("reviewed", "") if reviewed else ("begun", ", and not reviewed since")
            yield RuleFinding(
                f"{entry}: it was {what} on {last}, {days} days ago{since}; a review is due every {most} days", entry
            )

    return each(stack.of(*PEOPLE), judge)


TIME_RULES: Final = Family.TIME.rules(
    Rule(
        "external-access-ends",
        "Access of people outside the company has an end.",
        Level.MANDATORY,
        Severity.CRITICAL,
        "Add `ends:`, the last day of the engagement.",
        _has_end,
        types=PEOPLE,
        controls=controls("soc2 CC6.3", "iso27001 A.5.19", "iso27001 A.5.20", "cis 6.2", "cis 15.7"),
    ),
    Rule(
        "longest-duration",
        "Access lasts no longer than its engagement type allows, and external access has a longest total.",
        Level.MANDATORY,
        Severity.MEDIUM,
        "Bring the end forward, or give the entry a starts of its own; extend it after a review when the day comes.",
        _longest,
        types=PEOPLE,
        options=(
            option("days", "integer", 90, "Days of external access, where the engagement has no type.", minimum=1),
            option(
                "totalDays", "integer", 365, "Days of external access from the first that the state has.", minimum=1
            ),
            STANDARDS,
        ),
        controls=controls("soc2 CC6.3", "iso27001 A.5.19", "iso27001 A.5.20", "cis 6.2", "cis 15.7"),
    ),
    Rule(
        "not-expired",
        "No access is declared beyond its end.",
        Level.MANDATORY,
        Severity.HIGH,
        "Delete the entry; the next pulumi up takes the access away. Or extend it: a new end, with its approval.",
        _expired,
        types=(*PEOPLE, Type.TEAM),
        controls=controls("soc2 CC6.3", "iso27001 A.5.18", "cis 6.2"),
        suggestion=Suggestion.REMOVE,
    ),
    Rule(
        "ending-soon",
        "Access that ends within days is announced.",
        Level.ADVISORY,
        Severity.LOW,
        "Tell the person, or have the engagement extended in time.",
        _ending,
        types=(Type.MEMBER, Type.TEAM),
        options=(option("days", "integer", 14, "Days before the end.", minimum=0),),
        controls=controls("iso27001 A.5.18", "cis 6.2"),
    ),
    Rule(
        "starts-before-ends",
        "An engagement starts before it ends.",
        Level.MANDATORY,
        Severity.MEDIUM,
        "Correct `starts:` or `ends:`.",
        _ordered,
        types=(*PEOPLE, Type.TEAM),
        controls=controls("iso27001 A.5.18"),
    ),
    Rule(
        "short-engagement",
        "A short engagement with a low role may need no account.",
        Level.ADVISORY,
        Severity.LOW,
        "Consider sharing a screen or a dashboard instead.",
        _short,
        types=(Type.GRANT,),
        options=(option("days", "integer", 14, "Days below which an engagement is short.", minimum=1),),
        controls=controls("iso27001 A.5.15"),
    ),
    Rule(
        "review-due",
        "Access is reviewed every quarter.",
        Level.ADVISORY,
        Severity.MEDIUM,
        "Review it, and set `reviewed:` to that day.",
        _reviewed,
        options=(option("days", "integer", _QUARTER, "Days between reviews.", minimum=1),),
        controls=controls("soc2 CC6.3", "iso27001 A.5.18", "cis 5.1", "cis 6.8"),
        grouped=True,
    ),
    Rule(
        "review-not-ahead",
        "No review has a date in the future.",
        Level.MANDATORY,
        Severity.MEDIUM,
        "Set `reviewed:` to the day of the last review.",
        _review_ahead,
        types=PEOPLE,
        controls=controls("soc2 CC6.3", "iso27001 A.5.18", "cis 5.1"),
    ),
    Rule(
        "privileged-ends-or-reviewed",
        "A privileged role of somebody of the company ends within a year, or is reviewed every quarter.",
        Level.MANDATORY,
        Severity.HIGH,
        "Review the role and set `reviewed:`, or set `ends:`; both belong to the person's entry in the roster.",
        _privileged,
        options=(
            option("endDays", "integer", 365, "Days within which the role ends, if nobody reviews it.", minimum=1),
            option(
                "reviewDays", "integer", _QUARTER, "Days between reviews, if the role does not end so soon.", minimum=1
            ),
        ),
        controls=controls("soc2 CC6.3", "iso27001 A.8.2", "cis 5.1"),
        grouped=True,
    ),
)
