"""What the next `pulumi up` changes in a stack today: what its state has beyond its roster, and what it lacks. Pure.

What goes is what `revoke` takes away (`revoking.removals`); here it gets its day, and the entry that gave it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any, Final

from mixpanel_access.model import resources as kinds
from mixpanel_access.model.address import same_key
from mixpanel_access.model.dates import day
from mixpanel_access.model.declaration import Declaration, declaration
from mixpanel_access.model.declared_inputs import standard_role
from mixpanel_access.model.effective_access import EffectivePerson, RosterEntry, days_of, effective_by_key, entries
from mixpanel_access.model.roles import declared_role
from mixpanel_access.model.roster.salvage import Unread
from mixpanel_access.model.roster.schema import Roster, RosterTeam
from mixpanel_access.model.teams import same_name
from mixpanel_access.operations.revoking.removals import Removal, RosterToday, StateRow, removals_by_row, rows_of_state
from mixpanel_access.operations.scheduled import A_DAY, ChangeCause, ChangePart, ScheduledEvent
from mixpanel_access.operations.state import State, StateResource, name_of

_EMPTY: Final = Declaration({}, {}, (), {}, {}, ())


def team_keys(roster: Roster | None, state: State) -> dict[int, str]:
    """Mixpanel's id of each team in a state -> its key in the roster, else the one in the resource's name."""
    declared: Mapping[str, RosterTeam] = roster.teams if roster else {}

    def key(team: StateResource) -> str:
        own = name_of(team.urn).removeprefix(kinds.TEAM.prefix)
        named = (key for key, one in declared.items() if same_name(one.name, team.name))
        return own if own in declared else next(named, own or team.name or str(team.team))

    return {team.team: key(team) for team in state.teams.values()}


class Undone:
    """A stack on a day: what its state has and its roster does not give, and what it lacks.

    The arguments are those of `changes_by_the_clock`.
    """

    def __init__(
        self, roster: Roster | None, state: State, today: date, unread: Unread, renamed: Mapping[str, str]
    ) -> None:
        self.roster, self.state, self.today, self.unread = roster, state, today, unread
        self.entries = entries(roster) if roster else {}
        self.given = RosterToday(declaration(roster, today) if roster else _EMPTY, today, unread, renamed)
        self.words = {
            place: declared_role(name_of(one.urn).removeprefix(kinds.CUSTOM_ROLE.prefix))
            for place, one in state.custom_roles.items()
        }
        self.teams = team_keys(roster, state)
        self.lowered: set[tuple[Any, ...]] = set()

    def parts(self) -> Iterator[tuple[ChangeCause, ChangePart]]:
        """Every change in its parts, what goes first."""
        yield from list(self._left_over())  # what is lowered is not missing
        if self.roster is not None:
            yield from self._missing(self.roster)

    # What the state has and the roster does not give

    def _left_over(self) -> Iterator[tuple[ChangeCause, ChangePart]]:
        rows = rows_of_state(self.state)
        inside = [row for row in rows if self.roster is not None and row.parent == self.state.component]
        outside = [row for row in rows if self.roster is None or row.parent != self.state.component]
        ended = RosterToday(_EMPTY, self.today, ended_only=True)  # what a program declares, only the program knows
        for own, given in ((inside, self.given), (outside, ended)):
            for row, taking in removals_by_row(own, given, rows):
                yield from self._of_removal(row, taking)

    def _of_removal(self, row: StateRow, taking: Removal) -> Iterator[tuple[ChangeCause, ChangePart]]:
        key = self.given.key(taking.email)
        match row.type:
            case kinds.MEMBER_TYPE if taking.lowers:
                self.lowered.add((key,))
                was = str(row.outputs.get("role") or "")
                cause = self._cause(row, taking, lambda one: one.ends if one.person.organization_role == was else None)
                yield cause, ChangePart(organization_role=f"{was} -> {taking.role}")
            case kinds.MEMBER_TYPE:
                yield self._cause(row, taking, lambda one: one.ends), ChangePart(membership=True)
            case kinds.TEAM_MEMBER_TYPE:
                team = self._team(row)
                places = self._cause(row, taking, lambda one: _ends_in(one, team))
                yield places, ChangePart(teams=[team])
            case kinds.TEAM_TYPE:
                yield self._cause_of_team(self._team(row), taking), ChangePart()
            case kinds.SERVICE_ACCOUNT_TYPE if not taking.planned:
                yield self._cause_today(ScheduledEvent.REMOVED, account=row.key), ChangePart()
            case _ if taking.project is not None:
                yield self._of_role(row, taking, taking.project)

    def _of_role(self, row: StateRow, taking: Removal, id_: int) -> tuple[ChangeCause, ChangePart]:
        """A role in a project that goes, or that a lower one takes the place of."""
        key, project = self.given.key(taking.email), self.given.project(id_)
        held = self.state.grants.get((id_, same_key(taking.email))) if taking.email else None
        before = self._word(id_, held.role if held else str(row.outputs.get("role") or ""))
        after = self._word(id_, taking.role) if taking.role else ""
        part = ChangePart({project: f"{before} -> {after}" if after else before})
        holder: tuple[Any, ...] = (key,)
        if row.type == kinds.TEAM_GRANT_TYPE:
            holder = ("team", team := self._team(row))
            cause = self._cause_of_team(team, taking)
        elif row.type == kinds.SERVICE_ACCOUNT_GRANT_TYPE:
            holder = ("account", name := self._account(row.ref.account))
            cause = self._cause_today(ScheduledEvent.REMOVED, account=name)
        else:
            cause = self._cause(row, taking, lambda one: one.ends if one.projects.get(project) == before else None)
        if taking.lowers:
            self.lowered.add((id_, *holder))
        return cause, part

    def _cause(self, row: StateRow, taking: Removal, gave: Callable[[RosterEntry], date | None]) -> ChangeCause:
        """Why something of a person goes: by the entry that gave it last, else by the last day in the state."""
        own = self.entries.get(self.given.key(taking.email), ())
        ended = [(last, entry.ends or date.max, entry) for entry in own if (last := gave(entry)) and last < self.today]
        if ended:
            last, _, entry = max(ended, key=lambda one: one[:2])
            return ChangeCause(ScheduledEvent.OVERDUE, entry.person.email, last + A_DAY, entry.engagement)
        email = own[0].person.email if own else taking.email
        held = self.state.grants.get((taking.project or 0, same_key(taking.email)))
        why = (held.outputs if held else row.outputs).get("engagement")
        engagement = why if isinstance(why, str) else None
        if taking.planned and taking.ends:
            return ChangeCause(ScheduledEvent.OVERDUE, email, day(taking.ends) + A_DAY, engagement)
        return ChangeCause(ScheduledEvent.REMOVED, email, self.today, engagement)

    def _cause_of_team(self, key: str, taking: Removal) -> ChangeCause:
        team = self.roster.teams.get(key) if self.roster else None
        last = days_of(team).ends if team else day(taking.ends) if taking.planned and taking.ends else None
        if last is not None and last < self.today:
            return ChangeCause(ScheduledEvent.OVERDUE, "", last + A_DAY, team=key)
        return self._cause_today(ScheduledEvent.REMOVED, team=key)

    def _cause_today(self, event: ScheduledEvent, **whose: str) -> ChangeCause:
        return ChangeCause(event, "", self.today, **whose)

    def _team(self, row: StateRow) -> str:
        return self.teams.get(row.ref.team, str(row.ref.team))

    def _account(self, id_: int) -> str:
        held = self.state.accounts.get(id_)
        return name_of(held.urn).removeprefix(kinds.SERVICE_ACCOUNT.prefix) or held.name if held else str(id_)

    def _word(self, project: int, role: str) -> str:
        """A role of the state by the roster's word for it."""
        return self.words.get((project, role)) or role or "a role"

    # What the roster gives and the state does not have

    def _missing(self, roster: Roster) -> Iterator[tuple[ChangeCause, ChangePart]]:
        members = {self.given.key(one.email): one for one in self.state.members.values()}
        grants = {(id_, self.given.key(one.email)): one for (id_, _), one in self.state.grants.items()}
        places = {(self.teams.get(id_), self.given.key(one.email)) for (id_, _), one in self.state.team_members.items()}
        for key, now in effective_by_key(roster, self.today).items():
            role = self._missing_organization_role(now, members.get(key))
            if key not in members or role:
                yield self._late(now.entry), ChangePart(organization_role=role, membership=key not in members)
            for project, held in now.projects.items():
                id_ = roster.projects[project].id
                if (id_, key) not in self.lowered and (
                    missing := self._missing_role(id_, held.role, grants.get((id_, key)))
                ):
                    yield self._late(held.entry, grants.get((id_, key))), ChangePart({project: missing})
            for team, entry in now.teams.items():
                if (team, key) not in places:
                    yield self._late(entry, starts=entry.memberships[team].starts), ChangePart(teams=[team])
        yield from self._missing_of_teams(roster)
        yield from self._missing_of_accounts(roster)

    def _late(self, entry: RosterEntry, held: StateResource | None = None, starts: date | None = None) -> ChangeCause:
        """Why something is missing: its day has come; or, on any day, somebody has changed the roster."""
        starts = starts or entry.starts
        edited = held is not None and held.outputs.get("engagement") == entry.engagement
        on = self.today if edited or starts is None else starts
        return ChangeCause(ScheduledEvent.LATE, entry.person.email, on, entry.engagement)

    def _missing_organization_role(self, now: EffectivePerson, held: StateResource | None) -> str | None:
        declared = now.organization_role
        if declared is None or (held is not None and (held.role == declared or _is_secret(held))):
            return None
        if (now.key,) in self.lowered:
            return None
        return f"{held.role} -> {declared}" if held is not None and held.role else declared

    def _missing_role(self, project: int, declared: str, held: StateResource | None) -> str:
        """The role that is missing, `analyst -> admin` where there is another one; "" where it is there."""
        if held is None:
            return declared
        have = self._word(project, held.role)
        return "" if _is_secret(held) or have == declared else f"{have} -> {declared}"

    def _missing_of_teams(self, roster: Roster) -> Iterator[tuple[ChangeCause, ChangePart]]:
        there = set(self.teams.values())
        grants = {(id_, self.teams.get(team)): one for (id_, team), one in self.state.team_grants.items()}
        for key, team in roster.teams.items():
            days = days_of(team)
            if not days.current(self.today):
                continue
            missing = {
                project: role
                for project, declared in roles_of_team(roster, team).items()
                if (id_ := roster.projects[project].id, "team", key) not in self.lowered
                and (role := self._missing_role(id_, declared, grants.get((id_, key))))
            }
            if missing or key not in there:
                on = days.starts if days.starts is not None and key not in there else self.today
                yield ChangeCause(ScheduledEvent.LATE, "", on, team=key), ChangePart(missing)

    def _missing_of_accounts(self, roster: Roster) -> Iterator[tuple[ChangeCause, ChangePart]]:
        there = {self._account(id_) for id_ in self.state.accounts}
        grants = {(id_, self._account(account)): one for (id_, account), one in self.state.account_grants.items()}
        for name, account in roster.own_accounts.items():
            missing = {
                project: role
                for project, declared in account.projects.items()
                if (id_ := roster.projects[project].id, "account", name) not in self.lowered
                and (role := self._missing_role(id_, roster.role_here(project, declared), grants.get((id_, name))))
            }
            if missing or name not in there:
                yield self._cause_today(ScheduledEvent.LATE, account=name), ChangePart(missing)


def _ends_in(entry: RosterEntry, team: str) -> date | None:
    return entry.memberships[team].ends if team in entry.memberships else None


def roles_of_team(roster: Roster, team: RosterTeam) -> dict[str, str]:
    """The roles of a team of a roster, by project, with the standard one where it names none."""
    return {key: roster.role_here(key, role or standard_role(roster, team)) for key, role in team.projects.items()}


def _is_secret(held: StateResource) -> bool:
    return "role" in getattr(held.outputs, "secrets", ())
