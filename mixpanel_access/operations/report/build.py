"""Builds the access report from an overview."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain

from mixpanel_access.directory.other_access import read_other_access
from mixpanel_access.model.access import Invitation
from mixpanel_access.model.address import few, same_key
from mixpanel_access.operations.drift import AccessDifference, OrganizationAccess, differences, read_organization
from mixpanel_access.operations.next_steps import change_step, invitation_steps
from mixpanel_access.operations.overview import Overview, load_overview
from mixpanel_access.operations.pending.change import PendingEvent
from mixpanel_access.operations.policy_check import Violation, violations_in
from mixpanel_access.operations.project import Progress, PulumiProject
from mixpanel_access.operations.report.model import (
    AccessEnding,
    OpenInvitation,
    PolicyFinding,
    Report,
    ReportPerson,
    UndoneChange,
)
from mixpanel_access.operations.report.people import Sources, cells_by_person, report_people
from mixpanel_access.rules.rule import Level


def report_of(project: PulumiProject, stacks: Sequence[str], now: datetime | None, progress: Progress) -> Report:
    """Read some stacks, or all stacks of the project, and build the report.

    Without `now`, the configuration's instant counts, or the clock's.

    Raises:
        UsageError: as `look` does, or the policies' configuration cannot be read.
    """
    with load_overview(project, stacks, now, progress) as overview:
        return make_report(overview)


def make_report(overview: Overview) -> Report:
    """Work out the report."""
    sources = Sources(overview)
    people = cells_by_person(sources)
    organization = read_organization(overview.directory)
    changes = [
        one
        for one in differences(organization, overview.everywhere, overview.here)
        if sources.whole or _concerns(one, sources, people)
    ]
    violations = {
        name: list(violations_in(view.state, sources.contexts[name], view.policies))
        for name, view in overview.stacks.items()
    }
    everybody = report_people(sources, people, changes, chain.from_iterable(violations.values()), organization)
    findings = [_finding(name, one) for name, found in violations.items() for one in found]
    return Report(
        organization=_organization(overview),
        organization_id=overview.directory.organization,
        now=overview.now,
        stacks=list(overview.stacks),
        whole=sources.whole,
        environments=sources.environments,
        people=everybody,
        endings=sorted(_endings(overview), key=lambda one: (one.on, one.email.casefold(), one.stack)),
        invitations=sorted(_invitations(sources, people), key=lambda one: (-(one.hours or 0), one.email.casefold())),
        differences=changes,
        findings=sorted(findings, key=lambda one: (one.level is not Level.MANDATORY, one.stack, one.email.casefold())),
        other_access=[
            one
            for one in read_other_access(overview.directory, sources.shown, overview.now)
            if sources.whole or "@" not in one.who or same_key(one.who) in people
        ],
        unknown=list(_unknown(overview, organization, everybody)),
        undone=list(_undone(overview)),
    )


def _concerns(one: AccessDifference, sources: Sources, people: Mapping[str, object]) -> bool:
    """Whether a difference is about a project, a person or a whole team of the report."""
    if one.project is not None:
        return one.project in sources.shown
    return not one.email or same_key(one.email) in people  # of whole teams, it has only those of the report's stacks


def _unknown(overview: Overview, organization: OrganizationAccess, people: Sequence[ReportPerson]) -> Iterator[str]:
    if invited := [one.email for one in people if one.hidden]:
        yield f"What {few(invited)} can reach: Mixpanel lists people in projects only after they accept the invitation."
    keys = {project: key for project, (key, _) in overview.projects.items()}
    for id_ in sorted({*keys, *(project for project, _ in overview.here.grants)} - organization.projects.keys()):
        if organization.is_out_of_sight(id_):
            yield f"Who can reach project {keys.get(id_, '')} {id_}: Mixpanel does not show it to the stack's account."
    if organization.teams is None:
        yield "Who is in which team: Mixpanel does not show the teams to the stack's account."


def _organization(overview: Overview) -> str:
    names = (view.roster.organization.name for view in overview.stacks.values() if view.roster)
    return next((name for name in names if name), f"organization {overview.directory.organization}")


def _endings(overview: Overview) -> Iterator[AccessEnding]:
    """What ends, and what has ended and is still in a state."""
    for stack, changes in overview.changes.items():
        soon = overview.stacks[stack].policies.ending_days
        for one in changes:
            if one.event not in (PendingEvent.OVERDUE, PendingEvent.ENDS):
                continue
            days = (one.day - overview.today).days
            yield AccessEnding(
                on=one.day,
                days=days,
                email=one.email,
                stack=stack,
                engagement=one.engagement,
                what=one.parts,
                soon=0 <= days <= soon,
            )


def _undone(overview: Overview) -> Iterator[UndoneChange]:
    for stack, changes in overview.changes.items():
        for one in changes:
            if not one.to_come:
                yield UndoneChange(
                    stack=stack,
                    event=one.event,
                    email=one.email,
                    text=one.sentence(stack),
                    next_step=change_step(one, stack, overview),
                )


def _invitations(sources: Sources, keys: Iterable[str]) -> Iterator[OpenInvitation]:
    for key in keys:
        state, someone = sources.invitation(key), sources.overview.get(key)
        if state not in (Invitation.PENDING, Invitation.EXPIRED):
            continue
        sent = someone.invited_at if someone else None
        yield OpenInvitation(
            email=sources.email(key),
            state=state,
            stacks=sources.stacks(key),
            invited_at=sent,
            hours=int((sources.overview.now - sent).total_seconds() // 3600) if sent else None,
            expires_at=someone.expires_at if someone else None,
            steps=list(invitation_steps(someone, sources.overview)) if someone else [],
        )


def _finding(stack: str, violation: Violation) -> PolicyFinding:
    rule = violation.rule
    return PolicyFinding(
        stack=stack,
        rule=rule.id,
        title=rule.title,
        level=violation.level,
        severity=rule.severity.value,
        email=violation.email,
        text=violation.text,
        fix=rule.fix,
    )
