"""What every part of the access report looks things up in: an overview, what lies around it, and both by person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property, reduce
from operator import or_
from typing import Any

from mixpanel_access.model.access import Invitation
from mixpanel_access.model.dates import day
from mixpanel_access.model.engagements import PRODUCTION
from mixpanel_access.operations.overview import Overview
from mixpanel_access.operations.report.model import ReportEnvironment, ReportProject
from mixpanel_access.operations.state import EMPTY, State, StateResource
from mixpanel_access.operations.status import Status, status_of
from mixpanel_access.rules.facts import Context, NotApplicable


@dataclass(frozen=True)
class Around:
    """What a report needs beside the overview.

    Attributes:
        states: the states of all the project's stacks, those that the overview leaves out as well.
        companies: the company's e-mail domains, by stack.
        approvers: the keys of the addresses of those who may approve, by stack.
        guards: the settings that `guards-not-loosened` judges, by stack.
    """

    states: Mapping[str, State]
    companies: Mapping[str, frozenset[str]]
    approvers: Mapping[str, frozenset[str]] = field(default_factory=dict)
    guards: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Sources:
    """An overview and what lies around it; what several parts of a report ask for is found once."""

    overview: Overview
    around: Around

    @cached_property
    def whole(self) -> bool:
        """Whether the overview is of all stacks."""
        return self.around.states.keys() <= self.overview.stacks.keys()

    @cached_property
    def everywhere(self) -> State:
        """The states of all stacks."""
        return reduce(or_, self.around.states.values(), EMPTY)

    @cached_property
    def here(self) -> State:
        """The states of the overview's stacks."""
        return reduce(or_, (view.state for view in self.overview.stacks.values()), EMPTY)

    @cached_property
    def held(self) -> Mapping[str, Mapping[str, Sequence[StateResource]]]:
        """What the states hold: the key of an address -> stack -> members and grants."""
        found: dict[str, dict[str, list[StateResource]]] = {}
        for stack, state in self.around.states.items():
            for key, member in state.members.items():
                found.setdefault(key, {}).setdefault(stack, []).append(member)
            for (_, key), grant in state.grants.items():
                found.setdefault(key, {}).setdefault(stack, []).append(grant)
        return found

    @cached_property
    def statuses(self) -> Mapping[str, Status]:
        """How everybody in rosters and states stands, by the key of the address."""
        return {one.key: status_of(one, self.overview) for one in self.overview.people}

    @cached_property
    def environments(self) -> list[ReportEnvironment]:
        """The projects that the report shows: all, or those of some stacks' rosters and states."""
        labels: dict[int, str] = {
            project: str(grant.outputs["environment"])
            for (project, _), grant in self.everywhere.grants.items()
            if grant.outputs.get("environment")
        }
        for view in self.overview.stacks.values():
            labels |= {one.id: one.environment for one in view.roster.projects.values()} if view.roster else {}
        own = {*self.overview.projects, *(project for project, _ in self.here.grants)}
        found: dict[str | None, list[ReportProject]] = {}
        for id_, project in self.overview.directory.projects().items():
            if self.whole or id_ in own:
                key, stack = self.overview.projects.get(id_, (None, None))
                found.setdefault(labels.get(id_), []).append(ReportProject(id_, project.name, key, stack))
        order = sorted(found, key=lambda name: (name is None, name != PRODUCTION, name or ""))
        return [
            ReportEnvironment(name, sorted(found[name], key=lambda one: (one.name.casefold(), one.id)))
            for name in order
        ]

    @cached_property
    def shown(self) -> Mapping[int, str | None]:
        """Id -> environment of these projects."""
        return {one.id: environment.name for environment in self.environments for one in environment.projects}

    def name(self, project: int) -> str:
        """A project's name, or its id where it is out of sight."""
        there = self.overview.directory.projects()
        return there[project].name if project in there else str(project)

    def email(self, key: str) -> str:
        """An address as it is written."""
        someone, person = self.overview.get(key), self.overview.directory.people().get(key)
        return someone.email if someone else person.email if person else key

    def stacks(self, key: str) -> list[str]:
        """The stacks that have a person, in roster or state."""
        someone = self.overview.get(key)
        return sorted({*(someone.stacks if someone else ()), *self.held.get(key, ())})

    def invitation(self, key: str) -> Invitation | None:
        """How far a person has come into the organization; None if they are not in it."""
        someone, person = self.overview.get(key), self.overview.directory.people().get(key)
        if someone is not None:
            return someone.invitation(self.overview.now)
        if person is None:
            return None
        return Invitation.PENDING if person.invited else Invitation.ACCEPTED

    def outside(self, key: str) -> bool | None:
        """Whether one of the person's stacks (of all, whom none has) takes them for external."""
        someone, known = self.overview.get(key), []
        for name in (someone.stacks if someone else ()) or self.overview.stacks:
            around = Context(self.overview.today, company_domains=self.around.companies.get(name, frozenset()))
            person = someone.effective.get(name) if someone else None
            try:
                known.append(around.external(self.email(key), person.kind if person else None))
            except NotApplicable:
                continue
        return any(known) if known else None

    def lapsed(self, key: str) -> Mapping[str, Sequence[StateResource]]:
        """What states hold of a person where no entry of the stack's roster counts today, by stack."""
        someone = self.overview.get(key)
        given = someone.effective if someone else {}
        return {stack: held for stack, held in self.held.get(key, {}).items() if stack not in given}

    def papers(self, key: str) -> Iterator[Mapping[str, Any]]:
        """Why a person has what they have: as the rosters declare it today, else as the states hold it."""
        someone = self.overview.get(key)
        for _, entry in someone.current(self.overview.today) if someone else ():
            yield entry.metadata
        for held in self.lapsed(key).values():
            yield from (one.outputs for one in held)


def over(held: Sequence[StateResource], today: date) -> date | None:
    """The last day of access that has ended by a day and is still held, or None."""
    ends = [day(str(one.outputs["ends"])) for one in held if one.outputs.get("ends")]
    return max((end for end in ends if end < today), default=None)
