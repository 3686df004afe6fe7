"""The shapes of Mixpanel's answers, read with every leniency that the contract asks of a client (contract, section 3).

Nothing here is strict about extra fields; what is missing is None, never invented.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from mixpanel_access.api.shapes import Instant, OrganizationRow, RoleWord, Wire, checked, rows
from mixpanel_access.model.access import Grant, GrantType, Identity, Person, Project
from mixpanel_access.model.resources import number_in

_INVITED_WORDS = {"invited", "pending", "expired", "invitation_sent"}


def _address(value: object) -> str:
    """The address; "" for anything that is none."""
    return value.strip() if isinstance(value, str) else ""


Address = Annotated[str, BeforeValidator(_address)]
"""An address, or "" where there is none."""


class UserRow(OrganizationRow):
    """One row of the organization's users list; it may lack the address, and then nobody knows whose row it is."""

    email: Address = ""
    id: int | None = None
    name: str | None = None
    invited: bool | None = None
    pending: bool | None = None
    status: str | None = None
    last_login: Instant = None
    active: bool | None = None

    def person(self, *, listed_as_pending: bool = False) -> Person:
        """The row as a value; any of the known marks makes it an invitation."""
        invited = listed_as_pending or bool(self.invited) or bool(self.pending)
        invited = invited or (self.status or "").strip().lower() in _INVITED_WORDS
        return Person(
            self.email,
            self.role,
            invited,
            self.name or None,
            self.last_login,
            self.id,
            deactivated=self.active is False,
        )


class TeamName(Wire):
    """A team as other rows name it."""

    name: str | None = None


class GrantedRow(Wire):
    """One row of a project's granted users."""

    email: str
    role: RoleWord = None
    target_type: str = "individual"
    team: TeamName | None = None

    def grant(self, project: int) -> Grant | None:
        """The row as a value, or None where it holds no role."""
        if self.role is None:
            return None
        kind = GRANT_TYPES.get(self.target_type.strip().lower(), GrantType.INDIVIDUAL)
        return Grant(project, self.email, self.role, kind, self.team.name if self.team else None)


GRANT_TYPES = {
    "individual": GrantType.INDIVIDUAL,
    "team": GrantType.TEAM,
    "organization": GrantType.ORGANIZATION_ROLE,
    "organization_role": GrantType.ORGANIZATION_ROLE,
    "all_users": GrantType.ALL_USERS,
}
"""The wire's words for how a grant comes about."""


class ProjectRow(Wire):
    """One row of the organization's projects list; its keys and secrets are not read."""

    id: int
    name: str | None = None


def _codes(value: object) -> frozenset[str]:
    """Permission codes; none, which is unknown, for anything but a list of texts."""
    if not isinstance(value, list) or not all(isinstance(code, str) for code in value):
        return frozenset()
    return frozenset(code.strip() for code in value)


class OrganizationOfMe(OrganizationRow):
    """One organization as `me` shows it."""

    permissions: Annotated[frozenset[str], BeforeValidator(_codes)] = frozenset()


class Me(Wire):
    """Who we are."""

    user_email: str | None = None
    organizations: dict[str, OrganizationOfMe] = Field(default_factory=dict)


def people_from(results: Any, what: str) -> list[Person]:
    """People from any known form of the users list: an array, a map, or with the pending in a list of their own.

    A row without an address is a person whose address is "".
    """
    people: dict[str, Person] = {}
    unknown: list[Person] = []
    for row, pending in _user_rows(results):
        person = checked(UserRow, row, what).person(listed_as_pending=pending)
        if person.email:
            people.setdefault(person.key, person)
        else:
            unknown.append(person)
    return [*people.values(), *unknown]


def grants_from(results: Any, project: int, what: str) -> list[Grant]:
    """Grants from any known form of a project's granted users."""
    if isinstance(results, dict) and isinstance(results.get("users"), (list, dict)):
        results = results["users"]
    grants = (checked(GrantedRow, row, what).grant(project) for row in rows(results, what))
    return [grant for grant in grants if grant is not None]


def projects_from(results: Any, what: str) -> list[Project]:
    """Projects from the organization's list."""
    if isinstance(results, dict) and isinstance(results.get("projects"), list):
        results = results["projects"]
    found = (checked(ProjectRow, row, what) for row in rows(results, what))
    return [Project(row.id, row.name or "") for row in found]


def identity_from(results: Any, what: str) -> Identity:
    """Who we are, from `me`."""
    me = checked(Me, results, what)
    parts = {id_: part for key, part in me.organizations.items() if (id_ := number_in(key)) is not None}
    return Identity(
        me.user_email or "",
        {id_: part.role for id_, part in parts.items()},
        {id_: part.permissions for id_, part in parts.items()},
    )


_PENDING_LISTS = ("pending", "pending_invitations", "invited", "invites", "invitations")


def _user_rows(results: Any) -> Iterator[tuple[Any, bool]]:
    """Each row of the users list, with whether it stands in a list of pending people."""
    if isinstance(results, dict) and isinstance(results.get("users"), (list, dict)):
        for row in rows(results["users"], "users"):
            yield row, False
        for name in _PENDING_LISTS:
            for row in rows(results.get(name) or [], name):
                yield row, True
        return
    for row in rows(results, "users"):
        yield row, False
