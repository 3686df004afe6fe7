"""A stack of resources whose objects have names, brought about as the engine does it, over a fake organization."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mixpanel_access.model.errors import AccessError
from mixpanel_access.model.resources import CUSTOM_ROLE_TYPE, TEAM_TYPE
from mixpanel_access.provider.base import AccessProvider
from mixpanel_access.provider.custom_role import CustomRoleProvider
from mixpanel_access.provider.states import ExportedResource, StackStates, States
from mixpanel_access.provider.team import TeamProvider
from tests.fakes import PRODUCTION, FakeApi, make_session


@dataclass(frozen=True)
class Kind:
    """A kind of resource.

    Attributes:
        make: its provider.
        type: its type in a state.
        inputs: what a resource has beside its name.
        names: object id -> name, as the fake has them.
    """

    make: Callable[[], AccessProvider]
    type: str
    inputs: Mapping[str, Any]
    names: Callable[[FakeApi], dict[Any, str]]


KINDS = {
    "team": Kind(
        TeamProvider,
        TEAM_TYPE,
        {"removal": "when_unused"},
        lambda api: {team.id: team.name for team in api.teams.teams.values()},
    ),
    "custom role": Kind(
        CustomRoleProvider,
        CUSTOM_ROLE_TYPE,
        {"project_id": PRODUCTION, "description": "", "permissions": ["export"]},
        lambda api: {role.id: role.name for role in api.custom_roles.rows},
    ),
}


@dataclass
class Stack:
    """One stack, its state, and what it says.

    Attributes:
        hints: whether the program says which resources it has, as a roster's does.
        known: whether the provider can read the states.
        others: the states of other stacks.
    """

    kind: Kind
    api: FakeApi = field(default_factory=FakeApi)
    state: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    hints: bool = True
    known: bool = True
    others: dict[str, list[ExportedResource]] = field(default_factory=dict)

    def run(self, program: Mapping[str, str], order: Sequence[str] | None = None) -> int:
        """Bring a program about, resource -> name, in this order; how many resources were changed.

        Raises:
            AccessError: a resource is refused, or fails.
        """
        provider, changes = self.provider(), 0
        for resource in order or list(program):
            olds, inputs = self._check(provider, program, resource)
            if olds is None:
                created = provider.create(dict(inputs))
                self.state[resource] = (created.id, inputs, dict(created.outs or {}))
                changes += 1
            elif provider.diff(olds[0], olds[2], inputs).changes:
                updated = provider.update(olds[0], olds[2], dict(inputs))
                self.state[resource] = (olds[0], inputs, dict(updated.outs or {}))
                changes += 1
        for resource in [*self.state]:
            if resource not in program:
                provider.delete(self.state[resource][0], self.state[resource][2])
                del self.state[resource]
                changes += 1
        return changes

    def preview(self, program: Mapping[str, str], order: Sequence[str] | None = None) -> list[str]:
        """What a preview says.

        Raises:
            AccessError: it refuses a resource.
        """
        provider, before = self.provider(), len(self.said)
        for resource in order or list(program):
            olds, inputs = self._check(provider, program, resource)
            if olds is not None:
                provider.diff(olds[0], olds[2], inputs)
        return self.said[before:]

    def replace(self, resource: str, *, delete_first: bool = False) -> None:
        """`pulumi up --replace` of one resource, whose name stays."""
        program = {name: str(inputs["name"]) for name, (_, inputs, _) in self.state.items()}
        provider = self.provider()
        for name in program:
            olds, inputs = self._check(provider, program, name)
            assert olds is not None
            provider.diff(olds[0], olds[2], inputs)
        id_, inputs, outputs = self.state[resource]
        provider.check({}, self._news(program, resource))
        if delete_first:
            provider.delete(id_, outputs)
            del self.state[resource]
        created = provider.create(dict(inputs))
        self.state[resource] = (created.id, inputs, dict(created.outs or {}))
        if not delete_first:
            provider.delete(id_, outputs)

    def names(self) -> list[str]:
        """The names that there are, in order."""
        return sorted(self.kind.names(self.api).values())

    def held(self) -> dict[str, str]:
        """Resource -> the name that its object has."""
        names = {str(id_): name for id_, name in self.kind.names(self.api).items()}
        return {resource: names[id_.rpartition(":")[2]] for resource, (id_, _, _) in self.state.items()}

    def resources(self) -> list[ExportedResource]:
        """The state as the provider reads it."""
        return [
            ExportedResource(self.kind.type, f"urn:pulumi:x::y::{self.kind.type}::{name}", id_, outputs)
            for name, (id_, _, outputs) in self.state.items()
        ]

    def provider(self) -> AccessProvider:
        """The provider of one run of the engine."""
        session, _ = make_session(self.api)
        session.say = self.said.append
        if self.known:
            states = StackStates({"production": self.resources(), **self.others})
            session.states = States(lambda: states, lambda: "production")
        made = self.kind.make()
        made.use(session)
        return made

    def _news(self, program: Mapping[str, str], resource: str) -> dict[str, Any]:
        beside = {"beside": [name for name in program if name != resource]} if self.hints else {}
        return {**self.kind.inputs, "name": program[resource], **beside}

    def _check(
        self, provider: AccessProvider, program: Mapping[str, str], resource: str
    ) -> tuple[tuple[str, dict[str, Any], dict[str, Any]] | None, dict[str, Any]]:
        olds = self.state.get(resource)
        result = provider.check(olds[1] if olds else {}, self._news(program, resource))
        if result.failures:
            raise AccessError("; ".join(failure.reason for failure in result.failures))
        return olds, result.inputs
