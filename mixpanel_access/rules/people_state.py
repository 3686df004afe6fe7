"""What the state shows about people beyond the declaration: unused access, old invitations, owners who can log in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from mixpanel_access.model import roles
from mixpanel_access.model.access import Invitation
from mixpanel_access.model.address import few, mailbox
from mixpanel_access.model.dates import instant
from mixpanel_access.model.similarity import counted
from mixpanel_access.rules.entry import UNKNOWN, Entry, NotJudged, NotThereYet, Type, each
from mixpanel_access.rules.facts import Context, NotApplicable, Stack
from mixpanel_access.rules.rule import (
    Family,
    Level,
    Rule,
    RuleFinding,
    Severity,
    Suggestion,
    command_option,
    controls,
    option,
)

_ACTIVE: Final = "active"
"""The status of a service account that is neither expired nor deleted."""
_WAITING: Final = (Invitation.PENDING.value, Invitation.EXPIRED.value)
_REFRESHED: Final = "as of the last refresh"


def _day_shown(entry: Entry, name: str) -> date | None:
    try:
        return instant(entry.output(name)).date()
    except ValueError:
        return None


def _hidden(entry: Entry, *names: str) -> bool:
    """Whether one of these outputs is only known after the update."""
    return any(entry.values.get(name) is UNKNOWN for name in names)


def _dormant(stack: Stack, context: Context) -> Iterator[RuleFinding]:
    """By the last refresh. An old login does not count if the person's access has just begun."""
    most, unknown = timedelta(days=context.options["days"]), list[str]()
    for entry in stack.of(Type.MEMBER):
        last, starts = _day_shown(entry, "last_login"), _day_shown(entry, "starts")
        if _hidden(entry, "status", "last_login") or (_is_in(entry) and last is None):
            unknown.append(entry.shown("email"))
        elif last and _is_in(entry):
            since = max(last, starts) if starts and starts <= context.today else last
            if context.today - since > most:
                days = (context.today - last).days
                yield RuleFinding(f"{entry}: {_REFRESHED}, the last login was on {last}, {days} days ago", entry)
    for entry in stack.of(Type.SERVICE_ACCOUNT):
        used, made = _day_shown(entry, "last_used"), _day_shown(entry, "created")
        last = used or made
        if _hidden(entry, "status", "last_used", "created"):
            unknown.append(entry.name)
        elif last and entry.output("status") == _ACTIVE and context.today - last > most:
            what = f"it was last used on {used}" if used else f"no use of it is known since it was made on {made}"
            yield RuleFinding(f"{entry}: {_REFRESHED}, {what}, {(context.today - last).days} days ago", entry)
    if unknown:
        raise NotThereYet(f"Mixpanel has not shown the last login of {few(unknown)}; run with --refresh")


def _least(entry: Entry, context: Context) -> str | None:
    """The lowest role, which people of the company may keep without using it; None for external people."""
    if context.known_external(entry):
        return None
    return roles.MEMBER if entry.type == Type.MEMBER else roles.CONSUMER


def _is_in(entry: Entry) -> bool:
    return entry.output("status") == Invitation.ACCEPTED


def _stale_invitation(stack: Stack, context: Context) -> Iterator[RuleFinding]:
    unknown: list[str] = []
    for entry in stack.of(Type.MEMBER):
        sent = _day_shown(entry, "first_invited_at") or _day_shown(entry, "invited_at")
        waits = (context.today - sent).days if sent else 0
        if _hidden(entry, "status", "first_invited_at", "invited_at"):
            unknown.append(entry.shown("email"))
        elif entry.output("status") in _WAITING and waits > context.options["days"]:
            yield RuleFinding(
                f"{entry}: {_REFRESHED}, the first invitation was sent on {sent}, {waits} days ago, and nobody has "
                f"accepted one",
                entry,
            )
    if unknown:
        raise NotThereYet(f"whether {few(unknown)} accepted the invitation is known after the update")


