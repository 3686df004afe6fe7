"""The organization's settings: two-factor, access requests, sessions, SSO, discoverability (contract, section 8)."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from mixpanel_access.emulator import rules
from mixpanel_access.emulator.answer import Refusal, ok
from mixpanel_access.emulator.document import JsonObject
from mixpanel_access.emulator.routing import Call, Endpoint, Handler
from mixpanel_access.emulator.rules import must_manage_organization

_TWOFACTOR: Final = "twofactor_auth_required"


class _ScimName(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    scim_name: str | None


class _Posted(BaseModel):
    posted: JsonObject


def _read(name: str) -> Handler:
    def handler(call: Call) -> Response:
        must_manage_organization(call)
        return ok(call.store.setting("security")[name])

    return handler


def _update_twofactor(call: Call) -> Response:
    """Store the posted keys; 403 while SSO is on."""
    must_manage_organization(call)
    posted = _object(call)
    if call.store.setting("security")["sso"]["enabled"]:
        raise Refusal(403, "two-factor authentication is not available together with SSO")
    if not isinstance(posted.get(_TWOFACTOR, False), bool):
        raise Refusal(400, f"{_TWOFACTOR} is neither true nor false")
    before = _put(call, "twofactor", posted)
    if bool(before.get(_TWOFACTOR)) != posted.get(_TWOFACTOR, False):
        word = "enabled" if posted.get(_TWOFACTOR) else "disabled"
        call.audit.event(f"organization_access_security.twofactor_{word}", {})
    return ok({"updated": True, "fail_reason": None})


def _update(name: str) -> Handler:
    def handler(call: Call) -> Response:
        must_manage_organization(call)
        posted = _object(call)
        if _put(call, name, posted) != posted:
            call.audit.event("organization_setting.updated", {"setting": name})
        return ok({})

    return handler


def _put(call: Call, name: str, value: Any) -> Any:
    """Store a setting and return its old value."""
    security = call.store.setting("security")
    call.store.put_setting("security", {**security, name: value})
    return security[name]


def _object(call: Call) -> dict[str, Any]:
    return call.read(_Posted, {"posted": call.json()}).posted


def _scim_name(call: Call) -> Response:
    must_manage_organization(call)
    return ok({"scim_name": call.store.setting("security")["scim_name"]})


def _update_scim_name(call: Call) -> Response:
    must_manage_organization(call)
    rules.must_have(call.store.setting("organization")["plan"], "SCIM")
    name = call.read(_ScimName).scim_name
    if name is not None and not name.strip():
        raise Refusal(400, "scim_name is empty")
    if _put(call, "scim_name", name) != name:
        call.audit.event("organization_setting.updated", {"setting": "scim_name"})
    return ok({"updated": True, "fail_reason": None})


def _discoverability(call: Call) -> Response:
    """The discoverability as the dialect writes it; a dialect may lack the route."""
    must_manage_organization(call)
    word, spoken = call.store.setting("security")["discoverability"], call.dialect.discoverability
    if spoken == "none":
        raise Refusal(404, "Not found: domains/get-discoverability")
    shown = {"capitalized": word.capitalize(), "lower": word, "object": {"id": word, "name": word.capitalize()}}
    return ok({"discoverability": shown[spoken]})


_O: Final = "/organizations/{o}"
ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", f"{_O}/twofactor", _read("twofactor")),
    Endpoint("POST", f"{_O}/twofactor/update", _update_twofactor),
    Endpoint("GET", f"{_O}/org-request-access-settings", _read("request_access")),
    Endpoint("POST", f"{_O}/org-request-access-settings/update", _update("request_access")),
    Endpoint("GET", f"{_O}/org-session-settings", _read("session")),
    Endpoint("POST", f"{_O}/org-session-settings/update", _update("session")),
    Endpoint("GET", f"{_O}/sso", _read("sso")),
    Endpoint("GET", f"{_O}/scim-name", _scim_name),
    Endpoint("POST", f"{_O}/scim-name", _update_scim_name),
    Endpoint("GET", f"/api/app{_O}/domains/get-discoverability", _discoverability),
)
