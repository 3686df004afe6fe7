"""The calls of the engine's protocol: each unpacks its request, calls a provider, and packs the answer.

The answers are those of the SDK's server (`pulumi/dynamic/__main__.py`), with what the protocol can do besides.
"""

from __future__ import annotations

import asyncio
import os
import traceback
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import wraps
from typing import Any, Final, TypeVar

import grpc  # type: ignore[import-untyped]
from google.protobuf import empty_pb2, struct_pb2  # type: ignore[import-untyped]
from pulumi.runtime import rpc
from pulumi.runtime.proto import plugin_pb2, status_pb2
from pulumi.runtime.proto import provider_pb2 as protocol
from pulumi.runtime.proto.provider_pb2_grpc import ResourceProviderServicer

from mixpanel_access import __version__
from mixpanel_access.api.stopping import unsent
from mixpanel_access.directory.service_accounts import if_lost
from mixpanel_access.model.errors import DEBUG_VARIABLE, AccessError, Cancelled
from mixpanel_access.model.resources import KINDS, PROVIDER_KEY, SERVICE_ACCOUNT_TYPE, ResourceKind
from mixpanel_access.provider.base import AccessProvider
from mixpanel_access.provider.handler import own
from mixpanel_access.provider.session import WARNING
from mixpanel_access.server.changes import detailed
from mixpanel_access.server.configuration import failures, named
from mixpanel_access.server.ending import DONE_ONCE, Ending
from mixpanel_access.server.messages import Messages, about
from mixpanel_access.server.providers import Providers, pickled_in
from mixpanel_access.server.schema import schema
from mixpanel_access.server.secrets import hidden_in, mark, revealed, secret_in, texts_in

Answer = TypeVar("Answer")
Verb = Callable[["Servicer", Any], Answer]


def about_a_resource(verb: Verb[Answer]) -> Callable[[Servicer, Any, grpc.ServicerContext], Answer]:
    """A call of the protocol: what is said and what fails is about the resource of the request."""

    @wraps(verb)
    def served(servicer: Servicer, request: Any, context: grpc.ServicerContext) -> Answer:
        secrets = servicer.messages.keep_secret(texts_in(*_properties_of(request)))
        with about(request.urn, secrets), servicer.ending.at_work():
            try:
                return _done(servicer, verb, request)
            except Exception as error:  # whatever a provider raises is the answer
                status, words = servicer.failure(error)
                if isinstance(error, AccessError) and error.kept is not None:
                    context.set_trailing_metadata(((_DETAILS, servicer.kept(error, words, request)),))
                context.abort(status, words)
                raise  # not reached: `abort` raises

    return served


def _done(servicer: Servicer, verb: Verb[Answer], request: Any) -> Answer:
    """What a verb returns; after a Ctrl-C, that of another package's resource has all its time."""
    urn = request.urn.split("::")
    kind = KINDS.get(urn[2].rpartition("$")[2])
    if kind is None:
        return verb(servicer, request)
    created = kind.type == SERVICE_ACCOUNT_TYPE and isinstance(request, protocol.CreateRequest)
    if_unknown = if_lost(str(_unpacked(request.properties)["username"])) if created else DONE_ONCE
    what = f"{verb.__name__.lower()} {urn[-1]}"
    if isinstance(request, protocol.CreateRequest | protocol.UpdateRequest | protocol.DeleteRequest):
        if_unsent = unsent(what)
    else:
        if_unsent = Cancelled(f"cannot {what}", why="the run was cancelled, and Mixpanel had not answered by then")
    return servicer.ending.answer(lambda: verb(servicer, request), if_unsent, if_unknown)


def _properties_of(request: Any) -> Iterator[struct_pb2.Struct]:
    """All properties that a request has of its resource."""
    names = ("olds", "old_inputs", "news", "properties", "inputs")
    return (getattr(request, name) for name in names if hasattr(request, name))


