"""What Mixpanel's audit log adds to the access log: what others did, and when and by whom something went. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from mixpanel_access.model import audit
from mixpanel_access.model.address import same_key
from mixpanel_access.model.audit import AuditEvent
from mixpanel_access.model.dates import written
from mixpanel_access.operations.tracker_lines import Event, Line

EVENTS: Final = {
    audit.USER_ADDED: Event.GRANTED,
    audit.USER_REMOVED: Event.REVOKED,
    audit.PROJECT_USER_ADDED: Event.GRANTED,
    audit.PROJECT_USER_REMOVED: Event.REVOKED,
    audit.ROLE_CHANGED: Event.CHANGED,
    audit.INVITATION_ACCEPTED: Event.ACCEPTED,
}
"""Audit event -> what it is in the access log."""
_ACCEPTED: Final = "invitation"
"""The source of a user added that tells an acceptance once more."""


def by_others(events: Iterable[AuditEvent], own: frozenset[str], known: Iterable[Line]) -> Iterator[Line]:
    """The lines of what no stack did, the oldest first.

    Args:
        events: of the audit log.
        own: the login names of the stacks' accounts, as keys: what they do is in the states.
        known: the lines that are there already.
    """
    there = {_key(line) for line in known if not line.stack}
    for event in sorted(events, key=lambda event: event.at):
        if event.type not in EVENTS or not event.email or same_key(event.actor) in own:
            continue
        if event.type == audit.USER_ADDED and event.source == _ACCEPTED:
            continue
        line = Line(
            written(event.at),
            event.actor or event.source,
            EVENTS[event.type].value,
            event.email,
            "",
            event.project,
            event.role or "",
        )
        if _key(line) not in there:
            there.add(_key(line))
            yield line


def taken_away(events: Sequence[AuditEvent], line: Line) -> AuditEvent | None:
    """The newest event that tells when and by whom what a line gave was taken away, or None.

    Args:
        events: of the audit log, the newest first.
        line: the last that tells of it.
    """
    kinds = (audit.USER_REMOVED,) if line.project is None else (audit.PROJECT_USER_REMOVED, audit.USER_REMOVED)
    for event in events:
        about = event.type != audit.PROJECT_USER_REMOVED or event.project == line.project
        if event.type in kinds and about and event.concerns(line.place[2]) and written(event.at) >= line.date:
            return event
    return None


def _key(line: Line) -> tuple[object, ...]:
    return line.date, line.event, line.place, line.role
