"""Who we are. The path is documented as the authentication example; the fields are observed (contract, section 9)."""

from __future__ import annotations

from mixpanel_access.api import wire
from mixpanel_access.api.transport import Transport
from mixpanel_access.model import errors
from mixpanel_access.model.access import Identity
from mixpanel_access.model.settings import REGIONS, region_of


class MeEndpoint:
    """`GET /api/app/me`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def read(self) -> Identity:
        """Our login name and our role in each organization.

        Raises:
            Unauthorized: the credentials are wrong, or the organization is in another region.
        """
        what = "log in to Mixpanel"
        try:
            results = self._transport.read("/api/app/me?include_workspace_users=false", what)
        except (errors.Unauthorized, errors.ServerFault) as error:
            error.next_step += f" {self._other_region()}"
            raise
        return wire.identity_from(results, what)

    def _other_region(self) -> str:
        here = region_of(self._transport.base_url)
        if here is None:
            return "Or the organization is in another region: check mixpanel:apiUrl."
        others = " or ".join(region for region in REGIONS if region != here)
        return (
            f"Or the organization is not in the region {here}: `mixpanel-access doctor` finds out whether to set "
            f"mixpanel:region to {others}."
        )
