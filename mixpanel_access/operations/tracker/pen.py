"""The pen of the access log: it adds the new lines about one organization, each with the reasons of its stack."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from mixpanel_access.model.address import same_key
from mixpanel_access.model.dates import instant, written
from mixpanel_access.operations.tracker.audit_facts import AuditFact, Change
from mixpanel_access.operations.tracker.lines import Access, LogEvent, LogLine
from mixpanel_access.operations.tracker.reading import OrganizationReading, StackReading
from mixpanel_access.operations.tracker.replay import Replay
from mixpanel_access.operations.tracker.runs import during


class Said(NamedTuple):
    """What a new line says, but for the access and the stack."""

    event: LogEvent
    at: datetime
    admin: str
    role: str
    audit_id: str = ""


class Pen:
    """Adds lines to a log.

    Args:
        log: the log, replayed until now.
        reading: what Mixpanel says of the organization.
        stacks: the stacks in it.
        givers: the number of a new fact -> the stack whose state has what it gave.

    Attributes:
        new: the lines that were added.
    """

    def __init__(
        self, log: Replay, reading: OrganizationReading, stacks: Mapping[str, StackReading], givers: Mapping[int, str]
    ) -> None:
        self.log, self.reading, self.stacks, self._givers = log, reading, stacks, givers
        self.new: list[LogLine] = []

    def stack_of(self, fact: AuditFact | None) -> str:
        """The stack whose state has what a new event gave, or ""."""
        return self._givers.get(fact.number, "") if fact else ""

    def add_for(self, stacks: Collection[str], said: Said, access: Access, fact: AuditFact | None = None) -> None:
        """Add a line for each of some stacks; where there are none, one without a stack."""
        for name in sorted(stacks) or [""]:
            self.add(said, access, name, fact)

    def add(
        self, said: Said, access: Access, stack: str, fact: AuditFact | None = None, reasons: LogLine | None = None
    ) -> None:
        """Add a line about access of a stack, for an event or for none; `reasons`: the line that has its reasons."""
        base = reasons or self._base(access, stack, said.at, fact)
        email = fact.email if fact and same_key(fact.email) != base.access.person else base.email
        at = instant(written(said.at))
        if email and self.log.person(same_key(email), self.reading.id, at) != access.person:
            email = self.log.address_at(access.person, self.reading.id, at)
        line = replace(
            base,
            date=written(at),
            admin=said.admin,
            event=said.event.value,
            email=email,
            stack=stack,
            role=said.role,
            organization=self.reading.id,
            user_id=self.reading.user_id(access),
            audit_id=said.audit_id,
            role_before=(fact.event.previous_role or "") if fact and fact.change is Change.CHANGED else "",
        )
        self.step(line)

    def explain(self, stack: str, access: Access, at: datetime) -> None:
        """Add a line about the reasons for which a stack gives access by its state, or a role that nobody knew."""
        one, there = self.stacks[stack].held[access], self.log.held[access]
        run = during(self.stacks[stack].runs, instant(one.modified) if one.modified else at)
        said = Said(LogEvent.CHANGED, at, self.stacks[stack].author_of(run), there.role or one.line.role)
        self.add(said, access, stack, reasons=one.line)

    def step(self, line: LogLine) -> None:
        """Add a line as it is."""
        self.log.step(line)
        self.new.append(line)

    def _base(self, access: Access, stack: str, at: datetime, fact: AuditFact | None) -> LogLine:
        """The person or the team of a new line; for access of a stack, with the stack's reasons at that time."""
        there = self.log.held.get(access)
        if there and stack in there.stacks:
            return replace(there.stacks[stack], email=there.email, renamed_from="")
        one = self.stacks[stack].held.get(access) if stack in self.stacks else None
        if one and (stack == self.stack_of(fact) or not one.line.date or one.line.at <= at):
            return one.line
        event, last = fact.event if fact else None, self.log.last.get(access)
        names = (event.team_name if event else "", there.team if there else "", last.team if last else "")
        return LogLine(
            date="", admin="", event=LogEvent.GRANTED.value, stack=stack, role="",
            email=fact.email if fact else there.email if there else self.log.email_of(last) if last else "",
            project=access.project,
            team=next(filter(None, names), self.reading.presence.team_name(access.team)),
            team_id=access.team,
        )  # fmt: skip
