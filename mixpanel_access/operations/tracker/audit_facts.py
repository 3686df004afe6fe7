"""What the events of Mixpanel's audit log say about access, and which of them the access log does not have yet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import count
from typing import Final

from mixpanel_access.model import audit
from mixpanel_access.model.address import same_key
from mixpanel_access.model.audit import AuditEvent
from mixpanel_access.model.dates import written
from mixpanel_access.model.grouping import grouped
from mixpanel_access.operations.tracker.lines import GIVES, UNKNOWN, Access, LogEvent, LogLine
from mixpanel_access.operations.tracker.names import LONG_AGO
from mixpanel_access.operations.tracker.replay import Replay
from mixpanel_access.operations.tracker.runs import SKEW


class Change(StrEnum):
    """What an event does to access."""

    GIVEN = "given"
    CHANGED = "changed"
    TAKEN = "taken"
    ACCEPTED = "accepted"
    ROLE_DELETED = "role deleted"


CHANGES: Final = {
    audit.INVITATION_SENT: Change.GIVEN,
    audit.INVITATION_ACCEPTED: Change.ACCEPTED,
    audit.USER_ADDED: Change.GIVEN,
    audit.USER_REMOVED: Change.TAKEN,
    audit.PROJECT_USER_ADDED: Change.GIVEN,
    audit.PROJECT_USER_REMOVED: Change.TAKEN,
    audit.ROLE_CHANGED: Change.CHANGED,
    audit.TEAM_USER_ADDED: Change.GIVEN,
    audit.TEAM_USER_REMOVED: Change.TAKEN,
    audit.TEAM_DELETED: Change.TAKEN,
    audit.PROJECT_TEAM_ADDED: Change.GIVEN,
    audit.PROJECT_TEAM_REMOVED: Change.TAKEN,
    audit.CUSTOM_ROLE_DELETED: Change.ROLE_DELETED,
}
"""Audit event -> what it does to access."""
READ: Final = tuple(CHANGES)
"""The audit events to read."""
_INVITATION: Final = "invitation"
"""The source of a "user added" event that repeats an acceptance."""
_OF_TEAMS_IN_PROJECTS: Final = (audit.PROJECT_TEAM_ADDED, audit.PROJECT_TEAM_REMOVED)
_MEMBERS_OF_TEAMS: Final = (audit.TEAM_USER_ADDED, audit.TEAM_USER_REMOVED)
_SAME: Final = {
    Change.GIVEN: (LogEvent.GRANTED, LogEvent.RESTORED, LogEvent.CHANGED),
    Change.CHANGED: (LogEvent.CHANGED, LogEvent.RESTORED, LogEvent.GRANTED, LogEvent.IMPORTED),
    Change.TAKEN: (LogEvent.REVOKED,),
    Change.ACCEPTED: (LogEvent.ACCEPTED,),
}
"""What an event does -> the events of lines that say the same."""


@dataclass(frozen=True, kw_only=True)
class AuditFact:
    """What one event says.

    Attributes:
        number: its number among the facts of the organization, the oldest first.
        event: the event.
        change: what it does.
        access: the access. A membership of the organization that is taken away takes all access of the person with it,
            and a team without a person and a project that is taken away takes all access of the team. Of a custom
            role that is deleted, it is the project, without a person and a team.
        email: the address of the person as the event has it; "" for a team.
        since: when it took effect, if it had to wait for somebody's activation; else None.
    """

    number: int
    event: AuditEvent
    change: Change
    access: Access
    email: str
    since: datetime | None = None

    @property
    def at(self) -> datetime:
        """When the event took effect."""
        return self.since or self.event.at

    @property
    def may_repeat(self) -> bool:
        """Whether it may be about access that is there: an invitation that is sent again, or a team's role anew."""
        return self.event.type in (audit.INVITATION_SENT, audit.USER_ADDED, audit.PROJECT_TEAM_ADDED)

    @property
    def repeats_an_acceptance(self) -> bool:
        """Whether it says that somebody joined whose invitation an earlier event has."""
        return self.event.type == audit.USER_ADDED and not joined(self.event)

    def takes(self, access: Access) -> bool:
        """Whether it ends this access, for itself or with the person or the team."""
        if self.change is not Change.TAKEN:
            return False
        own = self.access
        if own == access:
            return True
        if own.team is not None:
            return own.project is None and not own.person and access.team == own.team
        return own.project is None and own.person == access.person


def joined(event: AuditEvent) -> bool:
    """Whether somebody is in the organization from an event on, by an invitation or without one."""
    return event.type == audit.INVITATION_SENT or (event.type == audit.USER_ADDED and event.source != _INVITATION)


