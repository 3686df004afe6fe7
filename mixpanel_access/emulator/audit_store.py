"""The audit log: the names of its events, and the log in SQLite (contract, section 11)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from mixpanel_access.emulator.database import StoreBase
from mixpanel_access.model.dates import written

MCP_TOOL_CALL: Final = "mcp_tool_call.performed"
_NAME: Final = re.compile(r"[a-z0-9_]+\.[a-z0-9_]+")

_ORGANIZATION: Final = (
    "invitation.sent",
    "invitation.accepted",
    "organization.user_added",
    "organization.user_removed",
    "team.created",
    "team.updated",
    "team.deleted",
    "team.user_added",
    "team.user_removed",
    "team.service_account_added",
    "team.service_account_removed",
    "service_account.created",
    "service_account.deleted",
    "session.logged_in",
    "session.logged_out",
    "session.login_failed",
    "user.twofactor_enabled",
    "user.twofactor_disabled",
    "organization_access_security.twofactor_enabled",
    "organization_access_security.twofactor_disabled",
    "organization_setting.updated",
)
_BOTH: Final = (
    "project.user_added",
    "project.user_removed",
    "project.team_added",
    "project.team_removed",
    "project.default_access_granted",
    "project.default_access_revoked",
    "project.transferred",
    "user.role_changed",
    "service_account.added_to_project",
    "service_account.removed_from_project",
    "service_account.role_changed",
    "custom_role.created",
    "custom_role.updated",
    "custom_role.deleted",
    "workspace.user_added",
    "workspace.user_removed",
    "workspace.team_added",
    "workspace.team_removed",
    "audit_log_export.created",
    "audit_log_export.downloaded",
    MCP_TOOL_CALL,
)

EVENTS: Final = {**dict.fromkeys(_ORGANIZATION, False), **dict.fromkeys(_BOTH, True)}
"""Every event whose name is documented, and whether the log of its project has it too."""

RETENTION: Final = {"free": "+90 days", "growth": "+90 days", "enterprise": "+2 years"}
"""How long an event is kept on a plan, as SQLite's date functions read it; a call by MCP as long as on the first."""


def is_event(name: str) -> bool:
    """Whether a name can be an event's: more types come than the contract names, and an unknown one is an event."""
    return _NAME.fullmatch(name) is not None


def is_of_projects(name: str) -> bool:
    """Whether the log of its project has an event too; of an unknown one, it may."""
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
    """Who does something: a person, or a service account by its own user.

    Attributes:
        id: the user's id as text, "" where nobody is known.
        email: the person's address, the account's user name, or None.
        client_ip: where the request came from.
    """

    id: str = ""
    email: str | None = None
    client_ip: str | None = None


@dataclass(frozen=True)
class AuditFilter:
    """Which events are asked for; None asks for all.

    Attributes:
        project: only the log of this project.
        after: the id of the event after which the page begins, going back in time.
        user_ids: those who did it, or to whom it was done.
        search: a text in the actor's address, the entity's name or the payload, whatever the case.
        actor_ids: those who did it; `actor_emails` likewise, whatever the case.
        not_actor_ids: those whose doings are left out; `not_actor_emails` likewise.
        email_search: a text in the actor's address, whatever the case.
        oldest_first: whether the page begins at the oldest.
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


class AuditStore(StoreBase):
    """The audit log."""

    def audit(
        self,
        type_: str,
        actor: Actor,
        payload: dict[str, Any],
        *,
        project: int | None = None,
        entity: tuple[object, str | None] | None = None,
        created: datetime | None = None,
        service: str = "webapp",
        by_staff: bool = False,
    ) -> str:
        """Record an event; its id.

        Args:
            type_: the event, documented or not.
            actor: who did it.
            payload: the details, ids as texts.
            project: the project, for an event that its log has too.
            entity: id and name of what it was done to; None takes the project, or the organization.
            created: when, if not now by the emulator's clock; whole seconds are kept.
            service: where in the product it came from.
            by_staff: whether Mixpanel's staff did it in the actor's name.

        Raises:
            ValueError: it is no event, or not one of a project.
        """
        if not is_event(type_) or (project is not None and not is_of_projects(type_)):
            raise ValueError(f"{type_} is no such event")
        id_, name = entity or (None, None)
        row = (
            type_, written(created or self.clock.now()), project, actor.id, actor.email, actor.client_ip, service,
            None if id_ is None else str(id_), name, json.dumps(payload, ensure_ascii=False), by_staff,
        )  # fmt: skip
        done = self._db.execute(
            "INSERT INTO audit_event (type, created, project, user_id, user_email, client_ip, service, entity_id, "
            "entity_name, payload, was_impersonated_by_staff) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            row,
        )
        return f"a{done.lastrowid}"

    def audit_page(self, wanted: AuditFilter, size: int) -> tuple[list[dict[str, Any]], bool]:
        """The newest, or oldest, events that are asked for and still kept, and whether there are more.

        Raises:
            KeyError: the page is to begin after an event that there is not.
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
        """The event of an id, kept or not.

        Raises:
            KeyError: there is none.
        """
        kept = RETENTION[self.setting("organization")["plan"]]
        statement = f"SELECT *, {_TTL} AS ttl FROM audit_event WHERE 'a' || n = ?"  # noqa: S608  # our own words
        found = self._rows(statement, kept, id_)
        if not found:
            raise KeyError(id_)
        return self._event(found[0])

    def inviter(self, email: str) -> Actor | None:
        """Who sent the last invitation to an address, as far as the log knows."""
        statement = (
            "SELECT user_id, user_email, client_ip FROM audit_event WHERE type = 'invitation.sent' "
            "AND lower(json_extract(payload, '$.user_email')) = lower(?) ORDER BY n DESC LIMIT 1"
        )
        found = self._rows(statement, email)
        return Actor(found[0]["user_id"], found[0]["user_email"], found[0]["client_ip"]) if found else None

    def _tests(self, wanted: AuditFilter) -> list[tuple[str, Any]]:
        """The filters in SQL, each with its one value. Events are whole seconds, so a lower limit is rounded up."""
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
