"""Writes a whole organization into the database from a document, and reads it back as one."""

from __future__ import annotations

import json
import sqlite3
from itertools import count
from typing import Any, Final

from mixpanel_access.emulator.account_store import FIRST_ACCOUNT
from mixpanel_access.emulator.database import TABLES, as_text, custom_roles, insert, rows
from mixpanel_access.emulator.document import Document
from mixpanel_access.model.address import same_key
from mixpanel_access.model.dates import written

_SETTINGS: Final = {"organization", "security", "invitation_life_days", "rate_limit_per_minute"}


def write(db: sqlite3.Connection, document: Document) -> None:
    """Replace everything with the document, in the caller's transaction."""
    for table in TABLES:
        db.execute(f"DELETE FROM {table}")  # noqa: S608  # our own names
    settings = document.model_dump(mode="json", include=_SETTINGS)
    insert(db, "setting", [{"name": name, "value": json.dumps(value)} for name, value in settings.items()])
    _write_projects(db, document)
    _write_people(db, document)
    _write_accounts(db, document)
    _write_teams(db, document)
    insert(db, "mail", [{"email": m.email, "kind": m.kind, "sent_at": as_text(m.sent_at)} for m in document.mails])
    events = [
        {**event.model_dump(), "created": written(event.created), "payload": _json(event.payload)}
        for event in document.audit
    ]
    insert(db, "audit_event", events)


def _write_projects(db: sqlite3.Connection, document: Document) -> None:
    for project in document.projects:
        insert(db, "project", [project.model_dump(exclude={"custom_roles"})])
        for role in project.custom_roles:
            instants = {"created": as_text(role.created), "modified": as_text(role.modified)}
            row = {"project": project.id, **role.model_dump(), "permissions": _json(role.permissions), **instants}
            insert(db, "custom_role", [row])


def _write_people(db: sqlite3.Connection, document: Document) -> None:
    next_id = max([m.id or 0 for m in document.members], default=0)
    for member in document.members:
        id_ = member.id
        if id_ is None and member.invited_at is None:
            next_id = id_ = max(next_id, 500) + 1
        instants = {"invited_at": as_text(member.invited_at), "last_login": as_text(member.last_login)}
        scim = None if member.scim is None else _json(member.scim)
        row = {"key": same_key(member.email), **member.model_dump(), "id": id_, "scim": scim, **instants}
        insert(db, "member", [row])
    grants = [{"project": g.project, "key": same_key(g.email), "role": g.role} for g in document.grants]
    insert(db, "individual_grant", grants)


def _write_accounts(db: sqlite3.Connection, document: Document) -> None:
    taken = {account.id for account in document.service_accounts}
    free = (id_ for id_ in count(FIRST_ACCOUNT) if id_ not in taken)
    for account in document.service_accounts:
        id_ = account.id or next(free)
        instants = {name: as_text(getattr(account, name)) for name in ("expires", "created", "last_used")}
        insert(db, "service_account", [{**account.model_dump(exclude={"projects"}), "id": id_, **instants}])
        held = {grant.id: grant.role for grant in account.projects}
        insert(db, "service_account_grant", [{"account": id_, "project": p, "role": r} for p, r in held.items()])


def _write_teams(db: sqlite3.Connection, document: Document) -> None:
    accounts = {row["username"]: row["id"] for row in rows(db, "SELECT username, id FROM service_account")}
    for team in document.teams:
        insert(db, "team", [team.model_dump(exclude={"members", "projects", "service_accounts"})])
        keys = dict.fromkeys(map(same_key, team.members))
        insert(db, "team_member", [{"team": team.id, "key": key} for key in keys])
        held = {grant.id: grant.role for grant in team.projects}
        insert(db, "team_grant", [{"team": team.id, "project": p, "role": r} for p, r in held.items()])
        ids = dict.fromkeys(accounts[username] for username in team.service_accounts)
        insert(db, "team_service_account", [{"team": team.id, "account": id_} for id_ in ids])


def read(db: sqlite3.Connection) -> dict[str, Any]:
    """The organization as a document, without the time."""
    return {
        **{row["name"]: json.loads(row["value"]) for row in rows(db, "SELECT * FROM setting")},
        "members": [
            {**_without(row, "key"), "active": bool(row["active"]), "scim": row["scim"] and json.loads(row["scim"])}
            for row in rows(db, "SELECT * FROM member ORDER BY rowid")
        ],
        "projects": [
            {**row, "custom_roles": [_without(role, "project") for role in custom_roles(db, row["id"])]}
            for row in rows(db, "SELECT * FROM project ORDER BY id")
        ],
        "grants": rows(
            db,
            "SELECT g.project, m.email, g.role FROM individual_grant g JOIN member m ON m.key = g.key "
            "ORDER BY g.project, g.key",
        ),
        "teams": [_team(db, row) for row in rows(db, "SELECT * FROM team ORDER BY id")],
        "service_accounts": [
            {**row, "projects": rows(db, _ACCOUNT_GRANTS, row["id"])}
            for row in rows(db, "SELECT * FROM service_account ORDER BY username")
        ],
        "mails": rows(db, "SELECT email, kind, sent_at FROM mail ORDER BY n"),
        "audit": [_event(row) for row in rows(db, "SELECT * FROM audit_event ORDER BY n")],
    }


_ACCOUNT_GRANTS: Final = "SELECT project AS id, role FROM service_account_grant WHERE account = ? ORDER BY project"
_TEAM_GRANTS: Final = "SELECT project AS id, role FROM team_grant WHERE team = ? ORDER BY project"
_TEAM_MEMBERS: Final = (
    "SELECT m.email FROM team_member t JOIN member m ON m.key = t.key WHERE t.team = ? ORDER BY t.key"
)
_TEAM_ACCOUNTS: Final = (
    "SELECT a.username FROM team_service_account t JOIN service_account a ON a.id = t.account WHERE t.team = ? "
    "ORDER BY t.account"
)


def _team(db: sqlite3.Connection, row: dict[str, Any]) -> dict[str, Any]:
    return {
        **row,
        "scim_managed": bool(row["scim_managed"]),
        "members": [member["email"] for member in rows(db, _TEAM_MEMBERS, row["id"])],
        "projects": rows(db, _TEAM_GRANTS, row["id"]),
        "service_accounts": [account["username"] for account in rows(db, _TEAM_ACCOUNTS, row["id"])],
    }


def _event(row: dict[str, Any]) -> dict[str, Any]:
    staff = {"was_impersonated_by_staff": True} if row["was_impersonated_by_staff"] else {}
    return {**_without(row, "n", "was_impersonated_by_staff"), "payload": json.loads(row["payload"]), **staff}


def _without(row: dict[str, Any], *columns: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in columns}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
