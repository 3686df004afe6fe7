"""What the resources of a state are called, and which of them depend on which."""

from __future__ import annotations

from collections.abc import Iterable

from tests.python_engine.backend import State

STACK_TYPE = "pulumi:pulumi:Stack"
PROVIDER_TYPE = "pulumi:providers:"
PACKAGE = "pulumi-python"
"""The package of dynamic resources."""


def make_urn(stack: str, project: str, parent: str, type_: str, name: str) -> str:
    """A resource's URN."""
    above = parent.split("::")[2] if parent else ""
    qualified = f"{above}${type_}" if above and above != STACK_TYPE else type_
    return f"urn:pulumi:{stack}::{project}::{qualified}::{name}"


def name_of(urn: str) -> str:
    """The name in a URN."""
    return urn.split("::", 3)[3]


def type_of(urn: str) -> str:
    """The type in a URN, without the parents'."""
    return urn.split("::")[2].rpartition("$")[2]


def is_provider(urn: str) -> bool:
    """Whether it is a provider, which the engine neither shows nor counts."""
    return type_of(urn).startswith(PROVIDER_TYPE)


def depends_on(state: State) -> list[str]:
    """The URNs that a resource depends on: its parent, its dependencies and those of its properties."""
    urns = [state.get("parent") or "", *(state.get("dependencies") or ())]
    for of_property in (state.get("propertyDependencies") or {}).values():
        urns += of_property
    return [urn for urn in dict.fromkeys(urns) if urn]


def with_provider(state: State) -> list[str]:
    """The URNs that a resource depends on, its provider first."""
    provider = str(state.get("provider") or "").rpartition("::")[0]
    return [*([provider] if provider else []), *depends_on(state)]


class Graph:
    """What depends on what in a state.

    Args:
        resources: in the state's order.
    """

    def __init__(self, resources: Iterable[State]) -> None:
        self._needs: dict[int, set[int]] = {}
        by_urn: dict[str, State] = {}
        for state in resources:
            self._needs[id(state)] = {id(by_urn[urn]) for urn in with_provider(state) if urn in by_urn}
            by_urn[state["urn"]] = state

    def needs(self, state: State) -> set[int]:
        """What a resource depends on; each stands for itself by its `id`."""
        return self._needs.get(id(state), set())

    def all_needs(self, state: State) -> set[int]:
        """What a resource depends on, to any degree."""
        found: set[int] = set()
        frontier = list(self.needs(state))
        while frontier:
            one = frontier.pop()
            if one not in found:
                found.add(one)
                frontier += self._needs.get(one, ())
        return found
