"""People of claimed domains: who is let in and kept out by SCIM, and never invited by e-mail."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from mixpanel_access.directory.calls import Api, Scim
from mixpanel_access.directory.coalescer import Coalescer, Crowd
from mixpanel_access.directory.one_by_one import each_alone
from mixpanel_access.directory.security import UNTOLD
from mixpanel_access.directory.shown import is_active, is_listed
from mixpanel_access.directory.snapshot import PEOPLE, Snapshot
from mixpanel_access.directory.writing import Expected, Writing
from mixpanel_access.model.access import Identity, Person, ScimUser
from mixpanel_access.model.address import domain_of, same_key
from mixpanel_access.model.errors import AccessError, ConfigurationError, Invalid, Unintelligible
from mixpanel_access.model.security import SingleSignOn

_USERS: Final = "SCIM users"
_SSO: Final = "single sign-on"

_Change = tuple[str, ScimUser | None, bool]
"""E-mail address, the user as SCIM knows them, and whether they are to be active."""


class Provisioning:
    """What SCIM does for one organization.

    Args:
        api: the calls to Mixpanel.
        identity: tells who we are, and holds a wrong organization.
        snapshot: what was read.
        writing: sends writes.
        claimed: the claimed domains, for where Mixpanel does not tell them.
        crowd: the threads that write at the same time.
    """

    def __init__(
        self,
        api: Api,
        identity: Callable[[], Identity],
        snapshot: Snapshot,
        writing: Writing,
        claimed: frozenset[str],
        crowd: Crowd,
    ) -> None:
        self._api = api
        self._identity = identity
        self._snapshot = snapshot
        self._writing = writing
        self._claimed = claimed
        self._changes: Coalescer[_Change] = Coalescer(self._send, crowd)

    @property
    def on(self) -> bool:
        """Whether there is a token: then we say for the identity provider who is in."""
        return self._api.scim is not None

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
            self._changes.submit((email, self.user(email), True))
        except Invalid:  # 409: an identity provider may have been faster
            if self.is_in(email) is False:
                raise

    def keep_out(self, user: ScimUser) -> None:
        """Deactivate somebody: they cannot log in, and what they hold stays for when they are let in again."""
        self._changes.submit((user.email, user, False))

    def _send(self, batch: Sequence[_Change]) -> Mapping[_Change, Exception | None]:
        def send(change: _Change) -> None:
            email, user, active = change

            def write() -> None:
                if user is None:
                    self.scim.create(email)
                else:
                    self.scim.set_active(user, active=active)

            def applied() -> bool:
                return self.is_in(email) is not False if active else self.is_in(email) is False

            key = same_key(email)

            def shows() -> Iterator[Expected]:
                yield _USERS, key, is_active(key, active=active)
                if user is None:
                    yield PEOPLE, key, is_listed(key)

            self._writing.settle(write, applied, [_USERS, PEOPLE], shows=shows)

        return each_alone(send, batch)

    def _users(self) -> Mapping[str, list[ScimUser]]:
        def fetch() -> Mapping[str, list[ScimUser]]:
            self._identity()
            found: dict[str, list[ScimUser]] = {}
            for user in self.scim.list_users():
                found.setdefault(same_key(user.email), []).append(user)
            return found

        return self._snapshot.get(_USERS, fetch)

    def _sso(self) -> SingleSignOn:
        def fetch() -> SingleSignOn:
            self._identity()
            try:
                return self._api.organization_settings.sso()
            except UNTOLD:
                return SingleSignOn()

        return self._snapshot.get(_SSO, fetch)

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
        if self._api.scim is None:
            raise ConfigurationError(
                "cannot use SCIM",
                why="there is no token",
                next_step="Set it: pulumi config set --secret mixpanel:scimToken",
            )
        return self._api.scim
