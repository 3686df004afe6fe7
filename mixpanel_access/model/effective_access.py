"""The access that a roster gives on a day, with engagements, standard roles and dates applied.

A person can have several entries, one for each engagement. If several count on one day, the highest role in a project
counts, with the reasons of the entry that gives it.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import wraps
from typing import Any, TypeVar, cast

from mixpanel_access.model import roles
from mixpanel_access.model.dates import day
from mixpanel_access.model.engagements import METADATA_FIELDS
from mixpanel_access.model.grouping import grouped
from mixpanel_access.model.roster.schema import Engagement, Roster, RosterPerson, RosterTeam

_OWN = ("kind", "ticket", "approver", "justification", "starts", "ends", "reviewed", "notes")
_OF_THE_ENGAGEMENT = ("sow", "ticket", "approver", "sponsor", "justification", "starts", "ends", "notes")


@dataclass(frozen=True)
class Span:
    """The days (UTC) from the first to the last one, both included; None for no bound."""

    starts: date | None = None
    ends: date | None = None

    def current(self, today: date) -> bool:
        """Whether this day is one of them."""
        return (self.starts is None or self.starts <= today) and not self.over(today)

    def over(self, today: date) -> bool:
        """Whether the last day has passed."""
        return self.ends is not None and self.ends < today

    def meets(self, other: Span) -> bool:
        """Whether both have a day in common."""
        return _begins(self) <= _lasts(other) and _begins(other) <= _lasts(self)

    def within(self, other: Span) -> Span:
        """The days that both have in common."""
        starts = [day for day in (self.starts, other.starts) if day]
        ends = [day for day in (self.ends, other.ends) if day]
        return Span(max(starts, default=None), min(ends, default=None))


@dataclass(frozen=True)
class RosterEntry:
    """One entry of a person, with what its engagement says.

    Attributes:
        person: the entry in the roster.
        metadata: the reasons for the access; only what has a value.
        days: the days on which it gives access.
        projects: project key -> project role; "" if it has neither a role nor a standard one.
        memberships: team key -> the days of the membership: those of the entry that are also the team's.
    """

    person: RosterPerson
    metadata: Mapping[str, str]
    days: Span
    projects: Mapping[str, str]
    memberships: Mapping[str, Span] = field(default_factory=dict)

    @property
    def starts(self) -> date | None:
        """The first day (UTC), if it has one."""
        return self.days.starts

    @property
    def ends(self) -> date | None:
        """The last day (UTC), if it has one."""
        return self.days.ends

    @property
    def engagement(self) -> str | None:
        """The key of the person's engagement in the roster, or None."""
        return self.person.engagement

    def current(self, today: date) -> bool:
        """Whether it gives access on this day."""
        return self.days.current(today)

    def over(self, today: date) -> bool:
        """Whether its last day has passed."""
        return self.days.over(today)

    def metadata_in(self, team: str) -> dict[str, str]:
        """The reasons for the person's place in a team, with its days."""
        membership = self.memberships[team]
        days = {"starts": membership.starts, "ends": membership.ends}
        return {**self.metadata, **{name: str(value) for name, value in days.items() if value}}

    def __str__(self) -> str:
        """The name of the entry among a person's entries, for a message."""
        return f"the engagement {self.engagement}" if self.engagement else "no engagement"


@dataclass(frozen=True)
class EffectiveRole:
    """One project role of a person.

    Attributes:
        role: the highest role that an entry gives.
        entry: the entry that gives it.
        others: the other entries that give a role in this project on the same day.
    """

    role: str
    entry: RosterEntry
    others: Sequence[RosterEntry] = ()


@dataclass(frozen=True)
class EntryAccess:
    """What one entry of a person gives until a last day.

    Attributes:
        entry: the entry.
        ends: the last day (UTC), or None.
        projects: project key -> role.
        teams: the keys of the teams.
    """

    entry: RosterEntry
    ends: date | None
    projects: dict[str, str] = field(default_factory=dict)
    teams: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class EffectivePerson:
    """The access of one person on a day.

    Attributes:
        key: the key of the address.
        email: the address as the roster writes it.
        organization_role: the highest role that an entry gives; `member` after the end of one that gave another.
        removal: the roster's `removal`, or None.
        ownership: the roster's `ownership`, or None.
        kind: what an entry says the person is to the company, or None.
        entry: the main entry: that of the highest organization role, and of several the one that lasts longest.
        projects: project key -> role.
        teams: team key -> the entry that gives it, and of several the one that lasts longest.
        ends: the last day of all entries, or None if one of them has no end.
    """

    key: str
    email: str
    organization_role: str | None
    removal: str | None
    entry: RosterEntry
    projects: Mapping[str, EffectiveRole]
    teams: Mapping[str, RosterEntry] = field(default_factory=dict)
    ends: date | None = None
    ownership: str | None = None
    kind: str | None = None

    def by_entry(self) -> list[EntryAccess]:
        """What each entry gives, one row for each last day; what gives nothing but the person's place is a row too."""
        parts: dict[tuple[int, date | None], EntryAccess] = {}

        def part(entry: RosterEntry, ends: date | None) -> EntryAccess:
            return parts.setdefault((id(entry), ends), EntryAccess(entry, ends))

        part(self.entry, self.entry.ends)  # the main entry comes first
        for key, held in self.projects.items():
            part(held.entry, held.entry.ends).projects[key] = held.role
        for key, entry in self.teams.items():
            part(entry, entry.memberships[key].ends).teams.append(key)
        return list(parts.values())


