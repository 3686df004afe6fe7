"""What the rosters of a life say, and what they declare on a day: by the pages on rosters, and not by our code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

RANK = {"consumer": 1, "analyst": 2, "admin": 3, "owner": 4}
"""The words for a role in a project, the lowest first."""
ORGANIZATION_RANK = {None: 0, "member": 1, "billing_admin": 2, "admin": 3, "owner": 4}
APPROVER, SPONSOR = "ana@example.com", "omar@example.com"
Reasons = tuple[str | None, date | None, date | None]
"""Why somebody has something: the engagement, the first day and the last."""


def is_custom(role: str | None) -> bool:
    """Whether a role in a project is a custom one, by the roster's key or by the organization's word."""
    return bool(role) and role not in RANK


def is_lower(after: str, before: str, *, ended: bool) -> bool:
    """Whether a role is less than the one before.

    Nobody can tell where one is a custom role: then the one before goes if its last day has passed.
    """
    if is_custom(after) or is_custom(before):
        return ended and after != before
    return RANK.get(after, 0) < RANK.get(before, 0)


@dataclass
class Entry:
    """A person's entry.

    Attributes:
        projects: project key -> role.
        teams: keys of teams.
        role: the organization role, or None.
        inherits: whether the days are those of the engagement, and not written here.
    """

    email: str
    projects: dict[str, str] = field(default_factory=dict)
    teams: list[str] = field(default_factory=list)
    role: str | None = None
    starts: date | None = None
    ends: date | None = None
    engagement: str | None = None
    inherits: bool = False

    def is_current(self, day: date) -> bool:
        return is_within(day, self.starts, self.ends)

    def is_over(self, day: date) -> bool:
        return self.ends is not None and self.ends < day

    @property
    def lasts(self) -> date:
        return self.ends or date.max

    @property
    def reasons(self) -> Reasons:
        return self.engagement, self.starts, self.ends


@dataclass
class TeamEntry:
    """A team, with its roles by the key of the project."""

    name: str
    projects: dict[str, str]
    starts: date | None = None
    ends: date | None = None

    def is_current(self, day: date) -> bool:
        return is_within(day, self.starts, self.ends)


@dataclass
class RoleEntry:
    """A custom role of a project, by the project's key."""

    name: str
    project: str
    permissions: frozenset[str]


@dataclass
class Account:
    """A service account, with its roles by the key of the project."""

    projects: dict[str, str]
    role: str = "consumer"
    expires: date | None = None

    def has_expired(self, today: date) -> bool:
        """Whether Mixpanel refuses to make it."""
        return self.expires is not None and self.expires < today


@dataclass
class Declared:
    """What a roster gives one person on a day.

    Attributes:
        role: the organization role, or None for none.
        reasons: of the entry that speaks for the person.
        projects: project id -> role and the reasons for it.
        teams: key -> the reasons for the place.
        ends: the last day of all entries, or None without an end.
    """

    email: str
    role: str | None
    reasons: Reasons
    projects: dict[int, tuple[str, Reasons]]
    teams: dict[str, Reasons]
    ends: date | None


