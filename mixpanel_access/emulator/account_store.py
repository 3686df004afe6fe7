"""Service accounts and their grants in SQLite (contract, section 6)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from mixpanel_access.emulator.database import TEAM_ROLES, StoreBase, as_instant, as_text, insert
from mixpanel_access.model.dates import written

FIRST_ACCOUNT: Final = 987_654
"""The id of the first service account, unless a document says otherwise."""

_FIRST_USER: Final = 9000


@dataclass(frozen=True)
class Account:
    """A service account; `role` is its organization role, `user_id` the user as which it acts."""

    username: str
    secret: str
    role: str
    user_id: int
    id: int
    expires: datetime | None = None
    created: datetime | None = None
    creator: int | None = None
    creator_name: str | None = None
    creator_email: str | None = None
    last_used: datetime | None = None


@dataclass(frozen=True)
class AccountGrant:
    """A service account's role in a project, with its source: an individual grant, a team or the organization role."""

    account: Account
    role: str
    target_type: str


class AccountStore(StoreBase):
    """The part of the store with service accounts."""

    def account(self, username: str) -> Account | None:
        """A service account by its user name."""
        found = self._rows("SELECT * FROM service_account WHERE username = ?", username)
        return _account(found[0]) if found else None

    def account_of_id(self, id_: int) -> Account | None:
        """A service account by its id."""
        found = self._rows("SELECT * FROM service_account WHERE id = ?", id_)
        return _account(found[0]) if found else None

    def accounts(self) -> list[Account]:
        """Every service account, by id."""
        return [_account(row) for row in self._rows("SELECT * FROM service_account ORDER BY id")]

    def add_account(self, username: str, secret: str, role: str, expires: datetime | None, by: Account) -> Account:
        """Create a service account, with an id and a user id that are new."""
        id_ = self._next_id("service_account", FIRST_ACCOUNT)
        row = {
            "username": username,
            "secret": secret,
            "role": role,
            "user_id": _FIRST_USER + id_,
            "id": id_,
            "expires": as_text(expires),
            "created": written(self.clock.now()),
            "creator": by.user_id,
            "creator_name": by.username,
            "creator_email": by.username,
        }
        insert(self._db, "service_account", [row])
        return _account({**row, "last_used": None})

    def remove_account(self, id_: int) -> None:
        """Delete a service account with all its access."""
        self._db.execute("DELETE FROM service_account WHERE id = ?", (id_,))

    def use_account(self, account: Account) -> None:
        """Note when an account was used, to the second."""
        now = written(self.clock.now())
        if account.last_used is None or written(account.last_used) != now:
            self._db.execute("UPDATE service_account SET last_used = ? WHERE id = ?", (now, account.id))

    def account_grant(self, id_: int, project: int) -> str | None:
        """The service account's own role in a project."""
        statement = "SELECT role FROM service_account_grant WHERE account = ? AND project = ?"
        found = self._rows(statement, id_, project)
        return found[0]["role"] if found else None

    def put_account_grant(self, id_: int, project: int, role: str | None) -> None:
        """Give, change or (None) take away a service account's own role in a project."""
        if role is None:
            statement = "DELETE FROM service_account_grant WHERE account = ? AND project = ?"
            self._db.execute(statement, (id_, project))
        else:
            self._db.execute(
                "INSERT INTO service_account_grant (account, project, role) VALUES (?, ?, ?) "
                "ON CONFLICT DO UPDATE SET role = excluded.role",
                (id_, project, role),
            )

    def account_grants(self, project: int) -> list[AccountGrant]:
        """Every service account's roles in a project, by organization role, by team and by individual grant."""
        accounts = {account.id: account for account in self.accounts()}
        own = self._rows("SELECT * FROM service_account_grant WHERE project = ? ORDER BY account", project)
        teams = self._rows(
            f"SELECT a.account, g.role FROM {TEAM_ROLES} g JOIN team_service_account a ON a.team = g.team "  # noqa: S608
            "WHERE g.project = ? ORDER BY a.account, g.team",
            project,
        )
        return [
            *(
                AccountGrant(account, account.role, "organization")
                for account in accounts.values()
                if account.role in ("owner", "admin")
            ),
            *(AccountGrant(accounts[row["account"]], row["role"], "team") for row in teams),
            *(AccountGrant(accounts[row["account"]], row["role"], "individual") for row in own),
        ]


def _account(row: dict[str, Any]) -> Account:
    instants = {name: as_instant(row[name]) for name in ("expires", "created", "last_used")}
    return Account(**{**row, **instants})
