"""What the clock alone will change in a stack: access that ends, access that begins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from mixpanel_access.model.dates import day
from mixpanel_access.model.roster import Roster, RosterPerson
from mixpanel_access.operations.state import State


class Event(StrEnum):
    """What happens to a person's access."""

    OVERDUE = "overdue"
    ENDS = "ends"
    BEGINS = "begins"


@dataclass(frozen=True)
class Change:
    """One change.

    Attributes:
        event: what it is.
        email: whom it concerns.
        on: the first day (UTC) on which `pulumi up` brings it about.
        days: days until then; negative for what should have been brought about already.
        projects: project key -> role, of what is taken away or given.
        engagement: the engagement's name, or None.
    """

    event: Event
    email: str
    on: date
    days: int
    projects: Mapping[str, str]
    engagement: str | None = None


def changes_by_the_clock(roster: Roster, state: State, today: date, days: int) -> list[Change]:
    """What `pulumi up` will take away or give within days, without an edit.

    Args:
        roster: the stack's roster.
        state: the stack's state: whoever is in it beyond the end is overdue.
        today: the day, UTC.
        days: how far to look ahead; 0 is what is due today.

    Returns:
        The changes by day, then by address. Access ends after the last day: it goes on the day after.
    """
    found = [change for person in roster.people for change in _of(person, state, today)]
    near = [change for change in found if change.days <= days]
    return sorted(near, key=lambda change: (change.on, change.email.casefold()))


def _of(person: RosterPerson, state: State, today: date) -> list[Change]:
    starts = day(person.starts) if person.starts else None
    gone = day(person.ends) + timedelta(days=1) if person.ends else None
    held = person.key in state.members or any(key == person.key for _, key in state.grants)
    changes = []
    if starts is not None and starts > today:
        changes.append(_change(Event.BEGINS, person, starts, today))
    if gone is not None and gone > today:
        changes.append(_change(Event.ENDS, person, gone, today))
    elif gone is not None and held:
        changes.append(_change(Event.OVERDUE, person, gone, today))
    return changes


def _change(event: Event, person: RosterPerson, on: date, today: date) -> Change:
    return Change(event, person.email, on, (on - today).days, dict(person.projects), person.engagement)
