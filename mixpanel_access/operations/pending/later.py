"""What the next `pulumi up`s change in a stack on later days, without an edit: access that ends or begins. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date

from mixpanel_access.model.dates import day
from mixpanel_access.model.declared_inputs import roles_of_team
from mixpanel_access.model.effective_access import EffectivePerson, RosterEntry, days_of, effective_access_of, entries
from mixpanel_access.model.resources import SERVICE_ACCOUNT
from mixpanel_access.model.roles import is_custom, organization_rank, project_rank
from mixpanel_access.model.roster.salvage import Unread
from mixpanel_access.model.roster.schema import Roster
from mixpanel_access.operations.pending.change import A_DAY, PendingChange, PendingEvent
from mixpanel_access.operations.state import State, name_of
from mixpanel_access.provider.account_runs import Retiring


def changes_later(roster: Roster | None, state: State, today: date, unread: Unread) -> Iterator[PendingChange]:
    """The changes in their parts; the arguments are those of `pending_changes`."""
    yield from _of_replaced_accounts(state, today)
    if roster is None:
        return
    for key, all_of_one in entries(roster).items():
        for change in _of_person(all_of_one, today):
            if change.event is PendingEvent.BEGINS or key not in unread.people:
                yield change
    for key, team in roster.teams.items():
        days, roles = days_of(team), roles_of_team(roster, team)
        if days.starts is not None and days.starts > today:
            yield PendingChange(event=PendingEvent.BEGINS, email="", on=days.starts, teams=[key], projects=roles)
        if days.ends is not None and not days.over(today) and key not in unread.teams:
            yield PendingChange(event=PendingEvent.ENDS, email="", on=days.ends + A_DAY, teams=[key], projects=roles)
    for name, declared in roster.own_accounts.items():
        if declared.expires and (last := day(declared.expires)) >= today:
            yield PendingChange(event=PendingEvent.ENDS, email="", on=last + A_DAY, account=name)


def _of_replaced_accounts(state: State, today: date) -> Iterator[PendingChange]:
    """The service accounts that another one has replaced, and that `revoke` deletes after their last day."""
    for account in state.accounts.values():
        name = name_of(account.urn).removeprefix(SERVICE_ACCOUNT.prefix) or account.name
        for replaced in Retiring.all_of(account.outputs):
            last = replaced.until.date()
            event = PendingEvent.OVERDUE if last < today else PendingEvent.ENDS
            yield PendingChange(event=event, email="", on=last + A_DAY, account=replaced.login, replaced_by=name)


def _of_person(all_of_one: Sequence[RosterEntry], today: date) -> Iterator[PendingChange]:
    """What changes for one person when an entry ends or begins, given what the others still or already give."""
    for entry in all_of_one:
        spans = [entry.days, *entry.memberships.values()]
        for first in sorted({span.starts for span in spans if span.starts is not None and span.starts > today}):
            yield from _change(PendingEvent.BEGINS, all_of_one, entry, first)
        for last in sorted({span.ends for span in spans if span.ends is not None and span.ends >= today}):
            yield from _change(PendingEvent.ENDS, all_of_one, entry, last + A_DAY)


def _change(
    event: PendingEvent, all_of_one: Sequence[RosterEntry], entry: RosterEntry, on: date
) -> Iterator[PendingChange]:
    before, after = effective_access_of(all_of_one, on - A_DAY), effective_access_of(all_of_one, on)
    roles, later_roles = _roles(before), _roles(after)
    teams, later_teams = _teams(before), _teams(after)
    giving = {**teams, **later_teams}
    own_day = on in (entry.starts, entry.ends and entry.ends + A_DAY)
    role, later_role = _organization_role(before), _organization_role(after)
    changed = own_day and _fits(event, role, later_role, organization_rank)
    change = PendingChange(
        event=event,
        email=entry.person.email,
        on=on,
        projects={
            key: step
            for key in entry.projects
            if (step := _step(roles.get(key), later_roles.get(key)))
            and _fits(event, roles.get(key), later_roles.get(key))
        },
        engagement=entry.engagement,
        teams=[key for key in entry.memberships if key in teams.keys() ^ later_teams.keys() and giving[key] is entry],
        organization_role=_step(role, later_role) if changed else None,
        membership=own_day and (before is None or after is None),
    )
    if change.projects or change.teams or change.membership or change.organization_role:
        yield change


def _roles(person: EffectivePerson | None) -> dict[str, str]:
    return {key: held.role for key, held in person.projects.items()} if person else {}


def _teams(person: EffectivePerson | None) -> Mapping[str, RosterEntry]:
    return person.teams if person else {}


def _organization_role(person: EffectivePerson | None) -> str | None:
    return person.organization_role if person else None


def _fits(
    event: PendingEvent, before: str | None, after: str | None, rank: Callable[[str | None], int] = project_rank
) -> bool:
    """Whether a step fits, where one entry ends and another begins: a higher role begins, and a lower one is an end."""
    if any(role and is_custom(role) for role in (before, after)):
        return True  # nobody knows which of the two is higher
    return rank(after) <= rank(before) if event is PendingEvent.ENDS else rank(after) >= rank(before)


def _step(before: str | None, after: str | None) -> str | None:
    """The role that goes or comes, or from which to which it changes; None where it stays."""
    if before == after:
        return None
    return f"{before} -> {after}" if before and after else before or after
