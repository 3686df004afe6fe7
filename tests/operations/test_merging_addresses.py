"""Random lives in which people change, swap and take over addresses, told by the logs of two branches, and merged."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from random import Random

import pytest

from mixpanel_access.operations.tracker.lines import LogLine
from mixpanel_access.operations.tracker.merging import merged
from mixpanel_access.operations.tracker.replay import replay
from tests.emulator.conftest import ORG
from tests.operations.test_random_timelines import NOWHERE, origins
from tests.operations.tracking import BO, LEE, World, world

STEPS = 14
SEEDS = (0, 1, 6, 7, 8, 9, 11, 12, 14, 21, 25, 27, 28, 29)
"""Lives of which both logs know who is who: nobody leaves under an address that an update of the log never saw."""
Held = dict[tuple[int | None, int | str, int | None], str]
"""Access by Mixpanel's id of the person: project, person, team -> role."""


class Life:
    """A life of three people, and of the logs of two branches that begin with the same lines."""

    def __init__(self, there: World, seed: int) -> None:
        self.there, self.random, self.named = there, Random(seed), 0
        self.left: list[str] = []
        self.record: dict[datetime, Held] = {}
        for email in (BO, "cy@example.com", LEE):
            if there.server.store.member(email) is None:
                self._join(email)
            there.give(email, self.random.choice(["analyst", "admin"]))
        there.has("production")
        self.later()
        there.update()
        self.logs = [[*there.lines] for _ in range(2)]

    def step(self) -> None:
        """Something happens, or one of the logs is updated."""
        happenings: list[Callable[[], object]] = [self.rename, self.swap, self.follow, self.give, self.leave, self.back]
        self.random.choice([*happenings, self.update, self.update])()
        self.note()
        self.later()

    def later(self) -> None:
        """A minute passes."""
        self.there.later()
        self.note()

    def note(self) -> None:
        """Note who holds what at this instant."""
        ids = {one.key: one.id for one in self.there.server.store.members() if one.id}
        held = self.there.held().items()
        self.record[self.there.clock.at] = {(a.project, ids.get(a.person, a.person), a.team): role for a, role in held}

    def update(self, log: int | None = None) -> None:
        """One of the logs is updated."""
        self.there.lines = self.logs[self.random.randrange(2) if log is None else log]
        self.there.update()
        self.note()

    def _people(self, least: int = 1) -> list[str]:
        store = self.there.server.store
        found = sorted(one.key for one in store.members() if one.id and one.role == "member")
        return found if len(found) >= least else []

    def _join(self, email: str) -> None:
        self.there.client.invite(email)
        self.there.client.control("POST", "invitations/accept", {"email": email})

    def _move(self, email: str, to: str) -> None:
        self.there.client.control("POST", "addresses", {"email": email, "address": to})

    def _new(self) -> str:
        self.named += 1
        return f"n{self.named}@example.com"

    def rename(self) -> None:
        """Somebody has a new address."""
        if there := self._people():
            self._move(self.random.choice(there), self._new())

    def swap(self) -> None:
        """Two people swap their addresses."""
        if there := self._people(2):
            one, other = self.random.sample(there, 2)
            for old, new in ((one, "x@example.com"), (other, one), ("x@example.com", other)):
                self._move(old, new)

    def follow(self) -> None:
        """Somebody has a new address, and somebody else the old one."""
        if there := self._people(2):
            one, other = self.random.sample(there, 2)
            self._move(one, self._new())
            self._move(other, one)

    def give(self) -> None:
        """Somebody gets another role, or loses it."""
        if there := self._people():
            self.there.give(self.random.choice(there), self.random.choice(["analyst", "admin", "consumer", None]))

    def leave(self) -> None:
        """Somebody is removed."""
        if there := self._people(2):
            self.left.append(self.random.choice(there))
            self.there.remove(self.left[-1])

    def back(self) -> None:
        """Somebody who was removed is invited again, and accepts."""
        gone = [email for email in self.left if self.there.server.store.member(email) is None]
        if gone:
            self._join(self.random.choice(gone))

    def faults(self, lines: list[LogLine]) -> list[str]:
        """Where a log, replayed, disagrees with what was noted at an instant."""
        log, found = replay(lines, {"production": ORG}), []
        for at, held in self.record.items():
            said = {
                (a.project, log.ids.get((ORG, a.person), a.person), a.team): one.role for a, one in log.at(at).items()
            }
            wrong = {key for key in said.keys() | held.keys() if said.get(key) != held.get(key)}
            found += [f"{at} {key}: the log shows {said.get(key)}, and there is {held.get(key)}" for key in wrong]
        return found


@pytest.mark.parametrize("seed", SEEDS)
def test_the_union_of_two_logs_that_are_right_is_right(seed: int) -> None:
    """Whichever addresses only one of the logs knew, and whichever is merged into the other."""
    with world() as there:
        life = Life(there, seed)
        for _ in range(STEPS):
            life.step()
        for log in range(2):
            life.update(log)
            life.later()
        assert [life.faults(lines) for lines in life.logs] == [[], []]
        found = [[*merged([origins(lines, side) for side, lines in enumerate(order)], NOWHERE).lines]
                 for order in (life.logs, life.logs[::-1])]  # fmt: skip
        assert found[0] == found[1]
        assert life.faults(found[0]) == []
        there.lines = found[0]
        assert there.update() == []
        assert [*merged([origins(found[0], 0), origins(life.logs[1], 1)], NOWHERE).lines] == found[0]
