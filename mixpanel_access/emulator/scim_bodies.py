"""SCIM's bodies, read and written by the library that knows RFC 7643 and 7644 (contract, section 10).

Attributes that the schemas do not have are ignored.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from pydantic import ValidationError
from scim2_models import (
    AuthenticationScheme,
    Bulk,
    ChangePassword,
    Context,
    Error,
    ETag,
    Filter,
    Patch,
    PatchOp,
    Resource,
    SCIMException,
    ScimPolicy,
    ServiceProviderConfig,
    Sort,
)
from starlette.responses import Response

from mixpanel_access.emulator.answer import Refusal
from mixpanel_access.emulator.document_parts import SsoPart
from mixpanel_access.emulator.routing import DIGITS, Call
from mixpanel_access.emulator.scim import ScimResponse
from mixpanel_access.model.address import domain_of

_LIST: Final = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
_PAGE: Final = 100
_FILTER: Final = re.compile(r'\s*(\w+)\s+eq\s+("(?:[^"\\]|\\.)*")\s*', re.IGNORECASE)
_LENIENT: Final = ScimPolicy(unknown=ScimPolicy.Unknown.ignore)
_Resource = TypeVar("_Resource", bound=Resource[Any])


def config(_call: Call) -> Response:
    """What of SCIM there is."""
    token = AuthenticationScheme(type="oauthbearertoken", name="SCIM token", description="Authorization: Bearer")
    shown = ServiceProviderConfig(
        patch=Patch(supported=True),
        bulk=Bulk(supported=False, max_operations=0, max_payload_size=0),
        filter=Filter(supported=True, max_results=_PAGE),
        change_password=ChangePassword(supported=False),
        sort=Sort(supported=False),
        etag=ETag(supported=False),
        authentication_schemes=[token],
    )
    return ScimResponse(shown.model_dump())


@contextmanager
def _checked() -> Iterator[None]:
    """Refuses what the library refuses, in its words."""
    try:
        with _LENIENT:
            yield
    except ValidationError as error:
        _refuse(Error.from_validation_errors(error)[0])
    except SCIMException as error:
        _refuse(error.to_error())


def _refuse(error: Error) -> None:
    raise Refusal(error.status or 400, error.detail or "the body is invalid", scim_type=error.scim_type) from None


def read(call: Call, model: type[_Resource], context: Context) -> _Resource:
    """A resource as it is posted or put."""
    body = _json(call)
    with _checked():
        return model.model_validate(body, scim_ctx=context)
    raise AssertionError  # pragma: no cover  # `_checked` raises


def patched(call: Call, resource: _Resource) -> None:
    """Apply the operations of a PATCH to a resource; all or none."""
    body = _json(call)
    with _checked():
        PatchOp[type(resource)].model_validate(body, scim_ctx=Context.RESOURCE_PATCH_REQUEST).patch(resource)  # type: ignore[misc]  # the model of the resource


def _json(call: Call) -> Any:
    try:
        return call.json()
    except Refusal as refusal:
        raise Refusal(400, refusal.words, scim_type="invalidSyntax") from None


def shown(resource: Resource[Any], status: int = 200) -> Response:
    """One resource, with its place where it is new."""
    content = resource.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE)
    headers = {"Location": content["meta"]["location"]} if status == 201 else {}  # created
    return ScimResponse(content, status, headers)


def found(call: Call, attribute: str, everything: Sequence[tuple[str, Callable[[], Resource[Any]]]]) -> Response:
    """The resources that are asked for, of all of them in order: the filtered attribute's value, and the resource.

    Args:
        call: the request: `filter`, `startIndex` from 1 on, `count`.
        attribute: the only one that the filter takes.
        everything: the attribute's value of each resource, and what makes it.
    """
    wanted = _wanted(call.query.get("filter"), attribute)
    first = max(1, _whole(call, "startIndex", 1))
    count = min(max(0, _whole(call, "count", _PAGE)), _PAGE)
    matching = [make for value, make in everything if wanted is None or value.casefold() == wanted.casefold()]
    page = [make() for make in matching[first - 1 : first - 1 + count]]
    answer = {
        "schemas": [_LIST],
        "totalResults": len(matching),
        "startIndex": first,
        "itemsPerPage": len(page),
        "Resources": [resource.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE) for resource in page],
    }
    return ScimResponse(answer)


def _wanted(text: str | None, attribute: str) -> str | None:
    if text is None:
        return None
    parts = _FILTER.fullmatch(text)
    try:
        if parts and parts[1].casefold() == attribute.casefold():
            return str(json.loads(parts[2]))
    except ValueError:
        pass
    raise Refusal(400, f'only {attribute} eq "..." can be filtered by', scim_type="invalidFilter")


def _whole(call: Call, name: str, default: int) -> int:
    text = call.query.get(name, str(default))
    if not re.fullmatch(r"-?[0-9]+", text) or len(text) >= DIGITS:
        raise Refusal(400, f"{name} is no whole number", scim_type="invalidValue")
    return int(text)


def number(text: str) -> int:
    """An id in a text, or 0, which nothing has."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < DIGITS else 0


def must_be_claimed(call: Call, email: str) -> None:
    """SCIM acts on addresses of the organization's verified domains only."""
    if not is_claimed(call, email):
        raise Refusal(403, f"the domain of {email} is not claimed")


def is_claimed(call: Call, email: str) -> bool:
    """Whether an address is of a verified domain of the organization."""
    return SsoPart.model_validate(call.store.setting("security")["sso"]).has_verified(domain_of(email))
