"""SCIM 2.0: the verbs, the token, and errors in its own shape (contract, section 10).

What the verbs do is in `scim_users.py` and `scim_groups.py`. They are imported at the first request, for the library
that knows the shapes takes longer to load than all the rest of the emulator.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

from starlette.responses import JSONResponse, Response

from mixpanel_access.emulator import rules
from mixpanel_access.emulator.account_store import Account
from mixpanel_access.emulator.answer import Refusal
from mixpanel_access.emulator.routing import Call, Endpoint, Handler
from mixpanel_access.emulator.store import Store
from mixpanel_access.model import roles

ROOT: Final = "/api/app/scim/v2"
SERVICE: Final = "scim"
"""The `service` of its events in the audit log."""

_ERROR: Final = "urn:ietf:params:scim:api:messages:2.0:Error"


class ScimResponse(JSONResponse):
    """A resource or an error, never in the envelope."""

    media_type = "application/scim+json"


def serves(path: str) -> bool:
    """Whether a path is SCIM's."""
    return path == ROOT or path.startswith(f"{ROOT}/")


def refused(refusal: Refusal) -> Response:
    """A refusal in SCIM's shape (RFC 7644, section 3.12)."""
    content: dict[str, Any] = {"schemas": [_ERROR], "status": str(refusal.status), "detail": refusal.words}
    if refusal.scim_type is not None:
        content["scimType"] = refusal.scim_type
    return ScimResponse(content, refusal.status, refusal.headers)


def caller(store: Store, header: str | None) -> Account:
    """The identity provider, by the SCIM token; Basic is no way in.

    Raises:
        Refusal: another token, or none (401).
    """
    scheme, _, token = (header or "").partition(" ")
    wanted = store.setting("security")["scim_token"]
    if wanted is None or scheme.lower() != "bearer" or token.strip() != wanted:
        raise Refusal(401, "missing or invalid SCIM token", {"WWW-Authenticate": 'Bearer realm="mixpanel"'})
    return Account("", "", roles.MEMBER, 0, 0)


def _late(module: str, name: str) -> Handler:
    """The handler of that name, imported when it is first needed; on the plan Enterprise only."""

    def handler(call: Call) -> Response:
        rules.must_have(call.store.setting("organization")["plan"], "SCIM")
        response: Response = getattr(import_module(f"mixpanel_access.emulator.{module}"), name)(call)
        return response

    return handler


def _resources(kind: str, module: str) -> tuple[Endpoint, ...]:
    place = f"{ROOT}/{kind}/{{{kind.lower().removesuffix('s')}}}"
    return (
        Endpoint("GET", f"{ROOT}/{kind}", _late(module, "find"), 10, "documented, shape assumed"),
        Endpoint("POST", f"{ROOT}/{kind}", _late(module, "create"), 10, "documented, shape assumed"),
        Endpoint("GET", place, _late(module, "read"), 10, "documented, shape assumed"),
        Endpoint("PUT", place, _late(module, "replace"), 10, "documented, shape assumed"),
        Endpoint("PATCH", place, _late(module, "patch"), 10, "documented, shape assumed"),
        Endpoint("DELETE", place, _late(module, "delete"), 10, "documented, shape assumed"),
    )


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", f"{ROOT}/ServiceProviderConfig", _late("scim_bodies", "config"), 10, "assumed"),
    *_resources("Users", "scim_users"),
    *_resources("Groups", "scim_groups"),
)
