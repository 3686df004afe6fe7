"""The organization's security settings: their reads and their writes.

Each is asked for on its own: one that is refused is unknown and stops nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

from mixpanel_access.directory.snapshot import Part
from mixpanel_access.directory.writer import Writer
from mixpanel_access.directory.writes import Effect, Write
from mixpanel_access.model import errors
from mixpanel_access.model.access import Feature, Security, SingleSignOn, Topic
from mixpanel_access.model.audit import USER_ADDED

TWO_FACTOR_KEY: Final = "twofactor_auth_required"
"""The one known key of the two-factor settings (contract, section 8)."""
UNTOLD: Final = (errors.NotFound, errors.Forbidden, errors.Invalid, errors.NotApplied, errors.Unintelligible)
"""Answers that mean that this Mixpanel, plan or account does not report it. A server fault is not one of them."""
UNKNOWN: Final = (*UNTOLD, errors.ServerFault, errors.RateLimited)
"""Answers after which one who only looks goes on without: an undocumented call may well answer so for ever."""

SECURITY: Final[Part[Security]] = Part("security")

_T = TypeVar("_T")

if TYPE_CHECKING:
    from mixpanel_access.api.client import Api
    from mixpanel_access.api.organization_settings import OrganizationSettingsEndpoint


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
        unknown.setdefault(Topic.TWO_FACTOR, "the answer does not say whether it is required")
    request_access = asked(Topic.REQUEST_ACCESS, api.organization_settings.request_access) or {}
    return Security(sso or SingleSignOn(), required, request_access, unknown, two_factor)


def read_features(api: Api, security: Security, project: int | None, now: datetime) -> Mapping[Feature, str | None]:
    """What the plan has: feature -> None where it can be used, else Mixpanel's reason.

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


class _ChangeSettings(Write[None]):
    """Changes some keys of settings, and sends all of what was read with them.

    What the server keeps is what is posted, and nobody documents the keys (contract, section 8).
    """

    def __init__(self, settings: OrganizationSettingsEndpoint, keys: Mapping[str, object]) -> None:
        self._settings = settings
        self._keys = keys

    def effects(self, item: None) -> Iterable[Effect[Any]]:  # noqa: ARG002
        yield Effect(SECURITY, tuple(sorted(self._keys)), self.shown)

    def shown(self, held: Security) -> bool | None:
        """Whether the settings show the change."""
        raise NotImplementedError


class _RequireTwoFactor(_ChangeSettings):
    def send(self, items: Sequence[None]) -> None:  # noqa: ARG002
        # After a lost answer it reads again: somebody else may have changed another key.
        self._settings.put_two_factor({**self._settings.two_factor(), **self._keys})

    def shown(self, held: Security) -> bool | None:
        required = held.two_factor_required
        return None if required is None else required is self._keys[TWO_FACTOR_KEY]


class _ChangeRequestAccess(_ChangeSettings):
    def send(self, items: Sequence[None]) -> None:  # noqa: ARG002
        self._settings.put_request_access({**self._settings.request_access(), **self._keys})

    def shown(self, held: Security) -> bool | None:
        if Topic.REQUEST_ACCESS in held.unknown:
            return None
        return all(key in held.request_access and held.request_access[key] == self._keys[key] for key in self._keys)


class SecuritySettings:
    """Changes the settings on the second factor and on requests for access; what else is there is kept."""

    def __init__(self, writer: Writer, settings: OrganizationSettingsEndpoint) -> None:
        self._writer, self._settings = writer, settings

    def require_two_factor(self, required: bool) -> None:
        """Set whether a login with a password needs a second factor."""
        self._writer.settle(_RequireTwoFactor(self._settings, {TWO_FACTOR_KEY: required}), [None])

    def change_request_access(self, keys: Mapping[str, object]) -> None:
        """Change some of the settings on requests for access."""
        self._writer.settle(_ChangeRequestAccess(self._settings, keys), [None])
