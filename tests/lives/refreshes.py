"""What a run reads: `--refresh` has the state show what is there, as far as Mixpanel shows it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tests.lives.organization import INVITATION_LIFE
from tests.lives.runs import Run


@dataclass
class Refresh(Run):
    """A run that may read first."""

    _shows_invited: bool = False

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
            elif not self._may_hide(email):
                del stack.grants[project, email]
        for project, whole in stack.whole.items():
            listed = {email: role for (id_, email), role in organization.grants.items() if id_ == project}
            hidden = {email for email in whole.grants.keys() - listed if self._may_hide(email)}
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

        for project, name in list(stack.account_grants):
            stack.account_grants[project, name] = organization.accounts[name][project]
        for key, custom in list(stack.roles.items()):
            if custom.role not in organization.custom_roles:
                del stack.roles[key]
            else:
                custom.entry = replace(custom.entry, name=custom.role.name, permissions=custom.role.permissions)

    def _may_hide(self, email: str) -> bool:
        """Whether the grant of somebody who is invited may be there without being listed.

        It may until any project has shown anybody who is invited.
        """
        organization = self.organization
        person = organization.people.get(email)
        if person is None or person.invited_at is None:
            return False
        self._shows_invited = self._shows_invited or any(
            source.kind != "organization_role"
            for one, held in organization.people.items()
            if held.invited_at is not None
            for source in organization.sources(one)
        )
        return not self._shows_invited
