"""The organization in SQLite: tables, and the reads and writes that the endpoints are made of.

One connection and one event loop: an endpoint runs in one transaction from its first statement to its answer, and a
refusal rolls all of it back.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from mixpanel_access.emulator.clock import Clock
from mixpanel_access.emulator.document import Document
from mixpanel_access.model.address import domain_of, same_key
from mixpanel_access.model.dates import instant
from mixpanel_access.model.errors import UsageError

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS member (
    key TEXT PRIMARY KEY, email TEXT NOT NULL, name TEXT, role TEXT NOT NULL, id INTEGER UNIQUE,
    invited_at TEXT, last_login TEXT);
CREATE TABLE IF NOT EXISTS project (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, all_users TEXT, custom_roles TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS individual_grant (
    project INTEGER NOT NULL REFERENCES project(id), key TEXT NOT NULL REFERENCES member(key) ON DELETE CASCADE,
    role TEXT NOT NULL, PRIMARY KEY (project, key));
CREATE TABLE IF NOT EXISTS team (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS team_member (
    team INTEGER NOT NULL REFERENCES team(id), key TEXT NOT NULL REFERENCES member(key) ON DELETE CASCADE,
    PRIMARY KEY (team, key));
CREATE TABLE IF NOT EXISTS team_grant (
    team INTEGER NOT NULL REFERENCES team(id), project INTEGER NOT NULL REFERENCES project(id), role TEXT NOT NULL,
    PRIMARY KEY (team, project));
CREATE TABLE IF NOT EXISTS service_account (
    username TEXT PRIMARY KEY, secret TEXT NOT NULL, role TEXT NOT NULL, user_id INTEGER NOT NULL, expires TEXT);
CREATE TABLE IF NOT EXISTS mail (n INTEGER PRIMARY KEY, email TEXT NOT NULL, kind TEXT NOT NULL, sent_at TEXT NOT NULL);
"""
_TABLES: Final = (
    "team_member", "team_grant", "individual_grant", "team", "member", "project", "service_account", "mail", "setting",
)  # fmt: skip
_EMPTY: Final = Document.model_validate({"organization": {"id": 1, "name": "Empty"}})


@dataclass(frozen=True)
class Member:
    """A row of the members, invited ones included."""

    key: str
    email: str
    name: str | None
    role: str
    id: int | None
    invited_at: datetime | None
    last_login: datetime | None

    @property
    def invited(self) -> bool:
        """Whether the invitation is not accepted, be it pending or expired."""
        return self.invited_at is not None


@dataclass(frozen=True)
class Account:
    """A service account."""

    username: str
    secret: str
    role: str
    user_id: int
    expires: datetime | None


