"""Rosters, states and the organization side by side, person by person: what the operators' commands look at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from mixpanel_access.directory import connected
from mixpanel_access.directory.security import UNTOLD
from mixpanel_access.files.roster import OtherRosters, read_other_rosters, read_roster
from mixpanel_access.model.access import AccessInProject, Invitation, Person
from mixpanel_access.model.address import same_key
from mixpanel_access.model.dates import instant
from mixpanel_access.model.effective_access import (
    EffectivePerson,
    EffectiveRole,
    RosterEntry,
    effective_access_of,
    entries,
)
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.roles import MANAGING_ROLES, declared_role, is_role_id
from mixpanel_access.model.roster.schema import OrganizationFacts, Roster, RosterProject
from mixpanel_access.model.settings import Settings, approvers, company_domains
from mixpanel_access.operations.login import Logins, read_logins
from mixpanel_access.operations.policy_check import PolicyConfig, policy_config_file, read_policy_config
from mixpanel_access.operations.project import Progress, PulumiProject, of_each, stacks_of
from mixpanel_access.operations.state import State, StateResource
from mixpanel_access.rules.catalogue import EXCEPTABLE
from mixpanel_access.rules.facts import Context
from mixpanel_access.rules.hygiene import GUARDED

if TYPE_CHECKING:
    from mixpanel_access.directory.directory import Directory


@dataclass(frozen=True)
class StackView:
    """One stack.

    Attributes:
        roster: what that says; None where there is no file.
        other_rosters: what is known of the other rosters in its folder.
        policies: the levels and options of its policy rules: what counts as soon, idle or due.
        config: its configuration, by the keys without `mixpanel:`; None where it is not known.
    """

    name: str
    settings: Settings
    file: Path
    roster: Roster | None
    state: State
    other_rosters: OtherRosters = field(default_factory=OtherRosters)
    policies: PolicyConfig = field(default_factory=partial(PolicyConfig, {}))
    config: Mapping[str, str] | None = None

    @cached_property
    def company_domains(self) -> frozenset[str]:
        """The company's e-mail domains; none where they are not set.

        Raises:
            ConfigurationError: the setting cannot be used.
        """
        return company_domains((self.config or {}).get("companyDomains", ""))

    def context(self, today: date) -> Context:
        """What the policy rules know on a day, but for the stack's resources."""
        return rules_context(self.name, self.settings, self.config, today)


def rules_context(stack: str, settings: Settings, config: Mapping[str, str] | None, today: date) -> Context:
    """What the policy rules know of a stack on a day, but for its resources.

    Raises:
        ConfigurationError: a setting cannot be used.
    """
    given = config or {}
    return Context(
        today,
        settings.environment,
        company_domains(given.get("companyDomains", "")),
        rules=EXCEPTABLE,
        approvers=approvers(given.get("approvers", "")),
        settings=None if config is None else {key: given.get(key, "") for key in GUARDED},
        stack=stack,
    )


