"""What `pulumi up` gives and changes: by the pages of the docs, and not by our code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tests.lives.organization import INVITATION_LIFE, CustomRole, Person, Team
from tests.lives.refreshes import Refresh
from tests.lives.rosters import Declared, Reasons
from tests.lives.stacks import HeldGrant, HeldMember, HeldPlace, HeldProject, HeldRole, HeldTeam, Op, Stack


@dataclass
class Update(Refresh):
    """An update of one stack.

    Attributes:
        refused: the custom roles that it cannot delete.
    """

    refused: set[str] = field(default_factory=set)

    def up(self, *, refresh: bool) -> set[Op]:
        """`pulumi up`, with or without `--refresh`."""
        if refresh:
            self.refresh()
        declared = self.stack.roster.declared(self.day)
        teams = self.stack.roster.current_teams(self.day)
        self._custom_roles()
        for email, one in declared.items():
            self._follow(email, one)
            self._member(email, one)
        whole = {self.stack.roster.projects[key] for key in self.stack.roster.authoritative}
        for email, one in declared.items():
            for project, (role, reasons) in one.projects.items():
                if project not in whole:
                    self._grant(project, email, role, reasons)
        for project in whole:
            self._whole(
                project, {email: one.projects[project] for email, one in declared.items() if project in one.projects}
            )
        for key in teams:
            self._team(key)
        for key, team in teams.items():
            for name, role in team.projects.items():
                self._team_grant(self.stack.roster.projects[name], key, role)
        for email, one in declared.items():
            for key, reasons in one.teams.items():
                self._place(key, email, reasons)
        self._accounts()
        self._delete(declared)
        self._delete_custom_roles(declared)
        return self.ops

    def _follow(self, email: str, one: Declared) -> None:
        """Take over somebody whom the roster has by another address now: new resources, and the same person."""
        stack, address = self.stack, self.stack.roster.address(email)
        before = stack.address(email)
        if address == before:
            return
        stack.addresses[email] = address
        if email not in stack.members:
            return
        self._before[email] = before
        self.ops |= {("delete", before), ("create", address)}
        held = stack.members[email]
        held.declared = held.role = one.role
        held.reasons = one.reasons
        self._ensure(email, held, one.role)
        for project, whose in list(stack.grants):
            if whose == email:
                self.ops.add(("delete", f"{project}:{before}"))
                if project in one.projects:
                    del stack.grants[project, email]
        for key, whose in list(stack.places):
            if whose == email:
                self.ops.add(("delete", f"team/{key}:{before}"))
                if key in one.teams:
                    del stack.places[key, email]

    @property
    def others(self) -> list[Stack]:
        return self.landscape.others(self.stack)

    # Custom roles

    def _custom_roles(self) -> None:
        stack, organization = self.stack, self.organization
        for key, entry in stack.roster.roles.items():
            held, project = stack.roles.get(key), stack.roster.projects[entry.project]
            if held is not None and held.entry == entry:
                continue
            self.ops.add(("update" if held else "create", f"custom-role/{key}"))
            role = held.role if held else organization.custom_role(project, entry.name)
            if role is None:
                organization.made += 1
                role = CustomRole(f"custom{organization.made}", project, entry.name, entry.permissions)
                organization.custom_roles.append(role)
            role.name, role.permissions = entry.name, entry.permissions
            stack.roles[key] = HeldRole(role, replace(entry))

    def _delete_custom_roles(self, declared: Mapping[str, Declared]) -> None:
        for key, held in list(self.stack.roles.items()):
            if key not in self.stack.roster.roles:
                self.ops.add(("delete", f"custom-role/{key}"))
                again = any(one.role is held.role for one in self.stack.roles.values() if one is not held)
                if held.role in self.organization.custom_roles and not again:
                    if self._may_have(held.role, declared):
                        self.refused.add(key)
                        continue
                    self.organization.remove_role(held.role)
                del self.stack.roles[key]

    def _may_have(self, role: CustomRole, declared: Mapping[str, Declared]) -> bool:
        """Whether somebody whose access in the project the stack declares has a role, or may have it unseen."""
        stack, organization, project = self.stack, self.organization, role.project
        key = next(key for key, id_ in stack.roster.projects.items() if id_ == project)
        people = [email for email, one in declared.items() if project in one.projects]
        teams = [one for one, team in stack.roster.current_teams(self.day).items() if key in team.projects]
        accounts = [name for name, account in stack.roster.accounts.items() if key in account.projects]
        has = {
            *(organization.grants.get((project, email)) for email in people),
            *(stack.teams[one].team.projects.get(project) for one in teams),
            *(organization.accounts[name].get(project) for name in accounts),
        }
        return role.word in has or any(self._may_hide(email) for email in people)

    # People

    def _let_in(self, email: str) -> None:
        """Have somebody who comes by SCIM be a member; whoever is deactivated stays so."""
        if self.organization.comes_by_scim(email):
            self.organization.people.setdefault(email, Person()).invited_at = None

    def _member(self, email: str, one: Declared) -> None:
        held, person = self.stack.members.get(email), self.organization.people.get(email)
        if held is None:
            self.ops.add(("create", self._name(email)))
            ours, before = True, None
            if person is not None:
                ours = not person.active or self._was_brought(email)
                person.active = person.active or not any(email in other.members for other in self.others)
                if one.role is not None:
                    before = self._role_before(email, person)
            held = HeldMember(one.role, one.role, one.reasons, ours, before, adopted=person is not None)
            self.stack.members[email] = held
            self._ensure(email, held, one.role)
            return
        again = self._sends_again(email, held, one.role)
        if one.role != held.role or one.reasons != held.reasons or again:
            self.ops.add(("update", self._name(email)))
            if one.role is None and held.role is not None:
                self._give_back(email, held)
                held.role = held.declared = None
            elif one.role != held.role and held.role is None and person is not None:
                held.before = self._role_before(email, person)
            changes = one.role != held.role or again
            held.role = held.declared = one.role
            held.reasons = one.reasons
            if changes:
                self._ensure(email, held, one.role)

    def _ensure(self, email: str, held: HeldMember, role: str | None) -> None:
        person, by_scim = self.organization.people.get(email), self.organization.comes_by_scim(email)
        if person is None:
            person = self.organization.people[email] = Person(role or "member", None if by_scim else self.now)
            held.adopted, held.ours, held.before = False, True, None
            held.waits(self.now + INVITATION_LIFE, self.now)
        elif by_scim:
            person.invited_at = None
        elif self._sends_again(email, held, role):
            if later := self._sent_later(email, held):
                held.waits(later.until, later.sent)
            else:
                person.invited_at = self.now
                held.waits(self.now + INVITATION_LIFE, self.now)
        elif person.invited_at is not None and held.until is None:
            held.waits(self.now + INVITATION_LIFE)  # it is found waiting, and went out before now
        if role is not None:
            person.role = role
        if person.invited_at is None:
            held.waits(None)

    def _sends_again(self, email: str, held: HeldMember, role: str | None) -> bool:
        """Whether this stack is the one to send an invitation again that has expired by what it knows.

        Who comes by SCIM joins instead.
        """
        person = self.organization.people.get(email)
        if self.organization.comes_by_scim(email):
            return held.until is not None and (person is None or person.invited_at is not None)
        if held.until is None or held.until > self.now or (person is not None and person.invited_at is None):
            return False
        return held.sends(role) or not any(email in other.members for other in self.others)

    def _sent_later(self, email: str, held: HeldMember) -> HeldMember | None:
        """What another stack knows that has sent the invitation since."""
        found = (other.members.get(email) for other in self.others)
        later = (one for one in found if one and one.sent and one.until and one.until > self.now)
        return next((one for one in later if one.sent and (held.sent is None or one.sent > held.sent)), None)

    def _was_brought(self, email: str) -> bool:
        """Whether a stack of the project brought somebody who is there."""
        return any(email in other.members and other.members[email].ours for other in self.others)

    def _role_before(self, email: str, person: Person) -> str:
        for other in self.others:
            if (held := other.members.get(email)) and held.role == person.role:
                return held.before or "member"
        return person.role

    def _grant(self, project: int, email: str, role: str, reasons: Reasons) -> None:
        held, role = self.stack.grants.get((project, email)), self.stack.word(role)
        if held == HeldGrant(role, reasons):
            return
        self.ops.add(("update" if held else "create", f"{project}:{self._name(email)}"))
        if held is None or held.role != role:
            self._let_in(email)
            if email not in self.organization.people:
                self.organization.people[email] = Person("member", self.now)
            self.organization.grants[project, email] = role
        self.stack.grants[project, email] = HeldGrant(role, reasons)

    def _whole(self, project: int, wanted: Mapping[str, tuple[str, Reasons]]) -> None:
        """Have a project's grants be those that are declared, and no others; what is as declared is not looked at."""
        held = self.stack.whole.get(project)
        roles = {email: self.stack.word(role) for email, (role, _) in wanted.items()}
        declared = {email: reasons for email, (_, reasons) in wanted.items()}
        moved = not self._before.keys().isdisjoint(wanted)
        if held is not None and (held.grants, held.declared) == (roles, declared) and not moved:
            return
        self.ops.add(("update" if held else "create", f"project-access/{project}"))
        if held is None or held.grants != roles or moved:
            grants, known = self.organization.grants, held.grants if held else {}
            unsent = {email for email in roles if known.get(email) == roles[email] and (project, email) not in grants}
            unsent = {email for email in unsent if self._may_hide(email)}
            for email in (email for email in roles.keys() - unsent if grants.get((project, email)) != roles[email]):
                self._let_in(email)
            for email in roles.keys() - self.organization.people.keys():
                self.organization.people[email] = Person("member", self.now)  # a grant to a stranger invites them
            others = {key: role for key, role in grants.items() if key[0] != project}
            given = {(project, email): role for email, role in roles.items() if email not in unsent}
            self.organization.grants = others | given
            lost = {email for email in unsent if not self._may_hide(email)}  # as the list shows after the run
            roles = {email: role for email, role in roles.items() if email not in lost}
        self.stack.whole[project] = HeldProject(roles, declared)

    def _team(self, key: str) -> None:
        entry, held = self.stack.roster.teams[key], self.stack.teams.get(key)
        days = entry.starts, entry.ends
        if held is None:
            self.ops.add(("create", f"team/{key}"))
            team = self.organization.team(entry.name)
            if adopted := team is not None:
                assert team is not None
            else:
                team = Team(entry.name)
                self.organization.teams.append(team)
            self.stack.teams[key] = HeldTeam(team, entry.name, adopted, days)
        elif (held.name, held.days) != (entry.name, days):
            self.ops.add(("update", f"team/{key}"))
            if held.name != entry.name:
                held.team.name = held.name = entry.name
            held.days = days

    def _team_grant(self, project: int, key: str, role: str) -> None:
        before, role = self.stack.team_grants.get((project, key)), self.stack.word(role)
        if before != role:
            self.ops.add(("update" if before else "create", f"{project}:team/{key}"))
            self.stack.teams[key].team.projects[project] = role
            self.stack.team_grants[project, key] = role

    def _place(self, key: str, email: str, reasons: Reasons) -> None:
        held, person = self.stack.places.get((key, email)), self.organization.people.get(email)
        joins = held is not None and held.waits and person is not None and person.invited_at is None
        if held is not None and held.reasons == reasons and not joins:
            return
        self.ops.add(("update" if held else "create", f"team/{key}:{self._name(email)}"))
        if held is None or joins:
            if person is not None:
                self._let_in(email)
                self.stack.teams[key].team.members.add(email)
            self.stack.places[key, email] = HeldPlace(reasons, waits=person is None)
        else:
            held.reasons = reasons

    def _accounts(self) -> None:
        stack = self.stack
        for name, account in stack.roster.accounts.items():
            if name not in stack.accounts:
                self.ops.add(("create", f"service-account/{name}"))
                self.organization.accounts[name] = {}
                stack.accounts.add(name)
            for key, role in account.projects.items():
                project, role = stack.roster.projects[key], stack.word(role)  # noqa: PLW2901
                before = stack.account_grants.get((project, name))
                if before != role:
                    self.ops.add(("update" if before else "create", f"{project}:service-account/{name}"))
                    self.organization.accounts[name][project] = role
                    stack.account_grants[project, name] = role
