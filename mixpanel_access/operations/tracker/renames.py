"""Which people have another address since the last update of the access log, and which stacks another name. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from mixpanel_access.model.access import Person
from mixpanel_access.model.address import same_key
from mixpanel_access.model.audit import AuditEvent
from mixpanel_access.model.dates import written
from mixpanel_access.model.grouping import grouped
from mixpanel_access.operations.tracker.audit_facts import joined
from mixpanel_access.operations.tracker.lines import UNKNOWN, Access, LogEvent, LogLine, StateLine
from mixpanel_access.operations.tracker.reading import Absence, OrganizationReading, StackReading
from mixpanel_access.operations.tracker.replay import Replay
from mixpanel_access.operations.tracker.runs import SKEW

_SECOND: Final = timedelta(seconds=1)


def readdressed(log: Replay, reading: OrganizationReading, now: datetime) -> Iterator[LogLine]:
    """The lines for people who have another address in Mixpanel than in the log.

    Mixpanel's id of a person proves it; a line of the log has that, or the state of a stack. No event says when it was,
    so a line has the date of this update. If the old address is somebody else's by now, it has the instant before that.

    Args:
        log: the log, replayed to its end.
        reading: what Mixpanel says of the organization.
        now: the present instant, or that of the newest line.
    """
    people, found = reading.presence.organization.people, dict[str, Person]()
    held = [access for access, one in log.held.items() if one.organization in (None, reading.id)]
    events = grouped((same_key(event.email), event) for event in reading.events)
    known = {access.person for access in held} | events.keys()
    for before, key in reading.readdressed.items():
        if before in known and log.person(before, reading.id) == before:
            found[before] = people[key]
    by_id = {log.user_ids[access]: access.person for access in held if access in log.user_ids}
    for key, person in people.items():
        if person.user_id is not None and (before := by_id.get(person.user_id, key)) != key:
            found[before] = person
    dates = _dates(log, reading, found, events, now)
    for before, person in found.items():
        its, there = events.get(before, []), log.held.get(Access(reading.id, None, before, None))
        yield LogLine(
            date=written(dates[before]), admin=UNKNOWN, event=LogEvent.READDRESSED.value, email=person.email, stack="",
            project=None, role="", organization=reading.id, user_id=person.user_id,
            email_before=there.email if there else its[-1].email if its else before,
        )  # fmt: skip


def _dates(
    log: Replay,
    reading: OrganizationReading,
    found: Mapping[str, Person],
    events: Mapping[str, Sequence[AuditEvent]],
    now: datetime,
) -> dict[str, datetime]:
    """The instant of each line for an earlier address.

    What is written of an address from then on is about whoever has it now, so nobody gets one before it is free.
    """
    dates: dict[str, datetime] = {}
    taken = {person.key for person in found.values()}  # by somebody who did not join under this address
    for before in found:
        its, last = events.get(before, []), log.last.get(Access(reading.id, None, before, None))
        dates[before] = max([now, *(event.at for event in its)])
        if before in reading.presence.organization.people:
            dates[before] -= _SECOND
            others = [one.at for one in its if joined(one) and not (last and one.at <= last.at)]
            if others and before not in taken:
                dates[before] = (others[0] if last else others[-1]) - _SECOND
    for _ in found:  # as many steps as the longest chain has
        for before, person in found.items():
            if person.key in dates:
                dates[person.key] = min(dates[person.key], dates[before])
    return dates


def by_present_addresses(stack: StackReading, log: Replay, reading: OrganizationReading) -> StackReading:
    """What a stack has, by the addresses that people have now; a state may have earlier ones.

    If somebody else has an earlier address now, the state means them. They have nothing from before that, and what they
    do not have is left of the person who had the address before.

    Args:
        stack: the stack, by the addresses in its state.
        log: the log, with the lines of this update about addresses.
        reading: what Mixpanel says of the organization.
    """
    people, earlier = reading.presence.organization.people, log.earlier_addresses(reading.id)
    held: dict[Access, StateLine] = {}
    moved: dict[Access, StateLine] = {}
    for access, one in stack.held.items():
        key = access.person
        membership = stack.held.get(Access(reading.id, None, key, None))
        if key not in earlier and key not in reading.readdressed:
            held[access] = one
            continue
        by_id = log.person_with(reading.id, membership.line.user_id if membership else None)
        before = by_id or log.moved(key, reading.id)
        now = next((one for one in (by_id, reading.readdressed.get(key), key) if one and one in people), before)
        since = _theirs_since(key, earlier[key], reading) if now == key != log.person(key, reading.id) else ""
        if one.line.date < since and isinstance(reading.presence.role(access), Absence):
            now = before
        if now != key:
            email = people[now].email if now in people else log.written(now, reading.id) or one.line.email
            moved[access._replace(person=now)] = replace(one, line=replace(one.line, email=email))
        else:
            line = replace(one.line, date=max(since, one.line.date))
            held[access] = replace(one, line=line, earliest=max(since, one.earliest))
    return replace(stack, held={**moved, **held})


def _theirs_since(key: str, until: datetime, reading: OrganizationReading) -> str:
    """Since when an address that was somebody's until an instant is that of somebody else."""
    its = (event.at for event in reading.events if same_key(event.email) == key and joined(event))
    return written(next((at for at in its if at > until), until + _SECOND))


def renamed(
    lines: Sequence[LogLine], log: Replay, stacks: Mapping[str, StackReading], existing: Sequence[str], now: datetime
) -> Iterator[LogLine]:
    """The lines for stacks that have another name since the last update (`pulumi stack rename`).

    A stack of the log no longer exists, and another one that the log does not know has its access, in a state that is
    no younger than the log.

    Args:
        lines: the log.
        log: the same with the lines of this update about addresses, replayed to its end.
        stacks: the stacks that are read, by the present addresses.
        existing: the names of all stacks of the project.
        now: the present instant.
    """
    newest = max((line.at for line in lines), default=now)
    known = {log.stack_of(line) for line in lines}
    for old in sorted({stack for there in log.held.values() for stack in there.stacks} - {*existing}):
        common = grouped(
            (name, one)
            for name, stack in stacks.items()
            for access, one in stack.held.items()
            if name not in known and access in log.held and old in log.held[access].stacks
        )
        fit = {name: len(its) for name, its in common.items() if all(_is_older(one, newest) for one in its)}
        if fit:
            name = max(fit, key=fit.__getitem__)
            known.add(name)
            yield LogLine(
                date=written(max(now, newest)), admin=UNKNOWN, event=LogEvent.RENAMED.value, email="", stack=name,
                project=None, role="", organization=stacks[name].organization, renamed_from=old,
            )  # fmt: skip


def _is_older(one: StateLine, newest: datetime) -> bool:
    """Whether the stack got the access before the log's newest line, by any clock."""
    return bool(one.line.date) and one.line.at <= newest + SKEW
