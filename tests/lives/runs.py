"""What a run of a stack does to the organization and to the state: by the pages of the docs, and not by our code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from tests.lives.organization import INVITATION_LIFE, Organization, Person, Team
from tests.lives.rosters import ORGANIZATION_RANK, RANK, Declared, Reasons
from tests.lives.stacks import HeldGrant, HeldMember, HeldPlace, HeldProject, HeldTeam, Landscape, Op, Stack


@dataclass
class Run:
    """A run of one stack.

    Attributes:
        ops: the steps that it has taken.
    """

    landscape: Landscape
    stack: Stack
    now: datetime
    ops: set[Op] = field(default_factory=set)
    _shows_invited: bool = False
    _before: dict[str, str] = field(default_factory=dict)

    @property
    def day(self) -> date:
        return self.now.date()

    @property
    def organization(self) -> Organization:
        return self.landscape.organization

    def up(self, *, refresh: bool) -> set[Op]:
        """`pulumi up`, with or without `--refresh`."""
        if refresh:
            self.refresh()
        declared = self.stack.roster.declared(self.day)
        teams = self.stack.roster.current_teams(self.day)
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
        return self.ops

    # What is read

    def refresh(self) -> None:
        """Have the state show what is there."""
        stack, organization = self.stack, self.organization
        for email, member in list(stack.members.items()):
            person = organization.people.get(email)
            if person is None:
                del stack.members[email]
                continue
            if member.role is not None:
                member.role = person.role
            if person.invited_at is None:
                member.waits(None)
            elif member.until is None:  # somebody left, and was invited by hand
                member.waits(self.now + INVITATION_LIFE)
        for (project, email), grant in list(stack.grants.items()):
            role = organization.grants.get((project, email))
            if role is not None:
                grant.role = role
            elif not self._may_hide(project, email):
                del stack.grants[project, email]
        for project, whole in stack.whole.items():
            listed = {email: role for (id_, email), role in organization.grants.items() if id_ == project}
            hidden = {email for email in whole.grants.keys() - listed if self._may_hide(project, email)}
            whole.grants = listed | {email: whole.grants[email] for email in hidden}
        for (key, email), place in list(stack.places.items()):
            team = stack.teams[key].team
            there = team in organization.teams and email in organization.people
            inside = there and email in team.members
            if not inside and not (there and place.waits):
                del stack.places[key, email]
            elif inside:
                place.waits = False
        for project, key in list(stack.team_grants):
            team = stack.teams[key].team
            role = team.projects.get(project) if team in organization.teams else None
            if role is None:
                del stack.team_grants[project, key]
            else:
                stack.team_grants[project, key] = role
        for key, held in list(stack.teams.items()):
            if held.team not in organization.teams:
                del stack.teams[key]
            else:
                held.name = held.team.name

    def _may_hide(self, project: int, email: str) -> bool:
        """Whether the grant of somebody who is invited may be there without being listed.

        It may until a project whose list was asked for this reason has shown anybody who is invited.
        """
        organization = self.organization
        person = organization.people.get(email)
        if person is None or person.invited_at is None:
            return False
        self._shows_invited = self._shows_invited or any(
            source.project == project and source.kind != "organization_role"
            for one, held in organization.people.items()
            if held.invited_at is not None
            for source in organization.sources(one)
        )
        return not self._shows_invited

    # What is given

    def _name(self, email: str) -> str:
        return self.stack.address(email)

    def _gone(self, email: str) -> str:
        """The name of what is deleted of somebody: their address before this run."""
        return self._before.get(email, self._name(email))

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

    def _member(self, email: str, one: Declared) -> None:
        held, person = self.stack.members.get(email), self.organization.people.get(email)
        if held is None:
            self.ops.add(("create", self._name(email)))
            ours, before = True, None
            if person is not None:
                ours = self._was_brought(email)
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
        person = self.organization.people.get(email)
        if person is None:
            person = self.organization.people[email] = Person(role or "member", self.now)
            held.adopted, held.ours, held.before = False, True, None
            held.waits(self.now + INVITATION_LIFE, self.now)
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
        """Whether this stack is the one to send an invitation again that has expired by what it knows."""
        person = self.organization.people.get(email)
        if held.until is None or held.until > self.now or (person is not None and person.invited_at is None):
            return False
        return held.sends(role) or not any(email in other.members for other in self.landscape.others(self.stack))

    def _sent_later(self, email: str, held: HeldMember) -> HeldMember | None:
        """What another stack knows that has sent the invitation since."""
        found = (other.members.get(email) for other in self.landscape.others(self.stack))
        later = (one for one in found if one and one.sent and one.until and one.until > self.now)
        return next((one for one in later if one.sent and (held.sent is None or one.sent > held.sent)), None)

    def _was_brought(self, email: str) -> bool:
        """Whether a stack of the project brought somebody who is there."""
        return any(email in other.members and other.members[email].ours for other in self.landscape.others(self.stack))

    def _role_before(self, email: str, person: Person) -> str:
        for other in self.landscape.others(self.stack):
            if (held := other.members.get(email)) and held.role == person.role:
                return held.before or "member"
        return person.role

    def _give_back(self, email: str, held: HeldMember) -> None:
        """Have somebody be again what they were before, once the stack declares no organization role for them."""
        person = self.organization.people.get(email)
        if person is None or held.role is None:
            return
        before = held.before or "member"
        if ORGANIZATION_RANK[person.role] > ORGANIZATION_RANK[before]:
            person.role = before

    def _grant(self, project: int, email: str, role: str, reasons: Reasons) -> None:
        held = self.stack.grants.get((project, email))
        if held == HeldGrant(role, reasons):
            return
        self.ops.add(("update" if held else "create", f"{project}:{self._name(email)}"))
        if held is None or held.role != role:
            if email not in self.organization.people:
                self.organization.people[email] = Person("member", self.now)
            self.organization.grants[project, email] = role
        self.stack.grants[project, email] = HeldGrant(role, reasons)

    def _whole(self, project: int, wanted: Mapping[str, tuple[str, Reasons]]) -> None:
        """Have a project's grants be those that are declared, and no others; what is as declared is not looked at."""
        held, roles = self.stack.whole.get(project), {email: role for email, (role, _) in wanted.items()}
        declared = {email: reasons for email, (_, reasons) in wanted.items()}
        moved = not self._before.keys().isdisjoint(wanted)
        if held is not None and (held.grants, held.declared) == (roles, declared) and not moved:
            return
        self.ops.add(("update" if held else "create", f"project-access/{project}"))
        if held is None or held.grants != roles:
            grants, known = self.organization.grants, held.grants if held else {}
            unsent = {email for email in roles if known.get(email) == roles[email] and (project, email) not in grants}
            unsent = {email for email in unsent if self._may_hide(project, email)}
            for email in roles.keys() - self.organization.people.keys():
                self.organization.people[email] = Person("member", self.now)  # a grant to a stranger invites them
            others = {key: role for key, role in grants.items() if key[0] != project}
            given = {(project, email): role for email, role in roles.items() if email not in unsent}
            self.organization.grants = others | given
            lost = {email for email in unsent if not self._may_hide(project, email)}  # as the list shows after the run
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
        before = self.stack.team_grants.get((project, key))
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
                project = stack.roster.projects[key]
                before = stack.account_grants.get((project, name))
                if before != role:
                    self.ops.add(("update" if before else "create", f"{project}:service-account/{name}"))
                    self.organization.accounts[name][project] = role
                    stack.account_grants[project, name] = role

    # What is taken

    def _delete(self, declared: Mapping[str, Declared]) -> None:
        stack, organization = self.stack, self.organization
        self._delete_accounts()
        teams = stack.roster.current_teams(self.day)
        for key, email in list(stack.places):
            if email not in declared or key not in declared[email].teams:
                self.ops.add(("delete", f"team/{key}:{self._gone(email)}"))
                stack.teams[key].team.members.discard(email)
                del stack.places[key, email]
        for project, key in list(stack.team_grants):
            if key not in teams:
                self.ops.add(("delete", f"{project}:team/{key}"))
                stack.teams[key].team.projects.pop(project, None)
                del stack.team_grants[project, key]
        for project, email in list(stack.grants):
            if email not in declared or project not in declared[email].projects:
                self.ops.add(("delete", f"{project}:{self._gone(email)}"))
                organization.grants.pop((project, email), None)
                del stack.grants[project, email]
        for key, held in list(stack.teams.items()):
            if key not in teams:
                self.ops.add(("delete", f"team/{key}"))
                if not held.adopted and not held.team.members and not held.team.projects:
                    organization.teams = [team for team in organization.teams if team is not held.team]
                del stack.teams[key]
        for email, member in list(stack.members.items()):
            if email not in declared:
                self.ops.add(("delete", self._gone(email)))
                self._leave(email, member)
                del stack.members[email]

    def _delete_accounts(self) -> None:
        stack = self.stack
        for project, name in list(stack.account_grants):
            account = stack.roster.accounts.get(name)
            if account is None or project not in {stack.roster.projects[key] for key in account.projects}:
                self.ops.add(("delete", f"{project}:service-account/{name}"))
                self.organization.accounts[name].pop(project, None)
                del stack.account_grants[project, name]
        for name in stack.accounts - stack.roster.accounts.keys():
            self.ops.add(("delete", f"service-account/{name}"))
            del self.organization.accounts[name]
            stack.accounts.discard(name)

    def _leave(self, email: str, member: HeldMember) -> None:
        """Take somebody out of the organization, if it was a stack that brought them and nothing keeps them."""
        organization = self.organization
        person = organization.people.get(email)
        if person is None:
            return
        others = member.role is None and person.role != "member"
        left = any(source.kind in ("individual", "team") for source in organization.sources(email))
        elsewhere = any(
            email in other.members and other.declares(email, self.day) for other in self.landscape.others(self.stack)
        )
        if not member.ours or others or left or elsewhere:
            self._give_back(email, member)
        else:
            organization.remove(email)

    # What `mixpanel-access revoke` does

    def revoke(self) -> set[Op]:
        """Take away what the state has and the roster no longer gives; give and raise nothing."""
        declared = self.stack.roster.declared(self.day)
        for email, member in self.stack.members.items():
            one = declared.get(email)
            if one and member.role and ORGANIZATION_RANK[one.role] < ORGANIZATION_RANK[member.role]:
                if one.role is None and ORGANIZATION_RANK[member.role] <= ORGANIZATION_RANK["member"]:
                    continue
                self.ops.add(("update", self._name(email)))
                if one.role is None:
                    self._give_back(email, member)
                elif person := self.organization.people.get(email):
                    person.role = one.role
                member.role, member.reasons = one.role, one.reasons
        for (project, email), grant in self.stack.grants.items():
            role, reasons = declared[email].projects.get(project, ("", None)) if email in declared else ("", None)
            if role and reasons and RANK.get(role, 0) < RANK.get(grant.role, 0):
                self.ops.add(("update", f"{project}:{self._name(email)}"))
                if email in self.organization.people:
                    self.organization.grants[project, email] = role
                self.stack.grants[project, email] = HeldGrant(role, reasons)
        for project, whole in self.stack.whole.items():
            self._revoke_in(project, whole, declared)
        teams = self.stack.roster.current_teams(self.day)
        for (project, key), role in self.stack.team_grants.items():
            entry = teams.get(key)
            ids = {self.stack.roster.projects[one]: given for one, given in entry.projects.items()} if entry else {}
            if project in ids and RANK[ids[project]] < RANK[role]:
                self.ops.add(("update", f"{project}:team/{key}"))
                self.stack.teams[key].team.projects[project] = ids[project]
                self.stack.team_grants[project, key] = ids[project]
        for (project, name), role in self.stack.account_grants.items():
            account = self.stack.roster.accounts.get(name)
            given = {self.stack.roster.projects[key]: one for key, one in account.projects.items()} if account else {}
            if project in given and RANK[given[project]] < RANK[role]:
                self.ops.add(("update", f"{project}:service-account/{name}"))
                self.organization.accounts[name][project] = given[project]
                self.stack.account_grants[project, name] = given[project]
        self._delete(declared)
        return self.ops

    def _revoke_in(self, project: int, whole: HeldProject, declared: Mapping[str, Declared]) -> None:
        """Take away of a project's grants what the stack gave and the roster no longer gives; others stay."""
        name, grants, changed = f"project-access/{project}", self.organization.grants, False
        for email, held in whole.given_or_lost().items():
            role, reasons = declared[email].projects.get(project, ("", None)) if email in declared else ("", None)
            if not role:
                self.ops.add(("delete", name))
                grants.pop((project, email), None)
                del whole.declared[email]
            elif reasons and RANK.get(role, 0) < RANK.get(held.role, 0):
                self.ops.add(("update", name))
                if (project, email) in grants:
                    grants[project, email] = role
                whole.declared[email] = reasons
            else:
                continue
            changed = True
        if changed:
            whole.grants = {email: role for (id_, email), role in grants.items() if id_ == project}
            known = {*whole.grants, *self.stack.members}
            whole.declared = {email: why for email, why in whole.declared.items() if email in known}
