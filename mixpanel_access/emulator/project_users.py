"""Who holds what in a project, and which roles can be given (contract, section 3)."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from mixpanel_access.emulator.answer import ok
from mixpanel_access.emulator.common import managing, own_roles, project_managing
from mixpanel_access.emulator.routing import Call, Endpoint
from mixpanel_access.emulator.store import Member
from mixpanel_access.model import roles
from mixpanel_access.model.address import same_key


def _granted_users(call: Call) -> Response:
    """One row a grant; the organization role, teams, individual grants, all users, in this order."""
    row = project_managing(call)
    listed = (member for member in call.store.members() if not member.invited or call.dialect.invited_in_granted_users)
    members = {member.key: member for member in listed}
    joined = [member for member in members.values() if not member.invited]
    rows: list[dict[str, Any]] = []
    for member in joined:
        inherited = roles.project_role_of(member.role)
        if inherited:
            rows.append(_grant(member, inherited, "organization"))
    for held in call.store.team_grants(row["id"]):
        if held["key"] not in members:
            continue
        team = {"id": held["id"], "name": held["name"]}
        rows.append({**_grant(members[held["key"]], held["role"], "team"), "team": team})
    individual = call.store.individual(row["id"]).items()
    rows += [_grant(members[key], role, "individual") for key, role in individual if key in members]
    if row["all_users"]:
        rows += [_grant(member, row["all_users"], "all_users") for member in joined]
    return ok({"users": rows})


def _grant(member: Member, role: str, target_type: str) -> dict[str, Any]:
    return {"id": member.id, "email": member.email, "name": member.name, "role": role, "target_type": target_type}


def _one_user(call: Call) -> Response:
    """What one person holds, by a grant and by teams; of somebody who holds nothing, that (contract, section 3)."""
    row = project_managing(call)
    member = call.store.member(call.places["email"])
    role = call.store.individual(row["id"]).get(same_key(call.places["email"]))
    teams = [held for held in call.store.team_grants(row["id"]) if held["key"] == same_key(call.places["email"])]
    held_roles = [*([role] if role else []), *[held["role"] for held in teams]]
    return ok(
        {
            "active": bool(held_roles) and member is not None and member.active and not member.invited,
            "role": roles.highest(held_roles) if held_roles else None,
            "teams": [{"id": held["id"], "name": held["name"]} for held in teams],
            "recently_created": [],
            "user_bio": None,
        }
    )


def _organization_roles(call: Call) -> Response:
    managing(call)
    own = [role for role in roles.ORGANIZATION_ROLES if roles.may_assign(call.account.role, role)]
    return ok([call.dialect.role(role) for role in own])


def _project_roles(call: Call) -> Response:
    row = project_managing(call)
    highest = roles.highest(own_roles(call, row["id"]))
    own = [role for role in roles.PROJECT_ROLES if roles.project_rank(role) <= roles.project_rank(highest)]
    return ok([*own, *[role["role_id"] for role in row["custom_roles"]]])


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", "/api/app/projects/{p}/granted-users", _granted_users),
    Endpoint("GET", "/api/app/projects/{p}/users/{email}", _one_user),
    Endpoint("GET", "/organizations/{o}/assignable-org-roles", _organization_roles),
    Endpoint("GET", "/api/app/projects/{p}/assignable-roles", _project_roles),
)
