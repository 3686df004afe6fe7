"""The lines of the access log, and a stack's state as such lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any, ClassVar, Final, NamedTuple

from mixpanel_access.files.lines import FileLine
from mixpanel_access.model.access import Invitation
from mixpanel_access.model.address import same_key
from mixpanel_access.model.dates import instant
from mixpanel_access.model.engagements import REASONS
from mixpanel_access.model.ownership import Origin
from mixpanel_access.model.resources import MEMBER, PROJECT_GRANT, TEAM_GRANT, TEAM_MEMBER
from mixpanel_access.operations.state import State


class LogEvent(StrEnum):
    """What a line says happened."""

    GRANTED = "granted"
    CHANGED = "changed"
    REVOKED = "revoked"
    ACCEPTED = "accepted"
    IMPORTED = "imported"
    RELEASED = "released"
    RESTORED = "restored"
    RENAMED = "renamed"
    PRUNED = "pruned"
    FOUND = "found"
    READDRESSED = "readdressed"


UNKNOWN: Final = "unknown"
"""The admin of a line if nobody can know who did it."""
GIVES: Final = (LogEvent.GRANTED, LogEvent.IMPORTED, LogEvent.RESTORED)
"""The events after which a stack has the access."""
ENDS: Final = (LogEvent.REVOKED, LogEvent.RELEASED)
"""The events after which a stack no longer has the access."""
SEEN: Final = (LogEvent.FOUND, LogEvent.IMPORTED)
"""The events that do not say when the access began."""
NAMING: Final = (LogEvent.RENAMED, LogEvent.READDRESSED)
"""The events that give a stack or a person another name, and change no access."""
OF_THE_LOG: Final = (*NAMING, LogEvent.PRUNED)
"""The events that change no access."""
_ACTIVATED: Final = (Origin.INVITED, Invitation.ACCEPTED)
"""The origin and the status of somebody whom a stack found deactivated, and who is active now."""


class Access(NamedTuple):
    """One access, whichever stack has it: a membership, a grant, or a team's role.

    Attributes:
        organization: the organization of a membership; None if the line does not say, and for all other access.
        project: the project's id; None for a membership in the organization or in a team.
        person: the key of the address; "" for a team's role.
        team: the team's id, or None.
    """

    organization: int | None
    project: int | None
    person: str
    team: int | None


class LogKey(NamedTuple):
    """Which access of which stack; "" for access that no stack has."""

    stack: str
    access: Access


@dataclass(frozen=True, kw_only=True)
class LogLine(FileLine):
    """One line of the log.

    Attributes:
        date: when (ISO 8601, UTC), by Mixpanel's audit log; else by the state, the engine's history or the clock.
        admin: who did it: the author of the commit for a run of a stack, else the actor in the audit log; `unknown` if
            neither says so. Lines of earlier versions have "" instead.
        event: `granted`, `changed` (the role or the reasons), `revoked`, `accepted` (the invitation), `imported` (a
            stack took over access that was there before), `released` (a stack let go of access that stays), `restored`
            (given again after somebody took it away by hand, or a role put back), `found` (access that no stack has and
            no event explains: it was there before, and nobody knows since when), `readdressed` (the person has another
            address in Mixpanel), `renamed` (the stack), or `pruned` (the log).
        email: the person, by the address that they had then; "" for a team's role in a project.
        stack: the stack that has or had the access; "" for access that no stack has.
        project: the project's id; None for the membership in the organization or in a team.
        role: the role from then on, or the role that was lost; "" for a membership in a team, and if it is not known.
        engagement: the engagement's key, or "".
        sow: the statement of work, or "".
        ticket: the ticket that asks for the access, or "".
        approver: who approved it, or "".
        justification: why the person needs the access, or "".
        starts: the first day, or "".
        ends: the last day, or "".
        team: the name of the team that the person is in, or that has the role; "" for none.
        team_id: Mixpanel's id of that team.
        organization: the organization's id; None in lines of earlier versions. In a line of a pruned log, one of which
            a removed line said who else has access.
        audit_id: the id of the event in Mixpanel's audit log; "" for what that log does not say.
        renamed_from: the earlier name of a renamed stack, or "".
        role_before: the role until then, where Mixpanel's audit log names it for a change; else "".
        email_before: the earlier address of a person who has another one now, or "".
        user_id: Mixpanel's id of the person, in a line about the membership in the organization; None if it is not
            known.
    """

    file_is: ClassVar[str] = "the access log"
    merged_by: ClassVar[str] = "mixpanel-access tracker merge"

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
    organization: int | None = None
    audit_id: str = ""
    renamed_from: str = ""
    role_before: str = ""
    email_before: str = ""
    user_id: int | None = None

    def __post_init__(self) -> None:
        LogEvent(self.event)  # the replay cannot count a word of a later version

    @cached_property
    def at(self) -> datetime:
        """The date as an instant."""
        return instant(self.date)

    @property
    def label(self) -> str:
        """The person, the team, the stack or the log, for a line of output."""
        if self.event == LogEvent.PRUNED:
            return "the log"
        if self.event == LogEvent.RENAMED:
            return f"stack {self.stack}"
        return self.email or f"team {self.team}"

    @property
    def what(self) -> str:
        """The access, for a line of output."""
        if self.event == LogEvent.PRUNED:
            return self.justification
        if self.event == LogEvent.RENAMED:
            return f"before: {self.renamed_from}"
        if self.event == LogEvent.READDRESSED:
            return f"before: {self.email_before}"
        if self.project is not None:
            return f"{self.role} in project {self.project}".lstrip()
        if self.team_id is not None:
            return f"member of team {self.team}"
        return f"organization role {self.role}" if self.role else "member"

    @cached_property
    def access(self) -> Access:
        """What the line is about: lines with the same access tell its history, whichever stack has it."""
        a_membership = self.project is None and self.team_id is None
        return Access(self.organization if a_membership else None, self.project, same_key(self.email), self.team_id)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the stack gives the access, and until when."""
        return tuple(getattr(self, name) for name in REASONS)