@dataclass
class Roster:
    """The roster of a stack.

    Attributes:
        projects: key -> id.
        authoritative: the keys of the projects whose grants the roster alone says.
        engagements: key -> first and last day.
        owns_roles: whether it declares organization roles.
        addresses: who is written with another address than at first -> that one.
        roles: the custom roles by their keys.
        grouped: whether its members, grants and memberships are a few resources; nothing else depends on it.
    """

    stack: str
    projects: Mapping[str, int]
    owns_roles: bool
    entries: list[Entry] = field(default_factory=list)
    teams: dict[str, TeamEntry] = field(default_factory=dict)
    engagements: dict[str, tuple[date, date]] = field(default_factory=dict)
    authoritative: frozenset[str] = frozenset()
    accounts: dict[str, Account] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)
    roles: dict[str, RoleEntry] = field(default_factory=dict)
    grouped: bool = False

    @property
    def whole(self) -> set[int]:
        """The projects whose grants it alone says, by id."""
        return {self.projects[key] for key in self.authoritative}

    def entries_of(self, email: str) -> list[Entry]:
        return [entry for entry in self.entries if entry.email == email]

    def all_given(self) -> list[dict[str, str]]:
        """The roles in projects of everybody and everything in it."""
        entries, teams, accounts = self.entries, self.teams.values(), self.accounts.values()
        return [
            *(one.projects for one in entries),
            *(one.projects for one in teams),
            *(one.projects for one in accounts),
        ]

    @property
    def people(self) -> list[str]:
        return list(dict.fromkeys(entry.email for entry in self.entries))

    def declared(self, day: date) -> dict[str, Declared]:
        """What it gives to whom on a day."""
        found = {email: self.declared_to(email, day) for email in self.people}
        return {email: one for email, one in found.items() if one is not None}

    def declared_to(self, email: str, day: date) -> Declared | None:
        """What it gives one person on a day; None for nothing."""
        every = self.entries_of(email)
        current = [entry for entry in every if entry.is_current(day)]
        if not current:
            return None
        speaker = max(current, key=lambda entry: (ORGANIZATION_RANK[entry.role], entry.lasts))
        lowered = any(entry.role and entry.is_over(day) for entry in every)
        keys = dict.fromkeys(key for entry in current for key in entry.projects)
        projects = {}
        for key in keys:
            giving = [entry for entry in current if key in entry.projects]
            best = max(giving, key=lambda entry: (RANK.get(entry.projects[key], 0), entry.lasts))
            projects[self.projects[key]] = best.projects[key], best.reasons
        teams = {}
        for key in dict.fromkeys(key for entry in current for key in entry.teams):
            if self.teams[key].is_current(day):
                giving = [entry for entry in current if key in entry.teams]
                teams[key] = self.place_reasons(max(giving, key=lambda entry: entry.lasts), key)
        ends = None if any(entry.ends is None for entry in current) else max(entry.lasts for entry in current)
        role = speaker.role or ("member" if lowered else None)
        return Declared(email, role, speaker.reasons, projects, teams, ends)

    def place_reasons(self, entry: Entry, team: str) -> Reasons:
        """The reasons for a place in a team: its days are those of the entry that are the team's too."""
        own = self.teams[team]
        starts = max((day for day in (entry.starts, own.starts) if day), default=None)
        ends = min((day for day in (entry.ends, own.ends) if day), default=None)
        return entry.engagement, starts, ends

    def current_teams(self, day: date) -> dict[str, TeamEntry]:
        return {key: team for key, team in self.teams.items() if team.is_current(day)}

    def address(self, email: str) -> str:
        """The address with which somebody is written."""
        return self.addresses.get(email, email)

    def _written(self, entry: Entry) -> dict[str, Any]:
        return {"email": self.address(entry.email)} | _known(
            projects=entry.projects, teams=entry.teams, organizationRole=entry.role, engagement=entry.engagement
        ) | ({} if entry.inherits else _days(entry.starts, entry.ends))  # fmt: skip

    def text(self) -> str:
        """The file."""
        projects: dict[str, Any] = {
            key: {"id": id_, "environment": self.stack} | ({"authoritative": True} if key in self.authoritative else {})
            for key, id_ in self.projects.items()
        }
        document: dict[str, Any] = {
            "environment": self.stack, "organizationRoles": self.owns_roles, "projects": projects,
            **({"grouped": True} if self.grouped else {}),
            "people": [self._written(entry) for entry in self.entries],
            "engagements": {key: _engagement(*days) for key, days in self.engagements.items()},
            "customRoles": {key: _of_role(role) for key, role in self.roles.items()},
            "teams": {key: _of_team(team) for key, team in self.teams.items()},
            "serviceAccounts": {name: _of_account(account) for name, account in self.accounts.items()},
        }  # fmt: skip
        return json.dumps({key: value for key, value in document.items() if value not in ({}, [])}, indent=1)


def is_within(day: date, starts: date | None, ends: date | None) -> bool:
    """Whether a day is one of those from the first to the last; None for no bound."""
    return (starts is None or starts <= day) and (ends is None or day <= ends)


def _known(**values: Any) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value not in (None, {}, [])}


def _days(starts: date | None, ends: date | None) -> dict[str, str]:
    return {key: day.isoformat() for key, day in (("starts", starts), ("ends", ends)) if day is not None}


def _engagement(starts: date, ends: date) -> dict[str, Any]:
    return {
        "type": "analytics_review", "sow": "SOW-2027-001", "ticket": "OPS-4711", "approver": APPROVER,
        "sponsor": SPONSOR, "justification": "Reviews the funnels", **_days(starts, ends),
    }  # fmt: skip


def _of_account(account: Account) -> dict[str, Any]:
    reasons = {"purpose": "Loads orders", "contact": APPROVER, "ticket": "OPS-2", "approver": SPONSOR}
    days = {"expires": account.expires.isoformat()} if account.expires else {}
    return {**reasons, "role": account.role, "projects": account.projects, **days}


def _of_role(role: RoleEntry) -> dict[str, Any]:
    return {
        "name": role.name, "description": "Works on the shop", "project": role.project,
        "permissions": sorted(role.permissions),
    }  # fmt: skip


def _of_team(team: TeamEntry) -> dict[str, Any]:
    reasons = {"ticket": "OPS-1", "approver": APPROVER, "justification": "Works on the shop"}
    return {"name": team.name, "projects": team.projects, **reasons, **_days(team.starts, team.ends)}
