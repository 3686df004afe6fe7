"""The organization's teams, their projects and people: reads from the snapshot, and the writes.

Teams, their projects and people come in one list (contract, section 4), which may lack the people: then who is in is
unknown, a write into it is believed, and nothing is taken for absence.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence

from mixpanel_access.directory.calls import Api
from mixpanel_access.directory.coalescer import Coalescer, Crowd
from mixpanel_access.directory.empty_lists import EmptyLists, contradiction, through_teams
from mixpanel_access.directory.groups import Groups, part_of
from mixpanel_access.directory.one_by_one import each_alone, one_by_one_if_refused
from mixpanel_access.directory.provisioning import Provisioning
from mixpanel_access.directory.read_back import IN_USERS, not_shown
from mixpanel_access.directory.shown import has_left_team, is_in_team, team_has_project, team_is_named
from mixpanel_access.directory.snapshot import TEAMS, Snapshot, grants_of
from mixpanel_access.directory.unseen import Unseen
from mixpanel_access.directory.writing import Expected, Writing
from mixpanel_access.model import errors
from mixpanel_access.model.access import Grant, Identity
from mixpanel_access.model.address import same_key
from mixpanel_access.model.teams import NO_ROLE, TeamInfo, same_name

_Grant = tuple[int, int, str]
"""Team id, project id, project role."""
_Place = tuple[int, int]
"""Team id, project id."""
_Membership = tuple[int, str]
"""Team id, e-mail address."""


class Teams:
    """The teams of one organization.

    Args:
        api: the calls to Mixpanel.
        identity: tells who we are, and holds a wrong organization.
        projects: the ids of the organization's projects.
        snapshot: what was read.
        writing: sends writes.
        provisioning: who is put into teams by SCIM.
        crowd: the threads that write at the same time.
        empty_lists: what has been read of the lists.
        read_projects: the grants of the projects that have been read.
        invited: the keys of all who are only invited.
        unseen: what this machine has sent that Mixpanel did not show.
    """

    def __init__(
        self,
        api: Api,
        identity: Callable[[], Identity],
        projects: Callable[[], Iterable[int]],
        snapshot: Snapshot,
        writing: Writing,
        provisioning: Provisioning,
        crowd: Crowd,
        empty_lists: EmptyLists,
        read_projects: Callable[[], Iterable[Mapping[str, Sequence[Grant]]]],
        invited: Callable[[], frozenset[str]],
        unseen: Unseen,
    ) -> None:
        self._invited = invited
        self._unseen = unseen
        self._empty_lists = empty_lists
        self._read_projects = read_projects
        self._api = api
        self._identity = identity
        self._projects = projects
        self._snapshot = snapshot
        self._writing = writing
        self._provisioning = provisioning
        self._groups = Groups(provisioning, snapshot, writing, self.get, self._touched, self._without, crowd)
        self._making = threading.Lock()
        self._grants: Coalescer[_Grant] = Coalescer(self._send_grants, crowd)
        self._takings: Coalescer[_Place] = Coalescer(self._send_takings, crowd)
        self._leaving: Coalescer[_Membership] = Coalescer(self._send_leavings, crowd)
        self._joining: Coalescer[_Membership] = Coalescer(self._send_members, crowd)

    def all(self) -> Mapping[int, TeamInfo]:
        """Every team, by id."""

        def fetch() -> Mapping[int, TeamInfo]:
            self._identity()
            teams = {team.id: team for team in self._api.teams.list_teams()}
            self._empty_lists.read(TEAMS, teams)
            return teams

        teams = self._snapshot.get(TEAMS, fetch)
        if not teams and (self._empty_lists.is_odd(TEAMS) or through_teams(self._read_projects())):
            self._snapshot.drop(TEAMS)
            teams = self._snapshot.get(TEAMS, fetch)
            if not teams and through_teams(self._read_projects()):
                raise contradiction("list the teams", "projects show people who have them through a team")
        return teams

    def get(self, id_: int) -> TeamInfo | None:
        """One team, or None where there is none."""
        return self.all().get(id_)

    def by_name(self, name: str) -> TeamInfo | None:
        """The team of a name, or None; names are unique without regard to case."""
        return next((team for team in self.all().values() if same_name(team.name, name)), None)

    def is_member(self, team: TeamInfo, email: str) -> bool | None:
        """Whether somebody is in a team; None where nobody tells."""
        told = team.is_member(email)
        return self._groups.is_member(team, email) if told is None and self._provisioning.handles(email) else told

    def fed_by_others(self, team: TeamInfo) -> bool:
        """Whether an identity provider says who is in a team, and we do not: we have no SCIM token."""
        return team.scim_managed and not self._provisioning.on

    def given_by_others(self, team: TeamInfo, email: str) -> bool:
        """Whether somebody's place is an identity provider's business; it has none with people of other domains."""
        return self.fed_by_others(team) and self._provisioning.claims(email) is not False

    def service_accounts_of(self, id_: int) -> Sequence[int] | None:
        """The service accounts in a team; None where they cannot be seen, which is not "none"."""
        try:
            return self._api.teams.service_accounts_of(id_)
        except (errors.NotFound, errors.Forbidden, errors.Unintelligible):
            return None

    def forget(self) -> None:
        """Have the list read afresh when it is next asked for."""
        self._snapshot.drop(TEAMS)

    def create(self, name: str) -> tuple[TeamInfo, bool]:
        """Make a team, or find the one that has the name.

        Returns:
            The team, and whether it is new.

        Raises:
            NotApplied: Mixpanel took the request and lists no such team.
        """
        answers: list[bool | None] = []
        tries = 0

        def write() -> None:
            nonlocal tries
            tries += 1
            answers.append(self._api.teams.create(name))

        with self._making:  # one at a time: of two that want one name, the second finds the first's
            note = f"team {same_key(name)}"
            if there := self.by_name(name):
                return there, self._unseen.sent(note) is not None
            self._writing.settle(
                write,
                lambda: self.by_name(name) is not None,
                [TEAMS],
                shows=lambda: [(TEAMS, note, team_is_named(name))],
            )
            made = self.by_name(name)
        if made is None:
            if answers[-1:] == [True]:
                self._unseen.note(note)
            raise not_shown(
                f"cannot make the team {name}", "", "lists no team of that name", self._writing.seconds, IN_USERS
            )
        # After a lost answer, "it was there" tells of our own first try.
        return made, not (tries == 1 and answers == [False])

    def rename(self, id_: int, name: str) -> None:
        """Give a team another name, in place; of one that is fed by SCIM, the group gets it, and the team with it."""
        before = self.get(id_)
        old = before.name if before else ""
        group = self._groups.by_name(old) if before and before.scim_managed and self._provisioning.on else None

        def write() -> None:
            if group:
                self._groups.rename(group, old, name)
            else:
                self._api.teams.rename(id_, name)

        def applied() -> bool:
            team = self.get(id_)
            return team is not None and team.name == name

        def shows() -> Iterator[Expected]:
            yield TEAMS, id_, team_is_named(name, id_)
            if group:
                yield part_of(name), name, lambda found: found is not None

        parts = self._touched(id_)  # grants through a team have its name
        self._writing.settle(write, applied, parts, shows=shows)

    def delete(self, id_: int) -> None:
        """Delete a team: what it gave goes, and nothing else."""

        def gone() -> bool:
            return self.get(id_) is None

        touched, team = self._touched(id_), self.get(id_)

        def shows() -> Iterator[Expected]:
            yield TEAMS, id_, lambda teams: id_ not in teams
            if team is not None:
                for project in team.projects:
                    yield grants_of(project), ("team", id_), has_left_team(team, project, None)

        self._empty_lists.take(TEAMS, id_)
        try:
            self._writing.settle(lambda: self._api.teams.delete(id_), gone, touched, shows=shows)
        except errors.NotFound:
            if not gone():
                raise

    def grant(self, id_: int, project: int, role: str) -> None:
        """Give a team a role in a project, or change it in place."""
        self._grants.submit((id_, project, role))

    def remove_grant(self, id_: int, project: int) -> None:
        """Take a team's role in a project away; nothing else."""
        place = (id_, project)
        try:
            self._takings.submit(place)
        except errors.NotFound:
            if not self._taken(place):
                raise

    def _taken(self, place: _Place) -> bool:
        team = self.get(place[0])
        return team is None or place[1] not in team.projects

    def add_member(self, id_: int, email: str) -> None:
        """Put a person of the organization into a team: by SCIM who comes by it."""
        if self._provisioning.handles(email):
            self._groups.put(id_, email, inside=True)
            return
        self._joining.submit((id_, email))

    def remove_member(self, id_: int, email: str) -> None:
        """Take a person out of a team; nothing else of theirs changes.

        By SCIM goes who is in the team's group. Others may be in as well: a team may have no group, and who has not
        accepted the invitation is in none.

        Raises:
            MixpanelError: they may still be in it; nothing else was tried.
        """
        there = self.get(id_)
        if there and self._provisioning.handles(email) and self._groups.is_member(there, email):
            self._groups.put(id_, email, inside=False)
            return

        membership = (id_, email)
        try:
            self._leaving.submit(membership)
        except errors.NotFound as error:
            if not self._left(membership):
                error.next_step = (
                    "This Mixpanel may not offer the call: take the person out in Organization Settings > Users & "
                    "Teams, then run `pulumi refresh`. The person was not removed from the organization."
                )
                raise

    def _left(self, membership: _Membership) -> bool:
        team = self.get(membership[0])
        return team is None or self.is_member(team, membership[1]) is False

    def _without(self, id_: int, email: str) -> list[Expected]:
        """What must show once somebody is out of a team: the team, and the projects that came through it."""
        teams, key = self.all(), same_key(email)
        shows: list[Expected] = [(TEAMS, (id_, email), is_in_team(id_, email, inside=False))]
        if id_ in teams:
            team, all_ = teams[id_], teams.values()
            shows += [(grants_of(one), (id_, key), has_left_team(team, one, key, all_)) for one in team.projects]
        return shows

    def _touched(self, id_: int) -> list[Hashable]:
        """What a write to a team touches: the list, and the grants that come through the team."""
        return [TEAMS, *self._reached(id_)]

    def _reached(self, id_: int) -> list[Hashable]:
        """The parts with grants that come through a team."""
        team = self.get(id_)
        if team is None:
            return []
        known = team.organization_role == NO_ROLE  # else it may give a role in every project
        return [grants_of(project) for project in (team.projects if known else self._projects())]

    # How batches go out

    def _send_grants(self, batch: Sequence[_Grant]) -> Mapping[_Grant, Exception | None]:
        def send(items: Sequence[_Grant]) -> None:
            roles = {(team, project): role for team, project, role in items}
            parts: list[Hashable] = [TEAMS, *{grants_of(project) for _, project, _ in items}]
            self._writing.settle(
                lambda: self._api.teams.grant(roles),
                lambda: all(map(arrived, items)),
                parts,
                shows=lambda: [(TEAMS, item[:2], team_has_project(*item)) for item in items],
            )

        def arrived(item: _Grant) -> bool:
            team, project, role = item
            found = self.get(team)
            return found is not None and found.projects.get(project) == role

        return one_by_one_if_refused(send, arrived, batch)

    def _send_members(self, batch: Sequence[_Membership]) -> Mapping[_Membership, Exception | None]:
        invited = self._invited()  # whom a list of a team may lack

        def send(items: Sequence[_Membership]) -> None:
            parts: list[Hashable] = [TEAMS, *{part for team, _ in items for part in self._reached(team)}]
            seen = [item for item in items if same_key(item[1]) not in invited]
            self._writing.settle(
                lambda: self._api.teams.add_members(items),
                lambda: all(map(arrived, items)),
                parts,
                shows=lambda: [(TEAMS, item, is_in_team(*item, inside=True)) for item in seen],
            )

        def arrived(item: _Membership) -> bool:
            team = self.get(item[0])
            return team is not None and team.is_member(item[1]) is True

        return one_by_one_if_refused(send, arrived, batch)

    def _send_takings(self, batch: Sequence[_Place]) -> Mapping[_Place, Exception | None]:
        known = self.all()

        def send(place: _Place) -> None:
            team, project = place

            def shows() -> Iterator[Expected]:
                yield TEAMS, place, team_has_project(team, project, None)
                if team in known:
                    yield grants_of(project), ("team", team), has_left_team(known[team], project, None)

            self._writing.settle(
                lambda: self._api.teams.remove_grant(team, project),
                lambda: self._taken(place),
                [TEAMS, grants_of(project)],
                shows=shows,
            )

        return each_alone(send, batch)

    def _send_leavings(self, batch: Sequence[_Membership]) -> Mapping[_Membership, Exception | None]:
        parts = {team: self._touched(team) for team, _ in batch}  # all of them before the first write drops the teams
        gone = {membership: self._without(*membership) for membership in batch}

        def send(membership: _Membership) -> None:
            team, email = membership
            self._writing.settle(
                lambda: self._api.teams.remove_member(team, email),
                lambda: self._left(membership),
                parts[team],
                shows=lambda: gone[membership],
            )

        return each_alone(send, batch)
