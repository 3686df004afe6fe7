"""Fifty clients at once, each with people of its own in the same project and the same team."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from typing import Any

from tests.emulator.conftest import ORG, Client, P, Q

CLIENTS = 50
TEAM = 77
ROLES = ("consumer", "analyst", "admin")


@dataclass(frozen=True)
class Crowd:
    """What came of it.

    Attributes:
        statuses: HTTP status -> how many answers had it.
        seconds: how long all of it took.
        lost: updates that were answered with 200, and are not there.
        double: people who were invited, or are in the organization, more than once.
    """

    statuses: Counter[int]
    seconds: float
    lost: list[str]
    double: list[str]


def email_of(number: int, turn: int) -> str:
    """The address of a client's person of one turn; each has a domain of its own, for the limit on invitations."""
    return f"p{number}@d{number}-{turn}.example.com"


def crowd(url: str, turns: int) -> Crowd:
    """Let all clients work at once, and look whether everything is there that was answered.

    Args:
        url: where the emulator of `organization` listens.
        turns: how many people each client has, one after the other; an even number.
    """
    begun = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        found = pool.map(lambda number: _work(url, number, turns), range(CLIENTS))
        statuses = Counter(chain.from_iterable(found))
    seconds = time.perf_counter() - begun
    with Client(base_url=url) as client:
        dump = client.control("GET", "dump")
    double = [
        email
        for rows in (dump["mails"], dump["members"])
        for email, times in Counter(row["email"].casefold() for row in rows).items()
        if times > 1
    ]
    return Crowd(statuses, seconds, list(_lost(dump, turns)), double)


def _work(url: str, number: int, turns: int) -> list[int]:
    """One client: invites, grants, changes, takes away, and reads in between."""
    statuses = []
    with Client(base_url=url, auth=("admin-bot", "s:ecret")) as client:
        for turn in range(turns):
            email = email_of(number, turn)
            answers = [
                client.invite(email),
                client.grant(email, ROLES[number % 3]),
                client.users("add-users-to-teams/", {"teams": [{"id": TEAM, "users": [{"email": email}]}]}),
                client.get(f"/organizations/{ORG}/users/"),
                client.grant(email, ROLES[(number + 1) % 3]),
                client.grant(email, "consumer", Q),
                client.get(f"/api/app/projects/{P}/granted-users"),
            ]
            if turn % 2:
                answers += [
                    client.users(f"users/{email}/delete-projects/", {"projectIds": [Q]}),
                    client.users(f"teams/{TEAM}/delete-users/", {"emails": [email]}),
                ]
            statuses += [answer.status_code for answer in answers]
    return statuses


def _lost(dump: dict[str, Any], turns: int) -> list[str]:
    """What each client has done last and is not so, or is still there though it was taken away."""
    members = {member["email"] for member in dump["members"]}
    grants = {(grant["project"], grant["email"]): grant["role"] for grant in dump["grants"]}
    inside = next(set(team["members"]) for team in dump["teams"] if team["id"] == TEAM)
    lost = []
    for number in range(CLIENTS):
        for turn in range(turns):
            email, kept = email_of(number, turn), turn % 2 == 0
            so = {
                "member": email in members,
                "role": grants.get((P, email)) == ROLES[(number + 1) % 3],
                "other role": grants.get((Q, email)) == ("consumer" if kept else None),
                "team": (email in inside) == kept,
            }
            lost += [f"{email}: {what}" for what, done in so.items() if not done]
    return lost