def ordered(lines: Iterable[LogLine]) -> list[LogLine]:
    """The lines in the order in which they count."""
    return sorted(lines, key=lambda line: line.at)


@dataclass(frozen=True, kw_only=True)
class StateLine:
    """Access that a stack has by its state.

    Attributes:
        line: the access, its role and its reasons, with the date on which the stack got it. Of a grant in a group, the
            state says only in which span that was; the date is its end.
        earliest: the earliest date on which the stack can have got it, or "".
        modified: when the engine last changed it in the state, or "".
        adopted: whether the stack found it in the organization; None if the state does not say.
        activated: whether the person was deactivated when the stack found them, and active when the state changed last.
        dated: whether the date is certain.
    """

    line: LogLine
    earliest: str
    modified: str
    adopted: bool | None
    activated: bool = False
    dated: bool = True


def state_lines(stack: str, state: State, organization: int | None = None) -> Iterator[StateLine]:
    """The access in a state: members, grants, team memberships and the teams' roles."""
    for kind in (MEMBER, PROJECT_GRANT, TEAM_MEMBER, TEAM_GRANT):
        for one in state.of(kind).values():
            if one.given_by_stack:
                adopted, start = one.outputs.get("adopted"), one.begun or one.created or one.modified
                dated = bool(one.begun) or not one.in_group
                user_id = one.outputs.get("user_id") if kind is MEMBER else None
                why: dict[str, Any] = {name: str(one.outputs.get(name) or "") for name in REASONS}
                line = LogLine(
                    date=start if dated else one.modified,
                    admin=UNKNOWN,
                    event=LogEvent.GRANTED.value,
                    email=one.email,
                    stack=stack,
                    project=one.project or None,
                    role=one.role,
                    team=state.team_name(one.team) if one.team else "",
                    team_id=one.team or None,
                    organization=organization,
                    user_id=user_id if isinstance(user_id, int) else None,
                    **why,
                )
                known = adopted if kind is MEMBER and isinstance(adopted, bool) else None
                yield StateLine(
                    line=line,
                    earliest=start,
                    modified=one.modified or one.created,
                    adopted=known,
                    activated=bool(known) and (one.outputs.get("origin"), one.outputs.get("status")) == _ACTIVATED,
                    dated=dated,
                )
