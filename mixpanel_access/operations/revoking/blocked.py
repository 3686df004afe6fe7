"""Which removals must wait: for brakes, protected resources, what Mixpanel no longer has, and pending creations."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

from mixpanel_access.directory.grants import ProjectGrants
from mixpanel_access.model import resources as kinds
from mixpanel_access.model import roles
from mixpanel_access.model.address import same_key
from mixpanel_access.model.brakes import (
    Brake,
    BrakeFinding,
    DeclaredPerson,
    PlannedChanges,
    judge,
    judge_grants,
)
from mixpanel_access.model.errors import MixpanelError
from mixpanel_access.model.grants import GrantChanges
from mixpanel_access.model.grouping import grouped
from mixpanel_access.model.groups import part_properties, single_kind
from mixpanel_access.model.resource_ids import number_in
from mixpanel_access.operations.outputs import Outputs
from mixpanel_access.operations.revoking.removals import Removal, RosterToday
from mixpanel_access.operations.revoking.rows import StateRow, is_whole, singles
from mixpanel_access.provider import elsewhere
from mixpanel_access.provider.exported_states import interrupted_in
from mixpanel_access.provider.leaving import endings, leaving
from mixpanel_access.provider.run import declared_people
from mixpanel_access.provider.session import Session

_WITH_PERSON: Final = (kinds.GRANT_TYPE, kinds.TEAM_MEMBER_TYPE)
"""The types whose resources need the person's `Member`."""
_People = Callable[[], Mapping[str, DeclaredPerson]]
"""Everybody who has a `Member` in the state; read when it is first asked, since a team's name may be Mixpanel's."""


@dataclass(frozen=True)
class BlockedRemoval:
    """A removal that must wait, and why."""

    taking: Removal
    reason: str


@dataclass(frozen=True)
class RemovalDecision:
    """Which removals happen, and which are blocked."""

    goes: Sequence[Removal]
    held: Sequence[BlockedRemoval]


def decide_removals(
    found: Sequence[Removal], rows: Sequence[StateRow], session: Session, stack: str
) -> RemovalDecision:
    """Decide which removals happen and which are blocked.

    A brake holds only the people that it is about. Everybody else goes, and people whose end was planned go first.
    """
    goes: list[Removal] = []
    held: list[BlockedRemoval] = []
    by_urn, rows = {row.urn: row for row in rows}, list(singles(rows))
    people = lru_cache(lambda: declared_people(rows, session.organization, rows, session.team_name))
    for taking in found:
        try:
            if _is_there(taking, session, whole=is_whole(by_urn[taking.urn])):
                goes.append(taking)
        except MixpanelError as error:
            held.append(BlockedRemoval(taking, str(error)))

    def hold(reason: str, stays: Sequence[Removal]) -> None:
        held.extend(BlockedRemoval(taking, reason) for taking in stays)
        goes[:] = [taking for taking in goes if taking not in stays]

    for taking in [one for one in goes if by_urn[one.urn].protected and not one.lowers and not one.in_group]:
        unprotect = f"pulumi state unprotect {shlex.quote(taking.urn)} --stack {shlex.quote(stack)}"
        hold(f"it is protected: remove the option `protect`, or run: {unprotect}", [taking])
    now = session.directory.key_of  # the brakes know people by the address that they have now
    for reason, untold in list(_untold(goes, people, session)):
        hold(reason, [untold])
    for reason, key in list(_braked(goes, people, session)):
        hold(reason, [taking for taking in goes if now(taking.key) == key])
    given_elsewhere = _given_elsewhere(goes, rows, by_urn, session)
    together = [one for one in goes if one not in given_elsewhere and is_whole(by_urn[one.urn])]
    for reason, project, keys in list(_braked_grants(together, session)):
        hold(reason, [one for one in together if one.project == project and now(one.key) in keys])
    needing = _needing([one.taking for one in held], rows)
    for taking in [one for one in goes if not one.lowers]:
        if stay := needing.get(taking.place):
            hold(f"what stays depends on it: {', '.join(map(str, stay))}", [taking])
    how = {**{taking: _stays(taking, people, session) for taking in goes}, **given_elsewhere}
    return RemovalDecision([replace(taking, stays=how[taking]) for taking in goes], held)


