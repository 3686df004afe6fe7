"""The events of the audit log, by their documented names (contract, section 11)."""

from __future__ import annotations

import re
from typing import Final

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