@dataclass
class PersonOverview:
    """One person over the stacks.

    Attributes:
        email: the address, as the first that has it writes it.
        entries: the roster's entries, by stack.
        effective: what those give today, by stack.
        members: the members in the states, by stack.
        grants: the grants in the states, by stack and project id.
        teams: their places in teams in the states, by stack and the team's name.
        person: the person as Mixpanel has them, or None.
        access: how they reach the projects of rosters and states, by project id.
    """

    key: str
    email: str
    entries: dict[str, Sequence[RosterEntry]] = field(default_factory=dict)
    effective: dict[str, EffectivePerson] = field(default_factory=dict)
    members: dict[str, StateResource] = field(default_factory=dict)
    grants: dict[tuple[str, int], StateResource] = field(default_factory=dict)
    teams: dict[tuple[str, str], StateResource] = field(default_factory=dict)
    person: Person | None = None
    access: dict[int, AccessInProject] = field(default_factory=dict)

    @property
    def stacks(self) -> list[str]:
        """The stacks that have the person, in roster or state."""
        return sorted({*self.entries, *self.members, *(stack for stack, _ in (*self.grants, *self.teams))})

    def current(self, today: date) -> list[tuple[str, RosterEntry]]:
        """The entries that declare something on a day, each with its stack."""
        return [(stack, entry) for stack, own in self.entries.items() for entry in own if entry.current(today)]

    @property
    def invited_at(self) -> datetime | None:
        """When we sent the latest invitation, or None if no state says."""
        return self._latest("invited_at")

    @property
    def expires_at(self) -> datetime | None:
        """When the invitation expires at the latest, by the states."""
        return self._latest("expires_at")

    def _latest(self, name: str) -> datetime | None:
        known = [member.outputs.get(name) for member in self.members.values()]
        return max((instant(text) for text in known if text), default=None)

    @property
    def managing_role(self) -> str | None:
        """The organization role that lets them in with a password all the same: the one they have, else declared."""
        declared = next((one.organization_role for one in self.effective.values() if one.organization_role), None)
        role = (self.person.role if self.person else None) or declared
        return role if role in MANAGING_ROLES else None

    def invitation(self, now: datetime) -> Invitation | None:
        """How far the person has come into the organization; None if they are not in it."""
        if self.person is None:
            return None
        if not self.person.invited:
            return Invitation.ACCEPTED
        ends = self.expires_at
        return Invitation.EXPIRED if ends is not None and ends <= now else Invitation.PENDING


@dataclass(frozen=True)
class Overview:
    """The whole overview; where Mixpanel cannot be read for it, a `MixpanelError` is raised.

    Attributes:
        stacks: the stacks that were asked about, by name.
        people: everybody in their rosters and states, by address.
        projects: project id -> short key and stack of the roster that has it.
    """

    now: datetime
    stacks: Mapping[str, StackView]
    people: Sequence[PersonOverview]
    directory: Directory
    projects: Mapping[int, tuple[str, str]]

    @property
    def today(self) -> date:
        """The day of the overview, in UTC."""
        return self.now.date()

    def policies(self, someone: PersonOverview | None) -> list[PolicyConfig]:
        """The policies' configuration of a person's stacks; of all where none has them."""
        own = [self.stacks[name].policies for name in (someone.stacks if someone else ()) if name in self.stacks]
        return own or [view.policies for view in self.stacks.values()]

    def pending_too_long(self, someone: PersonOverview) -> timedelta:
        """How long a person's invitation may be pending: by the strictest of their stacks."""
        return timedelta(hours=min(config.pending_hours for config in self.policies(someone)))

    @cached_property
    def _by_key(self) -> dict[str, PersonOverview]:
        return {one.key: one for one in self.people}

    @cached_property
    def logins(self) -> Logins:
        """When people logged in last, which may need the audit log."""
        return read_logins(self.directory, self.now)

    def get(self, email_key: str) -> PersonOverview | None:
        """One person, or None if no roster and no state has them."""
        return self._by_key.get(email_key)

    def anybody(self, email: str) -> PersonOverview:
        """One person, even if no roster and no state has them."""
        return self.get(same_key(email)) or PersonOverview(same_key(email), email, person=self.directory.person(email))

    def facts_for(self, someone: PersonOverview) -> OrganizationFacts:
        """What one person reads about the organization, from the first of their stacks that says anything."""
        rosters = (self.stacks[stack].roster for stack in sorted(someone.effective))
        told = (roster.organization for roster in rosters if roster and roster.organization.model_fields_set)
        return next(told, OrganizationFacts())

    def effective_projects(self, someone: PersonOverview) -> Iterator[tuple[str, RosterProject, EffectiveRole]]:
        """The projects that somebody is given today, by stack: short key, project and role."""
        for stack, person in sorted(someone.effective.items()):
            if roster := self.stacks[stack].roster:
                for key, held in person.projects.items():
                    yield key, roster.projects[key], held


