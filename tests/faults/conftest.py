"""An emulator in this process (over a socket for `make reliability`), and the providers on it by the real client."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Lock
from typing import Any

import httpx
import pytest
import stamina
from hypothesis import settings

from mixpanel_access.api.client import Api
from mixpanel_access.api.transport import READ_ATTEMPTS, Transport
from mixpanel_access.directory.directory import Directory, Machine, Times
from mixpanel_access.directory.this_machine import Unseen
from mixpanel_access.emulator.server import EmulatorServer
from mixpanel_access.model.brakes import Brake, Limits
from mixpanel_access.model.dates import written
from mixpanel_access.model.setting_values import Secret
from mixpanel_access.model.settings import Settings
from mixpanel_access.provider.run import Run
from mixpanel_access.provider.session import Session
from tests.in_process import InProcess, emulating
from tests.tally import count

ORG, SHOP, WAREHOUSE = 7654321, 1234567, 1234568
TIMEOUT = 0.25
"""Seconds that the client waits for an answer while answers are slow on purpose."""
PATIENCE = 10.0
"""Seconds that it waits else, so that a busy machine is no fault."""


UNBRAKED = Limits(released=frozenset({Brake.REMOVAL_SHARE, Brake.GRANT_SHARE}))
"""No share is too large."""


class GivenRun(Run):
    """A run of the engine of which we say whether a program has run."""

    def __init__(self, fresh: bool) -> None:
        self._fresh = fresh

    def fresh(self) -> bool:
        return self._fresh


def organization() -> dict[str, Any]:
    """Two owners, three members with a grant each, one in a team, who are nobody's business; two projects."""
    strangers = [f"stranger{n}@example.com" for n in range(3)]
    return {
        "organization": {"id": ORG, "name": "Example"},
        "members": [{"email": f"owner{n}@example.com", "role": "owner"} for n in range(2)]
        + [{"email": email} for email in strangers],
        "projects": [{"id": id_, "name": str(id_)} for id_ in (SHOP, WAREHOUSE)],
        "grants": [{"project": SHOP, "email": email, "role": "analyst"} for email in strangers],
        "teams": [
            {"id": 7, "name": "Strangers", "members": strangers[:1], "projects": [{"id": SHOP, "role": "consumer"}]}
        ],
        "service_accounts": [{"username": "bot", "secret": "s3cret", "role": "owner"}],  # may remove admins too
    }


def over_a_socket() -> bool:
    """Whether requests go over a socket, as `make reliability` asks for; its profile is loaded after this module."""
    return settings().max_examples >= 1000


def opened(document: dict[str, Any], **options: Any) -> AbstractContextManager[EmulatorServer]:
    """An emulator that listens only if requests go over a socket."""
    return EmulatorServer(document, **options) if over_a_socket() else emulating(document, **options)


