"""The engine in Python without processes: the program is one roster, and the providers are called in this process.

`Deployment`, `Execution`, `Snapshot`, `Backend` and `Display` are those of the engine in Python. What is left out is
the SDK: the resources come from the roster's declaration, in the order in which the component makes them, and the
provider's verbs are called with plain values. So an update of a hundred resources takes some hundredths of a second.
`tests/engine/test_lives.py` has the engine in Python do the same, and compares states, steps and requests.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import grpc  # type: ignore[import-untyped]
from pulumi.dynamic.dynamic import PROVIDER_KEY, serialize_provider

from mixpanel_access import provider as resources
from mixpanel_access.component.roster_access import facts_of_others, policy_facts
from mixpanel_access.files.roster import OtherRosters, read_other_rosters, read_roster
from mixpanel_access.model import resources as kinds
from mixpanel_access.model.declaration import COMPONENT, Declaration, DeclaredResource, declaration, read_kept
from mixpanel_access.model.errors import AccessError
from mixpanel_access.model.groups import GROUPS
from mixpanel_access.model.resource_ids import BRAKE_NAME
from mixpanel_access.model.resources import ResourceKind
from mixpanel_access.model.roles import declared_role
from mixpanel_access.provider.base import AccessProvider
from mixpanel_access.provider.group_handler import GroupHandler
from mixpanel_access.provider.handler import POLICY_FIELDS, changed
from mixpanel_access.provider.resource import inputs_of as inputs_of_class
from mixpanel_access.provider.session import Session
from tests.python_engine import values
from tests.python_engine.backend import State, instant
from tests.python_engine.deployment import Deployment
from tests.python_engine.names import PACKAGE, PROVIDER_TYPE, STACK_TYPE
from tests.python_engine.providers import Checked, Diff, inputs_of, outputs_of
from tests.python_engine.registration import Registration
from tests.python_engine.steps import Options, Step, Stopped
from tests.python_engine.transport import LinkError
from tests.python_engine.unknown import Unknown

_LAYERS = (
    (kinds.MEMBER, kinds.MEMBERS, kinds.CUSTOM_ROLE, kinds.ORGANIZATION_SECURITY, kinds.SERVICE_ACCOUNT, kinds.TEAM),
    (
        kinds.PROJECT_GRANT, kinds.PROJECT_ACCESS, kinds.SERVICE_ACCOUNT_GRANT, kinds.TEAM_GRANT, kinds.TEAM_MEMBER,
        kinds.TEAM_MEMBERS,
    ),
)  # fmt: skip
"""The kinds of which no resource depends on another of them; the second depends on the first."""


def plain(props: Mapping[str, Any]) -> dict[str, Any]:
    """Properties as they come out of the SDK's messages."""
    return {str(key): _plain(props[key]) for key in sorted(props) if props[key] is not None}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(value[key]) for key in sorted(value, key=str)}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return str(value) if isinstance(value, str) else value


@cache
def provider_class(kind: ResourceKind) -> type[AccessProvider]:
    """The class of a kind's provider."""
    module = __import__(f"mixpanel_access.provider.{kind.module}", fromlist=["_"])
    found: type[AccessProvider] = getattr(module, f"{kind.name}Provider")
    return found


@cache
def _pickled(kind: ResourceKind) -> str:
    """The provider as the SDK writes it into a resource's inputs."""
    return str(serialize_provider(provider_class(kind)()))


