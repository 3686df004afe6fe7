"""What a roster declares: the resources of its stack, by name, with their inputs.

A run of `mixpanel-access revoke` declares what the stack keeps instead (`Kept`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Any, Final

from mixpanel_access.model.address import same_key, spellings
from mixpanel_access.model.brakes import DeclaredPerson
from mixpanel_access.model.declared_inputs import (
    account_inputs,
    account_reasons,
    custom_role_inputs,
    declared_person,
    grant_inputs,
    member_inputs,
    members_inputs,
    project_access_inputs,
    reasons_of,
    roles_of_team,
    roster_facts,
    security_inputs,
    team_inputs,
    team_members_inputs,
    team_reasons,
)
from mixpanel_access.model.effective_access import EffectivePerson, days_of, effective_access, once_a_roster, overlaps
from mixpanel_access.model.errors import InputError
from mixpanel_access.model.grants import is_exclusive
from mixpanel_access.model.grouping import grouped
from mixpanel_access.model.resources import (
    CUSTOM_ROLE,
    MEMBER,
    MEMBERS,
    ORGANIZATION_SECURITY,
    PROJECT_ACCESS,
    PROJECT_GRANT,
    SERVICE_ACCOUNT,
    SERVICE_ACCOUNT_GRANT,
    TEAM,
    TEAM_GRANT,
    TEAM_MEMBER,
    TEAM_MEMBERS,
    ResourceKind,
)
from mixpanel_access.model.roster.schema import Roster

COMPONENT: Final = "roster"
"""The name of the component in a stack that is one roster."""
DRAFTS_VARIABLE: Final = "MIXPANEL_ACCESS_DRAFTS"
"""The environment variable with a folder of drafts: only a preview reads rosters there instead of those in place."""


@dataclass(frozen=True)
class DeclaredResource:
    """One resource that a roster declares.

    Attributes:
        kind: its kind.
        key: its key in the declaration.
        name: its name in the stack.
        inputs: its inputs, without those that come from other resources.
        refers_to: input -> the name of the resource from which it comes; the kind has the output.
        depends_on: the names of the resources that must exist before it, and are deleted after it.
        below_collaborator: its name below a `CollaboratorAccess`; "" for a kind that is not there.
        former: its names in earlier versions.
    """

    kind: ResourceKind
    key: Any
    name: str
    inputs: Mapping[str, Any]
    refers_to: Mapping[str, str] = field(default_factory=dict)
    depends_on: Sequence[str] = ()
    below_collaborator: str = ""
    former: Sequence[str] = ()


def _former(prefix: str, inputs: Mapping[str, Any]) -> list[str]:
    """The names with the other spellings of a person's address."""
    return [f"{prefix}{spelling}" for spelling in spellings(inputs["email"])]


