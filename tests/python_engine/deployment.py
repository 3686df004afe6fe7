"""What the engine (3.259) does with the resources that a program registers, as `resource/deploy` of its source has it.

Steps are found one resource at a time: check, diff, and what follows from that. They are carried out several at a time.
What a step does to the state is written down before it begins and when it has ended. What is not here raises `Unknown`.
"""

from __future__ import annotations

import posixpath
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

import grpc  # type: ignore[import-untyped]
from pulumi.runtime.proto import provider_pb2, resource_pb2

from tests.python_engine import values
from tests.python_engine.backend import State, instant
from tests.python_engine.snapshot import Snapshot
from tests.python_engine.transport import LinkError
from tests.python_engine.unknown import Unknown

STACK_TYPE = "pulumi:pulumi:Stack"
PROVIDER_TYPE = "pulumi:providers:"
PACKAGE = "pulumi-python"
DEFAULT = "default"
ProviderStub = Any
"""The generated stub of a provider's process."""


class Stopped(Exception):
    """The engine begins nothing more; the reason has been shown."""


@dataclass(eq=False)
class Step:
    """What is done to one resource.

    Attributes:
        op: in the engine's words.
        urn: the resource.
        old: what the state has of it.
        new: what it will have.
        logical: whether it counts.
        keys: why it is replaced.
        skipped: whether it is a new resource that the run leaves out.
        pending_delete: whether the old one is deleted at the end.
        diff: a refresh: whether something differs.
    """

    op: str
    urn: str
    old: State | None = None
    new: State | None = None
    logical: bool = True
    keys: Sequence[str] = ()
    skipped: bool = False
    pending_delete: bool = False
    diff: bool = False

    @property
    def state(self) -> State:
        """The new state, or the old one where there is no new one."""
        found = self.new if self.new is not None else self.old
        assert found is not None
        return found


class Watcher(Protocol):
    """What is told of the steps."""

    def begun(self, step: Step) -> None:
        """A step begins."""

    def ended(self, step: Step, op: str) -> None:
        """A step has ended well."""

    def failed(self, step: Step, why: str) -> None:
        """A step has failed."""

    def error(self, urn: str, text: str) -> None:
        """Something is wrong."""


@dataclass(frozen=True)
class Options:
    """What a run is asked for.

    Attributes:
        stack: the stack's name.
        project: the project's name.
        root: the project's folder.
        config: the stack's configuration.
        dry_run: a preview.
        only_refresh: `pulumi refresh`.
        targets: the resources that a refresh reads; all if there are none.
        excludes: the resources that are left as they are.
        continue_on_error: go on with what does not depend on what failed.
        parallel: how many steps at a time.
    """

    stack: str
    project: str
    root: str
    config: Mapping[str, str]
    dry_run: bool = False
    only_refresh: bool = False
    targets: frozenset[str] = frozenset()
    excludes: frozenset[str] = frozenset()
    continue_on_error: bool = False
    parallel: int = 8


