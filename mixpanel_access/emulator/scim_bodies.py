"""The bodies of SCIM, and what SCIM says about itself, by the library for RFC 7643 and 7644 (contract, section 10).

Attributes that are not in the schemas are ignored. A PATCH may be Entra's: a remove with a list of values, and an add
to an element of a list that does not exist yet.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
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
    Group,
    Patch,
    PatchOp,
    PatchOperation,
    Resource,
    ResourceType,
    SCIMException,
    ScimFilter,
    ScimPolicy,
    ServiceProviderConfig,
    Sort,
    User,
)
from scim2_models.path import CompareOperator, Comparison
from starlette.responses import Response

from mixpanel_access.emulator.answer import Refusal
from mixpanel_access.emulator.document import SsoPart
from mixpanel_access.emulator.routing import DIGITS, Call
from mixpanel_access.emulator.scim import ROOT, ScimResponse
from mixpanel_access.model.address import domain_of

_LIST: Final = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
LARGEST_PAGE: Final = 100
_LENIENT: Final = ScimPolicy(unknown=ScimPolicy.Unknown.ignore, remove_value_as_filter=ScimPolicy.RemoveValue.apply)
_ADDING: Final = _LENIENT.model_copy(update={"unmatched_path_filter": ScimPolicy.UnmatchedPathFilter.create})
_Resource = TypeVar("_Resource", bound=Resource[Any])


@contextmanager
def _checked() -> Iterator[None]:
    """Turn an error of the library into a refusal with the same words."""
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
    """The resource in the body of a POST or PUT."""
    body = _json(call)
    with _checked():
        return model.model_validate(body, scim_ctx=context)
    raise AssertionError  # pragma: no cover  # `_checked` raises


def patched(call: Call, resource: _Resource) -> None:
    """Apply all operations of a PATCH to a resource, or none."""
    body = _json(call)
    with _checked():
        asked = PatchOp[type(resource)].model_validate(body, scim_ctx=Context.RESOURCE_PATCH_REQUEST)  # type: ignore[misc]  # the model of the resource
        for operation in asked.operations or []:
            adds = operation.op is PatchOperation.Op.add
            asked.model_copy(update={"operations": [operation]}).patch(resource, _ADDING if adds else _LENIENT)


def _json(call: Call) -> Any:
    try:
        return call.json()
    except Refusal as refusal:
        raise Refusal(400, refusal.words, scim_type="invalidSyntax") from None


def shown(resource: Resource[Any], status: int = 200) -> Response:
    """One resource; a new one with its location."""
    content = resource.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE)
    headers = {"Location": content["meta"]["location"]} if status == 201 else {}  # created
    return ScimResponse(content, status, headers)


def found(
    call: Call,
    model: type[Resource[Any]],
    attribute: str,
    everything: Sequence[tuple[str, Callable[[], Resource[Any]]]],
) -> Response:
    """The page of resources that a query asks for.

    Args:
        call: the request, with `filter`, `startIndex` (from 1) and `count`.
        model: the model of the resources.
        attribute: the only attribute that the filter accepts.
        everything: for each resource, the value of this attribute and a function that makes the resource.
    """
    wanted = _wanted(call.query.get("filter"), model, attribute)
    first = max(1, _whole(call, "startIndex", 1))
    count = min(max(0, _whole(call, "count", LARGEST_PAGE)), call.dialect.page_size or LARGEST_PAGE, LARGEST_PAGE)
    matching = [make for value, make in everything if wanted is None or value.casefold() == wanted.casefold()]
    page = [make() for make in matching[first - 1 : first - 1 + count]]
    return listed(
        [resource.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE) for resource in page], len(matching), first
    )


def listed(resources: Sequence[dict[str, Any]], total: int | None = None, first: int = 1) -> Response:
    """A page of resources; without a total, it has all of them."""
    answer = {
        "schemas": [_LIST],
        "totalResults": len(resources) if total is None else total,
        "startIndex": first,
        "itemsPerPage": len(resources),
        "Resources": resources,
    }
    return ScimResponse(answer)


def _wanted(text: str | None, model: type[Resource[Any]], attribute: str) -> str | None:
    """The value to filter by; the filter may have brackets, and the attribute may be named with its schema."""
    if text is None:
        return None
    try:
        asked = ScimFilter[model](text).ast  # type: ignore[valid-type]  # the model of the resources
    except (SCIMException, RecursionError):
        asked = None
    if isinstance(asked, Comparison) and asked.op is CompareOperator.eq and isinstance(asked.value, str):
        schema = str(model.__schema__)
        named = (asked.attr_path.uri or schema, asked.attr_path.attr)
        if tuple(map(str.casefold, named)) == (schema.casefold(), attribute.casefold()):
            return asked.value
    raise Refusal(400, f'only {attribute} eq "..." can be filtered by', scim_type="invalidFilter")


def _whole(call: Call, name: str, default: int) -> int:
    text = call.query.get(name, str(default))
    if not re.fullmatch(r"-?[0-9]+", text) or len(text) >= DIGITS:
        raise Refusal(400, f"{name} is not a whole number", scim_type="invalidValue")
    return int(text)


def number(text: str) -> int:
    """The id in a text, or 0, which no resource has."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < DIGITS else 0


def must_be_claimed(call: Call, email: str) -> None:
    """403 for an address outside of the organization's verified domains."""
    if not is_claimed(call, email):
        raise Refusal(403, f"the domain of {email} is not claimed")


def is_claimed(call: Call, email: str) -> bool:
    """Whether an address is in a verified domain of the organization."""
    return SsoPart.model_validate(call.store.setting("security")["sso"]).has_verified(domain_of(email))


_MODELS: Final = (User[Any], Group)


def config(_call: Call) -> Response:
    """The parts of SCIM that the emulator has."""
    token = AuthenticationScheme(type="oauthbearertoken", name="SCIM token", description="Authorization: Bearer")
    shown = ServiceProviderConfig(
        patch=Patch(supported=True),
        bulk=Bulk(supported=False, max_operations=0, max_payload_size=0),
        filter=Filter(supported=True, max_results=LARGEST_PAGE),
        change_password=ChangePassword(supported=False),
        sort=Sort(supported=False),
        etag=ETag(supported=False),
        authentication_schemes=[token],
    )
    return ScimResponse(shown.model_dump())


def schemas(_call: Call) -> Response:
    """The schemas of all resources."""
    return listed([*_schemas().values()])


def schema(call: Call) -> Response:
    """The schema with this URN."""
    return _find(_schemas(), call.path_params["schema"])


def resource_types(_call: Call) -> Response:
    """All types of resources, with their paths."""
    return listed([*_types().values()])


def resource_type(call: Call) -> Response:
    """The type of resource with this name."""
    return _find(_types(), call.path_params["type"])


def _schemas() -> Mapping[str, dict[str, Any]]:
    return {str(model.__schema__): _content(model.to_schema(), "Schemas") for model in _MODELS}


def _types() -> Mapping[str, dict[str, Any]]:
    made = [ResourceType.from_resource(model) for model in _MODELS]
    return {str(kind.id): _content(kind, "ResourceTypes") for kind in made}


def _content(resource: Resource[Any], kind: str) -> dict[str, Any]:
    content = resource.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE)
    meta = {"resourceType": kind.removesuffix("s"), "location": f"{ROOT}/{kind}/{resource.id}"}
    return {**content, "meta": meta}


def _find(known: Mapping[str, dict[str, Any]], name: str) -> Response:
    if name not in known:
        raise Refusal(404, f"{name} does not exist")
    return ScimResponse(known[name])
