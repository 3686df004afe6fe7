"""What the project's stacks hold, as a command reads it, for decisions that a provider's process makes the same way."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import partial

from mixpanel_access.model.errors import AccessError
from mixpanel_access.operations.project import PulumiProject
from mixpanel_access.provider.states import (
    RosterPeople,
    StackStates,
    StateResource,
    States,
    interrupted_in,
    people_of_roster,
    resources_of,
)


def stack_states(project: PulumiProject, stack: str) -> States:
    """The states of the project's stacks, read when something depends on them.

    Args:
        project: the project.
        stack: the stack that the command works on.
    """
    return States(partial(_read, project), lambda: stack.rpartition("/")[2], partial(_people, project))


def _read(project: PulumiProject) -> StackStates:
    found: dict[str, Sequence[StateResource]] = {}
    interrupted: dict[str, Sequence[StateResource]] = {}
    unread: list[str] = []
    for name in project.stacks:
        try:
            export = project.export(name)
            found[name], interrupted[name] = resources_of(export), interrupted_in(export)
        except (AccessError, KeyError, TypeError, AttributeError) as error:
            unread.append(f"stack {name}: {error}")
    return StackStates(found, "; ".join(unread), interrupted)


def _people(project: PulumiProject, stack: str, day: date) -> RosterPeople | None:
    return people_of_roster(project.roster(stack), day)
