"""Custom roles of a project, on the plan Enterprise (contract, section 7).

Mixpanel documents 28 switches in six categories, but no codes: the codes here are made up.
"""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from mixpanel_access.emulator import rules
from mixpanel_access.emulator.answer import Refusal, ok
from mixpanel_access.emulator.routing import Call, Endpoint
from mixpanel_access.emulator.rules import managed_project
from mixpanel_access.model import roles
from mixpanel_access.model.address import same_key

BASE: Final = "view_project"
"""The permission that the server adds to every role."""

READS_AUDIT_LOG: Final = "view_audit_log"
SEES_CLASSIFIED: Final = "view_classified_data"

CATALOGUE: Final = {
    "reports": ["create_reports", "edit_reports", "delete_reports", "share_reports", "create_boards", "edit_boards"],
    "exports": ["export_reports_csv", "export_raw_events", "export_profiles", "export_cohorts", "export_replays"],
    "data": ["edit_lexicon", "edit_custom_events", "edit_formulas", "edit_cohorts", "delete_profiles"],
    "sensitive_data": [SEES_CLASSIFIED, "classify_data", "view_replays", "view_user_profiles"],
    "access": ["invite_users", "edit_user_roles", "approve_access_requests", READS_AUDIT_LOG],
    "project_settings": ["edit_project_settings", "manage_integrations", "manage_pipelines", "manage_service_accounts"],
}
"""Category -> the codes of its switches."""

_MOST: Final = 5
_CODES: Final = [BASE, *(code for codes in CATALOGUE.values() for code in codes)]
_DEFAULT_NAMES: Final = set(roles.PROJECT_ROLES)


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _New(_Body):
    name: str
    description: str
    permissions: list[str] | None = None
    copied_from_role_id: str | None = None


class _Change(_Body):
    name: str
    description: str
    permissions: list[str]


class _LenientChange(_Body):
    model_config = ConfigDict(extra="ignore", strict=True)

    name: str
    description: str
    permissions: list[str] | None = None


def _project(call: Call) -> int:
    """The project of the path, for its owners and admins, on a plan with custom roles."""
    id_: int = managed_project(call)["id"]
    rules.must_have(call.store.setting("organization")["plan"], "custom roles")
    return id_


def _list(call: Call) -> Response:
    return ok([_shown(role) for role in call.store.custom_roles(_project(call))])


def _create(call: Call) -> Response:
    project = _project(call)
    wanted = call.read(_New)
    _must_be_free(call, project, wanted.name)
    if len(call.store.custom_roles(project)) >= _MOST:
        raise Refusal(400, f"a project has at most {_MOST} custom roles")
    copied = (
        []
        if wanted.copied_from_role_id is None
        else _get_role(call, project, wanted.copied_from_role_id)["permissions"]
    )
    permissions = _complete(copied if wanted.permissions is None else wanted.permissions)
    role_id = call.store.add_custom_role(project, wanted.name, wanted.description, permissions, call.account.user_id)
    return _recorded(call, "created", project, role_id)


def _get(call: Call) -> Response:
    return ok(_shown(_get_role(call, _project(call), call.path_params["role"])))


def _update(call: Call) -> Response:
    project = _project(call)
    role = _get_role(call, project, call.path_params["role"])
    wanted = call.read(_LenientChange) if call.provider_compat else call.read(_Change)
    _must_be_free(call, project, wanted.name, besides=role["role_id"])
    permissions = role["permissions"] if wanted.permissions is None else _complete(wanted.permissions)
    call.store.change_custom_role(project, role["role_id"], wanted.name, wanted.description, permissions)
    return _recorded(call, "updated", project, role["role_id"])


def _delete(call: Call) -> Response:
    project = _project(call)
    role = _get_role(call, project, call.path_params["role"])
    moved = call.store.remove_custom_role(project, role["role_id"])
    payload = {**_payload(role), "migrated_grants_count": moved}
    call.audit.event("custom_role.deleted", payload, project=project, entity=(role["role_id"], role["name"]))
    return ok({"deleted_role_id": role["role_id"], "deleted_role_name": role["name"], "migrated_grants_count": moved})


def _catalogue(call: Call) -> Response:
    _project(call)
    return ok({"groups": [{"id": group, "permissions": codes} for group, codes in CATALOGUE.items()]})


def _recorded(call: Call, verb: str, project: int, role_id: str) -> Response:
    role = _get_role(call, project, role_id)
    payload = {**_payload(role), "permissions": role["permissions"]}
    call.audit.event(f"custom_role.{verb}", payload, project=project, entity=(role_id, role["name"]))
    return ok(_shown(role))


def _get_role(call: Call, project: int, role_id: str) -> dict[str, Any]:
    role = call.store.custom_role(project, role_id)
    if role is None:
        raise Refusal(404, f"the project {project} has no custom role {role_id}")
    return role


def _must_be_free(call: Call, project: int, name: str, besides: str | None = None) -> None:
    """Names are unique in a project, in any case; the names of the default roles are taken."""
    if not name.strip():
        raise Refusal(400, "the name of a custom role is empty")
    others = {same_key(role["name"]) for role in call.store.custom_roles(project) if role["role_id"] != besides}
    if same_key(name) in others | _DEFAULT_NAMES:
        raise Refusal(400, f"there is a role {name}")


def _complete(permissions: list[str]) -> list[str]:
    """The permissions in the server's own order, with the one that every role has."""
    for code in permissions:
        if code not in _CODES:
            raise Refusal(400, f"{code} is not a permission")
    return [code for code in _CODES if code == BASE or code in permissions]


def _shown(role: dict[str, Any]) -> dict[str, Any]:
    return {
        "role_id": role["role_id"],
        "name": role["name"],
        "description": role["description"],
        "permissions": role["permissions"],
        "project_id": role["project"],
        "is_default": False,
        "created": role["created"],
        "modified": role["modified"],
        "created_by_user_id": role["created_by"],
    }


def _payload(role: dict[str, Any]) -> dict[str, Any]:
    return {"role_id": role["role_id"], "role_name": role["name"]}


_ROOT: Final = "/api/app/projects/{p}/custom-roles"
ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", _ROOT, _list),
    Endpoint("POST", _ROOT, _create),
    Endpoint("GET", f"{_ROOT}/switch-config", _catalogue),
    Endpoint("GET", f"{_ROOT}/{{role}}", _get),
    Endpoint("PUT", f"{_ROOT}/{{role}}", _update),
    Endpoint("DELETE", f"{_ROOT}/{{role}}", _delete),
)
