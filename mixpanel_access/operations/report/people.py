"""The people of the access report: what each has through which grant, and the facts that make their risk. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mixpanel_access.model import roles
from mixpanel_access.model.access import GrantType, Invitation, Person, Project
from mixpanel_access.model.dates import day
from mixpanel_access.model.engagements import PRODUCTION
from mixpanel_access.model.grouping import grouped
from mixpanel_access.operations.drift import AccessDifference, DriftKind, OrganizationAccess
from mixpanel_access.operations.overview import Overview
from mixpanel_access.operations.policy_check import Violation
from mixpanel_access.operations.report.model import Cell, ReportEnvironment, ReportPerson, ReportProject, RoleSource
from mixpanel_access.operations.report.risk import AccessFacts, risk_of
from mixpanel_access.operations.state import State, StateResource
from mixpanel_access.operations.status import Status, status_of
from mixpanel_access.operations.who import of_person
from mixpanel_access.rules.facts import Context, NotApplicable


@dataclass(frozen=True)
class Sources:
    """An overview and the states of the project's other stacks; what several parts ask for is found once."""

    overview: Overview

    @cached_property
    def people(self) -> Mapping[str, Person]:
        """Everybody in the organization, by the key that they go by in the overview."""
        return {self.overview.key_of(key): person for key, person in self.overview.directory.people().items()}

    @cached_property
    def projects(self) -> Mapping[int, Project]:
        """The organization's projects, by id."""
        return self.overview.directory.projects()

    @cached_property
    def states(self) -> Mapping[str, State]:
        """The states of all stacks."""
        return {**{name: view.state for name, view in self.overview.stacks.items()}, **self.overview.others}

    @cached_property
    def contexts(self) -> Mapping[str, Context]:
        """What the policy rules know of each stack of the overview."""
        return {name: view.context(self.overview.today) for name, view in self.overview.stacks.items()}

    @property
    def whole(self) -> bool:
        """Whether the overview is of all stacks."""
        return not self.overview.others

    @cached_property
    def held(self) -> Mapping[str, Mapping[str, Sequence[StateResource]]]:
        """What the states hold: the key of an address -> stack -> members and grants."""
        by_key = grouped(
            (self.overview.key_of(one.email), (stack, one))
            for stack, state in self.states.items()
            for one in (*state.members.values(), *state.grants.values())
        )
        return {key: grouped(own) for key, own in by_key.items()}

    @cached_property
    def statuses(self) -> Mapping[str, Status]:
        """How everybody in rosters and states stands, by the key of the address."""
        return {one.key: status_of(one, self.overview) for one in self.overview.people}

    @cached_property
    def environments(self) -> list[ReportEnvironment]:
        """The projects that the report shows: all, or those of some stacks' rosters and states."""
        labels: dict[int, str] = {
            project: str(grant.outputs["environment"])
            for (project, _), grant in self.overview.everywhere.grants.items()
            if grant.outputs.get("environment")
        }
        for view in self.overview.stacks.values():
            labels |= {one.id: one.environment for one in view.roster.projects.values()} if view.roster else {}
        own = {*self.overview.projects, *(project for project, _ in self.overview.here.grants)}
        found: dict[str | None, list[ReportProject]] = {}
        for id_, project in self.projects.items():
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
        return self.projects[project].name if project in self.projects else str(project)

    def email(self, key: str) -> str:
        """An address as it is written."""
        someone, person = self.overview.get(key), self.people.get(key)
        return someone.email if someone else person.email if person else key

    def stacks(self, key: str) -> list[str]:
        """The stacks that have a person, in roster or state."""
        someone = self.overview.get(key)
        return sorted({*(someone.stacks if someone else ()), *self.held.get(key, ())})

    def invitation(self, key: str) -> Invitation | None:
        """How far a person has come into the organization; None if they are not in it."""
        return self.overview.anybody(key).invitation(self.overview.now)

    def outside(self, key: str) -> bool | None:
        """Whether one of the person's stacks takes them for external; one of all stacks, if none has the person."""
        someone, known = self.overview.get(key), []
        for name in (someone.stacks if someone else ()) or self.overview.stacks:
            person = someone.effective.get(name) if someone else None
            try:
                known.append(self.contexts[name].external(self.email(key), person.kind if person else None))
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


Cells = Mapping[int, Cell]


