"""What the next `pulumi up`s change in a stack without an edit, and what the last ones have left undone.

Access that ends or begins, access that has ended and is still in the state, and access that the roster gives and the
state lacks; and the brakes that will block an end. Every command that says "overdue", "ends" or "begins" asks here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import chain
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from mixpanel_access.model.access import GrantType
from mixpanel_access.model.address import same_key
from mixpanel_access.model.brakes import DeclaredPerson, Forecast, forecasts
from mixpanel_access.model.dates import day
from mixpanel_access.model.declaration import declaration
from mixpanel_access.model.effective_access import (
    EffectivePerson,
    RosterEntry,
    days_of,
    effective_access_of,
    entries,
)
from mixpanel_access.model.ownership import WHEN_UNUSED, should_remove
from mixpanel_access.model.roster.salvage import NOTHING, Unread
from mixpanel_access.model.roster.schema import Roster
from mixpanel_access.operations.scheduled import A_DAY, ChangeCause, ChangePart, ScheduledChange, ScheduledEvent
from mixpanel_access.operations.state import State, changed_addresses
from mixpanel_access.operations.undone import Undone, roles_of_team
from mixpanel_access.provider.account_runs import Retiring

if TYPE_CHECKING:
    from mixpanel_access.directory.directory import Directory

_NOBODY: Final[Mapping[str, str]] = MappingProxyType({})


def changes_by_the_clock(
    roster: Roster | None,
    state: State,
    today: date,
    days: int | None,
    unread: Unread = NOTHING,
    renamed: Mapping[str, str] = _NOBODY,
) -> list[ScheduledChange]:
    """What `pulumi up` will take away or give within days, without an edit.

    Args:
        roster: the stack's roster; None where it has none, so that only what the state says has ended is known.
        state: the stack's state: whoever is in it beyond the end is overdue.
        today: the day, UTC.
        days: how far to look ahead; 0 is what is due today, None is everything.
        unread: what the unreadable parts of the roster may be about: of these people nothing is taken.
        renamed: key of an address in the state -> key of the address that the person has in Mixpanel now.

    Returns:
        The changes by day, then by address. Access ends after the last day: it goes on the day after.
    """
    parts: dict[ChangeCause, list[ChangePart]] = {}
    undone = Undone(roster, state, today, unread, renamed).parts()
    to_come = _to_come(roster, today, unread) if roster else ()
    for cause, part in chain(undone, to_come, _of_accounts(roster, state, today)):
        parts.setdefault(cause, []).append(part)
    found = [
        ScheduledChange(
            event=cause.event,
            email=cause.email,
            on=cause.on,
            days=(cause.on - today).days,
            projects={key: role for one in own for key, role in one.projects.items()},
            engagement=cause.engagement,
            teams=[cause.team] if cause.team else list(dict.fromkeys(team for one in own for team in one.teams)),
            account=cause.account,
            organization_role=next((one.organization_role for one in own if one.organization_role), None),
            membership=any(one.membership for one in own),
        )
        for cause, own in parts.items()
        if days is None or (cause.on - today).days <= days
    ]
    return sorted(found, key=lambda change: (change.on, change.email.casefold()))


def renamed_in(state: State, directory: Directory) -> dict[str, str]:
    """Whose address has changed in Mixpanel: the key in the state -> the key there."""
    return changed_addresses({key: one.outputs for key, one in state.members.items()}, directory.people())


def _to_come(roster: Roster, today: date, unread: Unread) -> Iterator[tuple[ChangeCause, ChangePart]]:
    """What comes and goes on later days."""
    for key, all_of_one in entries(roster).items():
        for cause, part in _of_person(all_of_one, today):
            if cause.event is ScheduledEvent.BEGINS or key not in unread.people:
                yield cause, part
    for key, team in roster.teams.items():
        days, roles = days_of(team), ChangePart(roles_of_team(roster, team))
        if days.starts is not None and days.starts > today:
            yield ChangeCause(ScheduledEvent.BEGINS, "", days.starts, team=key), roles
        if days.ends is not None and not days.over(today) and key not in unread.teams:
            yield ChangeCause(ScheduledEvent.ENDS, "", days.ends + A_DAY, team=key), roles


def _of_person(all_of_one: Sequence[RosterEntry], today: date) -> Iterator[tuple[ChangeCause, ChangePart]]:
    """What changes for one person when an entry ends or begins, given what the others still or already give."""
    for entry in all_of_one:
        spans = [entry.days, *entry.memberships.values()]
        for first in sorted({span.starts for span in spans if span.starts is not None and span.starts > today}):
            yield from _change(ScheduledEvent.BEGINS, all_of_one, entry, first)
        for last in sorted({span.ends for span in spans if span.ends is not None and span.ends >= today}):
            yield from _change(ScheduledEvent.ENDS, all_of_one, entry, last + A_DAY)


def _of_accounts(roster: Roster | None, state: State, today: date) -> Iterator[tuple[ChangeCause, ChangePart]]:
    """The service accounts that expire, and those that another one has replaced and that `revoke` deletes."""
    for account in state.accounts.values():
        for replaced in Retiring.all_of(account.outputs):
            last = replaced.until.date()
            event = ScheduledEvent.OVERDUE if last < today else ScheduledEvent.ENDS
            yield ChangeCause(event, "", last + A_DAY, account=replaced.login), ChangePart()
    for name, declared in roster.own_accounts.items() if roster else ():
        if declared.expires and (last := day(declared.expires)) >= today:
            yield ChangeCause(ScheduledEvent.ENDS, "", last + A_DAY, account=name), ChangePart()


def _change(
    event: ScheduledEvent, all_of_one: Sequence[RosterEntry], entry: RosterEntry, on: date
) -> Iterator[tuple[ChangeCause, ChangePart]]:
    before, after = effective_access_of(all_of_one, on - A_DAY), effective_access_of(all_of_one, on)
    projects = dict(_steps(_roles(before), _roles(after), entry.projects))
    changing = _teams(before).keys() ^ _teams(after).keys()
    giving = {**_teams(before), **_teams(after)}
    teams = [key for key in entry.memberships if key in changing and giving[key] is entry]
    own_day = on in (entry.starts, entry.ends and entry.ends + A_DAY)
    membership = own_day and (before is None or after is None)
    role = dict(_steps(_organization_role(before), _organization_role(after), [""])).get("") if own_day else None
    if projects or teams or membership or role:
        cause = ChangeCause(event, entry.person.email, on, entry.engagement)
        yield cause, ChangePart(projects, teams, role, membership)


def _roles(person: EffectivePerson | None) -> dict[str, str]:
    return {key: held.role for key, held in person.projects.items()} if person else {}


def _organization_role(person: EffectivePerson | None) -> dict[str, str]:
    return {"": person.organization_role} if person and person.organization_role else {}


def _teams(person: EffectivePerson | None) -> Mapping[str, RosterEntry]:
    return person.teams if person else {}


def _steps(before: Mapping[str, str], after: Mapping[str, str], among: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The projects among some in which the role changes: what goes or comes, or from what to what."""
    for key in among:
        old, new = before.get(key), after.get(key)
        if old != new:
            yield key, f"{old} -> {new}" if old and new else old or new or ""


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
