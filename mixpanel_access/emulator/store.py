"""The organization in SQLite, with the reads and writes that the endpoints use.

There is one connection and one event loop. An endpoint runs in one transaction from its first statement to its answer,
and a refusal rolls all of it back.
"""

from __future__ import annotations

import json
import sqlite3
import weakref
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from mixpanel_access.emulator import seed
from mixpanel_access.emulator.account_store import AccountStore
from mixpanel_access.emulator.audit_store import AuditStore
from mixpanel_access.emulator.database import SCHEMA, SCHEMA_VERSION, Clock, as_instant, as_text, custom_roles, insert
from mixpanel_access.emulator.document import Document
from mixpanel_access.emulator.team_store import TeamStore
from mixpanel_access.model import roles
from mixpanel_access.model.address import domain_of, same_key
from mixpanel_access.model.dates import instant, written
from mixpanel_access.model.errors import UsageError

_GRANTS: Final = ("individual_grant", "team_grant", "service_account_grant")
_OF_PEOPLE: Final = ("member", "individual_grant", "team_member")
_EMPTY: Final = Document.model_validate({"organization": {"id": 1, "name": "Empty"}})


@dataclass(frozen=True)
class MemberRow:
    """A person in the organization or invited to it; `scim` has the other attributes that an identity provider sent."""

    key: str
    email: str
    name: str | None
    role: str
    id: int | None
    invited_at: datetime | None
    last_login: datetime | None
    active: bool = True
    scim: dict[str, Any] | None = None

    @property
    def invited(self) -> bool:
        """Whether the invitation is not accepted yet: it is pending or expired."""
        return self.invited_at is not None