class World:
    """The emulator's side, and sessions on it."""

    def __init__(self, server: EmulatorServer) -> None:
        self.server = server
        self.transport = None if over_a_socket() else InProcess(server)
        """None for a socket."""
        self.client = httpx.Client(base_url=server.url, timeout=30, transport=self.transport)
        self.apis: list[Api] = []
        self.scim_token: Secret | None = None
        self.read_back_seconds = 10.0
        self.posted: list[dict[str, Any]] = []
        """The faults that were posted since the last were cleared."""
        self.alone = Lock()
        """Held by who reads people and invites, as a file is by the processes of one machine."""
        self.notes: Unseen | None = None
        """What runs at the same time on one machine note of their invitations; None where each run is hours later."""
        self.reset()

    def reset(self) -> None:
        """The organization as it was in the beginning, no faults, real time."""
        self.notes = None
        self.control("DELETE", "faults")
        self.control("POST", "seed", {**organization(), "now": written(datetime.now(UTC))})
        self.close()

    def close(self) -> None:
        """Close the connections of the sessions that there were."""
        while self.apis:
            self.apis.pop().close()

    def control(self, method: str, path: str, body: Any = None) -> Any:
        if (method, path) == ("DELETE", "faults"):
            if self.posted:
                self._count_faults()
        elif (method, path) == ("POST", "faults"):
            self.posted += body
        answer = self.client.request(method, f"/_emulator/{path}", json=body)
        answer.raise_for_status()
        return answer.json()

    def _count_faults(self) -> None:
        """Those that have struck since they were posted, by method and kind."""
        struck = _faults_in(self.posted)
        struck.subtract(_faults_in(self.control("GET", "faults")))
        self.posted = []
        for what, times in struck.items():
            count(what, times)

    def session(
        self, limits: Limits = UNBRAKED, fresh: bool = True, say: Callable[[str], None] = lambda line: None
    ) -> Session:
        """A new operation, at the emulator's own time; waits are not waited.

        Args:
            limits: how far it may go.
            fresh: whether a program has run, so that these are today's limits.
            say: takes the lines for the user.
        """
        now = self.server.store.clock.now() + timedelta(seconds=1)
        settings = Settings(
            ORG,
            self.server.url,
            "bot",
            Secret("s3cret"),
            now=now,
            timeout_seconds=TIMEOUT if any(fault["kind"] == "delay" for fault in self.posted) else PATIENCE,
            limits=limits,
            scim_token=self.scim_token,
            read_back_seconds=self.read_back_seconds,
        )
        self.apis.append(Api.connect(settings, make=partial(Transport, transport=self.transport)))
        directory = Directory(
            self.apis[-1],
            ORG,
            times=Times(0.005, lambda _: None, read_back_seconds=self.read_back_seconds),
            machine=Machine(lambda: self.alone, unseen=self.notes or Unseen()),
        )
        return Session(settings, directory, say, GivenRun(fresh))

    def dump(self) -> dict[str, Any]:
        """The organization as it is, without a request."""
        document: dict[str, Any] = self.server.store.dump()
        return document

    def pass_days(self, days: float) -> None:
        self.control("POST", "clock", {"advance_seconds": days * 86400})

    def members(self) -> dict[str, dict[str, Any]]:
        return {row["email"]: row for row in self.dump()["members"]}

    def grants(self) -> dict[tuple[int, str], str]:
        rows = self.dump()["grants"]
        return {(row["project"], row["email"]): row["role"] for row in rows}

    def teams(self) -> dict[str, tuple[dict[int, str], list[str]]]:
        """Name -> roles by project, and who is in it."""
        found = self.team_rows()
        return {row["name"]: ({h["id"]: h["role"] for h in row["projects"]}, row["members"]) for row in found}

    def team_rows(self) -> list[dict[str, Any]]:
        """The teams as the dump has them."""
        rows: list[dict[str, Any]] = self.dump()["teams"]
        return rows

    def custom_roles(self, project: int) -> dict[str, dict[str, Any]]:
        """The custom roles of a project, by id."""
        (row,) = (row for row in self.dump()["projects"] if row["id"] == project)
        return {role["role_id"]: role for role in row.get("custom_roles", [])}

    def delete_role(self, project: int, role: str) -> None:
        """Somebody else deletes a custom role."""
        self.client.delete(f"/api/app/projects/{project}/custom-roles/{role}", auth=("bot", "s3cret"))

    def by_hand(self, path: str, body: Any) -> httpx.Response:
        """A call of the API by somebody else."""
        return self.client.post(f"/organizations/{ORG}/{path}", json=body, auth=("bot", "s3cret"))

    def mails(self, email: str) -> int:
        return sum(mail["email"] == email for mail in self.control("GET", "mails"))


def _faults_in(faults: list[dict[str, Any]]) -> Counter[str]:
    found: Counter[str] = Counter()
    for one in faults:
        kind = f"status {one['status']}" if one["kind"] == "status" else one["kind"].replace("_", " ")
        found[f"faults of {one['method']}: {kind}"] += one["count"]
    return found


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """One server for the whole module; each test resets it."""
    with opened(organization(), limit_invitations=False) as server:
        made = World(server)
        yield made
        made.close()
        made.client.close()


@pytest.fixture(autouse=True)
def _no_waiting(world: World) -> Iterator[None]:
    world.reset()
    with stamina.set_testing(True, attempts=READ_ATTEMPTS, cap=True):
        yield
