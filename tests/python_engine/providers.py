"""The processes of the dynamic provider, asked as the engine asks them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import grpc  # type: ignore[import-untyped]
from pulumi.runtime.proto import provider_pb2

from tests.python_engine import values
from tests.python_engine.backend import State, instant
from tests.python_engine.names import PACKAGE, PROVIDER_TYPE, name_of, type_of
from tests.python_engine.transport import LinkError
from tests.python_engine.unknown import Unknown

ProviderStub = Any
"""The generated stub of a provider's process."""


@dataclass(frozen=True)
class Diff:
    """What a provider says of two versions of a resource.

    Attributes:
        changes: whether they differ.
        replaces: the properties for which the resource is replaced.
        delete_first: whether the old one is deleted before the new one is created.
    """

    changes: bool
    replaces: tuple[str, ...] = ()
    delete_first: bool = False


@dataclass(frozen=True)
class Checked:
    """What a provider's check says.

    Attributes:
        inputs: the inputs as it leaves them.
        failures: what is wrong, each with a `property` and a `reason`.
    """

    inputs: dict[str, Any]
    failures: Sequence[Any] = ()


def inputs_of(state: State | None) -> dict[str, Any]:
    """A resource's inputs."""
    return (state.get("inputs") or {}) if state else {}


def outputs_of(state: State | None) -> dict[str, Any]:
    """A resource's outputs."""
    return (state.get("outputs") or {}) if state else {}


class Providers:
    """The providers of one run, by their references.

    Args:
        new_process: starts a provider's process.

    Attributes:
        touched: whether one was asked to change something.
    """

    def __init__(self, new_process: Callable[[], ProviderStub]) -> None:
        self._new_process = new_process
        self._stubs: dict[str, ProviderStub] = {}
        self.touched = False

    def __contains__(self, reference: str) -> bool:
        return reference in self._stubs

    def configure(self, urn: str, id_: str, inputs: Mapping[str, Any]) -> None:
        """Have a provider, in a process of its own, with this configuration."""
        stub = self._new_process()
        stub.Configure(
            provider_pb2.ConfigureRequest(
                urn=urn, id=id_, name=name_of(urn), type=type_of(urn), args=values.message(inputs), acceptSecrets=True,
                acceptResources=True, sends_old_inputs=True, sends_old_inputs_to_delete=True,
                variables={f"{PACKAGE}:config:{key}": str(value) for key, value in inputs.items()},
            )
        )  # fmt: skip
        self._stubs[f"{urn}::{id_}"] = stub

    def ensure(self, state: State, olds: Mapping[str, State]) -> None:
        """Have the provider of an old resource, with the configuration that the state remembers.

        Raises:
            Unknown: the state does not have it.
        """
        reference = state.get("provider")
        if reference and reference not in self._stubs:
            urn, _, id_ = reference.rpartition("::")
            old = olds.get(urn)
            if old is None or old["id"] != id_ or old["type"] != PROVIDER_TYPE + PACKAGE:
                raise Unknown("a provider that is not there")
            self.configure(urn, id_, inputs_of(old))

    def check(self, new: State, olds: Mapping[str, Any], news: Mapping[str, Any]) -> Checked:
        """Have inputs checked; gives the provider's answer.

        Raises:
            LinkError: the provider raises.
        """
        request = provider_pb2.CheckRequest(
            **_named(new), olds=values.message(olds), news=values.message(news), randomSeed=bytes(32)
        )
        answer = self._stubs[new["provider"]].Check(request)
        return Checked(values.plain(answer.inputs), answer.failures)

    def diff(self, state: State, news: Mapping[str, Any], *, old_inputs: Mapping[str, Any] | None = None) -> Diff:
        """Compare a resource with new inputs.

        Raises:
            LinkError: the provider raises.
            Unknown: it says more than ours.
        """
        old = inputs_of(state) if old_inputs is None else old_inputs
        request = provider_pb2.DiffRequest(
            id=state["id"], **_named(state), old_inputs=values.message(old), news=values.message(news),
            olds=values.message(outputs_of(state)), ignoreChanges=list(state.get("ignoreChanges") or ()),
        )  # fmt: skip
        answer = self._stubs[state["provider"]].Diff(request)
        if answer.detailedDiff or answer.diffs or answer.changes == provider_pb2.DiffResponse.DIFF_UNKNOWN:
            raise Unknown("a diff in detail")
        changes = answer.changes == provider_pb2.DiffResponse.DIFF_SOME
        return Diff(changes, tuple(answer.replaces), answer.deleteBeforeReplace)

    def create(self, new: State) -> None:
        """Create a resource, and take its id and its outputs.

        Raises:
            LinkError: the provider raises, or gives no id.
        """
        self.touched = True
        request = provider_pb2.CreateRequest(**_named(new), properties=values.message(new["inputs"]))
        answer = self._stubs[new["provider"]].Create(request)
        if not answer.id:
            why = f"plugin returned empty resource.ID from create '{new['urn']}'"
            raise LinkError(grpc.StatusCode.UNKNOWN, why)
        new["id"], new["outputs"] = answer.id, values.plain(answer.properties)

    def update(self, old: State, new: State) -> None:
        """Change a resource, and take its outputs.

        Raises:
            LinkError: the provider raises.
        """
        self.touched = True
        request = provider_pb2.UpdateRequest(
            id=old["id"], **_named(new), old_inputs=values.message(inputs_of(old)), news=values.message(new["inputs"]),
            olds=values.message(outputs_of(old)), ignoreChanges=new["ignoreChanges"],
        )  # fmt: skip
        new["outputs"] = values.plain(self._stubs[new["provider"]].Update(request).properties)

    def read(self, old: State) -> State | None:
        """A resource as it is; None if it is gone.

        Raises:
            LinkError: the provider raises.
        """
        request = provider_pb2.ReadRequest(
            id=old["id"], **_named(old), properties=values.message(outputs_of(old)),
            inputs=values.message(inputs_of(old)),
        )  # fmt: skip
        answer = self._stubs[old["provider"]].Read(request)
        if not answer.id:
            return None
        inputs = values.plain(answer.inputs) if answer.HasField("inputs") else inputs_of(old)
        new = {**old, "id": answer.id, "outputs": values.plain(answer.properties), "inputs": inputs}
        if (new["inputs"], new["outputs"]) != (inputs_of(old), outputs_of(old)):
            new["modified"] = instant(time.time_ns())
        return new

    def delete(self, old: State) -> None:
        """Delete a resource.

        Raises:
            LinkError: the provider raises.
        """
        self.touched = True
        request = provider_pb2.DeleteRequest(
            id=old["id"], **_named(old), properties=values.message(outputs_of(old)),
            old_inputs=values.message(inputs_of(old)),
        )  # fmt: skip
        self._stubs[old["provider"]].Delete(request)


def _named(state: State) -> dict[str, Any]:
    return {"urn": state["urn"], "name": name_of(state["urn"]), "type": state["type"]}
