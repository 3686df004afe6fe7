"""The access log: who got, changed or lost what, when, by whom and why; lines that are only ever added.

Each line holds the hash of the line before it: a line that was changed, taken out of the middle or put in shows. What
the lines add up to is compared with the stacks' states, and the difference is what is added.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from openpyxl import Workbook

from mixpanel_access.model.address import same_key
from mixpanel_access.model.dates import instant, written
from mixpanel_access.model.errors import Refused, UsageError
from mixpanel_access.model.metadata import REASONS
from mixpanel_access.operations.project import Project
from mixpanel_access.operations.state import HeldGrant, HeldMember, State

FIRST: Final = "0" * 64
"""What the first line holds in place of a hash."""
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


class Event(StrEnum):
    """What happened."""

    GRANTED = "granted"
    CHANGED = "changed"
    REVOKED = "revoked"


@dataclass(frozen=True)
class Line:
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
        previous: the hash of the line before.
        hash: the hash of this one.
    """

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
    previous: str = ""
    hash: str = ""

    @property
    def place(self) -> tuple[str, int | None, str]:
        """What it is about: stack, project and person."""
        return self.stack, self.project, same_key(self.email)

    @property
    def content(self) -> tuple[str, ...]:
        """What is held there, and why: another one is a change."""
        return self.role, *(getattr(self, name) for name in REASONS)

    def digest(self) -> str:
        """The hash over everything else in the line."""
        content = {name: value for name, value in asdict(self).items() if name != "hash"}
        return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


COLUMNS: Final = tuple(field.name for field in fields(Line))


def read(file: Path) -> list[Line]:
    """The lines of a log; none where there is no file yet.

    Raises:
        UsageError: a line cannot be read.
    """
    try:
        texts = file.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(file, str(error)) from None
    found = []
    for number, text in enumerate(texts, 1):
        try:
            found.append(Line(**json.loads(text)))
        except (ValueError, TypeError):
            raise _unreadable(file, f"line {number} is none of the log's") from None
    return found


def verify(lines: Sequence[Line], file: Path) -> None:
    """Hold a log that was touched.

    Raises:
        Refused: a line was changed, or does not follow the one before it.
    """
    previous = FIRST
    for number, line in enumerate(lines, 1):
        if line.previous != previous or line.digest() != line.hash:
            what = "was changed" if line.digest() != line.hash else "does not follow the line before it"
            raise Refused(
                "cannot trust the access log",
                whom=str(file),
                why=f"line {number} ({line.date}, {line.email}) {what}",
                next_step="Take the file back from version control, and look who changed it.",
            )
        previous = line.hash


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
    lines = read(file)
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
    chained = list(_chained(sorted(new, key=lambda line: (line.date, line.email, line.project or 0)), lines))
    if chained:
        try:
            with file.open("a", encoding="utf-8") as log:
                log.writelines(f"{json.dumps(asdict(line), ensure_ascii=False)}\n" for line in chained)
        except OSError as error:
            raise UsageError(
                "cannot write the access log", whom=str(file), why=error.strerror or str(error), next_step="Mend that."
            ) from None
    return chained


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


def _chained(new: Iterable[Line], lines: Sequence[Line]) -> Iterator[Line]:
    previous = lines[-1].hash if lines else FIRST
    for line in new:
        follows = replace(line, previous=previous, hash="")
        follows = replace(follows, hash=follows.digest())
        previous = follows.hash
        yield follows


def _by(history: Sequence[Mapping[str, Any]], at: datetime) -> str:
    """Who ran the update in which something happened, or the last one before: the author of the commit, by Git."""
    for run in history:  # the newest is the first
        if instant(str(run["startTime"])) <= at:
            environment = run.get("environment") or {}
            return str(environment.get("git.author.email") or environment.get("git.committer.email") or "")
    return ""


def exported(lines: Sequence[Line], form: str) -> bytes:
    """The log as `csv`, `xlsx`, `markdown` or `json`; no cell of a sheet is taken for a formula."""
    rows = [[getattr(line, name) for name in COLUMNS] for line in lines]
    if form == "json":
        return (json.dumps([asdict(line) for line in lines], indent=2, ensure_ascii=False) + "\n").encode()
    if form == "markdown":
        table = [COLUMNS, ["---"] * len(COLUMNS), *([_cell(value) for value in row] for row in rows)]
        return "".join(f"| {' | '.join(row)} |\n" for row in table).encode()
    if form == "csv":
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(COLUMNS)
        writer.writerows([[_harmless(value) for value in row] for row in rows])
        return text.getvalue().encode()
    book, content = Workbook(), io.BytesIO()
    sheet = book.active or book.create_sheet()
    sheet.title = "Access log"
    for row in ([*COLUMNS], *([_harmless(value) for value in row] for row in rows)):
        sheet.append(row)
    sheet.freeze_panes = "A2"
    book.save(content)
    return content.getvalue()


def _harmless(value: Any) -> Any:
    """A text that a sheet would take for a formula, with the mark in front that says that it is a text."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _cell(value: Any) -> str:
    return "" if value is None else " ".join(str(value).replace("\\", "\\\\").replace("|", "\\|").split())


def _unreadable(file: Path, why: str) -> UsageError:
    return UsageError(
        "cannot read the access log",
        whom=str(file),
        why=why,
        next_step="Take the file back from version control; nothing was added.",
    )
