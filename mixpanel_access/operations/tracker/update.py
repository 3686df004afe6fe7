"""The access log: who got, changed or lost which access, when and why, and who did it. Lines are only added.

`update` compares what the lines add up to with the stacks' states, and adds the difference. What others did comes from
Mixpanel's audit log.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mixpanel_access.directory import connected
from mixpanel_access.directory.security import UNTOLD
from mixpanel_access.files.lines import Verified, append_lines, read_lines
from mixpanel_access.model import audit
from mixpanel_access.model.address import same_key
from mixpanel_access.model.audit import LOOK_BACK, AuditEvent
from mixpanel_access.model.dates import instant, written
from mixpanel_access.model.settings import Settings
from mixpanel_access.operations.project import Progress, PulumiProject, of_each
from mixpanel_access.operations.state import State
from mixpanel_access.operations.tracker.lines import Access, LogEvent, LogKey, LogLine, state_lines
from mixpanel_access.operations.tracker.replay import problems

if TYPE_CHECKING:
    from mixpanel_access.directory.directory import Directory


@dataclass(frozen=True)
class Audited:
    """The audit log of one organization.

    Attributes:
        events: its events, the newest first.
        own: the keys of the login names of the account that runs the stacks.
    """

    events: Sequence[AuditEvent] = ()
    own: frozenset[str] = field(default_factory=frozenset)


def update(
    project: PulumiProject, file: Path, stacks: Sequence[str], now: datetime, progress: Progress
) -> list[LogLine]:
    """Add what has happened since the last update.

    Access that is gone, without an event in the audit log, gets the date `now`.

    Returns:
        The lines that were added.

    Raises:
        UsageError: the log cannot be read or written.
    """

    def asked(stack: str) -> tuple[Settings, Sequence[Run], State]:
        settings = project.settings(stack)
        return settings, project.history(stack), project.state(stack, settings.organization_id)

    lines = read_lines(file, LogLine, progress)
    last: dict[LogKey, LogLine] = {line.key: line for line in lines}
    since = max((instant(line.date) for line in lines if not line.stack), default=now - LOOK_BACK)
    audits: dict[int, Audited] = {}
    runs: dict[int, dict[str, Sequence[Run]]] = {}
    new: list[LogLine] = []
    for stack, (settings, history, state) in of_each(stacks, asked).items():
        if settings.organization_id not in audits:
            from_day = min(since, now - LOOK_BACK)
            with connected(settings) as directory:
                audits[settings.organization_id] = audited(directory, settings.username, from_day, now, progress)
        new += _added(stack, state, history, last)
        runs.setdefault(settings.organization_id, {})[stack] = history
        new += revocations(stack, state, last, audits[settings.organization_id], history, now)
    if left := sorted({line.stack for line in last.values() if line.event != LogEvent.REVOKED} - {"", *project.stacks}):
        progress(f"no stack {', '.join(left)} exists any more: the log still shows the access in its lines as granted")
    known = [*lines, *new]
    for organization, found in audits.items():
        new += by_others(found.events, found.own, known, runs[organization])
    new.sort(key=lambda line: (line.date, line.email, line.project or 0, line.team))
    append_lines(file, new, lines)
    return new


def verify(project: PulumiProject, file: Path, stacks: Sequence[str]) -> Verified:
    """Replay the log, and compare it with the states of these stacks.

    Raises:
        UsageError: the log cannot be read.
    """
    cut: list[str] = []
    lines = read_lines(file, LogLine, cut.append)
    states = of_each(stacks, lambda stack: project.state(stack, project.settings(stack).organization_id))
    return Verified(len(lines), "".join(cut), list(problems(lines, states)))


def audited(directory: Directory, username: str, since: datetime, now: datetime, progress: Progress) -> Audited:
    """The audit log of an organization for a period; empty, with a line to the user, if the plan or the role has none.

    Raises:
        MixpanelError: it cannot be read now. A line without what it says would stay incomplete for ever.
    """
    try:
        events = directory.audit_events(READ, since, now)
        own = {same_key(username), same_key(directory.identity().email)}
    except UNTOLD as error:
        progress(
            f"the audit log cannot be read, and what others did is not in the access log: {error.why or error.what}"
        )
        return Audited()
    return Audited(events, frozenset(own))


def revocations(
    stack: str, state: State, last: Mapping[LogKey, LogLine], found: Audited, history: Sequence[Run], now: datetime
) -> Iterator[LogLine]:
    """What a stack gave and no longer gives.

    A team membership that an identity provider has taken over goes only when the audit log says so.
    """
    here = {one.line.key for one in state_lines(stack, state)}
    held = {LogKey(stack, Access(None, None, person, team)) for team, person in state.team_members}
    for key, old in last.items():
        if key.stack != stack or key in here or old.event == LogEvent.REVOKED:
            continue
        if key not in held:
            yield _revoked(old, found, history, now)
        elif taken_away(found.events, old):
            yield _revoked(old, found, [], now)


def _revoked(old: LogLine, found: Audited, history: Sequence[Run], now: datetime) -> LogLine:
    """The line of access that is gone: date and admin from the audit log, or the admin from the engine's history."""
    event = taken_away(found.events, old)
    at = event.at if event else now
    if event and event.by_scim and (run := during(history, at)):
        admin = _author(run)
    elif event and same_key(event.actor) not in found.own:
        admin = event.who
    else:
        admin = _by(history, at, since=instant(old.date), deleting=True)
    return replace(old, date=written(at), event=LogEvent.REVOKED.value, admin=admin)


