"""Who has what in the organization of a life, as the script of the life alone says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.lives.rosters import RANK

INVITATION_LIFE = timedelta(days=7)
EVERY_ROLE_HAS = "view_project"
"""The permission that Mixpanel adds to each custom role."""
MANAGING = ("owner", "admin")
"""The organization roles that are a role in every project too."""


@dataclass
class Person:
    """A person in the organization; invited while `invited_at` is set."""

    role: str = "member"
    invited_at: datetime | None = None
    active: bool = True


@dataclass(eq=False)
class Team:
    """A team; the same one also under another name."""

    name: str
    projects: dict[int, str] = field(default_factory=dict)
    members: set[str] = field(default_factory=set)


@dataclass(eq=False)
class CustomRole:
    """A custom role of a project; the same one also under another name.

    Attributes:
        word: by what whoever has it has it; no two roles of a life have the same.
        id: Mixpanel's id, which only the emulator knows.
    """

    word: str
    project: int
    name: str
    permissions: frozenset[str]
    id: str = ""


@dataclass(frozen=True)
class Source:
    """One grant through which somebody reaches a project."""

    project: int
    role: str
    kind: str
    team: str | None = None


@dataclass
class Organization:
    """What there is at an instant.

    Attributes:
        projects: the ids of the projects.
        accounts: the service accounts that stacks have created: name -> project id -> role.
        addresses: who has another address than at first -> that one. All else goes by the first address.
        behind: of these, the people whose first address some rosters still have -> the stacks of those.
        claimed: the domain whose people come by SCIM, or "".
        made: how many custom roles the stacks have made.
    """

    projects: tuple[int, ...]
    people: dict[str, Person] = field(default_factory=dict)
    grants: dict[tuple[int, str], str] = field(default_factory=dict)
    teams: list[Team] = field(default_factory=list)
    accounts: dict[str, dict[int, str]] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)
    behind: dict[str, set[str]] = field(default_factory=dict)
    custom_roles: list[CustomRole] = field(default_factory=list)
    claimed: str = ""
    made: int = 0

    def address(self, email: str) -> str:
        """The address that somebody has."""
        return self.addresses.get(email, email)

    def first_address(self, address: str) -> str:
        """The first address of whoever has an address."""
        return next((first for first, now in self.addresses.items() if now == address), address)

    def team(self, name: str) -> Team | None:
        return next((team for team in self.teams if team.name == name), None)

    def remove(self, email: str) -> None:
        """Take somebody out of the organization, with all that they have there."""
        self.people.pop(email, None)
        self.grants = {key: role for key, role in self.grants.items() if key[1] != email}
        for team in self.teams:
            team.members.discard(email)

    def comes_by_scim(self, email: str) -> bool:
        """Whether somebody is of the claimed domain."""
        return email.partition("@")[2] == self.claimed

    def custom_role(self, project: int, name: str) -> CustomRole | None:
        """The custom role of a name in a project."""
        return next((one for one in self.custom_roles if (one.project, one.name) == (project, name)), None)

    def remove_role(self, role: CustomRole) -> None:
        """Delete a custom role: whoever has it becomes a consumer."""
        self.custom_roles.remove(role)
        self.grants = {key: "consumer" if held == role.word else held for key, held in self.grants.items()}
        for held in (*(team.projects for team in self.teams), *self.accounts.values()):
            held |= {project: "consumer" for project, word in held.items() if word == role.word}

    def sources(self, email: str) -> Iterator[Source]:
        """All grants through which somebody reaches a project."""
        person = self.people.get(email)
        if person is None:
            return
        for project in self.projects:
            if role := self.grants.get((project, email)):
                yield Source(project, role, "individual")
            for team in self.teams:
                if email in team.members and project in team.projects:
                    yield Source(project, team.projects[project], "team", team.name)
            if person.role in MANAGING:
                yield Source(project, person.role, "organization_role")

    def effective(self, email: str) -> dict[int, str]:
        """The highest role that somebody has in each project; of several custom roles alone, that of the first id."""
        ids, found = {one.word: one.id for one in self.custom_roles}, dict[int, str]()
        lowest_first = sorted(self.sources(email), key=lambda one: ids.get(one.role, ""), reverse=True)
        for source in sorted(lowest_first, key=lambda one: RANK.get(one.role, 0)):
            found[source.project] = source.role
        return found

    def has_expired(self, email: str, now: datetime) -> bool:
        """Whether somebody's invitation can no longer be accepted."""
        person = self.people[email]
        return person.invited_at is not None and person.invited_at + INVITATION_LIFE <= now

    def as_sets(self) -> dict[str, set[Any]]:
        """All of it in a form to compare."""
        people, names = self.people.items(), {one.word: one.name for one in self.custom_roles}

        def roles(held: dict[int, str]) -> tuple[Any, ...]:
            return _sorted((project, names.get(role, role)) for project, role in held.items())

        return {
            "people": {
                (self.address(email), one.role, one.invited_at is not None, one.active) for email, one in people
            },
            "grants": {
                (project, self.address(email), names.get(role, role)) for (project, email), role in self.grants.items()
            },
            "accounts": {(name, roles(held)) for name, held in self.accounts.items()},
            "teams": {(one.name, roles(one.projects), _sorted(map(self.address, one.members))) for one in self.teams},
            "custom roles": {(one.project, one.name, _sorted(one.permissions)) for one in self.custom_roles},
        }


def from_dump(document: dict[str, Any]) -> dict[str, set[Any]]:
    """What the emulator has, in the form of `as_sets`."""
    custom = [(project["id"], one) for project in document["projects"] for one in project["custom_roles"]]
    names = {one["role_id"]: one["name"] for _, one in custom}

    def roles(held: list[dict[str, Any]]) -> tuple[Any, ...]:
        return _sorted((one["id"], names.get(one["role"], one["role"])) for one in held)

    return {
        "people": {
            (one["email"], one["role"], one["invited_at"] is not None, one["active"]) for one in document["members"]
        },
        "grants": {(one["project"], one["email"], names.get(one["role"], one["role"])) for one in document["grants"]},
        "accounts": {
            (one["username"].split(".")[0], roles(one["projects"]))
            for one in document["service_accounts"]
            if "." in one["username"]
        },
        "teams": {(one["name"], roles(one["projects"]), _sorted(one["members"])) for one in document["teams"]},
        "custom roles": {
            (project, one["name"], _sorted(set(one["permissions"]) - {EVERY_ROLE_HAS})) for project, one in custom
        },
    }


def _sorted(values: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(sorted(values))
