"""The explicit provider of a component is what an `Organization` is in Python, or the component is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pytest
from pulumi.runtime import rpc

from mixpanel_access.component_package.organizations import must_be_an_organization
from mixpanel_access.model.resources import PACKAGE
from mixpanel_access.model.settings import NAMESPACE, OF_THE_STACK
from mixpanel_access.provider import Organization
from tests.component.mocks import Mocks, registered
from tests.component.test_organization import secret

THERE = 8765432
OTHER = (
    f"RosterAccess roster: organizationId is {THERE}, which is not the mixpanel:organizationId of its provider europe. "
    f"Give the component that of its provider, or the provider of organization {THERE}."
)
STACK = {
    "environment": "production",
    "companyDomains": '["example.com"]',
    "approvers": "ana@example.com",
    "now": "2026-05-04T12:00:00Z",
}


@dataclass
class Provider(Mocks):
    """The engine's side: it has made one provider with these inputs."""

    inputs: Mapping[str, Any]

    def __post_init__(self) -> None:
        super().__init__()

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        super().new_resource(args)
        return "", {f"{NAMESPACE}:{key}": value for key, value in self.inputs.items()}


def refusal(inputs: Mapping[str, Any], stack: Mapping[str, str]) -> str:
    """Why a component with this provider is refused, in a stack with this configuration; "" if it is not."""
    said = []

    def component(urn: str) -> None:
        try:
            must_be_an_organization("RosterAccess roster", THERE, urn)
        except pulumi.RunError as error:
            said.append(str(error))

    def program() -> pulumi.Output[None]:
        return pulumi.ProviderResource(PACKAGE, "europe").urn.apply(component)

    registered(program, {f"{NAMESPACE}:{key}": value for key, value in stack.items()}, mocks=Provider(inputs))
    return "".join(said)


@pytest.mark.parametrize(
    ("organization", "refused"),
    [
        (str(THERE), False),
        (THERE, False),
        (f" {THERE} ", False),
        (secret(str(THERE)), False),
        ("1", True),
        (secret("1"), True),
        ("acme", True),
        (None, True),
    ],
)
def test_a_component_is_in_its_providers_organization(organization: Any, *, refused: bool) -> None:
    """In one line, which shows no id that may be a secret."""
    inputs = {"organizationId": organization, "serviceAccountSecret": secret("hush-hush")}
    assert refusal(inputs, {}) == (OTHER if refused else "")


def test_what_is_not_known_yet_is_accepted() -> None:
    """A program that gives the provider another resource's output is asked again once that is there."""
    assert refusal(dict.fromkeys(("organizationId", *STACK), rpc.UNKNOWN), STACK) == ""


def test_a_provider_that_lacks_a_setting_of_the_stack_is_refused() -> None:
    """Exactly where Python's `Organization` has it from the stack; a value of its own is accepted."""
    assert set(STACK) == set(OF_THE_STACK)
    for key, value in STACK.items():
        lacking = refusal({"organizationId": THERE, "region": "eu"}, STACK | {key: value})
        assert f"{NAMESPACE}:{key}" in lacking
        alone = refusal({"organizationId": THERE}, {key: value, "region": "eu", "removalPercent": "50"})
        assert alone == (
            f"RosterAccess roster: the stack's configuration has mixpanel:{key}, and the provider europe does not. It "
            "inherits nothing: give it the same properties, with the stack's values or its own."
        )
        own = refusal({"organizationId": THERE, key: "of its own"}, {key: value})
        assert own == ""
    python = registered(_organization, {f"{NAMESPACE}:{key}": value for key, value in STACK.items()})
    given = python[f"{PACKAGE} europe"]
    assert refusal({key.partition(":")[2]: value for key, value in given.items()}, STACK) == ""


def _organization() -> Organization:
    return Organization(
        "europe", organization_id=THERE, service_account_username="bot", service_account_secret="hush-hush"
    )
