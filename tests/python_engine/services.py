"""What the program and the providers ask of the engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

from google.protobuf import empty_pb2, message_factory  # type: ignore[import-untyped]
from pulumi.runtime.proto import engine_pb2, resource_pb2

from tests.python_engine.deployment import Deployment
from tests.python_engine.display import Display
from tests.python_engine.transport import Link
from tests.python_engine.unknown import Unknown

_SEVERITIES = ("debug", "info", "warning", "error")
_FEATURES = [
    getattr(resource_pb2, f"RESOURCE_MONITOR_FEATURE_{name}")
    for name in (
        "SECRETS", "RESOURCE_REFERENCES", "ALIAS_SPECS", "REPLACEMENT_TRIGGER", "DELETED_WITH", "REPLACE_WITH",
        "TRANSFORMS", "INVOKE_TRANSFORMS", "PARAMETERIZATION", "RESOURCE_HOOKS", "ERROR_HOOKS",
    )
]  # fmt: skip
"""What the SDK may ask for. Most of it is handed over."""


class Services:
    """The resource monitor and the engine, as the SDK calls them.

    Args:
        deployment: the run.
        display: its output.
    """

    def __init__(self, deployment: Deployment, display: Display) -> None:
        self._deployment, self._display = deployment, display
        self._root = ""

    def serve(self, link: Link) -> None:
        """Answer a process."""
        monitor = resource_pb2.DESCRIPTOR.services_by_name["ResourceMonitor"]
        engine = engine_pb2.DESCRIPTOR.services_by_name["Engine"]
        self._serve(
            link, monitor,
            {
                "RegisterResource": self._deployment.register,
                "RegisterResourceOutputs": self._outputs,
                "GetDeploymentInfo": lambda _: resource_pb2.DeploymentInfo(supportedFeatures=_FEATURES),
                "SignalAndWaitForShutdown": lambda _: empty_pb2.Empty(),
            },
        )  # fmt: skip
        self._serve(
            link, engine, {"Log": self._log, "GetRootResource": self._get_root, "SetRootResource": self._set_root}
        )

    def _serve(self, link: Link, service: Any, known: Mapping[str, Callable[[Any], Any]]) -> None:
        handlers = {}
        for method in service.methods:
            act = known.get(method.name) or self._refusal(method.name)
            handlers[f"/{service.full_name}/{method.name}"] = SimpleNamespace(
                request_deserializer=message_factory.GetMessageClass(method.input_type).FromString,
                response_serializer=lambda answer: answer.SerializeToString(),
                unary_unary=lambda request, _, act=act: act(request),
            )
        link.serve(handlers)

    def _refusal(self, name: str) -> Callable[[Any], Any]:
        def refuse(_: Any) -> Any:
            unknown = Unknown(f"a program that calls {name}")
            self._deployment.execution.stop(unknown)
            raise unknown

        return refuse

    def _outputs(self, request: Any) -> Any:
        self._deployment.register_outputs(request)
        return empty_pb2.Empty()

    def _log(self, request: Any) -> Any:
        severity = _SEVERITIES[request.severity]
        if severity != "debug" and not request.ephemeral:
            self._display.diagnostic(request.urn, severity, request.message, request.streamId)
        return empty_pb2.Empty()

    def _get_root(self, _: Any) -> Any:
        return engine_pb2.GetRootResourceResponse(urn=self._root)

    def _set_root(self, request: Any) -> Any:
        self._root = request.urn
        return engine_pb2.SetRootResourceResponse()
