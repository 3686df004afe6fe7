"""The checklist of a new person's track, ticked by what Mixpanel shows and by hand. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from mixpanel_access.files.onboarding import (
    EVERYBODY,
    AutomaticCheck,
    Checklists,
    TaskCondition,
    Tick,
    Ticks,
    filled,
)
from mixpanel_access.model import roles
from mixpanel_access.model.access import Invitation, Security
from mixpanel_access.model.address import same_key
from mixpanel_access.model.dates import written
from mixpanel_access.model.engagements import ORGANIZATION_ADMIN, PROJECT_ADMIN
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.roster.schema import OrganizationFacts, RosterProject
from mixpanel_access.model.similarity import unknown
from mixpanel_access.operations.login import identity_provider, second_factor_required, sso_required
from mixpanel_access.operations.overview import Overview
from mixpanel_access.operations.person_overview import PersonOverview
from mixpanel_access.operations.status import status_of

_OWNERS: Final = 2
"""Owners that Mixpanel recommends (contract, section 13)."""
_TRACKS: Final[Mapping[str, str]] = {
    roles.OWNER: PROJECT_ADMIN, roles.ADMIN: PROJECT_ADMIN, roles.ANALYST: roles.ANALYST,
    roles.CONSUMER: roles.CONSUMER,
}  # fmt: skip
"""Project role -> track; a custom role is an analyst's."""


@dataclass(frozen=True)
class OnboardingStep:
    """One task of one person.

    Attributes:
        key: the key that `--done` takes.
        text: what to do.
        check: what Mixpanel must show for the task to be done, or None for a task that is ticked by hand.
        done: whether it is done now.
        tick: who ticked it by hand and when, or None.
    """

    key: str
    text: str
    check: AutomaticCheck | None
    done: bool
    tick: Tick | None


@dataclass(frozen=True)
class Onboarding:
    """How far a person is.

    Attributes:
        email: the address.
        tracks: the tracks they follow.
        steps: all tasks, in their order.
    """

    email: str
    tracks: Sequence[str]
    steps: Sequence[OnboardingStep]

    @property
    def left(self) -> list[OnboardingStep]:
        """The tasks that are open."""
        return [step for step in self.steps if not step.done]


def tracks_of(someone: PersonOverview, overview: Overview) -> list[str]:
    """The tracks for the access that a person has today: by the types of their engagements, else by their highest role.

    An organization owner or admin follows that track as well.
    """
    given = someone.effective.values()
    manages = any(person.organization_role in roles.MANAGING_ROLES for person in given)
    found = list(_of_the_engagements(someone, overview))
    if not found:
        highest = roles.highest([role.role for person in given for role in person.projects.values()])
        if highest or not manages:
            found = [_TRACKS.get(highest or roles.CONSUMER, roles.ANALYST)]
    return list(dict.fromkeys([ORGANIZATION_ADMIN, *found] if manages else found))


def _of_the_engagements(someone: PersonOverview, overview: Overview) -> Iterator[str]:
    for stack, entry in someone.current(overview.today):
        roster = overview.stacks[stack].roster
        engagement = roster.engagements.get(entry.engagement or "") if roster else None
        standard = roster.standards.get(engagement.type or "") if roster and engagement else None
        if standard and standard.onboarding:
            yield standard.onboarding


def onboarding(someone: PersonOverview, overview: Overview, checklists: Checklists, ticks: Ticks) -> Onboarding:
    """How far a person is.

    Raises:
        UsageError: no roster gives them anything today, or a track has no checklist.
    """
    if not someone.effective:
        raise UsageError(
            "cannot onboard",
            subject=someone.email,
            why="no roster gives them anything today",
            next_step="Add an entry, or check the address.",
        )
    tracks = tracks_of(someone, overview)
    for track in tracks:
        if track not in checklists:
            raise UsageError(
                "cannot onboard",
                subject=someone.email,
                why=unknown(track, "checklist", checklists),
                next_step="Add it to templates/onboarding.yaml, or name another under standardRoles.",
            )
    checks, own = frozenset(_checks(someone, overview)), ticks.get(someone.key, {})
    organization, security = overview.facts_for(someone), overview.directory.security()
    projects = [project for _, project, _ in overview.effective_projects(someone)]
    conditions = set(_conditions(security, organization, projects))
    dashboards = ", ".join(title for project in projects for title in project.dashboards)
    provider = identity_provider(security, organization)
    places = {"email": someone.email, "provider": provider, "dashboards": dashboards}
    steps: dict[str, OnboardingStep] = {}
    for task in [task for track in (EVERYBODY, *tracks) for task in checklists.get(track, ())]:
        if task.key not in steps and (task.when is None or task.when in conditions):
            tick = own.get(task.key) if task.check is None else None
            done, text = tick is not None or task.check in checks, filled(task, places)
            steps[task.key] = OnboardingStep(key=task.key, text=text, check=task.check, done=done, tick=tick)
    return Onboarding(someone.email, tracks, list(steps.values()))


def ticked(one: Onboarding, ticks: Ticks, done: Sequence[str], undo: Sequence[str], by: str, at: datetime) -> Ticks:
    """The ticks after some tasks of a person are ticked or opened again.

    Raises:
        UsageError: a key is not a task of theirs, is ticked by what Mixpanel shows, or is both ticked and opened.
    """
    known = {step.key: step for step in one.steps}
    for key in (*done, *undo):
        if key not in known:
            why = unknown(key, "task of theirs", known)
        elif known[key].check is not None:
            why = f"{key} is ticked by what Mixpanel shows"
        elif key in done and key in undo:
            why = f"{key} cannot be ticked and opened at once"
        else:
            continue
        raise UsageError("cannot tick", subject=one.email, why=why, next_step="Correct the key.")
    key = same_key(one.email)
    own = {**{task: Tick(written(at), by) for task in done}, **ticks.get(key, {})}  # the first tick stays
    return {**ticks, key: {task: tick for task, tick in own.items() if task not in undo}}


def _checks(someone: PersonOverview, overview: Overview) -> Iterator[AutomaticCheck]:
    invitation = someone.invitation(overview.now)
    if invitation is not None:
        yield AutomaticCheck.INVITED
    owners = [one for one in overview.directory.people().values() if one.role == roles.OWNER and not one.invited]
    if len(owners) >= _OWNERS:
        yield AutomaticCheck.OWNERS
    if invitation is not Invitation.ACCEPTED:
        return
    yield AutomaticCheck.ACCEPTED
    if someone.key in overview.logins.last:
        yield AutomaticCheck.LOGGED_IN
    if all(role.declared in (None, role.actual) for role in status_of(someone, overview).projects):
        yield AutomaticCheck.ROLES


def _conditions(
    security: Security, organization: OrganizationFacts, projects: Sequence[RosterProject]
) -> Iterator[TaskCondition]:
    if sso_required(security, organization):
        yield TaskCondition.SSO
    if second_factor_required(security, organization):
        yield TaskCondition.MFA
    if organization.login.vpn or organization.login.ip_allowlist:
        yield TaskCondition.NETWORK
    if any(project.dashboards for project in projects):
        yield TaskCondition.DASHBOARDS
    needs = {need for project in projects for need in project.needs}
    yield from (one for one in TaskCondition if one.value in needs)
