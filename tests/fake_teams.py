"""Teams of the fake organization."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from mixpanel_access.model.access import Grant, GrantType
from mixpanel_access.model.address import same_key
from mixpanel_access.model.errors import NotFound
from mixpanel_access.model.teams import NO_ROLE, TeamInfo, same_name

if TYPE_CHECKING:
    from tests.fakes import FakeApi


@dataclass
class FakeTeams:
    """Keeps teams; counts and fails as the organization's fake is told.

    Attributes:
        hides_members: whether the list lacks who is in, and the organization role.
        hides_invited: whether the list lacks invited people.
        refuses_invited: whether nobody who is only invited can be put into a team.
    """

    api: FakeApi
    teams: dict[int, TeamInfo] = field(default_factory=dict)
    robots: dict[int, list[int]] = field(default_factory=dict)
    hides_members: bool = False
    hides_invited: bool = False
    refuses_invited: bool = False

    def put(self, name: str, *members: str, id_: int = 77, **more: object) -> TeamInfo:
        """A team that is there."""
        keys = frozenset(map(same_key, members))
        self.teams[id_] = replace(TeamInfo(id_, name, {}, keys, NO_ROLE), **more)  # type: ignore[arg-type]
        return self.teams[id_]

    def leave(self, keys: set[str]) -> None:
        """People who leave the organization leave its teams."""
        for id_, team in self.teams.items():
            self.teams[id_] = replace(team, members=(team.members or frozenset()) - keys)

    def rows(self, project: int) -> list[Grant]:
        """What people hold in a project through teams."""
        return [
            Grant(project, email, team.projects[project], GrantType.TEAM, team.name)
            for team in self.teams.values()
            if project in team.projects
            for email in sorted(team.members or ())
        ]

    def list_teams(self) -> list[TeamInfo]:
        self.api.calls["list_teams"] += 1
        self.api.fail("list_teams")
        if self.hides_members:
            return [replace(team, members=None, organization_role=None) for team in self.teams.values()]
        hidden = {key for key, person in self.api.people.items() if person.invited and self.hides_invited}
        return [replace(team, members=(team.members or frozenset()) - hidden) for team in self.teams.values()]

    def service_accounts_of(self, team: int) -> list[int]:
        self.api.calls["service_accounts_of"] += 1
        self.api.fail("service_accounts_of")
        return self.robots.get(team, [])

    def create(self, name: str) -> bool | None:
        new = all(not same_name(team.name, name) for team in self.teams.values())
        with self.api.writing("create_team", name) as writing:
            if writing and new:
                self.put(name, id_=100 + len(self.api.sent))
        return new

    def rename(self, team: int, name: str) -> None:
        with self.api.writing("rename_team", (team, name)) as writing:
            if writing:
                self.teams[team] = replace(self._known(team), name=name)

    def delete(self, team: int) -> None:
        with self.api.writing("delete_team", team) as writing:
            if writing:
                self._known(team)
                del self.teams[team]

    def grant(self, roles: Mapping[tuple[int, int], str]) -> None:
        with self.api.writing("grant_to_team", dict(roles)) as writing:
            if writing:
                for (team, project), role in roles.items():
                    held = {**self._known(team).projects, project: role}
                    self.teams[team] = replace(self.teams[team], projects=held)

    def remove_grant(self, team: int, project: int) -> None:
        with self.api.writing("remove_team_grant", (team, project)) as writing:
            if writing:
                held = {id_: role for id_, role in self._known(team).projects.items() if id_ != project}
                self.teams[team] = replace(self.teams[team], projects=held)

    def add_members(self, members: Iterable[tuple[int, str]]) -> None:
        wanted = list(members)
        with self.api.writing("add_members", tuple(wanted)) as writing:
            if writing:
                for team, email in wanted:
                    person = self.api.people.get(same_key(email))
                    if person is None or (person.invited and self.refuses_invited):
                        raise NotFound("cannot add to the team", subject=email, why="Mixpanel answered 404")
                    inside = self._known(team).members or frozenset()
                    self.teams[team] = replace(self.teams[team], members=inside | {person.key})

    def remove_member(self, team: int, email: str) -> None:
        with self.api.writing("remove_member", (team, email)) as writing:
            if writing:
                inside = self._known(team).members or frozenset()
                if same_key(email) not in inside:
                    raise NotFound("cannot take out of the team", subject=email, why="Mixpanel answered 404")
                self.teams[team] = replace(self.teams[team], members=inside - {same_key(email)})

    def _known(self, team: int) -> TeamInfo:
        if team not in self.teams:
            raise NotFound("cannot", subject=f"team {team}", why="Mixpanel answered 404")
        return self.teams[team]
