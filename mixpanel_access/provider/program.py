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

from mixpanel_access.model.resources import DEFAULT
from mixpanel_access.model.setting_values import organization_in
from mixpanel_access.model.settings import NAMESPACE, configured_organization


class ProgramProviders:
    """The providers that a program has made, each an `Organization`, and whether it uses that of the stack."""

    def __init__(self) -> None:
        self._made: dict[pulumi.ProviderResource, tuple[str, pulumi.Input[int]]] = {}
        self._default = False

    def add(self, provider: pulumi.ProviderResource, name: str, organization: pulumi.Input[int]) -> None:
        """Note an `Organization`, or what is one in another language.

        Raises:
            pulumi.RunError: the program has another provider for it, or the name is that of the stack's own.
        """
        if name.startswith(DEFAULT):
            raise pulumi.RunError(f"Organization {name}: a name cannot begin with `{DEFAULT}`. Use another name.")
        known = organization_in(organization)
        first = self._name_of(known)
        if first is not None:
            raise pulumi.RunError(
                f"Organization {name}: the program has the Organization {first} for organization {known} already. Use "
                f"that one for all its resources."
            )
        self._made[provider] = name, organization if known is None else known
        self._check()

    def use(self, provider: pulumi.ProviderResource | None) -> pulumi.Input[int] | None:
        """Note that a resource has this provider, None for that of the stack; its organization, or None if unknown.

        Raises:
            pulumi.RunError: the program has another provider for it.
        """
        if provider is not None:
            return self._made[provider][1] if provider in self._made else None
        self._default = True
        self._check()
        return default_organization()

    def another(self, provider: pulumi.ProviderResource | None) -> tuple[str, pulumi.Input[int]] | None:
        """The name and the organization of a provider; None if that is the stack's, or the program cannot know it."""
        found = self._made.get(provider) if provider is not None else None
        return None if found is None or found[1] == default_organization() else found

    def _name_of(self, organization: int | None) -> str | None:
        made = self._made.values() if organization is not None else ()
        return next((name for name, one in made if isinstance(one, int) and one == organization), None)

    def _check(self) -> None:
        if not (self._default and self._made):
            return
        organization = default_organization()
        if (name := self._name_of(organization)) is not None:
            raise pulumi.RunError(
                f"Organization {name}: organization {organization} is that of the stack's configuration, and the "
                f"program has resources without a provider too. Give it to all of them, or to none."
            )


def default_organization() -> int | None:
    """The organization of the stack's configuration; None if it has none."""
    return configured_organization(lambda key: config.get_config(f"{NAMESPACE}:{key}"), os.environ)


_found: Final[WeakKeyDictionary[Any, ProgramProviders]] = WeakKeyDictionary()
"""By the engine's monitor: a process may run several programs."""


def program_providers() -> ProgramProviders:
    """The providers of the program that runs."""
    return _found.setdefault(get_monitor(), ProgramProviders())