@dataclass
class Deployment:
    """One run over a stack's resources.

    Attributes:
        options: what it is asked for.
        snapshot: the state.
        watcher: what is told of the steps.
        new_provider: starts a provider's process.
        touched: whether a provider was asked to change something.
        counts: steps that count -> how many.
        unknown: what the engine is to do in this run's place.
        step_failed: whether a step has failed.
        bailed: whether the run has stopped for a reason that has been shown.
        on_stop: called once nothing more is begun.
    """

    options: Options
    snapshot: Snapshot
    watcher: Watcher
    new_provider: Callable[[], ProviderStub]
    touched: bool = False
    counts: dict[str, int] = field(default_factory=dict)
    unknown: Unknown | None = None
    on_stop: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self._generation = threading.RLock()
        self._slots = threading.Semaphore(self.options.parallel)
        self._count = threading.Lock()
        self._stopped = threading.Event()
        self._errored = False
        self.step_failed = False
        self.bailed = False
        self._failed: list[State] = []
        self._skipped: set[str] = set()
        self._seen: set[str] = set()
        self._operated: set[str] = set()
        self._created: set[str] = set()
        self._left_out: set[str] = set()
        self._deleted: set[str] = set()
        self._excluded = set(self.options.excludes)
        self._aliased: dict[str, str] = {}
        self._alias_of: dict[str, str] = {}
        self._pending: dict[str, Step] = {}
        self._providers: dict[str, ProviderStub] = {}
        self._default = ""
        self._stack_outputs: tuple[str, dict[str, Any]] | None = None
        self._running = threading.Condition()
        self._steps_running = 0
        self._index()

    def _index(self) -> None:
        self._olds = {state["urn"]: state for state in self.snapshot.base if not state.get("delete")}

    @property
    def errored(self) -> bool:
        """Whether something has failed."""
        return self._errored

    @property
    def stopped(self) -> bool:
        """Whether nothing more is begun."""
        return self._stopped.is_set()

    def wait(self) -> None:
        """Wait for the steps that have begun."""
        with self._running:
            self._running.wait_for(lambda: not self._steps_running)

    def stop(self, unknown: Unknown | None = None) -> None:
        """Begin nothing more."""
        self.unknown = self.unknown or unknown
        if not self._stopped.is_set():
            self._stopped.set()
            self.on_stop()

    # A program's resources

    def register(self, request: Any) -> Any:
        """Answer a program that registers a resource, once that has been dealt with.

        Raises:
            LinkError: the run stops.
        """
        try:
            with self._generation:
                self._go_on()
                _must_be_known(request)
                steps = self._steps_for(request)
            return self._carried_out(steps, request)
        except Unknown as unknown:
            self.stop(unknown)
        except Stopped:
            self.stop()
        raise LinkError(grpc.StatusCode.UNAVAILABLE, "the resource monitor has been shut down")

    def register_outputs(self, request: Any) -> None:
        """Take a component's outputs."""
        try:
            outputs = values.plain(request.outputs)
        except Unknown as unknown:
            self.stop(unknown)
            return
        if _type(request.urn) == STACK_TYPE:
            self._stack_outputs = (request.urn, outputs)
        else:
            self._take_outputs(request.urn, outputs)

    def _take_outputs(self, urn: str, outputs: dict[str, Any]) -> None:
        step = self._pending.pop(urn)
        if not step.skipped and step.new is not None:
            step.new["outputs"] = outputs
            if not self.options.dry_run:
                self.snapshot.write()

    def finish_program(self) -> None:
        """Delete what the program has not registered, and take the stack's outputs."""
        with self._generation:
            if not self.stopped:
                try:
                    self._delete(self._deletes())
                except Unknown as unknown:
                    self.stop(unknown)
                except Stopped:
                    self.stop()

    def take_stack_outputs(self) -> None:
        """Take the stack's outputs, in the end; where something has failed, beside those that it had."""
        if self._stack_outputs and self._stack_outputs[0] in self._pending:
            urn, outputs = self._stack_outputs
            old = self._olds.get(urn)
            if self._errored and old is not None:
                outputs = {**(old.get("outputs") or {}), **outputs}
            self._take_outputs(urn, outputs)

    def _go_on(self) -> None:
        if self.stopped:
            raise Stopped

    # Steps of one resource

    def _steps_for(self, request: Any) -> list[Step]:
        options = self.options
        if request.parent and request.parent not in self._seen:
            raise Unknown("a parent that is not there")
        urn = self._urn(request.parent, request.type, request.name)
        if urn in self._seen:
            raise Unknown(f"{urn} twice")
        provider = self._default_provider() if request.custom else ""
        self._seen.add(urn)
        old, alias = self._old(urn, request)
        inputs = values.plain(request.object)
        new: State = {
            "urn": urn, "custom": request.custom, "type": request.type, "inputs": inputs, "parent": request.parent,
            "protect": request.protect, "dependencies": list(request.dependencies), "provider": provider,
            "propertyDependencies": {key: list(deps.urns) for key, deps in sorted(_properties(request, inputs))},
            "retainOnDelete": request.retainOnDelete, "aliases": [alias] if alias else [],
            "created": old and old.get("created"), "modified": old and old.get("modified"),
            "sourcePosition": _position(request.sourcePosition, options.root),
            "stackTrace": [_frame(frame, options.root) for frame in request.stackTrace.frames],
            "ignoreChanges": list(request.ignoreChanges),
        }  # fmt: skip
        included = request.type == STACK_TYPE or not self._is_excluded(new)
        goal = dict(inputs)
        if request.custom:
            new["inputs"] = self._checked(new, old, inputs, request.ignoreChanges) if included else _inputs(old)
        if not included:
            self._excluded.add(urn)
            return self._left_alone(urn, old, new)
        if old is None:
            self._created.add(urn)
            return [Step("create", urn, new=new)]
        return self._changes(old, new, goal, request)

    def _checked(self, new: State, old: State | None, inputs: dict[str, Any], ignored: Iterable[str]) -> Any:
        olds = _inputs(old)
        news = dict(inputs)
        if old is not None:
            for key in ignored:
                if not key.isidentifier():
                    raise Unknown("ignore_changes of a part of a property")
                if key in olds:
                    news[key] = olds[key]
                else:
                    news.pop(key, None)
        return self._check(new, olds if old is not None else None, news)

    def _check(self, new: State, olds: dict[str, Any] | None, news: dict[str, Any]) -> dict[str, Any]:
        request = provider_pb2.CheckRequest(
            urn=new["urn"], name=_name(new["urn"]), type=new["type"], olds=values.message(olds or {}),
            news=values.message(news), randomSeed=bytes(32),
        )  # fmt: skip
        answer = self._ask(self._providers[new["provider"]].Check, request, new["urn"])
        for failure in answer.failures:
            what = f"{new['type']} resource '{_name(new['urn'])}'"
            if failure.property:
                value = new["inputs"].get(failure.property)
                text = f"{what}: property {failure.property} value {{{value}}} has a problem: {failure.reason}"
            else:
                text = f"{what} has a problem: {failure.reason}"
            self.watcher.error(new["urn"], text)
        if answer.failures:
            self._bail()
            raise Stopped
        return values.plain(answer.inputs)

    def _changes(self, old: State, new: State, goal: dict[str, Any], request: Any) -> list[Step]:
        urn = new["urn"]
        if not new["custom"]:
            changes, replaces, before = _inputs(old) != new["inputs"], list[str](), False
        else:
            if (old.get("provider") or "") != new["provider"]:
                raise Unknown("another provider")
            changes, replaces, before = self._diff(old, new["inputs"], _outputs(old), _inputs(old))
        if not changes:
            self._operated.add(urn)
            return [Step("same", urn, old, new)]
        if not replaces:
            self._operated.add(urn)
            return [Step("update", urn, old, new)]
        if before or request.deleteBeforeReplace or (new["protect"] and old.get("protect")):
            raise Unknown("a replacement of what is deleted before or protected")
        self._operated.add(urn)
        new["inputs"] = self._check(new, None, goal)
        return [
            Step("create-replacement", urn, old, new, logical=False, keys=replaces, pending_delete=True),
            Step("replace", urn, old, new, keys=replaces),
        ]

    def _diff(
        self, state: State, news: Mapping[str, Any], outputs: Mapping[str, Any], inputs: Mapping[str, Any]
    ) -> tuple[bool, list[str], bool]:
        request = provider_pb2.DiffRequest(
            id=state["id"], urn=state["urn"], name=_name(state["urn"]), type=state["type"],
            old_inputs=values.message(inputs), olds=values.message(outputs), news=values.message(news),
            ignoreChanges=list(state.get("ignoreChanges") or ()),
        )  # fmt: skip
        answer = self._ask(self._providers[state["provider"]].Diff, request, state["urn"])
        if answer.detailedDiff or answer.diffs or answer.changes == provider_pb2.DiffResponse.DIFF_UNKNOWN:
            raise Unknown("a diff in detail")
        changes = answer.changes == provider_pb2.DiffResponse.DIFF_SOME
        return changes, list(answer.replaces), answer.deleteBeforeReplace

    def _left_alone(self, urn: str, old: State | None, new: State) -> list[Step]:
        if old is None:
            self._operated.add(urn)
            self._left_out.add(urn)
            return [Step("same", urn, dict(new), new, skipped=True)]
        if old.get("provider") and old["provider"] not in self._providers:
            raise Unknown("a provider that is not there")
        return list(self._sames(old, urn))

    def _sames(self, old: State, urn: str) -> Iterator[Step]:
        """An old resource as it is, after those that it depends on and that are not dealt with yet."""
        self._seen.add(old["urn"])
        self._operated |= {urn, old["urn"]}
        for dependency in dependencies(old):
            if dependency not in self._operated | self._created:
                if dependency not in self._olds:
                    raise Unknown("a dependency that is not there")
                yield from self._sames(self._olds[dependency], dependency)
        yield Step("same", old["urn"], old, dict(old))

    def _is_excluded(self, state: State) -> bool:
        return state["urn"] in self.options.excludes

    def _urn(self, parent: str, type_: str, name: str) -> str:
        return make_urn(self.options.stack, self.options.project, parent, type_, name)

    def _old(self, urn: str, request: Any) -> tuple[State | None, str]:
        """What the state has of a resource, and under which other name."""
        if urn in self._olds:
            if urn in self._aliased:
                raise Unknown("a name that another resource had")
            return self._olds[urn], ""
        for alias in self._aliases(request):
            if alias in self._olds:
                if alias in self._seen or alias in self._aliased:
                    raise Unknown("a name that another resource has")
                self._aliased[alias] = urn
                self._alias_of[urn] = alias
                self._operated.add(alias)
                return self._olds[alias], alias
        return None, ""

    def _aliases(self, request: Any) -> list[str]:
        found: list[str] = []
        own = [self._alias(request, alias) for alias in request.aliases]
        found += own
        if above := self._alias_of.get(request.parent):
            parent = _name(request.parent)
            names = [(request.type, request.name), *((_type(alias), _name(alias)) for alias in own)]
            for type_, name in names:
                inherited = _name(above) + name.removeprefix(parent) if name.startswith(parent) else name
                found.append(make_urn(self.options.stack, self.options.project, above, type_, inherited))
        return list(dict.fromkeys(found))

    def _alias(self, request: Any, alias: Any) -> str:
        if alias.urn:
            return str(alias.urn)
        spec = alias.spec
        parent = "" if spec.noParent else spec.parentUrn or request.parent
        if spec.parentUrn:
            parent = self._alias_of.get(parent, parent)
        stack, project = spec.stack or self.options.stack, spec.project or self.options.project
        return make_urn(stack, project, parent, spec.type or request.type, spec.name or request.name)

    # The default provider

    def _default_provider(self) -> str:
        """The reference of the program's provider, which is dealt with when the first resource needs it."""
        if self._default:
            return self._default
        type_ = PROVIDER_TYPE + PACKAGE
        urn = self._urn("", type_, DEFAULT)
        self._seen.add(urn)
        old = self._olds.get(urn)
        inputs = dict(sorted(self.options.config.items()))
        new: State = {"urn": urn, "custom": True, "type": type_, "inputs": inputs}
        if old is None:
            self._created.add(urn)
            step = Step("create", urn, new=new)
            new["id"] = values.UNKNOWN if self.options.dry_run else str(uuid.uuid4())
        else:
            self._operated.add(urn)
            new |= {"id": old["id"], "created": old.get("created"), "modified": old.get("modified")}
            step = Step("same" if _outputs(old) == inputs else "update", urn, old, new)
        reference = f"{urn}::{new['id']}"
        if step.op != "same" or reference not in self._providers:
            self._providers[reference] = self._configured(urn, new["id"], inputs if step.op != "same" else _inputs(old))
        self._run_step(step)
        self._default = reference
        return reference

    def _configured(self, urn: str, id_: str, inputs: Mapping[str, Any]) -> ProviderStub:
        stub = self.new_provider()
        prefix = f"{PACKAGE}:config:"
        stub.Configure(
            provider_pb2.ConfigureRequest(
                urn=urn, id=id_, name=_name(urn), type=_type(urn), args=values.message(inputs), acceptSecrets=True,
                acceptResources=True, sends_old_inputs=True, sends_old_inputs_to_delete=True,
                variables={f"{prefix}{key}": str(value) for key, value in inputs.items()},
            )
        )  # fmt: skip
        return stub

    def _ensure_provider(self, state: State) -> None:
        """Have the provider of an old resource, with the configuration that the state remembers."""
        reference = state.get("provider")
        if reference and reference not in self._providers:
            urn, _, id_ = reference.rpartition("::")
            old = self._olds.get(urn)
            if old is None or old["id"] != id_ or old["type"] != PROVIDER_TYPE + PACKAGE:
                raise Unknown("a provider that is not there")
            self._providers[reference] = self._configured(urn, id_, _inputs(old))

    # Refresh

    def refresh(self) -> bool:
        """Read all resources, or the targets; whether all could be read."""
        steps = {}
        try:
            for state in self.snapshot.base:
                chosen = self.options.targets
                if not self._is_excluded(state) and (not chosen or state["urn"] in chosen):
                    self._ensure_provider(state)
                    steps[id(state)] = Step("refresh", state["urn"], state, state, logical=False)
        except Unknown as unknown:
            self.stop(unknown)
            return False
        failed: list[Step] = []

        def read(step: Step) -> None:
            try:
                self._run_step(step)
            except (Stopped, Unknown) as stopped:
                if isinstance(stopped, Unknown):
                    self.unknown = stopped
                failed.append(step)

        with ThreadPoolExecutor(self.options.parallel) as pool:
            list(pool.map(read, steps.values()))
        if self.unknown:
            self.stop(self.unknown)
            return False
        self._rebuild(steps)
        if failed:
            self._errored = True
            self._stopped.set()
            self.watcher.error("", f"{'preview' if self.options.dry_run else 'update'} failed")
        return not failed

    def _rebuild(self, steps: Mapping[int, Step]) -> None:
        """Go on from what was read: without what is gone, and without dependencies on it."""
        resources: list[State] = []
        there: set[str] = set()
        parents: dict[str, str] = {}
        for old in self.snapshot.base:
            new = steps[id(old)].new if id(old) in steps else old
            if new is None:
                continue
            if new.get("dependencies"):
                new["dependencies"] = [urn for urn in new["dependencies"] if urn in there]
            if new.get("propertyDependencies"):
                of_property = new["propertyDependencies"]
                kept = {key: [urn for urn in urns if urn in there] for key, urns in of_property.items()}
                # The engine writes down only the properties that depend on something.
                new["propertyDependencies"] = {key: urns for key, urns in kept.items() if urns}
            resources.append(new)
            there.add(new["urn"])
        for new in resources:
            if new.get("parent") and new["parent"] not in there:
                new["parent"] = parents.get(new["parent"], "")
            parents[new["urn"]] = new.get("parent") or ""
        self.snapshot.rebase(resources)
        self._index()
        if not self.options.dry_run:
            self.snapshot.write()

    def _read(self, step: Step) -> None:
        old = step.old
        assert old is not None
        if not old["custom"] or old["type"].startswith(PROVIDER_TYPE):
            return
        stub = self._providers[old["provider"]]
        request = provider_pb2.ReadRequest(
            id=old["id"], urn=old["urn"], name=_name(old["urn"]), type=old["type"],
            properties=values.message(_outputs(old)), inputs=values.message(_inputs(old)),
        )  # fmt: skip
        answer = stub.Read(request)
        if not answer.id:
            step.new = None
            return
        new = {**old, "id": answer.id, "outputs": values.plain(answer.properties)}
        if answer.HasField("inputs"):
            new["inputs"] = values.plain(answer.inputs)
        if (new["inputs"], new["outputs"]) != (_inputs(old), _outputs(old)):
            new["modified"] = instant()
        step.new = new
        step.diff = self._diff(new, _inputs(old), new["outputs"], new["inputs"])[0]

    # Deletions

    def destroy(self) -> None:
        """Delete everything, without a program."""
        with self._generation:
            try:
                self._delete(self._deletes())
            except Unknown as unknown:
                self.stop(unknown)
            except Stopped:
                self.stop()

    def _deletes(self) -> list[Step]:
        steps: list[Step] = []
        sames: list[Step] = []
        kept = self._kept()
        for state in self.snapshot.base:
            urn = state["urn"]
            if urn in kept:
                if urn not in self._operated:
                    sames.append(Step("same", urn, state, dict(state)))
            elif state.get("delete"):
                steps.append(Step("delete-replaced", urn, state, logical=False))
                self._deleted.add(urn)
            elif urn not in self._operated:
                steps.append(Step("delete", urn, state))
                self._deleted.add(urn)
        for step in steps:
            self._ensure_provider(step.state)
        for step in sames:
            self._run_step(step)
        return steps

    def _kept(self) -> set[str]:
        """The excluded resources that are there, and what they depend on."""
        kept: set[str] = set()
        frontier = [state for state in self.snapshot.base if state["urn"] in self.options.excludes]
        while frontier:
            state = frontier.pop()
            if state["urn"] not in kept:
                kept.add(state["urn"])
                frontier += [self._olds[urn] for urn in all_dependencies(state) if urn in self._olds]
        return kept

    def _delete(self, steps: Sequence[Step]) -> None:
        """Delete each after what depends on it, several at a time."""
        graph = Graph(self.snapshot.base)
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
            for failed in self._failed:
                held |= graph.all_needs(failed)
            some = [step for step in chain if id(step.state) not in held]
            with ThreadPoolExecutor(self.options.parallel) as pool:
                list(pool.map(self._try_step, some))
            self._go_on()

    def _try_step(self, step: Step) -> None:
        try:
            if not self.stopped:
                self._run_step(step)
        except Stopped:
            self.stop()
        except Unknown as unknown:
            self.stop(unknown)

    # Carrying out

    def _carried_out(self, steps: Sequence[Step], request: Any) -> Any:
        """Carry out the steps of one resource.

        Raises:
            Stopped: one of them has failed, and the run does not go on.
        """
        last = steps[0]
        for step in steps:
            with self._count:
                self._skipped |= {state["urn"] for state in self._failed}
                depends = any(urn in self._skipped for urn in all_dependencies(step.state, provider=False))
                if depends:
                    self._skipped.add(step.urn)
            if depends:
                return resource_pb2.RegisterResourceResponse(
                    urn=step.urn, result=resource_pb2.Result.SKIP, object=values.message({})
                )
            with self._slots:
                if self.stopped:
                    raise Stopped
                if not self._run_step(step):
                    return resource_pb2.RegisterResourceResponse(
                        urn=step.urn, result=resource_pb2.Result.FAIL, object=values.message({})
                    )
            if step.op != "replace":
                last = step
        state = last.state
        outputs = dict(_outputs(state)) if request.custom else {}
        if not request.supportsPartialValues:
            outputs = {key: value for key, value in outputs.items() if not values.has_unknown(value)}
        return resource_pb2.RegisterResourceResponse(
            urn=state["urn"], id=state.get("id") or "", object=values.message(outputs), unknown=last.skipped
        )

    def _run_step(self, step: Step) -> bool:
        """Carry out one step; whether it has ended well.

        Raises:
            Stopped: it has not, and the run does not go on.
        """
        with self._running:
            self._steps_running += 1
        try:
            self.watcher.begun(step)
            dry = self.options.dry_run
            operation = None if dry else self.snapshot.begin(step)
            try:
                self._apply(step)
            except LinkError as error:
                self._fail(step, operation, str(error.details()))
                return False
            except _Protected as error:
                self._fail(step, operation, str(error), protected=True)
                return False
            except Unknown:
                if operation is not None:
                    self.snapshot.end(operation, step, ok=False)
                raise
            if step.logical and step.new is not None:
                self._pending[step.urn] = step
            if operation is not None:
                self.snapshot.end(operation, step, ok=True)
            op, counts = step.op, step.logical
            if self.options.only_refresh and op == "refresh":
                op, counts = "delete" if step.new is None else "update" if step.diff else "same", True
            if counts and not _is_default_provider(step.urn):
                with self._count:
                    self.counts[op] = self.counts.get(op, 0) + 1
            self.watcher.ended(step, op)
            return True
        finally:
            with self._running:
                self._steps_running -= 1
                self._running.notify_all()

    def program_failed(self) -> None:
        """Begin nothing more: the program has shown why it fails."""
        self._bail()
        self.stop()

    def _bail(self) -> None:
        self._errored = self.bailed = True

    def _fail(self, step: Step, operation: int | None, why: str, *, protected: bool = False) -> None:
        if operation is not None:
            self.snapshot.end(operation, step, ok=False)
        self.watcher.failed(step, why)
        if step.op == "refresh":
            raise Stopped
        self._errored = self.step_failed = True
        if not (protected or self.options.continue_on_error):
            raise Stopped
        with self._count:
            self._failed.append(step.state)
            if step.old is not None:
                self._failed.append(step.old)

    def _apply(self, step: Step) -> None:
        actions: dict[str, Callable[[Step], None]] = {
            "same": self._same, "create": self._create, "create-replacement": self._create, "update": self._update,
            "delete": self._delete_one, "delete-replaced": self._delete_one, "refresh": self._read,
            "replace": lambda step: None,
        }  # fmt: skip
        actions[step.op](step)

    def _same(self, step: Step) -> None:
        assert step.old is not None
        assert step.new is not None
        step.new["id"] = step.old.get("id")
        step.new["outputs"] = step.old.get("outputs")

    def _create(self, step: Step) -> None:
        new = step.new
        assert new is not None
        if new["type"].startswith(PROVIDER_TYPE) or (new["custom"] and self.options.dry_run):
            new["outputs"] = dict(new["inputs"])
        elif new["custom"]:
            self.touched = True
            answer = self._providers[new["provider"]].Create(
                provider_pb2.CreateRequest(
                    urn=new["urn"], name=_name(new["urn"]), type=new["type"], properties=values.message(new["inputs"])
                )
            )
            if not answer.id:
                raise LinkError(
                    grpc.StatusCode.UNKNOWN, f"plugin returned empty resource.ID from create '{new['urn']}'"
                )
            new["id"] = answer.id
            new["outputs"] = values.plain(answer.properties)
        new["created"] = new["modified"] = instant()
        if step.pending_delete and step.old is not None:
            step.old["delete"] = True

    def _update(self, step: Step) -> None:
        old, new = step.old, step.new
        assert old is not None
        assert new is not None
        new["id"] = old.get("id")
        new["created"], new["modified"] = old.get("created"), old.get("modified")
        if not new["custom"]:
            return
        if new["type"].startswith(PROVIDER_TYPE) or self.options.dry_run:
            new["outputs"] = dict(new["inputs"])
        else:
            self.touched = True
            answer = self._providers[new["provider"]].Update(
                provider_pb2.UpdateRequest(
                    id=old["id"], urn=new["urn"], name=_name(new["urn"]), type=new["type"],
                    old_inputs=values.message(_inputs(old)), olds=values.message(_outputs(old)),
                    news=values.message(new["inputs"]), ignoreChanges=new["ignoreChanges"],
                )
            )  # fmt: skip
            new["outputs"] = values.plain(answer.properties)
        new["modified"] = instant()

    def _delete_one(self, step: Step) -> None:
        old = step.old
        assert old is not None
        if step.op == "delete" and old.get("protect"):
            raise _Protected(old["urn"])
        if self.options.dry_run or old.get("retainOnDelete") or not old["custom"]:
            return
        if old["type"].startswith(PROVIDER_TYPE):
            return
        self.touched = True
        self._providers[old["provider"]].Delete(
            provider_pb2.DeleteRequest(
                id=old["id"], urn=old["urn"], name=_name(old["urn"]), type=old["type"],
                properties=values.message(_outputs(old)), old_inputs=values.message(_inputs(old)),
            )
        )  # fmt: skip

    def _ask(self, method: Callable[[Any], Any], request: Any, urn: str) -> Any:
        """Ask a provider something before a step.

        Raises:
            Stopped: it fails.
        """
        try:
            return method(request)
        except LinkError as error:
            self._bail()
            self.watcher.error(urn, str(error.details()))
            raise Stopped from None


