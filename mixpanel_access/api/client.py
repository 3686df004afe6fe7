"""Everything that is called of Mixpanel, for one organization."""

from __future__ import annotations

from collections.abc import Callable

import stamina.instrumentation

from mixpanel_access.api.audit_log import AuditLogEndpoint
from mixpanel_access.api.custom_roles import CustomRolesEndpoint
from mixpanel_access.api.me import MeEndpoint
from mixpanel_access.api.organization_settings import OrganizationSettingsEndpoint
from mixpanel_access.api.projects import ProjectsEndpoint
from mixpanel_access.api.scim import ScimEndpoint
from mixpanel_access.api.service_accounts import ServiceAccountsEndpoint
from mixpanel_access.api.teams import TeamsEndpoint
from mixpanel_access.api.transport import Transport
from mixpanel_access.api.undocumented import Gate
from mixpanel_access.api.users import UsersEndpoint
from mixpanel_access.model.setting_values import Secret
from mixpanel_access.model.settings import Settings


class Api:
    """The endpoint families of one organization, over one transport."""

    def __init__(
        self,
        transport: Transport,
        organization: int,
        allowed: frozenset[str] = frozenset(),
        provisioning: Transport | None = None,
        fresh: Callable[[], bool] = lambda: True,
        platform: Transport | None = None,
    ) -> None:
        self._transports = [at for at in (transport, provisioning, platform) if at]
        self.scim = ScimEndpoint(provisioning) if provisioning else None
        gate = Gate(transport, allowed, fresh)
        self.me = MeEndpoint(transport)
        self.users = UsersEndpoint(transport, organization, gate)
        self.projects = ProjectsEndpoint(transport, organization)
        self.custom_roles = CustomRolesEndpoint(transport)
        self.service_accounts = ServiceAccountsEndpoint(transport, organization)
        self.teams = TeamsEndpoint(transport, organization, gate)
        self.organization_settings = OrganizationSettingsEndpoint(transport, organization)
        self.audit_log = AuditLogEndpoint(transport, organization, platform or transport)

    @property
    def ahead(self) -> float | None:
        """By how many seconds Mixpanel's clock is ahead of this machine's; None if no answer has said it."""
        return self._transports[0].ahead

    def close(self) -> None:
        """Close the connections of both hosts."""
        for transport in self._transports:
            transport.close()

    @classmethod
    def connect(
        cls,
        settings: Settings,
        fresh: Callable[[], bool] = lambda: True,
        make: Callable[..., Transport] = Transport,
    ) -> Api:
        """The API as the settings name it, over transports that `make` makes; nothing is sent yet."""
        stamina.instrumentation.set_on_retry_hooks([])  # its log lines would stand between the user and our one line

        def to(url: str, username: str, secret: Secret) -> Transport:
            return make(url, username, secret, timeout_seconds=settings.timeout_seconds)

        url, token = settings.api_url, settings.scim_token
        elsewhere = settings.platform_url if settings.platform_url != url else ""
        return cls(
            to(url, settings.username, settings.secret),
            settings.organization_id,
            settings.allow_undocumented,
            to(url, "", token) if token else None,
            fresh,
            to(elsewhere, settings.username, settings.secret) if elsewhere else None,
        )
