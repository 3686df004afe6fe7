"""Which of an organization's people and grants come into a stack, and why others do not. Pure: nothing is read here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fnmatch import fnmatchcase
from typing import Any, Final, NamedTuple

from mixpanel_access.model import roles
from mixpanel_access.model.access import AccessInProject, GrantType, Person, Project, source_in_words
from mixpanel_access.model.address import problem_with
from mixpanel_access.model.effective_access import EffectivePerson, RosterEntry, effective_access, entries
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.roster import editing
from mixpanel_access.model.roster.draft import NewPerson
from mixpanel_access.model.roster.reading import RosterSource, parse
from mixpanel_access.model.roster.schema import Roster
from mixpanel_access.model.service_accounts import SERVICE_ACCOUNT_SUFFIX
from mixpanel_access.model.similarity import did_you_mean, in_words
from mixpanel_access.operations.importing.teams import ExistingTeam, TeamMemberships, team_memberships
from mixpanel_access.operations.state import State

TO_BE_FILLED_IN: Final = "to be filled in: engagement, ticket, approver, justification, starts, ends"
"""What nobody knows of a person who is imported."""
DEACTIVATED: Final = "deactivated: they cannot log in, and what they hold is not taken over"
"""Why somebody who has left is not imported."""
NO_GRANT: Final = "no individual grant in this stack's projects"
"""Why most people do not come into a stack that declares no organization roles."""


@dataclass(frozen=True)
class ImportFilter:
    """Whom an import is to take: patterns (* and ?) over addresses, compared without regard to case.

    Attributes:
        emails: who matches one of them is wanted; none means everybody.
        exclude: who matches one of them is not.
    """

    emails: Sequence[str] = ()
    exclude: Sequence[str] = ()

    def takes(self, email: str) -> bool:
        """Whether the filter takes this person."""
        return (not self.emails or _any(email, self.emails)) and not _any(email, self.exclude)

    def must_match(self, emails: Sequence[str]) -> None:
        """Hold a pattern that matches nobody: it is misspelt."""
        for option, patterns in (("--email", self.emails), ("--exclude", self.exclude)):
            for pattern in patterns:
                if not any(_any(email, [pattern]) for email in emails):
                    raise UsageError(
                        f"cannot find anybody by {option}",
                        subject=pattern,
                        why=f"it matches none of the organization's {len(emails)} people"
                        f"{did_you_mean(pattern, list(emails))}",
                        next_step="Correct the pattern (* and ? stand for any characters), or leave it out.",
                    )


@dataclass(frozen=True)
class OrganizationSnapshot:
    """What was read of the organization.

    Attributes:
        people: by the key of the address.
        projects: the stack's projects, by id.
        access: how people reach those projects: by project id and the key of the address.
        blind: projects of these where an invited person's missing grant proves nothing.
        service_accounts: their login names; None where Mixpanel does not show them.
        own_roles: the roster's own custom roles that are there: project id and the role's id -> the roster's key.
        teams: the roster's teams that are there.
    """

    people: Mapping[str, Person]
    projects: Mapping[int, Project]
    access: Mapping[int, Mapping[str, AccessInProject]]
    blind: frozenset[int] = frozenset()
    service_accounts: Sequence[str] | None = ()
    own_roles: Mapping[tuple[int, str], str] = field(default_factory=dict)
    teams: Sequence[ExistingTeam] = ()

    def role_word(self, project: int, role: str) -> str:
        """A role as the roster names it: its own custom role by its key."""
        return self.own_roles.get((project, role), role)


@dataclass(frozen=True)
class LeftOut:
    """Something that the import leaves out.

    Attributes:
        reason: why it is left out.
        project: the project's id, or None for the person.
    """

    reason: str
    project: int | None = None


@dataclass
class Candidate:
    """One person, and what the import does with them.

    Attributes:
        person: the person as Mixpanel has them.
        listed: whether the organization's list has them; else only a project's has.
        access: how they reach the stack's projects, by project id.
        declared: whether the roster has them already.
        managed: whether the state has them already.
        member: whether the member is taken.
        grants: the individual grants that are taken, by project id.
        teams: the roster's keys of the teams in which the place is taken.
        left_out: what is not taken, and why.
    """

    person: Person
    listed: bool = True
    access: Mapping[int, AccessInProject] = field(default_factory=dict)
    declared: bool = False
    managed: bool = False
    member: bool = False
    grants: dict[int, str] = field(default_factory=dict)
    teams: Sequence[str] = ()
    left_out: list[LeftOut] = field(default_factory=list)

    def leave_out(self, reason: str, project: int | None = None) -> None:
        """Record that something is left out."""
        self.left_out.append(LeftOut(reason, project))


@dataclass(frozen=True)
class ImportPlan:
    """What an import does to the roster and the state.

    Attributes:
        candidates: everybody who is wanted, by address.
    """

    candidates: Sequence[Candidate]
    text: str
    roster: Roster

    @property
    def members(self) -> frozenset[str]:
        """The keys of those whose member is taken."""
        return frozenset(one.person.key for one in self.candidates if one.member)

    @property
    def grants(self) -> frozenset[tuple[int, str]]:
        """The grants that are taken, by project id and the key of the address."""
        return frozenset((project, one.person.key) for one in self.candidates for project in one.grants)


def plan_import(
    reading: OrganizationSnapshot, text: str, source: RosterSource, state: State, wanted: ImportFilter, today: date
) -> ImportPlan:
    """Decide who comes into the stack, and write them into the roster's text.

    Args:
        reading: the organization.
        text: the roster, which has the stack's projects.
        source: where it is from.
        state: the stack's state; what is in it is not taken again.
        wanted: the people to take.
        today: the day, UTC; an entry that has not begun or has ended declares nothing.

    Raises:
        RosterError: the roster cannot be used, or not be edited.
        UsageError: a pattern matches nobody.
    """
    roster = parse(text, source)
    declared = entries(roster)
    candidates = dict(sorted(_everybody(reading).items()))
    wanted.must_match([one.person.email for one in candidates.values()])
    candidates = {key: one for key, one in candidates.items() if wanted.takes(one.person.email)}
    sources = _Sources(roster, state, reading, today)
    for key, one in candidates.items():
        _decide(one, key, declared.get(key, []), sources)
    text = _written(text, source, roster, candidates, reading, today)
    return ImportPlan(list(candidates.values()), text, parse(text, source))


def choose_projects(patterns: Sequence[str], projects: Mapping[int, Project]) -> list[Project]:
    """The projects that ids and name patterns stand for, in the order of their ids.

    Raises:
        UsageError: one stands for none.
    """
    chosen: dict[int, Project] = {}
    for pattern in patterns:
        found = [one for one in projects.values() if pattern == str(one.id) or _any(one.name, [pattern])]
        if not found:
            names = names_of(projects.values())
            raise UsageError(
                "cannot find a project",
                subject=pattern,
                why=f"it is neither the id nor the name of a project that the service account sees: {names or 'none'}",
                next_step="Correct --project (* and ? stand for any characters).",
            )
        chosen.update({one.id: one for one in found})
    return [project for _, project in sorted(chosen.items())]


def names_of(projects: Iterable[Project]) -> str:
    """Projects by id and name, for a message; "" for none."""
    return "; ".join(f"{one.id} {one.name}" for one in sorted(projects, key=lambda one: one.id))


def project_rows(new: Sequence[Project], roster: Roster) -> dict[str, dict[str, Any]]:
    """The roster's entries for projects that it has not, each under a short key made of the name."""
    rows: dict[str, dict[str, Any]] = {}
    for project in new:
        words = re.findall(r"[a-z0-9]+", project.name.casefold())
        short = "-".join(word for word in words if word != roster.environment.casefold()) or "project"
        key = f"{short}-{project.id}" if short in rows or short in roster.projects else short
        named = {"name": project.name} if project.name else {}
        rows[key] = {"id": project.id, **named, "environment": roster.environment}
    return rows


