"""Security settings of the organization. Paths are observed, keys and shapes mostly assumed (contract, section 8)."""

from __future__ import annotations

from collections.abc import Mapping

from mixpanel_access.api import wire_security
from mixpanel_access.api.transport import Transport
from mixpanel_access.model.other_access import Discoverability
from mixpanel_access.model.security import SingleSignOn


class OrganizationSettingsEndpoint:
    """Two-factor, access requests and single sign-on of one organization.

    The paths of the two writes are observed, and so is that they post the settings bare; so they pass no gate. Single
    sign-on is only read.
    """

    def __init__(self, transport: Transport, organization: int) -> None:
        self._transport = transport
        self._organization = organization

    def two_factor(self) -> Mapping[str, object]:
        """The settings on the second factor, as they are; the one known key is `twofactor_auth_required`."""
        return self._settings("twofactor", "two-factor settings")

    def request_access(self) -> Mapping[str, object]:
        """The settings on requests for access, as they are; no key is known."""
        return self._settings("org-request-access-settings", "access request settings")

    def put_two_factor(self, settings: Mapping[str, object]) -> None:
        """Put the settings on the second factor, all of them.

        Raises:
            Forbidden: ours is no role for it, or single sign-on is on, with which there is no second factor.
        """
        self._put("twofactor", "two-factor settings", settings)

    def put_request_access(self, settings: Mapping[str, object]) -> None:
        """Put the settings on requests for access, all of them."""
        self._put("org-request-access-settings", "access request settings", settings)

    def sso(self) -> SingleSignOn:
        """Single sign-on and the claimed domains, as far as the answer tells them in words that we know.

        The path was once published and withdrawn, its shape is assumed.
        """
        what = f"read the single sign-on of organization {self._organization}"
        return wire_security.single_sign_on_from(self._transport.read(self._path("sso"), what), what)

    def discoverability(self) -> Discoverability:
        """How people of the company's domains come into the organization by themselves.

        The path was once published and withdrawn, its shape is assumed.
        """
        what = f"read the discoverability of organization {self._organization}"
        path = f"/api/app/organizations/{self._organization}/domains/get-discoverability"
        return wire_security.discoverability_from(self._transport.read(path, what), what)

    def _settings(self, path: str, name: str) -> Mapping[str, object]:
        what = f"read the {name} of organization {self._organization}"
        return wire_security.settings_from(self._transport.read(self._path(path), what), what)

    def _put(self, path: str, name: str, settings: Mapping[str, object]) -> None:
        what = f"change the {name} of organization {self._organization}"
        self._transport.write(self._path(f"{path}/update"), dict(settings), what)

    def _path(self, rest: str) -> str:
        return f"/organizations/{self._organization}/{rest}"
