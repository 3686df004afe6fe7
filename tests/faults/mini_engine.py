"""What the engine does with our providers, without the engine: check, diff, create, update, delete, refresh.

Several threads as in the plugin's process, a new session for each operation, and the state kept in between. The real
engine runs in tests/engine; this one is for thousands of operations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from pulumi.runtime import rpc

from mixpanel_access.model.errors import AccessError
from mixpanel_access.provider.base import AccessProvider
from mixpanel_access.provider.custom_role import CustomRoleProvider
from mixpanel_access.provider.member import MemberProvider
from mixpanel_access.provider.organization_security import OrganizationSecurityProvider
from mixpanel_access.provider.project_access import ProjectAccessProvider
from mixpanel_access.provider.project_grant import ProjectGrantProvider
from mixpanel_access.provider.session import Session
from mixpanel_access.provider.team import TeamProvider
from mixpanel_access.provider.team_grant import TeamGrantProvider
from mixpanel_access.provider.team_member import TeamMemberProvider

PROVIDERS: dict[str, type[AccessProvider]] = {
    "security": OrganizationSecurityProvider,
    "role": CustomRoleProvider,
    "member": MemberProvider,
    "grant": ProjectGrantProvider,
    "whole": ProjectAccessProvider,
    "team": TeamProvider,
    "team grant": TeamGrantProvider,
    "team member": TeamMemberProvider,
}
"""In the order in which they are created; deleted the other way round."""

AT_ONCE = 8
"""Resources that the engine brings about at once on two cores."""

Name = tuple[str, str]
"""Kind, and a name of its own."""
Program = dict[Name, dict[str, Any]]
"""What is declared: the inputs of each resource; a `Name` in them stands for the id of that team or custom role."""
_IDS = {"team": "team_id", "role": "role_id"}
"""Kind -> the output with the id."""


@dataclass
class Held:
    """One resource of the state."""

    id: str
    inputs: dict[str, Any]
    outputs: dict[str, Any]


@dataclass
class MiniEngine:
    """A stack.

    Attributes:
        new_session: makes the session of an operation.
        state: the resources that are there.
        failures: what the last operation could not do.
    """

    new_session: Callable[[], Session]
    state: dict[Name, Held] = field(default_factory=dict)
    failures: list[AccessError] = field(default_factory=list)

    def up(self, program: Program) -> bool:
        """Bring the program about as far as it goes; whether all of it is done."""
        providers = self._begin()
        for kind in PROVIDERS:
            self._each(kind, program.keys(), lambda name: self._bring_about(providers[name[0]], name, program[name]))
        for kind in reversed(PROVIDERS):
            if not self.failures:  # a member is not deleted while a grant that depends on it is still there
                gone = self.state.keys() - program.keys()
                self._each(kind, gone, lambda name: self._take_away(providers[name[0]], name))
        return not self.failures

    def refresh(self) -> bool:
        """Read every resource; whether all could be read."""
        providers = self._begin()
        for kind in PROVIDERS:
            self._each(kind, list(self.state), lambda name: self._read(providers[name[0]], name))
        return not self.failures

    def plan(self, program: Program) -> list[tuple[str, Name]]:
        """What the next up would do."""
        providers = self._begin()
        steps = [("delete", name) for name in self.state.keys() - program.keys()]
        for name, inputs in program.items():
            held = self.state.get(name)
            checked = providers[name[0]].check(held.inputs if held else {}, self._resolved(inputs)).inputs
            if held is None:
                steps.append(("create", name))
            elif providers[name[0]].diff(held.id, held.outputs, checked).changes:
                steps.append(("update", name))
        return steps

    def _begin(self) -> dict[str, AccessProvider]:
        session = self.new_session()
        self.failures = []
        providers = {kind: make() for kind, make in PROVIDERS.items()}
        for provider in providers.values():
            provider.use(session)
        return providers

    def _each(self, kind: str, names: Iterable[Name], act: Callable[[Name], None]) -> None:
        def guarded(name: Name) -> None:
            try:
                act(name)
            except AccessError as error:
                self.failures.append(error)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(guarded, sorted(name for name in names if name[0] == kind)))

    def _bring_about(self, provider: AccessProvider, name: Name, inputs: dict[str, Any]) -> None:
        held = self.state.get(name)
        resolved = self._resolved(inputs)
        if _unknown(resolved):
            return  # the team or role could not be made, which is told of it
        result = provider.check(held.inputs if held else {}, resolved)
        if result.failures:
            raise AccessError(result.failures[0].reason)
        if held is None:
            created = provider.create(dict(result.inputs))
            self.state[name] = Held(created.id, result.inputs, dict(created.outs or {}))
        elif provider.diff(held.id, held.outputs, result.inputs).changes:
            updated = provider.update(held.id, held.outputs, dict(result.inputs))
            self.state[name] = Held(held.id, result.inputs, dict(updated.outs or {}))

    def _resolved(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """The inputs with the ids of teams and roles that are there."""

        def value(given: Any) -> Any:
            if isinstance(given, dict):
                return {key: value(part) for key, part in given.items()}
            if not isinstance(given, tuple):
                return given
            return self.state[given].outputs[_IDS[given[0]]] if given in self.state else rpc.UNKNOWN

        return {key: value(given) for key, given in inputs.items()}

    def _take_away(self, provider: AccessProvider, name: Name) -> None:
        held = self.state[name]
        provider.delete(held.id, held.outputs)
        del self.state[name]

    def _read(self, provider: AccessProvider, name: Name) -> None:
        held = self.state[name]
        result = provider.read(held.id, held.outputs)
        if result.id:
            inputs = held.inputs if result.inputs is None else dict(result.inputs)  # as the engine does
            self.state[name] = Held(held.id, inputs, dict(result.outs or {}))
        else:
            del self.state[name]


def _unknown(value: Any) -> bool:
    """Whether a part of a value is not known."""
    return any(map(_unknown, value.values())) if isinstance(value, dict) else bool(value == rpc.UNKNOWN)
