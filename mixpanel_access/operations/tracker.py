"""The access log: who got, changed or lost what, when, by whom and why; lines that are only ever added.

What the lines add up to is compared with the stacks' states, and the difference is what is added; `chain` keeps them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar

from mixpanel_access.model.address import same_key
from mixpanel_access.model.dates import instant, written
from mixpanel_access.model.metadata import REASONS
from mixpanel_access.operations.chain import Link, append, read, verify
from mixpanel_access.operations.project import Project
from mixpanel_access.operations.state import HeldGrant, HeldMember, State


class Event(StrEnum):
    """What happened."""

    GRANTED = "granted"
    CHANGED = "changed"
    REVOKED = "revoked"


@dataclass(frozen=True)
class Line(Link):
    """One line of the log.

    Attributes:
        date: when (ISO 8601, UTC): by the state for what is there, by the clock for what is gone.
        admin: who brought it about, as the engine's history has it; "" where that does not tell.
        event: `granted`, `changed` or `revoked`.
        email: whom it concerns.
        stack: the stack.
        project: the project's id; None for the membership of the organization.
        role: the role from then on, or the one that was lost; "" for a membership whose role is not managed.
        engagement: and the rest: why.
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

    @property
    def about(self) -> str:
        """Which line it is, for a message."""
        return f"{self.date}, {self.email}"

    @property
    def place(self) -> tuple[str, int | None, str]:
        """What it is about: stack, project and person."""
        return self.stack, self.project, same_key(self.email)

    @property
    def content(self) -> tuple[str, ...]:
        """What is held there, and why: another one is a change."""
        return self.role, *(getattr(self, name) for name in REASONS)


def update(project: Project, file: Path, now: datetime) -> list[Line]:
    """Add what has happened since the last time.

    Args:
        project: the Pulumi project; all its stacks are read.
        file: the log.
        now: when what is gone is found gone.

    Returns:
        The lines that were added.

    Raises:
        Refused: the log was touched; nothing was added.
        UsageError: it cannot be read or written.
    """
    lines = read(file, Line)
    verify(lines, file)
    last: dict[tuple[str, int | None, str], Line] = {line.place: line for line in lines}
    new: list[Line] = []
    for stack in sorted(project.stacks):
        state = project.state(stack, project.settings(stack).organization_id)
        history = project.history(stack)
        here = dict(_held(stack, state, history))
        new += _added(here, last)
        new += [
            replace(old, date=written(now), event=Event.REVOKED.value, admin=_by(history, now))
            for place, old in last.items()
            if place[0] == stack and place not in here and old.event != Event.REVOKED
        ]
    return append(file, sorted(new, key=lambda line: (line.date, line.email, line.project or 0)), lines)


def _held(
    stack: str, state: State, history: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[tuple[str, int | None, str], Line]]:
    held: list[tuple[int | None, HeldMember | HeldGrant]] = [(None, member) for member in state.members.values()]
    held += [(grant.project, grant) for grant in state.grants.values()]
    for project, one in held:
        why = {name: str(one.outputs.get(name) or "") for name in REASONS}
        line = Line(one.modified, "", Event.GRANTED.value, one.email, stack, project, one.role or "", **why)
        at = instant(one.modified) if one.modified else None
        yield line.place, replace(line, admin=_by(history, at) if at else "")


def _added(here: Mapping[Any, Line], last: Mapping[Any, Line]) -> Iterator[Line]:
    for place, line in here.items():
        old = last.get(place)
        if old is None or old.event == Event.REVOKED:
            yield line
        elif old.content != line.content:
            yield replace(line, event=Event.CHANGED.value)


def _by(history: Sequence[Mapping[str, Any]], at: datetime) -> str:
    """Who ran the update in which something happened, or the last one before: the author of the commit, by Git."""
    for run in history:  # the newest is the first
        if instant(str(run["startTime"])) <= at:
            environment = run.get("environment") or {}
            return str(environment.get("git.author.email") or environment.get("git.committer.email") or "")
    return ""
