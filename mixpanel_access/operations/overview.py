"""Rosters, states and the organization, compared person by person: what the operators' commands read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property, partial, reduce
from operator import or_
from pathlib import Path
from typing import TYPE_CHECKING

from mixpanel_access.directory import connected
from mixpanel_access.directory.security import UNTOLD
from mixpanel_access.files.roster import OtherRosters, read_other_rosters, read_roster
from mixpanel_access.model.access import access_in_project
from mixpanel_access.model.address import same_key
from mixpanel_access.model.brakes import Forecast
from mixpanel_access.model.effective_access import EffectiveRole, effective_by_key, entries
from mixpanel_access.model.errors import UsageError
from mixpanel_access.model.grouping import grouped
from mixpanel_access.model.roles import project_role_of
from mixpanel_access.model.roster.schema import OrganizationFacts, RosterProject
from mixpanel_access.model.teams import TeamInfo
from mixpanel_access.operations.drift import AccessDifference, OrganizationAccess, differences, read_organization
from mixpanel_access.operations.login import Logins, read_logins
from mixpanel_access.operations.pending.change import PendingChange
from mixpanel_access.operations.pending.find import pending_changes, renamed_in
from mixpanel_access.operations.pending.held import forecasts_for
from mixpanel_access.operations.person_overview import PersonOverview
from mixpanel_access.operations.project import Progress, PulumiProject, of_each, stacks_of
from mixpanel_access.operations.stack_view import StackView
from mixpanel_access.operations.state import EMPTY, State, state_of

if TYPE_CHECKING:
    from mixpanel_access.directory.directory import Directory
    from mixpanel_access.operations.policy_check import PolicyConfig


@dataclass(frozen=True)
class Overview:
    """The whole overview; where Mixpanel cannot be read for it, a `MixpanelError` is raised.

    Attributes:
        stacks: the stacks that were asked about, by name.
        people: everybody in their rosters and states, by address.
        projects: project id -> short key and stack of the roster that has it.
        read_others: reads the states of the project's other stacks.
    """

    now: datetime
    stacks: Mapping[str, StackView]
    people: Sequence[PersonOverview]
    directory: Directory
    projects: Mapping[int, tuple[str, str]]
    read_others: Callable[[], Mapping[str, State]] = dict

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

    @cached_property
    def others(self) -> Mapping[str, State]:
        """The states of the project's other stacks, read when something depends on them."""
        return self.read_others()

    @cached_property
    def here(self) -> State:
        """What the states of the stacks hold."""
        return reduce(or_, (view.state for view in self.stacks.values()), EMPTY)

    @cached_property
    def everywhere(self) -> State:
        """What the states of all stacks of the project hold."""
        return reduce(or_, self.others.values(), self.here)

    @cached_property
    def changes(self) -> Mapping[str, Sequence[PendingChange]]:
        """The pending changes of each stack."""
        return {
            name: pending_changes(
                view.roster, view.state, self.today, None, renamed=renamed_in(view.state, self.directory)
            )
            for name, view in self.stacks.items()
        }

    @cached_property
    def _changes_by_key(self) -> Mapping[str, Sequence[tuple[str, PendingChange]]]:
        all_changes = ((stack, change) for stack, changes in self.changes.items() for change in changes)
        return grouped((self.key_of(change.email), (stack, change)) for stack, change in all_changes)

    def team_keys(self, someone: PersonOverview, stack: str) -> set[str]:
        """The keys of the teams that a person is in, by a stack's roster today or by its state."""
        given = someone.effective[stack].teams if stack in someone.effective else ()
        keys = self.stacks[stack].team_keys
        held = (place.team for (name, _), place in someone.teams.items() if name == stack)
        return {*given, *(keys.get(team, str(team)) for team in held)}

    def changes_of(self, someone: PersonOverview) -> list[tuple[str, PendingChange]]:
        """What changes for a person, by stack: what is theirs, then what concerns a whole team that they are in.

        The change of a whole team is left out where the person comes into the team, or leaves it, for the same reason.
        """
        own = list(self._changes_by_key.get(someone.key, ()))
        listed = {(stack, change.event, team) for stack, change in own for team in change.teams}
        whole = self._changes_by_key.get("", ())
        theirs = {stack: self.team_keys(someone, stack) for stack in {stack for stack, _ in whole}}
        of_teams = [
            (stack, change)
            for stack, change in whole
            for team in change.teams
            if team in theirs[stack] and (stack, change.event, team) not in listed
        ]
        return [*own, *of_teams]

    @cached_property
    def forecasts(self) -> Mapping[str, Sequence[Forecast]]:
        """What the brakes will hold, by stack; a stack without any is left out."""
        found = {
            name: forecasts_for(view.roster, self.today, self.directory, view.settings.username)
            for name, view in self.stacks.items()
            if view.roster is not None
        }
        return {name: some for name, some in found.items() if some}

    @cached_property
    def forecasts_by_key(self) -> Mapping[str, Sequence[tuple[str, Forecast]]]:
        """The same for each person: the stack and the forecast, by the key of the address."""
        return grouped(
            (self.key_of(email), (stack, forecast))
            for stack, some in self.forecasts.items()
            for forecast in some
            for email in forecast.finding.people
        )

    @cached_property
    def organization(self) -> OrganizationAccess:
        """What Mixpanel has, in the projects of rosters and states."""
        known = {*self.projects, *(project for project, _ in (*self.everywhere.grants, *self.everywhere.team_grants))}
        return read_organization(self.directory, known)

    @cached_property
    def differences(self) -> Sequence[AccessDifference]:
        """How Mixpanel differs from the states, in the projects of rosters and states."""
        return differences(self.organization, self.everywhere, self.here)

    @cached_property
    def _differences_by_key(self) -> Mapping[str, Sequence[AccessDifference]]:
        return grouped((self.key_of(one.email), one) for one in self.differences)

    def differences_of(self, someone: PersonOverview) -> list[AccessDifference]:
        """How Mixpanel differs from the states for a person: what is theirs, then what a team of theirs gives."""
        teams = {same_key(name) for _, name in someone.teams}
        for stack, person in someone.effective.items():
            roster = self.stacks[stack].roster
            teams |= {same_key(roster.teams[key].name) for key in person.teams} if roster else set()
        of_teams = [one for one in self._differences_by_key.get("", ()) if same_key(one.team or "") in teams]
        return [*self._differences_by_key.get(someone.key, ()), *of_teams]

    @cached_property
    def reached(self) -> Mapping[str, Sequence[int]]:
        """The projects that list somebody, by the key of the address they have now."""
        projects = sorted(self.directory.projects())
        return grouped((key, project) for project in projects for key in self.directory.grants(project))

    @cached_property
    def teams_there(self) -> Mapping[int, TeamInfo] | None:
        """The organization's teams, by id; None where Mixpanel does not say."""
        try:
            return self.directory.teams.all()
        except UNTOLD:
            return None

    @cached_property
    def _keys(self) -> Mapping[str, str]:
        """The key of each address of a person, in a state, a roster or Mixpanel -> the key that they go by here."""
        in_states = {same_key(held.email): one.key for one in self.people for held in one.members.values()}
        in_rosters = {own[0].person.key: one.key for one in self.people for own in one.entries.values()}
        in_mixpanel = {one.person.key: one.key for one in self.people if one.person}
        return {**in_states, **in_rosters, **in_mixpanel, **{one.key: one.key for one in self.people}}

    def key_of(self, email: str) -> str:
        """The key that the person of an address goes by here."""
        key = same_key(email)
        return self._keys.get(key, key)

    def get(self, email_key: str) -> PersonOverview | None:
        """One person by the key of any of their addresses, or None if no roster and no state has them."""
        return self._by_key.get(email_key) or self._by_key.get(self._keys.get(email_key, email_key))

    def anybody(self, email: str) -> PersonOverview:
        """One person by any of their addresses, even if no roster and no state has them."""
        return self.get(self.key_of(email)) or PersonOverview(
            same_key(email), email, person=self.directory.person(email)
        )

    def facts_for(self, someone: PersonOverview) -> OrganizationFacts:
        """What one person reads about the organization, from the first of their stacks that says anything."""
        rosters = (self.stacks[stack].roster for stack in sorted(someone.effective))
        facts = (roster.organization for roster in rosters if roster and roster.organization.model_fields_set)
        return next(facts, OrganizationFacts())

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
            "cannot read all stacks together",
            why=f"they are of the organizations {', '.join(map(str, sorted(organizations)))}",
            next_step="Name stacks of one of them with --stack.",
        )
    settings = next(iter(views.values())).settings
    with connected(settings, report=progress) as directory:
        progress(f"read {len(directory.people())} people of organization {settings.organization_id}")

        def read_others() -> Mapping[str, State]:
            others = [name for name in project.stacks if name not in views]
            return of_each(others, partial(project.state, organization=settings.organization_id))

        yield overview_of(views, directory, now or settings.clock(), read_others)


