"""Service accounts as plain values, and the names that they can have."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from unicodedata import category

from mixpanel_access.model.access import GrantType
from mixpanel_access.model.setting_values import Secret

SERVICE_ACCOUNT_SUFFIX: Final = ".mp-service-account"
"""What Mixpanel ends the login name of a service account with."""


_SERVER_PART: Final = re.compile(rf"\.[^.]+{re.escape(SERVICE_ACCOUNT_SUFFIX)}$")


@dataclass(frozen=True)
class ServiceAccountInfo:
    """One service account of the organization.

    Attributes:
        id: Mixpanel's id of it.
        username: its login name, which ends with what the server has added.
        created: when it was made, or None where it is not told.
        expires: from when on it is refused, or None for never.
        last_used: or None where it is not told.
        role: the organization role, or None where the list does not tell.
        creator: the address of who made it, or None where it is not told.
    """

    id: int
    username: str
    created: datetime | None = None
    expires: datetime | None = None
    last_used: datetime | None = None
    role: str | None = None
    creator: str | None = None

    @property
    def name(self) -> str:
        """The name that it was made with."""
        return service_account_name(self.username)

    def expired(self, now: datetime) -> bool:
        """Whether it is refused at an instant."""
        return self.expires is not None and self.expires <= now


@dataclass(frozen=True)
class NewServiceAccount:
    """What the answer to the making of an account tells, once."""

    account: ServiceAccountInfo
    token: Secret


@dataclass(frozen=True)
class ServiceAccountRole:
    """One way in which a service account holds a role in a project."""

    account: int
    project: int
    role: str
    grant_type: GrantType = GrantType.INDIVIDUAL


def service_account_name(username: str) -> str:
    """The name that was asked for: `deploy-bot` of `deploy-bot.1a2b3c.mp-service-account` (contract, section 6)."""
    return _SERVER_PART.sub("", username.strip()).strip()


def problem_with_account_name(name: object) -> str | None:
    """Why this can be no name to make a service account with, in words, or None when it can."""
    text = name.strip() if isinstance(name, str) else ""
    if not isinstance(name, str) or not text or any(char == ":" or category(char) == "Cc" for char in text):
        return f"{name!r} cannot name a service account: use a text without a colon or control characters"
    if service_account_name(name) != text:
        return f"{name!r} is a login name; give the name without what Mixpanel adds to it"
    return None
