"""What the evidence of a period says. Plain values, the same for JSON and for tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from mixpanel_access.operations.tracker.lines import Access

INSTANT: Final = timedelta(microseconds=1)
"""What lies between two instants."""


@dataclass(frozen=True)
class Period:
    """A period of days in UTC.

    Attributes:
        first: its first day.
        last: its last day.
        now: the present instant; a period whose last day is today ends now.
        by_clock: whether the clock says so, and not an option or a setting.
    """

    first: date
    last: date
    now: datetime
    by_clock: bool = True

    @property
    def before(self) -> datetime:
        """The last instant before it."""
        return datetime.combine(self.first, time(), UTC) - INSTANT

    @property
    def end(self) -> datetime:
        """The last instant that belongs to it."""
        return self.now if self.is_open else datetime.combine(self.last, time(), UTC) + timedelta(days=1) - INSTANT

    @property
    def is_open(self) -> bool:
        """Whether its last day is today."""
        return self.last == self.now.date()

    def has(self, at: datetime) -> bool:
        """Whether an instant is in it."""
        return self.before < at <= self.end


class AccessKind(StrEnum):
    """What somebody has, by the kind of the access."""

    ORGANIZATION_ROLE = "organization role"
    PROJECT_ROLE = "project role"
    TEAM_MEMBERSHIP = "team membership"
    TEAM_ROLE = "team's role in a project"
    STACK = "stack"
    ADDRESS = "address"

    @classmethod
    def of(cls, access: Access) -> AccessKind:
        """The kind of an access of the log."""
        if access.team is not None:
            return cls.TEAM_MEMBERSHIP if access.project is None else cls.TEAM_ROLE
        return cls.ORGANIZATION_ROLE if access.project is None else cls.PROJECT_ROLE


@dataclass(frozen=True, kw_only=True)
class EvidenceOrganization:
    """An organization of the stacks.

    Attributes:
        id: its id in Mixpanel.
        name: its name by a roster, or None.
    """

    id: int
    name: str | None


@dataclass(frozen=True, kw_only=True)
class EvidenceSource:
    """What the document was made from. Git and Pulumi can show each commit and version; nothing here is signed.

    Attributes:
        kind: `access log`, `roster`, `policy configuration`, `review` or `state`.
        stack: the stack, or "".
        path: the file or folder, relative to the project; "" for a state.
        lines: how many lines the access log or the evidence of a review has; None for anything else.
        commit: the git commit that last changed it; for a state, the commit of its newest update. "" if not known.
        dated: when that commit was made; for a state, when its newest update ended. None if not known.
        changed: whether it has changes that are not committed; None if git does not know it, and for a state.
        version: the number that the engine gave the newest update of a state, or None.
        note: what else must be known about it, in words, or "".
    """

    kind: str
    stack: str = ""
    path: str = ""
    lines: int | None = None
    commit: str = ""
    dated: datetime | None = None
    changed: bool | None = None
    version: int | None = None
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class AboutAccess:
    """What a row of access and a row of a change both say.

    Attributes:
        person: the address; "" for a team's role, and for a renamed stack.
        kind: what it is about.
        organization: the organization's id, or None if the log does not say.
        project: the project's id; None for a role in the organization and for a membership in a team.
        project_name: its name in a roster, else its key there, or None.
        team: the team's name, or "".
        stack: the stack; "" for access outside of the stacks.
        role_name: the name of the role, or of the one before, if it is a custom role that the states have; else None.
        engagement: the engagement's key, or "".
        sow: the statement of work, or "".
        ticket: the ticket that asks for it, or "".
        approver: who approved it, or "".
        justification: why the person needs it, or "".
        starts: the first day by the roster, or "".
        ends: the last day by the roster, or "".
    """

    person: str
    kind: AccessKind
    organization: int | None
    project: int | None = None
    project_name: str | None = None
    team: str = ""
    stack: str
    role_name: str | None = None
    engagement: str = ""
    sow: str = ""
    ticket: str = ""
    approver: str = ""
    justification: str = ""
    starts: str = ""
    ends: str = ""


@dataclass(frozen=True, kw_only=True)
class AccessRow(AboutAccess):
    """One access that somebody had, for one stack that had it.

    Attributes:
        role: the role, or the id of a custom role; `unknown` if the log does not say; "" for a membership in a team.
        since: since when the access was there without a break; None if it was there before the log began, or was only
            found, so that nobody knows since when.
        role_since: since when it was there with this role; None as for `since`.
        given_by: who gave it with this role; `unknown` if the log does not say.
    """

    role: str
    since: datetime | None
    role_since: datetime | None
    given_by: str


@dataclass(frozen=True, kw_only=True)
class ChangeRow(AboutAccess):
    """One change of access.

    Attributes:
        at: when.
        event: what happened, in the words of the access log: `granted`, `changed`, `revoked`, ...
        role_before: the role before, in the words of `role` in a row of access; None if the access was not there.
        role_after: the role afterwards; None if the access is gone. Access stays if another stack has it too.
        by: who did it; `unknown` if the log does not say.
        audit_id: the id of the event in Mixpanel's audit log, or "".
        note: what else happened, in words, or "".
    """

    at: datetime
    event: str
    role_before: str | None = None
    role_after: str | None = None
    by: str
    audit_id: str = ""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class ReviewRow:
    """A decision of an access review that was applied in the period, or an item without one at its end.

    Attributes:
        review: the review's name.
        status: `applied`; `doubtful` if the decision contradicts that of another branch, or does not follow from the
            lines before it; or `undecided` at the end of the period.
        stack: the stack.
        person: the address.
        project: the project's key; "" for the organization role.
        role: the role that was reviewed.
        engagement: the entry's engagement, or "".
        starts: the entry's first day, or "".
        listed: when the item was first listed with these facts, or None if the evidence does not say.
        reviewer: who decided, or who was asked; "" if nobody was named.
        decision: `keep`, `lower` or `remove`; "" for an undecided item.
        new_role: the role that it was lowered to, or "".
        comment: the reviewer's comment, or "".
        decided: the day of the decision, or "".
        applied: when the decision was written into the roster, or None.
    """

    review: str
    status: str
    stack: str
    person: str
    project: str
    role: str
    engagement: str
    starts: str
    listed: datetime | None
    reviewer: str
    decision: str = ""
    new_role: str = ""
    comment: str = ""
    decided: str = ""
    applied: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class ExceptionRow:
    """An exception from a policy rule on days of the period.

    Attributes:
        source: `roster`, which declares it.
        stack: the stack.
        path: the file, relative to the project.
        commit: the git commit whose file was read; "" for the present file.
        rule: the rule's id.
        person: the address; "" for the stack as a whole.
        project: the key of the project, or "".
        reason: the reason, or "".
        ticket: the ticket that asked for it, or "".
        approver: who approved it; "" if nobody is named.
        starts: the first day, or "".
        ends: the last day, or "".
        note: why it does not count; "" for an exception that counts.
    """

    source: str
    stack: str
    path: str
    commit: str
    rule: str
    person: str = ""
    project: str = ""
    reason: str = ""
    ticket: str = ""
    approver: str = ""
    starts: str = ""
    ends: str = ""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class WeakenedRuleRow:
    """A policy rule whose level a configuration lowers, for a stack as a whole.

    Attributes:
        stack: the stack.
        path: the configuration, relative to the project.
        commit: the git commit whose file was read; "" for the present file.
        rule: the rule's id.
        level: its level by the configuration.
        usual_level: the level that it has without one.
    """

    stack: str
    path: str
    commit: str
    rule: str
    level: str
    usual_level: str


@dataclass(frozen=True, kw_only=True)
class EvidenceDocument:
    """The document.

    Attributes:
        organizations: the organizations of the stacks.
        stacks: the stacks that were asked about.
        all_stacks: whether these are all stacks of the project. If not, access outside of the stacks is left out.
        from_: the first day of the period (UTC).
        to: its last day (UTC).
        made: when the document was made.
        version: the version of this program.
        sources: what it was made from.
        access_at_start: who had what before the first change of the period.
        access_at_end: who had what at the end of the period, or now if its last day is today.
        changes: every change in the period, the oldest first.
        reviews: the decisions of access reviews in the period, and what was undecided at its end.
        exceptions: the exceptions from policy rules on days of the period.
        weakened_rules: the policy rules whose level the configurations of the stacks lower.
        differences: where the states differ from the access at the end; None if the period does not end today.
        unknown: what could not be known, each in a sentence.
    """

    organizations: Sequence[EvidenceOrganization]
    stacks: Sequence[str]
    all_stacks: bool
    from_: date
    to: date
    made: datetime
    version: str
    sources: Sequence[EvidenceSource]
    access_at_start: Sequence[AccessRow]
    access_at_end: Sequence[AccessRow]
    changes: Sequence[ChangeRow]
    reviews: Sequence[ReviewRow]
    exceptions: Sequence[ExceptionRow]
    weakened_rules: Sequence[WeakenedRuleRow]
    differences: Sequence[str] | None
    unknown: Sequence[str]
