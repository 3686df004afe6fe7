"""Who we are. The path is documented as the authentication example; the fields are observed (contract, section 9)."""

from __future__ import annotations

from mixpanel_access.api import wire
from mixpanel_access.api.transport import Transport
from mixpanel_access.model.access import Identity


class MeEndpoint:
    """`GET /api/app/me`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def read(self) -> Identity:
        """Our login name and our role in each organization.

        Raises:
            Unauthorized: the credentials are wrong.
        """
        what = "log in to Mixpanel"
        return wire.identity_from(self._transport.read("/api/app/me?include_workspace_users=false", what), what)
