"""The explicit provider of a component: it must be what an `Organization` is in a Python program.

The engine's call names the provider alone, and the engine knows its inputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import grpc  # type: ignore[import-untyped]
import pulumi
from google.protobuf import struct_pb2  # type: ignore[import-untyped]
from pulumi.runtime import config, rpc, settings
from pulumi.runtime.proto import resource_pb2

from mixpanel_access.model.setting_values import organization_in
from mixpanel_access.model.settings import NAMESPACE, OF_THE_STACK
from mixpanel_access.model.similarity import in_words

_GET: Final = "pulumi:pulumi:getResource"


def must_be_an_organization(label: str, organization: int, urn: str) -> None:
    """Refuse a provider of another organization, and one that lacks a setting which Python's takes from the stack.

    Args:
        label: the component's type and name, for messages.
        organization: the organization that the component is for.
        urn: the provider.

    Raises:
        pulumi.RunError: it is refused, or the engine does not know it.
    """
    name = urn.rpartition("::")[2]
    inputs = _inputs(label, name, urn)
    given = inputs.get(f"{NAMESPACE}:organizationId")
    if not pulumi.contains_unknowns(given) and organization_in(given) != organization:
        raise pulumi.RunError(
            f"{label}: organizationId is {organization}, which is not the mixpanel:organizationId of its provider "
            f"{name}. Give the component that of its provider, or the provider of organization {organization}."
        )
    keys = [key for each in OF_THE_STACK if config.get_config(key := f"{NAMESPACE}:{each}") and inputs.get(key) is None]
    if keys:
        raise pulumi.RunError(
            f"{label}: the stack's configuration has {in_words(keys)}, and the provider {name} does not. It inherits "
            f"nothing: give it the same properties, with the stack's values or its own."
        )


def _inputs(label: str, name: str, urn: str) -> Mapping[str, Any]:
    arguments = struct_pb2.Struct()
    arguments["urn"] = urn
    monitor: Any = settings.get_monitor()
    try:
        answer = monitor.Invoke(resource_pb2.ResourceInvokeRequest(tok=_GET, args=arguments))
    except grpc.RpcError as error:
        raise pulumi.RunError(f"{label}: cannot read the settings of the provider {name}: {error.details()}") from None
    found = rpc.deserialize_properties(getattr(answer, "return").fields["state"].struct_value, keep_unknowns=True)
    return {key: rpc.unwrap_rpc_secret(value) for key, value in found.items()}
