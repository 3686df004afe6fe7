"""Who had what at an instant, and what changed in between, by a replay of the access log. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mixpanel_access.model.engagements import REASONS
from mixpanel_access.model.grouping import grouped
from mixpanel_access.operations.evidence.document import AccessKind, AccessRow, ChangeRow, Period
from mixpanel_access.operations.tracker.lines import (
    GIVES,
    OF_THE_LOG,
    SEEN,
    UNKNOWN,
    Access,
    LogEvent,
    LogLine,
    ordered,
)
from mixpanel_access.operations.tracker.replay import AccessChange, Interval, Replay


@dataclass(frozen=True)
class EvidenceScope:
    """What a document is about.

    Attributes:
        stacks: the stacks that were asked about.
        all_stacks: whether these are all of the project; if not, only their access counts.
        projects: the names of projects in Mixpanel by the rosters, by id.
        organizations: the organization of each stack, for a log of an earlier version, which names none.
        roles: the names of custom roles by the states, by project id and the role's id.
    """

    stacks: Collection[str]
    all_stacks: bool
    projects: Mapping[int, str] = field(default_factory=dict)
    organizations: Mapping[str, int] = field(default_factory=dict)
    roles: Mapping[tuple[int, str], str] = field(default_factory=dict)

    def shown_of(self, stacks: Collection[str]) -> list[str]:
        """Those of the stacks that have access to show; "" for access that no stack has."""
        shown = sorted(stack for stack in stacks if self.all_stacks or stack in self.stacks)
        return shown if shown or stacks or not self.all_stacks else [""]


class AccessHistory:
    """The history of all access in a log.

    Args:
        lines: the log.
        scope: what the document is about.

    Attributes:
        lines: the log, in the order of time.
        log: the same, replayed to its end.
    """

    def __init__(self, lines: Sequence[LogLine], scope: EvidenceScope) -> None:
        self.lines = ordered(lines)
        self._scope = scope
        self.log = Replay(self.lines, scope.organizations)
        self._changes = [(line, self.log.step(line)) for line in self.lines]
        self._intervals = grouped((one.access, one) for one in self.log.intervals)
        for its in self._intervals.values():
            its.sort(key=lambda one: (one.begins is not None, one.begins))
        self._by_access = grouped(
            ((self.log.access_of(line), line.at), line) for line in self.lines if line.event not in OF_THE_LOG
        )

    def at(self, at: datetime) -> list[AccessRow]:
        """Who had what at an instant: by person, organization, project and team."""
        found = [row for there in self.log.at(at).values() for row in self._rows(there)]
        return sorted(found, key=_order)

    def changes(self, period: Period) -> list[ChangeRow]:
        """Every change in a period, the oldest first."""
        inside = ((line, changes) for line, changes in self._changes if period.has(line.at))
        return [row for line, changes in inside for row in self._rows_of(line, changes)]

    def stacks(self) -> set[str]:
        """The stacks of the log, by their present names."""
        return {self.log.stack_of(line) for line in self.lines} - {""}

    # Access at an instant

    def _rows(self, there: Interval) -> Iterator[AccessRow]:
        since, role_since = self._since(there)
        for stack in self._scope.shown_of(there.stacks):
            yield AccessRow(
                person=there.email,
                organization=there.organization,
                role=_role_of(there),
                since=since,
                role_since=role_since,
                given_by=self._giver(there, role_since),
                **self._about(there.access, there, stack, there.stacks.get(stack)),
            )

    def _since(self, there: Interval) -> tuple[datetime | None, datetime | None]:
        """Since when an access was there without a break, and since when with the same role."""
        since = role_since = there.begins
        same = True
        its = self._intervals[there.access]
        at = next(number for number, one in enumerate(its) if one is there)
        for before in reversed(its[:at]):
            if since is None or before.ends != since:
                break
            since = before.begins
            same = same and before.role == there.role
            role_since = since if same else role_since
        return self._known(there, since), self._known(there, role_since)

    def _known(self, there: Interval, since: datetime | None) -> datetime | None:
        """The beginning of access or of its role; None if it was only seen then."""
        lines = self._by_access.get((there.access, since), ()) if since else ()
        return None if lines and all(line.event in SEEN for line in lines) else since

    def _giver(self, there: Interval, role_since: datetime | None) -> str:
        lines = self._by_access.get((there.access, role_since), ()) if role_since else ()
        admins = [line.admin for line in lines if line.event in (*GIVES, LogEvent.CHANGED)]
        return (admins[-1] if admins else "") or UNKNOWN

    # Changes

    def _rows_of(self, line: LogLine, changes: Sequence[AccessChange]) -> Iterator[ChangeRow]:
        """What a line changes."""
        stack, at = self.log.stack_of(line), line.at
        if line.event == LogEvent.RENAMED and (self._scope.all_stacks or line.stack in self._scope.stacks):
            yield self._named(line, AccessKind.STACK, f"before, the stack was {line.renamed_from}")
        if line.event == LogEvent.READDRESSED and (self._scope.all_stacks or self._had_access(line)):
            yield self._named(line, AccessKind.ADDRESS, f"before, the address was {line.email_before}")
        for number, change in enumerate(changes):
            before, after = change.before, change.after
            if line.event == LogEvent.FOUND and before and after and before.role == after.role:
                continue  # it was there
            if number and any(one.event == LogEvent.REVOKED for one in self._by_access.get((change.access, at), ())):
                continue  # it has a line of its own
            concerned = {stack} if stack or before is None else {"", *before.stacks}
            if self._scope.all_stacks or concerned & {*self._scope.stacks}:
                yield self._change(line, change, stack, with_person=number > 0)

    def _change(self, line: LogLine, change: AccessChange, stack: str, *, with_person: bool) -> ChangeRow:
        access, before, after = change
        there = after or before
        note = "it ended with the membership in the organization" if with_person else ""
        return ChangeRow(
            at=line.at,
            event=line.event,
            person=self.log.email_of(line) or (there.email if there else ""),
            organization=self.log.organization_of(line),
            role_before=_role_of(before) if before else None,
            role_after=_role_of(after) if after else None,
            by=line.admin or UNKNOWN,
            audit_id=line.audit_id,
            note=note or ("" if there else "it was gone already"),
            **self._about(access, there or line, stack, None if with_person else line),
        )

    def _had_access(self, line: LogLine) -> bool:
        """Whether the stacks that were asked about ever had access of the person of a line."""
        person = self.log.access_of(line).person
        its = (one.stacks for one in self.log.intervals if one.access.person == person)
        return any(stack in self._scope.stacks for stacks in its for stack in stacks)

    def _named(self, line: LogLine, kind: AccessKind, note: str) -> ChangeRow:
        return ChangeRow(
            at=line.at,
            event=line.event,
            person=line.email,
            kind=kind,
            organization=self.log.organization_of(line),
            by=line.admin or UNKNOWN,
            note=note,
            stack=line.stack,
        )

    def _about(self, access: Access, there: Interval | LogLine, stack: str, why: LogLine | None) -> dict[str, Any]:
        """What a row of access and a row of a change both say; a role has a name if it is a custom one."""
        project, name, role_name = access.project, None, None
        if project is not None:
            name, role_name = self._scope.projects.get(project), self._scope.roles.get((project, there.role))
        return {
            "kind": AccessKind.of(access),
            "project": project,
            "project_name": name,
            "role_name": role_name,
            "team": there.team,
            "stack": stack,
            **({name: getattr(why, name) for name in REASONS} if why else {}),
        }


def _role_of(there: Interval) -> str:
    """The role; "" for a membership in a team, which has none."""
    a_membership_in_a_team = AccessKind.of(there.access) is AccessKind.TEAM_MEMBERSHIP
    return there.role or ("" if a_membership_in_a_team else UNKNOWN)


def _order(row: AccessRow) -> tuple[str, int, int, str, str]:
    return row.person.casefold(), row.organization or 0, row.project or 0, row.team, row.stack
