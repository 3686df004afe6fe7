"""What is known of an organization and its stacks when the access log is updated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING

from mixpanel_access.directory.security import UNTOLD
from mixpanel_access.model.address import same_key
from mixpanel_access.model.audit import AuditEvent
from mixpanel_access.model.dates import written
from mixpanel_access.model.settings import Settings
from mixpanel_access.model.teams import TeamInfo
from mixpanel_access.operations.drift import OrganizationAccess, read_organization
from mixpanel_access.operations.project import Progress
from mixpanel_access.operations.state import State, changed_addresses
from mixpanel_access.operations.tracker.audit_facts import READ
from mixpanel_access.operations.tracker.lines import UNKNOWN, Access, LogEvent, LogLine, StateLine, state_lines
from mixpanel_access.operations.tracker.runs import HistoryRun

if TYPE_CHECKING:
    from mixpanel_access.directory.directory import Directory


class Absence(Enum):
    """What the organization says of access that it does not show."""

    GONE = "it is not there"
    UNSEEN = "whether it is there is not known"


@dataclass(frozen=True)
class Presence:
    """The access that an organization has, by a fresh read.

    Attributes:
        organization: what was read.
        complete: whether the list of people is complete.
    """

    organization: OrganizationAccess
    complete: bool = True

    def role(self, access: Access) -> str | Absence:
        """The role of an access that is there, "" if none is shown; or why it shows none.

        Who is deactivated has no access.
        """
        key = access.person
        if access.person and (key not in self.organization.people or self.organization.is_deactivated(key)):
            return Absence.GONE if self.complete else Absence.UNSEEN
        if access.team is not None:
            return self._in_team(access.team, access.project, key)
        if access.project is None:
            return self.organization.people[key].role or ""
        return self._grant(access.project, key)

    def team_name(self, id_: int | None) -> str:
        """The name of a team, its id where Mixpanel does not show it, and "" for none."""
        team = (self.organization.teams or {}).get(id_ or 0)
        return team.name if team else str(id_ or "")

    def _grant(self, project: int, key: str) -> str | Absence:
        there = self.organization
        if grant := there.grants.get((project, key)):
            return grant.role
        return Absence.UNSEEN if there.hides(project, there.people[key]) else Absence.GONE

    def _in_team(self, id_: int, project: int | None, key: str) -> str | Absence:
        if self.organization.teams is None:
            return Absence.UNSEEN
        team = self.organization.teams.get(id_)
        if team is None:
            return Absence.GONE
        if project is not None:
            return team.projects.get(project, Absence.GONE)
        if team.members is None:
            return Absence.UNSEEN
        return "" if team.is_member(key) else Absence.GONE


@dataclass(frozen=True, kw_only=True)
class OrganizationReading:
    """What Mixpanel says of one organization.

    Attributes:
        id: the organization's id.
        events: the events of its audit log, the oldest first.
        own: the keys of the login names of the accounts that run the stacks.
        since: the first instant that `events` covers; None if the audit log cannot be read.
        presence: the access that it has.
        readdressed: the key of an address in a state -> the key of the one that the person has now.
        settle_seconds: how long Mixpanel may take to show a write.
        all_stacks: whether all stacks of the project were read; otherwise nobody knows which access no stack has.
    """

    id: int
    events: Sequence[AuditEvent] = ()
    own: frozenset[str] = frozenset()
    since: datetime | None = None
    presence: Presence
    readdressed: Mapping[str, str] = field(default_factory=dict)
    settle_seconds: float = 0
    all_stacks: bool = True

    def user_id(self, access: Access) -> int | None:
        """Mixpanel's id of a person, for their membership in the organization; None for all other access."""
        person = self.presence.organization.people.get(access.person)
        return person.user_id if person and access.project is None and access.team is None else None

    def lines(self, at: datetime) -> Iterator[LogLine]:
        """A line for all access that is there, as `found` at an instant; people who are deactivated have none."""
        if not self.all_stacks:
            return
        there = self.presence.organization
        people = {key: one.email for key, one in there.people.items() if not one.deactivated}

        def line(email: str, role: str, project: int | None = None, team: TeamInfo | None = None) -> LogLine:
            return LogLine(
                date=written(at),
                admin=UNKNOWN,
                event=LogEvent.FOUND.value,
                email=email,
                stack="",
                project=project,
                role=role,
                team=team.name if team else "",
                team_id=team.id if team else None,
                organization=self.id,
            )

        for key, email in people.items():
            yield replace(line(email, there.people[key].role or ""), user_id=there.people[key].user_id)
        yield from (line(people[key], one.role, id_) for (id_, key), one in there.grants.items() if key in people)
        for team in (there.teams or {}).values():
            yield from (line(people[key], "", team=team) for key in sorted(team.members or ()) if key in people)
            yield from (line("", role, project, team) for project, role in team.projects.items())


@dataclass(frozen=True, kw_only=True)
class StackReading:
    """What is known of one stack.

    Attributes:
        name: its name.
        organization: the organization's id.
        held: the access in its state.
        runs: its runs, the newest first.
        account: the login name of the account that runs it.
    """

    name: str
    organization: int
    held: Mapping[Access, StateLine]
    runs: Sequence[HistoryRun] = ()
    account: str = ""

    def author_of(self, run: HistoryRun | None) -> str:
        """Who stands for what one of its runs did: the author of its commit, or else the account."""
        return (run.author or self.account if run else "") or UNKNOWN


def stack_reading(name: str, settings: Settings, state: State, runs: Sequence[HistoryRun]) -> StackReading:
    """What the settings, the state and the history of a stack say."""
    organization = settings.organization_id
    held = {one.line.access: one for one in state_lines(name, state, organization)}
    return StackReading(name=name, organization=organization, held=held, runs=runs, account=settings.username)


def read_in_mixpanel(
    directory: Directory,
    accounts: Sequence[Settings],
    states: State,
    span: tuple[datetime, datetime],
    progress: Progress,
) -> OrganizationReading:
    """Read the audit log of an organization, and the access that it has.

    If the plan or the role does not allow reading the audit log, a line says so.

    Args:
        directory: the organization.
        accounts: the settings of the stacks in it, each with the account that runs the stack.
        states: what all stacks of the organization have.
        span: the first and the last instant of the audit log to read.
        progress: shows a line.

    Raises:
        MixpanelError: it cannot be read now. Lines without what it says would stay incomplete for ever.
    """
    since: datetime | None = span[0]
    own = {same_key(name) for name in (directory.identity().email, *(one.username for one in accounts))} - {""}
    try:
        events = directory.audit_events(READ, *span)
    except UNTOLD as error:
        events, since = [], None
        progress(
            f"the audit log cannot be read, and what others did is not in the access log: {error.why or error.what}"
        )
    there = read_organization(directory)
    members = {key: member.outputs for key, member in states.members.items()}
    changed = changed_addresses(members, there.people)
    presence = Presence(there, not directory.unknown_people())
    return OrganizationReading(
        id=directory.organization,
        events=[*reversed(events)],
        own=frozenset(own),
        since=since,
        presence=presence,
        readdressed=changed,
        settle_seconds=max(one.read_back_seconds for one in accounts),
    )
