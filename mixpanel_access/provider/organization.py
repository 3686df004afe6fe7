"""`Organization`: another organization than that of the stack's configuration, as an explicit provider of a program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, Required, TypedDict, Unpack

import pulumi
from pulumi.runtime import config

from mixpanel_access.model.resources import PACKAGE
from mixpanel_access.model.setting_values import organization_in, setting_text
from mixpanel_access.model.settings import NAMESPACE, OF_THE_STACK, PROVIDER, SECRETS, SETTINGS, input_name
from mixpanel_access.provider.program import program_providers
from mixpanel_access.provider.resource import refuse_misspelled

_KEYS: Final = {input_name(key): key for key in SETTINGS}
"""Input -> its key in a stack's configuration."""


class OrganizationArgs(TypedDict, total=False):
    """The inputs of an `Organization`: the keys of a stack's configuration, see docs/configuration.md."""

    organization_id: Required[pulumi.Input[int]]
    """The organization's id."""
    service_account_username: Required[pulumi.Input[str]]
    """The service account's login name."""
    service_account_secret: Required[pulumi.Input[str]]
    """Its secret, which the state has encrypted."""
    scim_token: pulumi.Input[str]
    """The SCIM token, which switches SCIM mode on; encrypted too."""
    claimed_domains: pulumi.Input[Sequence[str]]
    """The claimed domains for SCIM mode, if Mixpanel does not list them."""
    region: pulumi.Input[Literal["us", "eu", "in"] | str]  # noqa: PYI051  # editors complete the words
    """`us` (the default), `eu` or `in`."""
    api_url: pulumi.Input[str]
    """Scheme and host, without a path; wins over the region."""
    platform_url: pulumi.Input[str]
    """Scheme and host of Mixpanel's Platform API."""
    allow_undocumented: pulumi.Input[Sequence[str]]
    """The names of the undocumented writes that may go to a real Mixpanel."""
    removal_percent: pulumi.Input[float]
    """How many percent of the organization's people one operation may remove."""
    removal_minimum: pulumi.Input[int]
    """How many people it may remove in any case."""
    release_brakes: pulumi.Input[Sequence[str]]
    """The names of the brakes that are released."""
    invitation_life_days: pulumi.Input[int]
    """Days after which an invitation expires, 7 to 14."""
    invitation_wait_seconds: pulumi.Input[float]
    """How long one operation may wait for Mixpanel's limit on invitations."""
    read_back_seconds: pulumi.Input[float]
    """How long a run waits until Mixpanel shows a write that it accepted, 0 to 60."""
    timeout_seconds: pulumi.Input[float]
    """How long one request may take."""
    environment: pulumi.Input[str]
    """The environment of its projects; by default the stack's."""
    company_domains: pulumi.Input[Sequence[str]]
    """The company's e-mail domains, for the policies; by default the stack's."""
    approvers: pulumi.Input[Sequence[str]]
    """Who may approve access, for the policies; by default the stack's."""
    now: pulumi.Input[str]
    """The time to take as the current time, for tests; by default the stack's."""


class Organization(pulumi.ProviderResource):
    """Another organization of the same program, with its service account and its own brakes.

    Resources that have it as `opts.provider`, and components that have it in `opts.providers`, are in this
    organization; all others are in that of the stack's configuration. A program has one provider for each organization.

    It reads no environment variable. `environment`, `company_domains`, `approvers` and `now` are the stack's, unless
    they are given; of everything else, the default counts.

    Args:
        resource_name: the provider's name in the stack.
        opts: Pulumi's options.
        inputs: the settings.

    Raises:
        pulumi.RunError: the program has another provider for the same organization.
    """

    organization_id: pulumi.Output[int | None]
    """The organization's id; None for what is not one, of which the engine's check says so."""

    def __init__(
        self, resource_name: str, *, opts: pulumi.ResourceOptions | None = None, **inputs: Unpack[OrganizationArgs]
    ) -> None:
        refuse_misspelled(type(self), inputs)
        program_providers().add(self, resource_name, inputs["organization_id"])
        super().__init__(PACKAGE, resource_name, {**_of_the_stack(), **_settings(resource_name, inputs)}, opts)
        given: pulumi.Output[Any] = pulumi.Output.from_input(inputs["organization_id"])
        self.organization_id = given.apply(organization_in)


def _of_the_stack() -> dict[str, pulumi.Input[str]]:
    """The settings of the stack's configuration that hold here too."""
    found: dict[str, pulumi.Input[str]] = {}
    for key in OF_THE_STACK:
        full = f"{NAMESPACE}:{key}"
        if (value := config.get_config(full)) is not None:
            found[full] = pulumi.Output.secret(value) if config.is_config_secret(full) else value
    return found


def _settings(name: str, inputs: Mapping[str, Any]) -> dict[str, pulumi.Input[str]]:
    """The inputs as the configuration has them: texts, by their keys."""
    found: dict[str, pulumi.Input[str]] = {f"{NAMESPACE}:{PROVIDER}": name}
    for input_, value in inputs.items():
        if value is not None:
            key = _KEYS[input_]
            text: Any = value if isinstance(value, str) else pulumi.Output.from_input(value).apply(setting_text)
            found[f"{NAMESPACE}:{key}"] = pulumi.Output.secret(text) if key in SECRETS else text
    return found
