"""Who we are. The path is documented as the authentication example; the fields are in use (contract, section 9)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from mixpanel_access.api.answers import OrganizationRow, Wire, checked
from mixpanel_access.api.transport import Transport
from mixpanel_access.model import errors
from mixpanel_access.model.hosts import REGIONS, region_of
from mixpanel_access.model.resource_ids import number_in
from mixpanel_access.model.rights import Identity


def _codes(value: object) -> frozenset[str]:
    """Permission codes; none, which is unknown, for anything but a list of texts."""
    if not isinstance(value, list) or not all(isinstance(code, str) for code in value):
        return frozenset()
    return frozenset(code.strip() for code in value)


class OrganizationOfMe(OrganizationRow):
    """One organization as `me` shows it."""

    permissions: Annotated[frozenset[str], BeforeValidator(_codes)] = frozenset()


class Me(Wire):
    """Who we are to Mixpanel: our login name, and our organizations by their ids."""

    user_email: str | None = None
    organizations: dict[str, OrganizationOfMe] = Field(default_factory=dict)


def identity_from(results: Any, what: str) -> Identity:
    """Who we are, from `me`."""
    me = checked(Me, results, what)
    parts = {id_: part for key, part in me.organizations.items() if (id_ := number_in(key)) is not None}
    return Identity(
        me.user_email or "",
        {id_: part.role for id_, part in parts.items()},
        {id_: part.permissions for id_, part in parts.items()},
    )


class MeEndpoint:
    """Asks Mixpanel who we are, with `GET /api/app/me`."""

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
        return identity_from(results, what)

    def _other_region(self) -> str:
        here = region_of(self._transport.base_url)
        if here is None:
            return "Or the organization is in another region: check mixpanel:apiUrl."
        others = " or ".join(region for region in REGIONS if region != here)
        return (
            f"Or the organization is not in the region {here}: `mixpanel-access doctor` finds out whether to set "
            f"mixpanel:region to {others}."
        )
