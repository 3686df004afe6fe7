"""SCIM 2.0: the verbs, the token, the media type, and errors in its own shape (contract, section 10).

What the verbs do is in `scim_resources.py`, which the first request imports: the library for its shapes takes longer to
load than the rest of the emulator.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

from starlette.responses import JSONResponse, Response

from mixpanel_access.emulator import rules
from mixpanel_access.emulator.account_store import Account
from mixpanel_access.emulator.answer import Refusal
from mixpanel_access.emulator.dialect import Dialect
from mixpanel_access.emulator.routing import Call, Endpoint, Handler
from mixpanel_access.emulator.store import Store
from mixpanel_access.model import roles

ROOT: Final = "/api/app/scim/v2"
MEDIA_TYPE: Final = "application/scim+json"
SERVICE: Final = "scim"
"""The `service` of its events in the audit log."""

_OPEN: Final = f"{ROOT}/ServiceProviderConfig"
"""The only path that answers without a token (contract, section 10)."""
_ERROR: Final = "urn:ietf:params:scim:api:messages:2.0:Error"
_ACCEPTING: Final = {MEDIA_TYPE, "application/*", "*/*"}


class ScimResponse(JSONResponse):
    """A resource or an error, never in the envelope."""

    media_type = MEDIA_TYPE


def serves(path: str) -> bool:
    """Whether a path belongs to SCIM."""
    return path == ROOT or path.startswith(f"{ROOT}/")


def refused(refusal: Refusal, dialect: Dialect) -> Response:
    """A refusal in SCIM's shape (RFC 7644, section 3.12); a dialect may leave out all but the words."""
    content: dict[str, Any] = {"schemas": [_ERROR], "detail": refusal.words}
    if dialect.scim_errors == "full":
        content["status"] = str(refusal.status)
        content |= {"scimType": refusal.scim_type} if refusal.scim_type is not None else {}
    return ScimResponse(content, refusal.status, refusal.headers)


def must_speak(headers: Mapping[str, str], body: bytes, dialect: Dialect) -> None:
    """In a strict dialect, refuse other media types than SCIM's.

    Raises:
        Refusal: the body has another type (415), or the client does not accept SCIM's (406).
    """
    if dialect.scim_media_type == "any":
        return
    if body and _media_types(headers.get("content-type", "")) != {MEDIA_TYPE}:
        raise Refusal(415, f"the body must be {MEDIA_TYPE}")
    if _media_types(headers.get("accept", "*/*")).isdisjoint(_ACCEPTING):
        raise Refusal(406, f"the answer is {MEDIA_TYPE}")


def _media_types(header: str) -> set[str]:
    """The types of a header, without their parameters."""
    return {part.partition(";")[0].strip().lower() for part in header.split(",")}


def caller(store: Store, path: str, header: str | None) -> Account:
    """The identity provider, which has the SCIM token; Basic does not work.

    Raises:
        Refusal: the token is missing or wrong (401).
    """
    if path == _OPEN:
        return _IDENTITY_PROVIDER
    scheme, _, token = (header or "").partition(" ")
    wanted = store.setting("security")["scim_token"]
    if wanted is None or scheme.lower() != "bearer" or token.strip() != wanted:
        raise Refusal(401, "missing or invalid SCIM token", {"WWW-Authenticate": 'Bearer realm="mixpanel"'})
    return _IDENTITY_PROVIDER


_IDENTITY_PROVIDER: Final = Account("", "", roles.MEMBER, 0, 0)


def _late(module: str, name: str) -> Handler:
    """A handler that is imported at its first request, and needs the plan Enterprise."""

    def handler(call: Call) -> Response:
        rules.must_have(call.store.setting("organization")["plan"], "SCIM")
        response: Response = getattr(import_module(f"mixpanel_access.emulator.{module}"), name)(call)
        return response

    return handler


def _resources(kind: str) -> tuple[Endpoint, ...]:
    module, name = "scim_resources", kind.lower().removesuffix("s")
    place = f"{ROOT}/{kind}/{{{name}}}"
    return (
        Endpoint("GET", f"{ROOT}/{kind}", _late(module, f"find_{name}s")),
        Endpoint("POST", f"{ROOT}/{kind}", _late(module, f"create_{name}")),
        Endpoint("GET", place, _late(module, f"read_{name}")),
        Endpoint("PUT", place, _late(module, f"replace_{name}")),
        Endpoint("PATCH", place, _late(module, f"patch_{name}")),
        Endpoint("DELETE", place, _late(module, f"delete_{name}")),
    )


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", _OPEN, _late("scim_bodies", "config")),
    Endpoint("GET", f"{ROOT}/Schemas", _late("scim_bodies", "schemas")),
    Endpoint("GET", f"{ROOT}/Schemas/{{schema}}", _late("scim_bodies", "schema")),
    Endpoint("GET", f"{ROOT}/ResourceTypes", _late("scim_bodies", "resource_types")),
    Endpoint("GET", f"{ROOT}/ResourceTypes/{{type}}", _late("scim_bodies", "resource_type")),
    *_resources("Users"),
    *_resources("Groups"),
)
