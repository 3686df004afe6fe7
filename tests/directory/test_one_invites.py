"""A person who is new is invited once, however many resources of a program bring them at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from mixpanel_access.directory.directory import Directory, Times
from tests.fakes import ORGANIZATION, PRODUCTION, WAREHOUSE, FakeApi, as_api

CY = "cy@example.com"


class SlowApi(FakeApi):
    """The first write that invites waits a moment for another one to go out before it."""

    def __init__(self) -> None:
        super().__init__()
        self.first = threading.Lock()
        self.another = threading.Event()
        self.inviting = 0

    def invite(self, roles: Mapping[str, str]) -> None:
        self.meet()
        super().invite(roles)

    def grant(self, roles: Mapping[tuple[int, str], str]) -> None:
        self.meet()
        super().grant(roles)

    def meet(self) -> None:
        self.inviting += CY not in self.people
        if self.first.acquire(blocking=False):
            self.another.wait(0.5)
        else:
            self.another.set()


@pytest.mark.parametrize("ways", [("member", "grant"), ("grant", "member"), ("grant", "another grant")])
def test_a_member_and_a_grant_at_the_same_time_invite_a_person_once(ways: tuple[str, str]) -> None:
    """Also where no other process is held: the second sees the first's invitation, and the role is given."""
    api = SlowApi()
    directory = Directory(as_api(api), ORGANIZATION, times=Times(linger=0))
    how: dict[str, Callable[[], object]] = {
        "member": lambda: directory.invite(CY, "member"),
        "grant": lambda: directory.grant_inviting(PRODUCTION, {CY: "analyst"}),
        "another grant": lambda: directory.grant_inviting(WAREHOUSE, {CY: "analyst"}),
    }
    directory.people()
    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(how[way]) for way in ways]:
            done.result()
    assert api.inviting == 1
    projects = {"grant": PRODUCTION, "another grant": WAREHOUSE}
    assert {row.project for row in api.rows if row.key == CY} == {projects[way] for way in ways if way in projects}
