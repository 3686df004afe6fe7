"""What people and the identity provider do in the product, outside of the stacks."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.lives.draft import OWNERS, PERMISSIONS, ROLES, Draft, Event
from tests.lives.organization import CustomRole, Organization, Person, Team
from tests.lives.rosters import RANK

_CUSTOM = 0.25
"""How often a role by hand is a custom one of the project, where it has some."""


class Hands:
    """The changes by hand of a life."""

    def __init__(self, draft: Draft) -> None:
        self._draft, self.random = draft, draft.random
        self._renamed = 0

    def change(self) -> Iterator[Event]:
        """Change something by hand."""
        hands: list[Callable[[], Iterator[Event]]] = [
            self._removes, self._grants, self._grants, self._grants, self._gives_role, self._invites,
            self._changes_team, self._changes_places, self._renames_team, self._changes_address,
            self._changes_custom_role,
        ]  # fmt: skip
        if self.organization.claimed:
            hands += [self._provisions, self._deactivates, self._activates, self._changes_group]
        yield from self.random.choice(hands)()

    @property
    def organization(self) -> Organization:
        return self._draft.organization

    def accept(self) -> Iterator[Event]:
        """Some accept their invitations."""
        for email, person in list(self.organization.people.items()):
            if person.invited_at is None or self.random.random() > 0.3:
                continue
            if not self.organization.has_expired(email, self._draft.now):
                person.invited_at = None
                yield self._draft.event("accept", email)

    # People

    def _removes(self) -> Iterator[Event]:
        if (email := self._draft.somebody()) is not None and not self._draft.is_between_addresses(email):
            removed = self._draft.event("hand_removes", email)
            self.organization.remove(email)
            yield removed

    def _role(self, project: int, words: tuple[str, ...]) -> str | None:
        """A role in a project, or none."""
        custom = [one.word for one in self.organization.custom_roles if one.project == project]
        if custom and self.random.random() < _CUSTOM:
            return self.random.choice(custom)
        return self.random.choice((None, *words))

    def _grants(self) -> Iterator[Event]:
        if (email := self._draft.somebody()) is not None:
            project = self.random.choice(self.organization.projects)
            role = self._role(project, tuple(RANK))
            if role is None:
                self.organization.grants.pop((project, email), None)
            else:
                self.organization.grants[project, email] = role
            yield self._draft.event("hand_grants", project, email, role)

    def _gives_role(self) -> Iterator[Event]:
        if (email := self._draft.somebody(joined=True)) is not None:
            role = self.random.choice(("member", "admin", "billing_admin"))
            self.organization.people[email].role = role
            yield self._draft.event("hand_gives_role", email, role)

    def _invites(self) -> Iterator[Event]:
        free = [email for email in self._draft.everybody if email not in self.organization.people]
        if free:
            email = self.random.choice(free)
            self.organization.people[email] = Person("member", self._draft.now)
            yield self._draft.event("hand_invites", email)

    def _changes_address(self) -> Iterator[Event]:
        """Somebody changes their address in Mixpanel, and the rosters follow: some at once, others days later.

        It is somebody of whom the states know Mixpanel's id, and whom all rosters with an entry already have.
        """
        stacks, people = self._draft.stacks, self.organization.people
        known = [
            email
            for email, person in people.items()
            if email not in OWNERS and person.invited_at is None and email not in self.organization.addresses
            and person.active and any(email in stack.members for stack in stacks)
            and all(stack.members[email].until is None for stack in stacks if email in stack.members)
            and all(email in stack.members for stack in stacks if stack.roster.entries_of(email))
        ]  # fmt: skip
        if not known:
            return
        email = self.random.choice(known)
        address = email.replace("@", ".new@")
        early = [stack for stack in stacks if self.random.random() < 0.2]
        for stack in early:
            yield from self._draft.follow_address(email, stack, address)
        changed = self._draft.event("hand_changes_address", email, address)
        self.organization.addresses[email] = address
        if late := {stack.name for stack in stacks if stack not in early}:
            self.organization.behind[email] = late
        yield changed

    # Teams and custom roles

    def _a_team(self) -> Team | None:
        return self.random.choice(self.organization.teams) if self.organization.teams else None

    def _changes_team(self) -> Iterator[Event]:
        if (team := self._a_team()) is not None:
            project = self.random.choice(self.organization.projects)
            role = self._role(project, ROLES)
            if role is None:
                if project not in team.projects:
                    return
                del team.projects[project]
            else:
                team.projects[project] = role
            yield self._draft.event("hand_changes_team", team.name, project, role)

    def _changes_places(self) -> Iterator[Event]:
        team, email = self._a_team(), self._draft.somebody()
        if team is not None and email is not None:
            if team.members and self.random.random() < 0.6:
                email = self.random.choice(sorted(team.members))
                team.members.discard(email)
                yield self._draft.event("hand_takes_out", team.name, email)
            else:
                team.members.add(email)
                yield self._draft.event("hand_puts_in", team.name, email)

    def _renames_team(self) -> Iterator[Event]:
        if (team := self._a_team()) is not None:
            before = team.name
            self._renamed += 1
            team.name = f"{before.split(' by hand')[0]} by hand {self._renamed}"
            yield self._draft.event("hand_renames_team", before, team.name)

    def _changes_custom_role(self) -> Iterator[Event]:
        """Another name or other permissions of a custom role, or no role any more."""
        roles: list[CustomRole] = self.organization.custom_roles
        if not roles:
            return
        role, before, luck = (one := self.random.choice(roles)), one.name, self.random.random()
        if luck < 0.25:
            self.organization.remove_role(role)
            yield self._draft.event("hand_deletes_role", role.project, before)
            return
        if luck < 0.5:
            self._renamed += 1
            role.name = f"{before.split(' by hand')[0]} by hand {self._renamed}"
        else:
            role.permissions = frozenset(self.random.sample(PERMISSIONS, 2))
        yield self._draft.event("hand_changes_role", role.project, before, role.name, sorted(role.permissions))

    # The identity provider

    def _of_the_domain(self, *, active: bool) -> list[str]:
        there = self.organization.people.items()
        return [
            email
            for email, person in there
            if email not in OWNERS and self.organization.comes_by_scim(email)
            and person.invited_at is None and person.active == active
        ]  # fmt: skip

    def _provisions(self) -> Iterator[Event]:
        free = [
            email
            for email in self._draft.everybody
            if email not in self.organization.people and self.organization.comes_by_scim(email)
        ]
        if free:
            email = self.random.choice(free)
            self.organization.people[email] = Person()
            yield self._draft.event("idp_provisions", email)

    def _deactivates(self) -> Iterator[Event]:
        if there := self._of_the_domain(active=True):
            email = self.random.choice(there)
            self.organization.people[email].active = False
            yield self._draft.event("idp_activates", email, False)

    def _activates(self) -> Iterator[Event]:
        if there := self._of_the_domain(active=False):
            email = self.random.choice(there)
            self.organization.people[email].active = True
            yield self._draft.event("idp_activates", email, True)

    def _changes_group(self) -> Iterator[Event]:
        """Put somebody into a team or take them out, by the team's group."""
        team, there = self._a_team(), self._of_the_domain(active=True)
        if team is None or not there:
            return
        email = self.random.choice(there)
        inside = email not in team.members
        (team.members.add if inside else team.members.discard)(email)
        yield self._draft.event("idp_changes_group", team.name, email, inside)
