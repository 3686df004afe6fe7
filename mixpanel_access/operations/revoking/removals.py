"""What a stack's state holds and its roster no longer gives, resource by resource. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final

from mixpanel_access.model import resources as kinds
from mixpanel_access.model import roles
from mixpanel_access.model.address import same_key
from mixpanel_access.model.brakes import has_ended
from mixpanel_access.model.dates import day
from mixpanel_access.model.declaration import Declaration
from mixpanel_access.model.effective_access import RosterEntry, days_of, entries
from mixpanel_access.model.grants import REASON_FIELDS
from mixpanel_access.model.roster.salvage import NOTHING, Unread
from mixpanel_access.model.roster.schema import Roster
from mixpanel_access.operations.revoking.rows import StateRow, singles
from mixpanel_access.provider.account_runs import Retiring

_A_ROLE: Final = "a role"
"""A role that the state does not say: it is a secret, or the project has lost the grant."""


@dataclass(frozen=True)
class Removal:
    """One resource, or one person's part of a group, that is taken away.

    Attributes:
        urn: the resource in the engine.
        type: its type; of a part, that of the single resource which it stands for.
        what: what goes, in words.
        email: the person's address; "" for a team or a service account.
        project: the id of the project whose grant it is, or None.
        ends: the last day in the state, or None.
        planned: whether that has passed.
        role: the role that takes the place of the present one, or None where nothing does.
        team: the name of the team whose place it is, or None.
        inputs: what the resource is declared with then, or None where it goes as a whole.
        stays: how the person stays in the organization, if only the stack's resource goes; else "".
        last: the last day of the access, by the roster, else by the state; None if no such day has passed.
        entry: the roster's entry that gave it until then, or None.
        in_group: whether it is a part of a group, which stays for the others.
    """

    urn: str
    type: str
    what: str
    email: str = ""
    project: int | None = None
    ends: str | None = None
    planned: bool = False
    role: str | None = None
    team: str | None = None
    inputs: Mapping[str, Any] | None = field(default=None, compare=False)
    stays: str = field(default="", compare=False)
    last: date | None = field(default=None, compare=False)
    entry: RosterEntry | None = field(default=None, compare=False)
    in_group: bool = False

    @property
    def key(self) -> str:
        """The key of the address."""
        return same_key(self.email)

    def by_state(self, today: date) -> Removal:
        """The same, planned if the last day in the state has passed."""
        over = has_ended(self.ends, today)
        if not over and not self.planned and self.last is None:
            return self  # as of nearly everything in a state
        return replace(self, planned=over, last=day(self.ends) if over and self.ends else None)

    def __str__(self) -> str:
        return f"{self.what} of {self.email}" if self.email else self.what

    @property
    def lowers(self) -> bool:
        """Whether the person keeps a lower role instead of nothing."""
        return self.inputs is not None

    @property
    def place(self) -> tuple[str, str]:
        """What names it among single resources and parts, as `StateRow.place`."""
        return self.urn, self.key


@dataclass(frozen=True)
class RosterToday:
    """What the roster gives today, by what it is in Mixpanel and not by how the resource is called.

    Attributes:
        unread: what cannot be read of it.
        renamed: key of an address in the state -> key of the address that the person has in Mixpanel now.
        ended_only: whether no roster is asked, so that only what the state itself says has ended goes.
        roster: the roster, for what it says of other days; None where it is not read.
    """

    declared: Declaration
    today: date
    unread: Unread = NOTHING
    renamed: Mapping[str, str] = field(default_factory=dict)
    ended_only: bool = False
    roster: Roster | None = None

    def key(self, email: str) -> str:
        """The key by which the roster has the person of an address in the state."""
        key = same_key(email)
        now = self.renamed.get(key, key)
        return now if now in self.declared.members and key not in self.declared.members else key

    def unsure(self, key: str, *, planned: bool) -> bool:
        """Whether the unreadable part of the roster may give this person something."""
        return key in self.unread.people or (self.unread.anybody and not planned)

    def team(self, key: str, name: str) -> str | None:
        """The key by which the roster has a team of this key or name, or None."""
        if key in self.declared.teams:
            return key
        wanted = same_key(name)
        return next((one for one, inputs in self.declared.teams.items() if same_key(inputs["name"]) == wanted), None)

    def project(self, project: int) -> str:
        """A project by the roster's key, or by its id."""
        return self.declared.keys.get(project, f"project {project}")

    def given_by_entry(self, taking: Removal, gave: Callable[[RosterEntry], date | None]) -> Removal:
        """The removal of something of a person, with the entry that gave it last and has ended."""
        own = entries(self.roster).get(self.key(taking.email), ()) if self.roster else ()
        over = [(last, entry.ends or date.max, entry) for entry in own if (last := gave(entry)) and last < self.today]
        if not over:
            return taking
        last, _, entry = max(over, key=lambda one: one[:2])
        return replace(taking, last=last, entry=entry)

    def given_by_team(self, taking: Removal, key: str, name: str) -> Removal:
        """The removal of a team, or of a role of it, with its last day."""
        team = self.roster.teams.get(self._any_team(key, name)) if self.roster else None
        if team is None:
            return taking
        days = days_of(team)
        return replace(taking, last=days.ends if days.over(self.today) else None)

    def given_by_place(self, taking: Removal, key: str, name: str) -> Removal:
        """The removal of a person's place in a team, with the entry that gave it last and has ended."""
        team = self._any_team(key, name)
        return self.given_by_entry(taking, lambda one: one.memberships[team].ends if team in one.memberships else None)

    def _any_team(self, key: str, name: str) -> str:
        """The key by which the roster has a team on any day."""
        teams = self.roster.teams if self.roster else {}
        named = (one for one, team in teams.items() if same_key(team.name) == same_key(name))
        return key if key in teams else next(named, key)

    def unsure_of_team(self, key: str, name: str) -> bool:
        """Whether the unreadable part of the roster may be this team."""
        return bool({key, same_key(name)} & self.unread.teams)


