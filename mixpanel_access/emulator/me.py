"""Who am I (contract, section 9)."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from mixpanel_access.emulator.answer import ok
from mixpanel_access.emulator.common import own_roles
from mixpanel_access.emulator.routing import Call, Endpoint
from mixpanel_access.model import roles

_OF_ADMINS: Final = (
    "add_user", "delete_members", "edit_userroles", "create_team", "delete_team", "add_member_to_team",
    "delete_user_from_team", "add_project_to_team", "delete_project_from_team", "create_service_account",
    "create_project", "update_org", "manage_discoverability", "edit_project_security", "view_org_users",
    "view_org_teams", "view_org_projects", "view_audit_logs",
)  # fmt: skip
_OF_OWNERS: Final = ("delete_org", "transfer_project", "delete_project")
PERMISSIONS: Final = {roles.OWNER: (*_OF_ADMINS, *_OF_OWNERS), roles.ADMIN: _OF_ADMINS}
"""Organization role -> its codes, by what the roles may do (contract, sections 9 and 13); other roles have none."""

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


ENDPOINTS: tuple[Endpoint, ...] = (Endpoint("GET", "/api/app/me", _me),)
