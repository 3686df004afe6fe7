"""The organization's teams, their projects and people: reads from the snapshot, and the writes.

Teams, their projects and people come in one list (contract, section 4), which may lack the people: then who is in is
unknown, a write into it is believed, and nothing is taken for absence.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from mixpanel_access.directory.scim import Groups, Joining, part_of
from mixpanel_access.directory.shown import has_left_team, is_in_group, is_in_team, team_has_project, team_is_named
from mixpanel_access.directory.snapshot import IN_USERS, TEAMS, Part, contradiction, grants_of, not_shown, through_teams
from mixpanel_access.directory.this_machine import Unseen
from mixpanel_access.directory.writes import Effect, Item, Write
from mixpanel_access.model import errors
from mixpanel_access.model.address import same_key
from mixpanel_access.model.teams import NO_ROLE, ScimGroup, TeamInfo, same_name

if TYPE_CHECKING:
    from mixpanel_access.directory.reads import Reads


class TeamRole(NamedTuple):
    """A team's role in a project; None for no role."""

    team: int
    project: int
    role: str | None = None


class Membership(NamedTuple):
    """Somebody in a team."""

    team: int
    email: str


class _TeamWrite(Write[Item]):
    """A write to teams."""

    def __init__(self, teams: Teams) -> None:
        self._teams, self._api = teams, teams.api


class _Create(_TeamWrite[str]):
    """Makes a team.

    Attributes:
        tries: the requests so far.
        new: whether the last answer says that the team is new; None where it does not say so.
    """

    def __init__(self, teams: Teams) -> None:
        super().__init__(teams)
        self.tries = 0
        self.new: bool | None = None

    def send(self, items: Sequence[str]) -> None:
        for name in items:
            self.tries += 1
            self.new = self._api.create(name)

    def effects(self, item: str) -> Iterable[Effect[Any]]:
        yield Effect(TEAMS, same_key(item), team_is_named(item))


class _Rename(_TeamWrite[str]):
    """Gives a team another name; of one that is fed by SCIM, the group gets it, and the team with it."""

    def __init__(self, teams: Teams, id_: int, group: ScimGroup | None, old: str) -> None:
        super().__init__(teams)
        self._id, self._group, self._old = id_, group, old

    def send(self, items: Sequence[str]) -> None:
        for name in items:
            if self._group:
                self._teams.groups.rename(self._group, self._old, name)
            else:
                self._api.rename(self._id, name)

    def effects(self, item: str) -> Iterable[Effect[Any]]:
        yield Effect(TEAMS, self._id, team_is_named(item, self._id))
        if self._group:
            yield Effect(part_of(item), item, lambda found: found is not None, consequence=True)

    def touches(self, item: str) -> Iterable[Part[Any]]:  # noqa: ARG002
        return self._teams.touched(self._id)  # grants through a team have its name


class _Delete(_TeamWrite[int]):
    """Deletes a team: what it gave goes, and nothing else."""

    at_once, apart = 1, True
    takes = True

    def send(self, items: Sequence[int]) -> None:
        for id_ in items:
            self._api.delete(id_)

    def effects(self, item: int) -> Iterable[Effect[Any]]:
        yield Effect(TEAMS, item, lambda teams: item not in teams)
        if (team := self._teams.get(item)) is not None:
            for project in team.projects:
                shown = has_left_team(team, project, None)
                yield Effect(grants_of(project), ("team", item), shown, consequence=True)

    def touches(self, item: int) -> Iterable[Part[Any]]:
        return self._teams.touched(item)


class _Give(_TeamWrite[TeamRole]):
    """Gives teams roles in projects, or changes them in place."""

    def send(self, items: Sequence[TeamRole]) -> None:
        self._api.grant({(item.team, item.project): item.role for item in items if item.role is not None})

    def effects(self, item: TeamRole) -> Iterable[Effect[Any]]:
        yield Effect(TEAMS, (item.team, item.project), team_has_project(*item))

    def touches(self, item: TeamRole) -> Iterable[Part[Any]]:
        yield grants_of(item.project)


class _Take(_Give):
    """Takes teams' roles in projects away."""

    at_once, apart = 1, True
    takes = True

    def send(self, items: Sequence[TeamRole]) -> None:
        for item in items:
            self._api.remove_grant(item.team, item.project)

    def effects(self, item: TeamRole) -> Iterable[Effect[Any]]:
        yield from super().effects(item)
        if (team := self._teams.get(item.team)) is not None:
            shown = has_left_team(team, item.project, None)
            yield Effect(grants_of(item.project), ("team", item.team), shown, consequence=True)


