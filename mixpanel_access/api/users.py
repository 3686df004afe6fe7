"""The organization's users: the list, invitations, roles, individual grants, removal.

Only the list and the project grant are in use; every other write is assumed (contract, section 3) and passes
the gate of `undocumented.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any
from urllib.parse import quote

from pydantic import BeforeValidator

from mixpanel_access.api.answers import Instant, OrganizationRow, checked, rows, unintelligible
from mixpanel_access.api.transport import CallFamily, Transport
from mixpanel_access.api.undocumented import Gate, named
from mixpanel_access.model.access import Person
from mixpanel_access.model.grouping import grouped
from mixpanel_access.model.settings import Verb

_INVITED_WORDS = {"invited", "pending", "expired", "invitation_sent"}


def _address(value: object) -> str:
    """The address; "" for anything but a text."""
    return value.strip() if isinstance(value, str) else ""


Address = Annotated[str, BeforeValidator(_address)]
"""An address, or "" if it is missing."""


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


class UsersEndpoint(CallFamily):
    """Members, invitations and individual grants of one organization."""

    def __init__(self, transport: Transport, organization: int, gate: Gate) -> None:
        super().__init__(transport, organization)
        self._gate = gate

    def list_users(self) -> list[Person]:
        """Every member, and every person whose invitation is not accepted.

        A row without an address is a person whose address is "": nobody knows who it is.

        Raises:
            Unintelligible: the list names nobody, and an organization always has somebody.
        """
        what = f"list the users of organization {self._organization}"
        pages = self._transport.pages(self._path("users/"), what)
        people = [person for page in pages for person in people_from(page, what)]
        if not any(person.email for person in people):
            rows = f"none of its {len(people)} rows has an address" if people else "it lists nobody"
            raise unintelligible(what, f"{rows}, and an organization always has somebody")
        return people

    def invite(self, roles: Mapping[str, str]) -> None:
        """Invite addresses, each with its organization role. One e-mail goes to each.

        Args:
            roles: e-mail address -> organization role.
        """
        users = [{"email": email, "role": role} for email, role in roles.items()]
        self._gate.write(Verb.INVITE, "invite to the organization", roles, self._path("add-users/"), {"users": users})

    def grant(self, roles: Mapping[tuple[int, str], str]) -> None:
        """Give or change individual project roles; an unknown address is invited as a member.

        Args:
            roles: (project id, e-mail address) -> project role. Ids go out as numbers: a string gets HTTP 500.
        """
        projects = grouped((project, {"email": email, "role": role}) for (project, email), role in roles.items())
        body = {"projects": [{"id": project, "users": users} for project, users in projects.items()]}
        people = named(email for _, email in roles)
        names = ", ".join(str(project) for project in projects)
        self._transport.write(
            self._path("add-users-to-projects/"), body, f"grant access to project {names} to {people}"
        )

    def change_role(self, email: str, role: str) -> None:
        """Change a person's organization role."""
        path = f"users/{quote(email, safe='')}/update/"
        self._gate.write(
            Verb.CHANGE_ROLE, f"change the organization role to {role}", [email], self._path(path), {"role": role}
        )

    def remove_grants(self, email: str, projects: Iterable[int]) -> None:
        """Take a person's individual grants in some projects away, and nothing else."""
        ids = list(projects)
        what = f"take the grant in project {', '.join(map(str, ids))} away"
        path = f"users/{quote(email, safe='')}/delete-projects/"
        self._gate.write(Verb.REMOVE_GRANTS, what, [email], self._path(path), {"projectIds": ids})

    def remove(self, emails: Iterable[str]) -> None:
        """Remove people from the organization with all their access; irreversible. Cancels an invitation too."""
        addresses = list(emails)
        what = "remove from the organization"
        self._gate.write(Verb.REMOVE_MEMBERS, what, addresses, self._path("delete-users/"), {"emails": addresses})

    def resend(self, emails: Iterable[str]) -> None:
        """Send pending invitations again."""
        addresses = list(emails)
        self._gate.write(
            Verb.RESEND, "send the invitation again", addresses, self._path("resend-invites/"), {"emails": addresses}
        )
