"""The whole organization at once: written from a document, read back as one."""

from __future__ import annotations

import json
import sqlite3
from itertools import count
from typing import Any, Final

from mixpanel_access.emulator.document import Document
from mixpanel_access.emulator.tables import TABLES, as_text, rows
from mixpanel_access.model.address import same_key
from mixpanel_access.model.dates import written

_FIRST_ACCOUNT: Final = 987_654
"""The id of the first service account that is seeded without one."""

_EVENT: Final = "type, created, project, user_id, user_email, client_ip, service, entity_id, entity_name, payload"


def write(db: sqlite3.Connection, document: Document) -> None:
    """Replace everything by the document, within the caller's transaction."""
    for table in TABLES:
        db.execute(f"DELETE FROM {table}")  # noqa: S608  # our own names
    settings = document.model_dump(
        mode="json", include={"organization", "security", "invitation_life_days", "rate_limit_per_minute"}
    )
    db.executemany("INSERT INTO setting VALUES (?, ?)", [(k, json.dumps(v)) for k, v in settings.items()])
    db.executemany(
        "INSERT INTO project VALUES (?, ?, ?, ?)",
        [
            (p.id, p.name, p.all_users, json.dumps([role.model_dump() for role in p.custom_roles]))
            for p in document.projects
        ],
    )
    next_id = max([m.id or 0 for m in document.members], default=0)
    members = []
    for m in document.members:
        if m.id is None and m.invited_at is None:
            next_id = max(next_id, 500) + 1
            m = m.model_copy(update={"id": next_id})  # noqa: PLW2901  # the numbered one takes its place
        members.append((same_key(m.email), m.email, m.name, m.role, m.id, as_text(m.invited_at), as_text(m.last_login)))
    db.executemany("INSERT INTO member VALUES (?, ?, ?, ?, ?, ?, ?)", members)
    db.executemany(
        "INSERT INTO individual_grant VALUES (?, ?, ?)",
        [(g.project, same_key(g.email), g.role) for g in document.grants],
    )
    db.executemany("INSERT INTO team VALUES (?, ?)", [(t.id, t.name) for t in document.teams])
    db.executemany(
        "INSERT OR IGNORE INTO team_member VALUES (?, ?)",
        [(t.id, same_key(email)) for t in document.teams for email in t.members],
    )
    db.executemany(
        "INSERT OR REPLACE INTO team_grant VALUES (?, ?, ?)",
        [(t.id, held.id, held.role) for t in document.teams for held in t.projects],
    )
    taken = {a.id for a in document.service_accounts}
    free = (id_ for id_ in count(_FIRST_ACCOUNT) if id_ not in taken)
    db.executemany(
        "INSERT INTO service_account VALUES (?, ?, ?, ?, ?, ?)",
        [
            (a.username, a.secret, a.role, a.user_id, a.id or next(free), as_text(a.expires))
            for a in document.service_accounts
        ],
    )
    db.executemany(
        "INSERT INTO mail (email, kind, sent_at) VALUES (?, ?, ?)",
        [(m.email, m.kind, as_text(m.sent_at)) for m in document.mails],
    )
    db.executemany(
        f"INSERT INTO audit_event ({_EVENT}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608  # our own words
        [
            (
                e.type, written(e.created), e.project, e.user_id, e.user_email, e.client_ip, e.service, e.entity_id,
                e.entity_name, json.dumps(e.payload, ensure_ascii=False),
            )
            for e in document.audit
        ],
    )  # fmt: skip


def read(db: sqlite3.Connection) -> dict[str, Any]:
    """The document of the organization, but for the time."""
    emails = {row["key"]: row["email"] for row in rows(db, "SELECT key, email FROM member")}
    return {
        **{row["name"]: json.loads(row["value"]) for row in rows(db, "SELECT * FROM setting")},
        "members": rows(db, "SELECT email, name, role, id, invited_at, last_login FROM member ORDER BY rowid"),
        "projects": [
            {**row, "custom_roles": json.loads(row["custom_roles"])}
            for row in rows(db, "SELECT * FROM project ORDER BY id")
        ],
        "grants": [
            {"project": row["project"], "email": emails[row["key"]], "role": row["role"]}
            for row in rows(db, "SELECT * FROM individual_grant ORDER BY project, key")
        ],
        "teams": [
            {
                **team,
                "members": [
                    emails[row["key"]]
                    for row in rows(db, "SELECT key FROM team_member WHERE team = ? ORDER BY key", team["id"])
                ],
                "projects": rows(
                    db, "SELECT project AS id, role FROM team_grant WHERE team = ? ORDER BY project", team["id"]
                ),
            }
            for team in rows(db, "SELECT * FROM team ORDER BY id")
        ],
        "service_accounts": rows(db, "SELECT * FROM service_account ORDER BY username"),
        "mails": rows(db, "SELECT email, kind, sent_at FROM mail ORDER BY n"),
        "audit": [
            {**row, "payload": json.loads(row["payload"])}
            for row in rows(db, f"SELECT {_EVENT} FROM audit_event ORDER BY n")  # noqa: S608  # our own words
        ],
    }
