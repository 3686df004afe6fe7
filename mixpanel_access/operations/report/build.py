"""Builds the access report from an overview."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain

from mixpanel_access.directory.other_access import read_other_access
from mixpanel_access.model.access import Invitation
from mixpanel_access.model.address import same_key
from mixpanel_access.model.resources import PROJECT_GRANT
from mixpanel_access.operations.drift import AccessDifference, differences, read_organization
from mixpanel_access.operations.overview import Overview, load_overview
from mixpanel_access.operations.policy_check import Violation, violations_in
from mixpanel_access.operations.project import Progress, PulumiProject, of_each
from mixpanel_access.operations.report.model import AccessEnding, OpenInvitation, PolicyFinding, Report
from mixpanel_access.operations.report.people import Sources, cells_by_person, over, report_people
from mixpanel_access.operations.state import State, StateResource
from mixpanel_access.operations.status import invitation_steps
from mixpanel_access.rules.rule import Level


def report_of(project: PulumiProject, stacks: Sequence[str], now: datetime | None, progress: Progress) -> Report:
    """Read some stacks, or all stacks of the project, and build the report.

    Without `now`, the configuration's instant counts, or the clock's.

    Raises:
        UsageError: as `look` does, or the policies' configuration cannot be read.
    """
    with load_overview(project, stacks, now, progress) as overview:
        others = [name for name in project.stacks if name not in overview.stacks]
        organization = overview.directory.organization
        return make_report(overview, of_each(others, lambda name: project.state(name, organization)))


def make_report(overview: Overview, others: Mapping[str, State]) -> Report:
    """Work out the report."""
    sources = Sources(overview, others)
    people = cells_by_person(sources)
    changes = [
        one
        for one in differences(read_organization(overview.directory), sources.everywhere, sources.here)
        if sources.whole or _concerns(one, sources, people)
    ]
    violations = {
        name: list(violations_in(view.state, sources.contexts[name], view.policies))
        for name, view in overview.stacks.items()
    }
    findings = [_finding(name, one) for name, found in violations.items() for one in found]
    return Report(
        organization=_organization(overview),
        organization_id=overview.directory.organization,
        now=overview.now,
        stacks=list(overview.stacks),
        whole=sources.whole,
        environments=sources.environments,
        people=report_people(sources, people, changes, chain.from_iterable(violations.values())),
        endings=sorted(_endings(sources), key=lambda one: (one.on, one.email.casefold(), one.stack)),
        invitations=sorted(_invitations(sources, people), key=lambda one: (-(one.hours or 0), one.email.casefold())),
        differences=changes,
        findings=sorted(findings, key=lambda one: (one.level is not Level.MANDATORY, one.stack, one.email.casefold())),
        other_access=[
            one
            for one in read_other_access(overview.directory, sources.shown, overview.now)
            if sources.whole or "@" not in one.who or same_key(one.who) in people
        ],
    )


def _concerns(one: AccessDifference, sources: Sources, people: Mapping[str, object]) -> bool:
    """Whether a difference is about a project, a person or a whole team of the report."""
    if one.project is not None:
        return one.project in sources.shown
    return not one.email or same_key(one.email) in people  # of whole teams, it has only those of the report's stacks


def _organization(overview: Overview) -> str:
    names = (view.roster.organization.name for view in overview.stacks.values() if view.roster)
    return next((name for name in names if name), f"organization {overview.directory.organization}")


def _endings(sources: Sources) -> Iterator[AccessEnding]:
    today = sources.overview.today
    for someone in sources.overview.people:
        for stack, entry in someone.current(today):
            soon = sources.overview.stacks[stack].policies.ending_days
            if entry.ends is not None:
                what = [f"{role} in {key}" for key, role in entry.projects.items()]
                days = (entry.ends - today).days
                yield AccessEnding(entry.ends, days, someone.email, stack, entry.engagement, what, days <= soon)
            for team, ends in someone.effective[stack].ending_memberships(entry):
                what = [f"the team {team}"]
                days = (ends - today).days
                yield AccessEnding(ends, days, someone.email, stack, entry.engagement, what, days <= soon)
        for stack, held in sources.lapsed(someone.key).items():
            if stack in sources.overview.stacks:
                yield from _over(sources, someone.email, stack, held)


def _over(sources: Sources, email: str, stack: str, held: Sequence[StateResource]) -> Iterator[AccessEnding]:
    """What has ended in a stack and is still in its state."""
    today = sources.overview.today
    last = over(held, today)
    if last is not None:
        engagement = next((text for one in held if (text := one.outputs.get("engagement"))), None)
        what = [f"{one.role} in {sources.name(one.project)}" for one in held if one.kind is PROJECT_GRANT]
        yield AccessEnding(last, (last - today).days, email, stack, engagement, what)


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
            steps=list(invitation_steps(someone, state, sources.overview)) if someone else [],
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
