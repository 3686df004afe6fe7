"""What the next `pulumi up` changes in a stack today: what its state has beyond its roster, and what it lacks. Pure.

What goes is what `revoke` takes away (`revoking.removals`); here it gets its day, and the entry that gave it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any, Final

from mixpanel_access.model import resources as kinds
from mixpanel_access.model.address import same_key
from mixpanel_access.model.dates import ends_at
from mixpanel_access.model.declaration import Declaration, declaration
from mixpanel_access.model.effective_access import (
    EffectivePerson,
    RosterEntry,
    days_of,
    effective_access_of,
    effective_by_key,
    entries,
)
from mixpanel_access.model.roster.salvage import Unread
from mixpanel_access.model.roster.schema import Roster
from mixpanel_access.operations.pending.change import A_DAY, PendingChange, PendingEvent
from mixpanel_access.operations.revoking.removals import Removal, RosterToday, removals_by_row
from mixpanel_access.operations.revoking.rows import StateRow, rows_of_state
from mixpanel_access.operations.state import State, StateResource, name_of, role_words, team_keys

_EMPTY: Final = Declaration({}, {}, (), {}, {}, ())

_OF_TEAMS: Final = (kinds.TEAM_TYPE, kinds.TEAM_MEMBER_TYPE, kinds.TEAM_GRANT_TYPE)
_OF_ACCOUNTS: Final = (kinds.SERVICE_ACCOUNT_TYPE, kinds.SERVICE_ACCOUNT_GRANT_TYPE)
_Gives = Callable[[EffectivePerson], bool]
"""Whether what somebody has on a day is or has what is asked about."""
_Lowered = frozenset[tuple[str, str]]
"""What keeps a lower role: the resource in the engine, and the key of the address."""


def changes_now(
    roster: Roster | None, state: State, today: date, unread: Unread, renamed: Mapping[str, str]
) -> Iterator[PendingChange]:
    """The changes in their parts, what goes first; the arguments are those of `pending_changes`."""
    stack = _Stack(roster, state, today, unread, renamed)
    removals = stack.removals()
    for row, taking in removals:
        if not (taking.type == kinds.SERVICE_ACCOUNT_TYPE and taking.planned):  # `later` has those that are replaced
            yield stack.going(row, taking)
    if roster is not None:
        yield from stack.missing(roster, frozenset((one.urn, one.key) for _, one in removals if one.lowers))


class _Stack:
    """A stack on a day: what its state has and its roster does not give, and what it lacks."""

    def __init__(
        self, roster: Roster | None, state: State, today: date, unread: Unread, renamed: Mapping[str, str]
    ) -> None:
        self.roster, self.state, self.today = roster, state, today
        self.entries = entries(roster) if roster else {}
        self.given = RosterToday(
            declared=declaration(roster, today) if roster else _EMPTY,
            today=today,
            unread=unread,
            renamed=renamed,
            roster=roster,
        )
        self.words = role_words(state)
        self.teams = team_keys(roster, state)

    # What the state has and the roster does not give

    def removals(self) -> list[tuple[StateRow, Removal]]:
        """What goes; what a program declares outside of the roster goes by the last day in the state alone."""
        rows = rows_of_state(self.state)
        inside = [row for row in rows if self.roster is not None and row.parent == self.state.component]
        outside = [row for row in rows if self.roster is None or row.parent != self.state.component]
        ended = RosterToday(_EMPTY, self.today, ended_only=True)
        return [*removals_by_row(inside, self.given, rows), *removals_by_row(outside, ended, rows)]

    def going(self, row: StateRow, taking: Removal) -> PendingChange:
        """The part of a change that a removal is, with the day and the reason by what gave it last."""
        held = self.state.grants.get((taking.project or 0, same_key(taking.email)))
        why = taking.entry.engagement if taking.entry else (held or row).outputs.get("engagement")
        own = self.entries.get(self.given.key(taking.email), ())
        lowers = row.type == kinds.MEMBER_TYPE and taking.lowers
        role = self._role(row, taking, held, taking.project) if taking.project is not None else {}
        return PendingChange(
            event=PendingEvent.OVERDUE if taking.last else PendingEvent.REMOVED,
            email=own[0].person.email if own else taking.email,
            on=taking.last + A_DAY if taking.last else self.today,
            projects=role,
            engagement=why if taking.email and isinstance(why, str) else None,
            teams=[self._team(row)] if row.type in _OF_TEAMS else (),
            account=self._account(row.ref.account) if row.type in _OF_ACCOUNTS else "",
            organization_role=f"{row.outputs.get('role') or ''} -> {taking.role}" if lowers else None,
            membership=row.type == kinds.MEMBER_TYPE and not lowers,
            edited=taking.last is None,
        )

    def _role(self, row: StateRow, taking: Removal, held: StateResource | None, project: int) -> dict[str, str]:
        """A role in a project that goes, or that a lower one takes the place of."""
        before = self._word(project, held.role if held else str(row.outputs.get("role") or ""))
        words = f"{before} -> {self._word(project, taking.role)}" if taking.role else before
        return {self.given.project(project): words}

    def _team(self, row: StateRow) -> str:
        return self.teams.get(row.ref.team, str(row.ref.team))

    def _account(self, id_: int) -> str:
        held = self.state.accounts.get(id_)
        return name_of(held.urn).removeprefix(kinds.SERVICE_ACCOUNT.prefix) or held.name if held else str(id_)

    def _word(self, project: int, role: str) -> str:
        """A role of the state by the roster's word for it."""
        return self.words.get((project, role)) or role or "a role"

    # What the roster gives and the state does not have

    def missing(self, roster: Roster, lowered: _Lowered) -> Iterator[PendingChange]:
        """The parts of changes that give something; what keeps a lower role is not missing."""
        yield from self._missing_of_people(roster, lowered)
        given, late = self.given.declared, PendingChange(event=PendingEvent.LATE, email="", on=self.today, edited=True)
        roles = self._missing_roles(given.team_grants, self.state.team_grants, self.teams.get, lowered)
        there = set(self.teams.values())
        for key in (key for key in given.teams if key not in there or key in roles):
            starts = None if key in there else days_of(roster.teams[key]).starts
            on = starts or self.today
            yield replace(late, on=on, edited=starts is None, teams=[key], projects=roles.get(key, {}))
        roles = self._missing_roles(given.account_grants, self.state.account_grants, self._account, lowered)
        there = set(map(self._account, self.state.accounts))
        for key in (key for key in given.accounts if key not in there or key in roles):
            refused = "" if key in there else self._expired(given.accounts[key].get("expires"))
            yield replace(late, account=key, projects=roles.get(key, {}), refused=refused)

    def _expired(self, expires: str | None) -> str:
        """Why the provider creates no service account that Mixpanel would refuse; "" if it creates one."""
        return f"its `expires` {expires} is past" if expires and ends_at(expires).date() <= self.today else ""

    def _missing_of_people(self, roster: Roster, lowered: _Lowered) -> Iterator[PendingChange]:
        members = {self.given.key(one.email): one for one in self.state.members.values()}
        places = {(self.teams.get(id_), self.given.key(one.email)) for (id_, _), one in self.state.team_members.items()}
        grants = {(id_, self.given.key(one.email)): one for (id_, _), one in self.state.grants.items()}
        for key, now in effective_by_key(roster, self.today).items():
            own, member, role = self.entries[key], members.get(key), now.organization_role
            if member is None:
                late = self._late(now.entry, own, _is_there)
                yield replace(late, organization_role=role, membership=True)
            elif missing := self._missing_role(None, role, member, lowered):
                late = self._late(now.entry, own, partial(_has_organization_role, role), member)
                yield replace(late, organization_role=missing)
            for project, given in now.projects.items():
                id_ = roster.projects[project].id
                held = grants.get((id_, key))
                if missing := self._missing_role(id_, given.role, held, lowered):
                    late = self._late(given.entry, own, partial(_has_role, project, given.role), held)
                    yield replace(late, projects={project: missing})
            for team, entry in now.teams.items():
                if (team, key) not in places:
                    yield replace(self._late(entry, own, partial(_has_place, team)), teams=[team])

    def _missing_roles(
        self,
        declared: Mapping[tuple[int, str], Mapping[str, Any]],
        state: Mapping[Any, StateResource],
        holder: Callable[[int], str | None],
        lowered: _Lowered,
    ) -> dict[str, dict[str, str]]:
        """The roles that teams or service accounts lack: their key -> project key -> role."""
        held = {(project, holder(id_)): one for (project, id_), one in state.items()}
        found: dict[str, dict[str, str]] = {}
        for (project, key), inputs in declared.items():
            if missing := self._missing_role(project, inputs["role"], held.get((project, key)), lowered):
                found.setdefault(key, {})[self.given.project(project)] = missing
        return found

    def _late(
        self, entry: RosterEntry, own: Sequence[RosterEntry], gives: _Gives, held: StateResource | None = None
    ) -> PendingChange:
        """Why something is missing: its day has come; or, on any day, somebody has changed the roster.

        If the entry that the state has gives it today, somebody has changed that entry: only others can have begun.
        """

        def changed(one: RosterEntry) -> bool:
            names = ("engagement", "starts")
            is_same = held is not None and all(one.metadata.get(name) == held.outputs.get(name) for name in names)
            return is_same and _gives_on([one], self.today, gives)

        first = _first_day([one for one in own if not changed(one)], self.today, gives)
        return PendingChange(
            event=PendingEvent.LATE,
            email=entry.person.email,
            on=first or self.today,
            engagement=entry.engagement,
            edited=first is None,
        )

    def _missing_role(
        self, project: int | None, declared: str | None, held: StateResource | None, lowered: _Lowered
    ) -> str:
        """The role that is missing, `analyst -> admin` where there is another one; "" where it is there."""
        if held is None or declared is None:
            return declared or ""
        have = held.role if project is None else self._word(project, held.role)
        lower, secret = (held.urn, same_key(held.email)) in lowered, "role" in getattr(held.outputs, "secrets", ())
        if have == declared or lower or secret:
            return ""
        return f"{have} -> {declared}" if have else declared


def _gives_on(own: Sequence[RosterEntry], day: date, gives: _Gives) -> bool:
    person = effective_access_of(own, day)
    return person is not None and gives(person)


def _first_day(own: Sequence[RosterEntry], today: date, gives: _Gives) -> date | None:
    """The first of the days until today on which entries together give something; None if no day is the first."""
    spans = [span for entry in own for span in (entry.days, *entry.memberships.values())]
    days = {day for span in spans for day in (span.starts, span.ends and span.ends + A_DAY) if day and day <= today}
    if not _gives_on(own, today, gives):
        return None
    return next((day for day in sorted(days, reverse=True) if not _gives_on(own, day - A_DAY, gives)), None)


def _is_there(person: EffectivePerson) -> bool:  # noqa: ARG001
    return True


def _has_organization_role(role: str | None, person: EffectivePerson) -> bool:
    return person.organization_role == role


def _has_role(project: str, role: str, person: EffectivePerson) -> bool:
    return project in person.projects and person.projects[project].role == role


def _has_place(team: str, person: EffectivePerson) -> bool:
    return team in person.teams