def _given_elsewhere(
    goes: Sequence[Removal], rows: Sequence[StateRow], by_urn: Mapping[str, StateRow], session: Session
) -> dict[Removal, str]:
    """What only leaves the state of this stack, since another one gives it too, and that in words."""
    by_place = {row.place: row for row in rows if row.type in kinds.KINDS}
    found: dict[Removal, str] = {}
    for taking in goes:
        row = by_place.get(taking.place)
        if row is None or taking.lowers:
            continue
        if stacks := _stacks_that_give(taking, row, by_urn[taking.urn].outputs, session):
            found[taking] = f"stays, as {elsewhere.given_by(stacks)}"
    return found


def _stacks_that_give(taking: Removal, row: StateRow, props: Mapping[str, Any], session: Session) -> Sequence[str]:
    """The other stacks that give what goes; the properties of its resource in the engine say whose state it is in."""
    if taking.type == kinds.GRANT_TYPE:
        return elsewhere.grants(session, taking.project or 0, [taking.email], props).get(taking.email, [])
    if taking.type == kinds.TEAM_MEMBER_TYPE:
        return elsewhere.team_place(session, row.ref.team, taking.email, props)
    if taking.type == kinds.TEAM_GRANT_TYPE:
        return elsewhere.team_grant(session, row.ref.team, taking.project or 0, props)
    return ()


def _stays(taking: Removal, people: _People, session: Session) -> str:
    """How somebody stays in the organization whose `Member` goes from the state, or "" if something is taken away."""
    if taking.type != kinds.MEMBER_TYPE or taking.lowers:
        return ""
    for ending in endings(session, _declared([taking], people)):
        person = session.directory.person(ending.email)
        if not ending.leaves and ending.role is None and person is not None:
            plain = person.role in (None, roles.MEMBER)
            return "stays as a plain member" if plain else f"stays as organization {person.role}"
    return ""


def _is_there(taking: Removal, session: Session, *, whole: bool) -> bool:
    """Whether there is anything to lower: to bring somebody back with the lower role would be giving.

    `whole` is whether it is one of all grants of a project, which are read and changed together.
    """
    if not taking.lowers or whole or taking.type == kinds.SERVICE_ACCOUNT_TYPE:
        return True
    directory, project, lower = session.directory, taking.project, roles.project_rank(taking.role)
    if taking.type == kinds.MEMBER_TYPE:
        person = directory.person(taking.email)
        return person is not None and not person.deactivated
    if project is None or directory.project_is_gone(project):
        return False
    if taking.type == kinds.GRANT_TYPE:
        role = directory.access(project, taking.email).individual
        hidden = role is None and directory.hides_grant(project, taking.email)
        return hidden or (role is not None and roles.project_rank(role) >= lower)
    return True


def _untold(goes: Sequence[Removal], people: _People, session: Session) -> Iterator[tuple[str, Removal]]:
    """The places in the organization that stay because nobody can say who leaves, and why; their grants may go."""
    for taking in goes:
        if taking.type == kinds.MEMBER_TYPE and not taking.lowers:
            try:
                leaving(session, _declared([taking], people))
            except MixpanelError as error:
                yield f"whether they hold anything else is not known: {error}", taking