def overview_of(
    views: Mapping[str, StackView],
    directory: Directory,
    now: datetime,
    read_others: Callable[[], Mapping[str, State]] = dict,
) -> Overview:
    """Combine rosters, states and the organization, person by person."""
    projects = {
        one.id: (key, view.name) for view in views.values() if view.roster for key, one in view.roster.projects.items()
    }
    people = _people(views, directory, projects, now.date())
    return Overview(
        now=now, stacks=views, people=people, directory=directory, projects=projects, read_others=read_others
    )


def _view(project: PulumiProject, name: str) -> StackView:
    with ThreadPoolExecutor(1) as threads:  # the engine takes as long to export a state as we to read a roster
        exported = threads.submit(project.export_with_people, name)
        settings = project.settings(name)
        file = project.roster(name)
        roster = read_roster(file) if file.is_file() else None
        found = read_other_rosters(file, settings.organization_id) if roster else OtherRosters()
        policies = partial(_policies, project.pulumi.project, file)
        state = state_of(exported.result(), settings.organization_id)
    return StackView(
        name=name,
        settings=settings,
        file=file,
        roster=roster,
        state=state,
        other_rosters=found,
        read_policies=policies,
        config=project.config(name),
    )


def _policies(project: Path, roster: Path) -> PolicyConfig:
    from mixpanel_access.operations.policy_check import policy_config_file, read_policy_config  # all rules come along

    return read_policy_config(policy_config_file(project, roster))


