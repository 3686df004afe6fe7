"""What every part of the store is built on: the clock, the tables, reading and writing rows, and one transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from mixpanel_access.model.dates import instant


class Clock:
    """Real time, moved by an offset."""

    def __init__(self) -> None:
        self._offset = timedelta()

    def now(self) -> datetime:
        """The emulator's current time, UTC."""
        return datetime.now(UTC) + self._offset

    def set(self, instant: datetime) -> None:
        """Make this the current time."""
        self._offset = instant - datetime.now(UTC)

    def advance(self, seconds: float) -> None:
        """Move forward by some seconds, or back."""
        self._offset += timedelta(seconds=seconds)


SCHEMA_VERSION: Final = 3
"""The version of the tables, which the file keeps as its `user_version`."""

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS member (
    key TEXT PRIMARY KEY, email TEXT NOT NULL, name TEXT, role TEXT NOT NULL, id INTEGER UNIQUE,
    invited_at TEXT, last_login TEXT, active INTEGER NOT NULL DEFAULT 1, scim TEXT);
CREATE TABLE IF NOT EXISTS project (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, all_users TEXT, timezone_name TEXT NOT NULL,
    domain TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS custom_role (
    project INTEGER NOT NULL REFERENCES project(id) ON DELETE CASCADE, role_id TEXT NOT NULL, name TEXT NOT NULL,
    description TEXT NOT NULL, permissions TEXT NOT NULL, created TEXT, modified TEXT, created_by INTEGER,
    PRIMARY KEY (project, role_id));
CREATE TABLE IF NOT EXISTS individual_grant (
    project INTEGER NOT NULL REFERENCES project(id) ON DELETE CASCADE,
    key TEXT NOT NULL REFERENCES member(key) ON DELETE CASCADE, role TEXT NOT NULL, PRIMARY KEY (project, key));
CREATE TABLE IF NOT EXISTS team (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, org_role TEXT, scim_managed INTEGER NOT NULL,
    external_id TEXT);
CREATE TABLE IF NOT EXISTS team_member (
    team INTEGER NOT NULL REFERENCES team(id) ON DELETE CASCADE,
    key TEXT NOT NULL REFERENCES member(key) ON DELETE CASCADE, PRIMARY KEY (team, key));
CREATE TABLE IF NOT EXISTS team_grant (
    team INTEGER NOT NULL REFERENCES team(id) ON DELETE CASCADE,
    project INTEGER NOT NULL REFERENCES project(id) ON DELETE CASCADE, role TEXT NOT NULL, PRIMARY KEY (team, project));
CREATE TABLE IF NOT EXISTS service_account (
    id INTEGER PRIMARY KEY AUTOINCREMENT, username TEXT NOT NULL UNIQUE, secret TEXT NOT NULL, role TEXT NOT NULL,
    user_id INTEGER NOT NULL, expires TEXT, created TEXT, creator INTEGER, creator_name TEXT, creator_email TEXT,
    last_used TEXT);
CREATE TABLE IF NOT EXISTS service_account_grant (
    account INTEGER NOT NULL REFERENCES service_account(id) ON DELETE CASCADE,
    project INTEGER NOT NULL REFERENCES project(id) ON DELETE CASCADE, role TEXT NOT NULL,
    PRIMARY KEY (account, project));
CREATE TABLE IF NOT EXISTS team_service_account (
    team INTEGER NOT NULL REFERENCES team(id) ON DELETE CASCADE,
    account INTEGER NOT NULL REFERENCES service_account(id) ON DELETE CASCADE, PRIMARY KEY (team, account));
CREATE TABLE IF NOT EXISTS former_user (key TEXT PRIMARY KEY, id INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS mail (n INTEGER PRIMARY KEY, email TEXT NOT NULL, kind TEXT NOT NULL, sent_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS audit_event (
    n INTEGER PRIMARY KEY, type TEXT NOT NULL, created TEXT NOT NULL, project INTEGER, user_id TEXT NOT NULL,
    user_email TEXT, client_ip TEXT, service TEXT NOT NULL, entity_id TEXT, entity_name TEXT, payload TEXT NOT NULL,
    was_impersonated_by_staff INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS audit_by_time ON audit_event (created, n);
"""
TABLES: Final = (
    "team_service_account", "service_account_grant", "team_member", "team_grant", "individual_grant", "custom_role",
    "team", "member", "project", "service_account", "mail", "former_user", "audit_event", "setting", "sqlite_sequence",
)  # fmt: skip
"""Every table, in an order in which they can be emptied; the last one has the ids that were used."""

TEAM_ROLES: Final = (
    "(SELECT team, project, role FROM team_grant "
    "UNION ALL SELECT t.id, p.id, t.org_role FROM team t, project p WHERE t.org_role IN ('owner', 'admin'))"
)
"""Every team's role in every project, from a grant or from its organization role."""


def insert(db: sqlite3.Connection, table: str, values: Iterable[Mapping[str, object]]) -> None:
    """Insert rows, given by the names of their columns."""
    for row in values:
        places = ", ".join("?" * len(row))
        db.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})", tuple(row.values()))  # noqa: S608  # our own names


def rows(db: sqlite3.Connection, statement: str, *values: object) -> list[dict[str, Any]]:
    """The rows that a statement finds, by the names of their columns."""
    cursor = db.execute(statement, values)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def custom_roles(db: sqlite3.Connection, project: int) -> list[dict[str, Any]]:
    """The custom roles of a project, oldest first."""
    return [
        {**row, "permissions": json.loads(row["permissions"])}
        for row in rows(db, "SELECT * FROM custom_role WHERE project = ? ORDER BY rowid", project)
    ]


def as_text(value: datetime | None) -> str | None:
    """A time as text, with microseconds: an hour of the limit or an invitation can end between two seconds."""
    return None if value is None else value.isoformat().replace("+00:00", "Z")


def as_instant(text: str | None) -> datetime | None:
    """The time that `as_text` wrote."""
    return None if text is None else instant(text)


class StoreBase:
    """A part of the store. `Store` sets the database and the clock."""

    clock: Clock
    _db: sqlite3.Connection

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit everything that happens inside, or nothing if it raises."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def setting(self, name: str) -> Any:
        """One of the document's settings."""
        (row,) = self._rows("SELECT value FROM setting WHERE name = ?", name)
        return json.loads(row["value"])

    def put_setting(self, name: str, value: Any) -> None:
        """Change one of the document's settings."""
        self._db.execute("UPDATE setting SET value = ? WHERE name = ?", (json.dumps(value), name))

    def _next_id(self, table: str, first: int) -> int:
        """An id that no row of the table has, or ever had."""
        found = self._rows("SELECT seq FROM sqlite_sequence WHERE name = ?", table)
        return max(found[0]["seq"] if found else 0, first - 1) + 1

    def _rows(self, statement: str, *values: object) -> list[dict[str, Any]]:
        return rows(self._db, statement, *values)
