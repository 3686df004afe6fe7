"""What `mixpanel-access revoke` does: by its page, and not by our code."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from tests.lives.rosters import ORGANIZATION_RANK, RANK, Declared, is_lower
from tests.lives.runs import Run
from tests.lives.stacks import HeldGrant, HeldProject, Op


class Revocation(Run):
    """A revocation of one stack."""

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
        for (project, email), grant in list(self.stack.grants.items()):
            role, reasons = declared[email].projects.get(project, ("", None)) if email in declared else ("", None)
            less = self._less(role, grant.role, grant.reasons[2])
            if role and reasons and less:
                self.ops.add(("update", f"{project}:{self._name(email)}"))
                if email in self.organization.people:
                    self.organization.grants[project, email] = less
                self.stack.grants[project, email] = HeldGrant(less, reasons)
            elif role and less == "":
                self.ops.add(("delete", f"{project}:{self._name(email)}"))
                self.organization.grants.pop((project, email), None)
                del self.stack.grants[project, email]
        for project, whole in self.stack.whole.items():
            self._revoke_in(project, whole, declared)
        self._revoke_holders()
        self._delete(declared)
        return self.ops

    def _less(self, declared: str, before: str, last: date | None) -> str | None:
        """What takes the place of a role: the role that is less, "" for nothing, or None if it stays."""
        ended, after = last is not None and last < self.day, self.stack.word(declared)
        if not declared or (ended and declared not in RANK and declared not in self.stack.roles):
            return ""  # nobody can give a custom role that is not made yet
        return after if is_lower(after, before, ended=ended) else None

    def _revoke_holders(self) -> None:
        """Lower the roles of teams and service accounts."""
        stack, projects = self.stack, self.stack.roster.projects
        teams = stack.roster.current_teams(self.day)
        for (project, key), role in stack.team_grants.items():
            ids = {projects[one]: given for one, given in teams[key].projects.items()} if key in teams else {}
            less = self._less(ids[project], role, stack.teams[key].days[1]) if project in ids else None
            if less:
                self.ops.add(("update", f"{project}:team/{key}"))
                stack.teams[key].team.projects[project] = stack.team_grants[project, key] = less
        for (project, name), role in stack.account_grants.items():
            account = stack.roster.accounts.get(name)
            given = {projects[key]: one for key, one in account.projects.items()} if account else {}
            if project in given and (less := self._less(given[project], role, None)):
                self.ops.add(("update", f"{project}:service-account/{name}"))
                self.organization.accounts[name][project] = stack.account_grants[project, name] = less

    def _revoke_in(self, project: int, whole: HeldProject, declared: Mapping[str, Declared]) -> None:
        """Take away of a project's grants what the stack gave and the roster no longer gives; others stay."""
        name, grants, changed = f"project-access/{project}", self.organization.grants, False
        for email, held in whole.given_or_lost().items():
            role, reasons = declared[email].projects.get(project, ("", None)) if email in declared else ("", None)
            less = self._less(role, held.role, held.reasons[2])
            if less == "":
                self.ops.add(("delete", name))
                grants.pop((project, email), None)
                del whole.declared[email]
            elif reasons and less:
                self.ops.add(("update", name))
                if (project, email) in grants:
                    grants[project, email] = less
                whole.declared[email] = reasons
            else:
                continue
            changed = True
        if changed:
            whole.grants = {email: role for (id_, email), role in grants.items() if id_ == project}
            known = {*whole.grants, *self.stack.members}
            whole.declared = {email: why for email, why in whole.declared.items() if email in known}