class Servicer(ResourceProviderServicer):
    """Serves the dynamic resources of one stack's program.

    Args:
        providers: finds their providers.
        messages: where the lines for the user go.
        ending: how the verbs end after a Ctrl-C.
    """

    def __init__(self, providers: Providers, messages: Messages, ending: Ending) -> None:
        self.providers, self.messages, self.ending = providers, messages, ending
        self._warned: set[str] = set()

    def failure(self, error: Exception) -> tuple[grpc.StatusCode, str]:
        """The status and the words of an error: ours are one line, and of others the traceback is logged."""
        if isinstance(error, AccessError) and os.environ.get(DEBUG_VARIABLE) != "1":
            return grpc.StatusCode.FAILED_PRECONDITION, self.messages.without_secrets(str(error))
        if trace := traceback.format_tb(error.__traceback__):
            self.messages.say("".join(["Traceback (most recent call last):\n", *trace]).rstrip())
        words = str(error) if isinstance(error, AccessError) else "".join(traceback.format_exception_only(error))
        return grpc.StatusCode.UNKNOWN, self.messages.without_secrets(words.strip())

    def kept(self, error: AccessError, words: str, request: Any) -> bytes:
        """What a resource that could not be finished has, as the engine takes it: the state keeps it."""
        id_, outputs = error.kept or ("", {})
        given = request.news if isinstance(request, protocol.UpdateRequest) else request.properties
        packed = _packed(outputs, pickled_in(_unpacked(given)), given)
        status = status_pb2.Status(code=grpc.StatusCode.FAILED_PRECONDITION.value[0], message=words)
        status.details.add().Pack(protocol.ErrorResourceInitFailed(id=id_, properties=packed, reasons=[words]))
        return bytes(status.SerializeToString())

    # The server itself

    def Handshake(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802, ARG002
        """Agree on the protocol. The engine asks whoever answers this for previews too."""
        if request.engine_address:
            self.messages.connect(request.engine_address)
        return protocol.ProviderHandshakeResponse(accept_secrets=True)

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802, ARG002
        """The version of this package."""
        return plugin_pb2.PluginInfo(version=__version__)

    def GetSchema(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802, ARG002
        """The types of our resources."""
        return protocol.GetSchemaResponse(schema=schema())

    def CheckConfig(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802, ARG002
        """Judge the inputs of an `Organization`. Of the stack's configuration, the verbs report what is wrong."""
        return protocol.CheckResponse(inputs=request.news, failures=failures(request.urn, request.olds, request.news))

    def DiffConfig(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802, ARG002
        """Another configuration is not another provider, and resources of another organization are refused."""
        changed = request.news != request.old_inputs
        return protocol.DiffResponse(changes=protocol.DiffResponse.DIFF_SOME if changed else _SAME)

    def Configure(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802, ARG002
        """Keep the stack's configuration for the providers."""
        self.providers.configure(named(request.name, rpc.deserialize_properties(request.args)))
        return protocol.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802, ARG002
        """Let no further write go out. The engine waits for the verbs that run; ours end soon, one way or the other."""
        self.ending.begin()
        return empty_pb2.Empty()

    # In a thread of its own: those of the verbs may all wait.
    Cancel.experimental_thread_pool = ThreadPoolExecutor(1, "cancel")  # type: ignore[attr-defined]

    # The verbs

    @about_a_resource
    def Check(self, request: Any) -> Any:  # noqa: N802
        """Judge and normalize inputs."""
        olds, news = _unpacked(request.olds, unknowns=True), _unpacked(request.news, unknowns=True)
        provider = self.providers.get(pickled_in(news, olds))
        result = provider.check(olds, news)
        secret = secret_in(request.news)
        if isinstance(provider, AccessProvider) and not olds:
            self._warn_of_id(provider.handler.kind, secret)
        failures = [self._shown(each, secret) for each in result.failures]
        plain = provider.handler.PLAIN if isinstance(provider, AccessProvider) else ()
        hidden = sorted(hidden_in(request.news).intersection(plain))
        failures += [protocol.CheckFailure(reason=f"{name} cannot be a secret: {_BY_ADDRESS}") for name in hidden]
        inputs = _packed(result.inputs, news[PROVIDER_KEY], request.news)
        return protocol.CheckResponse(inputs=inputs, failures=failures)

    @about_a_resource
    def Diff(self, request: Any) -> Any:  # noqa: N802
        """Find out what changes, and of our own resources which parts of which properties."""
        olds, news = _unpacked(request.olds, unknowns=True), _unpacked(request.news, unknowns=True)
        provider = self.providers.get(pickled_in(news, olds))
        result = provider.diff(request.id, olds, news)
        answer = protocol.DiffResponse(
            changes=_changes(result.changes),
            replaces=result.replaces or (),
            deleteBeforeReplace=bool(result.delete_before_replace),
        )
        if result.changes and isinstance(provider, AccessProvider):
            handler, news = provider.handler, own(news)
            secret = secret_in(request.olds) | secret_in(request.news)
            olds = handler.compared(own(olds), news)
            found = detailed(handler.all_inputs, olds, news, result.replaces or (), secret)
            answer.hasDetailedDiff = bool(found)  # an expired invitation, for one, is none of the properties
            for path, kind in found.items():
                answer.detailedDiff[path].kind = kind
        return answer

    @about_a_resource
    def Create(self, request: Any) -> Any:  # noqa: N802
        """Create a resource; at a preview, nothing."""
        if request.preview:
            return protocol.CreateResponse(properties=request.properties)
        props = _unpacked(request.properties)
        result = self.providers.get(pickled_in(props)).create(props)
        outputs = _packed(result.outs, props[PROVIDER_KEY], request.properties)
        return protocol.CreateResponse(id=result.id, properties=outputs)

    @about_a_resource
    def Read(self, request: Any) -> Any:  # noqa: N802
        """Read a resource; one without properties is imported, by its id and its type."""
        props = _unpacked(request.properties)
        pickled = pickled_in(props) if PROVIDER_KEY in props else self.providers.pickled_of(request.type)
        result = self.providers.get(pickled).read(request.id, props)
        outputs = _packed(result.outs, pickled, request.properties)
        answer = protocol.ReadResponse(id=result.id or "", properties=outputs)
        if result.inputs is not None:  # without them, the engine keeps those that it has
            answer.inputs.CopyFrom(_packed(result.inputs, pickled, request.inputs))
        return answer

    @about_a_resource
    def Update(self, request: Any) -> Any:  # noqa: N802
        """Change a resource; at a preview, nothing."""
        if request.preview:
            return protocol.UpdateResponse(properties=request.news)
        olds, news = _unpacked(request.olds), _unpacked(request.news)
        result = self.providers.get(pickled_in(news)).update(request.id, olds, news)
        return protocol.UpdateResponse(properties=_packed(result.outs, news[PROVIDER_KEY], request.news))

    @about_a_resource
    def Delete(self, request: Any) -> Any:  # noqa: N802
        """Take away what a resource gave."""
        props = _unpacked(request.properties)
        self.providers.get(pickled_in(props)).delete(request.id, props)
        return empty_pb2.Empty()

    def _warn_of_id(self, kind: ResourceKind, secret: set[str]) -> None:
        """Warn of a new resource, once for each input, that its id shows a secret: the engine encrypts no ids."""
        for name in sorted(_IN_IDS & secret - self._warned):
            self._warned.add(name)
            self.messages.say(
                f"{WARNING}{name} is a secret, but the state has it in plain text: it is a part of the resource's id "
                f"({kind.id.FORM}), and Pulumi encrypts no ids. The same holds for other resources with this input"
            )

    def _shown(self, failure: Any, secret: Collection[str]) -> Any:
        """A failure of a check; the engine prints the value of the property that it names."""
        reason = self.messages.without_secrets(failure.reason)
        if failure.property not in secret:
            return protocol.CheckFailure(property=failure.property, reason=reason)
        return protocol.CheckFailure(reason=f"{failure.property}: {reason}")


_BY_ADDRESS: Final = "other stacks find people by them, as they find single resources by their ids"
_DETAILS: Final = "grpc-status-details-bin"
_IN_IDS: Final = frozenset({"email", "project_id", "team_id", "service_account_id"})
"""The inputs that are parts of ids."""
_SAME = protocol.DiffResponse.DIFF_NONE


def _changes(changes: object) -> Any:
    """Whether something changes, as the SDK's server reads it of other people's providers: None is unknown."""
    if changes is None:
        return protocol.DiffResponse.DIFF_UNKNOWN
    return protocol.DiffResponse.DIFF_SOME if changes else _SAME


def _unpacked(properties: struct_pb2.Struct, *, unknowns: bool | None = None) -> dict[str, Any]:
    """Properties as a provider takes them."""
    return dict(rpc.deserialize_properties(revealed(properties), unknowns))


def _packed(properties: Mapping[str, Any] | None, pickled: object, request: struct_pb2.Struct) -> struct_pb2.Struct:
    """What a provider gives, with the provider itself, and with the secrets of the request."""
    whole = {**(properties or {}), PROVIDER_KEY: pickled}
    return mark(asyncio.run(rpc.serialize_properties(whole, {})), request)