def _braked(goes: Sequence[Removal], declared: _People, session: Session) -> Iterable[tuple[str, str]]:
    """Why a brake holds somebody, and the key of their address in Mixpanel: for each person that it holds."""
    directory, limits = session.directory, session.settings.limits
    people = directory.people()
    members = {directory.key_of(taking.key): taking for taking in goes if taking.type == kinds.MEMBER_TYPE}
    gone = leaving(session, _declared([taking for taking in members.values() if not taking.lowers], declared))
    lowered = {key: taking.role or roles.MEMBER for key, taking in members.items() if taking.lowers}
    held: set[str] = set()
    while True:
        plan = PlannedChanges(
            frozenset(gone - held),
            {key: role for key, role in lowered.items() if key in people and key not in held},
            frozenset(key for key in gone - held if members[key].planned),
        )
        findings = judge(
            people, plan, own_address=session.brakes.own_address(), own_role=directory.own_role(), limits=limits
        )
        firing = next((finding for finding in findings if finding.holds), None)
        if firing is None:
            return
        for key in _people_held(firing, plan, members):
            held.add(key)
            yield f"{firing.words} [{firing.brake}]", key


def _people_held(finding: BrakeFinding, plan: PlannedChanges, members: Mapping[str, Removal]) -> Iterable[str]:
    """The people that a brake holds: all of a too large edit; only one of the owners, since the others may go then."""
    named = [key for key in map(same_key, finding.people) if key in plan.removals or key in plan.roles]
    if finding.brake is Brake.REMOVAL_SHARE:
        return [key for key in named if key not in plan.planned]
    if finding.brake is Brake.LAST_OWNER:
        return [min(named, key=lambda key: (members[key].planned, key))]
    return named


def _declared(gone: Sequence[Removal], people: _People) -> Sequence[DeclaredPerson]:
    """The people of these members as the brakes have to know them, by the state alone."""
    return [people()[taking.key] for taking in gone if taking.key in people()]


def _braked_grants(goes: Sequence[Removal], session: Session) -> Iterable[tuple[str, int, AbstractSet[str]]]:
    """Why grants of authoritative projects stay, the project, and whose they are."""
    now = session.directory.key_of
    for project in sorted({taking.project for taking in goes if taking.project is not None}):
        ours = [taking for taking in goes if taking.project == project]
        try:
            if session.directory.project_is_gone(project):
                continue
            have = ProjectGrants(session.directory, project, {}).have
        except MixpanelError as error:
            yield str(error), project, {now(one.key) for one in ours}
            continue
        changes = GrantChanges(
            change={now(one.key): one.role or "" for one in ours if one.lowers and now(one.key) in have},
            remove=frozenset(now(one.key) for one in ours if not one.lowers),
        )
        planned = frozenset(now(one.key) for one in ours if one.planned)
        findings = judge_grants(
            have,
            changes,
            project=project,
            own_address=session.brakes.own_address(),
            limits=session.settings.limits,
            planned=planned,
        )
        for finding in findings:
            if finding.holds:
                yield f"{finding.words} [{finding.brake}]", project, {same_key(email) for email in finding.people}


def _needing(held: Sequence[Removal], rows: Sequence[StateRow]) -> Mapping[tuple[str, str], Sequence[Removal]]:
    """What stays, by the place of each resource that it depends on: a grant on its person, a member on the team."""
    ours = [row for row in rows if row.type in kinds.KINDS] if held else []
    by_place = grouped((row.place, row) for row in ours)
    by_id = grouped(((row.type, row.ref.parts[-1]), row.place) for row in ours)
    members = grouped((same_key(row.ref.email), row.place) for row in ours if row.type == kinds.MEMBER_TYPE)

    def needed(taking: Removal) -> Iterator[tuple[str, str]]:
        if taking.type in _WITH_PERSON:
            yield from members.get(taking.key, ())
        for row in by_place.get(taking.place, ()):
            for other in kinds.KINDS[row.type].references.values():
                holder = row.ref.parts[1 if row.type == kinds.TEAM_MEMBER_TYPE else 2]
                yield from by_id.get((kinds.BY_NAME[other.kind].type, holder), ())

    return grouped((place, taking) for taking in held for place in set(needed(taking)))