class _Join(_TeamWrite[Membership]):
    """Puts people into teams."""

    def send(self, items: Sequence[Membership]) -> None:
        self._api.add_members(items)

    def effects(self, item: Membership) -> Iterable[Effect[Any]]:
        hidden = same_key(item.email) in self._teams.directory.invited()
        yield Effect(TEAMS, item, is_in_team(*item, inside=True, hidden=hidden))

    def touches(self, item: Membership) -> Iterable[Part[Any]]:
        return self._teams.touched(item.team)


class _Leave(_TeamWrite[Membership]):
    """Takes people out of teams; nothing else of theirs changes."""

    at_once, apart = 1, True
    takes = True

    def send(self, items: Sequence[Membership]) -> None:
        for item in items:
            self._api.remove_member(item.team, item.email)

    def effects(self, item: Membership) -> Iterable[Effect[Any]]:
        yield Effect(TEAMS, item, is_in_team(*item, inside=False))
        yield from self._teams.consequences_of_leaving(*item)

    def touches(self, item: Membership) -> Iterable[Part[Any]]:
        return self._teams.touched(item.team)

    def arrived(self, item: Membership, snapshot: object) -> bool:  # noqa: ARG002
        team = self._teams.get(item.team)
        return team is None or self._teams.is_member(team, item.email) is False

    def explain_missing(self, error: errors.NotFound) -> None:
        error.next_step = (
            "This Mixpanel may not offer the call: take the person out in Organization Settings > Users & Teams, then "
            "run `pulumi refresh`. The person was not removed from the organization."
        )


class _ChangeGroup(_TeamWrite[Joining]):
    """Changes the members of one team by SCIM, with one request for each team."""

    def request_of(self, item: Joining) -> Hashable:
        return item.team

    def send(self, items: Sequence[Joining]) -> None:
        team = self._teams.get(items[0].team)
        if team is None:
            raise errors.NotFound(
                f"cannot change who is in team {items[0].team}", why="the organization does not have this team"
            )
        self._teams.groups.change(team, items)

    def effects(self, item: Joining) -> Iterable[Effect[Any]]:
        team = self._teams.get(item.team)
        if team is None:
            return
        yield Effect(TEAMS, item[:2], is_in_team(item.team, item.email, inside=item.inside), consequence=True)
        if not item.inside:
            yield from self._teams.consequences_of_leaving(item.team, item.email)
        if user := self._teams.groups.user(item.email):
            yield Effect(part_of(team.name), item.email, is_in_group(user, inside=item.inside))

    def touches(self, item: Joining) -> Iterable[Part[Any]]:
        return self._teams.touched(item.team)

    def arrived(self, item: Joining, snapshot: object) -> bool:  # noqa: ARG002
        """By the team's list, or by the group where the list has nobody."""
        team = self._teams.get(item.team)
        return team is not None and self._teams.groups.is_member(team, item.email) is item.inside


