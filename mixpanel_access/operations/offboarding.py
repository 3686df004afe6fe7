"""End everything that the stacks give to one person, and show what is left."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from mixpanel_access.directory import connected
from mixpanel_access.files.roster import source_of, text_of, write_roster
from mixpanel_access.model.access import Grant, Person
from mixpanel_access.model.address import same_key
from mixpanel_access.model.errors import AccessError, EngineError, Refused, UsageError
from mixpanel_access.model.roster import editing
from mixpanel_access.model.roster.reading import parse
from mixpanel_access.model.roster.schema import Roster
from mixpanel_access.model.settings import LEAVING_VARIABLE, Settings
from mixpanel_access.operations import state_change
from mixpanel_access.operations.project import Progress, PulumiProject, by_organization, of_each, with_variables
from mixpanel_access.operations.state import State, changed_addresses, name_of


@dataclass(frozen=True)
class StackAccess:
    """One stack: its roster and its state.

    Attributes:
        text: the roster's text, or None where there is none.
        changed: whose address has changed in Mixpanel: the key that a state has -> the key there.
        given_away: those of the states' addresses that somebody else has now, by their keys.
    """

    stack: str
    file: Path
    text: str | None
    roster: Roster | None
    state: State
    changed: Mapping[str, str] = field(default_factory=dict)
    given_away: frozenset[str] = frozenset()

    def keys(self, email: str) -> frozenset[str]:
        """The keys of the person's addresses: of this one, and of those from before or after a change in Mixpanel."""
        key = same_key(email)
        now = self.changed.get(key, key)
        return frozenset({key, now, *(old for old, new in self.changed.items() if new == now)})

    def held(self, key: str) -> bool:
        """Whether the state has something of the person of an address."""
        state = self.state
        return key in state.members or key in {who for _, who in (*state.grants, *state.team_members)}


@dataclass(frozen=True)
class PersonInStack:
    """What one stack has of a person.

    Attributes:
        before: the roster's text, or None where there is none.
        after: the same without the person.
        member: whether the state has the member.
        grants: the grants in the state: project id -> role.
        teams: the names of the teams that the state has them in, by the name of the resource.
        owns_roles: whether the roster declares organization roles.
        keys: the keys of the addresses that the state has of them.
    """

    stack: str
    file: Path
    before: str | None
    after: str | None
    member: bool
    grants: Mapping[int, str]
    owns_roles: bool = False
    teams: Mapping[str, str] = field(default_factory=dict)
    keys: Sequence[str] = ()


@dataclass(frozen=True)
class RemainingInOrganization:
    """What a person has in an organization.

    Attributes:
        deactivated: whether they are listed and cannot log in: nothing is left to do.
        role: the organization role, or None where Mixpanel does not show it.
        access: the grants through which they reach projects, by project id.
    """

    organization: int
    listed: bool
    role: str | None
    access: Mapping[int, Sequence[Grant]]
    deactivated: bool = False


def read_stacks(project: PulumiProject) -> list[StackAccess]:
    """Read the roster and the state of every stack, and whose address has changed since.

    Raises:
        AccessError: Mixpanel does not say who is there.
    """
    seen = of_each(sorted(project.stacks), partial(_seen, project))
    for stacks in by_organization(project, sorted(project.stacks)).values():
        members = [{key: one.outputs for key, one in seen[stack].state.members.items()} for stack in stacks]
        there: Mapping[str, Person] = {}
        if any(members):
            with connected(project.settings(stacks[0])) as directory:
                there = directory.people()
        changed = {old: now for some in members for old, now in changed_addresses(some, there).items()}
        given_away = frozenset(changed.keys() & there.keys())
        seen |= {stack: replace(seen[stack], changed=changed, given_away=given_away) for stack in stacks}
    return list(seen.values())


def _seen(project: PulumiProject, stack: str) -> StackAccess:
    state = project.state(stack, project.settings(stack).organization_id)
    file = project.roster(stack)
    text = text_of(file)
    return StackAccess(stack, file, text, None if text is None else parse(text, source_of(file)), state)


