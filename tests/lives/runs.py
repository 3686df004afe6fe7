"""A run of a stack, and what each kind of run takes away: by the pages of the docs, and not by our code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from tests.lives.organization import Organization
from tests.lives.rosters import ORGANIZATION_RANK, Declared
from tests.lives.stacks import HeldMember, Landscape, Op, Stack


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
    _before: dict[str, str] = field(default_factory=dict)

    @property
    def day(self) -> date:
        return self.now.date()

    @property
    def organization(self) -> Organization:
        return self.landscape.organization

    def _name(self, email: str) -> str:
        return self.stack.address(email)

    def _gone(self, email: str) -> str:
        """The name of what is deleted of somebody: their address before this run."""
        return self._before.get(email, self._name(email))

    def _give_back(self, email: str, held: HeldMember) -> None:
        """Have somebody be again what they were before, once the stack declares no organization role for them."""
        person = self.organization.people.get(email)
        if person is None or held.role is None:
            return
        before = held.before or "member"
        if ORGANIZATION_RANK[person.role] > ORGANIZATION_RANK[before]:
            person.role = before

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
        """Take somebody out of the organization, if it was a stack that brought them and nothing keeps them.

        Who came by SCIM is deactivated, as a plain member.
        """
        organization = self.organization
        person = organization.people.get(email)
        if person is None:
            return
        others = member.role is None and person.role != "member"
        left = any(source.kind in ("individual", "team") for source in organization.sources(email))
        elsewhere = any(
            email in other.members and other.declares(email, self.day) for other in self.landscape.others(self.stack)
        )
        goes = member.ours and not (others or left or elsewhere)
        if not person.active or (goes and organization.comes_by_scim(email) and person.invited_at is None):
            person.active = False
            person.role = "member" if member.role is not None else person.role
        elif goes:
            organization.remove(email)
        else:
            self._give_back(email, member)