def _everybody(reading: OrganizationSnapshot) -> dict[str, Candidate]:
    """Everybody in the organization's list or in one of the projects'."""
    found = {key: Candidate(person) for key, person in reading.people.items()}
    for access in reading.access.values():
        for key, held in access.items():
            if held.grants:
                stranger = Person(held.grants[0].email, None, invited=False)
                found.setdefault(key, Candidate(stranger, listed=False))
    for key, one in found.items():
        one.access = {
            project: access[key]
            for project, access in reading.access.items()
            if key in access and access[key].effective is not None
        }
    return found


class _Sources(NamedTuple):
    """What decides about a candidate: the stack's roster and state, the organization as it was read, and the day."""

    roster: Roster
    state: State
    reading: OrganizationSnapshot
    today: date


def _decide(one: Candidate, key: str, declared: Sequence[RosterEntry], sources: _Sources) -> None:
    """Note what an import takes of a candidate, and what it leaves out and why."""
    roster, state, reading, today = sources
    one.declared, one.managed = bool(declared), key in state.members
    if reason := _why_left_out(one, declared, today):
        one.leave_out(reason)
        return
    own_places = team_memberships(key, declared, reading.teams, state.team_members.keys(), today)
    one.teams = own_places.taken
    for reason in own_places.left_out:
        one.leave_out(reason)
    for project, access in one.access.items():
        one.left_out += _other_sources(project, access, one.person.role, own_places)
        if access.individual is None or (project, key) in state.grants:
            continue
        if roles.is_project_role(access.individual):
            one.grants[project] = access.individual
        else:
            one.leave_out(f"the role {access.individual!r} is none that a roster can name", project)
    for project in sorted(reading.blind):
        if one.person.invited and project not in one.grants:
            one.leave_out("an individual grant, if any, cannot be seen before the invitation is accepted", project)
    if one.managed:
        return
    one.member = one.declared or roster.organization_roles or bool(one.grants) or bool(one.teams)
    if not one.member:
        one.leave_out(NO_GRANT)
    elif roster.organization_roles and not declared and _role(one.person) is None:
        one.leave_out(
            "the organization role, which Mixpanel's list does not show: it stays with the product"
            if one.person.role is None
            else f"the organization role {one.person.role!r}, which no roster can name: it stays with the product"
        )


