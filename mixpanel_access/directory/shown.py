"""What a part of the organization, as it was just read, shows of a write: the `shown` of an `Effect`.

Each answers True or False, or None if the part cannot show it, such as the grants of invited people in some
organizations. None is not waited for, and proves nothing. Nothing here reads anything.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from mixpanel_access.model.access import Grant, GrantType, Person, ScimUser
from mixpanel_access.model.roles import is_organization_role
from mixpanel_access.model.service_accounts import ServiceAccountInfo, ServiceAccountRole
from mixpanel_access.model.teams import ScimGroup, TeamInfo, same_name

_People = Callable[[Mapping[str, Person]], bool | None]
_Grants = Callable[[Mapping[str, Sequence[Grant]]], bool | None]
_Teams = Callable[[Mapping[int, TeamInfo]], bool | None]


def is_listed(key: str, *, listed: bool = True) -> Callable[[Collection[str]], bool]:
    """Whether people, or a project's grants, have the key of an address, or no longer have it."""
    return lambda there: (key in there) is listed


def has_organization_role(key: str, role: str) -> _People:
    """Whether somebody has an organization role; None where the list lacks them, or has a word that nobody knows."""

    def shown(people: Mapping[str, Person]) -> bool | None:
        if key not in people or not is_organization_role(people[key].role):
            return None
        return people[key].role == role

    return shown


def has_grant(key: str, role: str | None, invited: Collection[str] = ()) -> _Grants:
    """Whether somebody has an individual role in a project; None for no role.

    Where a project shows none of those who are only invited, theirs cannot be seen.
    """

    def shown(grants: Mapping[str, Sequence[Grant]]) -> bool | None:
        held = next((grant.role for grant in grants.get(key, ()) if grant.grant_type is GrantType.INDIVIDUAL), None)
        hidden = held is None and key in invited and not any(other in grants for other in invited)
        return None if hidden else held == role

    return shown


def has_left_team(team: TeamInfo, project: int, key: str | None, teams: Collection[TeamInfo] = ()) -> _Grants:
    """Whether nobody has a project through a team any more, or one person has not.

    `team` is as it was before, and `key` None for everybody; all teams say through which others a person has the
    project.
    """
    others = [
        one for one in teams if one.id != team.id and project in one.projects and one.is_member(key or "") is not False
    ]

    def through_it(grant: Grant) -> bool:
        if grant.grant_type is not GrantType.TEAM:
            return False
        if key is None:
            return grant.team is not None and same_name(grant.team, team.name)
        # By a name that it had before, too: of others, those are known that the person is in.
        return not any(grant.team is None or same_name(grant.team, other.name) for other in others)

    def shown(grants: Mapping[str, Sequence[Grant]]) -> bool | None:
        held = (rows for one, rows in grants.items() if key in (one, None))
        return not any(through_it(grant) for rows in held for grant in rows)

    return shown


def is_in_team(id_: int, email: str, *, inside: bool, hidden: bool = False) -> _Teams:
    """Whether somebody is in a team, or is not; a team that is gone has nobody.

    `hidden`: the list may lack them all the same, since they are only invited.
    """

    def shown(teams: Mapping[int, TeamInfo]) -> bool | None:
        if id_ not in teams:
            return None if inside else True
        told = teams[id_].is_member(email)
        return None if told is None or (hidden and inside and not told) else told is inside

    return shown


def is_in_no_team(email: str) -> _Teams:
    """Whether somebody is in no team."""
    return lambda teams: not any(team.is_member(email) for team in teams.values())


def team_has_project(id_: int, project: int, role: str | None) -> _Teams:
    """Whether a team has a role in a project; None for no role, which a team that is gone has, too."""

    def shown(teams: Mapping[int, TeamInfo]) -> bool | None:
        if id_ not in teams:
            return None if role else True
        return teams[id_].projects.get(project) == role

    return shown


def team_is_named(name: str, id_: int | None = None) -> _Teams:
    """Whether some team has a name, or the one of an id has it, letter for letter."""
    if id_ is None:
        return lambda teams: any(same_name(team.name, name) for team in teams.values())
    return lambda teams: teams[id_].name == name if id_ in teams else None


def is_in_group(user: str, *, inside: bool) -> Callable[[ScimGroup | None], bool]:
    """Whether a user of SCIM is in a group or not; nobody is in a group that does not exist."""
    return lambda group: (group is not None and user in group.members) is inside


def is_active(key: str, *, active: bool) -> Callable[[Mapping[str, Sequence[ScimUser]]], bool | None]:
    """Whether SCIM shows somebody as active, or as inactive; None if it does not say so."""

    def shown(users: Mapping[str, Sequence[ScimUser]]) -> bool | None:
        told = {user.active for user in users.get(key, ())}
        return False if not told or (not active) in told else True if told == {active} else None

    return shown


def has_account_role(id_: int, role: str | None) -> Callable[[Mapping[int, ServiceAccountRole]], bool]:
    """Whether a service account has a role in a project; None for no role."""
    return lambda roles: (roles[id_].role if id_ in roles else None) == role


def has_account(id_: int, *, listed: bool) -> Callable[[Sequence[ServiceAccountInfo]], bool]:
    """Whether a service account is listed, or no longer is."""
    return lambda accounts: any(account.id == id_ for account in accounts) is listed
