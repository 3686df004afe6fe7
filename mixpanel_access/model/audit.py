"""Events of Mixpanel's audit log, by the names that Mixpanel documents (contract, section 11)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from mixpanel_access.model.address import same_key

LOOK_BACK: Final = timedelta(days=90)
"""How far back we read the log: every plan keeps it that long."""
PAGE_SIZE: Final = 100
"""Events of a page; the Platform API gives no more."""

INVITATION_SENT: Final = "invitation.sent"
INVITATION_ACCEPTED: Final = "invitation.accepted"
USER_ADDED: Final = "organization.user_added"
USER_REMOVED: Final = "organization.user_removed"
PROJECT_USER_ADDED: Final = "project.user_added"
PROJECT_USER_REMOVED: Final = "project.user_removed"
ROLE_CHANGED: Final = "user.role_changed"
TEAM_USER_ADDED: Final = "team.user_added"
TEAM_USER_REMOVED: Final = "team.user_removed"
TEAM_DELETED: Final = "team.deleted"
PROJECT_TEAM_ADDED: Final = "project.team_added"
PROJECT_TEAM_REMOVED: Final = "project.team_removed"
CUSTOM_ROLE_DELETED: Final = "custom_role.deleted"
LOGGED_IN: Final = "session.logged_in"
LOGIN_FAILED: Final = "session.login_failed"
DATA_VIEW_USER_ADDED: Final = "workspace.user_added"
DATA_VIEW_USER_REMOVED: Final = "workspace.user_removed"
DATA_VIEW_TEAM_ADDED: Final = "workspace.team_added"
DATA_VIEW_TEAM_REMOVED: Final = "workspace.team_removed"
SETTING_UPDATED: Final = "organization_setting.updated"
MCP_TOOL_CALL: Final = "mcp_tool_call.performed"

SSO: Final = "sso"
PASSWORD: Final = "password"  # noqa: S105  # the word for it
SECOND_FACTORS: Final = frozenset({"totp", "sms"})
FACTORS: Final = frozenset({SSO, PASSWORD, "magic_link", "social"}) | SECOND_FACTORS
"""The ways to log in, as `failed_auth_factor` has them; any other word is unknown to us."""

ACCESS_EVENTS: Final = (
    INVITATION_SENT, INVITATION_ACCEPTED, USER_ADDED, USER_REMOVED, PROJECT_USER_ADDED, PROJECT_USER_REMOVED,
    ROLE_CHANGED, TEAM_USER_ADDED, TEAM_USER_REMOVED,
)  # fmt: skip
"""Events that give, change or take away access."""
DATA_VIEW_EVENTS: Final = (
    DATA_VIEW_USER_ADDED, DATA_VIEW_USER_REMOVED, DATA_VIEW_TEAM_ADDED, DATA_VIEW_TEAM_REMOVED,
)  # fmt: skip
"""Events that add people and teams to data views, or remove them."""
SESSION_EVENTS: Final = (LOGGED_IN, LOGIN_FAILED)
"""Logins and failed logins."""
SCIM: Final = "scim"
"""The service of every change by SCIM."""
BY_SCIM: Final = frozenset({SCIM, "scim_linked_org"})
"""The sources of changes by an identity provider."""


@dataclass(frozen=True)
class AuditEvent:
    """One event. What the log does not say is "" or None.

    Attributes:
        id: Mixpanel's id of it.
        at: when (UTC).
        type: its type, such as `organization.user_added`.
        actor: the address or login name of the person or account that did it.
        email: the address of the person whose access changed or who logged in.
        project: the project's id.
        role: the role; the id of a custom role that was deleted.
        source: how it happened (`invitation`, `admin`, `scim`, ...).
        method: the login method, or the factor that failed (see `FACTORS`).
        team: the team's id.
        team_name: the team's name.
        service: the part of the product (`webapp`, `scim`, ...).
        by_staff: whether Mixpanel's staff did it in the name of `actor`.
        about: the name or id of the changed object, or of the changed setting.
        previous_role: the role before a change.
        user_id: Mixpanel's id of the person with `email`.
    """

    id: str
    at: datetime
    type: str
    actor: str = ""
    email: str = ""
    project: int | None = None
    role: str | None = None
    source: str = ""
    method: str = ""
    team: int | None = None
    team_name: str = ""
    service: str = ""
    by_staff: bool = False
    about: str = ""
    previous_role: str | None = None
    user_id: int | None = None

    @property
    def by_scim(self) -> bool:
        """Whether an identity provider or a stack did it by SCIM, which names nobody."""
        return not self.actor and (self.service == SCIM or self.source in BY_SCIM)

    @property
    def who(self) -> str:
        """Who did it, or else how it happened, or ""."""
        actor = f"{self.actor} (Mixpanel's staff)".lstrip() if self.by_staff else self.actor
        return actor or self.source or (SCIM if self.by_scim else "")

    def concerns(self, email_key: str) -> bool:
        """Whether it concerns the person with this key."""
        return same_key(self.email) == email_key
