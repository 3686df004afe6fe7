"""What is due: access that ends, invitations that wait, reviews."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from mixpanel_access.model.access import Invitation
from mixpanel_access.model.dates import day
from mixpanel_access.model.effective_access import RosterEntry
from mixpanel_access.operations.next_steps import change_step, stack_of, up_of
from mixpanel_access.operations.overview import Overview
from mixpanel_access.operations.pending.change import PendingChange, PendingEvent
from mixpanel_access.operations.person_overview import PersonOverview
from mixpanel_access.operations.stack_view import StackView

LATE_STAGES: Final = (0, 7)
"""Days before the end of the access on which somebody is reminded again; first when `ending-soon` finds it."""
DOMAIN: Final = "@mixpanel-access"
"""What the ids of all events in a calendar end with."""


class ReminderKind(StrEnum):
    """What a reminder is about."""

    OVERDUE = "overdue"
    LATE = "late"
    ENDS = "ends"
    HELD = "held"
    PENDING = "pending"
    REVIEW = "review"


_KINDS: Final = {
    PendingEvent.OVERDUE: ReminderKind.OVERDUE,
    PendingEvent.REMOVED: ReminderKind.OVERDUE,
    PendingEvent.LATE: ReminderKind.LATE,
    PendingEvent.ENDS: ReminderKind.ENDS,
}


@dataclass(frozen=True)
class Reminder:
    """Something that falls on a day.

    Attributes:
        kind: what it is.
        email: the person's address; "" for a team as a whole or a service account.
        stack: the stack that has it; "" for an invitation, which is the organization's.
        on: the last day of the access, the day on which it should have begun, the day on which an invitation has waited
            long enough, the day of the review, or the day on which a brake will hold an ending.
        text: what it is, in a sentence.
        next_step: what to do about it.
        engagement: the engagement's key, or None.
        part: the key of the team, or the service account, if its end is meant and not that of all the access; else "".
        ahead: the days before `on` from which somebody is to be reminded.
        number: how many reminders about the same come before this one.
    """

    kind: ReminderKind
    email: str
    stack: str
    on: date
    text: str
    next_step: str
    engagement: str | None = None
    part: str = ""
    ahead: int = 0
    number: int = 0

    @property
    def uid(self) -> str:
        """The same for the same matter, whenever and wherever it is asked: a calendar updates instead of doubling."""
        more = filter(None, (self.part, str(self.number or "")))
        parts = "\0".join((self.kind, self.email.casefold(), self.stack, self.engagement or "", *more))
        return f"{hashlib.sha256(parts.encode()).hexdigest()[:32]}{DOMAIN}"

    def due(self, today: date) -> bool:
        """Whether the reminder is due on a day."""
        return today >= self.on - timedelta(days=self.ahead)

    @property
    def stages(self) -> list[int]:
        """The days before an end on which somebody is reminded of it; none for what has no stages."""
        nearer = (days for days in LATE_STAGES if days < self.ahead)
        return sorted({*nearer, self.ahead}) if self.kind is ReminderKind.ENDS else []

    def stage(self, today: date) -> int | None:
        """Which of the reminders of an end it is, in days before; None for none of them."""
        return next((stage for stage in self.stages if (self.on - today).days <= stage), None)


def reminders(overview: Overview) -> list[Reminder]:
    """Everything that falls on some day, past days included where it is not done, by day and address."""
    found = [one for someone in overview.people for one in _of(someone, overview)]
    found += [
        reminder
        for stack, changes in overview.changes.items()
        for change in changes
        if change.event in _KINDS
        for reminder in _of_change(stack, change, overview)
    ]
    found += _held(overview)
    count: Counter[str] = Counter()
    ordered = sorted(found, key=lambda one: (one.on, one.email.casefold(), one.kind, one.stack))
    for place, one in enumerate(ordered):
        ordered[place] = replace(one, number=count[one.uid])
        count[one.uid] += 1
    return ordered


def _held(overview: Overview) -> Iterator[Reminder]:
    """The endings that a brake will hold, unless somebody does something before."""
    for stack, some in overview.forecasts.items():
        ahead = overview.stacks[stack].policies.ending_days
        for one in some:
            finding = one.finding
            text = f"On {one.on}, a brake will hold an ending of stack {stack}: {finding} [{finding.brake}]."
            yield Reminder(
                kind=ReminderKind.HELD,
                email=", ".join(finding.people),
                stack=stack,
                on=one.on,
                text=text,
                next_step=one.next_step,
                ahead=ahead,
            )


def _of(someone: PersonOverview, overview: Overview) -> Iterator[Reminder]:
    yield from _waiting(someone, overview)
    for stack, entry in someone.current(overview.today):
        held = [someone.members.get(stack), *(one for (name, _), one in someone.grants.items() if name == stack)]
        made = min((one.begun[:10] for one in held if one and one.begun), default=None)
        yield _review(someone, overview.stacks[stack], entry, overview.today, made)


def _waiting(someone: PersonOverview, overview: Overview) -> Iterator[Reminder]:
    sent, invitation = someone.invited_at, someone.waiting(overview.now)
    if sent is None or invitation is None:
        return
    on = (sent + overview.pending_too_long(someone)).date()
    text = f"The invitation to {someone.email} of {sent:%Y-%m-%d} is not accepted."
    step = f"`mixpanel-access resend {someone.email}` sends it again."
    if invitation is Invitation.EXPIRED:
        text = f"The invitation to {someone.email} of {sent:%Y-%m-%d} expired on {someone.expires_at:%Y-%m-%d}."
        step = _sentence(up_of(stack_of(someone), overview, after=" sends it again"))
    yield Reminder(kind=ReminderKind.PENDING, email=someone.email, stack="", on=on, text=text, next_step=step)


def _of_change(stack: str, change: PendingChange, overview: Overview) -> Iterator[Reminder]:
    """What ends, or what the last updates have left undone; the end of each team is a matter of its own."""
    if change.email and change.team and len(change.teams) > 1:
        for key in change.teams:
            yield from _of_change(stack, replace(change, teams=[key]), overview)
        return
    kind = _KINDS[change.event]
    text, step = change.sentence(stack), change_step(change, stack, overview)
    yield Reminder(
        kind=kind,
        email=change.email,
        stack=stack,
        on=change.day,
        text=_sentence(text),
        next_step=_sentence(step),
        engagement=change.engagement,
        part=change.team or change.account,
        ahead=overview.stacks[stack].policies.ending_days if kind is ReminderKind.ENDS else 0,
    )


def _sentence(clause: str) -> str:
    return f"{clause[:1].upper()}{clause[1:]}."


def _review(someone: PersonOverview, view: StackView, entry: RosterEntry, today: date, made: str | None) -> Reminder:
    email, stack = someone.email, view.name
    what = f"{email} in stack {stack}" + (f" ({entry.engagement})" if entry.engagement else "")
    last = entry.metadata.get("reviewed") or entry.metadata.get("starts") or made
    on = day(last) + timedelta(days=view.policies.review_days + 1) if last else today
    since = f"since {last}" if last else "as far as anybody knows"
    return Reminder(
        kind=ReminderKind.REVIEW,
        email=email,
        stack=stack,
        on=on,
        text=f"The access of {what} was not reviewed {since}.",
        next_step="Review it, and write the day into `reviewed`.",
        engagement=entry.engagement,
    )
