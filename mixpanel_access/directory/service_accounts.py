"""The organization's service accounts and their roles in projects: reads from the snapshot, and the writes.

The whole family is documented (contract, section 6). There is no verb to change an account.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from mixpanel_access.directory.shown import has_account, has_account_role
from mixpanel_access.directory.snapshot import Part, Snapshot
from mixpanel_access.directory.writes import Effect, Write
from mixpanel_access.model import errors
from mixpanel_access.model.access import AccountFlag, GrantType
from mixpanel_access.model.service_accounts import NewServiceAccount, ServiceAccountInfo, ServiceAccountRole

if TYPE_CHECKING:
    from mixpanel_access.api.service_accounts import ServiceAccountsEndpoint
    from mixpanel_access.directory.reads import Reads

_ACCOUNTS: Final[Part[Sequence[ServiceAccountInfo]]] = Part("service accounts")


def roles_in(project: int) -> Part[Mapping[int, ServiceAccountRole]]:
    """The accounts' roles in a project, by the account's id."""
    return Part("service account roles", project)


def if_lost(name: str) -> str:
    """What to do where nobody knows whether an account of a name was made: there is no token of it."""
    return (
        f"It may have been made, its token is lost, and the list of accounts does not show it: look for a new {name} "
        f"in Organization Settings > Service Accounts, delete it, then run again."
    )


class AccountRole(NamedTuple):
    """An account's role in a project; None for no role."""

    account: int
    project: int
    role: str | None = None


class _Create(Write[str]):
    """Makes an account of a name.

    An answer that is lost takes the token along: nobody can use what was made then, and it is deleted before the
    account is made again.

    Attributes:
        made: the account whose token we have, or None.
        cleared: the accounts whose token nobody has, and that were deleted.
        left_over: why one of them could not be deleted.
        tries: the requests so far.
    """

    once = True

    def __init__(
        self, accounts: ServiceAccounts, api: ServiceAccountsEndpoint, role: str, expires: datetime | None
    ) -> None:
        self._accounts, self._api, self._role, self._expires = accounts, api, role, expires
        self.before = {account.id for account in accounts.all()}
        self.made: NewServiceAccount | None = None
        self.cleared: list[ServiceAccountInfo] = []
        self.left_over: errors.AccessError | None = None
        self.tries = 0

    def send(self, items: Sequence[str]) -> None:
        for name in items:
            self.tries += 1
            self.made = self._api.create(name, self._role, self._expires)

    def effects(self, item: str) -> Iterable[Effect[Any]]:
        yield Effect(_ACCOUNTS, item, lambda accounts: self._shows(item, accounts))

    def _shows(self, name: str, accounts: Sequence[ServiceAccountInfo]) -> bool | None:
        if self.made is not None:
            return has_account(self.made.account.id, listed=True)(accounts)
        return None if self.cleared else any(one.name == name and one.id not in self.before for one in accounts)

    def arrived(self, item: str, snapshot: Snapshot) -> bool:  # noqa: ARG002
        """Delete what was made without us seeing its token; then nothing has arrived."""
        new = [account for account in self._accounts.by_name(item) if account.id not in self.before]
        self.cleared.extend(new)
        try:
            self._accounts.clear_away(item, new)
        except errors.AccessError as error:
            self.left_over = error
            raise
        return False


class _Delete(Write[int]):
    """Deletes one service account by its id."""

    takes = True

    def __init__(self, api: ServiceAccountsEndpoint) -> None:
        self._api = api

    def send(self, items: Sequence[int]) -> None:
        for id_ in items:
            self._api.delete(id_)

    def effects(self, item: int) -> Iterable[Effect[Any]]:
        yield Effect(_ACCOUNTS, item, has_account(item, listed=False))


class _SetRole(Write[AccountRole]):
    """Gives an account a role in a project, changes it, or takes it away."""

    def __init__(self, api: ServiceAccountsEndpoint, *, takes: bool = False) -> None:
        self._api = api
        self.takes = takes

    def send(self, items: Sequence[AccountRole]) -> None:
        for account, project, role in items:
            if role is None:
                self._api.remove_from_project(account, project)
            else:
                self._api.add_to_project(account, project, role)

    def effects(self, item: AccountRole) -> Iterable[Effect[Any]]:
        yield Effect(roles_in(item.project), item.account, has_account_role(item.account, item.role))