def _why_left_out(one: Candidate, declared: Sequence[RosterEntry], today: date) -> str | None:
    """Why an import leaves somebody out altogether; None where it does not."""
    if not one.listed:
        return "a project lists this address, and the organization does not"
    if reason := _unfit(one.person.email):
        return reason
    if one.person.deactivated:
        return DEACTIVATED
    if one.managed and not one.declared:
        return "in the state and no longer in the roster: the next `pulumi up` takes the access away"
    if declared and not any(entry.current(today) for entry in declared):
        spans = (f"from {entry.starts or 'the beginning'} to {entry.ends or 'no end'}" for entry in declared)
        return f"the roster's entry holds {in_words(spans)}, and declares nothing today"
    return None


def _unfit(email: str) -> str | None:
    if email.casefold().endswith(SERVICE_ACCOUNT_SUFFIX):
        return "a service account, which gets a resource of its own"
    reason = problem_with(email)
    return f"no e-mail address that a roster can name ({reason})" if reason else None


def _other_sources(
    project: int, access: AccessInProject, organization_role: str | None, own_places: TeamMemberships
) -> Iterator[LeftOut]:
    """The access that comes from anything but an individual grant, or a membership in a team that the roster gives."""
    for grant in access.grants:
        if grant.grant_type is not GrantType.INDIVIDUAL and not own_places.give(grant):
            yield LeftOut(f"{grant.role} through {source_in_words(grant)} is not an individual grant", project)
    listed = any(grant.grant_type is GrantType.ORGANIZATION_ROLE for grant in access.grants)
    if GrantType.ORGANIZATION_ROLE in access.grant_types and not listed:
        role = roles.project_role_of(organization_role)
        yield LeftOut(f"{role} through the organization role is not an individual grant", project)


def _written(
    text: str,
    source: RosterSource,
    roster: Roster,
    candidates: Mapping[str, Candidate],
    reading: OrganizationSnapshot,
    today: date,
) -> str:
    """The roster's text with what is taken and not yet there."""
    short = {project.id: key for key, project in roster.projects.items()}
    words = {
        key: {short[project]: reading.role_word(project, role) for project, role in sorted(one.grants.items())}
        for key, one in candidates.items()
    }
    new = [_new_person(one, roster, words[key]) for key, one in candidates.items() if one.member and not one.declared]
    missing: dict[int, Mapping[str, str]] = {}
    joined: dict[int, Sequence[str]] = {}
    there = {person.key: person for person in effective_access(roster, today)}
    for key, one in candidates.items():
        if key in there:
            if more := {name: role for name, role in words[key].items() if name not in there[key].projects}:
                missing[_position(roster, there[key])] = more
            if one.teams:
                joined[_position(roster, there[key])] = one.teams
    text = editing.add_teams(editing.add_grants(text, source, missing), source, joined)
    return editing.add_people(text, source, new)


def _position(roster: Roster, person: EffectivePerson) -> int:
    """Where the entry stands that speaks for a person."""
    return next(index for index, entry in enumerate(roster.people) if entry is person.entry.person)


def _new_person(one: Candidate, roster: Roster, projects: Mapping[str, str]) -> NewPerson:
    values: dict[str, Any] = {
        "email": one.person.email,
        "name": one.person.name,
        "organizationRole": _role(one.person) if roster.organization_roles else None,
        "projects": dict(projects),
        "teams": [*one.teams],
    }
    return NewPerson({name: value for name, value in values.items() if value}, TO_BE_FILLED_IN)


def _role(person: Person) -> str | None:
    """The organization role, where a roster can name it."""
    return person.role if person.role in roles.ORGANIZATION_ROLES else None


def _any(text: str, patterns: Sequence[str]) -> bool:
    plain = (pattern.strip().casefold().replace("[", "[[]") for pattern in patterns)  # a bracket is itself
    return any(fnmatchcase(text.casefold(), pattern) for pattern in plain)