def removals(rows: Sequence[StateRow], roster: RosterToday, among: Sequence[StateRow] = ()) -> list[Removal]:
    """What the state has of the roster's component and the roster no longer gives.

    `among` are all resources of the stack, if `rows` are some of them.

    Raises:
        InputError: an id in the state cannot be read.
    """
    return [taking for _, taking in removals_by_row(rows, roster, among)]


def removals_by_row(
    rows: Sequence[StateRow], roster: RosterToday, among: Sequence[StateRow] = ()
) -> Iterator[tuple[StateRow, Removal]]:
    """The same, each with the resource that it is about."""
    made = Made(among or rows)
    for row in singles(rows):
        for taking in () if row.going else _of(row, roster, made):
            if taking.planned or not roster.ended_only:
                yield row, taking


class Made:
    """The teams, accounts and custom roles that the state has, by their ids in Mixpanel."""

    def __init__(self, rows: Sequence[StateRow]) -> None:
        live = [row for row in rows if not row.going]
        self.teams = {
            row.ref.team: (row.key, str(row.outputs.get("name", ""))) for row in live if row.type == kinds.TEAM_TYPE
        }
        self.accounts = {row.ref.account: row.key for row in live if row.type == kinds.SERVICE_ACCOUNT_TYPE}
        self.role_ids = {
            roles.declared_role(row.key): row.ref.role for row in live if row.type == kinds.CUSTOM_ROLE_TYPE
        }


