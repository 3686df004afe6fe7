"""Who is in teams by SCIM: a group is the team of the same name (contract, section 10)."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import Final

from mixpanel_access.directory.coalescer import Coalescer, Crowd
from mixpanel_access.directory.one_by_one import one_by_one_if_refused
from mixpanel_access.directory.provisioning import Provisioning
from mixpanel_access.directory.shown import is_in_group, is_in_team
from mixpanel_access.directory.snapshot import TEAMS, Snapshot
from mixpanel_access.directory.writing import Expected, Writing
from mixpanel_access.model import errors
from mixpanel_access.model.address import same_key
from mixpanel_access.model.teams import ScimGroup, TeamInfo

_Change = tuple[int, str, bool]
"""Team id, e-mail address, and whether they are to be in it."""
_AGAIN: Final = "Run again: who is not in by SCIM is taken out otherwise."


class Groups:
    """Puts people of claimed domains into teams and takes them out.

    An identity provider may write the same groups: only those whom we add or remove are named in a write.

    Args:
        provisioning: SCIM's users and calls.
        snapshot: what was read.
        writing: sends writes.
        team: finds a team by its id.
        touched: the parts of the snapshot that change with who is in a team.
        without: what must show once somebody is out of a team.
        crowd: the threads that write at the same time.
    """

    def __init__(
        self,
        provisioning: Provisioning,
        snapshot: Snapshot,
        writing: Writing,
        team: Callable[[int], TeamInfo | None],
        touched: Callable[[int], Sequence[Hashable]],
        without: Callable[[int, str], Sequence[Expected]],
        crowd: Crowd,
    ) -> None:
        self._provisioning = provisioning
        self._snapshot = snapshot
        self._writing = writing
        self._team = team
        self._touched = touched
        self._without = without
        self._changes: Coalescer[_Change] = Coalescer(self._send, crowd)

    def by_name(self, name: str) -> ScimGroup | None:
        """The group of a name, or None."""
        return self._snapshot.get(part_of(name), lambda: self._provisioning.scim.find_group(name))

    def is_member(self, team: TeamInfo, email: str) -> bool | None:
        """Whether somebody is in the group of a team; None where SCIM does not know the team or the person."""
        group, user = self.by_name(team.name), self._provisioning.user(email)
        return None if group is None or user is None else user.id in group.members

    def put(self, id_: int, email: str, *, inside: bool) -> None:
        """Put somebody into a team, or take them out; a team that has no group gets one for who is put in.

        Raises:
            MixpanelError: it is not so; nothing else was tried.
        """
        self._changes.submit((id_, email, inside))

    def rename(self, group: ScimGroup, old: str, new: str) -> None:
        """Give a group another name, once."""
        try:
            self._provisioning.scim.rename_group(group.id, new)
        finally:
            self._snapshot.drop(part_of(old), part_of(new))

    # How batches go out

    def _send(self, batch: Sequence[_Change]) -> Mapping[_Change, Exception | None]:
        outcome: dict[_Change, Exception | None] = {}
        for id_ in dict.fromkeys(id_ for id_, _, _ in batch):
            changes = [change for change in batch if change[0] == id_]
            try:
                outcome |= one_by_one_if_refused(self._change, self._done, changes)
            except errors.AccessError as error:  # other teams are other requests
                outcome |= dict.fromkeys(changes, error)
        return outcome

    def _change(self, changes: Sequence[_Change]) -> None:
        """Change one team."""
        id_ = changes[0][0]
        team = self._team(id_)
        if team is None:
            raise errors.NotFound(f"cannot change who is in team {id_}", why="there is no such team")

        def write() -> None:
            self._snapshot.drop(part_of(team.name))  # an identity provider may have written it
            group = self.by_name(team.name)
            there = group.members if group else frozenset()
            going = [email for _, email, inside in changes if not inside]
            if group is None and going:
                why = "SCIM shows the team as a group no longer"
                raise errors.NotFound(_cannot(team, inside=False), whom=", ".join(going), why=why, next_step=_AGAIN)
            joining = {self._user(email, team, inside=True) for _, email, inside in changes if inside} - there
            leaving = {self._user(email, team, inside=False) for email in going} & there
            if group is None:
                self._create(team.name, sorted(joining))
            elif joining or leaving:
                self._provisioning.scim.change_group(group.id, team.name, sorted(joining), sorted(leaving))

        gone = [one for _, email, inside in changes if not inside for one in self._without(id_, email)]

        def shows() -> Iterator[Expected]:
            yield from gone
            for _, email, inside in changes:
                if inside:
                    yield TEAMS, (id_, email), is_in_team(id_, email, inside=True)
                if user := self._provisioning.user(email):
                    yield part_of(team.name), email, is_in_group(user.id, inside=inside)

        parts = [part_of(team.name), *self._touched(id_)]
        self._writing.settle(write, lambda: all(map(self._done, changes)), parts, shows=shows)

    def _create(self, name: str, members: Sequence[str]) -> None:
        try:
            self._provisioning.scim.create_group(name, members)
        except errors.Invalid as error:
            error.next_step = (
                f"SCIM does not show the team {name} as a group and makes none of its name: look at the team in "
                f"Organization Settings > Users & Teams, and put the people in there."
            )
            raise

    def _done(self, change: _Change) -> bool:
        id_, email, inside = change
        team = self._team(id_)
        return team is not None and self.is_member(team, email) is inside

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


def part_of(name: str) -> Hashable:
    """The name of the part of the snapshot that is the group of a name."""
    return ("SCIM group", same_key(name))
