"""What the engine (3.259) does with the resources that a program registers, as `resource/deploy` of its source has it.

Steps are found one resource at a time: check, diff, and what follows from that; `Execution` carries them out. What is
not here raises `Unknown`.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, NoReturn

import grpc  # type: ignore[import-untyped]
from pulumi.runtime.proto import resource_pb2

from tests.python_engine import registration, values
from tests.python_engine.backend import State
from tests.python_engine.execution import Execution
from tests.python_engine.names import (
    PACKAGE,
    PROVIDER_TYPE,
    STACK_TYPE,
    Graph,
    make_urn,
    name_of,
    type_of,
    with_provider,
)
from tests.python_engine.providers import Diff, Providers, inputs_of, outputs_of
from tests.python_engine.registration import Registration
from tests.python_engine.snapshot import Snapshot
from tests.python_engine.steps import Options, Step, Stopped, Watcher
from tests.python_engine.transport import LinkError
from tests.python_engine.unknown import Unknown

_SKIPPED: Final[Any] = 2
"""The result of a step that is left out, which newer SDKs have no name for."""


@dataclass(frozen=True)
class CarriedOut:
    """What has come of a resource's steps.

    Attributes:
        step: the one that counts; None if it was left out or has failed.
        result: which of the two, in the SDK's words.
    """

    step: Step | None
    result: resource_pb2.Result.ValueType = resource_pb2.Result.SUCCESS


class Deployment:
    """One run over a stack's resources.

    Args:
        options: what it is asked for.
        snapshot: the state.
        watcher: reports each step.
        providers: its providers.

    Attributes:
        execution: its steps.
    """

    def __init__(self, options: Options, snapshot: Snapshot, watcher: Watcher, providers: Providers) -> None:
        self._options, self._snapshot, self._watcher = options, snapshot, watcher
        self.providers = providers
        self.execution = Execution(options, snapshot, self.providers, watcher)
        self._generation = threading.RLock()
        self._seen: set[str] = set()
        self._operated: set[str] = set()
        self._created: set[str] = set()
        self._alias_of: dict[str, str] = {}
        self._default = ""
        self._stack_outputs: tuple[str, dict[str, Any]] | None = None
        self._index()

    def _index(self) -> None:
        self._olds = {state["urn"]: state for state in self._snapshot.base if not state.get("delete")}

    # A program's resources

    def register(self, request: Any) -> Any:
        """Answer a program that registers a resource, once that has been dealt with.

        Raises:
            LinkError: the run stops.
        """
        try:
            with self._generation:
                self.execution.must_go_on()
                one = registration.registration_in(request, self._options.root)
                steps = self.steps_for(one)
            done = self.carried_out(steps)
            if done.step is None:
                return resource_pb2.RegisterResourceResponse(
                    urn=steps[0].urn, result=done.result, object=values.message({})
                )
            state = done.step.state
            outputs = outputs_of(state) if one.custom else {}
            if not request.supportsPartialValues:
                outputs = {key: value for key, value in outputs.items() if not values.has_unknown(value)}
            return resource_pb2.RegisterResourceResponse(
                urn=state["urn"], id=state.get("id") or "", object=values.message(outputs), unknown=done.step.skipped
            )
        except Unknown as unknown:
            self.execution.stop(unknown)
        except Stopped:
            self.execution.stop()
        raise LinkError(grpc.StatusCode.UNAVAILABLE, "the resource monitor has been shut down")

    def register_outputs(self, request: Any) -> None:
        """Take a component's outputs."""
        try:
            outputs = values.plain(request.outputs)
        except Unknown as unknown:
            self.execution.stop(unknown)
            return
        self.give_outputs(request.urn, outputs)

    def give_outputs(self, urn: str, outputs: dict[str, Any]) -> None:
        """Take a component's outputs; the stack's are taken in the end."""
        if type_of(urn) == STACK_TYPE:
            self._stack_outputs = (urn, outputs)
        else:
            self._take_outputs(urn, outputs)

    def take_stack_outputs(self) -> None:
        """Take the stack's outputs, in the end; where something has failed, beside those that it had."""
        if self._stack_outputs and self._stack_outputs[0] in self.execution.pending:
            urn, outputs = self._stack_outputs
            before = outputs_of(self._olds.get(urn)) if self.execution.errored else {}
            self._take_outputs(urn, {**before, **outputs})

    def _take_outputs(self, urn: str, outputs: dict[str, Any]) -> None:
        step = self.execution.pending.pop(urn)
        if not step.skipped and step.new is not None:
            step.new["outputs"] = outputs
            if not self._options.dry_run:
                self._snapshot.write()

    def program_failed(self) -> None:
        """Begin nothing more: the program has shown why it fails."""
        self.execution.bail()
        self.execution.stop()

    def carried_out(self, steps: Sequence[Step]) -> CarriedOut:
        """Carry out the steps of one resource.

        Raises:
            Stopped: one of them has failed, and the run does not go on.
        """
        last = steps[0]
        for step in steps:
            if self.execution.skips(step):
                return CarriedOut(None, _SKIPPED)
            if not self.execution.run(step):
                return CarriedOut(None, resource_pb2.Result.FAIL)
            if step.op != "replace":
                last = step
        return CarriedOut(last)

    # The steps of one resource

    def steps_for(self, request: Registration) -> list[Step]:
        """The steps that bring one resource of the program about."""
        options = self._options
        if request.parent and request.parent not in self._seen:
            raise Unknown("a parent that is not there")
        urn = make_urn(options.stack, options.project, request.parent, request.type, request.name)
        if urn in self._seen:
            raise Unknown(f"{urn} twice")
        provider = self._default_provider() if request.custom else ""
        self._seen.add(urn)
        old = self._old(urn, request)
        new = registration.new_state(request, urn, provider)
        new |= {key: old and old.get(key) for key in ("created", "modified")}
        if old is not None and old["urn"] != urn:
            new["aliases"] = [old["urn"]]
        if urn in options.excludes:
            return self._left_alone(urn, old, new)
        goal = new["inputs"]
        if request.custom:
            news = goal if old is None else _ignoring(request.ignore_changes, inputs_of(old), goal)
            new["inputs"] = self._checked(new, inputs_of(old), news)
        if old is None:
            self._created.add(urn)
            return [Step("create", urn, new=new)]
        return self._changes(old, new, goal, request)

    def _changes(self, old: State, new: State, goal: dict[str, Any], request: Registration) -> list[Step]:
        urn = new["urn"]
        diff = self._diff(old, new)
        self._operated.add(urn)
        if not diff.changes:
            return [Step("same", urn, old, new)]
        if not diff.replaces:
            return [Step("update", urn, old, new)]
        if diff.delete_first or request.delete_first or (new["protect"] and old.get("protect")):
            raise Unknown("a replacement of what is deleted first or protected")
        new["inputs"] = self._checked(new, {}, goal)
        return [
            Step("create-replacement", urn, old, new, logical=False, keys=diff.replaces, pending_delete=True),
            Step("replace", urn, old, new, keys=diff.replaces),
        ]

    def _checked(self, new: State, olds: Mapping[str, Any], news: Mapping[str, Any]) -> dict[str, Any]:
        """The inputs as the provider's check leaves them.

        Raises:
            Stopped: they are wrong.
        """
        try:
            answer = self.providers.check(new, olds, news)
        except LinkError as error:
            self._bail(new["urn"], str(error.details()))
        for failure in answer.failures:
            what = f"{new['type']} resource '{name_of(new['urn'])}'"
            if failure.property:
                value = values.shown(new["inputs"].get(failure.property))
                what += f": property {failure.property} value {value}"
            self._watcher.error(new["urn"], f"{what} has a problem: {failure.reason}")
        if answer.failures:
            self.execution.bail()
            raise Stopped
        return answer.inputs

    def _diff(self, old: State, new: State) -> Diff:
        if not new["custom"]:
            return Diff(inputs_of(old) != new["inputs"])
        if old.get("provider") != new["provider"]:
            raise Unknown("another provider")
        try:
            return self.providers.diff(old, new["inputs"])
        except LinkError as error:
            self._bail(new["urn"], str(error.details()))

    def _bail(self, urn: str, why: str) -> NoReturn:
        self.execution.bail()
        self._watcher.error(urn, why)
        raise Stopped

    def _left_alone(self, urn: str, old: State | None, new: State) -> list[Step]:
        if old is None:
            self._operated.add(urn)
            return [Step("same", urn, dict(new), new, skipped=True)]
        if old.get("provider") and old["provider"] not in self.providers:
            raise Unknown("a provider that is not there")
        return list(self._sames(old, urn))

    def _sames(self, old: State, urn: str) -> Iterator[Step]:
        """An old resource as it is, after those that it depends on and that are not dealt with yet."""
        self._seen.add(old["urn"])
        self._operated |= {urn, old["urn"]}
        for dependency in with_provider(old):
            if dependency not in self._operated | self._created:
                if dependency not in self._olds:
                    raise Unknown("a dependency that is not there")
                yield from self._sames(self._olds[dependency], dependency)
        yield Step("same", old["urn"], old, dict(old))

    def _old(self, urn: str, request: Registration) -> State | None:
        """What the state has of a resource, under this name or under another."""
        taken = self._alias_of.values()
        if urn in self._olds:
            if urn in taken:
                raise Unknown("a name that another resource had")
            return self._olds[urn]
        for alias in registration.aliases(request, self._options, self._alias_of):
            if alias in self._olds:
                if alias in self._seen or alias in taken:
                    raise Unknown("a name that another resource has")
                self._alias_of[urn] = alias
                self._operated.add(alias)
                return self._olds[alias]
        return None

    def _default_provider(self) -> str:
        """The reference of the program's provider, which is dealt with when the first resource needs it."""
        if not self._default:
            options, type_ = self._options, PROVIDER_TYPE + PACKAGE
            urn = make_urn(options.stack, options.project, "", type_, "default")
            inputs = dict(sorted(options.config.items()))
            new: State = {"urn": urn, "custom": True, "type": type_, "inputs": inputs}
            old = self._olds.get(urn)
            self._seen.add(urn)
            if old is None:
                self._created.add(urn)
                new["id"] = values.UNKNOWN if options.dry_run else str(uuid.uuid4())
                step = Step("create", urn, new=new)
            else:
                self._operated.add(urn)
                new |= {key: old.get(key) for key in ("id", "created", "modified")}
                step = Step("same" if outputs_of(old) == inputs else "update", urn, old, new)
            self._default = f"{urn}::{new['id']}"
            if step.op != "same" or self._default not in self.providers:
                self.providers.configure(urn, new["id"], inputs if step.op != "same" else inputs_of(old))
            self.execution.run_now(step)
        return self._default

    # Refresh

    def refresh(self) -> bool:
        """Read all resources, or the targets; whether all could be read."""
        execution, options = self.execution, self._options
        steps = {
            id(state): Step("refresh", state["urn"], state, state, logical=False)
            for state in self._snapshot.base
            if state["urn"] not in options.excludes and (not options.targets or state["urn"] in options.targets)
        }
        failed: list[Step] = []

        def read(step: Step) -> None:
            try:
                execution.run_now(step)
            except Stopped:
                failed.append(step)  # the others are read all the same
            except Unknown as unknown:
                execution.unknown = unknown

        try:
            for step in steps.values():
                self.providers.ensure(step.state, self._olds)
        except Unknown as unknown:
            execution.unknown = unknown
        else:
            with ThreadPoolExecutor(options.parallel) as pool:
                list(pool.map(read, steps.values()))
        if execution.unknown:
            execution.stop()
            return False
        self._rebuild(steps)
        if failed:
            self._watcher.error("", f"{'preview' if options.dry_run else 'update'} failed")
            self.program_failed()
        return not failed

    def _rebuild(self, steps: Mapping[int, Step]) -> None:
        """Go on from what was read: without what is gone, and without dependencies on it."""
        read = [(steps[id(old)].new if id(old) in steps else old) for old in self._snapshot.base]
        resources = [new for new in read if new is not None]
        there: set[str] = set()
        parents: dict[str, str] = {}
        for new in resources:
            new["dependencies"] = [urn for urn in new.get("dependencies") or () if urn in there]
            of_property = {
                key: [urn for urn in urns if urn in there]
                for key, urns in (new.get("propertyDependencies") or {}).items()
            }
            # The engine writes down only the properties that depend on something.
            new["propertyDependencies"] = {key: urns for key, urns in of_property.items() if urns}
            there.add(new["urn"])
        for new in resources:
            if new.get("parent") not in there:
                new["parent"] = parents.get(new.get("parent") or "", "")
            parents[new["urn"]] = new["parent"]
        self._snapshot.base = resources
        self._index()
        if not self._options.dry_run:
            self._snapshot.write()

    # Deletions

    def delete_others(self) -> None:
        """Delete what no program has registered, each after what depends on it."""
        with self._generation:
            if self.execution.stopped:
                return
            try:
                self._delete(self._deletes())
            except Unknown as unknown:
                self.execution.stop(unknown)
            except Stopped:
                self.execution.stop()

    def _deletes(self) -> list[Step]:
        steps: list[Step] = []
        sames: list[Step] = []
        kept = self._kept()
        for state in self._snapshot.base:
            urn = state["urn"]
            if urn in kept:
                if urn not in self._operated:
                    sames.append(Step("same", urn, state, dict(state)))
            elif state.get("delete"):
                steps.append(Step("delete-replaced", urn, state, logical=False))
            elif urn not in self._operated:
                steps.append(Step("delete", urn, state))
        for step in steps:
            self.providers.ensure(step.state, self._olds)
        for step in sames:
            self.execution.run_now(step)
        return steps

    def _kept(self) -> set[str]:
        """The excluded resources that are there, and what they depend on."""
        kept: set[str] = set()
        frontier = [state for state in self._snapshot.base if state["urn"] in self._options.excludes]
        while frontier:
            state = frontier.pop()
            if state["urn"] not in kept:
                kept.add(state["urn"])
                frontier += [self._olds[urn] for urn in with_provider(state) if urn in self._olds]
        return kept

    def _delete(self, steps: Sequence[Step]) -> None:
        graph = Graph(self._snapshot.base)
        waiting = list(steps)
        chains: list[list[Step]] = []
        while waiting:
            condemned = {id(step.state) for step in waiting}
            chain = [step for step in waiting if not graph.needs(step.state) & condemned]
            if not chain:
                raise Unknown("a circle")
            chains.insert(0, chain)
            waiting = [step for step in waiting if step not in chain]
        held: set[int] = set()
        for chain in chains:
            for failed in self.execution.failed:
                held |= graph.all_needs(failed)
            self.execution.run_all(step for step in chain if id(step.state) not in held)
            self.execution.must_go_on()


def _ignoring(ignored: Iterable[str], olds: Mapping[str, Any], news: Mapping[str, Any]) -> dict[str, Any]:
    """Inputs of which some are left as they are in the state."""
    found = dict(news)
    for key in ignored:
        if not key.isidentifier():
            raise Unknown("ignore_changes of a part of a property")
        if key in olds:
            found[key] = olds[key]
        else:
            found.pop(key, None)
    return found
