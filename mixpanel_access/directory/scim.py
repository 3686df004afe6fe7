"""People of claimed domains and their teams by SCIM: who is let in and kept out, and never invited by e-mail.

A group of SCIM is the team of the same name (contract, section 10).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, TypeVar

from mixpanel_access.directory.security import UNTOLD
from mixpanel_access.directory.shown import is_active, is_listed
from mixpanel_access.directory.snapshot import PEOPLE, Part, Snapshot
from mixpanel_access.directory.writer import Writer
from mixpanel_access.directory.writes import Effect, Write
from mixpanel_access.model import errors
from mixpanel_access.model.access import Person, ScimUser, SingleSignOn
from mixpanel_access.model.address import domain_of, same_key
from mixpanel_access.model.errors import AccessError, ConfigurationError, Invalid, Unintelligible
from mixpanel_access.model.grouping import grouped
from mixpanel_access.model.teams import ScimGroup, TeamInfo

if TYPE_CHECKING:
    from mixpanel_access.api.client import Api
    from mixpanel_access.api.scim import ScimEndpoint

_USERS: Final[Part[Mapping[str, list[ScimUser]]]] = Part("SCIM users")
_SSO: Final[Part[SingleSignOn]] = Part("single sign-on")
_T = TypeVar("_T")


class Read(Protocol):
    """Reads a part of the snapshot."""

    def __call__(self, part: Part[_T], fetch: Callable[[], _T], /) -> _T:
        """The part, fetched now if nobody has."""


class Activation(NamedTuple):
    """A change of whether somebody is active.

    Attributes:
        email: their address.
        user: the user as SCIM knows them, or None.
        active: whether they must be active.
    """

    email: str
    user: ScimUser | None
    active: bool


class Activate(Write[Activation]):
    """Lets somebody in, or keeps them out."""

    at_once, apart = 1, True

    def __init__(self, provisioning: Provisioning) -> None:
        self._provisioning = provisioning

    def send(self, items: Sequence[Activation]) -> None:
        for email, user, active in items:
            if user is None:
                self._provisioning.scim.create(email)
            else:
                self._provisioning.scim.set_active(user, active=active)

    def effects(self, item: Activation) -> Iterable[Effect[Any]]:
        key = same_key(item.email)
        yield Effect(_USERS, key, is_active(key, active=item.active))
        if item.user is None:
            yield Effect(PEOPLE, key, is_listed(key), consequence=True)

    def touches(self, item: Activation) -> Iterable[Part[Any]]:  # noqa: ARG002
        return [PEOPLE]

    def arrived(self, item: Activation, snapshot: object) -> bool:  # noqa: ARG002
        """Read back by itself where the list of everybody cannot be read."""
        inside = self._provisioning.is_in(item.email)
        return inside is not False if item.active else inside is False


class Provisioning:
    """What SCIM does for one organization."""

    def __init__(self, api: Api, writer: Writer, read: Read, claimed: frozenset[str]) -> None:
        self._api, self._writer, self._read, self._claimed = api, writer, read, claimed
        self._activate = Activate(self)

    @property
    def on(self) -> bool:
        """Whether there is a token: then we say for the identity provider who is in."""
        return self._api.scim is not None

    def handles(self, email: str) -> bool:
        """Whether somebody comes and goes by SCIM: there is a token, and their domain is claimed.

        Raises:
            ConfigurationError: a token is set, and the claimed domains are unknown.
        """
        return self.on and domain_of(email) in self._domains()

    def claims(self, email: str) -> bool | None:
        """Whether somebody's domain is claimed; None if it is unknown."""
        told = self._sso().claims(email)
        return domain_of(email) in self._claimed if told is None and self._claimed else told

    def keeps_out(self, email: str) -> bool:
        """Whether we must invite nobody of the domain: the identity provider says who is in, and we have no token."""
        sso = self._sso()
        return not self.on and bool(sso.idp_managed) and sso.claims(email) is True

    def user(self, email: str) -> ScimUser | None:
        """Somebody as SCIM knows them, or None; asked for alone where the list of everybody cannot be read.

        Raises:
            Unintelligible: SCIM lists several users of the address, so it is unclear which of them to change.
        """
        try:
            users = self._users().get(same_key(email), [])
        except Unintelligible:
            return self.scim.find_user(email)
        if len(users) > 1:
            raise Unintelligible(
                "cannot tell who somebody is by SCIM",
                subject=email,
                why=f"SCIM lists {len(users)} users of the address",
                next_step="Delete in the identity provider those that are not theirs, and run again.",
            )
        return users[0] if users else None

    def of_member(self, person: Person) -> ScimUser | None:
        """A person of the organization as SCIM knows them; None if they do not come by SCIM, or are only invited.

        Raises:
            Unintelligible: they have joined, and SCIM lists nobody at all: that is not absence.
        """
        if not self.handles(person.email):
            return None
        user = self.user(person.email)
        if user is None and not person.invited and not self._users():
            raise Unintelligible(
                "cannot deactivate by SCIM",
                subject=person.email,
                why="Mixpanel lists the person, and its SCIM list is empty",
                next_step="Run again; if it stays so, check mixpanel:scimToken, or deactivate them in Mixpanel.",
            )
        return user

    def is_in(self, email: str) -> bool | None:
        """Whether somebody is an active member, as SCIM knows them; None if it lists them without saying so.

        Who may be in is not let in on the strength of it, and is not taken for kept out.
        """
        user = self.user(email)
        return False if user is None else user.active

    def inactive(self) -> frozenset[str]:
        """The keys of the people that SCIM shows as inactive; nobody without a token, or if SCIM does not answer.

        A token that is refused must not stop the people who do not come by SCIM. A decision about one who does asks
        `user`, which raises.
        """
        if not self.on:
            return frozenset()
        try:
            return frozenset(key for key, users in self._users().items() if all(user.active is False for user in users))
        except AccessError:
            return frozenset()

    def let_in(self, email: str) -> None:
        """Make a new or deactivated person an active member; no e-mail goes out."""
        user = self.user(email)
        try:
            self._writer.submit(self._activate, Activation(email, user, active=True))
        except Invalid:  # 409: an identity provider was faster, or the list does not show them yet
            if user is None:
                key = same_key(email)
                self._writer.expect([Effect(_USERS, key, is_listed(key))])
                if (user := self.user(email)) and user.active is False:
                    self._writer.submit(self._activate, Activation(email, user, active=True))
            if user is None or self.is_in(email) is False:
                raise

    def keep_out(self, user: ScimUser) -> None:
        """Deactivate somebody: they cannot log in, and what they hold stays for when they are let in again."""
        self._writer.submit(self._activate, Activation(user.email, user, active=False))

    def _users(self) -> Mapping[str, list[ScimUser]]:
        def fetch() -> Mapping[str, list[ScimUser]]:
            return grouped((same_key(user.email), user) for user in self.scim.list_users())

        return self._read(_USERS, fetch)

    def _sso(self) -> SingleSignOn:
        def fetch() -> SingleSignOn:
            try:
                return self._api.organization_settings.sso()
            except UNTOLD:
                return SingleSignOn()

        return self._read(_SSO, fetch)

    def _domains(self) -> frozenset[str]:
        told = self._sso().domains
        if told is None and not self._claimed:
            raise ConfigurationError(
                "cannot tell who comes by SCIM",
                why="mixpanel:scimToken is set, and Mixpanel does not report the claimed domains",
                next_step="Name them: pulumi config set mixpanel:claimedDomains example.com",
            )
        return self._claimed if told is None else told

    @property
    def scim(self) -> ScimEndpoint:
        """The calls.

        Raises:
            ConfigurationError: no token is set.
        """
        if self._api.scim is None:
            raise ConfigurationError(
                "cannot use SCIM",
                why="there is no token",
                next_step="Set it: pulumi config set --secret mixpanel:scimToken",
            )
        return self._api.scim


