"""SCIM of the fake organization."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from mixpanel_access.model.access import ScimUser
from mixpanel_access.model.address import same_key
from mixpanel_access.model.errors import Invalid
from mixpanel_access.model.teams import ScimGroup, TeamInfo, same_name

if TYPE_CHECKING:
    from tests.fakes import FakeApi


@dataclass
class FakeScim:
    """Knows who has joined the organization, and whom it keeps out.

    Attributes:
        shows_all_teams: whether teams are groups that SCIM has never written.
        untold: the keys of those of whom it does not tell whether they are active.
        doubled: the keys of those whom it lists twice, under two ids.
        late: keys of people, and names of groups, that are there -> for how many reads it does not show them yet.
    """

    api: FakeApi
    kept_out: set[str]
    shows_all_teams: bool = True
    untold: set[str] = field(default_factory=set)
    doubled: set[str] = field(default_factory=set)
    late: dict[str, int] = field(default_factory=dict)

    def list_users(self) -> list[ScimUser]:
        self.api.calls["scim_users"] += 1
        self.api.fail("scim_users")
        found = [one for one in self._people() if not self._is_late(same_key(one.email))]
        return found + [replace(one, id=f"0{one.id}") for one in found if same_key(one.email) in self.doubled]

    def find_user(self, email: str) -> ScimUser | None:
        self.api.calls["scim_user"] += 1
        self.api.fail("scim_user")
        return next((one for one in self._people() if same_key(one.email) == same_key(email)), None)

    def create(self, email: str) -> None:
        with self.api.writing("scim_create", email) as writing:
            if writing:
                known = self.api.people.get(same_key(email))
                if known is not None and not known.invited:
                    raise Invalid("cannot provision", why="Mixpanel answered 409")
                self.api.put(email)
                if known is not None:
                    own = self.api.people[same_key(email)]
                    self.api.people[same_key(email)] = replace(own, role=known.role)

    def set_active(self, user: ScimUser, *, active: bool) -> None:
        with self.api.writing("scim_active", (user.email, active)) as writing:
            if writing:
                (self.kept_out.discard if active else self.kept_out.add)(same_key(user.email))

    def find_group(self, name: str) -> ScimGroup | None:
        self.api.calls["scim_group"] += 1
        self.api.fail("scim_group")
        team = self._team(name)
        if team is None or not (self.shows_all_teams or team.scim_managed) or self._is_late(name):
            return None
        return ScimGroup(str(team.id), frozenset(id_ for id_, key in self._keys().items() if key in _inside(team)))

    def create_group(self, name: str, members: Iterable[str]) -> None:
        joining = list(members)
        with self.api.writing("scim_group_create", (name, *joining)) as writing:
            if writing:
                team = self._team(name)
                if team is None or team.scim_managed:
                    raise Invalid("cannot make the group", why="Mixpanel answered 409")
                self._feed(team, _inside(team) | {self._keys()[id_] for id_ in joining})

    def change_group(self, id_: str, name: str, joining: Iterable[str], leaving: Iterable[str]) -> None:
        change = name, tuple(joining), tuple(leaving)
        with self.api.writing("scim_group_change", change) as writing:
            if writing:
                keys, team = self._keys(), self.api.teams.teams[int(id_)]
                if not set(change[1]) <= keys.keys():
                    raise Invalid("cannot change the group", why="Mixpanel answered 400")
                self._feed(team, (_inside(team) | {keys[one] for one in change[1]}) - {keys[one] for one in change[2]})

    def rename_group(self, id_: str, name: str) -> None:
        with self.api.writing("scim_group_rename", (id_, name)) as writing:
            if writing:
                self.api.teams.teams[int(id_)] = replace(self.api.teams.teams[int(id_)], name=name)

    def _is_late(self, what: str) -> bool:
        self.late[what] = max(0, (left := self.late.get(what, 0)) - 1)
        return left > 0

    def _people(self) -> list[ScimUser]:
        return [
            ScimUser(str(one.user_id), one.email, None if one.key in self.untold else one.key not in self.kept_out)
            for one in self.api.people.values()
            if not one.invited
        ]

    def _team(self, name: str) -> TeamInfo | None:
        return next((team for team in self.api.teams.teams.values() if same_name(team.name, name)), None)

    def _keys(self) -> dict[str, str]:
        return {str(one.user_id): one.key for one in self.api.people.values() if not one.invited}

    def _feed(self, team: TeamInfo, members: Iterable[str]) -> None:
        self.api.teams.teams[team.id] = replace(team, members=frozenset(members), scim_managed=True)


def _inside(team: TeamInfo) -> frozenset[str]:
    return team.members or frozenset()


def with_scim(api: FakeApi) -> FakeApi:
    """The organization with a SCIM token."""
    api.scim = FakeScim(api, set())
    return api
