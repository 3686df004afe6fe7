"""What people write in a stack's roster."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta

from tests.lives.draft import ADOPTED_ROLE, ADOPTED_TEAM, PERMISSIONS, ROLES, Draft
from tests.lives.rosters import Account, Entry, RoleEntry, Roster, TeamEntry
from tests.lives.stacks import Stack

_CUSTOM = 0.3
"""How often a role is a custom one, where the roster has some."""


class Edits:
    """The edits of the rosters of a life."""

    def __init__(self, draft: Draft) -> None:
        self._draft, self.random = draft, draft.random
        self._teams = self._renamed = self._accounts = self._roles = 0

    def begin(self, stack: Stack) -> None:
        """What a roster has on the first day."""
        if self.random.random() < 0.5:
            self._new_role(stack)
        for _ in range(self.random.randint(1, 2)):
            self._new_team(stack)
        for _ in range(self.random.randint(7, 11)):
            self._invite(stack)
        self._leave_no_choice(stack.roster)

    def edit(self, stack: Stack) -> None:
        """One or two edits."""
        edits: list[Callable[[Stack], object]] = [
            self._invite, self._invite, self._engage, self._move_end, self._move_end, self._move_end, self._change_role,
            self._change_role, self._drop_entry, self._change_projects, self._change_places, self._new_team,
            self._end_team, self._change_team, self._new_account, self._change_account, self._new_role,
            self._edit_role, self._drop_role,
        ]  # fmt: skip
        for _ in range(self.random.choice((1, 1, 2))):
            self.random.choice(edits)(stack)
        if len(stack.roster.declared(self._draft.today)) < 9:
            self._invite(stack)
        self._leave_no_choice(stack.roster)

    def _leave_no_choice(self, roster: Roster) -> None:
        """Give nobody a custom role next to another role in the same project, which a roster must not."""
        for entry in roster.entries:
            others = [key for one in roster.entries_of(entry.email) if one is not entry for key in one.projects]
            for project, role in entry.projects.items():
                if role in roster.roles and project in others:
                    entry.projects[project] = ROLES[0]

    def _role(self, roster: Roster, project: str) -> str:
        """A role for a project: one of the words, or a custom role of the roster."""
        own = [key for key, one in roster.roles.items() if one.project == project]
        return self.random.choice(own) if own and self.random.random() < _CUSTOM else self.random.choice(ROLES)

    @property
    def drawn(self) -> Counter[str]:
        """What was drawn so far."""
        return Counter({"teams": self._teams, "custom roles": self._roles, "service accounts": self._accounts})

    # People

    def _invite(self, stack: Stack) -> None:
        """Somebody new, or one more entry of somebody."""
        roster = stack.roster
        free = [email for email in self._draft.everybody if not roster.entries_of(email)]
        if not free:
            return
        email = self.random.choice(free)
        keys = self.random.sample(list(roster.projects), self.random.randint(1, 2))
        entry = Entry(email, {key: self._role(roster, key) for key in keys})
        if roster.owns_roles and self.random.random() < 0.4:
            entry.role = self.random.choice(("member", "member", "admin"))
        if roster.teams and self.random.random() < 0.5:
            entry.teams = [self.random.choice(list(roster.teams))]
        if self.random.random() < 0.2:
            entry.starts = self._draft.days_ahead(0, 6)
        if self.random.random() < 0.6:
            entry.ends = (entry.starts or self._draft.today) + timedelta(days=self.random.randint(1, 22))
        self._fits(roster, entry)
        roster.entries.append(entry)

    def _fits(self, roster: Roster, entry: Entry) -> None:
        """Leave out the teams that share no day with the entry, which a roster must not have."""
        entry.teams = [key for key in entry.teams if _share_a_day(entry, roster.teams[key])]

    def _engage(self, stack: Stack) -> None:
        """An engagement, and an entry for it of somebody who may have one already."""
        roster = stack.roster
        key = f"e{len(roster.engagements)}"
        starts = self._draft.days_ahead(-3, 6)
        roster.engagements[key] = starts, starts + timedelta(days=self.random.randint(4, 25))
        email = self.random.choice(self._draft.everybody)
        if any(entry.engagement is not None for entry in roster.entries_of(email)):
            return
        project = self.random.choice(list(roster.projects))
        entry = Entry(email, {project: self._role(roster, project)}, engagement=key, inherits=True)
        entry.starts, entry.ends = roster.engagements[key]
        if roster.teams and self.random.random() < 0.3:
            entry.teams = [self.random.choice(list(roster.teams))]
        self._fits(roster, entry)
        roster.entries.append(entry)

    def _an_entry(self, stack: Stack) -> Entry | None:
        return self.random.choice(stack.roster.entries) if stack.roster.entries else None

    def _move_end(self, stack: Stack) -> None:
        entry = self._an_entry(stack)
        if entry is None or entry.inherits:
            return
        if entry.ends is not None and self.random.random() < 0.2:
            entry.ends = None
        else:
            earliest = entry.starts or date.min
            entry.ends = max(self._draft.days_ahead(-2, 20), earliest)
        self._fits(stack.roster, entry)

    def _change_role(self, stack: Stack) -> None:
        entry = self._an_entry(stack)
        if entry is None:
            return
        if stack.roster.owns_roles and self.random.random() < 0.3:
            entry.role = self.random.choice((None, "member", "admin"))
        elif entry.projects:
            key = self.random.choice(list(entry.projects))
            entry.projects[key] = self._role(stack.roster, key)

    def _change_projects(self, stack: Stack) -> None:
        entry = self._an_entry(stack)
        if entry is None:
            return
        key = self.random.choice(list(stack.roster.projects))
        if key in entry.projects:
            del entry.projects[key]
        else:
            entry.projects[key] = self._role(stack.roster, key)

    def _drop_entry(self, stack: Stack) -> None:
        entry = self._an_entry(stack)
        if entry is not None:
            stack.roster.entries.remove(entry)

    # Teams

    def _change_places(self, stack: Stack) -> None:
        entry = self._an_entry(stack)
        if entry is None or not stack.roster.teams:
            return
        key = self.random.choice(list(stack.roster.teams))
        entry.teams = [one for one in entry.teams if one != key] if key in entry.teams else [*entry.teams, key]
        self._fits(stack.roster, entry)

    def _new_team(self, stack: Stack) -> None:
        """A team of the stack; the first adopts one that is there."""
        roster = stack.roster
        if len(roster.teams) >= 3:
            return
        self._teams += 1
        name = ADOPTED_TEAM if self._teams == 2 and stack.name == "production" else f"Team {self._teams}"
        key = f"t{self._teams}"
        project = self.random.choice(list(roster.projects))
        team = TeamEntry(name, {project: self._role(roster, project)})
        if self.random.random() < 0.4:
            team.ends = self._draft.days_ahead(2, 15)
        if self.random.random() < 0.2:
            team.starts = self._draft.days_ahead(0, 2)
        roster.teams[key] = team

    def _end_team(self, stack: Stack) -> None:
        if not stack.roster.teams:
            return
        team = stack.roster.teams[self.random.choice(list(stack.roster.teams))]
        earliest = max([date.min, *([team.starts] if team.starts else [])])
        team.ends = None if self.random.random() < 0.3 else max(self._draft.days_ahead(-1, 12), earliest)
        for entry in stack.roster.entries:
            self._fits(stack.roster, entry)

    def _change_team(self, stack: Stack) -> None:
        """Another role of a team, or another name, or no team any more."""
        roster = stack.roster
        if not roster.teams:
            return
        key = self.random.choice(list(roster.teams))
        luck = self.random.random()
        if luck < 0.15:
            del roster.teams[key]
            for entry in roster.entries:
                entry.teams = [one for one in entry.teams if one != key]
        elif luck < 0.3:
            self._renamed += 1
            roster.teams[key].name = f"{roster.teams[key].name.split(' again')[0]} again {self._renamed}"
        else:
            project = self.random.choice(list(roster.teams[key].projects))
            roster.teams[key].projects[project] = self._role(roster, project)

    # Service accounts

    def _new_account(self, stack: Stack) -> None:
        """A service account of the stack, of which a few have expired before they are made."""
        self._accounts += 1
        keys = self.random.sample(list(stack.roster.projects), self.random.randint(0, 2))
        expires = self._draft.days_ahead(-3, 40) if self.random.random() < 0.6 else None
        roles = {key: self._role(stack.roster, key) for key in keys}
        stack.roster.accounts[f"job{self._accounts}"] = Account(roles, self.random.choice(ROLES), expires)

    def _change_account(self, stack: Stack) -> None:
        """Another role of a service account in a project, or no account any more."""
        accounts = stack.roster.accounts
        if not accounts:
            return
        name = self.random.choice(list(accounts))
        key = self.random.choice(list(stack.roster.projects))
        luck = self.random.random()
        if luck < 0.2:
            del accounts[name]
        elif luck < 0.4:
            accounts[name].projects.pop(key, None)
        else:
            accounts[name].projects[key] = self._role(stack.roster, key)

    # Custom roles

    def _new_role(self, stack: Stack) -> None:
        """A custom role of the stack, which some get at once; the first of production adopts one that is there."""
        roster = stack.roster
        if len(roster.roles) >= 2:
            return
        self._roles += 1
        adopts = stack.name == "production" and all(one.name != ADOPTED_ROLE for one in roster.roles.values())
        project = "shop" if adopts else self.random.choice(list(roster.projects))
        key, name = f"r{self._roles}", ADOPTED_ROLE if adopts else f"Role {self._roles}"
        roster.roles[key] = RoleEntry(name, project, self._permissions())
        for given in roster.all_given():
            if project in given and self.random.random() < 0.2:
                given[project] = key

    def _permissions(self) -> frozenset[str]:
        return frozenset(self.random.sample(PERMISSIONS, self.random.randint(1, 3)))

    def _edit_role(self, stack: Stack) -> None:
        """Other permissions of a custom role, or another name."""
        if not stack.roster.roles:
            return
        role = stack.roster.roles[self.random.choice(list(stack.roster.roles))]
        if self.random.random() < 0.3:
            self._renamed += 1
            role.name = f"{role.name.split(' again')[0]} again {self._renamed}"
        else:
            role.permissions = self._permissions()

    def _drop_role(self, stack: Stack) -> None:
        """No custom role any more; who had it gets another one."""
        roster = stack.roster
        if not roster.roles:
            return
        key = self.random.choice(list(roster.roles))
        del roster.roles[key]
        for given in roster.all_given():
            for project in [project for project, role in given.items() if role == key]:
                given[project] = self.random.choice(ROLES)


def _share_a_day(entry: Entry, team: TeamEntry) -> bool:
    starts = max(entry.starts or date.min, team.starts or date.min)
    return starts <= min(entry.ends or date.max, team.ends or date.max)