class _Protected(Exception):
    def __init__(self, urn: str) -> None:
        super().__init__(
            f"resource {urn!r} cannot be deleted\nbecause it is protected. To unprotect the resource, either remove "
            f"the `protect` flag from the resource in your Pulumi program and run `pulumi up`, or use the command:\n"
            f"`pulumi state unprotect {urn!r}`"
        )


class Graph:
    """What depends on what in a state.

    Args:
        resources: in the state's order.
    """

    def __init__(self, resources: Iterable[State]) -> None:
        self._needs: dict[int, set[int]] = {}
        by_urn: dict[str, State] = {}
        for state in resources:
            self._needs[id(state)] = {
                id(by_urn[urn]) for urn in all_dependencies(state) if urn in by_urn and by_urn[urn] is not state
            }
            by_urn[state["urn"]] = state

    def needs(self, state: State) -> set[int]:
        """What a resource depends on."""
        return self._needs.get(id(state), set())

    def all_needs(self, state: State) -> set[int]:
        """What a resource depends on, to any degree."""
        found: set[int] = set()
        frontier = list(self._needs.get(id(state), ()))
        while frontier:
            one = frontier.pop()
            if one not in found:
                found.add(one)
                frontier += self._needs.get(one, ())
        return found


def dependencies(state: State) -> list[str]:
    """What a resource depends on, its provider first."""
    provider = str(state.get("provider") or "").rpartition("::")[0]
    return [*([provider] if provider else []), *all_dependencies(state, provider=False)]


