"""What is due as a calendar (RFC 5545): all-day events, also for the days of reminder before an end.

Google ignores alarms in a calendar that somebody else made, so each day of reminder is an event of its own. A calendar
that imports the file, and does not subscribe to it, keeps what the file no longer has; so what has ended is cancelled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.similarity import in_days
from mixpanel_access.operations.reminding import DOMAIN, Reminder

if TYPE_CHECKING:
    from icalendar import Event

KEPT: Final = timedelta(days=90)
"""How long a cancelled event stays in the file."""
_STACK: Final = "x-mixpanel-access-stack"
_SAYS: Final = ("dtstart", "summary", "description", "status", _STACK)
"""The properties that say what an event is; the others say when it was written."""
_PART: Final = "\0before\0"
"""Separates the days of reminder from the part of a reminder that they belong to."""


def calendar(
    found: Sequence[Reminder], now: datetime, earlier: bytes = b"", is_read: Callable[[str], bool] = lambda _: True
) -> bytes:
    """A calendar, as a file or a feed.

    Args:
        found: all reminders of the stacks that were read.
        now: the instant of the calendar.
        earlier: the calendar that was there, or b"".
        is_read: whether the reminders of a stack were read; those of the organization have the stack "".

    Raises:
        UsageError: the earlier calendar cannot be read.
    """
    from icalendar import Calendar  # slow to come, and most look at the text

    before = dict(_events(earlier))
    events = {uid: event for one in found for uid, event in _events_of(one)}
    for uid, event in before.items():
        if uid not in events and (kept := _kept(event, now, is_read=is_read(str(event.get(_STACK, ""))))):
            events[uid] = kept
    made = Calendar()
    made.add("prodid", "-//mixpanel-access//remind//EN")
    made.add("version", "2.0")
    made.add("x-wr-calname", "Mixpanel access")
    made.add("refresh-interval", timedelta(days=1), parameters={"VALUE": "DURATION"})
    made.add("x-published-ttl", "P1D")  # the same for Outlook
    for uid, event in events.items():
        made.add_component(_dated(event, before.get(uid), now))
    content: bytes = made.to_ical()
    return content


def _events(content: bytes) -> Iterator[tuple[str, Event]]:
    """The events of an earlier calendar, by UID.

    Raises:
        UsageError: it cannot be read.
    """
    if not content.strip():
        return
    from icalendar import Calendar

    try:
        events: list[Any] = Calendar.from_ical(content).walk("VEVENT")
        for event in events:
            _numbers(event), _said(event)  # what is damaged fails here
            if (uid := str(event["uid"])).endswith(DOMAIN):
                yield uid, event
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError):
        raise UsageError(
            "cannot update the calendar",
            why="the file that is there is not a calendar",
            next_step="Delete it, or name another file with --ics.",
        ) from None


def _events_of(one: Reminder) -> Iterator[tuple[str, Event]]:
    """The event of a reminder, and those of its days of reminder."""
    yield one.uid, _event(one, one.text)
    for days in one.stages:
        if days:
            early = replace(one, part=f"{one.part}{_PART}{days}", on=one.on - timedelta(days=days))
            yield early.uid, _event(early, f"{in_days(days).capitalize()}: {one.text}")


def _event(one: Reminder, summary: str) -> Event:
    from icalendar import Alarm, Event

    event = Event()
    event.add("uid", one.uid)
    event.add("dtstart", one.on)
    event.add("dtend", one.on + timedelta(days=1))
    event.add("summary", summary)
    event.add("description", one.next_step)
    event.add("status", "CONFIRMED")
    event.add("transp", "TRANSPARENT")
    event.add("categories", [one.kind.value])
    if one.stack:
        event.add(_STACK, one.stack)
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", summary)
    alarm.add("trigger", timedelta())
    event.add_component(alarm)
    return event


def _kept(event: Event, now: datetime, *, is_read: bool) -> Event | None:
    """An event that no reminder has: cancelled, or None if that is long ago; as it is if its stack was not read."""
    if not is_read:
        return event
    if event.get("status") == "CANCELLED" and now - _numbers(event)[1] > KEPT:
        return None
    cancelled = deepcopy(event)
    cancelled.pop("status", None)
    cancelled.add("status", "CANCELLED")
    cancelled.subcomponents.clear()  # the alarm
    return cancelled


def _dated(event: Event, before: Event | None, now: datetime) -> Event:
    """An event with its number and date: those that it had if it says the same, else a higher number and now."""
    minutes = int(now.timestamp()) // 60
    values: dict[str, Any] = {"sequence": minutes, "dtstamp": now, "last-modified": now}
    if before is not None:
        values["sequence"] = max(_numbers(before)[0] + 1, minutes)
        if _said(event) == _said(before):
            values = {name: before[name] for name in values if name in before}
    for name, value in values.items():
        event.pop(name, None)
        event.add(name, value)
    return event


def _numbers(event: Any) -> tuple[int, datetime]:
    """The number of an event, and when it was written."""
    return int(event.get("sequence", 0)), event["dtstamp"].dt.astimezone(UTC)


def _said(event: Any) -> list[bytes | None]:
    return [event[name].to_ical() if name in event else None for name in _SAYS]