class DirectProviders:
    """The providers of one run, by their references, called in this process.

    Args:
        new_session: makes the session of a provider's process, with its configuration.
        clock: gives the present instant (ns since 1970).

    Attributes:
        touched: whether one was asked to change something.
        differing: the URN of a group -> the keys of the people in it who would be changed.
    """

    def __init__(self, new_session: Callable[[Mapping[str, str]], Session], clock: Callable[[], int]) -> None:
        self._new_session, self._clock = new_session, clock
        self._known: dict[str, dict[ResourceKind, AccessProvider]] = {}
        self._sessions: dict[tuple[tuple[str, str], ...], Session] = {}
        self.touched = False
        self.differing: dict[str, set[str]] = {}

    def __contains__(self, reference: str) -> bool:
        return reference in self._known

    def session(self, config: Mapping[str, str]) -> Session:
        """The session of a provider with this configuration; the same one where that has not changed."""
        key = tuple(sorted(config.items()))
        if key not in self._sessions:
            self._sessions[key] = self._new_session(config)
        return self._sessions[key]

    def configure(self, urn: str, id_: str, inputs: Mapping[str, Any]) -> None:
        """Have a provider with this configuration."""
        session = self.session(inputs)
        own = {kind: provider_class(kind)() for kind in kinds.ALL_KINDS}
        for kind, provider in own.items():
            provider.use(session)
            provider.handler.keeps = kind.parts is not None  # as our own server has it, which groups need
        self._known[f"{urn}::{id_}"] = own

    def ensure(self, state: State, olds: Mapping[str, State]) -> None:
        """Have the provider of an old resource, with the configuration that the state remembers."""
        reference = state.get("provider")
        if reference and reference not in self._known:
            urn, _, id_ = reference.rpartition("::")
            old = olds.get(urn)
            if old is None or old["id"] != id_ or old["type"] != PROVIDER_TYPE + PACKAGE:
                raise Unknown("a provider that is not there")
            self.configure(urn, id_, inputs_of(old))

    def check(self, new: State, olds: Mapping[str, Any], news: Mapping[str, Any]) -> Checked:
        """Have inputs checked."""
        found = self._of(new).check(dict(olds), dict(news))
        inputs = plain(found.inputs)
        if PROVIDER_KEY in news:
            inputs = plain({**inputs, PROVIDER_KEY: news[PROVIDER_KEY]})
        return Checked(inputs, found.failures)

    def diff(self, state: State, news: Mapping[str, Any], *, old_inputs: Mapping[str, Any] | None = None) -> Diff:
        """Compare a resource with new inputs."""
        del old_inputs
        with _as_the_engine_says():
            found = self._of(state).diff(state["id"], dict(outputs_of(state)), dict(news))
            if isinstance(handler := self._of(state).handler, GroupHandler):
                before, after = handler.parts(outputs_of(state)), handler.parts(dict(news))
                both = before.keys() & after.keys()
                pairs = {key: (dict(before[key]), dict(after[key])) for key in both}
                self.differing[state["urn"]] = {
                    key for key, pair in pairs.items() if handler.single.diff(*pair) or changed(POLICY_FIELDS, *pair)
                }
        return Diff(bool(found.changes), tuple(found.replaces or ()), bool(found.delete_before_replace))

    def create(self, new: State) -> None:
        """Create a resource, and take its id and its outputs."""
        self.touched = True
        with _as_the_engine_says():
            made = self._of(new).create(dict(new["inputs"]))
        new["id"], new["outputs"] = made.id, self._outputs(new, made.outs)

    def update(self, old: State, new: State) -> None:
        """Change a resource, and take its outputs."""
        self.touched = True
        with _as_the_engine_says():
            made = self._of(new).update(old["id"], dict(outputs_of(old)), dict(new["inputs"]))
        new["outputs"] = self._outputs(new, made.outs)

    def read(self, old: State) -> State | None:
        """A resource as it is; None if it is gone."""
        with _as_the_engine_says():
            found = self._of(old).read(old["id"], dict(outputs_of(old)))
        if not found.id:
            return None
        key = outputs_of(old).get(PROVIDER_KEY)
        inputs = inputs_of(old) if found.inputs is None else plain({**found.inputs, PROVIDER_KEY: key})
        new = {**old, "id": found.id, "outputs": plain({**(found.outs or {}), PROVIDER_KEY: key}), "inputs": inputs}
        if (new["inputs"], new["outputs"]) != (inputs_of(old), outputs_of(old)):
            new["modified"] = instant(self._clock())
        return new

    def delete(self, old: State) -> None:
        """Delete a resource."""
        self.touched = True
        with _as_the_engine_says():
            self._of(old).delete(old["id"], dict(outputs_of(old)))

    def _of(self, state: State) -> AccessProvider:
        return self._known[state["provider"]][kinds.KINDS[state["type"]]]

    def _outputs(self, new: State, outputs: Mapping[str, Any] | None) -> dict[str, Any]:
        return plain({**(outputs or {}), PROVIDER_KEY: new["inputs"].get(PROVIDER_KEY)})