def all_dependencies(state: State, *, provider: bool = True) -> list[str]:
    """The names of what a resource depends on: parent, dependencies, those of its properties, and the provider."""
    urns = [state.get("parent") or "", *(state.get("dependencies") or ())]
    for of_property in (state.get("propertyDependencies") or {}).values():
        urns += of_property
    if provider:
        urns.append(str(state.get("provider") or "").rpartition("::")[0])
    return [urn for urn in dict.fromkeys(urns) if urn]


def make_urn(stack: str, project: str, parent: str, type_: str, name: str) -> str:
    """A resource's name in the engine."""
    above = parent.split("::")[2] if parent else ""
    qualified = f"{above}${type_}" if above and above != STACK_TYPE else type_
    return f"urn:pulumi:{stack}::{project}::{qualified}::{name}"


def _name(urn: str) -> str:
    return urn.split("::", 3)[3]


def _type(urn: str) -> str:
    return urn.split("::")[2].rpartition("$")[2]


def _inputs(state: State | None) -> dict[str, Any]:
    return (state.get("inputs") or {}) if state else {}


def _outputs(state: State | None) -> dict[str, Any]:
    return (state.get("outputs") or {}) if state else {}


def _is_default_provider(urn: str) -> bool:
    return _type(urn).startswith(PROVIDER_TYPE)


