"""What SCIM says of itself: what it can do, its schemas, and its types of resources (contract, section 10)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from scim2_models import (
    AuthenticationScheme,
    Bulk,
    ChangePassword,
    Context,
    ETag,
    Filter,
    Group,
    Patch,
    Resource,
    ResourceType,
    ServiceProviderConfig,
    Sort,
    User,
)
from starlette.responses import Response

from mixpanel_access.emulator.answer import Refusal
from mixpanel_access.emulator.routing import Call
from mixpanel_access.emulator.scim import ROOT, ScimResponse
from mixpanel_access.emulator.scim_bodies import LARGEST_PAGE, listed

_MODELS: Final = (User[Any], Group)


def config(_call: Call) -> Response:
    """What of SCIM there is."""
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
    """All schemas."""
    return listed([*_schemas().values()])


def schema(call: Call) -> Response:
    """The schema of a URN."""
    return _of(_schemas(), call.places["schema"])


def resource_types(_call: Call) -> Response:
    """All types of resources."""
    return listed([*_types().values()])


def resource_type(call: Call) -> Response:
    """The type of a name."""
    return _of(_types(), call.places["type"])


def _schemas() -> Mapping[str, dict[str, Any]]:
    return {str(model.__schema__): _content(model.to_schema(), "Schemas") for model in _MODELS}


def _types() -> Mapping[str, dict[str, Any]]:
    made = [ResourceType.from_resource(model) for model in _MODELS]
    return {str(one.id): _content(one, "ResourceTypes") for one in made}


def _content(resource: Resource[Any], kind: str) -> dict[str, Any]:
    content = resource.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE)
    meta = {"resourceType": kind.removesuffix("s"), "location": f"{ROOT}/{kind}/{resource.id}"}
    return {**content, "meta": meta}


def _of(known: Mapping[str, dict[str, Any]], name: str) -> Response:
    if name not in known:
        raise Refusal(404, f"there is no {name}")
    return ScimResponse(known[name])