def _of(row: StateRow, roster: RosterToday, made: Made) -> Iterator[Removal]:
    match row.type:
        case kinds.MEMBER_TYPE:
            yield from _of_member(row, roster)
        case kinds.GRANT_TYPE:
            yield from _of_grant(row, roster, made)
        case kinds.PROJECT_ACCESS_TYPE if "grants" not in row.outputs:  # whose they are is a secret
            if (project := row.ref.project) not in roster.declared.project_access:
                yield _removal(row, f"the grants in {roster.project(project)}", {}, roster, project=project)
        case kinds.TEAM_TYPE:
            name = str(row.outputs.get("name", ""))
            if roster.team(row.key, name) is None and not roster.unsure_of_team(row.key, name):
                yield roster.given_by_team(_removal(row, f"the team {name}", row.outputs, roster), row.key, name)
        case kinds.TEAM_MEMBER_TYPE:
            yield from _of_team_member(row, roster, made)
        case kinds.TEAM_GRANT_TYPE:
            key, name = made.teams.get(row.ref.team, ("", str(row.ref.team)))
            if not roster.unsure_of_team(key, name):
                now = roster.declared.team_grants.get((row.ref.project, roster.team(key, name) or ""))
                for taking in _of_holder(row, f" of the team {name}", now, roster, made):
                    yield roster.given_by_team(taking, key, name)
        case kinds.SERVICE_ACCOUNT_TYPE:
            yield from _of_account(row, roster)
        case kinds.SERVICE_ACCOUNT_GRANT_TYPE:
            name = made.accounts.get(row.ref.account, "")
            if name not in roster.unread.accounts:
                now = roster.declared.account_grants.get((row.ref.project, name))
                yield from _of_holder(row, f" of the service account {name or row.ref.account}", now, roster, made)


def _removal(
    row: StateRow, what: str, values: Mapping[str, Any], roster: RosterToday, email: str = "", **more: Any
) -> Removal:
    """The removal of what has these values: of a resource its outputs, or one grant in it."""
    ends = values.get("ends")
    ends = ends if isinstance(ends, str) else None
    found = Removal(urn=row.urn, type=row.type, what=what, email=email, ends=ends, in_group=row.in_group, **more)
    return found.by_state(roster.today)


def _of_account(row: StateRow, roster: RosterToday) -> Iterator[Removal]:
    """A service account, or those that it has replaced and whose overlap has ended before today."""
    over = [one for one in Retiring.all_of(row.outputs) if one.until.date() < roster.today]
    if not roster.ended_only and row.key not in roster.declared.accounts and row.key not in roster.unread.accounts:
        yield _removal(row, f"the service account {row.key}", {}, roster)
    elif over:
        logins, ends = ", ".join(one.login for one in over), over[0].until.date().isoformat()
        what = f"the service account {logins}, which another one has replaced"
        yield _removal(row, what, {"ends": ends}, roster, inputs=row.inputs)


def _of_member(row: StateRow, roster: RosterToday) -> Iterator[Removal]:
    email = row.ref.email
    taking, key = _removal(row, "the membership in the organization", row.outputs, roster, email), roster.key(email)
    if roster.unsure(key, planned=taking.planned):
        return
    now = roster.declared.members.get(key)
    if now is None:
        yield roster.given_by_entry(taking, lambda one: one.ends)
        return
    before, after = row.outputs.get("role"), now.get("role")
    if roster.unread.roles or before is None or roles.organization_rank(after) >= roles.organization_rank(before):
        return
    if after is None and roles.organization_rank(before) <= roles.organization_rank(roles.MEMBER):
        return
    what = f"the organization role: {before} -> {after or 'what they had before'}"
    taking = roster.given_by_entry(taking, lambda one: one.ends if one.person.organization_role == before else None)
    yield replace(taking, what=what, role=after or roles.MEMBER, inputs=_lowered(row.inputs, after, now))


def _of_grant(row: StateRow, roster: RosterToday, made: Made) -> Iterator[Removal]:
    """One grant of a person."""
    one = {**row.inputs, **row.outputs}
    email, before, project = row.ref.email, str(one.get("role") or _A_ROLE), row.ref.project
    taking, key = _removal(row, before, one, roster, email, project=project), roster.key(email)
    if not roster.unsure(key, planned=taking.planned):
        here = roster.project(project)

        def gave(entry: RosterEntry) -> date | None:
            role = entry.projects.get(here)
            return entry.ends if role and before in (_A_ROLE, _known({"role": role}, made)) else None

        now = roster.declared.grants.get((project, key))
        for going in _of_role(taking, "", row.inputs, now, roster, made):
            yield roster.given_by_entry(going, gave)


