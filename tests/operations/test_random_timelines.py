"""The access log of random lives: two stacks, people by hand, refreshes and updates in any order, against the truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from mixpanel_access.model.address import same_key
from mixpanel_access.model.dates import written
from mixpanel_access.operations.state import StateResource
from mixpanel_access.operations.tracker.lines import LogLine
from mixpanel_access.operations.tracker.merging import LineOfLog, merged
from tests.emulator.conftest import ORG, P, Q
from tests.operations.tracking import ANA, LEE, World, grant, member, problems, world

PEOPLE = (LEE, "bo@example.com", "cy@example.com", "di@example.com")
ROLES = ("consumer", "analyst", "admin")
AUTHORS = {"production": "pat@example.com", "staging": "sam@example.com"}
MINE = {"production": P, "staging": Q}
LIVES, STEPS = 20, 40
NOWHERE = Path("tracker.jsonl")


@dataclass
class Stack:
    """A stack of a small engine: what it declares, and what its state has.

    Attributes:
        declared: the person -> the role in the stack's project.
        held: the resources of the state: the key of a membership is the person, of a grant a pair.
        authoritative: whether it takes away what it does not declare, by a `ProjectAccess`.
        born: when that was created.
    """

    name: str
    declared: dict[str, str] = field(default_factory=dict)
    held: dict[Any, StateResource] = field(default_factory=dict)
    authoritative: bool = False
    born: str = ""


class Life:
    """A random life; each thing that happens has an instant of its own."""

    def __init__(self, there: World, seed: int, *, moves: bool = False) -> None:
        self.random, self.there, self.moves = Random(seed), there, moves
        self.stacks = [Stack(name, authoritative=name == "staging" and seed % 2 == 0) for name in MINE]
        self.who: dict[str, str] = {}
        self.addresses: dict[str, str] = {}
        self.told: list[str] = []
        for stack in self.stacks:
            there.has(stack.name)

    def step(self, update: Callable[[], object] | None = None) -> None:
        """Something happens; the log may be updated another way."""
        kinds: list[Callable[[], object]] = [self.up, self.up, self.refresh, self.give, self.give, self.take]
        kinds += [self.accept, self.leave, self.move, update or self.update]
        self.there.later(minutes=5)
        kind = self.random.choice(kinds)
        self.told.append(f"{self.there.clock.at:%H:%M} {getattr(kind, '__name__', 'update')}")
        kind()

    def update(self) -> None:
        """The log is updated."""
        self.there.update()

    def address(self, email: str) -> str:
        """The present address of somebody, by the first one."""
        return self.addresses.get(same_key(email), email)

    def move(self) -> None:
        """Somebody whose id the log can know changes their address, and is still there at the next update."""
        email = self.random.choice(PEOPLE)
        row = self.there.server.store.member(self.address(email))
        if self.moves and row and not row.invited and self.there.updates:
            new = f"{len(self.told)}.{same_key(email)}"
            self.there.update()
            self.there.later(minutes=1)
            self.there.move(self.address(email), new)
            self.addresses[same_key(email)] = new
            self.there.later(minutes=1)
            self.there.update()

    def give(self) -> None:
        """Somebody gives or changes a role by hand."""
        email = self.address(self.random.choice(PEOPLE))
        if self.there.server.store.member(email):
            self.who[written(self.there.clock.at)] = ANA
            self.there.give(email, self.random.choice(ROLES), self.random.choice([P, Q]))

    def take(self) -> None:
        """Somebody takes a grant away by hand."""
        email = self.address(self.random.choice(PEOPLE))
        if self.there.server.store.member(email):
            self.who[written(self.there.clock.at)] = ANA
            self.there.give(email, None, self.random.choice([P, Q]))

    def accept(self) -> None:
        """Somebody accepts an invitation."""
        for email in map(self.address, PEOPLE):
            row = self.there.server.store.member(email)
            if row and row.invited:
                self.who[written(self.there.clock.at)] = email
                self.there.client.control("POST", "invitations/accept", {"email": email})
                return

    def leave(self) -> None:
        """Somebody is removed by hand."""
        email = self.address(self.random.choice(PEOPLE))
        row = self.there.server.store.member(email)
        if row and not row.invited:  # no event says that an invitation was cancelled
            self.who[written(self.there.clock.at)] = ANA
            self.there.remove(email)

    def refresh(self) -> None:
        """A stack's state takes over what Mixpanel has."""
        stack = self.random.choice(self.stacks)
        with self.there.run(stack.name, author="ci@example.com", kind="refresh"):
            self.refresh_state(stack)

    def up(self) -> None:
        """Somebody edits a stack's roster, and runs an update."""
        stack, email = self.random.choice(self.stacks), self.random.choice(PEOPLE)
        if self.random.random() < 0.4:
            stack.declared.pop(email, None)
        else:
            stack.declared[email] = self.random.choice(ROLES)
        with self.there.run(stack.name, author=AUTHORS[stack.name]):
            self.who[written(self.there.clock.at)] = AUTHORS[stack.name]
            self.refresh_state(stack)
            self._give(stack)
            self._take(stack)
            self.there.has(stack.name, *stack.held.values())

    def refresh_state(self, stack: Stack) -> None:
        """Take over into the state what Mixpanel has."""
        store = self.there.server.store
        for key, one in [*stack.held.items()]:
            if isinstance(key, tuple):
                role = store.grant(key[0], self.address(key[1]))
                if role is None:
                    del stack.held[key]
                elif role != one.role:
                    now = self.there.engine_time
                    stack.held[key] = self._grant(stack, one.email, role, one.created, now)
            elif store.member(self.address(key)) is None:
                del stack.held[key]
        self.there.has(stack.name, *stack.held.values())

    def _give(self, stack: Stack) -> None:
        there, store, project = self.there, self.there.server.store, MINE[stack.name]
        for email, role in stack.declared.items():
            key = same_key(email)
            if key not in stack.held:
                address = self.address(email)
                found = store.member(address) is not None
                if not found:
                    there.client.invite(address)
                stack.held[key] = member(address, None, outputs={"adopted": found}, **there.times())
            held, now = stack.held.get((project, key)), there.engine_time
            if store.grant(project, self.address(email)) != role:
                there.client.grant(self.address(email), role, project)
            if held is None or held.role != role:
                created = held.created if held else now
                address = held.email if held else self.address(email)
                stack.held[project, key] = self._grant(stack, address, role, created, now)

    def _grant(self, stack: Stack, email: str, role: str, created: str, modified: str) -> StateResource:
        """A grant of the state; a `ProjectAccess` has the same times for all of its grants."""
        why = {"ticket": "OPS-1"}
        if not stack.authoritative:
            return grant(email, role, MINE[stack.name], created=created, modified=modified, outputs=why)
        stack.born = stack.born or created
        for key, one in stack.held.items():
            if isinstance(key, tuple):
                stack.held[key] = replace(one, modified=modified)
        one = grant(email, role, MINE[stack.name], created=stack.born, modified=modified, outputs=why)
        return replace(one, in_group=True)

    def _take(self, stack: Stack) -> None:
        there, project = self.there, MINE[stack.name]
        keys = {same_key(email) for email in stack.declared}
        for key, one in [*stack.held.items()]:
            if isinstance(key, tuple) and key[1] not in keys:
                self._take_grant(self.address(key[1]), project)
                del stack.held[key]
            elif not isinstance(key, tuple) and key not in keys:
                row, brought = there.server.store.member(self.address(key)), not one.outputs["adopted"]
                elsewhere = any(key in other.held for other in self.stacks if other is not stack)
                grants = there.server.store.projects_of(same_key(self.address(key)))
                if brought and row and not row.invited and not elsewhere and all(r["id"] == project for r in grants):
                    there.client.post(f"/organizations/{ORG}/delete-users/", json={"emails": [self.address(key)]})
                del stack.held[key]
        if stack.authoritative:
            for email in PEOPLE:
                if same_key(email) not in keys and there.server.store.grant(project, self.address(email)):
                    self._take_grant(self.address(email), project)

    def _take_grant(self, email: str, project: int) -> None:
        body = {"projectIds": [project]}
        self.there.client.post(f"/organizations/{ORG}/users/{email}/delete-projects/", json=body)


