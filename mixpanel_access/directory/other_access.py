"""Read the access that no stack manages. Whatever is refused, missing or odd is unknown, and stops nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Final, TypeVar

from mixpanel_access.directory.directory import Directory
from mixpanel_access.directory.role_holders import PEOPLE, holders_of
from mixpanel_access.model import audit
from mixpanel_access.model.access import (
    EVERYBODY,
    ORGANIZATION,
    AccessSource,
    Discoverability,
    GrantType,
    OtherAccess,
    gives_classified,
    source_in_words,
    unknown_access,
)
from mixpanel_access.model.address import few, same_key
from mixpanel_access.model.audit import AuditEvent
from mixpanel_access.model.errors import MixpanelError
from mixpanel_access.model.roles import CustomRoleInfo
from mixpanel_access.model.similarity import counted

_MCP_PAGES: Final = 10
"""Pages of MCP calls that are read: programs make thousands, and the newest are enough."""
_LONGEST_LOG: Final = timedelta(days=2 * 365)
"""The longest that any plan keeps the other events (contract, section 11)."""
_NO_CALL: Final = {
    AccessSource.DATA_VIEWS: "no known call lists who is in them; only the audit log shows who was added",
    AccessSource.CLASSIFIED: "no known call shows whether a team has it by its own setting; only custom roles are read",
    AccessSource.MCP: "no known call shows whether it is on; only the audit log shows who used it",
}
_JOINING: Final = {
    Discoverability.OPEN: "Open: anybody with an address of the company's domains joins without an invitation",
    Discoverability.REQUEST: "Request: anybody with an address of the company's domains can ask to join",
    Discoverability.CLOSED: "Closed: nobody joins without an invitation",
}

_T = TypeVar("_T")


def read_other_access(
    directory: Directory,
    projects: Collection[int],
    now: datetime,
    sources: Collection[AccessSource] = tuple(AccessSource),
) -> list[OtherAccess]:
    """Read some kinds, or all, for some projects: a few requests, and up to three more a project.

    What belongs to no project is there in any case. What is known comes first, then what is not.
    """
    reading = _Reading(directory, sorted(projects), now)
    readers: Mapping[AccessSource, Callable[[], None]] = {
        AccessSource.DATA_VIEWS: reading.data_views,
        AccessSource.CLASSIFIED: reading.classified,
        AccessSource.ACCOUNTS: reading.accounts,
        AccessSource.MCP: reading.mcp,
        AccessSource.DISCOVERABILITY: reading.discoverability,
    }
    for source, read in readers.items():
        if source in sources:
            read()
            if source in _NO_CALL:
                reading.miss(source, _NO_CALL[source])
    missed = [unknown_access(source, why, where) for (source, why), where in reading.missed.items()]
    found = dict.fromkeys(row for row in reading.found if row.project is None or row.project in projects)
    return [*found, *missed]


@dataclass
class _Reading:
    """What has been read so far."""

    directory: Directory
    projects: Collection[int]
    now: datetime
    found: list[OtherAccess] = field(default_factory=list)
    missed: dict[tuple[AccessSource, str], list[int]] = field(default_factory=dict)

    def miss(self, source: AccessSource, why: str, project: int | None = None) -> None:
        """Note that something is unknown."""
        self.missed.setdefault((source, why), []).extend([] if project is None else [project])

    def asked(self, source: AccessSource, read: Callable[[], _T], project: int | None = None) -> _T | None:
        """What a read says; None, and the reason noted, where it does not."""
        try:
            return read()
        except MixpanelError as error:
            self.miss(source, error.why or error.what, project)
            return None

    def events(
        self, source: AccessSource, types: Sequence[str], span: timedelta, pages: int | None = None
    ) -> list[AuditEvent]:
        """The events of the audit log, the newest first."""
        since = self.now - span
        return self.asked(source, lambda: self.directory.audit_events(types, since, self.now, pages)) or []

    def data_views(self) -> None:
        """Who was put into a data view, and has not been taken out since."""
        latest: dict[tuple[int | None, str, str], AuditEvent] = {}
        for event in self.events(AccessSource.DATA_VIEWS, audit.DATA_VIEW_EVENTS, _LONGEST_LOG):
            who = event.email or (f"team {event.team_name or event.team}" if event.team_name or event.team else "")
            latest.setdefault((event.project, event.about, who), event)
        added = (audit.DATA_VIEW_USER_ADDED, audit.DATA_VIEW_TEAM_ADDED)
        for (project, view, who), event in latest.items():
            if event.type in added:
                by = f", by {event.who}" if event.who else ""
                gone = event.email and same_key(event.email) not in self.directory.people()
                what = f"added to {view or 'a data view'} on {event.at:%Y-%m-%d}{by}"
                what += " (this address is not in the organization now)" if gone else ""
                self.found.append(OtherAccess(AccessSource.DATA_VIEWS, who or "somebody", what, project))

    def classified(self) -> None:
        """Who has a custom role that gives it."""
        for project in self.projects:
            self.found += self.asked(AccessSource.CLASSIFIED, partial(self._classified_in, project), project) or []

    def _classified_in(self, project: int) -> list[OtherAccess]:
        found: list[OtherAccess] = []
        for role in self.directory.custom_roles.in_project(project).values():
            if role.permissions is None:
                why = f"Mixpanel does not show the permissions of the custom role {role.name}"
                self.miss(AccessSource.CLASSIFIED, why, project)
            elif gives_classified(role.permissions):
                found += self._holders(role)
        return found

    def _holders(self, role: CustomRoleInfo) -> Iterator[OtherAccess]:
        """Everybody who has a custom role; people by each source of it."""
        holders, what = holders_of(self.directory, role.project, role.id), f"custom role {role.name}"
        for kind, why in holders.unseen.items():
            self.miss(AccessSource.CLASSIFIED, f"which {kind} have the {what}: {why}", role.project)
        if holders.hidden:
            why = f"whether {few(holders.hidden)} have the {what}: what invited people have is not listed"
            self.miss(AccessSource.CLASSIFIED, why, role.project)
        grants = () if PEOPLE in holders.unseen else self.directory.grants(role.project).values()
        for grant in (one for held in grants for one in held if one.role == role.id):
            who = EVERYBODY if grant.grant_type is GrantType.ALL_USERS else grant.email
            yield OtherAccess(AccessSource.CLASSIFIED, who, f"{what}, through {source_in_words(grant)}", role.project)
        for other in (*holders.teams.values(), *holders.accounts.values()):
            yield OtherAccess(AccessSource.CLASSIFIED, other.removeprefix("the "), what, role.project)

    def accounts(self) -> None:
        """Which service accounts have sensitive access."""
        for project in self.projects:
            flags = self.asked(AccessSource.ACCOUNTS, partial(self.directory.accounts.flags, project), project) or ()
            for one in flags:
                if one.sensitive:
                    what = f"sensitive access, as {one.role}" if one.role else "sensitive access"
                    self.found.append(OtherAccess(AccessSource.ACCOUNTS, f"service account {one.name}", what, project))
            if untold := {one.name for one in flags if one.sensitive is None}:
                self.miss(AccessSource.ACCOUNTS, f"the list does not say it of {few(untold)}", project)

    def mcp(self) -> None:
        """Who used MCP, and when somebody last changed a setting of it."""
        uses: dict[tuple[str, int | None], list[AuditEvent]] = {}
        calls = self.events(AccessSource.MCP, [audit.MCP_TOOL_CALL], audit.LOOK_BACK, _MCP_PAGES)
        since = f"the last {audit.LOOK_BACK.days} days"
        if len(calls) >= _MCP_PAGES * audit.PAGE_SIZE:
            since = f"the time since {calls[-1].at:%Y-%m-%d %H:%M} UTC"
            self.miss(AccessSource.MCP, f"of its many calls, only those of {since} were read")
        for event in calls:
            uses.setdefault((event.actor or event.email, event.project), []).append(event)
        for (who, project), own in uses.items():
            what = f"used {counted(len(own), 'time')} in {since}, last on {own[0].at:%Y-%m-%d}"
            self.found.append(OtherAccess(AccessSource.MCP, who or "somebody", what, project))
        changes = self.events(AccessSource.MCP, [audit.SETTING_UPDATED], _LONGEST_LOG)
        if change := next((event for event in changes if "mcp" in event.about.lower()), None):
            what = f"the setting {change.about} was last changed on {change.at:%Y-%m-%d} by {change.who or 'somebody'}"
            self.found.append(OtherAccess(AccessSource.MCP, ORGANIZATION, what))

    def discoverability(self) -> None:
        """How people come in by themselves."""
        if word := self.asked(AccessSource.DISCOVERABILITY, self.directory.discoverability):
            self.found.append(OtherAccess(AccessSource.DISCOVERABILITY, ORGANIZATION, _JOINING[word]))
