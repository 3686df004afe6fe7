"""SCIM 2.0: users, who are people of claimed domains, and groups, which are teams of the same name.

A documented subset of RFC 7644, in its shapes (contract, section 10).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import quote

from pydantic import (
    AfterValidator,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from mixpanel_access.api.answers import Wire, checked, unintelligible
from mixpanel_access.api.transport import Transport
from mixpanel_access.model.access import ScimUser
from mixpanel_access.model.address import same_key
from mixpanel_access.model.teams import ScimGroup, same_name

_ROOT: Final = "/api/app/scim/v2"
_USER: Final = "urn:ietf:params:scim:schemas:core:2.0:User"
_GROUP: Final = "urn:ietf:params:scim:schemas:core:2.0:Group"
_PATCH: Final = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
_COUNT: Final = 100
_MOST_PAGES: Final = 1000


class _Part(Wire):
    """An object whose attributes are named in any case (RFC 7643, section 2.1); here, all in lower case."""

    @model_validator(mode="before")
    @classmethod
    def _in_lower_case(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        lowered = {str(name).lower(): part for name, part in value.items()}
        if len(lowered) < len(value):
            raise ValueError("an attribute is there twice, in different case")
        return lowered


def _no_place(id_: str) -> str:
    """An id, which is one segment of a path."""
    if id_ in ("", ".", ".."):
        raise ValueError(f"{id_!r} is not an id")
    return id_


def _if_told(value: Any, read: ValidatorFunctionWrapHandler) -> bool | None:
    """What is null or odd is unknown, so that one person's odd word does not hide everybody else."""
    try:
        told: bool | None = read(value)
    except ValidationError:
        return None
    return told


_Id = Annotated[str, AfterValidator(_no_place)]


class _Row(_Part):
    id: _Id


class _UserRow(_Row):
    user_name: str = Field(validation_alias="username")
    active: Annotated[bool | None, WrapValidator(_if_told)] = None

    def user(self) -> ScimUser:
        return ScimUser(self.id, self.user_name, self.active)


class _Reference(_Part):
    value: str


class _GroupRow(_Row):
    display_name: str = Field(validation_alias="displayname")
    members: list[_Reference] | None = None  # a list without values may be left out (RFC 7643, section 2.5)

    def group(self) -> ScimGroup:
        return ScimGroup(self.id, frozenset(member.value for member in self.members or ()))


class _Page(_Part):
    total: Annotated[int, Field(ge=0)] | None = Field(None, validation_alias="totalresults")
    resources: list[Any] | None = None


_Resource = TypeVar("_Resource", bound=_Row)


class ScimEndpoint:
    """The users and groups of the organization, by the SCIM token."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list_users(self) -> list[ScimUser]:
        """Everybody that SCIM knows, page by page.

        Raises:
            Unintelligible: pages are missing or repeat each other: who is on none that was read may be there.
        """
        return [row.user() for row in self._rows(f"{_ROOT}/Users?", _UserRow, "list the users by SCIM")]

    def find_user(self, email: str) -> ScimUser | None:
        """Somebody by their address, or None; they are found though the list of everybody cannot be read.

        Raises:
            Unintelligible: they are on no page that was read, and pages are missing or repeat each other.
        """
        rows = self._filtered("Users", "userName", email, _UserRow, f"find {email} by SCIM")
        return next((row.user() for row in rows if same_key(row.user_name) == same_key(email)), None)

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
        self._patch("Users", user.id, [change], f"{'activate' if active else 'deactivate'} {user.email} by SCIM")

    def find_group(self, name: str) -> ScimGroup | None:
        """The group with this name and its members, or None; a server that ignores the filter lists every group.

        Raises:
            Unintelligible: pages are missing or repeat each other: a group on none that was read may be there.
        """
        rows = self._filtered("Groups", "displayName", name, _GroupRow, f"find the group {name} by SCIM")
        return next((row.group() for row in rows if same_name(row.display_name, name)), None)

    def create_group(self, name: str, members: Iterable[str]) -> None:
        """Make a group of users, by their ids."""
        body = {"schemas": [_GROUP], "displayName": name, "members": [{"value": id_} for id_ in members]}
        self._transport.write(f"{_ROOT}/Groups", body, f"make the group {name} by SCIM")

    def change_group(self, id_: str, name: str, joining: Iterable[str], leaving: Iterable[str]) -> None:
        """Put users into a group and take others out, by their ids; nobody else in it is touched."""
        added = [{"value": user} for user in joining]
        changes: list[dict[str, Any]] = [{"op": "add", "path": "members", "value": added}] if added else []
        changes += [{"op": "remove", "path": f"members[value eq {_literal(user)}]"} for user in leaving]
        self._patch("Groups", id_, changes, f"change who is in the group {name} by SCIM")

    def rename_group(self, id_: str, name: str) -> None:
        """Give a group another name."""
        change = {"op": "replace", "path": "displayName", "value": name}
        self._patch("Groups", id_, [change], f"rename a group to {name} by SCIM")

    def _patch(self, collection: str, id_: str, changes: list[dict[str, Any]], what: str) -> None:
        path = f"{_ROOT}/{collection}/{quote(id_, safe='')}"
        self._transport.write(path, {"schemas": [_PATCH], "Operations": changes}, what, "PATCH")

    def _filtered(
        self, collection: str, attribute: str, value: str, model: type[_Resource], what: str
    ) -> Iterator[_Resource]:
        wanted = quote(f"{attribute} eq {_literal(value)}", safe="")
        return self._rows(f"{_ROOT}/{collection}?filter={wanted}&", model, what)

    def _rows(self, query: str, model: type[_Resource], what: str) -> Iterator[_Resource]:
        """The rows of a list, page by page, up to the empty one: a total may be of a page alone.

        Raises:
            Unintelligible: pages are missing or repeat each other.
        """
        found: set[str] = set()
        told: list[int] = []
        for number in range(1, _MOST_PAGES + 1):
            answer = self._transport.read(f"{query}startIndex={len(found) + 1}&count={_COUNT}", what)
            page = checked(_Page, answer, what)
            for row in (rows := [checked(model, row, what) for row in page.resources or []]):
                if row.id in found:
                    raise unintelligible(what, f"page {number} lists again what was listed before")
                found.add(row.id)
            yield from rows
            before = set(told)
            told += [page.total] if page.total is not None else []
            if not rows:
                if not _agrees(before, told, len(found)):
                    numbers = " and ".join(map(str, dict.fromkeys(told))) or "missing"
                    raise unintelligible(what, f"totalResults is {numbers}, and its pages have {len(found)}")
                return
        raise unintelligible(what, f"it has more than {_MOST_PAGES} pages")


def _agrees(before: set[int], told: list[int], found: int) -> bool:
    """Whether the totals agree with what was found: that of the last page, which is empty, or each of those before it.

    A page may say fewer: somebody may come in while the list is read.
    """
    if not told:
        return found > 0
    return max(told) <= found and (told[-1] == found or before == {found})


def _literal(text: str) -> str:
    """A text in a filter: quotes and backslashes escaped, and nothing else, for not every server knows more."""
    return json.dumps(text, ensure_ascii=False)
