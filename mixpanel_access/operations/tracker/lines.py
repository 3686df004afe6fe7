"""The lines of the access log: a stack's state as such lines, the replay of a log, and the removal of old lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from itertools import compress
from pathlib import Path
from typing import ClassVar, Final, NamedTuple

from mixpanel_access.files import whole
from mixpanel_access.files.lines import FileLine, read_lines, text_of_lines
from mixpanel_access.model.address import same_key
from mixpanel_access.model.audit import LOOK_BACK
from mixpanel_access.model.dates import instant
from mixpanel_access.model.engagements import REASONS
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.resources import MEMBER, PROJECT_GRANT, TEAM_GRANT, TEAM_MEMBER
from mixpanel_access.operations.project import Progress
from mixpanel_access.operations.state import State


class LogEvent(StrEnum):
    """What a line says happened."""

    GRANTED = "granted"
    CHANGED = "changed"
    REVOKED = "revoked"
    ACCEPTED = "accepted"
    PRUNED = "pruned"


class LogKey(NamedTuple):
    """Which access of which stack: a membership, a grant, or a team's role.

    Attributes:
        stack: the stack; "" for access given outside of the stacks.
        person: the key of the address; "" for a team's role.
        team: the team's id, or None.
    """

    stack: str
    project: int | None
    person: str
    team: int | None


@dataclass(frozen=True, kw_only=True)
class LogLine(FileLine):
    """One line of the log.

    Attributes:
        date: when (ISO 8601, UTC). For access that is there it comes from the state; for access that is gone, from the
            audit log or the clock.
        admin: who did it, by the engine's history or the audit log; "" if neither says so.
        event: `granted`, `changed`, `revoked`, `accepted` for an invitation, or `pruned` for the log itself.
        email: the person; "" for a team's role in a project.
        stack: the stack; "" for what was done outside of the stacks, as the audit log says.
        project: the project's id; None for the membership in the organization or in a team.
        role: the role from then on, or the role that was lost; "" for a membership in a team, and for one in the
            organization whose role is not managed.
        engagement: the engagement's key, or "".
        sow: the statement of work, or "".
        ticket: the ticket that asks for the access, or "".
        approver: who approved it, or "".
        justification: why the person needs the access, or "".
        starts: the first day, or "".
        ends: the last day, or "".
        team: the name of the team that the person is in, or that has the role; "" for none.
        team_id: Mixpanel's id of that team.
    """

    file_is: ClassVar[str] = "the access log"

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
    def label(self) -> str:
        """The person, the team or the log, for a line of output."""
        if self.event == LogEvent.PRUNED:
            return "the log"
        return self.email or f"team {self.team}"

    @property
    def what(self) -> str:
        """The access, for a line of output."""
        if self.event == LogEvent.PRUNED:
            return self.justification
        if self.project is not None:
            return f"{self.role} in project {self.project}".lstrip()
        if self.team_id is not None:
            return f"member of team {self.team}"
        return f"member with the organization role {self.role}" if self.role else "member"

    @property
    def key(self) -> LogKey:
        """What the line is about: lines with the same key tell the history of the same access."""
        return LogKey(self.stack, self.project, same_key(self.email), self.team_id)

    @property
    def content(self) -> tuple[str, ...]:
        """The role and the reasons; a line with other content is a change."""
        return self.role, self.team, *(getattr(self, name) for name in REASONS)


def lines_of(stack: str, state: State) -> Iterator[LogLine]:
    """The access in a state as lines: members, grants, team memberships and the teams' roles."""
    for kind in (MEMBER, PROJECT_GRANT, TEAM_MEMBER, TEAM_GRANT):
        for one in state.of(kind).values():
            if one.given_by_stack:
                yield LogLine(
                    date=one.modified,
                    admin="",
                    event=LogEvent.GRANTED.value,
                    email=one.email,
                    stack=stack,
                    project=one.project or None,
                    role=one.role,
                    team=state.team_name(one.team) if one.team else "",
                    team_id=one.team or None,
                    **{name: str(one.outputs.get(name) or "") for name in REASONS},
                )


def problems(lines: Sequence[LogLine], states: Mapping[str, State]) -> Iterator[str]:
    """What is wrong with a log, in words.

    The lines of stacks without a state here are not compared.
    """
    yield from _contradictions(lines)
    last = {line.key: line for line in lines if line.stack}
    for stack, state in states.items():
        given = {key: line for key, line in last.items() if key.stack == stack and line.event != LogEvent.REVOKED}
        yield from _differences(stack, state, given)


