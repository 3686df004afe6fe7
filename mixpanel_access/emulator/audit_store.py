"""The audit log: the names of its events, and the log in SQLite (contract, section 11)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from mixpanel_access.emulator.database import StoreBase, insert
from mixpanel_access.model.dates import written

MCP_TOOL_CALL: Final = "mcp_tool_call.performed"
_NAME: Final = re.compile(r"[a-z0-9_]+\.[a-z0-9_]+")

_ORGANIZATION: Final = (
    "invitation.sent", "invitation.accepted", "organization.user_added", "organization.user_removed", "team.created",
    "team.updated", "team.deleted", "team.user_added", "team.user_removed", "team.service_account_added",
    "team.service_account_removed", "service_account.created", "service_account.deleted", "session.logged_in",
    "session.logged_out", "session.login_failed", "user.twofactor_enabled", "user.twofactor_disabled",
    "organization_access_security.twofactor_enabled", "organization_access_security.twofactor_disabled",
    "organization_setting.updated",
)  # fmt: skip
_BOTH: Final = (
    "project.user_added", "project.user_removed", "project.team_added", "project.team_removed",
    "project.default_access_granted", "project.default_access_revoked", "project.transferred", "user.role_changed",
    "service_account.added_to_project", "service_account.removed_from_project", "service_account.role_changed",
    "custom_role.created", "custom_role.updated", "custom_role.deleted", "workspace.user_added",
    "workspace.user_removed", "workspace.team_added", "workspace.team_removed", "audit_log_export.created",
    "audit_log_export.downloaded", MCP_TOOL_CALL,
)  # fmt: skip

EVENTS: Final = {**dict.fromkeys(_ORGANIZATION, False), **dict.fromkeys(_BOTH, True)}
"""Name of a documented event -> whether the log of its project has it too."""

RETENTION: Final = {"free": "+90 days", "growth": "+90 days", "enterprise": "+2 years"}
"""Plan -> how long an event is kept, for SQLite's date functions; MCP calls are kept as on the plan Free."""


def is_event(name: str) -> bool:
    """Whether a name can be an event's: there are more types than the contract names."""
    return _NAME.fullmatch(name) is not None


def is_of_projects(name: str) -> bool:
    """Whether the log of the project has such an event too; an unknown one may be there."""
    return EVENTS.get(name, True)


def category(name: str) -> str:
    """The `event_category` of an event; only `data_mutate` is known, the other two are assumed."""
    group = name.partition(".")[0]
    return {"session": "user_session", "audit_log_export": "data_export"}.get(group, "data_mutate")


_TTL: Final = (
    f"strftime('%Y-%m-%dT%H:%M:%SZ', created, CASE type WHEN '{MCP_TOOL_CALL}' THEN '{RETENTION['free']}' ELSE ? END)"
)
_PAYLOAD_USER: Final = "json_extract(payload, '$.user_id')"
_NOT_OF_PROJECTS: Final = [name for name, in_project in EVENTS.items() if not in_project]


@dataclass(frozen=True)
class Actor:
    """The person or service account that does something.

    Attributes:
        id: the user's id as text, or "" if nobody is known.
        email: the person's address, the account's username, or None.
        client_ip: where the request came from.
    """

    id: str = ""
    email: str | None = None
    client_ip: str | None = None


@dataclass(frozen=True)
class AuditFilter:
    """The events that a query asks for; a field that is None does not filter.

    Attributes:
        project: only the log of this project.
        after: the id of the event after which the page begins.
        user_ids: people who did it, or who were affected.
        search: a text in the actor's address, the entity's name or the payload, in any case.
        actor_ids: people who did it; `actor_emails` likewise, in any case.
        not_actor_ids: people whose events are left out; `not_actor_emails` likewise.
        email_search: a text in the actor's address, in any case.
        oldest_first: whether the page begins with the oldest event.
        in_full: whether the events say if Mixpanel's staff did it.
    """

    types: list[str] | None = None
    created_gte: datetime | None = None
    created_lte: datetime | None = None
    user_ids: list[str] | None = None
    project_ids: list[str] | None = None
    search: str | None = None
    project: int | None = None
    after: str | None = None
    actor_ids: list[str] | None = None
    actor_emails: list[str] | None = None
    not_actor_ids: list[str] | None = None
    not_actor_emails: list[str] | None = None
    email_search: str | None = None
    oldest_first: bool = False
    in_full: bool = False


