"""Which other stacks of the project give what a stack no longer declares: that is not taken away.

A project, a team or a custom role may move from one roster to another. The stack that has it now may have run first: it
has adopted what is there, and would not see that the other one takes it away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from typing import TYPE_CHECKING, Any

from mixpanel_access.model import resources as kinds
from mixpanel_access.model.address import few, same_key
from mixpanel_access.model.brakes import has_ended
from mixpanel_access.model.grouping import grouped
from mixpanel_access.model.resource_ids import CustomRoleId, TeamGrantId
from mixpanel_access.model.similarity import in_words
from mixpanel_access.provider.identities import GrantIdentity
from mixpanel_access.provider.ownership import members_of_person
from mixpanel_access.provider.session import Session
from mixpanel_access.provider.states import ExportedResource, Properties, RosterPeople, StackMembers, last_days, members

if TYPE_CHECKING:
    from mixpanel_access.model.declaration import Declaration  # slow to import

    _Said = Callable[[RosterPeople, Declaration], bool | None]
    """Whether a roster gives it; None if that is unknown."""


def given_by(stacks: Sequence[str]) -> str:
    """That other stacks give it, in words."""
    one = len(stacks) == 1
    return f"the stack{'' if one else 's'} {in_words(stacks)} give{'s' if one else ''} it too"


def grants(session: Session, project: int, emails: Iterable[str], props: Properties) -> dict[str, list[str]]:
    """The people that get an individual role in a project from other stacks too: address -> the stacks.

    The properties of the resource that goes say which stack it is of, if nobody else does.
    """
    found: dict[str, list[str]] = {}
    for stack, resources in _others(session, props):
        rows = grouped(_grants_in(session, project, resources))
        people = members(resources, session.organization)
        for email in emails if rows else ():
            keys = _keys(session, people, email)
            ends = [day for key in keys for day in rows.get(key, ())]
            if ends and _gives(session, stack, ends, partial(_says_grant, project, keys)):
                found.setdefault(email, []).append(stack)
    return found


def warn_of_grants(session: Session, project: int, keys: Iterable[str], props: Properties) -> None:
    """Warn that other stacks give grants that this one takes away, since it alone has the project."""
    found = sorted(grants(session, project, keys, props).items())
    for stack, people in grouped((stack, email) for email, stacks in found for stack in stacks).items():
        session.say(
            f"warning: project {project}: the stack {stack} gives the grants of {few(people)}, and this stack, which "
            f"declares the project as a whole, takes them away; set exclusive=False to share the project"
        )


def nobodys(session: Session, project: int, keys: AbstractSet[str]) -> set[str]:
    """The people of these whose individual grant in a project neither the program nor any stack's state has."""
    left = {key for key in keys if GrantIdentity(project, key) not in session.declared}
    if left:
        for resources in session.states.all().stacks.values():
            left -= {session.directory.key_of(key) for key, _ in _grants_in(session, project, resources)}
    return left


def _grants_in(session: Session, project: int, resources: Sequence[ExportedResource]) -> Sequence[tuple[str, Any]]:
    """The key of the address, and the last day, of each individual grant that a stack has in a project."""
    return last_days(resources, kinds.PROJECT_GRANT, session.organization).get(project, ())


def _says_grant(project: int, keys: AbstractSet[str], roster: RosterPeople, declaration: Declaration) -> bool | None:
    return _told(any((project, key) in declaration.grants for key in keys), roster, keys)


def team_place(session: Session, team: int, email: str, props: Properties) -> list[str]:
    """The other stacks that put somebody into a team; see `grants`."""
    found = []
    for stack, resources in _others(session, props):
        inside = last_days(resources, kinds.TEAM_MEMBER, session.organization).get(team, ())
        keys = _keys(session, members(resources, session.organization), email) if inside else set()

        def said(roster: RosterPeople, declaration: Declaration, keys: AbstractSet[str] = keys) -> bool | None:
            teams = declaration.teams
            in_it = {who for key, who in declaration.team_members if _is_named(teams[key], session.team_name(team))}
            return _told(bool(in_it & keys), roster, keys, teams=True)

        if _gives(session, stack, [day for key, day in inside if key in keys], said):
            found.append(stack)
    return found


def team_grant(session: Session, team: int, project: int, props: Properties) -> list[str]:
    """The other stacks that give a team a role in a project; see `grants`."""

    def said(roster: RosterPeople, declaration: Declaration) -> bool | None:
        teams = {key for where, key in declaration.team_grants if where == project}
        name = session.team_name(team)
        return _told(any(_is_named(declaration.teams[key], name) for key in teams), roster, teams=True)

    return _with_id(session, kinds.TEAM_GRANT_TYPE, str(TeamGrantId(session.organization, project, team)), props, said)


def custom_role(session: Session, role: CustomRoleId, props: Properties) -> list[str]:
    """The other stacks that have a custom role; see `grants`."""

    def said(_roster: RosterPeople, declaration: Declaration) -> bool | None:
        declared = [one for one in declaration.custom_roles.values() if one.get("project_id") == role.project]
        return any(_is_named(one, str(props.get("name", ""))) for one in declared)

    return _with_id(session, kinds.CUSTOM_ROLE_TYPE, str(role), props, said)


def _with_id(session: Session, type_: str, id_: str, props: Properties, said: _Said) -> list[str]:
    """The other stacks that give what has this id."""
    found = []
    for stack, resources in _others(session, props):
        ends = [one.outputs.get("ends") for one in resources if one.type == type_ and one.id == id_]
        if _gives(session, stack, ends, said):
            found.append(stack)
    return found


def _others(session: Session, props: Properties) -> list[tuple[str, Sequence[ExportedResource]]]:
    if session.leaving or not session.states.of_resource(props):
        return []  # everything of a person ends, or nobody says which of the stacks this is
    return sorted(session.states.others(props).stacks.items())


def _gives(session: Session, stack: str, ends: Sequence[Any], said: _Said) -> bool:
    """Whether a stack whose state has something gives it today.

    Where the roster does not say, the last day of each resource that is the same counts.
    """
    if not ends:
        return False
    today = session.today()
    roster = session.states.roster(stack, today)
    told = said(roster, roster.declaration) if roster is not None and roster.declaration is not None else None
    return not all(has_ended(day, today) for day in ends) if told is None else told


def _keys(session: Session, people: StackMembers, email: str) -> set[str]:
    """The keys of the addresses by which a stack may have somebody."""
    key = same_key(email)
    return {key, session.directory.key_of(key), *members_of_person(session, people, key)}


def _told(
    given: bool, roster: RosterPeople, keys: AbstractSet[str] = frozenset(), *, teams: bool = False
) -> bool | None:
    unread = roster.anybody or bool(roster.perhaps & keys) or (teams and roster.unread_teams)
    return True if given else None if unread else False


def _is_named(inputs: Mapping[str, Any], name: str | None) -> bool:
    return name is not None and same_key(str(inputs.get("name", ""))) == same_key(name)
