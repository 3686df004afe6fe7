"""What the access report says: everybody with their projects and their risk, and what is to be done. Plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from mixpanel_access.model.access import GrantType, Invitation
from mixpanel_access.model.other_access import OtherAccess
from mixpanel_access.operations.drift import AccessDifference
from mixpanel_access.operations.report.risk import Risk, RiskLevel
from mixpanel_access.operations.status import StatusStep
from mixpanel_access.rules.rule import Level

QUARTER: Final = 90
"""Days up to which an ending belongs to the nearer ones."""


class EndsIn(StrEnum):
    """How soon access ends."""

    OVER = "over, and still there"
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
        name: the environment, or None for projects of which no roster and no state tells it.
        projects: by name.
    """

    name: str | None
    projects: Sequence[ReportProject]


@dataclass(frozen=True)
class RoleSource:
    """One source of a person's role in a project.

    Attributes:
        role: the role that it gives.
        grant_type: how.
        team: the team's name, for a grant through one.
        stack: the stack that has the grant, or None.
        why: what that stack's resource says of it.
    """

    role: str
    grant_type: GrantType
    team: str | None = None
    stack: str | None = None
    why: Mapping[str, str] = field(default_factory=dict)

    @property
    def through(self) -> str:
        """In words: `team Data`, `individual`."""
        return f"team {self.team}" if self.team else self.grant_type.value.replace("_", " ")


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
        stacks: the stacks that have them, in roster or state.
        organization_role: as Mixpanel has it, or None.
        invitation: how far they have come; None who is not in the organization.
        last_login: or None where none is known.
        ends: the last day of the declared access that lasts longest, or None without an end.
        outside: whether the address is none of the company's; None where nobody told which are.
        projects: what they have, by project id.
        risk: their points.
        steps: what there is to do.
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
    risk: Risk
    steps: Sequence[StatusStep]


@dataclass(frozen=True)
class AccessEnding:
    """Access that ends, or has ended and is still there.

    Attributes:
        on: the last day (UTC).
        days: from today until then; below zero for what is over.
        email: whose.
        stack: by which stack.
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
class OpenInvitation:
    """An invitation that is not accepted.

    Attributes:
        email: who was invited.
        state: pending or expired.
        stacks: the stacks that have them.
        invited_at: when the latest one went out, or None where nobody knows.
        hours: its age, or None.
        expires_at: when it ends, or None where nobody knows.
        steps: what there is to do about it.
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
        title: what must be so.
        level: what a violation does in that stack.
        severity: how bad it is.
        email: whom it concerns, or "".
        text: the finding, in words.
        fix: what to do about it.
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
    """The whole overview.

    Attributes:
        organization: its name, or its id in words.
        organization_id: its id.
        now: the instant for which it is.
        stacks: those that it is about.
        whole: whether these are all of the project's; else only their projects, and who reaches those, are here.
        environments: the projects, production first.
        people: everybody, the highest risk first.
        endings: the next first; what is over before them.
        invitations: those that are not accepted, the oldest first.
        differences: unmanaged, missing and changed access.
        findings: what the policy rules find, mandatory ones first.
        other_access: what no stack manages, and what of it is unknown.
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
        return len(self.held_up) + len(self.differences) + len(self.to_do)

    def at(self, level: RiskLevel) -> list[ReportPerson]:
        """The people of a risk level."""
        return [one for one in self.people if one.risk.level is level]

    def ending(self, *when: EndsIn) -> list[AccessEnding]:
        """The endings that are this soon."""
        return [one for one in self.endings if one.when in when]
