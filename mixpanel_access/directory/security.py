"""The organization's security settings, each asked for on its own: one that is refused is unknown and stops nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, TypeVar

from mixpanel_access.directory.calls import Api
from mixpanel_access.model import errors
from mixpanel_access.model.audit import USER_ADDED
from mixpanel_access.model.security import Feature, Security, SingleSignOn, Topic

TWO_FACTOR_KEY: Final = "twofactor_auth_required"
"""The one known key of the two-factor settings (contract, section 8)."""
UNTOLD: Final = (errors.NotFound, errors.Forbidden, errors.Invalid, errors.NotApplied, errors.Unintelligible)
"""Answers that say that this Mixpanel, plan or account does not tell; a fault of the server is none of them."""
UNKNOWN: Final = (*UNTOLD, errors.ServerFault, errors.RateLimited)
"""Answers after which one who only looks goes on without: an undocumented call may well answer so for ever."""

_T = TypeVar("_T")


def read_security(api: Api) -> Security:
    """Read all of it.

    Raises:
        MixpanelError: Mixpanel cannot be read at all.
    """
    unknown: dict[Topic, str] = {}

    def asked(topic: Topic, read: Callable[[], _T]) -> _T | None:
        try:
            return read()
        except UNKNOWN as error:
            unknown[topic] = error.why or error.what
            return None

    sso = asked(Topic.SSO, api.organization_settings.sso)
    two_factor = asked(Topic.TWO_FACTOR, api.organization_settings.two_factor) or {}
    required = two_factor.get(TWO_FACTOR_KEY)
    if not isinstance(required, bool):
        required = None
        unknown.setdefault(Topic.TWO_FACTOR, "the answer does not tell whether it is required")
    request_access = asked(Topic.REQUEST_ACCESS, api.organization_settings.request_access) or {}
    return Security(sso or SingleSignOn(), required, request_access, unknown, two_factor)


def read_features(api: Api, security: Security, project: int | None, now: datetime) -> Mapping[Feature, str | None]:
    """What the plan has: feature -> None where it can be used, else Mixpanel's reason.

    Args:
        api: Mixpanel.
        security: the security settings, which tell of single sign-on.
        project: a project to ask about custom roles, or None.
        now: the instant at which the audit log is asked for.

    Raises:
        MixpanelError: Mixpanel cannot be read at all.
    """

    def refused(read: Callable[[], object]) -> str | None:
        try:
            read()
        except UNKNOWN as error:
            return error.why or error.what
        return None

    found: dict[Feature, str | None] = {Feature.SSO: security.unknown.get(Topic.SSO)}
    if project is not None:
        found[Feature.CUSTOM_ROLES] = refused(lambda: api.custom_roles.list_roles(project))
    found[Feature.AUDIT_LOG] = refused(lambda: api.audit_log.events([USER_ADDED], now, now))
    return found
