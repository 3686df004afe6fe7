"""Reads what the evidence of a period is made from, and puts the document together. Nothing is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Final

from mixpanel_access import __version__
from mixpanel_access.files.lines import read_lines
from mixpanel_access.model.errors import UsageError
from mixpanel_access.operations.evidence.access import AccessHistory, EvidenceScope
from mixpanel_access.operations.evidence.document import EvidenceDocument, EvidenceOrganization, Period
from mixpanel_access.operations.evidence.exceptions import exception_rows, weakened_rules
from mixpanel_access.operations.evidence.reviews import read_reviews
from mixpanel_access.operations.evidence.sources import StackEvidence, file_source, read_stacks
from mixpanel_access.operations.evidence.unknown import (
    ALWAYS,
    unknown_of_log,
    unknown_of_sources,
    unknown_of_stack,
    unknown_of_stacks,
)
from mixpanel_access.operations.project import PulumiProject
from mixpanel_access.operations.tracker.lines import LogLine
from mixpanel_access.operations.tracker.replay import differences


def period_of(first: date, last: date, now: datetime, *, by_clock: bool = True) -> Period:
    """A period of days.

    Raises:
        UsageError: it ends before it begins, or on a day that has not begun.
    """
    what, today = f"--from {first} --to {last}", now.date()
    if last < first:
        raise UsageError(
            "cannot make the evidence", subject=what, why="the period ends before it begins", next_step="Swap the days."
        )
    if last > today:
        raise UsageError(
            "cannot make the evidence",
            subject=what,
            why=f"today is {today} in UTC, and later days are not known",
            next_step=f"Give --to {today} or an earlier day.",
        )
    return Period(first, last, now, by_clock)


def make_evidence(project: PulumiProject, log_file: Path, stacks: Sequence[str], period: Period) -> EvidenceDocument:
    """The evidence of a period, for some stacks of a project.

    Raises:
        UsageError: there is no such stack, or a file cannot be read.
    """
    read = read_stacks(project, stacks, period)
    scope = _scope(read, all_stacks=set(project.stacks) <= set(stacks))
    cut: list[str] = []
    lines = read_lines(log_file, LogLine, cut.append)
    history = AccessHistory(lines, scope)
    folder = project.pulumi.project
    reviews = read_reviews(folder, stacks, period)
    states = {stack: one.state for stack, one in read.items()}
    of_log = file_source(folder, log_file, "access log", lines=len(lines))
    sources = [of_log, *(source for one in read.values() for source in one.sources), *reviews.sources]
    found = EvidenceDocument(
        organizations=[*_organizations(read)],
        stacks=[*stacks],
        all_stacks=scope.all_stacks,
        from_=period.first,
        to=period.last,
        made=period.now,
        version=__version__,
        sources=sources,
        access_at_start=history.at(period.before),
        access_at_end=history.at(period.end),
        changes=history.changes(period),
        reviews=reviews.rows,
        exceptions=[row for one in read.values() for row in exception_rows(one.rules, period)],
        weakened_rules=[row for one in read.values() for row in weakened_rules(one.rules)],
        differences=[one.text for one in differences(history.log, states)] if period.is_open else None,
        unknown=[],
    )
    unknown = [
        *unknown_of_log(found, lines, "".join(cut), period),
        *unknown_of_stacks(found, lines, project.stacks),
        *(sentence for stack, one in read.items() for sentence in unknown_of_stack(stack, one, period)),
        *unknown_of_sources(sources),
        *reviews.unknown,
        *([] if period.is_open else [_NOT_COMPARED.format(last=period.last)]),
        ALWAYS,
    ]
    return replace(found, unknown=unknown)


_NOT_COMPARED: Final = "The states are those of now and not of {last}: the access at the end is not compared with them."


def _scope(read: Mapping[str, StackEvidence], *, all_stacks: bool) -> EvidenceScope:
    rosters = [one.rules.roster for one in read.values() if one.rules.roster]
    return EvidenceScope(
        stacks=[*read],
        all_stacks=all_stacks,
        projects={project.id: project.name or key for roster in rosters for key, project in roster.projects.items()},
        organizations={stack: one.settings.organization_id for stack, one in read.items()},
        roles={key: role.name for one in read.values() for key, role in one.state.custom_roles.items() if role.name},
    )


def _organizations(read: Mapping[str, StackEvidence]) -> Iterator[EvidenceOrganization]:
    names: dict[int, str | None] = {}
    for one in read.values():
        name = one.rules.roster.organization.name if one.rules.roster else None
        id_ = one.settings.organization_id
        names[id_] = names.get(id_) or name
    for id_, name in sorted(names.items()):
        yield EvidenceOrganization(id=id_, name=name)