def _of_holder(
    row: StateRow, whose: str, now: Mapping[str, Any] | None, roster: RosterToday, made: Made
) -> Iterator[Removal]:
    """The role of a team or a service account."""
    taking = _removal(row, str(row.outputs.get("role", "")), row.outputs, roster, project=row.ref.project)
    yield from _of_role(taking, whose, row.inputs, now, roster, made)


def _of_role(
    taking: Removal,
    whose: str,
    inputs: Mapping[str, Any],
    now: Mapping[str, Any] | None,
    roster: RosterToday,
    made: Made,
) -> Iterator[Removal]:
    """A role in a project that goes, or that a lower one takes the place of; `taking.what` is the role alone."""
    before, where = taking.what, f"{whose} in {roster.project(taking.project or 0)}"
    if now is None or _waits(before, now, taking.planned, roster, made):
        yield replace(taking, what=f"{before}{where}")
    elif after := _lower(before, now, taking.planned, roster, made):
        lowered = _lowered(inputs, now["role"], now)
        yield replace(taking, what=f"{before} -> {after}{where}", role=after, inputs=lowered)


def _of_team_member(row: StateRow, roster: RosterToday, made: Made) -> Iterator[Removal]:
    email = row.ref.email
    key, name = made.teams.get(row.ref.team, ("", str(row.ref.team)))
    taking = _removal(row, f"the membership in the team {name}", row.outputs, roster, email, team=name)
    team, person = roster.team(key, name), roster.key(email)
    if roster.unsure_of_team(key, name) or roster.unsure(person, planned=taking.planned):
        return
    if team is None or (team, person) not in roster.declared.team_members:
        yield roster.given_by_place(taking, key, name)


def _waits(before: str, now: Mapping[str, Any], planned: bool, roster: RosterToday, made: Made) -> bool:
    """Whether a role has ended and the one that follows is a custom role that is not made yet: only `up` can give it.

    Nobody can say how much that will be, so nothing takes the place of the role that has ended until then.
    """
    return planned and not roster.unread.roles and not _known(now, made) and before != str(now["role"])


def _known(now: Mapping[str, Any], made: Made) -> str:
    """The role as Mixpanel knows it: one of its words or a custom role's id; "" for a role that is not made yet."""
    role = str(now["role"])
    return made.role_ids.get(role, "") if roles.is_custom(role) and not roles.is_role_id(role) else role


def _lower(before: str, now: Mapping[str, Any], planned: bool, roster: RosterToday, made: Made) -> str | None:
    """The role that is less than the one before, or None where it is as much or more.

    Nobody can tell which of two is higher where one is a custom role: then the one before goes if its end has passed.
    """
    after = _known(now, made)
    if not after or after == before or roster.unread.roles:
        return None
    if roles.is_custom(before) or roles.is_custom(after):
        return after if planned else None
    return after if roles.project_rank(after) < roles.project_rank(before) else None


def _lowered(inputs: Mapping[str, Any], role: Any, now: Mapping[str, Any]) -> dict[str, Any]:
    """A resource's inputs with a lower role, or none, and the reasons of the entry that gives it."""
    kept = {name: value for name, value in inputs.items() if name not in ("role", *REASON_FIELDS)}
    reasons = {name: now[name] for name in REASON_FIELDS if now.get(name) is not None}
    return {**kept, **({"role": role} if role else {}), **reasons}


def with_words(inputs: Mapping[str, Any], words: Mapping[str, str]) -> Mapping[str, Any]:
    """The inputs with the words of the stack's own custom roles in place of their ids."""
    role = inputs.get("role")
    return {**inputs, "role": words[role]} if isinstance(role, str) and role in words else inputs