def _added(stack: str, state: State, history: Sequence[Run], last: Mapping[LogKey, LogLine]) -> Iterator[LogLine]:
    for one in state_lines(stack, state):
        line = replace(one.line, date=one.modified)
        old, admin = last.get(line.key), _by(history, instant(line.date)) if line.date else ""
        if old is None or old.event == LogEvent.REVOKED:
            yield replace(line, admin=admin)
        elif (old.role, *old.reasons) != (line.role, *line.reasons):
            yield replace(line, event=LogEvent.CHANGED.value, admin=admin)


def _by(history: Sequence[Run], at: datetime, since: datetime | None = None, *, deleting: bool = False) -> str:
    """The author of the commit whose update did something, by the engine's history; "" if it does not say.

    Args:
        history: the engine's runs, the newest first.
        at: the latest time at which it happened.
        since: a time before it happened; earlier runs do not count.
        deleting: whether only runs that deleted something count.
    """
    for run in history:
        if deleting and not (run.get("resourceChanges") or {}).get("delete"):
            continue
        begun = instant(str(run["startTime"]))
        if since is not None and begun < since:
            break
        if begun <= at:
            return _author(run)
    return ""


def _author(run: Run) -> str:
    environment = run.get("environment") or {}
    return str(environment.get("git.author.email") or environment.get("git.committer.email") or "")


EVENTS: Final = {
    audit.USER_ADDED: LogEvent.GRANTED,
    audit.USER_REMOVED: LogEvent.REVOKED,
    audit.PROJECT_USER_ADDED: LogEvent.GRANTED,
    audit.PROJECT_USER_REMOVED: LogEvent.REVOKED,
    audit.ROLE_CHANGED: LogEvent.CHANGED,
    audit.INVITATION_ACCEPTED: LogEvent.ACCEPTED,
    audit.TEAM_USER_ADDED: LogEvent.GRANTED,
    audit.TEAM_USER_REMOVED: LogEvent.REVOKED,
    audit.PROJECT_TEAM_ADDED: LogEvent.GRANTED,
    audit.PROJECT_TEAM_REMOVED: LogEvent.REVOKED,
}
"""Audit event -> event of the access log."""
OF_TEAMS: Final = (
    audit.TEAM_USER_ADDED,
    audit.TEAM_USER_REMOVED,
    audit.TEAM_DELETED,
    audit.PROJECT_TEAM_ADDED,
    audit.PROJECT_TEAM_REMOVED,
)
"""The audit events about a team."""
READ: Final = (*EVENTS, audit.TEAM_DELETED)
"""The audit events to read."""
Run = Mapping[str, Any]
"""An update of a stack in the engine's history."""
_SKEW: Final = timedelta(minutes=1)
"""How far Mixpanel's clock and the engine's may differ."""
_ACCEPTED: Final = "invitation"
"""The source of a "user added" event that repeats an acceptance."""


