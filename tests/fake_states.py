"""The states of a project's stacks in memory, for providers that run without the engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from mixpanel_access.model.declaration import Declaration
from mixpanel_access.model.resources import MEMBER_TYPE
from mixpanel_access.provider.states import ExportedResource, RosterPeople, StackStates, States
from tests.fakes import ORGANIZATION

Outputs = Mapping[str, Any]


class FakeStates(States):
    """What the stacks hold, and whom their rosters declare; both can be changed at any time.

    Args:
        own: the stack that the engine works on; None if nobody says.
        why: why some states cannot be read.
        given: stack -> what its roster declares, of those in `rosters`.
        others_of: stack -> its resources that are no members.
        begun: the inputs of the members that a killed run has begun to make in `own`.
        members: stack -> the outputs of its members.
    """

    def __init__(self, own: str | None = "production", why: str = "", **members: Sequence[Outputs]) -> None:
        self.members: dict[str, list[Outputs]] = {stack: list(held) for stack, held in members.items()}
        self.rosters: dict[str, frozenset[str]] = {}
        self.given: dict[str, Declaration] = {}
        self.others_of: dict[str, list[ExportedResource]] = {}
        self.begun: list[Outputs] = []
        self.own_name = own
        self.readings = 0
        self.now = 0.0
        self.why = why
        super().__init__(self._reading, lambda: own, self._declares, lambda: self.now)

    def _reading(self) -> StackStates:
        self.readings += 1
        held = {stack: [*map(member, rows), *self.others_of.get(stack, ())] for stack, rows in self.members.items()}
        begun = [ExportedResource(MEMBER_TYPE, "urn::begun", "", inputs) for inputs in self.begun]
        return StackStates(held, self.why, {self.own_name: begun} if self.own_name else {})

    def _declares(self, stack: str, day: date) -> RosterPeople | None:  # the same on every day
        given = self.given.get(stack)
        return RosterPeople(self.rosters[stack], declaration=given) if stack in self.rosters else None


def member(outputs: Outputs) -> ExportedResource:
    """A `Member` in a state."""
    email = str(outputs["email"])
    return ExportedResource(MEMBER_TYPE, f"urn::{email}", f"{ORGANIZATION}:{email}", outputs)