@contextmanager
def _as_the_engine_says() -> Iterator[None]:
    """A provider's error as the engine gets it."""
    try:
        yield
    except AccessError as error:
        raise LinkError(grpc.StatusCode.UNKNOWN, f"Exception calling application: {error}") from None


@dataclass(frozen=True)
class RosterProgram:
    """What a roster's program declares, and says of itself.

    Attributes:
        declared: the resources.
        outputs: the component's outputs.
    """

    declared: Declaration
    outputs: Mapping[str, Any]

    @classmethod
    def read(cls, file: Path, stack: str, organization: int, today: date, kept: Path | None) -> RosterProgram:
        """The program of a roster's file on a day.

        Args:
            file: the roster.
            stack: the stack's name.
            organization: the organization's id.
            today: the day.
            kept: what a run of `mixpanel-access revoke` has the stack keep, in place of what the roster says.

        Raises:
            AccessError: it cannot be used.
        """
        if kept is not None:
            declared, others = read_kept(kept.read_text(encoding="utf-8"), stack, file.name), OtherRosters()
        else:
            roster = read_roster(file)
            declared = declaration(roster, today)
            facts = policy_facts(roster, file.name, file.read_text(encoding="utf-8"))
            declared = replace(declared, facts={**declared.facts, **facts})
            others = read_other_rosters(file, organization)
            if others.error:
                raise others.error
        facts = {**declared.facts, **facts_of_others(others, declared, today)}
        return cls(declared, {"people": len(declared.members), "grants": len(declared.grants), **facts})


