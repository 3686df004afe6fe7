"""The shapes of Mixpanel's answers, read with every leniency that the contract asks of a client (section 3).

Nothing here is strict about extra fields; what is missing is None, never invented.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, TypeVar

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from mixpanel_access.model import errors, roles
from mixpanel_access.model.access import Grant, GrantType, Identity, Person, Project, ServiceAccount
from mixpanel_access.model.dates import instant

_INVITED_WORDS = {"invited", "pending", "expired", "invitation_sent"}


def _role(value: object) -> str | None:
    """A role word from a string or from an object with `name` and `id` (contract, section 2)."""
    if isinstance(value, dict):
        custom = value.get("is_custom_role") and isinstance(value.get("id"), str)
        value = value["id"] if custom else value.get("name") or value.get("id")
    if value is None or value == "":
        return None
    return roles.normalized(str(value))


def _instant(value: object) -> datetime | None:
    try:
        return instant(value) if isinstance(value, str) and value else None
    except ValueError:
        return None  # an unreadable time is unknown, which is how an absent one is taken


RoleWord = Annotated[str | None, BeforeValidator(_role)]
Instant = Annotated[datetime | None, BeforeValidator(_instant)]


class _Wire(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class UserRow(_Wire):
    """One row of the organization's users list."""

    email: str
    id: int | None = None
    name: str | None = None
    role: RoleWord = Field(None, validation_alias=AliasChoices("role", "org_role", "organization_role"))
    invited: bool | None = None
    pending: bool | None = None
    status: str | None = None
    last_login: Instant = None

    def person(self, *, listed_as_pending: bool = False) -> Person:
        """The row as a value; any of the known marks makes it an invitation."""
        invited = listed_as_pending or bool(self.invited) or bool(self.pending)
        invited = invited or (self.status or "").strip().lower() in _INVITED_WORDS
        return Person(self.email, self.role, invited, self.name or None, self.last_login, self.id)


class TeamName(_Wire):
    """A team as other rows name it."""

    name: str | None = None


class GrantedRow(_Wire):
    """One row of a project's granted users."""

    email: str
    role: RoleWord = None
    target_type: str = "individual"
    team: TeamName | None = None

    def grant(self, project: int) -> Grant | None:
        """The row as a value, or None where it holds no role."""
        if self.role is None:
            return None
        kind = _GRANT_TYPES.get(self.target_type.strip().lower(), GrantType.INDIVIDUAL)
        return Grant(project, self.email, self.role, kind, self.team.name if self.team else None)


_GRANT_TYPES = {
    "individual": GrantType.INDIVIDUAL,
    "team": GrantType.TEAM,
    "organization": GrantType.ORGANIZATION_ROLE,
    "organization_role": GrantType.ORGANIZATION_ROLE,
    "all_users": GrantType.ALL_USERS,
}


class ProjectRow(_Wire):
    """One row of the organization's projects list; its keys and secrets are not read."""

    id: int
    name: str | None = None


class ServiceAccountRow(_Wire):
    """One row of the service accounts; a token is in none but the answer to its creation, and is not read."""

    id: int
    username: str


class OrganizationOfMe(_Wire):
    """One organization as `me` shows it."""

    id: int | None = None
    role: RoleWord = None


class Me(_Wire):
    """Who we are."""

    user_email: str | None = None
    organizations: dict[str, OrganizationOfMe] = Field(default_factory=dict)


def people_from(results: Any, what: str) -> list[Person]:
    """People from any known form of the users list: an array, a map, or with the pending in a list of their own."""
    people: dict[str, Person] = {}
    for row, pending in _user_rows(results):
        person = _checked(UserRow, row, what).person(listed_as_pending=pending)
        people.setdefault(person.key, person)
    return list(people.values())


def grants_from(results: Any, project: int, what: str) -> list[Grant]:
    """Grants from any known form of a project's granted users."""
    if isinstance(results, dict) and isinstance(results.get("users"), (list, dict)):
        results = results["users"]
    grants = (_checked(GrantedRow, row, what).grant(project) for row in _rows(results, what))
    return [grant for grant in grants if grant is not None]


def projects_from(results: Any, what: str) -> list[Project]:
    """Projects from the organization's list."""
    if isinstance(results, dict) and isinstance(results.get("projects"), list):
        results = results["projects"]
    rows = (_checked(ProjectRow, row, what) for row in _rows(results, what))
    return [Project(row.id, row.name or "") for row in rows]


def service_accounts_from(results: Any, what: str) -> list[ServiceAccount]:
    """Service accounts from the organization's list."""
    rows = (_checked(ServiceAccountRow, row, what) for row in _rows(results, what))
    return [ServiceAccount(row.id, row.username) for row in rows]


def identity_from(results: Any, what: str) -> Identity:
    """Who we are, from `me`."""
    me = _checked(Me, results, what)
    return Identity(
        me.user_email or "",
        {int(key): organization.role for key, organization in me.organizations.items() if key.isdigit()},
    )


_PENDING_LISTS = ("pending", "pending_invitations", "invited", "invites", "invitations")


def _user_rows(results: Any) -> Iterator[tuple[Any, bool]]:
    """Each row of the users list, with whether it stands in a list of pending people."""
    if isinstance(results, dict) and isinstance(results.get("users"), (list, dict)):
        for row in _rows(results["users"], "users"):
            yield row, False
        for name in _PENDING_LISTS:
            for row in _rows(results.get(name) or [], name):
                yield row, True
        return
    for row in _rows(results, "users"):
        yield row, False


def _rows(results: Any, what: str) -> Iterator[Any]:
    """The rows of an array, or of a map keyed by e-mail address or id."""
    if isinstance(results, list):
        for row in results:
            yield {"email": row} if isinstance(row, str) else row
    elif isinstance(results, dict):
        for key, row in results.items():
            if isinstance(row, dict):
                yield {"email": key, **row} if "@" in key else row
            elif isinstance(row, str) and "@" in key:
                yield {"email": key, "role": row}
            else:
                raise _unintelligible(what, f"{key!r} holds {type(row).__name__}")
    else:
        raise _unintelligible(what, f"{type(results).__name__} where rows were expected")


_Row = TypeVar("_Row", bound=_Wire)


def _checked(model: type[_Row], row: Any, what: str) -> _Row:
    try:
        return model.model_validate(row)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "the row"
        raise _unintelligible(what, f"{field}: {first['msg']}") from None


def _unintelligible(what: str, why: str) -> errors.Unintelligible:
    return errors.Unintelligible(
        f"cannot {what}",
        why=f"the answer has an unknown shape ({why})",
        next_step="Run with MIXPANEL_ACCESS_DEBUG=1 and report it; nothing was changed on the strength of it.",
    )
