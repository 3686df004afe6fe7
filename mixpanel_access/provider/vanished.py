"""People who are in a stack's state and no longer in the organization's list: how many of them a refresh may drop.

A list that lacks many people at once is more likely to be wrong than the organization to be empty. If the state
believed it, the next `up` would invite everybody again, and the end of their entries would reach nobody.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from datetime import date
from typing import Any, Final

from mixpanel_access.model.access import Invitation
from mixpanel_access.model.address import few, same_key
from mixpanel_access.model.brakes import Brake, has_ended
from mixpanel_access.model.errors import Refused
from mixpanel_access.provider.session import Session
from mixpanel_access.provider.states import members, people_of

_RELEASE: Final = (
    "pulumi config set mixpanel:releaseBrakes removalShare; pulumi refresh --run-program; "
    "pulumi config rm mixpanel:releaseBrakes"
)


def keep(session: Session, emails: Iterable[str], props: Mapping[str, Any]) -> bool:
    """Whether a resource stays in the state as it is, since too many of its stack's people are missing.

    Raises:
        Refused: it stays; said once in an operation.
    """
    people = session.directory.people()
    missing = {key for key in map(same_key, emails) if session.directory.person(key) is None}
    if not missing:
        return False
    with session.missed.lock:
        session.missed.people |= missing
        gone = _most_gone(session, people, props, frozenset())
        limits = session.brakes.limits
        before = len(people) + len(gone)
        if len(gone) <= limits.removable(before) or Brake.REMOVAL_SHARE in limits.released:
            return False
        told, session.missed.told = session.missed.told, True
    if told:
        return True
    raise Refused(
        "cannot refresh",
        subject=few(gone),
        why=f"{len(gone)} people of this stack's state are missing from the organization's list, and one refresh "
        f"may drop {limits.removable(before)} ({limits.removal_percent:g} % of {before}, at least "
        f"{limits.removal_minimum}) [{Brake.REMOVAL_SHARE}]; nobody was dropped from the state",
        next_step=f"Compare the list in Organization Settings > Users & Teams. If they have left, run: {_RELEASE}. "
        f"`mixpanel-access revoke`, and `pulumi up` without --refresh, go on without it.",
    )


def hold(session: Session, email: str, props: Mapping[str, Any]) -> None:
    """Hold that a resource leaves the state for good because nobody of its address is found.

    Whom this operation has removed is gone. Those whose access has ended as planned do not count, since another
    stack may have removed them just now; nor do those who were only invited.

    Raises:
        Refused: too many people of the stack are missing.
    """
    key, people = same_key(email), session.directory.people()
    if session.directory.has_removed(key):
        return
    today = session.today()
    own = session.states.of_resource(props).values()
    ended = {
        one
        for resources in own
        for one, outputs in members(resources, session.organization).items()
        if _may_be_gone(outputs, today)
    }
    if _may_be_gone(props, today):
        ended.add(key)
    with session.missed.lock:
        session.missed.people.add(key)
        gone = _most_gone(session, people, props, ended)
    limits, before = session.brakes.limits, len(people) + len(gone)
    if len(gone) > limits.removable(before) and Brake.REMOVAL_SHARE not in limits.released:
        raise Refused(
            "cannot confirm that the access is gone",
            subject=email,
            why=f"{len(gone)} people of this stack's state are missing from the organization's list, and no more "
            f"than {limits.removable(before)} are believed to have left ({limits.removal_percent:g} % of {before}, "
            f"at least {limits.removal_minimum}) [{Brake.REMOVAL_SHARE}]; it stays in the state",
            next_step="Compare the list in Organization Settings > Users & Teams, and run again. "
            f"{session.brakes.how_to_release(Brake.REMOVAL_SHARE)}",
        )


def note_missed(session: Session, people: Mapping[str, Mapping[str, Any]]) -> None:
    """Note together, before the first of them is judged, people whom `hold` may let go: key -> properties."""
    today = session.today()
    left = {key for key, props in people.items() if not _may_be_gone(props, today)}
    with session.missed.lock:
        session.missed.people |= {key for key in left if not session.directory.has_removed(key)}


def note_listed(session: Session, email: str) -> None:
    """Note that a project or a team lists somebody that the list of people lacks."""
    with session.missed.lock:
        session.missed.listed.add(same_key(email))


def hold_listed(session: Session, email: str) -> None:
    """Keep a member in the state that the list of people lacks, and a project or a team lists.

    Raises:
        Refused: one does, or did in this operation; it is not known whether the person is in the organization.
    """
    directory, key = session.directory, same_key(email)
    if directory.has_removed(key):
        return
    if not directory.reached_projects(email) and not _in_a_team(session, email) and key not in session.missed.listed:
        return
    if key not in session.missed.listed:  # what was read before another one removed them tells nothing
        directory.forget_grants(older_than=0)
        directory.teams.forget()
        if not directory.reached_projects(email) and not _in_a_team(session, email):
            return
    raise Refused(
        "cannot confirm that the person has left the organization",
        subject=email,
        why="Mixpanel's list of people lacks them, and a project or a team lists them; it stays in the state",
        next_step="Run again; if it stays so, check the person in Organization Settings > Users & Teams.",
    )


def _most_gone(
    session: Session, people: Collection[str], props: Mapping[str, Any], without: AbstractSet[str]
) -> set[str]:
    """Who of the stack's people is missing; if it is unknown which stack this is, of the stack that misses most."""
    stacks = session.states.of_resource(props)
    gone: list[set[str]] = []
    for resources in stacks.values():
        away = people_of(resources, session.organization) - set(people) - without
        away = {key for key in away if not session.directory.has_removed(key)}
        for key in away:
            session.identify(key)  # who has another address by now is not gone
        gone.append({key for key in away if session.directory.person(key) is None})
    return max((*gone, session.missed.people - without), key=len)


def _may_be_gone(outputs: Mapping[str, Any], today: date) -> bool:
    waits = outputs.get("status") in (Invitation.PENDING.value, Invitation.EXPIRED.value)
    return waits or has_ended(outputs.get("ends"), today)


def _in_a_team(session: Session, email: str) -> bool:
    teams = session.directory.teams
    return any(teams.is_member(team, email) for team in teams.all().values())