def _contradictions(lines: Sequence[LogLine]) -> Iterator[str]:
    """Lines that do not follow from the lines before them; a pruned log may begin with a change."""
    pruned = any(line.event == LogEvent.PRUNED for line in lines)
    given: dict[LogKey, bool] = {}
    for number, line in enumerate(lines, 1):
        if not line.stack:
            continue
        before = given.get(line.key, False)
        if before and line.event == LogEvent.GRANTED:
            yield f"line {number} grants {_access(line)}, which the log shows as granted already"
        elif not before and line.event != LogEvent.GRANTED and not (pruned and line.key not in given):
            what = "revokes" if line.event == LogEvent.REVOKED else "changes"
            yield f"line {number} {what} {_access(line)}, which no line before it grants"
        given[line.key] = line.event != LogEvent.REVOKED


def _differences(stack: str, state: State, given: Mapping[LogKey, LogLine]) -> Iterator[str]:
    held = {line.key: line for line in lines_of(stack, state)}
    # The log keeps a membership that an identity provider has taken over until the audit log shows its removal.
    taken_over = {LogKey(stack, None, person, team) for team, person in state.team_members}
    for key, line in given.items():
        if key not in held and key not in taken_over:
            yield f"the log shows {_access(line)}, and the stack's state does not"
    for key, line in held.items():
        if key not in given:
            yield f"the stack's state has {_access(line)}, and the log does not show it"
        elif given[key].content != line.content:
            yield f"the log shows {_access(given[key])}, and the stack's state has {line.what} or other reasons"


def _access(line: LogLine) -> str:
    return f"{line.label} as {line.what}, stack {line.stack}"


_TELLS: Final = (LogEvent.GRANTED, LogEvent.CHANGED, LogEvent.REVOKED)
"""The events that change who has access, unlike an accepted invitation."""


@dataclass(frozen=True)
class Pruned:
    """What `prune` removes from a log.

    Attributes:
        lines: the lines that are removed.
        people: the addresses that no longer appear in the log.
        kept: the lines that stay; the first says what was removed.
    """

    lines: Sequence[LogLine]
    people: Sequence[str]
    kept: Sequence[LogLine]


def prune(file: Path, before: date, now: datetime, progress: Progress, *, act: bool) -> Pruned:
    """Remove the lines before a day, except for access that continued on that day.

    From that day on, the log shows who had what, as before. It no longer shows access that had ended before, earlier
    roles of access that continued, and when invitations were accepted.

    Args:
        file: the log.
        before: the first day whose lines stay (UTC).
        now: the present instant.
        progress: shows a line if the last line was cut off.
        act: whether to write the log.

    Raises:
        UsageError: the day is too near, or the log cannot be read or written.
    """
    if before > (latest := (now - LOOK_BACK).date()):
        raise UsageError(
            "cannot prune the access log",
            subject=f"--before {before}",
            why=f"Mixpanel's audit log goes back {LOOK_BACK.days} days, and the next update would add it again",
            next_step=f"Give {latest} or an earlier day.",
        )
    content = whole.content_of(file, LogLine.file_is)
    lines = read_lines(file, LogLine, progress)
    old = [line for line in lines if instant(line.date).date() < before]
    last = {line.key: line for line in old if line.event in _TELLS}
    holds = [line is last.get(line.key) and line.event != LogEvent.REVOKED for line in old]
    stay = list(compress(old, holds))
    gone = [line for line, still in zip(old, holds, strict=True) if not still]
    left = [*stay, *(line for line in lines if instant(line.date).date() >= before)]
    if not gone:
        return Pruned([], [], lines)
    record = LogLine(
        date=f"{before}T00:00:00Z", admin="", event=LogEvent.PRUNED.value, email="", stack="", project=None, role="",
        justification=f"{len(gone)} lines from before this day were removed",
    )  # fmt: skip
    kept = [record, *left]
    people = sorted({line.email for line in gone} - {"", *(line.email for line in left)})
    if act:
        after = whole.encoded(text_of_lines(kept), file, LogLine.file_is)
        whole.write_all([whole.FileChange(file, content, after, LogLine.file_is)])
    return Pruned(gone, people, kept)