def _properties(request: Any, inputs: Mapping[str, Any]) -> list[tuple[str, Any]]:
    found = dict(request.propertyDependencies)
    if not found and inputs:
        raise Unknown("inputs without a word on what they depend on")
    return list(found.items())


def _position(position: Any, root: str) -> str:
    if not position.uri:
        return ""
    path = position.uri.removeprefix("file://")
    return f"project:///{posixpath.relpath(path, root)}#{position.line}" + (
        f",{position.column}" if position.column else ""
    )


def _frame(frame: Any, root: str) -> dict[str, str]:
    position = _position(frame.pc, root)
    return {"sourcePosition": position} if position else {}


_PLAIN = frozenset({
    "type", "name", "parent", "custom", "object", "protect", "dependencies", "propertyDependencies",
    "deleteBeforeReplace", "deleteBeforeReplaceDefined", "ignoreChanges", "acceptSecrets", "aliases",
    "supportsPartialValues", "retainOnDelete", "acceptResources", "sourcePosition", "stackTrace", "aliasSpecs",
    "supportsResultReporting", "hooks", "customTimeouts", "version",
})  # fmt: skip
"""What a registration may say; with anything else it is left to the engine."""
_EMPTY = frozenset({"hooks", "customTimeouts"})


def _must_be_known(request: Any) -> None:
    for described, value in request.ListFields():
        if described.name not in _PLAIN or (described.name in _EMPTY and value.ByteSize()):
            raise Unknown(f"a resource with {described.name}")
    if request.version or (request.custom and request.type.partition(":")[0] != PACKAGE):
        raise Unknown(f"a resource of {request.type}")
