"""How the client takes a refusal in each dialect of it: against the emulator, which speaks them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mixpanel_access.api.client import Api
from mixpanel_access.directory.directory import Directory
from mixpanel_access.emulator.dialect import Dialect
from mixpanel_access.emulator.server import EmulatorServer, demo_document
from mixpanel_access.model import errors
from mixpanel_access.model.setting_values import Secret
from mixpanel_access.model.settings import Settings

DOCUMENT = demo_document()
ORG = DOCUMENT["organization"]["id"]
PROJECT = DOCUMENT["projects"][0]["id"]
LOW = {"username": "low-bot", "secret": "demo-secret", "role": "member"}
FREE = DOCUMENT | {
    "organization": DOCUMENT["organization"] | {"plan": "free"},
    "service_accounts": [*DOCUMENT["service_accounts"], LOW],
}
MEMBER = next(member["email"] for member in DOCUMENT["members"] if member["role"] == "member")
ADMIN = DOCUMENT["service_accounts"][0]["username"]

REFUSALS: dict[str, tuple[Dialect, str, Callable[[Api], Any], type[errors.MixpanelError], str]] = {
    "no access": (
        Dialect(), "low-bot", lambda api: api.projects.granted_users(PROJECT), errors.Forbidden, "answered 403",
    ),
    "no access by a redirect": (
        Dialect(no_access="redirect"), "low-bot", lambda api: api.projects.granted_users(PROJECT), errors.Forbidden,
        "page for access requests: the service account has no access",
    ),
    "no access to a write": (
        Dialect(no_access="redirect"), "low-bot", lambda api: api.custom_roles.create(PROJECT, "x", "", []),
        errors.Forbidden, "page for access requests: the service account has no access",
    ),
    "beyond the plan": (
        Dialect(), ADMIN, lambda api: api.custom_roles.list_roles(PROJECT), errors.Forbidden,
        "answered 403 (Your plan does not support custom roles)",
    ),
    "beyond the plan with 402": (
        Dialect(plan_refusal=402), ADMIN, lambda api: api.custom_roles.list_roles(PROJECT), errors.PlanRefusal,
        "answered 402 (Your plan does not support custom roles). The plan of the organization does not allow this",
    ),
    "words escaped": (
        Dialect(escaped_errors=True), ADMIN, lambda api: api.users.change_role(MEMBER, "<b>'x' & y"),
        errors.Invalid, "answered 400 (<b>'x' & y is not an organization role)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_in_each_dialect(name: str) -> None:
    """The kind, the words and the advice are right, and nothing is asked again or elsewhere."""
    dialect, username, ask, kind, words = REFUSALS[name]
    with EmulatorServer(FREE, dialect=dialect) as server:
        api = Api.connect(Settings(ORG, server.url, username, Secret("demo-secret")))
        with pytest.raises(kind) as raised:
            ask(api)
        api.close()
        assert words in str(raised.value)
        assert sum(server.app.log.by_endpoint.values()) == 1


@pytest.mark.parametrize("dialect", [Dialect(), Dialect(no_access="redirect")], ids=["403", "302"])
def test_a_project_without_access_is_not_absent(dialect: Dialect) -> None:
    """What is in it stays in the state: nobody is taken for absent."""
    with EmulatorServer(FREE, dialect=dialect) as server:
        api = Api.connect(Settings(ORG, server.url, "low-bot", Secret("demo-secret")))
        with pytest.raises(errors.Forbidden):
            Directory(api, ORG).grants(PROJECT)
        api.close()
