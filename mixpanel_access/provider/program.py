"""The providers of one program, as its process knows them: no organization has two.

Each provider is a process of its own, and would know only a part of what is declared for the organization. What a
program cannot know, such as an id that another resource gives, the provider's processes compare (`other_providers`).
"""

from __future__ import annotations

import os
from typing import Any, Final
from weakref import WeakKeyDictionary

import pulumi
from pulumi.runtime import config
from pulumi.runtime.settings import get_monitor

from mixpanel_access.model.resources import number_in
from mixpanel_access.model.setting_values import setting_text
from mixpanel_access.model.settings import ENVIRONMENT_VARIABLES, NAMESPACE

_KEY: Final = "organizationId"


class ProgramProviders:
    """The providers that a program has made, each an `Organization`, and whether it uses that of the stack."""

    def __init__(self) -> None:
        self._organizations: dict[pulumi.ProviderResource, pulumi.Input[int]] = {}
        self._names: dict[int, str] = {}
        self._default = False

    def add(self, provider: pulumi.ProviderResource, name: str, organization: pulumi.Input[int]) -> None:
        """Note an `Organization`.

        Raises:
            pulumi.RunError: the program has another provider for it.
        """
        known = organization_in(organization)
        self._organizations[provider] = organization if known is None else known
        if known is None:
            return
        first = self._names.setdefault(known, name)
        if first != name:
            raise pulumi.RunError(
                f"Organization {name}: the program has the Organization {first} for organization {known} already. Use "
                f"that one for all its resources."
            )
        self._check()

    def use(self, provider: pulumi.ProviderResource | None) -> pulumi.Input[int] | None:
        """Note that a resource has this provider, None for that of the stack; its organization, or None if unknown.

        Raises:
            pulumi.RunError: the program has another provider for it.
        """
        if provider is not None:
            return self._organizations.get(provider)
        self._default = True
        self._check()
        return default_organization()

    def _check(self) -> None:
        organization = default_organization() if self._default and self._names else None
        if organization in self._names:
            raise pulumi.RunError(
                f"Organization {self._names[organization]}: organization {organization} is that of the stack's "
                f"configuration, and the program has resources without a provider too. Give it to all of them, or to "
                f"none."
            )


def default_organization() -> int | None:
    """The organization of the stack's configuration; None if it has none."""
    return organization_in(config.get_config(f"{NAMESPACE}:{_KEY}") or os.environ.get(ENVIRONMENT_VARIABLES[_KEY]))


def organization_in(value: Any) -> int | None:
    """An organization's id; None if it is not known yet."""
    return number_in((setting_text(value) or "").strip()) if isinstance(value, int | float | str) else None


_found: Final[WeakKeyDictionary[Any, ProgramProviders]] = WeakKeyDictionary()
"""By the engine's monitor: a process may run several programs."""


def program_providers() -> ProgramProviders:
    """The providers of the program that runs."""
    return _found.setdefault(get_monitor(), ProgramProviders())