class ServiceAccounts:
    """The service accounts of one organization."""

    def __init__(self, directory: Reads) -> None:
        self._directory = directory
        self._api = directory.api.service_accounts
        self._making = threading.Lock()
        directory.snapshot.read_by(_ACCOUNTS.kind, self.all)
        directory.snapshot.read_by(roles_in(0).kind, self.roles)

    def all(self) -> Sequence[ServiceAccountInfo]:
        """Every service account of the organization, including our own."""
        return self._directory.read(_ACCOUNTS, self._api.list_accounts)

    def get(self, id_: int) -> ServiceAccountInfo | None:
        """One account, or None if it does not exist."""
        return next((account for account in self.all() if account.id == id_), None)

    def by_name(self, name: str) -> list[ServiceAccountInfo]:
        """The accounts that were made with a name; there may be several, since Mixpanel makes login names unique."""
        return [account for account in self.all() if account.name == name]

    def roles(self, project: int) -> Mapping[int, ServiceAccountRole]:
        """The individual roles of service accounts in a project, by the account's id.

        Raises:
            NotFound: the project is not in the organization.
        """

        def fetch() -> Mapping[int, ServiceAccountRole]:
            rows = self._api.list_of_project(project)
            return {row.account: row for row in rows if row.grant_type is GrantType.INDIVIDUAL}

        return self._directory.snapshot.get(roles_in(project), fetch)

    def flags(self, project: int) -> Sequence[AccountFlag]:
        """Whether each account of a project has sensitive access; asked for each time.

        Raises:
            MixpanelError: Mixpanel does not report it.
        """
        return self._api.flags_of_project(project)

    def create(self, name: str, role: str, expires: datetime | None) -> NewServiceAccount:
        """Make an account. Its token is in the answer and nowhere else.

        An answer that is lost takes the token along. The account that was made then is deleted, before the account is
        made again, or after it where Mixpanel shows the first one as late as the second.

        Raises:
            MixpanelError: no account was made, or one is left over, which the error names.
        """
        with self._making:  # one at a time: what is new after a lost answer is then this one's
            self._directory.snapshot.drop(_ACCOUNTS)
            write = _Create(self, self._api, role, expires)
            try:
                self._directory.writer.settle(write, [name])
            except errors.MixpanelError as error:
                if write.left_over is not None:
                    raise write.left_over from None
                if error.unsettled:
                    error.next_step = if_lost(name)
                raise
            if write.made is None:
                raise AssertionError("a write that was applied has an answer")
            if write.tries > len(write.cleared) + 1:  # an answer was lost, and nothing showed then
                with suppress(errors.AccessError):  # we have our token; the next run reports the other
                    late = [one for one in self.by_name(name) if one.id not in {*write.before, write.made.account.id}]
                    self.clear_away(name, [one for one in late if one not in write.cleared])
        return write.made

    def clear_away(self, name: str, new: Sequence[ServiceAccountInfo]) -> None:
        """Delete an account whose token nobody has seen; of several, nobody knows which one it is."""
        if len(new) > 1:
            raise errors.NotApplied(
                f"cannot make the service account {name}",
                why="the answer with its token was lost, and there are several new ones of the name: "
                + ", ".join(f"{account.username} ({account.id})" for account in new),
                next_step="Delete the one that nobody uses in Organization Settings > Service Accounts; run again.",
            )
        for account in new:
            try:
                self.delete(account.id)
            except errors.AccessError as error:
                error.next_step = (
                    f"The answer with its token was lost: delete {account.username} ({account.id}) in Organization "
                    f"Settings > Service Accounts, then run again."
                )
                raise

    def delete(self, id_: int) -> None:
        """Delete an account; its access to all projects ends at once."""
        self._directory.writer.settle(_Delete(self._api), [id_])

    def grant(self, id_: int, project: int, role: str) -> None:
        """Give an account a role in a project, or change it in place."""
        self._directory.writer.settle(_SetRole(self._api), [AccountRole(id_, project, role)])

    def remove_grant(self, id_: int, project: int) -> None:
        """Take an account's role in a project away; nothing else."""
        self._directory.writer.settle(_SetRole(self._api, takes=True), [AccountRole(id_, project)])
