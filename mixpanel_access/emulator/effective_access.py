"""Who can do what: the caller (contract, section 9), and people in a project (contract, section 3)."""

from __future__ import annotations

from typing import Any, Final

from starlette.responses import Response

from mixpanel_access.emulator.answer import ok
from mixpanel_access.emulator.routing import Call, Endpoint
from mixpanel_access.emulator.rules import managed_project, must_manage_organization, own_roles
from mixpanel_access.emulator.store import MemberRow
from mixpanel_access.model import roles
from mixpanel_access.model.address import same_key

_OF_ADMINS: Final = (
    "add_user", "delete_members", "edit_userroles", "create_team", "delete_team", "add_member_to_team",
    "delete_user_from_team", "add_project_to_team", "delete_project_from_team", "create_service_account",
    "create_project", "update_org", "manage_discoverability", "edit_project_security", "view_org_users",
    "view_org_teams", "view_org_projects", "view_audit_logs",
)  # fmt: skip
_OF_OWNERS: Final = ("delete_org", "transfer_project", "delete_project")
PERMISSIONS: Final = {roles.OWNER: (*_OF_ADMINS, *_OF_OWNERS), roles.ADMIN: _OF_ADMINS}
"""Organization role -> the codes of its permissions (contract, sections 9 and 13); other roles have none."""

_ROLE_IDS: Final = {role: number for number, role in enumerate(roles.PROJECT_ROLES, 1)}


def _me(call: Call) -> Response:
    organization = call.store.setting("organization")
    permissions = PERMISSIONS.get(call.account.role, ()) if call.dialect.me_permissions else ()
    held = {project["id"]: roles.highest(own_roles(call, project["id"])) for project in call.store.projects()}
    return ok(
        {
            "user_id": call.account.user_id,
            "user_email": call.account.username,
            "organizations": {
                str(organization["id"]): {
                    "id": organization["id"],
                    "name": organization["name"],
                    "role": call.dialect.role(call.account.role),
                    "permissions": [*permissions],
                }
            },
            "projects": {
                str(project["id"]): {
                    "name": project["name"],
                    "organization_id": organization["id"],
                    "domain": project["domain"],
                    "role": {"id": _ROLE_IDS.get(held[project["id"]] or ""), "name": held[project["id"]]},
                }
                for project in call.store.projects()
                if held[project["id"]]
            },
        }
    )


def _granted_users(call: Call) -> Response:
    """A row for each grant: organization roles, teams, individual grants, all users, in this order."""
    row = managed_project(call)
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


def _grant(member: MemberRow, role: str, target_type: str) -> dict[str, Any]:
    return {"id": member.id, "email": member.email, "name": member.name, "role": role, "target_type": target_type}


def _one_user(call: Call) -> Response:
    """What one person has by a grant and by teams; a stranger has nothing (contract, section 3)."""
    row = managed_project(call)
    member = call.store.member(call.path_params["email"])
    role = call.store.individual(row["id"]).get(same_key(call.path_params["email"]))
    teams = [held for held in call.store.team_grants(row["id"]) if held["key"] == same_key(call.path_params["email"])]
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
    must_manage_organization(call)
    own = [role for role in roles.ORGANIZATION_ROLES if roles.may_assign(call.account.role, role)]
    return ok([call.dialect.role(role) for role in own])


def _project_roles(call: Call) -> Response:
    row = managed_project(call)
    highest = roles.highest(own_roles(call, row["id"]))
    own = [role for role in roles.PROJECT_ROLES if roles.project_rank(role) <= roles.project_rank(highest)]
    return ok([*own, *[role["role_id"] for role in row["custom_roles"]]])


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", "/api/app/me", _me),
    Endpoint("GET", "/api/app/projects/{p}/granted-users", _granted_users),
    Endpoint("GET", "/api/app/projects/{p}/users/{email}", _one_user),
    Endpoint("GET", "/organizations/{o}/assignable-org-roles", _organization_roles),
    Endpoint("GET", "/api/app/projects/{p}/assignable-roles", _project_roles),
)
