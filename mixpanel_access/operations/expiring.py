"""What the clock alone changes in a stack: access that ends or begins, and the brakes that will block an end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from mixpanel_access.model import resources as kinds
from mixpanel_access.model.access import GrantType
from mixpanel_access.model.address import same_key
from mixpanel_access.model.brakes import DeclaredPerson, Forecast, forecasts
from mixpanel_access.model.dates import day
from mixpanel_access.model.declaration import declaration, team_member_name
from mixpanel_access.model.declared_inputs import standard_role
from mixpanel_access.model.effective_access import EffectivePerson, RosterEntry, days_of, effective_access_of, entries
from mixpanel_access.model.ownership import WHEN_UNUSED, should_remove
from mixpanel_access.model.roles import declared_role
from mixpanel_access.model.roster.salvage import NOTHING, Unread
from mixpanel_access.model.roster.schema import Roster
from mixpanel_access.operations.overview import Overview
from mixpanel_access.operations.state import State, name_of
from mixpanel_access.provider.account_runs import Retiring

if TYPE_CHECKING:
    from mixpanel_access.directory.directory import Directory


_A_DAY: Final = timedelta(days=1)


class ScheduledEvent(StrEnum):
    """What happens to a person's access."""

    OVERDUE = "overdue"
    ENDS = "ends"
    BEGINS = "begins"


@dataclass(frozen=True)
class ScheduledChange:
    """One change.

    Attributes:
        event: what happens.
        email: the address of the person; "" for a team as a whole.
        on: the first day (UTC) on which `pulumi up` applies it.
        days: days until then; negative for what is overdue.
        projects: project key -> role that is taken away or given, or `admin -> analyst` if another entry gives a lower
            role or gave a higher one.
        engagement: the key of the engagement that begins or ends, or None.
        teams: keys of teams that the person leaves or joins, or the team itself.
        account: the login name of the service account, or its name in the roster; "" for none.
    """

    event: ScheduledEvent
    email: str
    on: date
    days: int
    projects: Mapping[str, str] = field(default_factory=dict)
    engagement: str | None = None
    teams: Sequence[str] = ()
    account: str = ""


def _due(event: ScheduledEvent, email: str, on: date, today: date, **more: Any) -> ScheduledChange:
    return ScheduledChange(event, email, on, (on - today).days, **more)


def changes_by_the_clock(
    roster: Roster, state: State, today: date, days: int, unread: Unread = NOTHING
) -> list[ScheduledChange]:
    """What `pulumi up` will take away or give within days, without an edit.

    Args:
        roster: the stack's roster.
        state: the stack's state: whoever is in it beyond the end is overdue.
        today: the day, UTC.
        days: how far to look ahead; 0 is what is due today.
        unread: what the unreadable parts of the roster may be about: of these people nothing is taken.

    Returns:
        The changes by day, then by address. Access ends after the last day: it goes on the day after.
    """
    names = {kinds.CUSTOM_ROLE.named(key): declared_role(key) for key in roster.custom_roles}
    words = {membership: names.get(name_of(one.urn)) for membership, one in state.custom_roles.items()}
    roles_held: dict[str, dict[int, str]] = {}
    for (project, email), grant in state.grants.items():
        roles_held.setdefault(email, {})[project] = words.get((project, grant.role)) or grant.role
    memberships = {name_of(one.urn) for one in state.team_members.values()}
    found: list[ScheduledChange] = []
    for key, all_of_one in entries(roster).items():
        held = roles_held.get(key, {})
        found += _to_come(all_of_one, today)
        teams = [team for team in roster.teams if team_member_name(team, key) in memberships]
        found += _overdue(all_of_one, roster, held, today, member=key in state.members, teams=teams)
    found = [one for one in found if one.event is ScheduledEvent.BEGINS or same_key(one.email) not in unread.people]
    found += _of_teams(roster, state, today)
    found += _of_accounts(roster, state, today)
    near = [change for change in found if change.days <= days]
    return sorted(near, key=lambda change: (change.on, change.email.casefold()))


def _to_come(all_of_one: Sequence[RosterEntry], today: date) -> Iterator[ScheduledChange]:
    """What changes for one person when an entry ends or begins, given what the others still or already give."""
    for entry in all_of_one:
        spans = [entry.days, *entry.memberships.values()]
        for first in sorted({span.starts for span in spans if span.starts is not None and span.starts > today}):
            yield from _change(ScheduledEvent.BEGINS, all_of_one, entry, first, today)
        for last in sorted({span.ends for span in spans if span.ends is not None and span.ends >= today}):
            yield from _change(ScheduledEvent.ENDS, all_of_one, entry, last + _A_DAY, today)


def _change(
    event: ScheduledEvent, all_of_one: Sequence[RosterEntry], entry: RosterEntry, on: date, today: date
) -> Iterator[ScheduledChange]:
    before, after = effective_access_of(all_of_one, on - _A_DAY), effective_access_of(all_of_one, on)
    projects = dict(_steps(_roles(before), _roles(after), entry.projects))
    changing = _teams(before).keys() ^ _teams(after).keys()
    giving = {**_teams(before), **_teams(after)}
    teams = [key for key in entry.memberships if key in changing and giving[key] is entry]
    own_day = on in (entry.starts, entry.ends and entry.ends + _A_DAY)
    role_changes = before is None or after is None or before.organization_role != after.organization_role
    if projects or teams or (role_changes and own_day):
        why = entry.engagement
        yield _due(event, entry.person.email, on, today, projects=projects, engagement=why, teams=teams)


