"""The organization's users: the list, invitations, roles, individual grants, removal.

Only the list and the project grant are observed in use; every other write is assumed (contract, section 3) and passes
the gate of `undocumented.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import quote

from mixpanel_access.api import wire
from mixpanel_access.api.shapes import unintelligible
from mixpanel_access.api.transport import Transport
from mixpanel_access.api.undocumented import Gate
from mixpanel_access.model.access import Person
from mixpanel_access.model.address import few
from mixpanel_access.model.undocumented import Verb


class UsersEndpoint:
    """Members, invitations and individual grants of one organization."""

    def __init__(self, transport: Transport, organization: int, gate: Gate) -> None:
        self._transport = transport
        self._organization = organization
        self._gate = gate

    def list_users(self) -> list[Person]:
        """Every member, and every person whose invitation is not accepted.

        A row without an address is a person whose address is "": nobody can tell who it is.

        Raises:
            Unintelligible: the list names nobody, and an organization always has somebody.
        """
        what = f"list the users of organization {self._organization}"
        pages = self._transport.pages(self._path("users/"), what)
        people = [person for page in pages for person in wire.people_from(page, what)]
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
        self._gated(Verb.INVITE, "invite to the organization", roles, "add-users/", {"users": users})

    def grant(self, roles: Mapping[tuple[int, str], str]) -> None:
        """Give or change individual project roles; an unknown address is invited as a member.

        Args:
            roles: (project id, e-mail address) -> project role. Ids go out as numbers: a string gets HTTP 500.
        """
        projects: dict[int, list[dict[str, str]]] = {}
        for (project, email), role in roles.items():
            projects.setdefault(project, []).append({"email": email, "role": role})
        body = {"projects": [{"id": project, "users": users} for project, users in projects.items()]}
        whom = _names(email for _, email in roles)
        names = ", ".join(str(project) for project in projects)
        self._transport.write(self._path("add-users-to-projects/"), body, f"grant access to project {names} to {whom}")

    def change_role(self, email: str, role: str) -> None:
        """Change a person's organization role."""
        path = f"users/{quote(email, safe='')}/update/"
        self._gated(Verb.CHANGE_ROLE, f"change the organization role to {role}", [email], path, {"role": role})

    def remove_grants(self, email: str, projects: Iterable[int]) -> None:
        """Take a person's individual grants in some projects away, and nothing else."""
        ids = list(projects)
        what = f"take the grant in project {', '.join(map(str, ids))} away"
        path = f"users/{quote(email, safe='')}/delete-projects/"
        self._gated(Verb.REMOVE_GRANTS, what, [email], path, {"projectIds": ids})

    def remove(self, emails: Iterable[str]) -> None:
        """Remove people from the organization with all their access; irreversible. Cancels an invitation too."""
        addresses = list(emails)
        what = "remove from the organization"
        self._gated(Verb.REMOVE_MEMBERS, what, addresses, "delete-users/", {"emails": addresses})

    def resend(self, emails: Iterable[str]) -> None:
        """Send pending invitations again."""
        addresses = list(emails)
        self._gated(Verb.RESEND, "send the invitation again", addresses, "resend-invites/", {"emails": addresses})

    def _gated(self, verb: Verb, what: str, emails: Iterable[str], path: str, body: object) -> None:
        whom = _names(emails)
        self._gate.send(verb, what, whom, lambda: self._transport.write(self._path(path), body, f"{what} ({whom})"))

    def _path(self, rest: str) -> str:
        return f"/organizations/{self._organization}/{rest}"


def _names(emails: Iterable[str]) -> str:
    """Some of those whom a request is about: of a batch, everybody's own error names it."""
    return few(dict.fromkeys(emails))