@pytest.mark.parametrize("moves", [False, True])
@pytest.mark.parametrize("seed", range(LIVES))
def test_the_log_of_a_random_life_is_its_truth(seed: int, moves: bool) -> None:
    """At every instant; each line of an event names who did it, and the states agree with the log in the end.

    Half of the logs begin with the life. The others begin in it, and do not know each role of who had left by then.
    """
    with world() as there:
        life = Life(there, seed, moves=moves)
        if seed % 2:
            there.update()
        for _ in range(STEPS):
            life.step()
        for stack in life.stacks:
            with there.run(stack.name, author="ci@example.com", kind="refresh"):
                life.refresh_state(stack)
        there.update()
        said = "\n".join([*life.told, *(f"{one.date} {one.event} {one.label} {one.what} [{one.stack}] {one.admin}"
                                        for one in there.lines)])  # fmt: skip
        assert there.faults(roleless=not seed % 2) == [], said
        assert there.update() == [], said
        wrong = [one for one in there.lines if one.audit_id and one.admin != life.who[one.date]]
        assert wrong == [], said
        assert problems(there.lines, there.states) == [], said


def branches(there: World, seed: int) -> list[list[LogLine]]:
    """The logs of three branches that are updated in a random life now and then."""
    life = Life(there, seed)
    if seed % 2:
        there.update()
    logs = [[*there.lines] for _ in range(3)]

    def update(into: list[LogLine]) -> None:
        there.lines = into
        there.update()

    for _ in range(STEPS):
        life.step(update=lambda: update(life.random.choice(logs)))
    for stack in life.stacks:
        with there.run(stack.name, author="ci@example.com", kind="refresh"):
            life.refresh_state(stack)
    for lines in logs:
        update(lines)
    return logs


