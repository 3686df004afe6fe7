"""States as `pulumi stack export` writes them, made by hand: for policies, which read nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from mixpanel_access.model.resources import COMPONENT_TYPE
from mixpanel_access.rules.entry import Entry
from tests.rules.cases import TODAY, Case

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
            "urn": urn(entry.type, entry.name),
            "custom": True,
            "id": entry.name,
            "type": entry.type,
            "inputs": dict(entry.values),
            "outputs": dict(entry.values),
            "provider": f"{provider}::{PROVIDER_ID}",
            "additionalSecretOutputs": sorted(entry.secret_outputs),
        }
        for entry in entries
    ]
    manifest = {"time": "2026-05-04T12:00:00Z", "magic": "", "version": ""}
    return {"version": 3, "deployment": {"manifest": manifest, "resources": resources, "metadata": {}}}


def state_of_case(case: Case) -> dict[str, Any]:
    """The state that has what a case of a rule has."""
    settings = {"now": f"{TODAY}T12:00:00Z", "apiUrl": "http://127.0.0.1:9", "companyDomains": case.domains}
    settings |= case.settings
    if case.environment:
        settings["environment"] = case.environment
    roster = None
    if case.roles is not None:
        exceptions = [vars(one) for one in case.exceptions]
        facts = {"claimed_twice": list(case.claimed), "contacts_beside": list(case.contacts), **case.roster}
        roster = {"organization_roles": case.roles, "exceptions": exceptions, **facts}
    entries: list[Entry] = []
    for entry in case.entries:
        entries += [_by_its_id(entry.role, role) for role in entry.custom_roles]
        entries.append(entry)
    return state(entries, settings, roster)


def _by_its_id(role_id: str, role: Entry) -> Entry:
    """A custom role as the state has it, for a resource that names it by its id."""
    return replace(role, values={**role.values, "role_id": role_id})