def entry_of(roster: Roster, person: RosterPerson) -> RosterEntry:
    """An entry with what its engagement says. The roster's dates must be valid, as in every roster that was read."""
    engagement = roster.engagements.get(person.engagement or "") or Engagement()
    values = {name: getattr(engagement, name) for name in _OF_THE_ENGAGEMENT}
    values |= {name: value for name in _OWN if (value := getattr(person, name)) is not None}
    values |= {"engagement": person.engagement, "engagement_type": engagement.type}
    metadata = {name: values[name] for name in METADATA_FIELDS if values.get(name) is not None}
    days = _span(metadata.get("starts"), metadata.get("ends"))
    standard = roster.standards.get(engagement.type or "")
    usual = standard.project_role(roster.environment) if standard else ""
    projects = {key: usual if role is None else roster.role_here(key, role) for key, role in person.projects.items()}
    memberships = {key: days.within(days_of(roster.teams[key])) for key in person.teams if key in roster.teams}
    return RosterEntry(person, metadata, days, projects, memberships)


def days_of(team: RosterTeam) -> Span:
    """The days of a team; its dates must be valid."""
    return _span(team.starts, team.ends)


def _span(starts: str | None, ends: str | None) -> Span:
    return Span(day(starts) if starts else None, day(ends) if ends else None)


_Question = TypeVar("_Question", bound=Callable[..., Any])


def once_a_roster(work_out: _Question) -> _Question:
    """Work out something once for each roster, which never changes, and keep it for as long as the roster is there.

    A command asks the same of a roster of thousands of people many times. The arguments are positional.
    """
    known: dict[int, tuple[weakref.ref[Roster], dict[Any, Any]]] = {}

    @wraps(work_out)
    def answer(roster: Roster, *args: Any) -> Any:
        key = id(roster)
        here, answers = known.get(key, (None, {}))
        if here is None or here() is not roster:
            answers = {}
            known[key] = (weakref.ref(roster, lambda _: known.pop(key, None)), answers)
        if args not in answers:
            answers[args] = work_out(roster, *args)
        return answers[args]

    return cast("_Question", answer)


@once_a_roster
def entries(roster: Roster) -> Mapping[str, Sequence[RosterEntry]]:
    """All entries by the key of the address, in the roster's order."""
    return grouped((person.key, entry_of(roster, person)) for person in roster.people)


@once_a_roster
def effective_by_key(roster: Roster, today: date) -> Mapping[str, EffectivePerson]:
    """The access of everybody who has any on a day (UTC), by the key of the address, in the roster's order."""
    everybody = {key: effective_access_of(all_of_one, today) for key, all_of_one in entries(roster).items()}
    return {key: person for key, person in everybody.items() if person}


def effective_access(roster: Roster, today: date) -> list[EffectivePerson]:
    """The access of everybody who has any on a day (UTC), in the roster's order."""
    return list(effective_by_key(roster, today).values())


def effective_access_of(all_of_one: Sequence[RosterEntry], today: date) -> EffectivePerson | None:
    """The access that a person's entries give on a day (UTC), or None."""
    current = [entry for entry in all_of_one if entry.current(today)]
    if not current:
        return None
    speaker = max(current, key=lambda entry: (_organization_rank(entry), _lasts(entry)))
    keys = dict.fromkeys(key for entry in current for key in entry.projects)
    teams = dict.fromkeys(
        key for entry in current for key, membership in entry.memberships.items() if membership.current(today)
    )
    return EffectivePerson(
        speaker.person.key,
        speaker.person.email,
        speaker.person.organization_role or _lowered(all_of_one, today),
        next((entry.person.removal for entry in current if entry.person.removal), None),
        speaker,
        {key: _highest(key, [entry for entry in current if key in entry.projects]) for key in keys},
        {key: max((entry for entry in current if key in entry.memberships), key=_lasts) for key in teams},
        max(current, key=_lasts).ends,
        next((entry.person.ownership for entry in current if entry.person.ownership), None),
        next((entry.person.kind for entry in current if entry.person.kind), None),
    )


def _lowered(all_of_one: Sequence[RosterEntry], today: date) -> str | None:
    """`member` if an entry that has ended gave an organization role, which the person does not keep."""
    over = (entry for entry in all_of_one if entry.over(today))
    return roles.MEMBER if any(entry.person.organization_role for entry in over) else None


def overlaps(person: EffectivePerson) -> Iterator[str]:
    """In words, the projects in which several entries of a person give a role on the same day."""
    for key, held in person.projects.items():
        if held.others:
            others = ", ".join(f"{other.projects[key]} by {other}" for other in held.others)
            yield f"{person.email}: {held.role} in {key} by {held.entry} counts, as the highest; there is also {others}"


def _highest(key: str, giving: Sequence[RosterEntry]) -> EffectiveRole:
    best = max(giving, key=lambda entry: (roles.project_rank(entry.projects[key]), _lasts(entry)))
    return EffectiveRole(best.projects[key], best, [entry for entry in giving if entry is not best])


def _organization_rank(entry: RosterEntry) -> int:
    return roles.organization_rank(entry.person.organization_role)


def _begins(days: Span | RosterEntry) -> date:
    return days.starts or date.min


def _lasts(days: Span | RosterEntry) -> date:
    return days.ends or date.max
