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
from mixpanel_access.component_package.components import COMPONENTS
from mixpanel_access.component_package.inputs import read_inputs, resolved
from mixpanel_access.component_package.project import must_serve_the_resources
from mixpanel_access.component_package.schema import schema
from mixpanel_access.model.errors import AccessError

_monitor: Final = ContextVar("monitor", default="")
"""The address of the monitor of the run that this task works for."""
_STACK: Final = "pulumi:pulumi:Stack"
"""The type of the parent at the top of a program, where a Python program names none."""


class Components(Provider):
    """Constructs the components of the schema."""

    def __init__(self) -> None:
        super().__init__(__version__, json.dumps(schema()))
        self._monitors: dict[str, Any] = {}

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
        settings.SETTINGS.monitor = self._monitors.setdefault(_monitor.get(), settings.get_monitor())
        must_serve_the_resources(Path.cwd())
        made = component.construct(name, read_inputs(f"{component.name} {name}", component.inputs, inputs), options)
        by_name = component.outputs_of(made)
        return ConstructResult(made.urn, {field.key: by_name[field.name] for field in component.outputs})


class ComponentServicer(ProviderServicer):
    """Serves the components; an error is one line, as in a Python program.

    Args:
        engine: the engine's address.
    """

    def __init__(self, engine: str) -> None:
        super().__init__(Components(), [], engine)

    async def Construct(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Construct one component."""
        _monitor.set(request.monitorEndpoint)
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
            options.parent._type = "" if type_ == _STACK else type_
        return options