class Store:
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
            # Handlers all run on the server's one thread; only its making may be on another.
            self._db = sqlite3.connect(file or ":memory:", isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA foreign_keys = ON")
            self._db.executescript(_SCHEMA)
            if not self._db.execute("SELECT 1 FROM setting LIMIT 1").fetchone():
                self.seed(_EMPTY)
        except sqlite3.Error as error:
            if hasattr(self, "_db"):
                self._db.close()
            raise UsageError(
                "cannot keep the organization",
                whom=str(file),
                why=str(error),
                next_step="Give a file that does not exist yet, or one that the emulator made.",
            ) from None

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    # The whole organization

    def seed(self, document: Document) -> None:
        """Replace everything by the document."""
        with self.transaction():
            for table in _TABLES:
                self._db.execute(f"DELETE FROM {table}")  # noqa: S608  # our own names
            settings = document.model_dump(
                mode="json", include={"organization", "invitation_life_days", "rate_limit_per_minute"}
            )
            self._many("INSERT INTO setting VALUES (?, ?)", [(k, json.dumps(v)) for k, v in settings.items()])
            self._many(
                "INSERT INTO project VALUES (?, ?, ?, ?)",
                [
                    (p.id, p.name, p.all_users, json.dumps([role.model_dump() for role in p.custom_roles]))
                    for p in document.projects
                ],
            )
            next_id = max([m.id or 0 for m in document.members], default=0)
            rows = []
            for m in document.members:
                if m.id is None and m.invited_at is None:
                    next_id = max(next_id, 500) + 1
                    m = m.model_copy(update={"id": next_id})  # noqa: PLW2901  # the numbered one takes its place
                rows.append(
                    (same_key(m.email), m.email, m.name, m.role, m.id, _text(m.invited_at), _text(m.last_login))
                )
            self._many("INSERT INTO member VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
            self._many(
                "INSERT INTO individual_grant VALUES (?, ?, ?)",
                [(g.project, same_key(g.email), g.role) for g in document.grants],
            )
            self._many("INSERT INTO team VALUES (?, ?)", [(t.id, t.name) for t in document.teams])
            self._many(
                "INSERT OR IGNORE INTO team_member VALUES (?, ?)",
                [(t.id, same_key(email)) for t in document.teams for email in t.members],
            )
            self._many(
                "INSERT OR REPLACE INTO team_grant VALUES (?, ?, ?)",
                [(t.id, held.id, held.role) for t in document.teams for held in t.projects],
            )
            self._many(
                "INSERT INTO service_account VALUES (?, ?, ?, ?, ?)",
                [(a.username, a.secret, a.role, a.user_id, _text(a.expires)) for a in document.service_accounts],
            )
            self._many(
                "INSERT INTO mail (email, kind, sent_at) VALUES (?, ?, ?)",
                [(m.email, m.kind, _text(m.sent_at)) for m in document.mails],
            )
        if document.now is not None:
            self.clock.set(document.now)

    def dump(self) -> dict[str, Any]:
        """The document of the organization as it is, at the emulator's present."""
        emails = {row["key"]: row["email"] for row in self._rows("SELECT key, email FROM member")}
        return {
            "now": _text(self.clock.now()),
            **{row["name"]: json.loads(row["value"]) for row in self._rows("SELECT * FROM setting")},
            "members": self._rows("SELECT email, name, role, id, invited_at, last_login FROM member ORDER BY rowid"),
            "projects": [
                {**row, "custom_roles": json.loads(row["custom_roles"])}
                for row in self._rows("SELECT * FROM project ORDER BY id")
            ],
            "grants": [
                {"project": row["project"], "email": emails[row["key"]], "role": row["role"]}
                for row in self._rows("SELECT * FROM individual_grant ORDER BY project, key")
            ],
            "teams": [
                {
                    **team,
                    "members": [
                        emails[row["key"]]
                        for row in self._rows("SELECT key FROM team_member WHERE team = ? ORDER BY key", team["id"])
                    ],
                    "projects": self._rows(
                        "SELECT project AS id, role FROM team_grant WHERE team = ? ORDER BY project", team["id"]
                    ),
                }
                for team in self._rows("SELECT * FROM team ORDER BY id")
            ],
            "service_accounts": self._rows("SELECT * FROM service_account ORDER BY username"),
            "mails": self.mails(),
        }

    def setting(self, name: str) -> Any:
        """One of the document's settings."""
        (row,) = self._rows("SELECT value FROM setting WHERE name = ?", name)
        return json.loads(row["value"])

    # Reads

    def members(self) -> list[Member]:
        """Everybody, invited people included, in the order in which they came."""
        return [_member(row) for row in self._rows("SELECT * FROM member ORDER BY rowid")]

    def member(self, email: str) -> Member | None:
        """One person, by any spelling of the address."""
        rows = self._rows("SELECT * FROM member WHERE key = ?", same_key(email))
        return _member(rows[0]) if rows else None

    def projects(self) -> list[dict[str, Any]]:
        """Every project: id, name, all_users, custom_roles."""
        return [
            {**row, "custom_roles": json.loads(row["custom_roles"])}
            for row in self._rows("SELECT * FROM project ORDER BY id")
        ]

    def individual(self, project: int) -> dict[str, str]:
        """The individual grants in a project, by the key of the address."""
        return {
            row["key"]: row["role"]
            for row in self._rows("SELECT key, role FROM individual_grant WHERE project = ? ORDER BY rowid", project)
        }

    def team_grants(self, project: int) -> list[dict[str, Any]]:
        """One row a team's member in a project: key, role, id, name."""
        return self._rows(
            "SELECT m.key, g.role, t.id, t.name FROM team_grant g JOIN team t ON t.id = g.team "
            "JOIN team_member m ON m.team = t.id WHERE g.project = ? ORDER BY t.id, m.rowid",
            project,
        )

    def account(self, username: str) -> Account | None:
        """A service account."""
        rows = self._rows("SELECT * FROM service_account WHERE username = ?", username)
        return Account(**{**rows[0], "expires": _instant(rows[0]["expires"])}) if rows else None

    def mails(self) -> list[dict[str, Any]]:
        """The invitation e-mails that went out."""
        return self._rows("SELECT email, kind, sent_at FROM mail ORDER BY n")

    def mails_to(self, domain: str, since: datetime) -> list[datetime]:
        """When e-mails went out to a domain after an instant."""
        sent = [(row["email"], instant(row["sent_at"])) for row in self.mails()]
        return sorted(at for email, at in sent if domain_of(email) == domain and at > since)

    def expired(self, member: Member) -> bool:
        """Whether the person's invitation is no longer good."""
        life = timedelta(days=self.setting("invitation_life_days"))
        return member.invited_at is not None and member.invited_at + life <= self.clock.now()

    # Writes

    def put_member(self, email: str, role: str, *, invited: bool, name: str | None = None) -> None:
        """Add a person, or change the role (and, when invited, restart the invitation) of one."""
        key, known = same_key(email), self.member(email)
        invited_at = _text(self.clock.now()) if invited else None
        if known:
            user_id = known.id if invited else known.id or self._next_id()
            self._db.execute(
                "UPDATE member SET role = ?, invited_at = ?, id = ? WHERE key = ?", (role, invited_at, user_id, key)
            )
        else:
            user_id = None if invited else self._next_id()
            row = (key, email.strip(), name, role, user_id, invited_at, None)
            self._db.execute("INSERT INTO member VALUES (?, ?, ?, ?, ?, ?, ?)", row)

    def change_role(self, email: str, role: str) -> None:
        """Change an organization role and nothing else."""
        self._db.execute("UPDATE member SET role = ? WHERE key = ?", (role, same_key(email)))

    def accept(self, email: str) -> None:
        """The invited person joins, and logs in for the first time."""
        self._db.execute(
            "UPDATE member SET invited_at = NULL, id = coalesce(id, ?), last_login = ? WHERE key = ?",
            (self._next_id(), _text(self.clock.now()), same_key(email)),
        )

    def remove_member(self, email: str) -> None:
        """Remove a person with all their access."""
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
        """Note that an invitation e-mail went out."""
        row = (email, kind, _text(self.clock.now()))
        self._db.execute("INSERT INTO mail (email, kind, sent_at) VALUES (?, ?, ?)", row)

    def _next_id(self) -> int:
        return int(self._db.execute("SELECT max(coalesce(max(id), 0), 500) + 1 FROM member").fetchone()[0])

    def _rows(self, statement: str, *values: object) -> list[dict[str, Any]]:
        cursor = self._db.execute(statement, values)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def _many(self, statement: str, rows: list[Any]) -> None:
        self._db.executemany(statement, rows)


def _member(row: dict[str, Any]) -> Member:
    return Member(**{**row, "invited_at": _instant(row["invited_at"]), "last_login": _instant(row["last_login"])})


def _text(value: datetime | None) -> str | None:
    """Microseconds are kept: the hour of the limit and the life of an invitation end on an instant."""
    return None if value is None else value.isoformat().replace("+00:00", "Z")


def _instant(text: str | None) -> datetime | None:
    return None if text is None else instant(text)
