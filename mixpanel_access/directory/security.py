"""The organization's security settings, each asked for on its own: one that is refused is unknown and stops nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from mixpanel_access.directory.calls import Api
from mixpanel_access.model import errors
from mixpanel_access.model.security import Security, SingleSignOn, Topic

TWO_FACTOR_KEY: Final = "twofactor_auth_required"
"""The one known key of the two-factor settings (contract, section 8)."""
_UNTOLD: Final = (errors.NotFound, errors.Forbidden, errors.Invalid, errors.NotApplied, errors.Unintelligible)
"""Answers that say that this Mixpanel, plan or account does not tell; a fault of the server is none of them."""

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
        except _UNTOLD as error:
            unknown[topic] = error.why or error.what
            return None

    sso = asked(Topic.SSO, api.organization_settings.sso)
    two_factor = asked(Topic.TWO_FACTOR, api.organization_settings.two_factor) or {}
    required = two_factor.get(TWO_FACTOR_KEY)
    if not isinstance(required, bool):
        required = None
        unknown.setdefault(Topic.TWO_FACTOR, "the answer does not tell whether it is required")
    request_access = asked(Topic.REQUEST_ACCESS, api.organization_settings.request_access) or {}
    return Security(sso or SingleSignOn(), required, request_access, unknown)
