"""States as `pulumi stack export` writes them, made by hand: for policies, which read nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mixpanel_access.model.resources import COMPONENT_TYPE
from mixpanel_access.rules.facts import Entry

STACK = "production"
PROJECT = "mixpanel-access"
PROVIDER_ID = "5b0c0c3e-0000-4000-8000-000000000001"


def urn(kind: str, name: str) -> str:
    """A resource's name in the engine."""
    return f"urn:pulumi:{STACK}::{PROJECT}::{kind}::{name}"


def state(
    entries: Iterable[Entry], config: Mapping[str, str], roster: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """A state with these resources, the stack's configuration, and what the roster says of itself."""
    provider = urn("pulumi:providers:pulumi-python", "default")
    resources: list[dict[str, Any]] = [
        {"urn": urn("pulumi:pulumi:Stack", f"{PROJECT}-{STACK}"), "custom": False, "type": "pulumi:pulumi:Stack"},
        {
            "urn": provider,
            "custom": True,
            "id": PROVIDER_ID,
            "type": "pulumi:providers:pulumi-python",
            "inputs": {f"mixpanel:{key}": value for key, value in config.items()},
            "outputs": {f"mixpanel:{key}": value for key, value in config.items()},
        },
    ]
    if roster is not None:
        component = urn(COMPONENT_TYPE, "roster")
        resources.append({"urn": component, "custom": False, "type": COMPONENT_TYPE, "outputs": dict(roster)})
    resources += [
        {
            "urn": urn(entry.kind, entry.name),
            "custom": True,
            "id": entry.name,
            "type": entry.kind,
            "inputs": dict(entry.values),
            "outputs": dict(entry.values),
            "provider": f"{provider}::{PROVIDER_ID}",
            "additionalSecretOutputs": sorted(entry.secret_outputs),
        }
        for entry in entries
    ]
    manifest = {"time": "2026-05-04T12:00:00Z", "magic": "", "version": ""}
    return {"version": 3, "deployment": {"manifest": manifest, "resources": resources, "metadata": {}}}