@contextmanager
def load_overview(
    project: PulumiProject, stacks: Sequence[str], now: datetime | None, progress: Progress
) -> Iterator[Overview]:
    """Read some stacks, or all stacks of the project, and the organization, whose connections end with the block.

    Without `now`, the configuration's instant counts, or the clock's.

    Raises:
        UsageError: there is no stack, a configuration or a roster is wrong, or they are of several organizations.
    """
    views = of_each(stacks_of(project, stacks), partial(_view, project))
    organizations = {view.settings.organization_id for view in views.values()}
    if len(organizations) > 1:
        raise UsageError(
            "cannot look at all stacks together",
            why=f"they are of the organizations {', '.join(map(str, sorted(organizations)))}",
            next_step="Name stacks of one of them with --stack.",
        )
    settings = next(iter(views.values())).settings
    with connected(settings, report=progress) as directory:
        progress(f"read {len(directory.people())} people of organization {settings.organization_id}")
        yield overview_of(views, directory, now or settings.clock())


def overview_of(views: Mapping[str, StackView], directory: Directory, now: datetime) -> Overview:
    """Combine rosters, states and the organization, person by person."""
    projects = {
        one.id: (key, view.name) for view in views.values() if view.roster for key, one in view.roster.projects.items()
    }
    return Overview(now, views, _people(views, directory, projects, now.date()), directory, projects)


def _view(project: PulumiProject, name: str) -> StackView:
    settings = project.settings(name)
    file = project.roster(name)
    roster = read_roster(file) if file.is_file() else None
    found = read_other_rosters(file, settings.organization_id) if roster else OtherRosters()
    policies = read_policy_config(policy_config_file(project.pulumi.project, file))
    state = project.state(name, settings.organization_id)
    return StackView(name, settings, file, roster, state, found, policies, project.config(name))


def _people(
    views: Mapping[str, StackView], directory: Directory, projects: Mapping[int, tuple[str, str]], today: date
) -> list[PersonOverview]:
    found: dict[str, PersonOverview] = {}
    teams = {team.team: team.name for view in views.values() for team in view.state.teams.values()}

    def of(key: str, email: str) -> PersonOverview:
        return found.setdefault(key, PersonOverview(key, email))

    for name, view in views.items():
        for key, own in entries(view.roster).items() if view.roster else ():
            someone = of(key, own[0].person.email)
            someone.entries[name] = own
            if person := effective_access_of(own, today):
                someone.effective[name] = person
        for key, member in view.state.members.items():
            of(key, member.email).members[name] = member
            if isinstance(user_id := member.outputs.get("user_id"), int):
                directory.remember(member.email, user_id)  # who has another address by now is still there
        for (project, key), grant in view.state.grants.items():
            of(key, grant.email).grants[name, project] = grant
        for (team, key), place in view.state.team_members.items():
            of(key, place.email).teams[name, teams.get(team, str(team))] = place
    there = directory.projects()
    wanted = {*projects, *(project for one in found.values() for _, project in one.grants)} & there.keys()
    for key, someone in found.items():
        someone.person = directory.person(key)
        someone.access = {
            project: access
            for project in sorted(wanted)
            if (access := directory.access(project, someone.email)).effective is not None
        }
    return sorted(found.values(), key=lambda one: one.key)


def keys_there(directory: Directory, roster: Roster) -> dict[tuple[int, str], str]:
    """The roster's own custom roles that are there already: project id and the role's id -> the key."""
    words = {(one.project, declared_role(key)): key for key, one in roster.custom_roles.items()}
    ids = {
        (roster.projects[project].id, role_there(directory, roster, project, word)): key
        for (project, word), key in words.items()
    }
    return {place: key for place, key in ids.items() if is_role_id(place[1])}


def role_there(directory: Directory, roster: Roster, project: str, role: str) -> str:
    """A declared role as Mixpanel shows it: the id of the roster's own custom role, where it is there already.

    Args:
        directory: the organization.
        roster: the roster.
        project: the project's key.
        role: the role that the roster gives; any other than one of its own is as it is.
    """
    key = roster.own_roles(project).get(role)
    if key is None:
        return role
    try:
        held = directory.custom_roles.by_name(roster.projects[project].id, roster.custom_roles[key].name)
    except UNTOLD:
        return role
    return held.id if held else role