def cells_by_person(sources: Sources) -> dict[str, Cells]:
    """What everybody has that the report shows, by the key of the address.

    A report of all stacks has everybody who is in the organization or declared. A report of some stacks has the people
    that these declare, and those who reach their projects.
    """
    directory = sources.overview.directory
    keys = {*sources.people, *(one.key for one in sources.overview.people)}
    keys |= {sources.overview.key_of(key) for project in sources.shown for key in directory.grants(project)}
    found: dict[str, Cells] = {}
    for key in sorted(keys):
        cells, someone = _cells(sources, key), sources.overview.get(key)
        theirs = someone is not None and bool(someone.effective or someone.members or someone.grants)
        if theirs or cells or (sources.whole and key in sources.people):
            found[key] = cells
    return found


def _cells(sources: Sources, key: str) -> Cells:
    found = grouped(
        (one.project, RoleSource(one.role, one.grant_type, one.team, one.stack, one.why))
        for one in of_person(sources.overview, key)
        if one.project in sources.shown
    )
    return {project: Cell(roles.highest([source.role for source in own]) or "", own) for project, own in found.items()}


def report_people(
    sources: Sources,
    people: Mapping[str, Cells],
    changes: Sequence[AccessDifference],
    violations: Iterable[Violation],
    organization: OrganizationAccess,
) -> list[ReportPerson]:
    """Everybody, the highest risk first."""
    key_of = sources.overview.key_of
    found_about = grouped((key_of(violation.email), violation) for violation in violations)
    by_person = grouped((key_of(change.email), change) for change in changes)
    found = [
        _person(
            sources,
            key,
            cells,
            _facts(sources, key, cells, by_person.get(key, ())),
            found_about.get(key, ()),
            [id_ for id_ in sources.shown if id_ not in cells and organization.hides(id_, sources.people.get(key))],
        )
        for key, cells in people.items()
    ]
    return sorted(found, key=lambda one: (-one.risk.score, one.email.casefold()))


def _person(
    sources: Sources,
    key: str,
    cells: Cells,
    facts: AccessFacts,
    violations: Sequence[Violation],
    hidden: Sequence[int],
) -> ReportPerson:
    person, someone = sources.people.get(key), sources.overview.get(key)
    names = [entry.person.name for own in (someone.entries.values() if someone else ()) for entry in own]
    status, ends = sources.statuses.get(key), [paper.get("ends") for paper in sources.papers(key)]
    return ReportPerson(
        email=sources.email(key),
        name=next((name for name in names if name), person.name if person else None),
        stacks=sources.stacks(key),
        organization_role=facts.organization_role,
        invitation=facts.invitation,
        last_login=facts.last_login,
        ends=max((day(str(end)) for end in ends), default=None) if all(ends) else None,
        outside=facts.outside,
        projects=cells,
        hidden=hidden,
        risk=risk_of(facts, violations),
        steps=status.problems if status else [],
    )


def _facts(sources: Sources, key: str, cells: Cells, changes: Sequence[AccessDifference]) -> AccessFacts:
    overview = sources.overview
    person, status = sources.people.get(key), sources.statuses.get(key)
    managed = key in sources.held or overview.get(key) is not None
    production, where = _highest_in_production(sources, cells)
    return AccessFacts(
        now=overview.now,
        organization_role=person.role if person else None,
        production=production,
        where=where,
        outside=sources.outside(key),
        managed=managed,
        unmanaged_in=[
            one.project_name or str(one.project) for one in changes if managed and one.kind is DriftKind.UNMANAGED_GRANT
        ],
        raised=_raised(sources, status) if status else (),
        invitation=sources.invitation(key),
        last_login=person.last_login if person else None,
        idle_days=min(config.idle_days for config in overview.policies(overview.get(key))),
        several_sources=[sources.name(project) for project, cell in cells.items() if len(cell.sources) > 1],
    )


def _highest_in_production(sources: Sources, cells: Cells) -> tuple[str | None, str]:
    """The highest role in production through anything but the organization role, and the project.

    A project whose environment is not known counts as production.
    """
    found = [
        (roles.project_rank(source.role), roles.is_custom(source.role), source.role, project)
        for project, cell in cells.items()
        if sources.shown[project] in (None, PRODUCTION)
        for source in cell.sources
        if source.grant_type is not GrantType.ORGANIZATION_ROLE
    ]
    if not found:
        return None, ""
    *_, role, project = max(found)
    return role, sources.name(project)


def _raised(sources: Sources, status: Status) -> list[str]:
    found = []
    actual, declared = status.organization_role.actual, status.organization_role.declared
    if declared is not None and roles.organization_rank(actual) > roles.organization_rank(declared):
        found.append(f"is organization {actual} where {declared} is declared")
    found += [
        f"is {one.actual} in {sources.name(one.project)} where {one.declared} is declared"
        for one in status.projects
        if one.declared is not None and roles.project_rank(one.actual) > roles.project_rank(one.declared)
    ]
    return found