@dataclass(frozen=True, kw_only=True)
class NewEvent:
    """An event to record.

    Attributes:
        type: its name, documented or not.
        actor: who did it.
        payload: the details, with ids as text.
        project: the project, for an event that the project's log has too.
        entity: id and name of what it was done to; None takes the project, or the organization.
        created: when it happened; None takes the emulator's current time. Whole seconds are kept.
        service: the part of Mixpanel that it came from.
        by_staff: whether Mixpanel's staff did it in the actor's name.
    """

    type: str
    actor: Actor
    payload: dict[str, Any]
    project: int | None = None
    entity: tuple[object, str | None] | None = None
    created: datetime | None = None
    service: str = "webapp"
    by_staff: bool = False


class AuditStore(StoreBase):
    """The part of the store with the audit log."""

    def record(self, event: NewEvent) -> str:
        """Record an event; its id.

        Raises:
            ValueError: its name cannot be an event's, or not an event's of a project.
        """
        if not is_event(event.type) or (event.project is not None and not is_of_projects(event.type)):
            raise ValueError(f"{event.type} cannot be such an event")
        id_, name = event.entity or (None, None)
        row = {
            "type": event.type,
            "created": written(event.created or self.clock.now()),
            "project": event.project,
            "user_id": event.actor.id,
            "user_email": event.actor.email,
            "client_ip": event.actor.client_ip,
            "service": event.service,
            "entity_id": None if id_ is None else str(id_),
            "entity_name": name,
            "payload": json.dumps(event.payload, ensure_ascii=False),
            "was_impersonated_by_staff": event.by_staff,
        }
        insert(self._db, "audit_event", [row])
        return f"a{self._rows('SELECT last_insert_rowid() AS n')[0]['n']}"

    def audit_page(self, wanted: AuditFilter, size: int) -> tuple[list[dict[str, Any]], bool]:
        """A page of the events that are asked for and still kept, and whether there are more.

        Raises:
            KeyError: the log does not have the event after which the page begins.
        """
        kept = RETENTION[self.setting("organization")["plan"]]
        comes, order = (">", "ASC") if wanted.oldest_first else ("<", "DESC")
        tests, values = [f"{_TTL} > ?"], [kept, written(self.clock.now())]
        for test, value in self._tests(wanted):
            tests.append(test)
            values.append(value)
        if wanted.after is not None:
            self.audit_event(wanted.after)
            place = "(SELECT created, n FROM audit_event WHERE 'a' || n = ?)"
            tests.append(f"(created, n) {comes} {place}")
            values.append(wanted.after)
        found = self._rows(
            f"SELECT *, {_TTL} AS ttl FROM audit_event WHERE {' AND '.join(tests)} "  # noqa: S608  # our own words
            f"ORDER BY created {order}, n {order} LIMIT ?",
            kept, *values, size + 1,
        )  # fmt: skip
        return [self._event(row, in_full=wanted.in_full) for row in found[:size]], len(found) > size

    def audit_event(self, id_: str) -> dict[str, Any]:
        """An event by its id, also if it is no longer kept.

        Raises:
            KeyError: no event has this id.
        """
        kept = RETENTION[self.setting("organization")["plan"]]
        statement = f"SELECT *, {_TTL} AS ttl FROM audit_event WHERE 'a' || n = ?"  # noqa: S608  # our own words
        found = self._rows(statement, kept, id_)
        if not found:
            raise KeyError(id_)
        return self._event(found[0])

    def inviter(self, email: str) -> Actor | None:
        """The person or account that sent the last invitation to an address, if the log has it."""
        statement = (
            "SELECT user_id, user_email, client_ip FROM audit_event WHERE type = 'invitation.sent' "
            "AND lower(json_extract(payload, '$.user_email')) = lower(?) ORDER BY n DESC LIMIT 1"
        )
        found = self._rows(statement, email)
        return Actor(found[0]["user_id"], found[0]["user_email"], found[0]["client_ip"]) if found else None

    def _tests(self, wanted: AuditFilter) -> list[tuple[str, Any]]:
        """The filters in SQL, each with its value. Events have whole seconds, so a lower limit is rounded up."""
        among = "(SELECT value FROM json_each(?))"
        tests: list[tuple[str, Any]] = []
        if wanted.project is not None:
            tests.append(("project = ?", wanted.project))
            tests.append((f"type NOT IN {among}", json.dumps(_NOT_OF_PROJECTS)))
        if wanted.types is not None:
            tests.append((f"type IN {among}", json.dumps(wanted.types)))
        if wanted.created_gte is not None:
            more = timedelta(seconds=1) if wanted.created_gte.microsecond else timedelta()
            tests.append(("created >= ?", written(wanted.created_gte + more)))
        if wanted.created_lte is not None:
            tests.append(("created <= ?", written(wanted.created_lte)))
        if wanted.user_ids is not None:
            either = f"EXISTS (SELECT 1 FROM json_each(?) WHERE value IN (user_id, {_PAYLOAD_USER}))"  # noqa: S608
            tests.append((either, json.dumps(wanted.user_ids)))
        if wanted.project_ids is not None:
            tests.append((f"CAST(project AS TEXT) IN {among}", json.dumps(wanted.project_ids)))
        these = "(SELECT lower(value) FROM json_each(?))"
        for column, word, values in (
            ("user_id", "IN", wanted.actor_ids),
            ("user_email", "IN", wanted.actor_emails),
            ("user_id", "NOT IN", wanted.not_actor_ids),
            ("user_email", "NOT IN", wanted.not_actor_emails),
        ):
            if values is not None:
                tests.append((f"lower(ifnull({column}, '')) {word} {these}", json.dumps(values)))
        if wanted.email_search:
            tests.append(("instr(lower(ifnull(user_email, '')), lower(?))", wanted.email_search))
        if wanted.search:
            text = "ifnull(user_email, '') || char(10) || ifnull(entity_name, '') || char(10) || payload"
            tests.append((f"instr(lower({text}), lower(?))", wanted.search))
        return tests

    def _event(self, row: dict[str, Any], *, in_full: bool = False) -> dict[str, Any]:
        organization = self.setting("organization")
        project = self._rows("SELECT id, name FROM project WHERE id = ?", row["project"])
        about = (
            (organization["id"], organization["name"])
            if row["project"] is None
            else (row["project"], project[0]["name"] if project else None)
        )
        group, _, action = row["type"].partition(".")
        return {
            "id": f"a{row['n']}",
            "created": row["created"],
            "ttl_timestamp": row["ttl"],
            "service": row["service"],
            "event_category": category(row["type"]),
            "organization_id": str(organization["id"]),
            "organization_name": organization["name"],
            "project_id": "" if row["project"] is None else str(row["project"]),
            "project_name": None if row["project"] is None else about[1],
            "user_id": row["user_id"],
            "user_email": row["user_email"],
            "client_ip": row["client_ip"],
            **({"was_impersonated_by_staff": bool(row["was_impersonated_by_staff"])} if in_full else {}),
            "entity": {
                "type": row["type"],
                "entity_type": group,
                "action": action,
                "entity_id": str(about[0]) if row["entity_id"] is None else row["entity_id"],
                "entity_name": about[1] if row["entity_id"] is None else row["entity_name"],
                "payload": json.loads(row["payload"]),
            },
        }
