"""Who holds a custom role, as far as Mixpanel lets it be seen: whom a deletion of the role would move to consumer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from mixpanel_access.directory.directory import Directory
from mixpanel_access.directory.security import UNTOLD
from mixpanel_access.model.access import GrantType

_MOST_NAMED: Final = 10
"""Of more holders than so many, the rest is a number."""


@dataclass(frozen=True)
class Holders:
    """Who holds one custom role.

    Attributes:
        people: the addresses (as the server writes them) with an individual grant of it.
        accounts: the ids of the service accounts with one.
        names: all of them in words, teams included.
        unseen: what could not be read -> why.
    """

    people: tuple[str, ...]
    accounts: tuple[int, ...]
    names: tuple[str, ...]
    unseen: tuple[str, ...] = ()

    def __str__(self) -> str:
        named = list(self.names[:_MOST_NAMED])
        if more := len(self.names) - len(named):
            named.append(f"{more} more")
        return ", ".join(named) or "nobody"


def holders_of(directory: Directory, project: int, role: str) -> Holders:
    """Read who holds a role, people and teams by the project's users, service accounts by their own list."""
    people: list[str] = []
    others: dict[str, None] = {}
    accounts: dict[int, str] = {}
    unseen: list[str] = []
    try:
        for rows in directory.grants(project).values():
            for grant in rows:
                if grant.role != role:
                    continue
                if grant.grant_type is GrantType.TEAM:
                    others[f"the team {grant.team}" if grant.team else "a team"] = None
                elif grant.grant_type is GrantType.ALL_USERS:
                    others["all users"] = None
                elif grant.grant_type is GrantType.INDIVIDUAL:
                    people.append(grant.email)
    except UNTOLD as error:
        unseen.append(f"people and teams ({error.why or error.what})")
    try:
        for id_, held in directory.accounts.roles(project).items():
            if held.role == role:
                account = directory.accounts.of(id_)
                accounts[id_] = f"service account {account.name if account else id_}"
    except UNTOLD as error:
        unseen.append(f"service accounts ({error.why or error.what})")
    names = (*sorted(people), *others, *accounts.values())
    return Holders(tuple(people), tuple(accounts), names, tuple(unseen))