def _names(views: Mapping[str, StackView], directory: Directory) -> dict[str, str]:
    """The key of each address of somebody whose address has changed in Mixpanel -> the key that they go by here.

    That is the new address's if a roster has it, else that of another address in a roster. Where one roster has two
    of them, they are two people there.
    """
    rosters = [entries(view.roster).keys() for view in views.values() if view.roster]
    changed = grouped((now, old) for view in views.values() for old, now in renamed_in(view.state, directory).items())
    found: dict[str, str] = {}
    for now, earlier in changed.items():
        keys = dict.fromkeys((now, *earlier))
        if all(len(keys.keys() & own) < 2 for own in rosters):
            declared = (key for key in keys if any(key in own for own in rosters))
            found |= dict.fromkeys(keys, next(declared, earlier[0]))
    return found


def _people(
    views: Mapping[str, StackView], directory: Directory, projects: Mapping[int, tuple[str, str]], today: date
) -> list[PersonOverview]:
    found: dict[str, PersonOverview] = {}
    names = _names(views, directory)
    teams = {team.team: team.name for view in views.values() for team in view.state.teams.values()}

    def of(key: str, email: str) -> PersonOverview:
        """One person: by whichever of their addresses a roster or a state has them."""
        name = names.get(key, key)
        if name not in found or (key == name and same_key(found[name].email) != name):
            found.setdefault(name, PersonOverview(name, email)).email = email
        return found[name]

    for name, view in views.items():  # the rosters first: how they write an address counts
        for key, own in entries(view.roster).items() if view.roster else ():
            someone = of(key, own[0].person.email)
            someone.entries[name] = own
            if person := effective_by_key(view.roster, today).get(key) if view.roster else None:
                someone.effective[name] = person
    for name, view in views.items():
        for key, member in view.state.members.items():
            of(key, member.email).members[name] = member
            if isinstance(user_id := member.outputs.get("user_id"), int):
                directory.remember(member.email, user_id)  # somebody whose address has changed is still there
        for (project, key), grant in view.state.grants.items():
            of(key, grant.email).grants[name, project] = grant
        for (team, key), place in view.state.team_members.items():
            of(key, place.email).teams[name, teams.get(team, str(team))] = place
    there = directory.projects()
    wanted = {*projects, *(project for one in found.values() for _, project in one.grants)} & there.keys()
    for key, someone in found.items():
        someone.person = directory.person(key)
    for project in sorted(wanted):
        grants = directory.grants(project)
        for someone in found.values():
            rows = grants.get(someone.person.key if someone.person else directory.key_of(someone.key), ())
            role = someone.person.role if someone.person else None
            if not rows and project_role_of(role) is None:
                continue  # as most people in most projects
            access = access_in_project(rows, role)
            if access.effective is not None:
                someone.access[project] = access
    return sorted(found.values(), key=lambda one: one.key)
