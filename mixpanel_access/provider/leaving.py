"""Who of the people that a stack lets go leaves the organization, judged together before the first of them goes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from mixpanel_access.model.access import WHEN_UNUSED, Grant, GrantType, leaves
from mixpanel_access.model.address import same_key
from mixpanel_access.model.brakes import DeclaredPerson, Plan, has_ended
from mixpanel_access.model.teams import same_name
from mixpanel_access.provider.session import Session


def removal_plan(session: Session, people: Sequence[DeclaredPerson]) -> Plan:
    """What it does to the organization that a stack no longer declares these people."""
    today = session.now().date()
    planned = {same_key(person["email"]) for person in people if has_ended(person.get("ends"), today)}
    return Plan(leaving(session, people), planned=frozenset(planned))


def leaving(session: Session, people: Iterable[DeclaredPerson]) -> frozenset[str]:
    """The keys of those who would leave the organization once their grants of this stack are gone."""
    return frozenset(same_key(person["email"]) for person in people if _leaves(session, person))


def hold_partial_removal(session: Session) -> None:
    """Hold all that a run with `--target` or `--exclude` removes, before the first of it is removed.

    Raises:
        Refused: a brake holds it, or it is unknown what the rest of the program declares.
    """
    with session.judging:
        if session.judged or not session.scope.partial:
            return
        going = session.scope.people(session.organization)
        if going is None:
            return  # the state cannot be read: each removal is judged as it comes
        people = [person for key, person in going.items() if not session.declares(key, "MemberProvider")]
        session.brakes.hold("cannot go on", removal_plan(session, people))
        session.judged = True


def _leaves(session: Session, person: DeclaredPerson) -> bool:
    there = session.directory.person(person["email"])
    if there is None:
        return False
    return leaves(person.get("removal", WHEN_UNUSED), there, person.get("role"), _left(session, person))


def _left(session: Session, person: DeclaredPerson) -> Iterator[Grant]:
    """What the person holds apart from this stack's grants and teams; read only when it is asked for."""
    own, teams = set(person.get("projects", [])), person.get("teams", [])
    for project, grants in session.directory.other_access(person["email"]).items():
        for grant in grants:
            ours = grant.grant_type is GrantType.INDIVIDUAL and project in own
            if not ours and not (grant.grant_type is GrantType.TEAM and _goes_with(session, grant.team, teams)):
                yield grant


def _goes_with(session: Session, name: str | None, teams: Sequence[str]) -> bool:
    """Whether what comes through a team goes with this stack; a team that is not told may be any of its own."""
    if name is None:
        return bool(teams)
    known = session.directory.teams
    team = known.named(name) if any(same_name(name, one) for one in teams) else None
    return team is not None and not known.fed_by_others(team)