def _break_glass(stack: Stack, context: Context) -> Iterator[RuleFinding | NotJudged]:
    """Owners can log in with a password even if everybody else must use single sign-on.

    Source: https://help.mixpanel.com/hc/en-us/articles/360036428871-Single-Sign-On
    """
    if not stack.owns_organization_roles():
        raise NotApplicable("this stack does not declare organization roles")
    low, first = context.options["minimum"], context.today + timedelta(days=context.options["days"])
    ready, new, others = list[Entry](), list[str](), list[str]()

    def judge(entry: Entry) -> Iterator[RuleFinding]:
        if entry.role != roles.OWNER:
            return
        status, ends = entry.output("status"), entry.day("ends")
        if ends and ends < first:
            others.append(f"{entry.shown('email')} until {ends}")
        elif not status:
            new.append(entry.shown("email"))
        elif status == Invitation.ACCEPTED:
            ready.append(entry)
        else:
            others.append(f"{entry.shown('email')} is {status}")
        yield from ()

    unknown = list(each(stack.of(Type.MEMBER), judge))
    if not (ready or new or others or unknown):
        raise NotApplicable("no organization owner is declared: they are kept outside this stack")
    if len(ready) >= low:
        return
    if len(ready) + len(unknown) + len(new) < low:
        more = f" ({', '.join(others)})" if others else ""
        yield RuleFinding(
            f"{counted(len(ready), 'organization owner')} can get in from today until {first}{more}, and there should "
            f"be {low} at least, in case single sign-on or one of them fails"
        )
    elif unknown:
        yield from unknown
    else:
        raise NotThereYet(f"whether {few(new)} can get in is known after the update")


def _externals(stack: Stack, context: Context) -> Iterator[RuleFinding | NotJudged]:
    high, found = context.options["maximum"], set[str]()

    def judge(entry: Entry) -> Iterator[RuleFinding]:
        if context.external(entry):
            found.add(mailbox(entry.email))
        yield from ()

    unknown = list(each(stack.of(Type.MEMBER), judge))
    if len(found) > high:
        yield RuleFinding(
            f"{len(found)} people from outside the company have access, and there should be at most {high}"
        )
    elif len(found) + len(unknown) > high:
        yield from unknown


STATE_RULES: Final = Family.PEOPLE.rules(
    Rule(
        "dormant-account",
        "People use the access that they have, and programs use their service accounts.",
        Level.ADVISORY,
        Severity.MEDIUM,
        "Run `pulumi up --refresh` to see the latest login; delete the entries of people who no longer need access.",
        _dormant,
        options=(
            option("days", "integer", 90, "Days without a login or a use.", minimum=1),
            command_option(
                "neverDays",
                30,
                "Days after which an access review suggests to remove somebody who accepted and never logged in.",
            ),
        ),
        controls=controls("cis 5.3", "soc2 CC6.3", "iso27001 A.5.18"),
        suggestion=Suggestion.REMOVE,
        highest=_least,
    ),
    Rule(
        "invitation-stale",
        "An invitation is accepted within days, and not sent again and again.",
        Level.ADVISORY,
        Severity.LOW,
        "Ask the person; delete the entry if they do not need the access, or correct the address.",
        _stale_invitation,
        options=(
            option("days", "integer", 21, "Days since the first invitation.", minimum=1),
            command_option(
                "remindHours",
                72,
                "Hours after which `status`, `remind` and the report point out an invitation that is pending.",
            ),
        ),
        controls=controls("cis 5.3", "iso27001 A.5.18"),
    ),
    Rule(
        "break-glass-ready",
        "Enough organization owners can get in today, and without single sign-on.",
        Level.ADVISORY,
        Severity.HIGH,
        "Have two owners accept their invitations, without an end that is near, and keep a password each.",
        _break_glass,
        options=(
            option("minimum", "integer", 2, "The fewest owners who can get in.", minimum=1),
            option("days", "integer", 14, "Days for which their access must last.", minimum=0),
        ),
        controls=controls("soc2 CC7.5", "iso27001 A.5.29"),
    ),
    Rule(
        "most-external",
        "There are not too many people from outside the company.",
        Level.ADVISORY,
        Severity.LOW,
        "Review them, and delete the entries of engagements that are done.",
        _externals,
        options=(option("maximum", "integer", 25, "The most people from outside.", minimum=0),),
        controls=controls("iso27001 A.5.19", "cis 15.7"),
    ),
)
