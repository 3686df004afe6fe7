"""Which resources a run of the engine is about: all of the stack's, or with `--target` and `--exclude` some of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from mixpanel_access.model.brakes import DeclaredPerson
from mixpanel_access.provider import declaring
from mixpanel_access.provider.command import Command, Resources, deleted, engine_command
from mixpanel_access.provider.declared_people import declared_people
from mixpanel_access.provider.declaring import ProgramDeclaration
from mixpanel_access.provider.exported_states import Unreadable, ask, resources_of


class Scope:
    """What the run is about; read when something depends on it, not before.

    Args:
        command: the engine's command; None if it is unknown, which is taken for one about everything.
        state: reads the resources in the stack's state; None if it cannot be read.
        declared: reads what the program declares; None if it has not said so.
    """

    def __init__(
        self,
        command: Callable[[], Command | None] = lambda: None,
        state: Callable[[], Resources | None] = lambda: None,
        declared: Callable[[], ProgramDeclaration | None] = lambda: None,
    ) -> None:
        self._command, self._state, self._declared = command, state, declared

    @cached_property
    def command(self) -> Command | None:
        """The engine's command; None if it is unknown."""
        return self._command()

    @property
    def partial(self) -> bool:
        """Whether the run leaves some resources alone."""
        return self.command is not None and self.command.partial

    @property
    def destroys(self) -> bool:
        """Whether the run is a `destroy`, whatever a program declares."""
        return self.command is not None and self.command.verb == "destroy"

    @cached_property
    def resources(self) -> Resources | None:
        """The resources in the stack's state; None if it cannot be read."""
        return self._state()

    def declared(self) -> ProgramDeclaration | None:
        """What the program declares, the resources left alone included; None if it has not said so."""
        return self._declared()

    @cached_property
    def deleted(self) -> frozenset[str] | None:
        """The URNs that the run deletes at most; None if it cannot be known."""
        if self.command is None or self.resources is None or self.command.unclear:
            return None
        return deleted(self.resources, self.command)

    def people(
        self,
        organization: int,
        team_name: Callable[[int], str | None] = lambda team: None,  # noqa: ARG005
    ) -> dict[str, DeclaredPerson] | None:
        """Everybody who has a `Member` that the run deletes at most, by the key of the address; None if unknown.

        If only the command is unclear, that is everybody in the state.

        Args:
            organization: the organization's id.
            team_name: the name of a team that the state does not have.
        """
        if self.command is None or self.resources is None:
            return None
        going = [one for one in self.resources if self.deleted is None or one["urn"] in self.deleted]
        state = resources_of({"deployment": {"resources": self.resources}})
        return declared_people(resources_of({"deployment": {"resources": going}}), organization, state, team_name)


def engine_scope(stack: Callable[[], str | None]) -> Scope:
    """The scope of the run of the engine that has started this process.

    Args:
        stack: the stack's name, if a program has said it.
    """

    def state() -> Resources | None:
        command = engine_command()
        return None if command is None else _exported(command, stack() or command.stack)

    def declared() -> ProgramDeclaration | None:
        command = engine_command()
        return None if command is None else declaring.read(command)

    return Scope(engine_command, state, declared)


def _exported(command: Command, stack: str | None) -> Resources | None:
    """The resources of the stack, by the engine that runs: the stack that is selected, unless one was named."""
    named = [] if stack is None else ["--stack", stack]
    try:
        document: Mapping[str, Any] = ask(command.program, os.environ, "stack", "export", *named)
        return [one for one in document["deployment"].get("resources") or () if "urn" in one]
    except (Unreadable, KeyError, TypeError, AttributeError):
        return None