def _overdue(
    all_of_one: Sequence[RosterEntry],
    roster: Roster,
    held: Mapping[int, str],
    today: date,
    *,
    member: bool,
    teams: Sequence[str],
) -> Iterator[ScheduledChange]:
    """What the state has of a person by entries that are over."""
    now = effective_access_of(all_of_one, today)
    gave = {key: _gave_last(all_of_one, key, today) for key in teams if key not in _teams(now)}
    for entry in all_of_one:
        email, why = entry.person.email, entry.engagement
        memberships = [key for key in entry.memberships if gave.get(key) is entry]
        if entry.ends is None or not entry.over(today):  # places in teams may be over before the entry is
            for key in memberships:
                if (last := entry.memberships[key].ends) is not None:
                    yield _due(ScheduledEvent.OVERDUE, email, last + _A_DAY, today, engagement=why, teams=[key])
            continue
        mine = {key: role for key, role in entry.projects.items() if held.get(roster.projects[key].id) == role}
        left = dict(_steps(mine, _roles(now), mine))
        if left or memberships or (now is None and (member or held)):
            on, what = entry.ends + _A_DAY, {"projects": left, "engagement": why, "teams": memberships}
            yield _due(ScheduledEvent.OVERDUE, email, on, today, **what)


def _gave_last(all_of_one: Sequence[RosterEntry], team: str, today: date) -> RosterEntry | None:
    """The entry that gave a place on its last day, or None for a place that is not over."""
    places = [entry.memberships[team] for entry in all_of_one if team in entry.memberships]
    last = max((place.ends for place in places if place.ends is not None and place.over(today)), default=None)
    return _teams(effective_access_of(all_of_one, last)).get(team) if last else None


def _of_teams(roster: Roster, state: State, today: date) -> Iterator[ScheduledChange]:
    """What changes for the teams themselves, and the roles that they have."""
    there = {name_of(one.urn) for one in state.teams.values()}
    for key, team in roster.teams.items():
        days = days_of(team)
        roles = {project: role or standard_role(roster, team) for project, role in team.projects.items()}
        if days.starts is not None and days.starts > today:
            yield _due(ScheduledEvent.BEGINS, "", days.starts, today, projects=roles, teams=[key])
        if days.ends is not None and (not days.over(today) or kinds.TEAM.named(key) in there):
            event = ScheduledEvent.OVERDUE if days.over(today) else ScheduledEvent.ENDS
            yield _due(event, "", days.ends + _A_DAY, today, projects=roles, teams=[key])


def _of_accounts(roster: Roster, state: State, today: date) -> Iterator[ScheduledChange]:
    """The service accounts that expire, and those that another one has replaced and that `revoke` deletes."""
    for account in state.accounts.values():
        for replaced in Retiring.all_of(account.outputs):
            last = replaced.until.date()
            event = ScheduledEvent.OVERDUE if last < today else ScheduledEvent.ENDS
            yield _due(event, "", last + _A_DAY, today, account=replaced.login)
    for name, declared in roster.service_accounts.items():
        if declared.role is not None and declared.expires and (last := day(declared.expires)) >= today:
            yield _due(ScheduledEvent.ENDS, "", last + _A_DAY, today, account=name)


def _roles(person: EffectivePerson | None) -> dict[str, str]:
    return {key: held.role for key, held in person.projects.items()} if person else {}


def _teams(person: EffectivePerson | None) -> Mapping[str, RosterEntry]:
    return person.teams if person else {}


def _steps(before: Mapping[str, str], after: Mapping[str, str], among: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The projects among some in which the role changes: what goes or comes, or from what to what."""
    for key in among:
        old, new = before.get(key), after.get(key)
        if old != new:
            yield key, f"{old} -> {new}" if old and new else old or new or ""


def forecasts_of(overview: Overview) -> Mapping[str, list[Forecast]]:
    """What the brakes will hold, by stack; a stack without any is left out."""
    found = {
        name: forecasts_for(view.roster, overview.today, overview.directory, view.settings.username)
        for name, view in overview.stacks.items()
        if view.roster is not None
    }
    return {name: some for name, some in found.items() if some}


def forecasts_for(roster: Roster, today: date, directory: Directory, username: str) -> list[Forecast]:
    """What the brakes will hold of the endings in one roster.

    Where Mixpanel does not say who we are, `username` is our login name.
    """
    people, declared = directory.people(), declaration(roster, today)
    own = directory.identity().email or username

    def goes(person: DeclaredPerson) -> bool:
        key = same_key(person["email"])
        if key not in people:
            return False
        # What somebody else holds matters for nobody but ourselves: an owner is lowered where they do not leave.
        access = directory.reached_projects(person["email"]) if key == same_key(own) else {}
        left = [
            grant
            for project, grants in access.items()
            for grant in grants
            if grant.grant_type is not GrantType.INDIVIDUAL or project not in person.get("projects", ())
        ]
        return should_remove(person.get("removal", WHEN_UNUSED), people[key], person.get("role"), left)

    role_ends = {key: inputs.get("ends") for key, inputs in declared.members.items()}
    return forecasts(people, declared.people, role_ends, goes, own)
