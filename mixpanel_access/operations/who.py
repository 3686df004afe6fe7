"""Who has access to what, as Mixpanel shows it, and through which grant; and why, by the states."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mixpanel_access.directory.other_access import read_other_access
from mixpanel_access.model import roles
from mixpanel_access.model.access import OF_PEOPLE, AccessSource, GrantType, OtherAccess, Person, Project
from mixpanel_access.model.engagements import REASONS
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.similarity import did_you_mean
from mixpanel_access.model.teams import same_name
from mixpanel_access.operations.overview import Overview
from mixpanel_access.operations.person_overview import PersonOverview


@dataclass(frozen=True)
class PersonGrant:
    """One grant of one person.

    Attributes:
        email: the person.
        project: the project's id.
        name: its name.
        role: the role that this grant gives.
        grant_type: how it comes about.
        team: the team's name, for a grant through one.
        invited: whether the person has not accepted the invitation.
        stack: the stack that has the grant, or None.
        why: metadata of that stack's resource; only what has a value.
    """

    email: str
    project: int
    name: str
    role: str
    grant_type: GrantType
    team: str | None = None
    invited: bool = False
    stack: str | None = None
    why: Mapping[str, str] = field(default_factory=dict)


def project_named(overview: Overview, text: str) -> Project:
    """A project by its id, its short key in a roster, or its name.

    Raises:
        UsageError: there is none, or several.
    """
    there = overview.directory.projects()
    keys = {id_: (key, f"{stack}/{key}") for id_, (key, stack) in overview.projects.items()}
    found = [
        one
        for id_, one in there.items()
        if text == str(id_) or text in keys.get(id_, ()) or text.casefold() == one.name.casefold()
    ]
    if len(found) == 1:
        return found[0]
    known = [*(word for words in keys.values() for word in words), *(one.name for one in there.values())]
    raise UsageError(
        "cannot find the project",
        subject=text,
        why=f"it stands for {', '.join(f'{one.id} {one.name}' for one in found)}"
        if found
        else f"there is none of that id, key or name{did_you_mean(text, known)}",
        next_step="Name it by its id, or choose the stack with --stack.",
    )


def in_project(overview: Overview, project: Project) -> list[PersonGrant]:
    """Everybody with access to a project, from every source, highest role first."""
    keys = {*overview.directory.people(), *overview.directory.grants(project.id)}
    held = [one for key in keys for one in grants_of(overview, project, key, overview.directory.person(key))]
    return sorted(held, key=lambda one: (-roles.project_rank(one.role), one.email.casefold(), one.grant_type))


def of_person(overview: Overview, email_key: str) -> list[PersonGrant]:
    """Everything that one person has access to, project by project."""
    directory, person = overview.directory, overview.directory.person(email_key)
    inherited = roles.project_role_of(person.role) if person else None
    key = person.key if person else directory.key_of(email_key)
    projects = directory.projects()
    reached = [projects[id_] for id_ in (sorted(projects) if inherited else overview.reached.get(key, ()))]
    return [one for project in reached for one in grants_of(overview, project, email_key, person)]


def other_in_project(overview: Overview, project: Project) -> list[OtherAccess]:
    """What no stack manages in a project, or in the organization where Mixpanel does not say in which project."""
    sources = [source for source in AccessSource if source is not AccessSource.DISCOVERABILITY]
    return read_other_access(overview.directory, [project.id], overview.now, sources)


def other_of_person(overview: Overview, email_key: str, held: Sequence[PersonGrant]) -> list[OtherAccess]:
    """What of one person no stack manages, in the projects that they reach; what is unknown may be theirs."""
    projects = {one.project for one in held}
    rows = read_other_access(overview.directory, projects, overview.now, OF_PEOPLE)
    return [one for one in rows if one.concerns(email_key)]


def grants_of(overview: Overview, project: Project, key: str, person: Person | None) -> Iterator[PersonGrant]:
    """The access of a person to a project, from every source; `person` may have another address than `key` by now."""
    directory, someone = overview.directory, overview.get(key)
    email, now = (person.email, person.key) if person else (key, directory.key_of(key))
    held = directory.grants(project.id).get(now, ())
    invited = person is not None and person.invited
    rows: Sequence[tuple[str, GrantType, str | None]] = [(grant.role, grant.grant_type, grant.team) for grant in held]
    inherited = roles.project_role_of(person.role) if person else None
    if inherited and not any(grant_type is GrantType.ORGANIZATION_ROLE for _, grant_type, _ in rows):
        rows = [*rows, (inherited, GrantType.ORGANIZATION_ROLE, None)]
    for role, grant_type, team in rows:
        own = list(_declared(someone, project.id, grant_type, team)) if someone else []
        stack, outputs = own[0] if own else (None, {})
        why = {name: str(outputs[name]) for name in REASONS if outputs.get(name)}
        yield PersonGrant(email, project.id, project.name, role, grant_type, team, invited, stack, why)


def _declared(
    someone: PersonOverview, project: int, grant_type: GrantType, team: str | None
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The stacks that declare a way into a project, with their reasons: the grant itself, or the place in the team."""
    if grant_type is GrantType.INDIVIDUAL:
        yield from ((stack, one.outputs) for (stack, id_), one in someone.grants.items() if id_ == project)
    elif grant_type is GrantType.TEAM and team is not None:
        yield from ((stack, one.outputs) for (stack, name), one in someone.teams.items() if same_name(name, team))
