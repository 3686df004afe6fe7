"""Unmanaged access, and what is declared and not there: the organization against the stacks' states."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from mixpanel_access.directory.directory import Directory
from mixpanel_access.model.access import Grant, GrantType, Person, Project
from mixpanel_access.operations.state import State


class Kind(StrEnum):
    """What is found."""

    UNMANAGED_MEMBER = "unmanaged member"
    UNMANAGED_GRANT = "unmanaged grant"
    MISSING_MEMBER = "missing member"
    MISSING_GRANT = "missing grant"
    CHANGED_MEMBER = "changed member"
    CHANGED_GRANT = "changed grant"


@dataclass(frozen=True)
class Difference:
    """One difference between the organization and the states.

    Attributes:
        kind: what it is.
        email: whom it concerns.
        project: the project's id, for a grant.
        project_name: its name, where the organization has the project.
        declared: the role in the state, or None.
        actual: the role that Mixpanel shows, or None.
        invited: whether the person has not accepted the invitation.
    """

    kind: Kind
    email: str
    project: int | None = None
    project_name: str | None = None
    declared: str | None = None
    actual: str | None = None
    invited: bool = False


@dataclass(frozen=True)
class Organization:
    """What an organization holds, as far as single grants can manage it.

    Attributes:
        people: by the key of the address.
        projects: by id.
        grants: the individual grants, by project id and the key of the address.
        blind: projects where an invited person's missing grant proves nothing.
    """

    people: Mapping[str, Person]
    projects: Mapping[int, Project]
    grants: Mapping[tuple[int, str], Grant]
    blind: frozenset[int] = frozenset()


def read_organization(directory: Directory) -> Organization:
    """Read everybody and every individual grant: three requests and one a project."""
    projects = directory.projects()
    grants = {
        (project, key): grant
        for project in projects
        for key, rows in directory.grants(project).items()
        for grant in rows
        if grant.grant_type is GrantType.INDIVIDUAL
    }
    blind = frozenset(project for project in projects if not directory.shows_invited(project))
    return Organization(directory.people(), projects, grants, blind)


def differences(organization: Organization, everywhere: State, here: State) -> list[Difference]:
    """Compare an organization with states.

    Args:
        organization: what is there.
        everywhere: the states of all stacks; what none of them has is unmanaged.
        here: the state of the stack that is asked about: what it has and the organization lacks, or has otherwise.

    Returns:
        The differences: by kind, then by address and project.
    """
    found = [
        *_unmanaged(organization, everywhere),
        *_members(organization, here),
        *_grants(organization, here),
    ]
    order = list(Kind)
    return sorted(found, key=lambda one: (order.index(one.kind), one.email.casefold(), one.project or 0))


def _unmanaged(organization: Organization, everywhere: State) -> Iterator[Difference]:
    for key, person in organization.people.items():
        if key not in everywhere.members:
            yield Difference(Kind.UNMANAGED_MEMBER, person.email, actual=person.role, invited=person.invited)
    for (project, key), grant in organization.grants.items():
        if (project, key) not in everywhere.grants:
            known = organization.people.get(key)
            yield Difference(
                Kind.UNMANAGED_GRANT,
                grant.email,
                project,
                organization.projects[project].name,
                actual=grant.role,
                invited=known is not None and known.invited,
            )


def _members(organization: Organization, here: State) -> Iterator[Difference]:
    for key, member in here.members.items():
        person = organization.people.get(key)
        if person is None:
            yield Difference(Kind.MISSING_MEMBER, member.email, declared=member.role)
        elif member.role is not None and person.role not in (None, member.role):
            yield Difference(
                Kind.CHANGED_MEMBER, member.email, declared=member.role, actual=person.role, invited=person.invited
            )


def _grants(organization: Organization, here: State) -> Iterator[Difference]:
    for (project, key), held in here.grants.items():
        grant, person = organization.grants.get((project, key)), organization.people.get(key)
        name = organization.projects[project].name if project in organization.projects else None
        if grant is not None:
            if grant.role != held.role:
                yield Difference(Kind.CHANGED_GRANT, held.email, project, name, held.role, grant.role)
        elif not (person is not None and person.invited and project in organization.blind):
            yield Difference(Kind.MISSING_GRANT, held.email, project, name, held.role)
