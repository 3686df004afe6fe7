"""What the access report says: everybody with their projects and their risk, and what to do. Plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from mixpanel_access.model.access import GrantType, Invitation, OtherAccess
from mixpanel_access.operations.drift import AccessDifference
from mixpanel_access.operations.next_steps import StatusStep
from mixpanel_access.operations.pending.change import PendingEvent
from mixpanel_access.operations.report.risk import Risk, RiskLevel
from mixpanel_access.rules.rule import Level

QUARTER: Final = 90
"""Days up to which an ending belongs to the nearer ones."""


class EndsIn(StrEnum):
    """How soon access ends."""

    OVER = "ended, and still there"
    SOON = "soon, by the rule ending-soon"
    QUARTER = f"in the next {QUARTER} days"
    LATER = "later"


@dataclass(frozen=True)
class ReportProject:
    """A column of the matrix.

    Attributes:
        id: the project's id.
        name: its name in Mixpanel.
        key: its short key in a roster, or None.
        stack: the stack of that roster, or None.
    """

    id: int
    name: str
    key: str | None
    stack: str | None


@dataclass(frozen=True)
class ReportEnvironment:
    """Columns that belong together.

    Attributes:
        name: the environment, or None for projects of no roster and no state.
        projects: its projects, by name.
    """

    name: str | None
    projects: Sequence[ReportProject]


@dataclass(frozen=True)
class RoleSource:
    """One source of a person's role in a project.

    Attributes:
        role: the role that it gives.
        grant_type: the type of the grant.
        team: the team's name, for a grant through one.
        stack: the stack that has the grant, or None.
        why: the reason, from that stack's resource.
    """

    role: str
    grant_type: GrantType
    team: str | None = None
    stack: str | None = None
    why: Mapping[str, str] = field(default_factory=dict)

    @property
    def through(self) -> str:
        """In words: `team Data`, `individual`."""
        return f"team {self.team}" if self.team else self.grant_type.replace("_", " ")


@dataclass(frozen=True)
class Cell:
    """What one person has in one project.

    Attributes:
        role: the highest role.
        sources: the grants that give access.
    """

    role: str
    sources: Sequence[RoleSource]


@dataclass(frozen=True)
class ReportPerson:
    """One person.

    Attributes:
        email: the address.
        name: the name, or None.
        stacks: the stacks that have the person, in the roster or the state.
        organization_role: the organization role in Mixpanel, or None.
        invitation: the state of the invitation; None if the person is not in the organization.
        last_login: the last login, or None if it is unknown.
        ends: the last day of the declared access that lasts longest, or None without an end.
        outside: whether the address is outside the company's domains; None if no configuration names these.
        projects: project id -> access.
        hidden: the ids of projects where Mixpanel would not list the person's access: nobody knows if there is any.
        risk: the risk.
        steps: what to know, and what to do next.
    """

    email: str
    name: str | None
    stacks: Sequence[str]
    organization_role: str | None
    invitation: Invitation | None
    last_login: datetime | None
    ends: date | None
    outside: bool | None
    projects: Mapping[int, Cell]
    hidden: Sequence[int]
    risk: Risk
    steps: Sequence[StatusStep]


@dataclass(frozen=True)
class AccessEnding:
    """Access that ends, or has ended and is still there.

    Attributes:
        on: the last day (UTC).
        days: days from today until then; negative for access that has ended.
        email: the address of the person.
        stack: the stack that gives the access.
        engagement: the engagement, or None.
        what: the roles, in words.
        soon: whether it ends within the days of the stack's rule `ending-soon`.
    """

    on: date
    days: int
    email: str
    stack: str
    engagement: str | None
    what: Sequence[str]
    soon: bool = False

    @property
    def when(self) -> EndsIn:
        """How soon it ends."""
        if self.days < 0:
            return EndsIn.OVER
        if self.soon:
            return EndsIn.SOON
        return EndsIn.QUARTER if self.days <= QUARTER else EndsIn.LATER


@dataclass(frozen=True)
class UndoneChange:
    """What the next `revoke` or `pulumi up` of a stack does, because the last ones have left it undone.

    Attributes:
        stack: the stack.
        event: what has happened: access has ended, is no longer in the roster, or is not given yet.
        email: the address of the person; "" for a team as a whole or a service account.
        text: what it is, in words.
        next_step: what to do about it.
    """

    stack: str
    event: PendingEvent
    email: str
    text: str
    next_step: str


@dataclass(frozen=True)
class OpenInvitation:
    """An invitation that is not accepted.

    Attributes:
        email: the address of the invited person.
        state: the state of the invitation.
        stacks: the stacks that have the person.
        invited_at: when the latest invitation was sent, or None if it is unknown.
        hours: its age in hours, or None.
        expires_at: when it expires, or None if it is unknown.
        steps: what to do about it.
    """

    email: str
    state: Invitation
    stacks: Sequence[str]
    invited_at: datetime | None
    hours: int | None
    expires_at: datetime | None
    steps: Sequence[StatusStep]


@dataclass(frozen=True)
class PolicyFinding:
    """What a policy rule finds in a stack's state.

    Attributes:
        stack: the stack.
        rule: the rule's id.
        title: what the rule requires.
        level: what a violation does in that stack.
        severity: how severe the violation is.
        email: the address of the person, or "".
        text: the finding, in words.
        fix: how to fix it.
    """

    stack: str
    rule: str
    title: str
    level: Level
    severity: str
    email: str
    text: str
    fix: str


@dataclass(frozen=True)
class Report:
    """Everything that the report shows, on the page and as JSON.

    Attributes:
        organization: its name, or its id in words.
        organization_id: its id.
        now: the instant that the report shows.
        stacks: the stacks in the report.
        whole: whether these are all stacks of the project. If not, the report has only their projects, and the people
            who reach those.
        environments: the projects, production first.
        people: everybody, the highest risk first.
        endings: when access ends, the next end first; access that has ended comes before it.
        invitations: the invitations that are not accepted, the oldest first.
        differences: unmanaged, missing and changed access.
        findings: what the policy rules find, mandatory ones first.
        other_access: access that no stack manages, and what could not be read of it.
        unknown: whose access in the matrix nobody knows, and why, in words.
        undone: what is still in a state after its end or without an entry, and what a roster gives and no state has.
    """

    organization: str
    organization_id: int
    now: datetime
    stacks: Sequence[str]
    whole: bool
    environments: Sequence[ReportEnvironment]
    people: Sequence[ReportPerson]
    endings: Sequence[AccessEnding]
    invitations: Sequence[OpenInvitation]
    differences: Sequence[AccessDifference]
    findings: Sequence[PolicyFinding]
    other_access: Sequence[OtherAccess] = ()
    unknown: Sequence[str] = ()
    undone: Sequence[UndoneChange] = ()

    @property
    def held_up(self) -> list[PolicyFinding]:
        """The findings of mandatory rules."""
        return [one for one in self.findings if one.level is Level.MANDATORY]

    @property
    def to_do(self) -> list[ReportPerson]:
        """The people who need somebody to act."""
        return [one for one in self.people if one.steps]

    @property
    def problems(self) -> int:
        """How many findings somebody must act on; advice does not count."""
        of_nobody = [one for one in self.undone if not one.email]  # the others are among what people have to do
        return len(self.held_up) + len(self.differences) + len(self.to_do) + len(of_nobody)

    def at(self, level: RiskLevel) -> list[ReportPerson]:
        """The people of a risk level."""
        return [one for one in self.people if one.risk.level is level]

    def ending(self, *when: EndsIn) -> list[AccessEnding]:
        """The endings that are this soon."""
        return [one for one in self.endings if one.when in when]