def by_others(
    events: Iterable[AuditEvent], own: frozenset[str], known: Sequence[LogLine], histories: Mapping[str, Sequence[Run]]
) -> Iterator[LogLine]:
    """The lines for what was done outside of the stacks, the oldest first.

    Args:
        events: the events of the audit log.
        own: the keys of the login names of the stacks' accounts, whose changes are in the states.
        known: the lines of the log, including those for the present states.
        histories: the runs of each stack. A SCIM event names nobody: during a run of the stack that has
            the access, the stack did it.
    """
    keys = {line.key for line in known if line.stack}
    there = {_key(line) for line in known if not line.stack}
    for event in sorted(events, key=lambda event: event.at):
        if event.type not in EVENTS or same_key(event.actor) in own or not _names_somebody(event):
            continue
        if event.type == audit.USER_ADDED and event.source == _ACCEPTED:
            continue
        line = LogLine(
            date=written(event.at),
            admin=event.who,
            event=EVENTS[event.type].value,
            email=event.email,
            stack="",
            project=event.project,
            role=event.role or "",
            team=event.team_name or str(event.team or ""),
            team_id=event.team,
        )
        if event.by_scim and any(
            replace(line, stack=stack).key in keys and during(history, event.at) for stack, history in histories.items()
        ):
            continue
        if _key(line) not in there:
            there.add(_key(line))
            yield line


def during(history: Sequence[Run], at: datetime) -> Run | None:
    """The run of the engine during which something happened by Mixpanel's clock, or None."""
    for skew in (timedelta(), _SKEW):
        for run in history:
            ends = instant(str(run["endTime"])) if run.get("endTime") else at
            if instant(str(run["startTime"])) - skew <= at <= ends + skew:
                return run
    return None


def taken_away(events: Sequence[AuditEvent], line: LogLine) -> AuditEvent | None:
    """The newest event that removed the access of a line, or None.

    Args:
        events: the events of the audit log, the newest first.
        line: the last line about the access.
    """
    return next((event for event in events if _took(event, line) and written(event.at) >= line.date), None)


def _took(event: AuditEvent, line: LogLine) -> bool:
    """Whether an event removed the access of a line."""
    if line.team_id is not None and event.type in OF_TEAMS:
        its = event.team == line.team_id
        if event.type == audit.TEAM_DELETED:
            return its
        if line.email:
            return its and event.type == audit.TEAM_USER_REMOVED and event.concerns(line.access.person)
        return its and event.type == audit.PROJECT_TEAM_REMOVED and event.project == line.project
    if not line.email or not event.concerns(line.access.person):
        return False
    if event.type == audit.PROJECT_USER_REMOVED:
        return line.project is not None and event.project == line.project
    return event.type == audit.USER_REMOVED


def _names_somebody(event: AuditEvent) -> bool:
    """Whether an event names the person, the team, or the person and the team that it is about."""
    if event.type in (audit.PROJECT_TEAM_ADDED, audit.PROJECT_TEAM_REMOVED):
        return event.team is not None and event.project is not None
    return bool(event.email) and (event.type not in OF_TEAMS or event.team is not None)


def _key(line: LogLine) -> tuple[object, ...]:
    return line.date, line.event, line.key, line.role