class Teams:
    """The teams of one organization.

    Attributes:
        groups: the members of teams by SCIM.
    """

    def __init__(self, directory: Reads, unseen: Unseen) -> None:
        self.directory, self.api = directory, directory.api.teams
        self._unseen = unseen
        self._writer = directory.writer
        self._provisioning = directory.provisioning
        self.groups = Groups(directory.provisioning, directory.snapshot)
        self._making = threading.Lock()
        self._give = _Give(self)
        self._take = _Take(self)
        self._delete = _Delete(self)
        self._join = _Join(self)
        self._leave = _Leave(self)
        self._change_group = _ChangeGroup(self)
        directory.snapshot.read_by(TEAMS.kind, self.all)

    def all(self) -> Mapping[int, TeamInfo]:
        """Every team, by id."""

        def fetch() -> Mapping[int, TeamInfo]:
            teams = {team.id: team for team in self.api.list_teams()}
            self.directory.empty_lists.read(TEAMS, teams)
            return teams

        teams = self.directory.read(TEAMS, fetch)
        if not teams and (self.directory.empty_lists.is_odd(TEAMS) or through_teams(self.directory.read_projects())):
            self.directory.snapshot.drop(TEAMS)
            teams = self.directory.snapshot.get(TEAMS, fetch)
            if not teams and through_teams(self.directory.read_projects()):
                raise contradiction("list the teams", "projects show people who have them through a team")
        return teams

    def get(self, id_: int) -> TeamInfo | None:
        """One team, or None if it does not exist."""
        return self.all().get(id_)

    def by_name(self, name: str) -> TeamInfo | None:
        """The team of a name, or None; names are unique without regard to case."""
        return next((team for team in self.all().values() if same_name(team.name, name)), None)

    def is_member(self, team: TeamInfo, email: str) -> bool | None:
        """Whether somebody is in a team; None if it is unknown."""
        told = team.is_member(email)
        return self.groups.is_member(team, email) if told is None and self._provisioning.handles(email) else told

    def fed_by_others(self, team: TeamInfo) -> bool:
        """Whether an identity provider manages a team's members, and we have no SCIM token."""
        return team.scim_managed and not self._provisioning.on

    def given_by_others(self, team: TeamInfo, email: str) -> bool:
        """Whether somebody's place is an identity provider's business; it has none with people of other domains."""
        return self.fed_by_others(team) and self._provisioning.claims(email) is not False

    def service_accounts_of(self, id_: int) -> Sequence[int] | None:
        """The service accounts in a team; None where they cannot be seen, which is not "none"."""
        try:
            return self.api.service_accounts_of(id_)
        except (errors.NotFound, errors.Forbidden, errors.Unintelligible):
            return None

    def forget(self) -> None:
        """Have the list read afresh when it is next asked for."""
        self.directory.snapshot.drop(TEAMS)

    def create(self, name: str, taken: Callable[[], None] = lambda: None) -> tuple[TeamInfo, bool]:
        """Make a team, or find the one that has the name; `taken` is called once Mixpanel has taken the request.

        Returns:
            The team, and whether it is new.

        Raises:
            NotApplied: Mixpanel accepted the request and does not list the team.
        """
        write, note = _Create(self), f"team {same_key(name)}"
        with self._making:  # one at a time: of two that want one name, the second finds the first's
            if there := self.by_name(name):
                return there, self._unseen.sent(note) is not None
            self._writer.settle(write, [name])
            taken()
            made = None
            try:
                made = self.by_name(name)
            finally:
                if made is None and write.new:
                    self._unseen.note(note)
        if made is None:
            shows = "lists no team of that name"
            raise not_shown(f"cannot make the team {name}", "", shows, self._writer.seconds, IN_USERS)
        # After a lost answer, "it was there" means our own first attempt.
        return made, not (write.tries == 1 and write.new is False)

    def rename(self, id_: int, name: str) -> None:
        """Give a team another name, in place."""
        before = self.get(id_)
        old = before.name if before else ""
        group = self.groups.by_name(old) if before and before.scim_managed and self._provisioning.on else None
        self._writer.settle(_Rename(self, id_, group, old), [name])

    def delete(self, id_: int) -> None:
        """Delete a team: what it gave goes, and nothing else."""
        self.directory.empty_lists.take(TEAMS, id_)
        self._writer.settle(self._delete, [id_])

    def grant(self, id_: int, project: int, role: str) -> None:
        """Give a team a role in a project, or change it in place."""
        self._writer.submit(self._give, TeamRole(id_, project, role))

    def remove_grant(self, id_: int, project: int) -> None:
        """Take a team's role in a project away; nothing else."""
        self._writer.submit(self._take, TeamRole(id_, project))

    def add_member(self, id_: int, email: str) -> None:
        """Add a person of the organization to a team: by SCIM if SCIM manages the person."""
        if self._provisioning.handles(email):
            self._writer.submit(self._change_group, Joining(id_, email, inside=True))
        else:
            self._writer.submit(self._join, Membership(id_, email))

    def remove_member(self, id_: int, email: str) -> None:
        """Take a person out of a team; nothing else of theirs changes.

        By SCIM goes who is in the team's group. Others may be in as well: a team may have no group, and who has not
        accepted the invitation is in none.

        Raises:
            MixpanelError: they may still be in it; nothing else was tried.
        """
        there = self.get(id_)
        if there and self._provisioning.handles(email) and self.groups.is_member(there, email):
            self._writer.submit(self._change_group, Joining(id_, email, inside=False))
        else:
            self._writer.submit(self._leave, Membership(id_, email))

    def consequences_of_leaving(self, id_: int, email: str) -> Iterable[Effect[Any]]:
        """What shows once somebody is out of a team: the projects that came through it are gone."""
        teams, key = self.all(), same_key(email)
        if (team := teams.get(id_)) is not None:
            for project in team.projects:
                shown = has_left_team(team, project, key, teams.values())
                yield Effect(grants_of(project), (id_, key), shown, consequence=True)

    def touched(self, id_: int) -> Iterable[Part[Any]]:
        """What a write to a team touches: the list, and the grants that come through the team."""
        yield TEAMS
        if (team := self.get(id_)) is not None:
            known = team.organization_role == NO_ROLE  # else it may give a role in every project
            yield from map(grants_of, team.projects if known else self.directory.projects())