_AGAIN: Final = "Run again: who is not in by SCIM is taken out otherwise."


class Joining(NamedTuple):
    """A change of who is in a team.

    Attributes:
        team: the team's id.
        email: the person's address.
        inside: whether they must be in it.
    """

    team: int
    email: str
    inside: bool


class Groups:
    """Puts people of claimed domains into teams and takes them out.

    An identity provider may write the same groups: a write names only the people that we add or remove.
    """

    def __init__(self, provisioning: Provisioning, snapshot: Snapshot) -> None:
        self._provisioning, self._snapshot = provisioning, snapshot

    def by_name(self, name: str) -> ScimGroup | None:
        """The group of a name, or None."""
        return self._snapshot.get(part_of(name), lambda: self._provisioning.scim.find_group(name))

    def is_member(self, team: TeamInfo, email: str) -> bool | None:
        """Whether somebody is in the group of a team; None where SCIM does not know the team or the person."""
        group, user = self.by_name(team.name), self._provisioning.user(email)
        return None if group is None or user is None else user.id in group.members

    def rename(self, group: ScimGroup, old: str, new: str) -> None:
        """Give a group another name, once."""
        try:
            self._provisioning.scim.rename_group(group.id, new)
        finally:
            self._snapshot.drop(part_of(old), part_of(new))

    def user(self, email: str) -> str | None:
        """SCIM's id of somebody; None where it does not know them."""
        user = self._provisioning.user(email)
        return user.id if user else None

    def change(self, team: TeamInfo, changes: Sequence[Joining]) -> None:
        """Change who is in one team, in one request."""
        self._snapshot.drop(part_of(team.name))  # an identity provider may have written it
        group = self.by_name(team.name)
        there = group.members if group else frozenset()
        going = [change.email for change in changes if not change.inside]
        if group is None and going:
            why = "SCIM shows the team as a group no longer"
            raise errors.NotFound(_cannot(team, inside=False), subject=", ".join(going), why=why, next_step=_AGAIN)
        joining = {self._user(change.email, team, inside=True) for change in changes if change.inside} - there
        leaving = {self._user(email, team, inside=False) for email in going} & there
        if group is None:
            self._create(team.name, sorted(joining))
        elif joining or leaving:
            self._provisioning.scim.change_group(group.id, team.name, sorted(joining), sorted(leaving))

    def _create(self, name: str, members: Sequence[str]) -> None:
        """Make the group of a team, or adopt one that SCIM has and does not list yet."""
        try:
            self._provisioning.scim.create_group(name, members)
        except errors.Invalid as error:
            part = part_of(name)
            self._snapshot.expect(part, part, lambda found: found is not None)
            self._snapshot.drop(part)
            if group := self.by_name(name):
                if joining := set(members) - group.members:
                    self._provisioning.scim.change_group(group.id, name, sorted(joining), ())
                return
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
                subject=email,
                why="SCIM does not know the person",
                next_step="Declare a Member for them, and have this depend on it." if inside else _AGAIN,
            )
        return user.id


def _cannot(team: TeamInfo, *, inside: bool) -> str:
    return f"cannot {'add to' if inside else 'take out of'} the team {team.name}"


def part_of(name: str) -> Part[ScimGroup | None]:
    """The group of a name."""
    return Part("SCIM group", same_key(name))
