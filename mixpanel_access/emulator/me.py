"""Who am I (contract, section 9)."""

from __future__ import annotations

from starlette.responses import Response

from mixpanel_access.emulator.answer import ok
from mixpanel_access.emulator.routing import Call, Endpoint
from mixpanel_access.model.roles import project_role_of

_ROLE_IDS = {"owner": 1, "admin": 2}


def _me(call: Call) -> Response:
    organization = call.store.setting("organization")
    role = project_role_of(call.account.role)
    visible = call.store.projects() if role else []
    return ok(
        {
            "user_id": call.account.user_id,
            "user_email": call.account.username,
            "organizations": {
                str(organization["id"]): {
                    "id": organization["id"],
                    "name": organization["name"],
                    "role": call.account.role,
                    "permissions": [],
                }
            },
            "projects": {
                str(project["id"]): {
                    "name": project["name"],
                    "organization_id": organization["id"],
                    "domain": "mixpanel.com",
                    "role": {"id": _ROLE_IDS.get(role or ""), "name": role},
                }
                for project in visible
            },
        }
    )


ENDPOINTS: tuple[Endpoint, ...] = (Endpoint("GET", "/api/app/me", _me, 9, "documented, fields observed·C"),)
