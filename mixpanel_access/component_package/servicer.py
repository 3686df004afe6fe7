"""The calls of the engine: it asks for the package's schema, and to construct a component."""

from __future__ import annotations

import json
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Final

import grpc  # type: ignore[import-untyped]
import pulumi
from pulumi.provider import ConstructResult, Provider
from pulumi.provider.server import ProviderServicer
from pulumi.runtime import settings

from mixpanel_access import __version__
from mixpanel_access.component.own_server import must_name_our_server
from mixpanel_access.component_package.components import COMPONENTS
from mixpanel_access.component_package.inputs import read_inputs, resolved
from mixpanel_access.component_package.organizations import must_be_an_organization
from mixpanel_access.component_package.schema import schema
from mixpanel_access.model.errors import AccessError
from mixpanel_access.model.resources import PACKAGE, STACK_TYPE
from mixpanel_access.provider.program import program_providers

_request: Final[ContextVar[Any]] = ContextVar("request")
"""What the engine asks of this task."""


class Components(Provider):
    """Constructs the components of the schema."""

    def __init__(self) -> None:
        super().__init__(__version__, json.dumps(schema()))
        self._monitors: dict[str, Any] = {}
        self._providers: dict[str, pulumi.ProviderResource] = {}

    def construct(
        self, name: str, resource_type: str, inputs: pulumi.Inputs, options: pulumi.ResourceOptions | None = None
    ) -> ConstructResult:
        """Construct one component, with the URNs that it has in a Python program.

        Raises:
            pulumi.RunError: an input cannot be used, or the package has no component of this type.
        """
        component = COMPONENTS.get(resource_type)
        if component is None:
            raise pulumi.RunError(f"no component has the type {resource_type}; those are {', '.join(COMPONENTS)}")
        # Components know by the monitor what others of the program have declared: as in a program, it is one.
        settings.SETTINGS.monitor = self._monitors.setdefault(_request.get().monitorEndpoint, settings.get_monitor())
        must_name_our_server(Path.cwd(), "a program in another language than Python")
        label = f"{component.name} {name}"
        read = read_inputs(label, component.inputs, inputs)
        self._note_organization(label, read.pop("organization_id", None), options)
        made = component.construct(name, read, options)
        by_name = component.outputs_of(made)
        return ConstructResult(made.urn, {field.key: by_name[field.name] for field in component.outputs})

    def _note_organization(self, label: str, organization: int | None, options: pulumi.ResourceOptions | None) -> None:
        """Have the component know the organization of its explicit provider, as of an `Organization` in Python.

        Raises:
            pulumi.RunError: there is a provider and no organization or the other way round, or they do not fit.
        """
        given = _request.get().providers.get(PACKAGE)
        if given is None and organization is None:
            return
        if given is None or organization is None:
            what = "organizationId without a provider" if given is None else "a provider without its organizationId"
            raise pulumi.RunError(
                f"{label} has {what}: for another organization than that of the stack's configuration, give an "
                f"explicit provider of {PACKAGE} in the option `providers`, and the organizationId that it has."
            )
        assert options is not None  # noqa: S101  # they have the provider
        assert isinstance(options.providers, dict)  # noqa: S101  # the SDK makes one
        urn = given.rpartition("::")[0]
        must_be_an_organization(label, organization, urn)
        if given not in self._providers:  # each call brings an object of its own for the one provider
            program_providers().add(options.providers[PACKAGE], urn.rpartition("::")[2], organization)
            self._providers[given] = options.providers[PACKAGE]
        options.providers[PACKAGE] = self._providers[given]


class ComponentServicer(ProviderServicer):
    """Serves the components; an error is one line, as in a Python program.

    Args:
        engine: the engine's address.
    """

    def __init__(self, engine: str) -> None:
        super().__init__(Components(), [], engine)

    async def Construct(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Construct one component, or answer in one line why it cannot be."""
        _request.set(request)
        try:
            return await self._construct(request, context)
        except (pulumi.RunError, AccessError) as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))

    @staticmethod
    async def _construct_inputs(inputs: Any, input_dependencies: Any) -> dict[str, Any]:
        """The inputs, with each output resolved: `construct` cannot wait."""
        given = await ProviderServicer._construct_inputs(inputs, input_dependencies)
        return {key: await resolved(value) for key, value in given.items()}

    @staticmethod
    def _construct_options(request: Any) -> pulumi.ResourceOptions:
        """The options; components ask their parent for its type, which the SDK's stand-in for a parent lacks."""
        options = ProviderServicer._construct_options(request)
        if options.parent is not None:
            type_ = request.parent.split("::")[2].rpartition("$")[2]
            options.parent._type = "" if type_ == STACK_TYPE else type_  # a Python program names none there
        return options
