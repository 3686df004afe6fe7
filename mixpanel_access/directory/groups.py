"""Who is in teams by SCIM: a group is the team of the same name (contract, section 10)."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from mixpanel_access.directory.shown import is_in_group, is_in_team
from mixpanel_access.directory.snapshot import TEAMS, Part
from mixpanel_access.directory.writes import Effect, Write
from mixpanel_access.model import errors
from mixpanel_access.model.address import same_key
from mixpanel_access.model.teams import ScimGroup, TeamInfo

if TYPE_CHECKING:
    from mixpanel_access.directory.reads import Reads
    from mixpanel_access.directory.teams import Teams

_AGAIN: Final = "Run again: who is not in by SCIM is taken out otherwise."


class Joining(NamedTuple):
    """A change of who is in a team.

    Attributes:
        team: the team's id.
        email: the person's address.
        inside: whether they are to be in it.
    """

    team: int
    email: str
    inside: bool


class ChangeGroup(Write[Joining]):
    """Changes who is in one team by SCIM: a request a team."""

    def __init__(self, groups: Groups, teams: Teams) -> None:
        self._groups = groups
        self._teams = teams

    def request_of(self, item: Joining) -> Hashable:
        return item.team

    def send(self, items: Sequence[Joining]) -> None:
        team = self._teams.get(items[0].team)
        if team is None:
            raise errors.NotFound(f"cannot change who is in team {items[0].team}", why="there is no such team")
        self._groups.change(team, items)

    def effects(self, item: Joining) -> Iterable[Effect[Any]]:
        team = self._teams.get(item.team)
        if team is None:
            return
        yield Effect(TEAMS, item[:2], is_in_team(item.team, item.email, inside=item.inside), consequence=True)
        if not item.inside:
            yield from self._teams.consequences_of_leaving(item.team, item.email)
        if user := self._groups.user(item.email):
            yield Effect(part_of(team.name), item.email, is_in_group(user, inside=item.inside))

    def touches(self, item: Joining) -> Iterable[Part[Any]]:
        return self._teams.touched(item.team)

    def arrived(self, item: Joining, snapshot: object) -> bool:  # noqa: ARG002
        """By the team's list, or by the group where the list has nobody."""
        team = self._teams.get(item.team)
        return team is not None and self._groups.is_member(team, item.email) is item.inside


class Groups:
    """Puts people of claimed domains into teams and takes them out.

    An identity provider may write the same groups: only those whom we add or remove are named in a write.

    Args:
        directory: the organization.
        teams: its teams.
    """

    def __init__(self, directory: Reads, teams: Teams) -> None:
        self._directory = directory
        self._provisioning = directory.provisioning
        self._change = ChangeGroup(self, teams)

    def by_name(self, name: str) -> ScimGroup | None:
        """The group of a name, or None."""
        return self._directory.snapshot.get(part_of(name), lambda: self._provisioning.scim.find_group(name))

    def is_member(self, team: TeamInfo, email: str) -> bool | None:
        """Whether somebody is in the group of a team; None where SCIM does not know the team or the person."""
        group, user = self.by_name(team.name), self._provisioning.user(email)
        return None if group is None or user is None else user.id in group.members

    def put(self, id_: int, email: str, *, inside: bool) -> None:
        """Put somebody into a team, or take them out; a team that has no group gets one for who is put in.

        Raises:
            MixpanelError: it is not so; nothing else was tried.
        """
        self._directory.writer.submit(self._change, Joining(id_, email, inside))

    def rename(self, group: ScimGroup, old: str, new: str) -> None:
        """Give a group another name, once."""
        try:
            self._provisioning.scim.rename_group(group.id, new)
        finally:
            self._directory.snapshot.drop(part_of(old), part_of(new))

    def user(self, email: str) -> str | None:
        """SCIM's id of somebody; None where it does not know them."""
        user = self._provisioning.user(email)
        return user.id if user else None

    def change(self, team: TeamInfo, changes: Sequence[Joining]) -> None:
        """Change who is in one team, in one request."""
        self._directory.snapshot.drop(part_of(team.name))  # an identity provider may have written it
        group = self.by_name(team.name)
        there = group.members if group else frozenset()
        going = [change.email for change in changes if not change.inside]
        if group is None and going:
            why = "SCIM shows the team as a group no longer"
            raise errors.NotFound(_cannot(team, inside=False), whom=", ".join(going), why=why, next_step=_AGAIN)
        joining = {self._user(change.email, team, inside=True) for change in changes if change.inside} - there
        leaving = {self._user(email, team, inside=False) for email in going} & there
        if group is None:
            self._create(team.name, sorted(joining))
        elif joining or leaving:
            self._provisioning.scim.change_group(group.id, team.name, sorted(joining), sorted(leaving))

    def _create(self, name: str, members: Sequence[str]) -> None:
        try:
            self._provisioning.scim.create_group(name, members)
        except errors.Invalid as error:
            error.next_step = (
                f"SCIM does not show the team {name} as a group and makes none of its name: look at the team in "
                f"Organization Settings > Users & Teams, and put the people in there."
            )
            raise

    def _user(self, email: str, team: TeamInfo, *, inside: bool) -> str:
        user = self._provisioning.user(email)
        if user is None:
            raise errors.NotFound(
                _cannot(team, inside=inside),
                whom=email,
                why="SCIM does not know the person",
                next_step="Declare a Member for them, and have this depend on it." if inside else _AGAIN,
            )
        return user.id


def _cannot(team: TeamInfo, *, inside: bool) -> str:
    return f"cannot {'add to' if inside else 'take out of'} the team {team.name}"


def part_of(name: str) -> Part[ScimGroup | None]:
    """The group of a name."""
    return Part("SCIM group", same_key(name))
