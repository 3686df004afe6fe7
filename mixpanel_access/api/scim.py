"""SCIM 2.0: users, who are people of claimed domains, and groups, which are teams of the same name.

A documented subset of RFC 7644, in its shapes (contract, section 10).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import quote

from pydantic import Field

from mixpanel_access.api.shapes import Wire, checked, unintelligible
from mixpanel_access.api.transport import Transport
from mixpanel_access.model.access import ScimUser
from mixpanel_access.model.teams import ScimGroup, same_name

_ROOT: Final = "/api/app/scim/v2"
_USER: Final = "urn:ietf:params:scim:schemas:core:2.0:User"
_GROUP: Final = "urn:ietf:params:scim:schemas:core:2.0:Group"
_PATCH: Final = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
_MOST_PAGES: Final = 1000


class _UserRow(Wire):
    id: str
    user_name: str = Field(validation_alias="userName")
    active: bool = True

    def user(self) -> ScimUser:
        return ScimUser(self.id, self.user_name, self.active)


class _Reference(Wire):
    value: str


class _GroupRow(Wire):
    id: str
    display_name: str = Field(validation_alias="displayName")
    members: list[_Reference] | None = None  # a list without values may be left out (RFC 7643, section 2.5)

    def group(self) -> ScimGroup:
        return ScimGroup(self.id, frozenset(member.value for member in self.members or ()))


class ScimEndpoint:
    """The users and groups of the organization, by the SCIM token."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list_users(self) -> list[ScimUser]:
        """Everybody whom SCIM knows, page by page.

        Raises:
            Unintelligible: pages are missing or repeat each other: who is on none that was read may be there.
        """
        what = "list the users by SCIM"
        found: dict[str, ScimUser] = {}
        for _ in range(_MOST_PAGES):
            page = self._transport.read(f"{_ROOT}/Users?startIndex={len(found) + 1}&count=100", what)
            before, total = len(found), _total(_resources(page, what), page)
            for row in _resources(page, what):
                user = checked(_UserRow, row, what).user()
                found.setdefault(user.id, user)
            if len(found) >= total:
                return list(found.values())
            if len(found) == before:
                raise unintelligible(what, f"it has {total} users, and its pages have {before}")
        raise unintelligible(what, f"it has more than {_MOST_PAGES} pages")

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
        change = {"op": "replace", "path": "active", "value": active}
        self._patch(f"Users/{user.id}", [change], f"{'activate' if active else 'deactivate'} {user.email} by SCIM")

    def find_group(self, name: str) -> ScimGroup | None:
        """The group of a name, with who is in it, or None."""
        what = f"find the group {name} by SCIM"
        wanted = quote(f"displayName eq {json.dumps(name)}", safe="")
        page = self._transport.read(f"{_ROOT}/Groups?filter={wanted}&startIndex=1&count=100", what)
        rows = [checked(_GroupRow, row, what) for row in _resources(page, what)]
        return next((row.group() for row in rows if same_name(row.display_name, name)), None)

    def create_group(self, name: str, members: Iterable[str]) -> None:
        """Make a group of users, by their ids."""
        body = {"schemas": [_GROUP], "displayName": name, "members": [{"value": id_} for id_ in members]}
        self._transport.write(f"{_ROOT}/Groups", body, f"make the group {name} by SCIM")

    def change_group(self, id_: str, name: str, joining: Iterable[str], leaving: Iterable[str]) -> None:
        """Put users into a group and take others out, by their ids; nobody else in it is touched."""
        added = [{"value": user} for user in joining]
        changes: list[dict[str, Any]] = [{"op": "add", "path": "members", "value": added}] if added else []
        changes += [{"op": "remove", "path": f"members[value eq {json.dumps(user)}]"} for user in leaving]
        self._patch(f"Groups/{id_}", changes, f"change who is in the group {name} by SCIM")

    def rename_group(self, id_: str, name: str) -> None:
        """Give a group another name."""
        change = {"op": "replace", "path": "displayName", "value": name}
        self._patch(f"Groups/{id_}", [change], f"rename a group to {name} by SCIM")

    def _patch(self, place: str, changes: list[dict[str, Any]], what: str) -> None:
        self._transport.patch(f"{_ROOT}/{place}", {"schemas": [_PATCH], "Operations": changes}, what)


def _resources(page: Any, what: str) -> list[Any]:
    rows = page.get("Resources") or [] if isinstance(page, dict) else None
    if not isinstance(rows, list):
        raise unintelligible(what, "no list of resources")
    return rows


def _total(rows: list[Any], page: Any) -> int:
    """How many there are on all pages; where the answer does not say, those of this one."""
    total = page.get("totalResults")
    return total if isinstance(total, int) else len(rows)
