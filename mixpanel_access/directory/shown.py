"""Whether a part of the organization, as it was just read, shows what was written; for `ReadBack`.

Nothing here reads anything. What the part cannot show, such as the grants of invited people in some organizations,
counts as shown: it is not waited for.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from mixpanel_access.model.access import Grant, GrantType, Person, ScimUser, ServiceAccountInfo, ServiceAccountRole
from mixpanel_access.model.roles import is_organization_role
from mixpanel_access.model.teams import ScimGroup, TeamInfo, same_name

_People = Callable[[Mapping[str, Person]], bool]
_Grants = Callable[[Mapping[str, Sequence[Grant]]], bool]
_Teams = Callable[[Mapping[int, TeamInfo]], bool]


def is_listed(key: str, *, listed: bool = True) -> Callable[[Collection[str]], bool]:
    """Whether people, or a project's grants, have the key of an address, or no longer have it."""
    return lambda there: (key in there) is listed


def has_organization_role(key: str, role: str) -> _People:
    """Whether somebody has an organization role, or the list does not tell it, or in a word that nobody knows."""
    return lambda people: key not in people or people[key].role == role or not is_organization_role(people[key].role)


def has_grant(key: str, role: str | None, invited: Collection[str] = ()) -> _Grants:
    """Whether somebody has an individual role in a project; None for no role.

    Args:
        key: the key of the address.
        role: the role.
        invited: the keys of all who are only invited: where a project shows none of them, theirs cannot be seen.
    """

    def shown(grants: Mapping[str, Sequence[Grant]]) -> bool:
        held = next((one.role for one in grants.get(key, ()) if one.grant_type is GrantType.INDIVIDUAL), None)
        return held == role or (held is None and key in invited and not any(one in grants for one in invited))

    return shown


def has_left_team(team: TeamInfo, project: int, key: str | None, teams: Collection[TeamInfo] = ()) -> _Grants:
    """Whether nobody has a project through a team any more, or one person has not.

    Args:
        team: the team, as it was before.
        project: the project.
        key: the key of the person's address; None for everybody.
        teams: all teams, to tell through which of the others a person has the project.
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

    def shown(grants: Mapping[str, Sequence[Grant]]) -> bool:
        held = (rows for one, rows in grants.items() if key in (one, None))
        return not any(through_it(grant) for rows in held for grant in rows)

    return shown


def is_in_team(id_: int, email: str, *, inside: bool) -> _Teams:
    """Whether somebody is in a team or not, or nobody tells."""
    return lambda teams: id_ not in teams or teams[id_].is_member(email) in (inside, None)


def is_in_no_team(email: str) -> _Teams:
    """Whether somebody is in no team."""
    return lambda teams: not any(team.is_member(email) for team in teams.values())


def team_has_project(id_: int, project: int, role: str | None) -> _Teams:
    """Whether a team has a role in a project; None for no role."""
    return lambda teams: id_ not in teams or teams[id_].projects.get(project) == role


def team_is_named(name: str, id_: int | None = None) -> _Teams:
    """Whether some team has a name, or the one of an id has it, letter for letter."""
    if id_ is None:
        return lambda teams: any(same_name(team.name, name) for team in teams.values())
    return lambda teams: id_ not in teams or teams[id_].name == name


def is_in_group(user: str, *, inside: bool) -> Callable[[ScimGroup | None], bool]:
    """Whether a user of SCIM is in a group or not; nobody is in a group that does not exist."""
    return lambda group: (group is not None and user in group.members) is inside


def is_active(key: str, *, active: bool) -> Callable[[Mapping[str, Sequence[ScimUser]]], bool]:
    """Whether SCIM shows somebody as active, or as inactive, or does not tell."""
    return lambda users: key in users and all(user.active in (active, None) for user in users[key])


def has_account_role(id_: int, role: str | None) -> Callable[[Mapping[int, ServiceAccountRole]], bool]:
    """Whether a service account has a role in a project; None for no role."""
    return lambda roles: (roles[id_].role if id_ in roles else None) == role


def has_account(id_: int, *, listed: bool) -> Callable[[Sequence[ServiceAccountInfo]], bool]:
    """Whether a service account is listed, or no longer is."""
    return lambda accounts: any(account.id == id_ for account in accounts) is listed
