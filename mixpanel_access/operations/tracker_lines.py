"""The lines of the access log."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from mixpanel_access.model.address import same_key
from mixpanel_access.model.metadata import REASONS
from mixpanel_access.operations.chain import Link


class LogEvent(StrEnum):
    """What happened."""

    GRANTED = "granted"
    CHANGED = "changed"
    REVOKED = "revoked"
    ACCEPTED = "accepted"
    PRUNED = "pruned"


@dataclass(frozen=True)
class LogLine(Link):
    """One line of the log.

    Attributes:
        date: when (ISO 8601, UTC): by the state for what is there, by the audit log or the clock for what is gone.
        admin: who brought it about, as the engine's history or the audit log has it; "" where neither tells.
        event: `granted`, `changed`, `revoked`, `accepted` of an invitation, or `pruned` of the log itself.
        email: whom it concerns; "" for a team's role in a project.
        stack: the stack; "" for what was done by other means, as the audit log has it.
        project: the project's id; None for the membership of the organization, and for a place in a team.
        role: the role from then on, or the one that was lost; "" for a place in a team, and for a membership whose role
            is not managed.
        engagement: and the rest: why.
        team: the name of the team in which the person has the place, or which has the role; "" for none.
        team_id: Mixpanel's id of it.
    """

    file_is: ClassVar[str] = "the access log"
    later: ClassVar[tuple[str, ...]] = ("team", "team_id")

    date: str
    admin: str
    event: str
    email: str
    stack: str
    project: int | None
    role: str
    engagement: str = ""
    sow: str = ""
    ticket: str = ""
    approver: str = ""
    justification: str = ""
    starts: str = ""
    ends: str = ""
    team: str = ""
    team_id: int | None = None

    @property
    def about(self) -> str:
        """Which line it is, for a message."""
        return f"{self.date}, {self.whom}"

    @property
    def whom(self) -> str:
        """Whom it concerns, in words."""
        if self.event == LogEvent.PRUNED:
            return "the log"
        return self.email or f"team {self.team}"

    @property
    def what(self) -> str:
        """What it is about, in words."""
        if self.event == LogEvent.PRUNED:
            return self.justification
        if self.project is not None:
            return f"{self.role} in project {self.project}".lstrip()
        return f"member of team {self.team}" if self.team_id is not None else f"member {self.role}".rstrip()

    @property
    def place(self) -> tuple[str, int | None, str, int | None]:
        """Where it is: stack, project, person and team."""
        return self.stack, self.project, same_key(self.email), self.team_id

    @property
    def content(self) -> tuple[str, ...]:
        """What is held there, and why: another one is a change."""
        return self.role, self.team, *(getattr(self, name) for name in REASONS)