class Direct:
    """A roster's program in a deployment.

    Args:
        deployment: the run.
        options: the run's.
        program: what it declares.
    """

    def __init__(self, deployment: Deployment, options: Options, program: RosterProgram) -> None:
        self._deployment, self._options, self._program = deployment, options, program
        self._states: dict[str, State] = {}
        self._component = ""
        self._inputs: dict[str, tuple[ResourceKind, Mapping[str, Any]]] = {}

    @property
    def declared(self) -> list[tuple[ResourceKind, Mapping[str, Any]]]:
        """What the program declares, with the inputs as far as they are known by now."""
        every = list(self._program.declared.resources())
        rest = [one for one in every if one.name not in self._inputs]
        coming = [(one.kind, self._registration(one, every, now=False).inputs) for one in rest]
        return [*self._inputs.values(), *coming]

    def run(self) -> None:
        """Register everything, up to what stops the run."""
        execution, options = self._deployment.execution, self._options
        try:
            root = self._register([self._plain(STACK_TYPE, f"{options.project}-{options.stack}", "")])[0]
            component = self._register([self._plain(kinds.COMPONENT_TYPE, COMPONENT, root["urn"])])[0]
            self._component = component["urn"]
            every = list(self._program.declared.resources())
            for layer in _LAYERS:
                self._register([self._registration(one, every) for one in every if one.kind in layer])
            brake = self._register([self._brake()])[0]
            outputs = dict(self._program.outputs)
            if outputs.get("organization_roles"):
                outputs["owners"] = outputs_of(brake).get("owners", values.UNKNOWN)
            self._deployment.give_outputs(self._component, plain(outputs))
            self._deployment.give_outputs(root["urn"], {})
        except Unknown as unknown:
            execution.stop(unknown)
        except Stopped:
            execution.stop()

    def _register(self, some: Sequence[Registration]) -> list[State]:
        """Register resources that do not depend on each other."""
        deployment, execution = self._deployment, self._deployment.execution
        planned: list[tuple[Registration, list[Step]]] = []
        for one in some:
            execution.must_go_on()
            planned.append((one, deployment.steps_for(one)))
        changing = [(one, steps) for one, steps in planned if any(step.op != "same" for step in steps)]
        made: dict[str, State] = {}

        def carry_out(one: Registration, steps: list[Step]) -> State:
            done = deployment.carried_out(steps)
            if done.step is not None:
                made[one.name] = done.step.state
            return done.step.state if done.step else steps[0].state

        found = [carry_out(*pair) for pair in planned if len(changing) < 2 or pair not in changing]
        if len(changing) > 1:
            with ThreadPoolExecutor(self._options.parallel) as pool:
                found += list(pool.map(lambda pair: carry_out(*pair), changing))
        # Only now: the threads above read what was known before them.
        self._states.update(made)
        return found

    def _plain(self, type_: str, name: str, parent: str) -> Registration:
        return Registration(type_, name, parent, custom=False, inputs={})

    def _registration(
        self, one: DeclaredResource, every: Iterable[DeclaredResource], *, now: bool = True
    ) -> Registration:
        kind, inputs = one.kind, dict(one.inputs)
        of_property: dict[str, list[str]] = {}
        for name, other in one.refers_to.items():
            inputs[name], of_property[name] = self._output(other, kind.references[name].output)
        if kind.in_a_project:
            inputs["project_name"] = self._program.declared.names.get(inputs["project_id"])
        if kind.renamed_in_place:
            inputs["beside"] = [other.name for other in every if other.kind is kind and other.name != one.name] or None
        if "role" in inputs:
            inputs["role"], of_property["role"] = self._role(inputs["role"])
        if "grants" in inputs:
            given = {email: self._role(role) for email, role in inputs["grants"].items()}
            inputs["grants"] = {email: role for email, (role, _) in given.items()}
            of_property["grants"] = list(dict.fromkeys(urn for _, urns in given.values() for urn in urns))
        needs = [self._states[name]["urn"] for name in one.depends_on if name in self._states]
        return self._custom(kind, one.name, inputs, of_property, needs, now=now)

    def _brake(self) -> Registration:
        judged = {kind.type for kind in (kinds.MEMBER, kinds.PROJECT_GRANT, kinds.TEAM_MEMBER)} | GROUPS.keys()
        needs = [state["urn"] for state in self._states.values() if state["type"] in judged]
        inputs = {"people": self._program.declared.people}
        return self._custom(kinds.REMOVAL_BRAKE, BRAKE_NAME, inputs, {}, needs)

    def _custom(
        self,
        kind: ResourceKind,
        name: str,
        inputs: Mapping[str, Any],
        of_property: Mapping[str, Sequence[str]],
        needs: Sequence[str],
        *,
        now: bool = True,
    ) -> Registration:
        known = inputs_of_class(getattr(resources, kind.name))
        given = plain({key: value for key, value in inputs.items() if key in known})
        given = plain({**given, PROVIDER_KEY: _pickled(kind)})
        if now:
            self._inputs[name] = kind, given
        urns = [*needs, *(urn for some in of_property.values() for urn in some)]
        return Registration(
            kind.type, name, self._component, custom=True, inputs=given, dependencies=list(dict.fromkeys(urns)),
            of_property={key: list(of_property.get(key, ())) for key in given},
        )  # fmt: skip

    def _output(self, name: str, output: str) -> tuple[Any, list[str]]:
        """Another resource's output, which may not be known yet."""
        state = self._states.get(name)
        return outputs_of(state).get(output, values.UNKNOWN), [state["urn"]] if state else []

    def _role(self, word: str) -> tuple[str, list[str]]:
        prefix = kinds.CUSTOM_ROLE.prefix
        for name, state in self._states.items():
            if state["type"] == kinds.CUSTOM_ROLE_TYPE and word == declared_role(name.removeprefix(prefix)):
                return self._output(name, "role_id")
        return word, []


def kept_file(environ: Mapping[str, str], variable: str) -> Path | None:
    """The file that a variable names."""
    name = environ.get(variable) or os.environ.get(variable)
    return Path(name) if name else None
