"""Unmanaged access, and what is declared and not there: the organization against the stacks' states."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from mixpanel_access.directory.security import UNTOLD
from mixpanel_access.model import roles
from mixpanel_access.model.access import Grant, GrantType, Person, Project
from mixpanel_access.model.teams import TeamInfo
from mixpanel_access.operations.state import State, changed_addresses

if TYPE_CHECKING:
    from mixpanel_access.directory.directory import Directory


class DriftKind(StrEnum):
    """How the organization differs from what the stacks declare."""

    UNMANAGED_MEMBER = "unmanaged member"
    UNMANAGED_GRANT = "unmanaged grant"
    MISSING_MEMBER = "missing member"
    MISSING_GRANT = "missing grant"
    CHANGED_ADDRESS = "changed address"
    CHANGED_MEMBER = "changed member"
    CHANGED_GRANT = "changed grant"
    UNMANAGED_PLACE = "unmanaged team member"
    UNMANAGED_TEAM_GRANT = "unmanaged team grant"
    MISSING_TEAM = "missing team"
    MISSING_PLACE = "missing team member"
    MISSING_TEAM_GRANT = "missing team grant"
    CHANGED_TEAM = "changed team"
    CHANGED_TEAM_GRANT = "changed team grant"

    @property
    def unmanaged(self) -> bool:
        """Whether it is access that no stack has."""
        return self in (
            DriftKind.UNMANAGED_MEMBER,
            DriftKind.UNMANAGED_GRANT,
            DriftKind.UNMANAGED_PLACE,
            DriftKind.UNMANAGED_TEAM_GRANT,
        )


@dataclass(frozen=True)
class AccessDifference:
    """One difference between the organization and the states.

    Attributes:
        kind: what it is.
        email: the address of the person; "" for a team as a whole.
        project: the project's id, for a grant.
        project_name: its name, or None if the organization does not have the project.
        declared: the role in the state, or the address or the team's name there, or None.
        actual: the role, the address or the name that Mixpanel shows, or None.
        invited: whether the person has not accepted the invitation.
        team: the team's name, for a difference in a team.
    """

    kind: DriftKind
    email: str
    project: int | None = None
    project_name: str | None = None
    declared: str | None = None
    actual: str | None = None
    invited: bool = False
    team: str | None = None


@dataclass(frozen=True)
class OrganizationAccess:
    """What an organization holds, as far as stacks can manage it.

    Attributes:
        people: by the key of the address.
        grants: the individual grants, by project id and the key of the address.
        blind: projects where an invited person's missing grant proves nothing.
        teams: by id; None where they cannot be read.
        given_by_others: team id and key of the address of the places that are an identity provider's business.
        is_out_of_sight: whether a project that is not in `projects` is there all the same, and not shown to us.
    """

    people: Mapping[str, Person]
    projects: Mapping[int, Project]
    grants: Mapping[tuple[int, str], Grant]
    blind: frozenset[int] = frozenset()
    teams: Mapping[int, TeamInfo] | None = None
    given_by_others: frozenset[tuple[int, str]] = frozenset()
    is_out_of_sight: Callable[[int], bool] = lambda _: False

    def is_deactivated(self, key: str) -> bool:
        """Whether the person cannot log in: what they still hold gives no access."""
        return key in self.people and self.people[key].deactivated

    def hides(self, project: int, person: Person | None) -> bool:
        """Whether a missing grant of a person in a project proves nothing."""
        unlisted = person is not None and person.invited and project in self.blind
        return unlisted or (project not in self.projects and self.is_out_of_sight(project))


def read_organization(directory: Directory, among: Collection[int] | None = None) -> OrganizationAccess:
    """Read everybody, every individual grant and the teams: four requests and one a project.

    `among` are the ids of the projects to read, if not all.
    """
    projects = {id_: one for id_, one in directory.projects().items() if among is None or id_ in among}
    grants = {
        (project, key): grant
        for project in projects
        for key, rows in directory.grants(project).items()
        for grant in rows
        if grant.grant_type is GrantType.INDIVIDUAL
    }
    blind = directory.blind(projects)
    try:
        teams = directory.teams.all()
    except UNTOLD:
        teams = None
    given_by_others = frozenset(
        (team.id, key)
        for team in (teams or {}).values()
        for key in team.members or ()
        if directory.teams.given_by_others(team, key)
    )
    return OrganizationAccess(
        people=directory.people(),
        projects=projects,
        grants=grants,
        blind=blind,
        teams=teams,
        given_by_others=given_by_others,
        is_out_of_sight=directory.is_out_of_sight,
    )


def differences(organization: OrganizationAccess, everywhere: State, here: State) -> list[AccessDifference]:
    """Compare an organization with states.

    Args:
        organization: what is there.
        everywhere: the states of all stacks; what none of them has is unmanaged.
        here: the state of the stack that is asked about: what it has and the organization lacks, or has otherwise.

    Returns:
        The differences: by kind, then by team, address and project.
    """
    members = {key: member.outputs for key, member in everywhere.members.items()}
    changed = changed_addresses(members, organization.people)
    moved = list(_changed_addresses(organization, here, changed))  # another stack may have the new address already
    everywhere, here = everywhere.known_as(changed), here.known_as(changed)
    found = [
        *moved,
        *_unmanaged(organization, everywhere),
        *_members(organization, here),
        *_grants(organization, here),
        *_unmanaged_in_teams(organization, everywhere),
        *_in_teams(organization, here),
    ]
    order = list(DriftKind)
    return sorted(
        found, key=lambda one: (order.index(one.kind), one.team or "", one.email.casefold(), one.project or 0)
    )


def _unmanaged(organization: OrganizationAccess, everywhere: State) -> Iterator[AccessDifference]:
    for key, person in organization.people.items():
        if key not in everywhere.members and not person.deactivated:
            yield AccessDifference(DriftKind.UNMANAGED_MEMBER, person.email, actual=person.role, invited=person.invited)
    for (project, key), grant in organization.grants.items():
        if (project, key) not in everywhere.grants and not organization.is_deactivated(key):
            known = organization.people.get(key)
            invited, name = known is not None and known.invited, organization.projects[project].name
            unmanaged = DriftKind.UNMANAGED_GRANT
            yield AccessDifference(unmanaged, grant.email, project, name, actual=grant.role, invited=invited)


def _changed_addresses(
    organization: OrganizationAccess, here: State, changed: Mapping[str, str]
) -> Iterator[AccessDifference]:
    for key, member in here.members.items():
        if person := organization.people.get(changed.get(key, "")):
            address, kind = member.email, DriftKind.CHANGED_ADDRESS
            yield AccessDifference(kind, address, declared=address, actual=person.email, invited=person.invited)


def _members(organization: OrganizationAccess, here: State) -> Iterator[AccessDifference]:
    for key, member in here.members.items():
        person = organization.people.get(key)
        if person is None:
            yield AccessDifference(DriftKind.MISSING_MEMBER, member.email, declared=member.role or None)
            continue
        email, invited = member.email, person.invited
        kept = roles.is_kept_word(person.role, member.outputs.get("organization_role"))
        if member.role and person.role not in (None, member.role) and not kept:
            yield AccessDifference(
                DriftKind.CHANGED_MEMBER, email, declared=member.role, actual=person.role, invited=invited
            )


def _grants(organization: OrganizationAccess, here: State) -> Iterator[AccessDifference]:
    for (project, key), held in here.grants.items():
        grant, person = organization.grants.get((project, key)), organization.people.get(key)
        name = _name_of(organization, project)
        if grant is not None:
            if held.role and grant.role != held.role:  # a role that is a secret in the state cannot be compared
                yield AccessDifference(DriftKind.CHANGED_GRANT, held.email, project, name, held.role, grant.role)
        elif not organization.hides(project, person):
            yield AccessDifference(DriftKind.MISSING_GRANT, held.email, project, name, held.role)


def _unmanaged_in_teams(organization: OrganizationAccess, everywhere: State) -> Iterator[AccessDifference]:
    """What no stack has in the teams of the stacks, but for the people that an identity provider adds."""
    for team in (organization.teams or {}).values():
        if team.id not in everywhere.teams:
            continue
        for key in team.members or ():
            given = (team.id, key) in everywhere.team_members or (team.id, key) in organization.given_by_others
            if not given and not organization.is_deactivated(key):
                person = organization.people.get(key)
                email, invited = (person.email, person.invited) if person else (key, False)
                yield AccessDifference(DriftKind.UNMANAGED_PLACE, email, invited=invited, team=team.name)
        for project, role in team.projects.items():
            if (project, team.id) not in everywhere.team_grants:
                name = _name_of(organization, project)
                yield AccessDifference(DriftKind.UNMANAGED_TEAM_GRANT, "", project, name, actual=role, team=team.name)


def _in_teams(organization: OrganizationAccess, here: State) -> Iterator[AccessDifference]:
    """What the stack has of teams, and Mixpanel lacks or has otherwise."""
    if organization.teams is None:
        return
    there = organization.teams
    names = {**{id_: team.name for id_, team in there.items()}, **{id_: one.name for id_, one in here.teams.items()}}
    for id_, held in here.teams.items():
        team = there.get(id_)
        if team is None:
            yield AccessDifference(DriftKind.MISSING_TEAM, "", declared=held.name, team=held.name)
        elif held.name and team.name != held.name:
            yield AccessDifference(DriftKind.CHANGED_TEAM, "", declared=held.name, actual=team.name, team=held.name)
    for (project, id_), grant in here.team_grants.items():
        team, where = there.get(id_), (project, _name_of(organization, project))
        actual = team.projects.get(project) if team else None
        if not actual or (grant.role and actual != grant.role):
            kind = DriftKind.CHANGED_TEAM_GRANT if actual else DriftKind.MISSING_TEAM_GRANT
            yield AccessDifference(kind, "", *where, grant.role, actual, team=names.get(id_, str(id_)))
    for (id_, key), place in here.team_members.items():
        team = there.get(id_)
        gone = team is None or team.is_member(key) is False
        person = organization.people.get(key)
        # Mixpanel may take nobody before the invitation is accepted; after that, the next update adds them.
        waited = place.waits and person is not None and not person.invited
        if gone and (place.given_by_stack or waited):
            yield AccessDifference(DriftKind.MISSING_PLACE, place.email, team=names.get(id_, str(id_)))


def _name_of(organization: OrganizationAccess, project: int) -> str | None:
    return organization.projects[project].name if project in organization.projects else None
