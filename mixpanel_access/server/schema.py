"""The schema of our resources' types: with it, `pulumi import` can print the code of what it has imported.

It names the inputs, of any type: the types for programs are those of the classes. With it, a YAML program can also
declare an explicit provider.
"""

from __future__ import annotations

import json
from typing import Any, Final

from mixpanel_access.model.resources import DYNAMIC_TYPE, KINDS, ResourceKind
from mixpanel_access.model.settings import NAMESPACE, SECRETS, SETTINGS
from mixpanel_access.server.providers import provider_of

_ANY: Final = {"$ref": "pulumi.json#/Any"}


def schema() -> str:
    """The schema, as the engine reads it."""
    package, module, _ = DYNAMIC_TYPE.split(":")
    settings = {f"{NAMESPACE}:{key}": {"type": "string", "secret": key in SECRETS} for key in SETTINGS}
    document = {
        "name": package,
        "language": {"python": {"packageName": "mixpanel_access.provider", "moduleNameOverrides": {module: ""}}},
        "provider": {"inputProperties": settings},
        "resources": {type_: _resource(kind) for type_, kind in KINDS.items()},
    }
    return json.dumps(document)


def _resource(kind: ResourceKind) -> dict[str, Any]:
    inputs = dict.fromkeys(provider_of(kind).handler.all_inputs, _ANY)
    return {"inputProperties": inputs, "properties": inputs}
