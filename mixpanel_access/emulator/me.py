"""Who am I (contract, section 9)."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from mixpanel_access.emulator.answer import ok
from mixpanel_access.emulator.common import own_roles
from mixpanel_access.emulator.routing import Call, Endpoint
from mixpanel_access.model import roles

_ROLE_IDS: Final = {role: number for number, role in enumerate(roles.PROJECT_ROLES, 1)}


def _me(call: Call) -> Response:
    organization = call.store.setting("organization")
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
                    "permissions": [],
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


ENDPOINTS: tuple[Endpoint, ...] = (Endpoint("GET", "/api/app/me", _me, 9, "documented, fields observed·C"),)
