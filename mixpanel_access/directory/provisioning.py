"""People of claimed domains: who is let in and kept out by SCIM, and never invited by e-mail."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from mixpanel_access.directory.calls import Scim
from mixpanel_access.directory.security import UNTOLD
from mixpanel_access.directory.shown import is_active, is_listed
from mixpanel_access.directory.snapshot import PEOPLE, Part
from mixpanel_access.directory.writes import Effect, Write
from mixpanel_access.model.access import Person, ScimUser
from mixpanel_access.model.address import domain_of, same_key
from mixpanel_access.model.errors import AccessError, ConfigurationError, Invalid, Unintelligible
from mixpanel_access.model.security import SingleSignOn

if TYPE_CHECKING:
    from mixpanel_access.directory.reads import Reads

_USERS: Final[Part[Mapping[str, list[ScimUser]]]] = Part("SCIM users")
_SSO: Final[Part[SingleSignOn]] = Part("single sign-on")


class Activation(NamedTuple):
    """A change of whether somebody is active.

    Attributes:
        email: their address.
        user: the user as SCIM knows them, or None.
        active: whether they are to be active.
    """

    email: str
    user: ScimUser | None
    active: bool


class Activate(Write[Activation]):
    """Lets somebody in, or keeps them out."""

    at_once = 1

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
    """What SCIM does for one organization.

    Args:
        directory: the organization.
        claimed: the claimed domains, for where Mixpanel does not report them.
    """

    def __init__(self, directory: Reads, claimed: frozenset[str]) -> None:
        self._directory = directory
        self._claimed = claimed
        self._activate = Activate(self)

    @property
    def on(self) -> bool:
        """Whether there is a token: then we say for the identity provider who is in."""
        return self._directory.api.scim is not None

    def handles(self, email: str) -> bool:
        """Whether somebody comes and goes by SCIM: there is a token, and their domain is claimed.

        Raises:
            ConfigurationError: there is a token, and nobody tells the claimed domains.
        """
        return self.on and domain_of(email) in self._domains()

    def claims(self, email: str) -> bool | None:
        """Whether somebody's domain is claimed; None where nobody tells."""
        told = self._sso().claims(email)
        return domain_of(email) in self._claimed if told is None and self._claimed else told

    def keeps_out(self, email: str) -> bool:
        """Whether nobody of the domain is to be invited: the identity provider says who is in, and we have no token."""
        sso = self._sso()
        return not self.on and bool(sso.idp_managed) and sso.claims(email) is True

    def user(self, email: str) -> ScimUser | None:
        """Somebody as SCIM knows them, or None; asked for alone where the list of everybody cannot be read.

        Raises:
            Unintelligible: SCIM lists several of the address: which of them to change is not told.
        """
        try:
            users = self._users().get(same_key(email), [])
        except Unintelligible:
            return self.scim.find_user(email)
        if len(users) > 1:
            raise Unintelligible(
                "cannot tell who somebody is by SCIM",
                whom=email,
                why=f"SCIM lists {len(users)} users of the address",
                next_step="Delete in the identity provider those that are not theirs, and run again.",
            )
        return users[0] if users else None

    def of_member(self, person: Person) -> ScimUser | None:
        """A person of the organization as SCIM knows them; None for whoever does not come by SCIM, or waits.

        Raises:
            Unintelligible: they have joined, and SCIM lists nobody at all: that is not absence.
        """
        if not self.handles(person.email):
            return None
        user = self.user(person.email)
        if user is None and not person.invited and not self._users():
            raise Unintelligible(
                "cannot deactivate by SCIM",
                whom=person.email,
                why="Mixpanel lists the person, and its SCIM list is empty",
                next_step="Run again; if it stays so, check mixpanel:scimToken, or deactivate them in Mixpanel.",
            )
        return user

    def is_in(self, email: str) -> bool | None:
        """Whether somebody is an active member, as SCIM knows them; None where it lists them and does not tell.

        Who may be in is not let in on the strength of it, and is not taken for kept out.
        """
        user = self.user(email)
        return False if user is None else user.active

    def inactive(self) -> frozenset[str]:
        """The keys of those whom SCIM shows as inactive; nobody without a token, or where SCIM does not answer.

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
        """Make somebody an active member, who is none: new, or again; no e-mail goes out."""
        try:
            self._directory.writer.submit(self._activate, Activation(email, self.user(email), active=True))
        except Invalid:  # 409: an identity provider may have been faster
            if self.is_in(email) is False:
                raise

    def keep_out(self, user: ScimUser) -> None:
        """Deactivate somebody: they cannot log in, and what they hold stays for when they are let in again."""
        self._directory.writer.submit(self._activate, Activation(user.email, user, active=False))

    def _users(self) -> Mapping[str, list[ScimUser]]:
        def fetch() -> Mapping[str, list[ScimUser]]:
            self._directory.identity()
            found: dict[str, list[ScimUser]] = {}
            for user in self.scim.list_users():
                found.setdefault(same_key(user.email), []).append(user)
            return found

        return self._directory.snapshot.get(_USERS, fetch)

    def _sso(self) -> SingleSignOn:
        def fetch() -> SingleSignOn:
            self._directory.identity()
            try:
                return self._directory.api.organization_settings.sso()
            except UNTOLD:
                return SingleSignOn()

        return self._directory.snapshot.get(_SSO, fetch)

    def _domains(self) -> frozenset[str]:
        told = self._sso().domains
        if told is None and not self._claimed:
            raise ConfigurationError(
                "cannot tell who comes by SCIM",
                why="mixpanel:scimToken is set, and Mixpanel does not tell the claimed domains",
                next_step="Name them: pulumi config set mixpanel:claimedDomains example.com",
            )
        return self._claimed if told is None else told

    @property
    def scim(self) -> Scim:
        """The calls.

        Raises:
            ConfigurationError: there is no token.
        """
        if self._directory.api.scim is None:
            raise ConfigurationError(
                "cannot use SCIM",
                why="there is no token",
                next_step="Set it: pulumi config set --secret mixpanel:scimToken",
            )
        return self._directory.api.scim