@pytest.mark.parametrize("seed", range(100, 100 + LIVES // 2))
def test_the_logs_of_branches_of_a_random_life_merge_into_its_truth(seed: int) -> None:
    """Each update goes into the log of one of three branches; their order in the merge does not matter.

    Half of the branches begin with the same log, and the others without one.
    """
    with world() as there:
        logs = branches(there, seed)
        found = [merged([origins(lines, side) for side, lines in enumerate(order)], NOWHERE).lines
                 for order in (logs, logs[::-1])]  # fmt: skip
        assert found[0] == found[1]
        there.lines = [*found[0]]
        assert there.faults(roleless=not seed % 2) == []
        assert problems(there.lines, there.states) == []
        assert there.update() == []


@pytest.mark.parametrize("seed", [101, 103, 104, 108, 109, 114, 117])
def test_the_logs_of_branches_merge_without_an_audit_log_too(seed: int) -> None:
    """Their updates may have read another role of the same access, or not seen it at all."""
    with world(route="none") as there:
        logs = branches(there, seed)
        found = [merged([origins(lines, side) for side, lines in enumerate(order)], NOWHERE).lines
                 for order in (logs, logs[::-1])]  # fmt: skip
        assert found[0] == found[1]
        there.lines = [*found[0]]
        there.update()
        assert problems(there.lines, there.states) == []


def origins(lines: list[LogLine], side: int) -> list[LineOfLog]:
    """The lines of one log."""
    return [LineOfLog(line, NOWHERE, number, side) for number, line in enumerate(lines, 1)]