@dataclass(frozen=True)
class Declaration:
    """The resources of a roster.

    The name of a member is the key of the address, so that the order of the entries and the spelling do not matter. A
    role that is a custom role of this roster has the form of `roles.declared_role`.

    Attributes:
        members: the inputs of each `Member`, by its name.
        grants: the role of each person in each project, as inputs of a `ProjectGrant`, by project id and member.
        people: what the `RemovalBrake` needs to know of everybody, in the roster's order.
        facts: what policies need to know of the roster as a whole.
        keys: project id -> key.
        overlaps: in words, the projects in which several engagements of a person give a role.
        accounts: the inputs of each `ServiceAccount`, by its name.
        account_grants: the inputs of each `ServiceAccountGrant` without the account's id, by project id and account.
        project_access: the inputs of each `ProjectAccess`, by project id; these projects have no `ProjectGrant`.
        grouped_members: the inputs of the `Members`, whose people have no `Member`; None without one.
        grouped_teams: the inputs of each `TeamMembers` without the team's id, by the team's key; these teams have no
            `TeamMember`.
        teams: the inputs of each `Team`, by its key.
        team_grants: the inputs of each `TeamGrant` without the team's id, by project id and the team's key.
        team_members: the inputs of each `TeamMember` without the team's id, by the team's key and the member.
        custom_roles: the inputs of each `CustomRole`, by its key.
        security: the inputs of the `OrganizationSecurity`, or None.
        names: project id -> its name in the roster.
    """

    members: Mapping[str, Mapping[str, Any]]
    grants: Mapping[tuple[int, str], Mapping[str, Any]]
    people: Sequence[DeclaredPerson]
    facts: Mapping[str, Any]
    keys: Mapping[int, str]
    overlaps: Sequence[str]
    accounts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    account_grants: Mapping[tuple[int, str], Mapping[str, Any]] = field(default_factory=dict)
    project_access: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    grouped_members: Mapping[str, Any] | None = None
    grouped_teams: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    teams: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    team_grants: Mapping[tuple[int, str], Mapping[str, Any]] = field(default_factory=dict)
    team_members: Mapping[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)
    custom_roles: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    security: Mapping[str, Any] | None = None
    names: Mapping[int, str] = field(default_factory=dict)

    @property
    def single_members(self) -> dict[str, Mapping[str, Any]]:
        """The inputs of each `Member`, by its name."""
        inside = {same_key(email) for email in (self.grouped_members or {}).get("people", ())}
        return {name: inputs for name, inputs in self.members.items() if name not in inside}

    @property
    def single_grants(self) -> dict[tuple[int, str], Mapping[str, Any]]:
        """The inputs of each `ProjectGrant`."""
        return {place: inputs for place, inputs in self.grants.items() if place[0] not in self.project_access}

    @property
    def counts(self) -> dict[str, int]:
        """The numbers of `people` and of their `grants` in projects, alone or in groups."""
        together = len((self.grouped_members or {}).get("people", ()))
        given = sum(len(inputs["grants"]) for inputs in self.project_access.values())
        return {"people": len(self.single_members) + together, "grants": len(self.single_grants) + given}

    @property
    def ungrouped(self) -> Declaration:
        """The same, with each member, grant and membership as a resource of its own."""
        return replace(self, project_access={}, grouped_members=None, grouped_teams={})

    def resources(self) -> Iterator[DeclaredResource]:
        """All resources but the brake, each after those that it refers to or depends on."""
        group = [] if self.grouped_members is None else [MEMBERS.prefix]
        alone = self.single_members

        def needs(*members: str) -> list[str]:
            return [*group, *(member for member in members if member in alone)]

        if self.grouped_members is not None:
            yield DeclaredResource(MEMBERS, MEMBERS.prefix, MEMBERS.prefix, self.grouped_members)
        for name, inputs in alone.items():
            yield DeclaredResource(MEMBER, name, name, inputs, below_collaborator=name, former=_former("", inputs))
        for key, inputs in self.custom_roles.items():
            yield DeclaredResource(CUSTOM_ROLE, key, CUSTOM_ROLE.named(key), inputs)
        if self.security is not None:
            name = ORGANIZATION_SECURITY.prefix
            yield DeclaredResource(ORGANIZATION_SECURITY, name, name, self.security)
        for (project, member), inputs in self.single_grants.items():
            yield DeclaredResource(
                kind=PROJECT_GRANT,
                key=(project, member),
                name=grant_name(project, member),
                inputs=inputs,
                depends_on=needs(member),
                below_collaborator=grant_name(self.keys[project], member),
                former=_former(grant_name(project, ""), inputs),
            )
        by_project = grouped(self.grants)
        for project, inputs in self.project_access.items():
            people = by_project.get(project, ())
            name = PROJECT_ACCESS.named(project)
            yield DeclaredResource(PROJECT_ACCESS, project, name, inputs, depends_on=needs(*people))
        for name, inputs in self.accounts.items():
            yield DeclaredResource(SERVICE_ACCOUNT, name, SERVICE_ACCOUNT.named(name), inputs)
        for (project, name), inputs in self.account_grants.items():
            account = SERVICE_ACCOUNT.named(name)
            yield _grant_of(SERVICE_ACCOUNT_GRANT, "service_account_id", account, (project, name), inputs)
        for key, inputs in self.teams.items():
            yield DeclaredResource(TEAM, key, TEAM.named(key), inputs)
        for (project, key), inputs in self.team_grants.items():
            yield _grant_of(TEAM_GRANT, "team_id", TEAM.named(key), (project, key), inputs)
        by_team = grouped(self.team_members)
        for key, inputs in self.grouped_teams.items():
            yield DeclaredResource(
                kind=TEAM_MEMBERS,
                key=key,
                name=TEAM_MEMBERS.named(key),
                inputs=inputs,
                refers_to={"team_id": TEAM.named(key)},
                depends_on=needs(*by_team.get(key, ())),
            )
        for (key, member), inputs in self.team_members.items():
            if key in self.grouped_teams:
                continue
            yield DeclaredResource(
                kind=TEAM_MEMBER,
                key=(key, member),
                name=team_member_name(key, member),
                inputs=inputs,
                refers_to={"team_id": TEAM.named(key)},
                depends_on=needs(member),
                former=_former(team_member_name(key, ""), inputs),
            )


def _grant_of(
    kind: ResourceKind, reference: str, holder: str, key: tuple[int, str], inputs: Mapping[str, Any]
) -> DeclaredResource:
    """The grant of a team or a service account, which refers to the holder's resource."""
    return DeclaredResource(kind, key, grant_name(key[0], holder), inputs, refers_to={reference: holder})


def grant_name(project: object, member: str) -> str:
    """The name of a grant's resource, by the project's id or key."""
    return f"{project}:{member}"


