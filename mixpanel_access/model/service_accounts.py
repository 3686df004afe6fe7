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
"""The end of every service account's login name."""
_SERVER_PART: Final = re.compile(rf"\.[^.]+{re.escape(SERVICE_ACCOUNT_SUFFIX)}$")


@dataclass(frozen=True)
class ServiceAccountInfo:
    """One service account of the organization. Apart from `expires`, None means that Mixpanel does not show it.

    Attributes:
        id: Mixpanel's id of it.
        username: its login name, with the part that the server added.
        created: when somebody created it.
        expires: from when on Mixpanel refuses it, or None for never.
        last_used: when a request last used it.
        role: the organization role.
        creator: the address of the person who created it.
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
        """The name without the part that the server added."""
        return service_account_name(self.username)

    def expired(self, now: datetime) -> bool:
        """Whether it has expired."""
        return self.expires is not None and self.expires <= now


@dataclass(frozen=True)
class NewServiceAccount:
    """A new account with its token, which Mixpanel shows only once."""

    account: ServiceAccountInfo
    token: Secret


@dataclass(frozen=True)
class ServiceAccountRole:
    """One role of a service account in a project, from one source."""

    account: int
    project: int
    role: str
    grant_type: GrantType = GrantType.INDIVIDUAL


def service_account_name(username: str) -> str:
    """A login name without the server's part, so `x` of `x.1a2b3c.mp-service-account` (contract, section 6)."""
    return _SERVER_PART.sub("", username.strip()).strip()


def problem_with_account_name(name: object) -> str | None:
    """Why this cannot be the name of a new service account, in words, or None if it can."""
    text = name.strip() if isinstance(name, str) else ""
    if not isinstance(name, str) or not text or any(char == ":" or category(char) == "Cc" for char in text):
        return f"{name!r} cannot name a service account: use a text without a colon or control characters"
    if service_account_name(name) != text:
        return f"{name!r} is a login name; give the name without what Mixpanel adds to it"
    return None
