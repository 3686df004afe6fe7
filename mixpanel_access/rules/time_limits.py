"""Access begins, is looked at, and ends."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from mixpanel_access.model import roles
from mixpanel_access.model.engagements import with_changes
from mixpanel_access.model.words import counted
from mixpanel_access.rules.facts import PEOPLE, Context, Entry, Kind, Stack
from mixpanel_access.rules.least_privilege import STANDARDS
from mixpanel_access.rules.outsiders import outsider
from mixpanel_access.rules.rule import Family, Finding, Level, Rule, Severity, cis, iso27001, option, soc2
from mixpanel_access.rules.unknown import NotJudged, all_hold, each


def _has_end(entry: Entry, context: Context) -> Iterator[str]:
    if all_hold(lambda: not entry.text("ends"), lambda: context.external(entry)):
        yield f"{outsider(entry, context)} has access without an end"


def _longest(entry: Entry, context: Context) -> Iterator[str]:
    ends = entry.day("ends")
    if ends is None:
        return
    begins = entry.day("starts") or context.today
    kind = entry.text("engagement_type")
    standard = with_changes(context.options["standards"]).get(kind)
    most = standard.longest_days if standard else context.options["days"]
    lasts = (ends - begins).days + 1  # both days belong to it
    if all_hold(lambda: lasts > most, lambda: context.external(entry)):
        why = f"an engagement of type {kind}" if standard else "external access"
        yield f"it lasts {counted(lasts, 'day')}, from {begins} to {ends}, and {why} lasts at most {most}"


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


def _reviewed(stack: Stack, context: Context) -> Iterator[Finding | NotJudged]:
    most = context.options["days"]

    def judge(entry: Entry) -> Iterator[Finding]:
        reviewed = entry.day("reviewed")
        last = reviewed or entry.day("starts")
        if last is None:
            yield Finding(
                f"{entry}: nobody knows when it was last reviewed (reviewed and starts are empty); it is due every "
                f"{most} days",
                entry,
            )
        elif (days := (context.today - last).days) > most:
            what, since = ("reviewed", "") if reviewed else ("begun", ", and not reviewed since")
            yield Finding(
                f"{entry}: it was {what} on {last}, {days} days ago{since}; a review is due every {most} days", entry
            )

    return each(stack.of(*PEOPLE), judge)


TIME_RULES: Final = (
    Rule(
        "external-access-ends",
        Family.TIME,
        "Access of people outside the company has an end.",
        Level.MANDATORY,
        Severity.HIGH,
        "Fill in ends: the last day of the engagement.",
        _has_end,
        kinds=PEOPLE,
        controls=(soc2("CC6.3"), iso27001("A.5.19"), iso27001("A.5.20"), cis("6.2"), cis("15.7")),
    ),
    Rule(
        "longest-duration",
        Family.TIME,
        "External access lasts no longer than its engagement type allows.",
        Level.MANDATORY,
        Severity.MEDIUM,
        "Bring the end forward, or give the entry a starts of its own; prolong it after a review when the day comes.",
        _longest,
        kinds=PEOPLE,
        options=(option("days", "integer", 90, "Days, where the engagement has no type.", minimum=1), STANDARDS),
        controls=(soc2("CC6.3"), iso27001("A.5.19"), iso27001("A.5.20"), cis("6.2"), cis("15.7")),
    ),
    Rule(
        "not-expired",
        Family.TIME,
        "No access is declared beyond its end.",
        Level.MANDATORY,
        Severity.HIGH,
        "Delete the entry; the next pulumi up takes the access away. Or prolong it: a new end, with its approval.",
        _expired,
        kinds=(*PEOPLE, Kind.TEAM),
        controls=(soc2("CC6.3"), iso27001("A.5.18"), cis("6.2")),
    ),
    Rule(
        "ending-soon",
        Family.TIME,
        "Access that ends within days is announced.",
        Level.ADVISORY,
        Severity.LOW,
        "Tell the person, or have the engagement prolonged in time.",
        _ending,
        kinds=(Kind.MEMBER, Kind.TEAM),
        options=(option("days", "integer", 14, "Days before the end.", minimum=0),),
        controls=(iso27001("A.5.18"), cis("6.2")),
    ),
    Rule(
        "starts-before-ends",
        Family.TIME,
        "An engagement starts before it ends.",
        Level.MANDATORY,
        Severity.MEDIUM,
        "Correct the dates.",
        _ordered,
        kinds=(*PEOPLE, Kind.TEAM),
        controls=(iso27001("A.5.18"),),
    ),
    Rule(
        "short-engagement",
        Family.TIME,
        "A short engagement with a low role may need no account.",
        Level.ADVISORY,
        Severity.LOW,
        "Consider sharing a screen or a dashboard instead.",
        _short,
        kinds=(Kind.GRANT,),
        options=(option("days", "integer", 14, "Days below which an engagement is short.", minimum=1),),
        controls=(iso27001("A.5.15"),),
    ),
    Rule(
        "review-due",
        Family.TIME,
        "Access is reviewed every quarter.",
        Level.ADVISORY,
        Severity.MEDIUM,
        "Review it, and fill in reviewed with the day.",
        _reviewed,
        options=(option("days", "integer", 92, "Days between reviews.", minimum=1),),
        controls=(soc2("CC6.3"), iso27001("A.5.18"), cis("5.1"), cis("6.8")),
        grouped=True,
    ),
)
