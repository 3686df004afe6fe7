"""Who of the people that a stack lets go leaves the organization, judged together before the first of them goes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mixpanel_access.model.access import Grant, GrantType
from mixpanel_access.model.address import same_key
from mixpanel_access.model.brakes import DeclaredPerson, PlannedChanges, has_ended
from mixpanel_access.model.ownership import WHEN_UNUSED, should_remove
from mixpanel_access.model.teams import same_name
from mixpanel_access.provider import ownership
from mixpanel_access.provider.session import Session


@dataclass(frozen=True)
class PersonEnding:
    """What happens to one person of the organization that a stack no longer declares.

    Attributes:
        key: the key of the address.
        email: the address.
        leaves: whether they leave the organization.
        ours: whether a stack of the project brought them; None if the state does not say.
        role: the organization role to which they are lowered; None if it stays, or they leave.
        planned: whether the end was in the stack before today, by the brake's list or by the `Member` itself.
    """

    key: str
    email: str
    leaves: bool
    ours: bool | None
    role: str | None
    planned: bool


def removal_plan(session: Session, people: Sequence[DeclaredPerson], *, say: bool = False) -> PlannedChanges:
    """What it does to the organization that a stack no longer declares these people.

    With `say`, it says who leaves and who stays, and why.
    """
    found = endings(session, people)
    if say:
        _say(session, found)
    return PlannedChanges(
        frozenset(one.key for one in found if one.leaves),
        {one.key: one.role for one in found if one.role is not None},
        frozenset(one.key for one in found if one.planned),
    )


def leaving(session: Session, people: Sequence[DeclaredPerson]) -> frozenset[str]:
    """The keys of those who would leave the organization once their grants of this stack are gone."""
    return frozenset(one.key for one in endings(session, people) if one.leaves)


def roles_given_back(session: Session, people: Sequence[DeclaredPerson]) -> dict[str, str]:
    """The organization roles of people who stay declared, once this stack declares no role for them."""
    known = _known(session, people)
    found = {same_key(person["email"]): _member(known, person) for person in people}
    roles = {key: ownership.given_back(session, member) for key, member in found.items()}
    return {key: role for key, role in roles.items() if role is not None}


def endings(session: Session, people: Sequence[DeclaredPerson]) -> list[PersonEnding]:
    """What becomes of those of these people who are in the organization, once the stack no longer declares them."""
    today, found, known = session.today(), [], _known(session, people)
    for person in people:
        member, key = _member(known, person), same_key(person["email"])
        if isinstance(user_id := member.get("user_id"), int | float):
            session.identify(person["email"], int(user_id))  # somebody else may have the address by now
        there = session.directory.person(person["email"])
        if there is None or (there.key != key and session.declares(there.key, "Member")):
            continue  # of the second, only the address has changed
        ours = ownership.whose(session, member, key)
        gone = should_remove(
            person.get("removal", WHEN_UNUSED),
            there,
            person.get("role"),
            _left(session, person),
            ours=ours,
            elsewhere=lambda key=key, member=member: bool(  # type: ignore[misc]
                ownership.why_held_elsewhere(session, member, key)
            ),
        )
        role = None if gone else ownership.given_back(session, member)
        ends = person.get("ends"), known.get(key, {}).get("ends")  # a brake of version 0.1.0, or left alone, has none
        planned = any(has_ended(end, today) for end in ends)
        found.append(PersonEnding(key=there.key, email=there.email, leaves=gone, ours=ours, role=role, planned=planned))
    return found


def _known(session: Session, people: Sequence[DeclaredPerson]) -> Mapping[str, Mapping[str, Any]]:
    """The outputs of the stack's members by the key of the address; the state is read only if there are people."""
    return (people and ownership.own_members(session)) or {}


def _member(known: Mapping[str, Mapping[str, Any]], person: DeclaredPerson) -> dict[str, Any]:
    """What the state knows of a person, and what the stack declared."""
    return {**known.get(same_key(person["email"]), {}), **person}


_GROUPS: Final[Mapping[tuple[bool, bool | None], str]] = {
    (True, True): "leave the organization, as a stack of this project brought them",
    (True, False): "leave the organization, though they were there before (removal: always)",
    (True, None): "leave the organization, unless `mixpanel-access ownership --found` says that they were there before",
    (False, True): "stay in the organization, because of what else they hold or removal: never",
    (False, False): "stay in the organization as plain members, as they were there before",
    (False, None): "stay in the organization, because of what else they hold or removal: never",
}
"""Whether they leave, and whether they are ours -> what becomes of them."""


def _say(session: Session, endings: Sequence[PersonEnding]) -> None:
    """One line for each group of people with the same future."""
    for (gone, ours), words in _GROUPS.items():
        group = [one for one in endings if (one.leaves, one.ours) == (gone, ours)]
        if group:
            named = ", ".join(f"{one.email} (becomes {one.role} again)" if one.role else one.email for one in group)
            session.say(f"no longer declared, {words}: {named}")


def hold_run(session: Session, *, by_brake: bool) -> None:
    """Hold all that a `destroy`, or a run with `--target` or `--exclude`, removes, before the first of it is removed.

    A `RemovalBrake` that is deleted judges a whole `destroy` by its own list.

    Raises:
        Refused: a brake holds it, or it is unknown what the rest of the program declares.
    """
    scope = session.scope
    with session.judging_lock:
        if session.judged or not (scope.partial or (scope.destroys and not by_brake and not session.judged_by_list)):
            return
        going = scope.people(session.organization, session.team_name)
        if going is None:
            return  # the state cannot be read: each removal is judged as it comes
        people = [person for key, person in going.items() if not session.declares(key, "Member")]
        session.brakes.hold("cannot go on", removal_plan(session, people))
        session.judged = True


def _left(session: Session, person: DeclaredPerson) -> Iterator[Grant]:
    """What the person holds apart from this stack's grants and teams; read only when it is asked for."""
    own, teams = set(person.get("projects", [])), person.get("teams", [])
    for project, grants in session.directory.reached_projects(person["email"]).items():
        for grant in grants:
            ours = grant.grant_type is GrantType.INDIVIDUAL and project in own
            if not ours and not (grant.grant_type is GrantType.TEAM and _goes_with(session, grant.team, teams)):
                yield grant


def _goes_with(session: Session, name: str | None, teams: Sequence[str]) -> bool:
    """Whether what comes through a team goes with this stack; an unknown team may be any of its own."""
    if name is None:
        return bool(teams)
    known = session.directory.teams
    team = known.by_name(name) if any(same_name(name, one) for one in teams) else None
    return team is not None and not known.fed_by_others(team)