def facts_of(events: Iterable[AuditEvent], organization: int, names: Replay) -> Iterator[AuditFact]:
    """What the events say, in their order; events that do not name what they are about say nothing.

    Args:
        events: the events of one organization.
        organization: its id.
        names: the log, replayed to its end.
    """
    known: set[str] = set()
    numbers = count(1)
    for event in events:
        if event.id and event.id in known:
            continue  # a page repeats it
        known.add(event.id)
        change, team, project = CHANGES.get(event.type), event.team, event.project
        email = event.email
        if event.type in _OF_TEAMS_IN_PROJECTS:
            email, complete = "", team is not None and project is not None
        elif event.type == audit.TEAM_DELETED:
            email, complete, project = "", team is not None, None
        elif event.type == audit.CUSTOM_ROLE_DELETED:
            email, complete, team = "", project is not None and bool(event.role), None
        elif event.type in _MEMBERS_OF_TEAMS:
            complete, project = bool(email) and team is not None, None
        else:
            complete, team = bool(email), None
        if change is not None and complete:
            of = organization if team is None and project is None else None
            by_id = names.person_with(organization, event.user_id) if email else ""
            person = by_id or names.person(same_key(email), organization, event.at.replace(microsecond=0))
            access = Access(of, project, person, team)
            yield AuditFact(number=next(numbers), event=event, change=change, access=access, email=email)


class AuditFacts:
    """What the audit log of an organization says, and what of it the access log does not have.

    Args:
        facts: what the audit log says, the oldest first.
        lines: the access log.
        log: the same, replayed to its end.

    Attributes:
        new: the facts that the access log does not have.
        by_access: the facts about each access.
        numbers: the id of an event -> the number of its fact.
        stacks: the id of each event by which access was given, as the access log has it -> the stack.
    """

    def __init__(self, facts: Sequence[AuditFact], lines: Sequence[LogLine], log: Replay) -> None:
        self.by_access = grouped((fact.access, fact) for fact in facts)
        takers = [fact for fact in facts if fact.change is Change.TAKEN and fact.access.project is None]
        self._takers = grouped((fact.access.team or fact.access.person, fact) for fact in takers)
        self._without_event = grouped((log.access_of(line), line) for line in lines if not line.audit_id)
        self.numbers = {fact.event.id: fact.number for fact in facts if fact.event.id}
        self.stacks = {line.audit_id: line.stack for line in lines if line.audit_id and line.event in GIVES}
        ids = {line.audit_id for line in lines} - {""}
        cut = lines[-1].audit_id if lines else ""
        pruned = max((line.at for line in lines if line.event == LogEvent.PRUNED), default=LONG_AGO)
        # Who else had a custom role when it was deleted, a later update may know.
        new = (fact for fact in facts if fact.change is Change.ROLE_DELETED or fact.event.id not in ids)
        new = (fact for fact in new if fact.at >= pruned)
        # If the log was cut off, the last event may lack the end of other access.
        last = [fact for fact in facts if cut and fact.event.id == cut and fact.change is Change.TAKEN]
        self.new = [*last, *(fact for fact in new if not self._is_noted(fact))]

    def _is_noted(self, fact: AuditFact) -> bool:
        """Whether a line without an event is about a fact.

        A line of an earlier version, or one from a time when the audit log could not be read, has no event. It is the
        same fact if it says the same of the same access, not before the event, and nothing undid that in between. A
        line with an unknown admin is from an update that came before the event was in the audit log.
        """
        own, without = fact.access, self._without_event
        same = without.get(own, [])
        if not own.person and own.project is None:  # a deleted team
            same = [line for access, its in without.items() if access.team == own.team for line in its]
        takers = [*self._takers.get(own.person, ()), *(self._takers.get(own.team, ()) if own.team else ())]
        after = [one for one in self.by_access[own] if one.at > fact.at]
        after += [one for one in takers if one.at > fact.at and one.takes(own)]
        return any(_says(line, fact, after) for line in same)


def _says(line: LogLine, fact: AuditFact, after: Sequence[AuditFact]) -> bool:
    """Whether a line without an event says what a fact says."""
    if line.event not in _SAME[fact.change] or (line.admin == UNKNOWN and line.event != LogEvent.GRANTED):
        return False  # the event came late, and says who did it and when
    role, at = fact.event.role or "", line.at
    if fact.change in (Change.GIVEN, Change.CHANGED) and role and line.role and line.role != role:
        return False
    if line.date == written(fact.at):
        return True
    if fact.change is Change.ACCEPTED or at < fact.at - SKEW:
        return False
    return not any(one.at < at and _undoes(one, fact) for one in after)


def _undoes(later: AuditFact, fact: AuditFact) -> bool:
    if fact.change is Change.TAKEN or later.change is Change.TAKEN:
        return later.change is not fact.change and later.change is not Change.ACCEPTED
    return later.change is Change.CHANGED and later.event.role != fact.event.role