def person_in_stacks(seen: Sequence[StackAccess], email: str) -> list[PersonInStack]:
    """What the stacks have of a person; the stack that declares organization roles is the last.

    Raises:
        UsageError: the address may mean either of two people, or a roster cannot be edited; nothing was changed.
    """
    found = []
    for one in seen:
        if (key := same_key(email)) in one.given_away:
            raise UsageError(
                "cannot tell who is meant",
                subject=email,
                why=f"the stacks have it for somebody who is now {one.changed[key]}, and somebody else has it",
                next_step=f"For the first, give {one.changed[key]}; no stack has the second: remove them in Mixpanel.",
            )
        state, after, keys = one.state, one.text, one.keys(email)
        if one.text is not None and one.roster is not None and any(person.key in keys for person in one.roster.people):
            after = editing.remove_people(one.text, source_of(one.file), keys)
        owns = one.roster is not None and one.roster.organization_roles
        grants = {place[0]: grant.role for place, grant in state.grants.items() if place[1] in keys}
        teams = {
            name_of(place.urn): state.teams[team].name if team in state.teams else str(team)
            for (team, who), place in state.team_members.items()
            if who in keys
        }
        there = sorted(filter(one.held, keys))
        if one.text != after or there:
            member = bool(keys & state.members.keys())
            found.append(PersonInStack(one.stack, one.file, one.text, after, member, grants, owns, teams, there))
    return sorted(found, key=lambda holding: holding.owns_roles)


def people(seen: Sequence[StackAccess]) -> list[str]:
    """The keys of the addresses of everybody in a roster or a state."""
    found: set[str] = set()
    for one in seen:
        rostered = one.roster.people if one.roster is not None else ()
        found |= {person.key for person in rostered}
        found |= {*one.state.members, *(who for _, who in one.state.grants)}
    return sorted(found)


def offboard(
    project: PulumiProject, email: str, held: Sequence[PersonInStack], progress: Progress
) -> dict[str, list[str]]:
    """Take a person out of the rosters and out of each stack, and touch nobody else. One that died is run again.

    Returns:
        What waits in the stacks for `pulumi up`, and was left alone: stack -> changes, one line each.

    Raises:
        UsageError: a roster cannot be written; nothing more was done.
        Refused: something of the person is left in a stack; the other stacks are done.
    """
    from mixpanel_access.operations.revoking.run import take_out  # brings the Pulumi SDK, which a look does not need

    left: list[str] = []
    waiting: dict[str, list[str]] = {}
    for holding in held:
        if holding.before is not None and holding.after is not None:
            write_roster(holding.file, holding.before, holding.after)
    for holding in held:
        reasons: list[str] = []
        try:
            for key in holding.keys or [same_key(email)]:
                leaving = with_variables(project.pulumi, {LEAVING_VARIABLE: key})  # who was found leaves too
                done = take_out(PulumiProject(leaving), holding.stack, key, progress)
                reasons += [*(f"{one.taking.what}: {one.reason}" for one in done.held), *done.problems]
            waiting[holding.stack] = _waiting(project, holding.stack)
        except AccessError as error:
            reasons = [*reasons, str(error)]
        left += [f"stack {holding.stack}: {reason}" for reason in reasons]
    if left:
        raise Refused(
            "cannot take everything away",
            subject=email,
            why="; ".join(left),
            next_step="The entries are out of the rosters: correct that, and run this again.",
        )
    return {stack: changes for stack, changes in waiting.items() if changes}


def _waiting(project: PulumiProject, stack: str) -> list[str]:
    """What the next `pulumi up` of a stack would change."""
    try:
        return state_change.changes_at_preview(project, stack)
    except EngineError as error:
        return [f"nobody knows: {error}"]


def remaining_in_organizations(
    project: PulumiProject, email: str, also: Iterable[str] = ()
) -> list[RemainingInOrganization]:
    """All that Mixpanel shows of a person now, in each organization that a stack is of.

    Args:
        project: the project.
        email: the person's address.
        also: other addresses by which Mixpanel may have them, if it does not know this one.

    Raises:
        UsageError: there is no stack, whose configuration names the organization.
    """
    organizations = by_organization(project, sorted(project.stacks))
    if not organizations:
        raise UsageError(
            "cannot find the organization",
            why="there is no stack",
            next_step="Create one: pulumi stack init production",
        )
    addresses = [email, *sorted(also)]
    return [_remains(project.settings(stacks[0]), addresses) for stacks in organizations.values()]


def _remains(settings: Settings, addresses: Sequence[str]) -> RemainingInOrganization:
    organization = settings.organization_id
    with connected(settings) as directory:
        person = next(filter(None, map(directory.person, addresses)), None)
        if person is None:
            return RemainingInOrganization(organization, listed=False, role=None, access={})
        access, gone = directory.reached_projects(person.email), person.deactivated
        return RemainingInOrganization(organization, listed=True, role=person.role, access=access, deactivated=gone)
