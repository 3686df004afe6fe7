"""Who holds a custom role, as far as Mixpanel shows it: a deletion of the role makes them consumers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from mixpanel_access.directory.directory import Directory
from mixpanel_access.directory.security import UNTOLD
from mixpanel_access.model.access import Grant, GrantType

PEOPLE: Final = "people"
TEAMS: Final = "teams"
ACCOUNTS: Final = "service accounts"
_MOST_NAMED: Final = 10
"""Of more holders than so many, the rest is a number."""


@dataclass(frozen=True)
class Holders:
    """Who holds one custom role.

    Attributes:
        people: the addresses (as the server writes them) with an individual grant of it.
        accounts: the service accounts with one: id -> the account in words.
        teams: the teams that have it: id -> the team in words.
        names: all of them in words, and what else there is.
        unseen: which kind of them could not be read -> why.
        hidden: the addresses of invited people who may hold it: what they hold is not listed.
    """

    people: Sequence[str]
    accounts: Mapping[int, str]
    teams: Mapping[int, str]
    names: Sequence[str]
    unseen: Mapping[str, str] = field(default_factory=dict)
    hidden: Sequence[str] = ()

    def __str__(self) -> str:
        named = list(self.names[:_MOST_NAMED])
        if more := len(self.names) - len(named):
            named.append(f"{more} more")
        return ", ".join(named) or "nobody"


def holders_of(directory: Directory, project: int, role: str) -> Holders:
    """Read who holds a role: people by the project's users, teams and service accounts by their own lists."""
    unseen: dict[str, str] = {}

    def seen(kind: str, read: Callable[[], Any]) -> Any:
        try:
            return read()
        except UNTOLD as error:
            unseen[kind] = error.why or error.what
            return None

    held: Mapping[str, Sequence[Grant]] = seen(PEOPLE, lambda: directory.grants(project)) or {}
    rows = [grant for grants in held.values() for grant in grants if grant.role == role]
    teams: dict[int, str] | None = seen(TEAMS, lambda: _teams(directory, project, role))
    accounts: dict[int, str] = seen(ACCOUNTS, lambda: _accounts(directory, project, role)) or {}
    hidden: list[str] = seen(PEOPLE, lambda: _hidden(directory, project)) or []
    people = sorted(grant.email for grant in rows if grant.grant_type is GrantType.INDIVIDUAL)
    others = ["all users"] if any(grant.grant_type is GrantType.ALL_USERS for grant in rows) else []
    named = teams.values() if teams is not None else _teams_in(rows)
    return Holders(people, accounts, teams or {}, [*people, *named, *others, *accounts.values()], unseen, hidden)


def _hidden(directory: Directory, project: int) -> list[str]:
    """Everybody who is only invited, where the project's list is not seen to have such people."""
    invited = sorted(person.email for person in directory.people().values() if person.invited)
    return [] if not invited or directory.shows_invited(project) else invited


def _teams(directory: Directory, project: int, role: str) -> dict[int, str]:
    """By the organization's list, which has those too in which nobody is."""
    return {
        team.id: f"the team {team.name}"
        for team in directory.teams.all().values()
        if team.projects.get(project) == role
    }


def _teams_in(rows: Sequence[Grant]) -> list[str]:
    """Those through which somebody has the role."""
    through = [grant.team for grant in rows if grant.grant_type is GrantType.TEAM]
    return list(dict.fromkeys(f"the team {team}" if team else "a team" for team in through))


def _accounts(directory: Directory, project: int, role: str) -> dict[int, str]:
    ids = [id_ for id_, held in directory.accounts.roles(project).items() if held.role == role]
    named = {id_: directory.accounts.get(id_) for id_ in ids}
    return {id_: f"service account {account.name if account else id_}" for id_, account in named.items()}