_WHY: Final = (
    "a run that was killed may have given it, and the state does not have it, so nothing takes it away: look in "
    "Mixpanel, and take it away there. This line comes back until the next run of the engine clears its note of it"
)


def pending_creations(
    export: Mapping[str, Any], rows: Sequence[StateRow], roster: RosterToday, session: Session
) -> list[BlockedRemoval]:
    """What the roster no longer gives of what a killed run has begun to give to somebody, and Mixpanel may have."""
    there = {row.place for row in singles(rows) if not row.going and row.type in kinds.KINDS}
    found = [
        taking
        for one in interrupted_in(export)
        if f"::{kinds.COMPONENT_TYPE}$" in one.urn  # what else is declared, nobody says here
        for taking in _begun(one.urn, one.type, dict(Outputs(one.outputs)), roster)
        if taking.place not in there
    ]
    ended = [one.by_state(roster.today) for one in dict.fromkeys(found)]
    return [
        BlockedRemoval(one, _WHY)
        for one in ended
        if not roster.unsure(roster.key(one.email), planned=one.planned) and _may_be_there(one, session)
    ]


def _begun(urn: str, type_: str, inputs: Mapping[str, Any], roster: RosterToday) -> Iterator[Removal]:
    """What an open creation gives, and the roster does not."""
    declared, email = roster.declared, inputs.get("email")
    kind = kinds.KINDS.get(type_)
    if kind is not None and (single := single_kind(kind)) is not None:
        for one in part_properties(kind, inputs):
            yield from _begun(urn, single.type, one, roster)
    elif not isinstance(email, str):
        return
    elif type_ == kinds.GRANT_TYPE and isinstance(project := _number(inputs.get("project_id")), int):
        yield from _grant(urn, type_, project, inputs, roster)
    elif type_ == kinds.MEMBER_TYPE:
        key, role = roster.key(email), inputs.get("role")
        now = declared.members.get(key)
        if now is None:
            yield Removal(urn, type_, "the membership in the organization", email, ends=_ends(inputs))
        elif role and roles.organization_rank(role) > roles.organization_rank(now.get("role") or roles.MEMBER):
            what = f"the organization role {role}"
            yield Removal(urn, type_, what, email, ends=_ends(inputs), role=role)
    elif type_ == kinds.TEAM_MEMBER_TYPE and roster.key(email) not in {person for _, person in declared.team_members}:
        yield Removal(urn, type_, "the membership in a team", email, ends=_ends(inputs))


def _grant(urn: str, type_: str, project: int, one: Mapping[str, Any], roster: RosterToday) -> Iterator[Removal]:
    email, role = str(one["email"]), str(one.get("role") or "a role")
    now = roster.declared.grants.get((project, roster.key(email)))
    if now is None or (
        not roles.is_custom(role)
        and not roles.is_custom(str(now["role"]))
        and roles.project_rank(role) > roles.project_rank(str(now["role"]))
    ):
        what = f"{role} in {roster.declared.keys.get(project, f'project {project}')}"
        yield Removal(urn, type_, what, email, project, _ends(one))


def _may_be_there(taking: Removal, session: Session) -> bool:
    """Whether Mixpanel has it; what is not known may be there."""
    directory = session.directory
    try:
        person = directory.person(taking.email)
        if person is None or person.deactivated:
            return False
        if taking.project is None:
            return not roles.contradicts(taking.role, person.role)
        if directory.project_is_gone(taking.project):
            return False
        role = directory.access(taking.project, taking.email).individual
        return role is not None or directory.hides_grant(taking.project, taking.email)
    except MixpanelError:
        return True


def _number(value: Any) -> int | None:
    return int(value) if isinstance(value, int | float) else number_in(value) if isinstance(value, str) else None


def _ends(inputs: Mapping[str, Any]) -> str | None:
    ends = inputs.get("ends")
    return ends if isinstance(ends, str) else None
