"""The organization's service accounts and their roles in projects: reads from the snapshot, and the writes.

The whole family is documented (contract, section 6). There is no verb to change an account.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from mixpanel_access.directory.calls import Api
from mixpanel_access.directory.shown import has_account, has_account_role
from mixpanel_access.directory.snapshot import Snapshot
from mixpanel_access.directory.writing import Expected, Writing
from mixpanel_access.model import errors
from mixpanel_access.model.access import GrantType, Identity, NewServiceAccount, ServiceAccountInfo, ServiceAccountRole
from mixpanel_access.model.other_access import AccountFlag

_ACCOUNTS = "service accounts"


class ServiceAccounts:
    """The service accounts of one organization.

    Args:
        api: the calls to Mixpanel.
        identity: tells who we are, and holds a wrong organization.
        snapshot: what was read.
        writing: sends writes.
    """

    def __init__(self, api: Api, identity: Callable[[], Identity], snapshot: Snapshot, writing: Writing) -> None:
        self._api = api
        self._identity = identity
        self._snapshot = snapshot
        self._writing = writing
        self._making = threading.Lock()

    def all(self) -> Sequence[ServiceAccountInfo]:
        """Every service account of the organization, ours included."""

        def fetch() -> Sequence[ServiceAccountInfo]:
            self._identity()
            return self._api.service_accounts.list_accounts()

        return self._snapshot.get(_ACCOUNTS, fetch)

    def get(self, id_: int) -> ServiceAccountInfo | None:
        """One account, or None where there is none."""
        return next((account for account in self.all() if account.id == id_), None)

    def by_name(self, name: str) -> list[ServiceAccountInfo]:
        """The accounts that were made with a name; there may be several, since Mixpanel makes login names unique."""
        return [account for account in self.all() if account.name == name]

    def roles(self, project: int) -> Mapping[int, ServiceAccountRole]:
        """The individual roles of service accounts in a project, by the account's id.

        Raises:
            NotFound: the organization has no such project.
        """

        def fetch() -> Mapping[int, ServiceAccountRole]:
            rows = self._api.service_accounts.list_of_project(project)
            return {row.account: row for row in rows if row.grant_type is GrantType.INDIVIDUAL}

        return self._snapshot.get(roles_in(project), fetch)

    def flags(self, project: int) -> Sequence[AccountFlag]:
        """Whether each account of a project has sensitive access; asked for each time.

        Raises:
            MixpanelError: Mixpanel does not tell.
        """
        return self._api.service_accounts.flags_of_project(project)

    def create(self, name: str, role: str, expires: datetime | None) -> NewServiceAccount:
        """Make an account. Its token is in the answer and nowhere else.

        An answer that is lost takes the token along: what was made then is good for nobody, and is deleted before the
        account is made again, or after it where Mixpanel shows the first one as late as the second.

        Raises:
            MixpanelError: there is no new account, or one is left over, which the error names.
        """
        made: list[NewServiceAccount] = []
        cleared: list[ServiceAccountInfo] = []
        left_over: list[errors.MixpanelError] = []

        tries = 0

        def write() -> None:
            nonlocal tries
            tries += 1
            made.append(self._api.service_accounts.create(name, role, expires))

        def applied() -> bool:
            new = [account for account in self.by_name(name) if account.id not in before]
            cleared.extend(new)
            try:
                self._clear_away(name, new)
            except errors.MixpanelError as error:
                left_over.append(error)
                raise
            return False

        def shows() -> Iterator[Expected]:
            if made:
                yield _ACCOUNTS, made[-1].account.id, has_account(made[-1].account.id, listed=True)
            elif not cleared:  # after a lost answer
                yield (
                    _ACCOUNTS,
                    name,
                    lambda accounts: any(one.name == name and one.id not in before for one in accounts),
                )

        with self._making:  # one at a time: what is new after a lost answer is then this one's
            self._snapshot.drop(_ACCOUNTS)
            before = {account.id for account in self.all()}
            try:
                self._writing.settle(
                    write,
                    applied,
                    [_ACCOUNTS],
                    shows=shows,
                    once=True,
                )
            except errors.MixpanelError as error:
                if left_over:
                    raise left_over[0] from None
                if error.unsettled:
                    error.next_step = (
                        f"It may have been made, its token is lost, and the list of accounts does not show it: look "
                        f"for a new {name} in Organization Settings > Service Accounts, delete it, then run again."
                    )
                raise
            if tries > len(cleared) + 1:  # an answer was lost, and nothing showed then
                late = [one for one in self.by_name(name) if one.id not in {*before, made[-1].account.id}]
                with suppress(errors.MixpanelError):  # we have our token; the next run reports the other
                    self._clear_away(name, [one for one in late if one not in cleared])
        return made[-1]

    def _clear_away(self, name: str, new: Sequence[ServiceAccountInfo]) -> None:
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
            except errors.MixpanelError as error:
                error.next_step = (
                    f"The answer with its token was lost: delete {account.username} ({account.id}) in Organization "
                    f"Settings > Service Accounts, then run again."
                )
                raise

    def delete(self, id_: int) -> None:
        """Delete an account; its access to all projects ends at once."""

        def gone() -> bool:
            return self.get(id_) is None

        try:
            self._writing.settle(
                lambda: self._api.service_accounts.delete(id_),
                gone,
                [_ACCOUNTS],
                shows=lambda: [(_ACCOUNTS, id_, has_account(id_, listed=False))],
            )
        except errors.NotFound:
            if not gone():
                raise

    def grant(self, id_: int, project: int, role: str) -> None:
        """Give an account a role in a project, or change it in place."""

        def applied() -> bool:
            held = self.roles(project).get(id_)
            return held is not None and held.role == role

        def write() -> None:
            self._api.service_accounts.add_to_project(id_, project, role)

        self._writing.settle(
            write,
            applied,
            [roles_in(project)],
            shows=lambda: [(roles_in(project), id_, has_account_role(id_, role))],
        )

    def remove_grant(self, id_: int, project: int) -> None:
        """Take an account's role in a project away; nothing else."""

        def gone() -> bool:
            return id_ not in self.roles(project)

        try:
            self._writing.settle(
                lambda: self._api.service_accounts.remove_from_project(id_, project),
                gone,
                [roles_in(project)],
                shows=lambda: [(roles_in(project), id_, has_account_role(id_, None))],
            )
        except errors.NotFound:
            if not gone():
                raise


def roles_in(project: int) -> tuple[str, int]:
    """What of the snapshot holds the accounts' roles in a project."""
    return ("service account roles", project)