class Store(AuditStore, AccountStore, TeamStore):
    """The organization.

    Args:
        file: the SQLite file, or None for memory.
        clock: the emulator's time.

    Raises:
        UsageError: the file cannot be used.
    """

    def __init__(self, file: Path | None, clock: Clock) -> None:
        self.clock = clock
        try:
            # Handlers all run on the server's one thread; only its creation may be on another.
            self._db = sqlite3.connect(file or ":memory:", isolation_level=None, check_same_thread=False)
            weakref.finalize(self, self._db.close)  # Python warns of a database that nobody has closed
            self._db.execute("PRAGMA foreign_keys = ON")
            self._must_be_ours()
            self._db.executescript(f"PRAGMA user_version = {SCHEMA_VERSION};{SCHEMA}")
            if not self._db.execute("SELECT 1 FROM setting LIMIT 1").fetchone():
                self.seed(_EMPTY)
        except sqlite3.Error as error:
            if hasattr(self, "_db"):
                self._db.close()
            raise UsageError(
                "cannot keep the organization",
                subject=str(file),
                why=str(error),
                next_step="Give a file that does not exist yet, or one that the emulator made.",
            ) from None

    def _must_be_ours(self) -> None:
        """Refuse the file of another program, or of another version of the tables."""
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        found = [name for (name,) in self._db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        if found and version != SCHEMA_VERSION:
            raise sqlite3.DatabaseError(f"its tables ({', '.join(found)}) are not those of this emulator")

    def close(self) -> None:
        """Close the database; the store cannot be used afterwards."""
        self._db.close()

    def copy(self) -> Store:
        """A copy of the organization in memory, with the same clock."""
        copy = Store(None, self.clock)
        self._db.backup(copy._db)  # of the same class
        return copy

    # The whole organization

    def seed(self, document: Document) -> None:
        """Replace everything with the document."""
        with self.transaction():
            seed.write(self._db, document)
        if document.now is not None:
            self.clock.set(document.now)

    def dump(self) -> dict[str, Any]:
        """The organization as a document, with the emulator's current time."""
        return {"now": as_text(self.clock.now()), **seed.read(self._db)}

    # Reads

    def members(self) -> list[MemberRow]:
        """Everybody, also invited people, oldest first."""
        return [_member(row) for row in self._rows("SELECT * FROM member ORDER BY rowid")]

    def member(self, email: str) -> MemberRow | None:
        """A person by any spelling of the address."""
        rows = self._rows("SELECT * FROM member WHERE key = ?", same_key(email))
        return _member(rows[0]) if rows else None

    def member_of_id(self, id_: int) -> MemberRow | None:
        """A person by the id of their user."""
        rows = self._rows("SELECT * FROM member WHERE id = ?", id_)
        return _member(rows[0]) if rows else None

    def grant(self, project: int, email: str) -> str | None:
        """The role of a person's individual grant in a project."""
        statement = "SELECT role FROM individual_grant WHERE project = ? AND key = ?"
        found = self._rows(statement, project, same_key(email))
        return found[0]["role"] if found else None

    def individual(self, project: int) -> dict[str, str]:
        """The individual grants in a project, by the key of the address."""
        return {
            row["key"]: row["role"]
            for row in self._rows("SELECT key, role FROM individual_grant WHERE project = ? ORDER BY rowid", project)
        }

    def mails(self) -> list[dict[str, Any]]:
        """The invitation e-mails that were sent."""
        return self._rows("SELECT email, kind, sent_at FROM mail ORDER BY n")

    def mails_to(self, domain: str, since: datetime, now: datetime) -> list[datetime]:
        """When e-mails were sent to a domain in a span of time: the clock may have been set back."""
        sent = [(row["email"], instant(row["sent_at"])) for row in self.mails()]
        return sorted(at for email, at in sent if domain_of(email) == domain and since < at <= now)

    def expired(self, member: MemberRow) -> bool:
        """Whether the person's invitation has expired."""
        life = timedelta(days=self.setting("invitation_life_days"))
        return member.invited_at is not None and member.invited_at + life <= self.clock.now()

    # Writes

    def put_member(self, email: str, role: str, *, invited: bool) -> None:
        """Add a person, or change the role of one; `invited` restarts the invitation."""
        key, known = same_key(email), self.member(email)
        invited_at = as_text(self.clock.now()) if invited else None
        if known:
            user_id = known.id if invited else known.id or self._user_id(key)
            self._db.execute(
                "UPDATE member SET role = ?, invited_at = ?, id = ? WHERE key = ?", (role, invited_at, user_id, key)
            )
        else:
            user_id = None if invited else self._user_id(key)
            row = {"key": key, "email": email.strip(), "role": role, "id": user_id}
            insert(self._db, "member", [{**row, "invited_at": invited_at}])

    def change_role(self, email: str, role: str) -> None:
        """Change an organization role and nothing else."""
        self._db.execute("UPDATE member SET role = ? WHERE key = ?", (role, same_key(email)))

    def accept(self, email: str) -> None:
        """Let an invited person join."""
        key = same_key(email)
        self._db.execute(
            "UPDATE member SET invited_at = NULL, id = coalesce(id, ?) WHERE key = ?", (self._user_id(key), key)
        )

    def log_in(self, email: str) -> None:
        """Note that a person logs in now."""
        now = as_text(self.clock.now())
        self._db.execute("UPDATE member SET last_login = ? WHERE key = ?", (now, same_key(email)))

    def set_profile(self, email: str, *, name: str | None, active: bool, scim: dict[str, Any] | None) -> None:
        """Set what an identity provider says about a person, who can log in only if active."""
        text = None if scim is None else json.dumps(scim, ensure_ascii=False)
        statement = "UPDATE member SET name = ?, active = ?, scim = ? WHERE key = ?"
        self._db.execute(statement, (name, active, text, same_key(email)))

    def change_address(self, email: str, address: str) -> None:
        """Give a person another address; the user id and all access stay."""
        self._db.execute("PRAGMA defer_foreign_keys = ON")  # until the transaction ends
        for table in _OF_PEOPLE:
            statement = f"UPDATE {table} SET key = ? WHERE key = ?"  # noqa: S608  # our own names
            self._db.execute(statement, (same_key(address), same_key(email)))
        self._db.execute("UPDATE member SET email = ? WHERE key = ?", (address.strip(), same_key(address)))

    def remove_member(self, email: str) -> None:
        """Remove a person with all their access; if they come back, they get the same user id."""
        former = "INSERT OR REPLACE INTO former_user SELECT key, id FROM member WHERE key = ? AND id IS NOT NULL"
        self._db.execute(former, (same_key(email),))
        self._db.execute("DELETE FROM member WHERE key = ?", (same_key(email),))

    def put_grant(self, project: int, email: str, role: str | None) -> None:
        """Give, change or (None) take away an individual grant."""
        if role is None:
            self._db.execute("DELETE FROM individual_grant WHERE project = ? AND key = ?", (project, same_key(email)))
        else:
            self._db.execute(
                "INSERT INTO individual_grant VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET role = excluded.role",
                (project, same_key(email), role),
            )

    def send_mail(self, email: str, kind: str) -> None:
        """Note that an invitation e-mail was sent."""
        row = (email, kind, as_text(self.clock.now()))
        self._db.execute("INSERT INTO mail (email, kind, sent_at) VALUES (?, ?, ?)", row)

    # Projects and their custom roles

    def projects(self) -> list[dict[str, Any]]:
        """Every project with id, name, all_users, timezone_name, domain and custom_roles."""
        found = self._rows("SELECT * FROM project ORDER BY id")
        return [{**row, "custom_roles": custom_roles(self._db, row["id"])} for row in found]

    def project(self, id_: int) -> dict[str, Any] | None:
        """A project by its id, as in `projects`."""
        found = self._rows("SELECT * FROM project WHERE id = ?", id_) if 0 < id_ < 2**63 else []
        return {**found[0], "custom_roles": custom_roles(self._db, id_)} if found else None

    def projects_of(self, key: str) -> list[dict[str, Any]]:
        """The individual grants of a person, given by the key of the address: project id and role."""
        return self._rows("SELECT project AS id, role FROM individual_grant WHERE key = ? ORDER BY project", key)

    def add_project(self, name: str, timezone_name: str, domain: str) -> int:
        """Create a project with an id that no project had; the id."""
        id_ = self._next_id("project", 1)
        row = {"id": id_, "name": name, "timezone_name": timezone_name, "domain": domain}
        insert(self._db, "project", [row])
        return id_

    def change_project(self, id_: int, *, name: str | None = None, timezone_name: str | None = None) -> None:
        """Rename a project, or set its time zone."""
        statement = (
            "UPDATE project SET name = coalesce(?, name), timezone_name = coalesce(?, timezone_name) WHERE id = ?"
        )
        self._db.execute(statement, (name, timezone_name, id_))

    def remove_project(self, id_: int) -> None:
        """Delete a project with all grants in it."""
        self._db.execute("DELETE FROM project WHERE id = ?", (id_,))

    def custom_roles(self, project: int) -> list[dict[str, Any]]:
        """The custom roles of a project."""
        return custom_roles(self._db, project)

    def custom_role(self, project: int, role_id: str) -> dict[str, Any] | None:
        """A custom role of a project by its id."""
        return next((role for role in self.custom_roles(project) if role["role_id"] == role_id), None)

    def custom_role_name(self, project: int, role_id: str) -> str | None:
        """The name of a custom role, or None if the project does not have it."""
        role = self.custom_role(project, role_id)
        return None if role is None else str(role["name"])

    def add_custom_role(self, project: int, name: str, description: str, permissions: list[str], by: int) -> str:
        """Create a custom role; its id."""
        role_id, now = str(uuid4()), written(self.clock.now())
        row = {"project": project, "role_id": role_id, "name": name, "description": description, "created": now}
        more = {"permissions": json.dumps(permissions), "modified": now, "created_by": by}
        insert(self._db, "custom_role", [{**row, **more}])
        return role_id

    def change_custom_role(
        self, project: int, role_id: str, name: str, description: str, permissions: list[str]
    ) -> None:
        """Replace name, description and permissions of a custom role."""
        self._db.execute(
            "UPDATE custom_role SET name = ?, description = ?, permissions = ?, modified = ? "
            "WHERE project = ? AND role_id = ?",
            (name, description, json.dumps(permissions), written(self.clock.now()), project, role_id),
        )

    def remove_custom_role(self, project: int, role_id: str) -> int:
        """Delete a custom role; how many grants (people, teams, accounts, all users) become `consumer`."""
        values = (roles.CONSUMER, project, role_id)
        moved = 0
        for table in _GRANTS:
            statement = f"UPDATE {table} SET role = ? WHERE project = ? AND role = ?"  # noqa: S608  # our own names
            moved += self._db.execute(statement, values).rowcount
        statement = "UPDATE project SET all_users = ? WHERE id = ? AND all_users = ?"
        moved += self._db.execute(statement, values).rowcount
        self._db.execute("DELETE FROM custom_role WHERE project = ? AND role_id = ?", (project, role_id))
        return moved

    def _user_id(self, key: str) -> int:
        """The user id of a person who joins: the id that they had before, or a new one."""
        free = "id NOT IN (SELECT id FROM member WHERE id IS NOT NULL)"  # they may be back by another address
        former = self._rows(f"SELECT id FROM former_user WHERE key = ? AND {free}", key)  # noqa: S608  # our own words
        if former:
            return int(former[0]["id"])
        taken = self._rows("SELECT max(id) AS id FROM (SELECT id FROM member UNION ALL SELECT id FROM former_user)")
        return max(taken[0]["id"] or 0, 500) + 1


def _member(row: dict[str, Any]) -> MemberRow:
    instants = {name: as_instant(row[name]) for name in ("invited_at", "last_login")}
    scim = None if row["scim"] is None else json.loads(row["scim"])
    return MemberRow(**{**row, **instants, "active": bool(row["active"]), "scim": scim})
