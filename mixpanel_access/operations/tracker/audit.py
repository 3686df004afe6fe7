"""What Mixpanel's audit log adds to the access log: what others did, and who removed access when. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from mixpanel_access.model import audit
from mixpanel_access.model.address import same_key
from mixpanel_access.model.audit import AuditEvent
from mixpanel_access.model.dates import instant, written
from mixpanel_access.operations.tracker.lines import LogEvent, LogLine

EVENTS: Final = {
    audit.USER_ADDED: LogEvent.GRANTED,
    audit.USER_REMOVED: LogEvent.REVOKED,
    audit.PROJECT_USER_ADDED: LogEvent.GRANTED,
    audit.PROJECT_USER_REMOVED: LogEvent.REVOKED,
    audit.ROLE_CHANGED: LogEvent.CHANGED,
    audit.INVITATION_ACCEPTED: LogEvent.ACCEPTED,
    audit.TEAM_USER_ADDED: LogEvent.GRANTED,
    audit.TEAM_USER_REMOVED: LogEvent.REVOKED,
    audit.PROJECT_TEAM_ADDED: LogEvent.GRANTED,
    audit.PROJECT_TEAM_REMOVED: LogEvent.REVOKED,
}
"""Audit event -> event of the access log."""
OF_TEAMS: Final = (
    audit.TEAM_USER_ADDED,
    audit.TEAM_USER_REMOVED,
    audit.TEAM_DELETED,
    audit.PROJECT_TEAM_ADDED,
    audit.PROJECT_TEAM_REMOVED,
)
"""The audit events about a team."""
READ: Final = (*EVENTS, audit.TEAM_DELETED)
"""The audit events to read."""
Run = Mapping[str, Any]
"""An update of a stack in the engine's history."""
_SKEW: Final = timedelta(minutes=1)
"""How far Mixpanel's clock and the engine's may differ."""
_ACCEPTED: Final = "invitation"
"""The source of a "user added" event that repeats an acceptance."""


def by_others(
    events: Iterable[AuditEvent],
    own: frozenset[str],
    known: Sequence[LogLine],
    histories: Mapping[str, Sequence[Run]],
) -> Iterator[LogLine]:
    """The lines for what was done outside of the stacks, the oldest first.

    Args:
        events: the events of the audit log.
        own: the keys of the login names of the stacks' accounts, whose changes are in the states.
        known: the lines of the log, including those for the present states.
        histories: the runs of each stack. A SCIM event names nobody: during a run of the stack that has
            the access, the stack did it.
    """
    keys = {line.key for line in known if line.stack}
    there = {_key(line) for line in known if not line.stack}
    for event in sorted(events, key=lambda event: event.at):
        if event.type not in EVENTS or same_key(event.actor) in own or not _names_somebody(event):
            continue
        if event.type == audit.USER_ADDED and event.source == _ACCEPTED:
            continue
        line = LogLine(
            date=written(event.at),
            admin=event.who,
            event=EVENTS[event.type].value,
            email=event.email,
            stack="",
            project=event.project,
            role=event.role or "",
            team=event.team_name or str(event.team or ""),
            team_id=event.team,
        )
        if event.by_scim and any(
            replace(line, stack=stack).key in keys and during(history, event.at) for stack, history in histories.items()
        ):
            continue
        if _key(line) not in there:
            there.add(_key(line))
            yield line


def during(history: Sequence[Run], at: datetime) -> Run | None:
    """The run of the engine during which something happened by Mixpanel's clock, or None."""
    for skew in (timedelta(), _SKEW):
        for run in history:
            ends = instant(str(run["endTime"])) if run.get("endTime") else at
            if instant(str(run["startTime"])) - skew <= at <= ends + skew:
                return run
    return None


def taken_away(events: Sequence[AuditEvent], line: LogLine) -> AuditEvent | None:
    """The newest event that removed the access of a line, or None.

    Args:
        events: the events of the audit log, the newest first.
        line: the last line about the access.
    """
    return next((event for event in events if _took(event, line) and written(event.at) >= line.date), None)


def _took(event: AuditEvent, line: LogLine) -> bool:
    """Whether an event removed the access of a line."""
    if line.team_id is not None and event.type in OF_TEAMS:
        its = event.team == line.team_id
        if event.type == audit.TEAM_DELETED:
            return its
        if line.email:
            return its and event.type == audit.TEAM_USER_REMOVED and event.concerns(line.key.person)
        return its and event.type == audit.PROJECT_TEAM_REMOVED and event.project == line.project
    if not line.email or not event.concerns(line.key.person):
        return False
    if event.type == audit.PROJECT_USER_REMOVED:
        return line.project is not None and event.project == line.project
    return event.type == audit.USER_REMOVED


def _names_somebody(event: AuditEvent) -> bool:
    """Whether an event names the person, the team, or the person and the team that it is about."""
    if event.type in (audit.PROJECT_TEAM_ADDED, audit.PROJECT_TEAM_REMOVED):
        return event.team is not None and event.project is not None
    return bool(event.email) and (event.type not in OF_TEAMS or event.team is not None)


def _key(line: LogLine) -> tuple[object, ...]:
    return line.date, line.event, line.key, line.role
