"""SCIM 2.0 users: people of claimed domains. A documented subset of RFC 7644, in its shapes (contract, section 10)."""

from __future__ import annotations

from typing import Any, Final

from pydantic import Field

from mixpanel_access.api.shapes import Wire, checked, unintelligible
from mixpanel_access.api.transport import Transport
from mixpanel_access.model.access import ScimUser

_ROOT: Final = "/api/app/scim/v2"
_USER: Final = "urn:ietf:params:scim:schemas:core:2.0:User"
_PATCH: Final = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
_MOST_PAGES: Final = 1000


class _UserRow(Wire):
    id: str
    user_name: str = Field(validation_alias="userName")
    active: bool = True

    def user(self) -> ScimUser:
        return ScimUser(self.id, self.user_name, self.active)


class ScimEndpoint:
    """The users of the organization, by the SCIM token."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list_users(self) -> list[ScimUser]:
        """Everybody whom SCIM knows, page by page."""
        what = "list the users by SCIM"
        found: list[ScimUser] = []
        for _ in range(_MOST_PAGES):
            page = self._transport.read(f"{_ROOT}/Users?startIndex={len(found) + 1}&count=100", what)
            rows = page.get("Resources") or [] if isinstance(page, dict) else None
            if not isinstance(rows, list):
                raise unintelligible(what, "no list of resources")
            found += [checked(_UserRow, row, what).user() for row in rows]
            if not rows or len(found) >= _total(page):
                break
        return found

    def create(self, email: str) -> None:
        """Make somebody a member of the organization; no e-mail goes out."""
        body = {
            "schemas": [_USER],
            "userName": email,
            "emails": [{"value": email, "primary": True}],
            "active": True,
        }
        self._transport.write(f"{_ROOT}/Users", body, f"provision {email} by SCIM")

    def set_active(self, user: ScimUser, *, active: bool) -> None:
        """Let somebody in again, or keep them out; what they hold stays."""
        body = {"schemas": [_PATCH], "Operations": [{"op": "replace", "path": "active", "value": active}]}
        what = f"{'activate' if active else 'deactivate'} {user.email} by SCIM"
        self._transport.patch(f"{_ROOT}/Users/{user.id}", body, what)


def _total(page: Any) -> int:
    total = page.get("totalResults")
    return total if isinstance(total, int) else 0
