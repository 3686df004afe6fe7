"""The people of the access report: what each of them has by which way, and the facts that make their risk. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from mixpanel_access.model import roles
from mixpanel_access.model.access import GrantType
from mixpanel_access.model.address import same_key
from mixpanel_access.model.dates import day
from mixpanel_access.model.engagements import PRODUCTION
from mixpanel_access.operations.drift import AccessDifference, DriftKind
from mixpanel_access.operations.policy_check import Violation
from mixpanel_access.operations.report.model import Cell, ReportPerson, RoleSource
from mixpanel_access.operations.report.risk import AccessFacts, Risk, risk_of
from mixpanel_access.operations.report.sources import Sources
from mixpanel_access.operations.status import Status
from mixpanel_access.operations.who import of_person

Cells = Mapping[int, Cell]


def cells_by_person(sources: Sources) -> dict[str, Cells]:
    """What everybody has that the report shows, by the key of the address.

    Of all stacks, these are all who are in the organization or declared; of some, those whom they have and those who
    reach their projects.
    """
    directory = sources.overview.directory
    keys = {*directory.people(), *(one.key for one in sources.overview.people)}
    keys = keys.union(*(directory.grants(project) for project in sources.shown))
    found: dict[str, Cells] = {}
    for key in sorted(keys):
        cells, someone = _cells(sources, key), sources.overview.get(key)
        theirs = someone is not None and bool(someone.effective or someone.members or someone.grants)
        if theirs or cells or (sources.whole and key in directory.people()):
            found[key] = cells
    return found


def _cells(sources: Sources, key: str) -> Cells:
    found: dict[int, list[RoleSource]] = {}
    for one in of_person(sources.overview, key):
        if one.project in sources.shown:
            source = RoleSource(one.role, one.grant_type, one.team, one.stack, one.why)
            found.setdefault(one.project, []).append(source)
    return {project: Cell(roles.highest([source.role for source in own]) or "", own) for project, own in found.items()}


def report_people(
    sources: Sources, people: Mapping[str, Cells], changes: Sequence[AccessDifference], violations: Iterable[Violation]
) -> list[ReportPerson]:
    """Everybody, the highest risk first."""
    found_about: dict[str, list[Violation]] = {}
    for violation in violations:
        found_about.setdefault(same_key(violation.email), []).append(violation)
    by_person: dict[str, list[AccessDifference]] = {}
    for change in changes:
        by_person.setdefault(same_key(change.email), []).append(change)
    found = [
        _person(sources, key, cells, _risk(sources, key, cells, by_person.get(key, ()), found_about.get(key, ())))
        for key, cells in people.items()
    ]
    return sorted(found, key=lambda one: (-one.risk.score, one.email.casefold()))


def _person(sources: Sources, key: str, cells: Cells, risk: Risk) -> ReportPerson:
    person, someone = sources.overview.directory.people().get(key), sources.overview.get(key)
    names = [entry.person.name for own in (someone.entries.values() if someone else ()) for entry in own]
    status = sources.statuses.get(key)
    return ReportPerson(
        email=sources.email(key),
        name=next((name for name in names if name), person.name if person else None),
        stacks=sources.stacks(key),
        organization_role=person.role if person else None,
        invitation=sources.invitation(key),
        last_login=person.last_login if person else None,
        ends=_ends(sources, key),
        outside=sources.outside(key),
        projects=cells,
        risk=risk,
        steps=status.problems if status else [],
    )


def _ends(sources: Sources, key: str) -> date | None:
    ends = [paper.get("ends") for paper in sources.papers(key)]
    return max((day(str(end)) for end in ends if end), default=None) if all(ends) else None


def _risk(
    sources: Sources, key: str, cells: Cells, changes: Sequence[AccessDifference], violations: Sequence[Violation]
) -> Risk:
    overview = sources.overview
    person, status = overview.directory.people().get(key), sources.statuses.get(key)
    managed = bool(sources.stacks(key))
    production, where = _highest_in_production(sources, cells)
    facts = AccessFacts(
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
    return risk_of(facts, violations)


def _highest_in_production(sources: Sources, cells: Cells) -> tuple[str | None, str]:
    """The highest role in production by any way but the organization role, and the project.

    A project of which nobody tells the environment counts as production.
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
    actual, declared = status.actual_role, status.declared_role
    if declared is not None and roles.organization_rank(actual) > roles.organization_rank(declared):
        found.append(f"is organization {actual} where {declared} is declared")
    found += [
        f"is {one.actual} in {sources.name(one.project)} where {one.declared} is declared"
        for one in status.roles
        if one.declared is not None and roles.project_rank(one.actual) > roles.project_rank(one.declared)
    ]
    return found
