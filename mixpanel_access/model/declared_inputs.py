"""The inputs of each resource that a roster declares."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, cast

from mixpanel_access.model.address import same_key
from mixpanel_access.model.brakes import DeclaredPerson
from mixpanel_access.model.effective_access import EffectivePerson
from mixpanel_access.model.grants import REASON_FIELDS, shared_reasons
from mixpanel_access.model.ownership import WHEN_UNUSED
from mixpanel_access.model.roles import as_set
from mixpanel_access.model.roster.schema import (
    OwnServiceAccount,
    Roster,
    RosterCustomRole,
    RosterException,
    RosterProject,
    RosterSecurity,
    RosterTeam,
)


def roster_facts(roster: Roster) -> dict[str, Any]:
    """What policies need to know of a roster as a whole; its login settings are compared with the declared ones."""
    login = roster.organization.login
    documented = _known(sso_required=login.sso_required, mfa_required=login.mfa_required)
    return {
        "environment": roster.environment,
        "organization_roles": roster.organization_roles,
        "exceptions": [exception_inputs(roster, one) for one in roster.exceptions if one.email is None],
        **({"login": documented} if documented else {}),
    }


def _known(**values: Any) -> dict[str, Any]:
    """Those that have a value."""
    return {name: value for name, value in values.items() if value is not None}


def grant_inputs(roster: Roster, key: str, role: str) -> dict[str, Any]:
    """The inputs of every grant in the project with this key."""
    project = roster.projects[key]
    return {"project_id": project.id, "role": roster.role_here(key, role), "environment": project.environment}


def project_access_inputs(
    project: RosterProject, roster: Roster, grants: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """The `ProjectAccess` of a project that stands for these `ProjectGrant`s."""
    return {
        "project_id": project.id,
        "grants": {inputs["email"]: inputs["role"] for inputs in grants},
        **({} if roster.is_authoritative(project) else {"exclusive": False}),
        "environment": project.environment,
        "reasons": shared_reasons(grants),
    }


def members_inputs(members: Collection[Mapping[str, Any]]) -> dict[str, Any]:
    """The `Members` that stands for these `Member`s."""
    own = ("email", *REASON_FIELDS)
    people = {one["email"]: {name: value for name, value in one.items() if name not in own} for one in members}
    return {"people": people, "reasons": shared_reasons(members)}


def team_members_inputs(places: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The `TeamMembers` of a team that stands for these `TeamMember`s, without the team's id."""
    return {"people": [one["email"] for one in places], "reasons": shared_reasons(places)}


def team_inputs(team: RosterTeam) -> dict[str, Any]:
    """A `Team`, with the reasons that the roster gives for it."""
    return {"name": team.name, "removal": team.removal or WHEN_UNUSED, **team_reasons(team)}


def roles_of_team(roster: Roster, team: RosterTeam) -> dict[str, str]:
    """The roles of a team, by the keys of the projects, with the standard one where it names none."""
    usual = roster.standards[team.standard].project_role(roster.environment) if team.standard else ""
    return {key: roster.role_here(key, role or usual) for key, role in team.projects.items()}


def team_reasons(team: RosterTeam) -> dict[str, Any]:
    """The metadata of a team: its reasons, and the standard by which its roles are judged."""
    return _known(
        engagement_type=team.standard,
        ticket=team.ticket,
        approver=team.approver,
        justification=team.justification,
        starts=team.starts,
        ends=team.ends,
    )


def custom_role_inputs(one: RosterCustomRole, roster: Roster) -> dict[str, Any]:
    """A `CustomRole`, with its permissions as a sorted set."""
    project = roster.projects[one.project]
    return {
        "project_id": project.id,
        "name": one.name,
        "description": one.description or "",
        "permissions": as_set(one.permissions),
        "environment": project.environment,
    }


def security_inputs(one: RosterSecurity) -> dict[str, Any]:
    """The `OrganizationSecurity`, without the settings that the roster leaves out."""
    return _known(two_factor_required=one.two_factor_required, request_access=dict(one.request_access) or None)


def account_inputs(name: str, one: OwnServiceAccount) -> dict[str, Any]:
    """A `ServiceAccount`, with the reasons that the roster gives for it."""
    values = _known(role=one.role, expires=one.expires, rotate_after=one.rotate_after, overlap=one.overlap)
    return {"username": name, **values, **account_reasons(one)}


def account_reasons(one: OwnServiceAccount) -> dict[str, Any]:
    """The reasons that the roster gives for a service account, by the names of the metadata."""
    return _known(justification=one.purpose, sponsor=one.contact, ticket=one.ticket, approver=one.approver)


def member_inputs(person: EffectivePerson, roster: Roster) -> dict[str, Any]:
    """The `Member` of a person, with the metadata of the entry that counts."""
    return {
        "email": person.email,
        "removal": person.removal or WHEN_UNUSED,
        **_known(role=person.organization_role or None, ownership=person.ownership),
        **person.entry.metadata,
        **reasons_of(person, roster, None),
    }


def reasons_of(person: EffectivePerson, roster: Roster, project: str | None) -> dict[str, Any]:
    """What any entry says of a person: their kind, and the exceptions for them or for their grant in one project."""
    return _known(kind=person.kind) | excepted(roster, person.key, project)


def excepted(roster: Roster, key: str, project: str | None) -> dict[str, Any]:
    """The exceptions that concern a person (by the key of their address), or their grant in one project."""
    found = [
        exception_inputs(roster, one)
        for one in roster.exceptions
        if one.email is not None and same_key(one.email) == key and one.project in (None, project)
    ]
    return {"exceptions": found} if found else {}


def exception_inputs(roster: Roster, one: RosterException) -> dict[str, Any]:
    """An exception as resources and policies have it."""
    found = {"rule": one.rule, "reason": one.reason, "approver": one.approver, "ends": one.ends}
    project = roster.projects[one.project].id if one.project else None
    return found | _known(email=one.email or None, project=project, starts=one.starts, ticket=one.ticket)


def declared_person(person: EffectivePerson, roster: Roster) -> DeclaredPerson:
    """What the brake needs to know of a person."""
    optional = _known(
        role=person.organization_role or None,
        ownership=person.ownership,
        teams=[roster.teams[key].name for key in person.teams] or None,
        ends=person.ends and person.ends.isoformat(),
    )
    projects = [roster.projects[key].id for key in person.projects]
    known = {"email": person.email, "removal": person.removal or WHEN_UNUSED, "projects": projects, **optional}
    return cast("DeclaredPerson", known)
