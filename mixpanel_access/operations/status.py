"""Each person's invitation and its age, roles declared and actual, end, and what to do next. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from mixpanel_access.model.access import Invitation
from mixpanel_access.operations.next_steps import (
    StatusStep,
    change_steps,
    difference_steps,
    held_steps,
    invitation_steps,
    project_name,
)
from mixpanel_access.operations.overview import Overview
from mixpanel_access.operations.person_overview import PersonOverview
from mixpanel_access.operations.roles_there import RoleHere, roles_of


@dataclass(frozen=True)
class TeamHere:
    """One place in a team, declared and actual.

    Attributes:
        team: the team's key in the roster, or its name.
        stack: the stack that has the place, in the roster or the state.
        declared: whether a roster gives the place today.
        actual: whether Mixpanel has the person in the team; None if it does not say.
        projects: what the team gives there: the name of a project -> the role.
    """

    team: str
    stack: str
    declared: bool
    actual: bool | None
    projects: Mapping[str, str]


@dataclass(frozen=True)
class ComparedRole:
    """An organization role, declared and actual.

    Attributes:
        declared: the role in the roster today, or None.
        actual: the role in Mixpanel, or None.
    """

    declared: str | None
    actual: str | None


@dataclass(frozen=True)
class Status:
    """The status of one person.

    Attributes:
        email: the address.
        stacks: the stacks that have the person.
        invitation: the state of the invitation; None if the person is not in the organization.
        invited_at: when the latest invitation was sent, or None if that is unknown.
        expires_at: when it expires, or None if that is unknown.
        last_login: the last login, or None if that is unknown.
        organization_role: the organization role.
        projects: the roles in projects.
        teams: the memberships in teams.
        ends: the last day of the access that lasts longest, or None without an end.
        steps: what to know, and what to do next, the problems first.
    """

    email: str
    stacks: Sequence[str]
    invitation: Invitation | None
    invited_at: datetime | None
    expires_at: datetime | None
    last_login: datetime | None
    organization_role: ComparedRole
    projects: Sequence[RoleHere]
    teams: Sequence[TeamHere]
    ends: date | None
    steps: Sequence[StatusStep]

    @property
    def problems(self) -> list[StatusStep]:
        """The steps that count as findings."""
        return [step for step in self.steps if step.problem]


def statuses(overview: Overview) -> list[Status]:
    """The status of everybody in the rosters and states, by address."""
    return [status_of(one, overview) for one in overview.people]


def status_of(one: PersonOverview, overview: Overview) -> Status:
    """The status of one person."""
    invitation = one.invitation(overview.now)
    given = list(one.effective.values())
    declared_role = next((person.organization_role for person in given if person.organization_role), None)
    ends = [entry.ends for _, entry in one.current(overview.today)]
    roles = list(roles_of(one, overview))
    steps = [
        *invitation_steps(one, overview),
        *difference_steps(one, overview),
        *change_steps(one, overview),
        *_other_grants(roles),
        *held_steps(one, overview),
    ]
    return Status(
        email=one.email,
        stacks=one.stacks,
        invitation=invitation,
        invited_at=one.invited_at if invitation in (Invitation.PENDING, Invitation.EXPIRED) else None,
        expires_at=one.expires_at if invitation in (Invitation.PENDING, Invitation.EXPIRED) else None,
        last_login=one.person.last_login if one.person else None,
        organization_role=ComparedRole(declared_role, one.person.role if one.person else None),
        projects=roles,
        teams=list(_teams(one, overview)),
        ends=None if None in ends else max((end for end in ends if end), default=None),
        steps=sorted(steps, key=lambda step: not step.problem),
    )


def _teams(one: PersonOverview, overview: Overview) -> Iterator[TeamHere]:
    there, now = overview.teams_there, one.person.key if one.person else one.key
    for stack in one.stacks:
        view = overview.stacks[stack]
        ids = {key: id_ for id_, key in view.team_keys.items()}
        for key in sorted(overview.team_keys(one, stack)):
            team = there.get(ids.get(key, 0)) if there is not None else None
            inside = None if there is None else team is not None and team.is_member(now)
            roles = team.projects if team else {}
            yield TeamHere(
                team=key,
                stack=stack,
                declared=stack in one.effective and key in one.effective[stack].teams,
                actual=inside,
                projects={project_name(id_, overview): role for id_, role in sorted(roles.items())},
            )


def _other_grants(roles: Sequence[RoleHere]) -> Iterator[StatusStep]:
    for role in roles:
        if role.declared is not None and role.declared == role.actual and role.effective != role.actual:
            yield StatusStep(f"has {role.effective} in {role.name} through {role.through}", problem=False)
