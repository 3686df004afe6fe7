"""The organization's service accounts. Documented (contract, section 6)."""

from __future__ import annotations

from mixpanel_access.api import wire
from mixpanel_access.api.transport import Transport
from mixpanel_access.model.access import ServiceAccount


class ServiceAccountsEndpoint:
    """Service accounts of one organization."""

    def __init__(self, transport: Transport, organization: int) -> None:
        self._transport = transport
        self._organization = organization

    def list_accounts(self) -> list[ServiceAccount]:
        """Every service account, ours included; the answer tells neither roles nor projects."""
        what = f"list the service accounts of organization {self._organization}"
        path = f"/api/app/organizations/{self._organization}/service-accounts"
        return wire.service_accounts_from(self._transport.read(path, what), what)
