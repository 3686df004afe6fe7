"""The inputs of each resource that a roster declares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mixpanel_access.model.address import same_key
from mixpanel_access.model.brakes import DeclaredPerson
from mixpanel_access.model.effective_access import EffectivePerson
from mixpanel_access.model.grants import shared_reasons
from mixpanel_access.model.ownership import WHEN_UNUSED
from mixpanel_access.model.roles import as_set
from mixpanel_access.model.roster.schema import (
    OwnServiceAccount,
    Roster,
    RosterCustomRole,
    RosterException,
    RosterSecurity,
    RosterTeam,
)


def login_facts(roster: Roster) -> dict[str, Any]:
    """The login settings that the roster documents, for policies to compare with the declared ones."""
    login = roster.organization.login
    told = {"sso_required": login.sso_required, "mfa_required": login.mfa_required}
    known = {key: value for key, value in told.items() if value is not None}
    return {"login": known} if known else {}


def project_access_inputs(
    id_: int, roster: Roster, grants: Mapping[tuple[int, str], Mapping[str, Any]]
) -> dict[str, Any]:
    """The `ProjectAccess` of a project, with the grants that the roster gives there."""
    theirs = [inputs for (project, _), inputs in grants.items() if project == id_]
    return {
        "project_id": id_,
        "grants": {inputs["email"]: inputs["role"] for inputs in theirs},
        "environment": roster.whole_projects[id_].environment,
        "reasons": shared_reasons(theirs),
    }


def team_inputs(team: RosterTeam) -> dict[str, Any]:
    """A `Team`, with the reasons that the roster gives for it."""
    return {"name": team.name, "removal": team.removal or WHEN_UNUSED, **team_reasons(team)}


def standard_role(roster: Roster, team: RosterTeam) -> str:
    """The role of a team in a project where it names none."""
    return roster.standards[team.standard or ""].project_role(roster.environment)


def team_reasons(team: RosterTeam) -> dict[str, Any]:
    """Why a team is there, in the words of the metadata; its standard is what its roles are judged by."""
    found = {
        "engagement_type": team.standard,
        "ticket": team.ticket,
        "approver": team.approver,
        "justification": team.justification,
        "starts": team.starts,
        "ends": team.ends,
    }
    return {key: value for key, value in found.items() if value is not None}


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
    values: dict[str, Any] = {"two_factor_required": one.two_factor_required}
    values["request_access"] = dict(one.request_access) or None
    return {key: value for key, value in values.items() if value is not None}


def account_inputs(name: str, one: OwnServiceAccount) -> dict[str, Any]:
    """A `ServiceAccount`, with the reasons that the roster gives for it."""
    values = {
        "username": name,
        "role": one.role,
        "expires": one.expires,
        "rotate_after": one.rotate_after,
        "overlap": one.overlap,
    }
    return {key: value for key, value in values.items() if value is not None} | account_reasons(one)


def account_reasons(one: OwnServiceAccount) -> dict[str, Any]:
    """Why a service account is there, in the words of the metadata."""
    found = {"justification": one.purpose, "sponsor": one.contact, "ticket": one.ticket, "approver": one.approver}
    return {key: value for key, value in found.items() if value is not None}


def member_inputs(person: EffectivePerson, roster: Roster) -> dict[str, Any]:
    """The `Member` of a person, with the metadata of the entry that counts."""
    role = {"role": person.organization_role} if person.organization_role else {}
    return {
        "email": person.email,
        **role,
        "removal": person.removal or WHEN_UNUSED,
        **({"ownership": person.ownership} if person.ownership else {}),
        **person.entry.metadata,
        **kind_of(person),
        **excepted(roster, person.key, None),
    }


def kind_of(person: EffectivePerson) -> dict[str, str]:
    """What the person is to the company, whichever of their entries says it."""
    return {"kind": person.kind} if person.kind else {}


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
    whom = {"email": one.email} if one.email else {}
    where = {"project": roster.projects[one.project].id} if one.project else {}
    added = {"starts": one.starts, "ticket": one.ticket}
    found = {"rule": one.rule, "reason": one.reason, "approver": one.approver, "ends": one.ends, **whom, **where}
    return found | {name: value for name, value in added.items() if value is not None}


def declared_person(person: EffectivePerson, roster: Roster) -> DeclaredPerson:
    """What the brake needs to know of a person."""
    known = DeclaredPerson(
        email=person.email,
        removal=person.removal or WHEN_UNUSED,
        projects=[roster.projects[key].id for key in person.projects],
    )
    if person.organization_role:
        known["role"] = person.organization_role
    if person.ownership:
        known["ownership"] = person.ownership
    if person.teams:
        known["teams"] = [roster.teams[key].name for key in person.teams]
    if person.ends:
        known["ends"] = person.ends.isoformat()
    return known
