"""Service accounts of the organization and of a project (contract, section 6)."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Any, Final
from unicodedata import category

from pydantic import Field
from starlette.responses import JSONResponse, Response

from mixpanel_access.emulator import rules
from mixpanel_access.emulator.account_store import Account, AccountGrant
from mixpanel_access.emulator.answer import Refusal, ok
from mixpanel_access.emulator.custom_roles import SEES_CLASSIFIED
from mixpanel_access.emulator.routing import Body, Call, Endpoint
from mixpanel_access.emulator.rules import known_project, managed_project, must_be_assignable, must_manage_organization
from mixpanel_access.model import roles
from mixpanel_access.model.dates import written

_EXPIRES: Final = "%Y-%m-%dT%H:%M:%SZ"
_ORGANIZATION_ROLES: Final = {roles.ADMIN: roles.ADMIN, roles.ANALYST: roles.MEMBER, roles.CONSUMER: roles.MEMBER}
"""`role` of a new account, in words of projects -> its organization role; Mixpanel refuses `owner`."""


class _ProjectRole(Body):
    id: int
    role: str


class _New(Body):
    username: str
    role: str = roles.CONSUMER
    expires: str | None = None
    projects: list[_ProjectRole] = Field(default_factory=list)


class _Added(Body):
    service_account_ids: list[int]
    projects: list[_ProjectRole]


class _Left(Body):
    id: int
    service_account_ids: list[int]


def row(account: Account) -> dict[str, Any]:
    """An account as every read shows it, without token and projects."""
    return {
        "id": account.id,
        "username": account.username,
        "created": account.created and written(account.created),
        "creator": account.creator,
        "creator_name": account.creator_name,
        "creator_email": account.creator_email,
        "expires": account.expires and written(account.expires),
        "last_used": account.last_used and written(account.last_used),
        "user": account.user_id,
    }


def known(call: Call, id_: int) -> Account:
    """An account of the organization, or 404."""
    account = call.store.account_of_id(id_) if 0 < id_ < 2**63 else None
    if account is None:
        raise Refusal(404, f"no service account {id_}")
    return account


def _list(call: Call) -> Response:
    must_manage_organization(call)
    return ok([{**row(account), "org_role": call.dialect.role(account.role)} for account in call.store.accounts()])


def _create(call: Call) -> Response:
    """Create an account. Only this answer has the token; the server adds a suffix to the username."""
    must_manage_organization(call)
    wanted = call.read(_New)
    name = wanted.username.strip()
    if not name or ":" in name or any(category(char) == "Cc" for char in wanted.username):
        raise Refusal(400, "username is empty, or has a colon or a control character")
    if wanted.role not in _ORGANIZATION_ROLES:
        raise Refusal(400, f"a service account cannot be created with the role {wanted.role}")
    expires = _expires(wanted.expires, call.store.clock.now())
    for held in wanted.projects:
        must_be_assignable(call, held.id, held.role)
    username = f"{name}.{secrets.token_hex(3)}.mp-service-account"
    token, role = secrets.token_urlsafe(24), _ORGANIZATION_ROLES[wanted.role]
    account = call.store.add_account(username, token, role, expires, call.account)
    payload = {**_who(account), "organization_role": call.audit.role(role)}
    call.audit.event("service_account.created", payload, entity=(account.id, account.username))
    for held in wanted.projects:
        _put_grant(call, account, held.id, held.role)
    return JSONResponse({"status": "ok", "results": {**row(account), "token": token}}, 201)


def _expires(text: str | None, now: datetime) -> datetime | None:
    """The expiry, which must have exactly the documented form and be in the future."""
    if text is None:
        return None
    try:
        value = datetime.strptime(text, _EXPIRES).replace(tzinfo=UTC)
    except ValueError:
        value = None
    if value is None or written(value) != text:
        raise Refusal(400, f"expires: {text} is not of the form {_EXPIRES}")
    if value <= now:
        raise Refusal(400, f"expires: {text} is in the past")
    return value


def _get(call: Call) -> Response:
    must_manage_organization(call)
    return ok(row(known(call, call.number("id"))))


def _delete(call: Call) -> Response:
    must_manage_organization(call)
    _remove(call, [call.number("id")])
    return JSONResponse({"status": "ok"})


def _delete_many(call: Call) -> Response:
    must_manage_organization(call)
    _remove(call, call.read_key("service_account_ids", list[int]))
    return JSONResponse({"status": "ok"})


def _remove(call: Call, ids: list[int]) -> None:
    for account in [known(call, id_) for id_ in dict.fromkeys(ids)]:
        rules.must_change(call.account.role, account.role, account.username)
        call.store.remove_account(account.id)
        call.audit.event("service_account.deleted", _who(account), entity=(account.id, account.username))


def _add_to_projects(call: Call) -> Response:
    """An account that is in the project already gets the new role in place."""
    must_manage_organization(call)
    wanted = call.read(_Added)
    accounts = [known(call, id_) for id_ in wanted.service_account_ids]
    for held in wanted.projects:
        must_be_assignable(call, held.id, held.role)
    for account in accounts:
        for held in wanted.projects:
            _put_grant(call, account, held.id, held.role)
    return JSONResponse({"status": "ok"})


def _remove_from_projects(call: Call) -> Response:
    must_manage_organization(call)
    leaving = []
    for left in call.read_key("projects", list[_Left]):
        known_project(call, left.id)
        for id_ in left.service_account_ids:
            account = known(call, id_)
            if call.store.account_grant(id_, left.id) is None:
                raise Refusal(404, f"the service account {id_} is not in the project {left.id}")
            leaving.append((account, left.id))
    for account, project_id in leaving:
        _put_grant(call, account, project_id, None)
    return JSONResponse({"status": "ok"})


def _put_grant(call: Call, account: Account, project_id: int, role: str | None) -> None:
    old = call.store.account_grant(account.id, project_id)
    call.store.put_account_grant(account.id, project_id, role)
    if old == role:
        return
    named = {word: call.audit.project_role(project_id, held) for word, held in (("old", old), ("new", role)) if held}
    if old is None or role is None:
        verb = "added_to_project" if old is None else "removed_from_project"
        payload = {**_who(account), "project_role": next(iter(named.values()))}
    else:
        verb, payload = "role_changed", {**_who(account), "old_role": named["old"], "new_role": named["new"]}
    entity = (account.id, account.username)
    call.audit.event(f"service_account.{verb}", payload, project=project_id, entity=entity)


def _who(account: Account) -> dict[str, str]:
    return {"service_account_id": str(account.id), "service_account_name": account.username}


def _list_of_project(call: Call) -> Response:
    held = managed_project(call)
    sensitive = {
        role["role_id"] for role in call.store.custom_roles(held["id"]) if SEES_CLASSIFIED in role["permissions"]
    }
    return ok([_project_row(grant, grant.role in sensitive) for grant in call.store.account_grants(held["id"])])


def _project_row(grant: AccountGrant, sensitive: bool) -> dict[str, Any]:
    """A row for each grant. `role_order` is 1 (owner) to 4 (consumer), and null for a custom role (assumed)."""
    order = roles.PROJECT_ROLES.index(grant.role) + 1 if grant.role in roles.PROJECT_ROLES else None
    return {
        **row(grant.account),
        "email": grant.account.username,
        "role": grant.role,
        "role_order": order,
        "target_type": grant.target_type,
        "hasSensitiveAccess": sensitive,
    }


_ROOT: Final = "/api/app/organizations/{o}/service-accounts"
ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", _ROOT, _list),
    Endpoint("POST", _ROOT, _create),
    Endpoint("GET", f"{_ROOT}/{{id}}", _get),
    Endpoint("DELETE", f"{_ROOT}/{{id}}", _delete),
    Endpoint("POST", f"{_ROOT}/delete-service-accounts", _delete_many),
    Endpoint("POST", f"{_ROOT}/add-to-project", _add_to_projects),
    Endpoint("POST", f"{_ROOT}/remove-from-project", _remove_from_projects),
    Endpoint("DELETE", f"{_ROOT}/remove-from-project", _remove_from_projects),
    Endpoint("GET", "/api/app/projects/{p}/service-accounts", _list_of_project),
)