def team_member_name(team: str, member: str) -> str:
    """The name of the resource of a person in a team."""
    return f"{TEAM_MEMBER.named(team)}:{member}"


@once_a_roster
def declaration(roster: Roster, today: date) -> Declaration:
    """The resources that a roster declares on a day, without everything that has not begun or has ended."""
    people = effective_access(roster, today)
    teams = {key: team for key, team in roster.teams.items() if days_of(team).current(today)}
    members = {person.key: member_inputs(person, roster) for person in people}
    grants = _grants(roster, people)
    places = {
        (key, person.key): {"email": person.email, **entry.metadata_in(key), **reasons_of(person, roster, None)}
        for person in people
        for key, entry in person.teams.items()
    }
    by_project = grouped((id_, inputs) for (id_, _), inputs in grants.items())
    whole = {
        id_: project_access_inputs(project, roster, by_project.get(id_, ()))
        for id_, project in roster.whole_projects.items()
    }
    by_team = grouped((key, inputs) for (key, _), inputs in places.items()) if roster.grouped else {}
    return Declaration(
        members=members,
        grants=grants,
        people=[declared_person(person, roster) for person in people],
        facts=roster_facts(roster),
        keys={project.id: key for key, project in roster.projects.items()},
        overlaps=[words for person in people for words in overlaps(person)],
        accounts={name: account_inputs(name, one) for name, one in roster.own_accounts.items()},
        account_grants={
            (roster.projects[key].id, name): grant_inputs(roster, key, role) | account_reasons(one)
            for name, one in roster.own_accounts.items()
            for key, role in one.projects.items()
        },
        project_access={id_: inputs for id_, inputs in whole.items() if inputs["grants"] or is_exclusive(inputs)},
        grouped_members=members_inputs(members.values()) if roster.grouped and members else None,
        grouped_teams={key: team_members_inputs(theirs) for key, theirs in by_team.items()},
        teams={key: team_inputs(team) for key, team in teams.items()},
        team_grants={
            (roster.projects[project].id, key): grant_inputs(roster, project, role) | team_reasons(team)
            for key, team in teams.items()
            for project, role in roles_of_team(roster, team).items()
        },
        team_members=places,
        custom_roles={key: custom_role_inputs(one, roster) for key, one in roster.custom_roles.items()},
        security=security_inputs(roster.security) if roster.security else None,
        names={project.id: project.name for project in roster.projects.values() if project.name},
    )


def _grants(roster: Roster, people: Sequence[EffectivePerson]) -> dict[tuple[int, str], Mapping[str, Any]]:
    return {
        (roster.projects[key].id, person.key): {
            "email": person.email,
            **grant_inputs(roster, key, held.role),
            **held.entry.metadata,
            **reasons_of(person, roster, key),
        }
        for person in people
        for key, held in person.projects.items()
    }


_PAIRS: Final = ("grants", "account_grants", "team_grants", "team_members")
"""The fields of a declaration whose keys are pairs."""
_NUMBERED: Final = ("keys", "names", "project_access")
"""Those whose keys are project ids."""


@dataclass(frozen=True)
class Kept:
    """The resources that a run of a stack declares instead of its roster's (a file name), with the state's inputs."""

    stack: str
    roster: str
    declaration: Declaration


def kept_text(kept: Kept) -> str:
    """The document as JSON text, which the program of `revoke` reads back."""
    fields = asdict(kept.declaration)
    fields |= {name: [[*key, value] for key, value in fields[name].items()] for name in _PAIRS}
    fields |= {name: [[key, value] for key, value in fields[name].items()] for name in _NUMBERED}
    return json.dumps({"stack": kept.stack, "roster": kept.roster, "declaration": fields})


def read_kept(text: str, stack: str, roster: str) -> Declaration:
    """The resources of a document of `kept_text`, for the stack that runs and its roster's file name.

    Raises:
        InputError: the document belongs to another stack or roster, or cannot be read.
    """
    try:
        document = json.loads(text)
        found = document["stack"], document["roster"]
        fields: dict[str, Any] = dict(document["declaration"])
        fields |= {name: {(first, second): value for first, second, value in fields[name]} for name in _PAIRS}
        fields |= {name: {int(key): value for key, value in fields[name]} for name in _NUMBERED}
        declaration = Declaration(**fields)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            "cannot read what the stack keeps",
            why=f"the file is not one of `mixpanel-access revoke` ({error})",
            next_step="Unset MIXPANEL_ACCESS_KEPT: only that command sets it.",
        ) from None
    if found != (stack, roster):
        raise InputError(
            "cannot revoke with this program",
            why=f"the run is for the stack {found[0]} and its roster {found[1]}, and the program reads {roster} for "
            f"{stack}",
            next_step="Name the roster of a stack as the stack is named, in the program's folder.",
        )
    return declaration
