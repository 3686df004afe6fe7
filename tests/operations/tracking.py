"""An organization whose life the access log must tell: the emulator with a clock, stacks by their states, a log.

The oracle is the emulator's own store: what it holds is written down after each step. The log never sees that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from mixpanel_access.api.client import Api
from mixpanel_access.api.transport import Transport
from mixpanel_access.directory.directory import Directory
from mixpanel_access.emulator.audit_store import Actor
from mixpanel_access.emulator.dialect import Dialect
from mixpanel_access.emulator.recording import Audit, person
from mixpanel_access.emulator.server import EmulatorServer
from mixpanel_access.model.address import same_key
from mixpanel_access.model.audit import LOOK_BACK
from mixpanel_access.model.dates import instant, written
from mixpanel_access.model.setting_values import Secret
from mixpanel_access.model.settings import Settings
from mixpanel_access.operations.state import State, StateResource
from mixpanel_access.operations.tracker.lines import Access, LogLine
from mixpanel_access.operations.tracker.reading import read_in_mixpanel, stack_reading
from mixpanel_access.operations.tracker.replay import contradictions, differences, replay
from mixpanel_access.operations.tracker.runs import runs_of
from mixpanel_access.operations.tracker.update import additions
from tests.emulator.conftest import ORG, Client, Frozen, P, organization
from tests.in_process import InProcess, emulating
from tests.operations.held import held_grant, held_member, held_team_grant, held_team_member, state_of_resources

ANA, BO, LEE = "ana@example.com", "bo@example.com", "lee@example.com"
BOT, OTHER_BOT = "admin-bot", "owner-bot"
START = datetime(2026, 5, 4, 12, tzinfo=UTC)
TEAM = 77
Held = dict[Access, str]


def document() -> dict[str, Any]:
    """The organization: Ana and Omar own it, Lee has a grant and is in a team."""
    return {**organization(), "security": {"sso": {"enabled": True, "domains": [{"name": "example.com"}]}}}


def problems(lines: Sequence[LogLine], states: Mapping[str, State]) -> list[str]:
    """What is wrong with a log, in itself and compared with the states, but for what was changed by hand."""
    return [*contradictions(lines), *(one.text for one in differences(replay(lines), states) if not one.by_hand)]


@dataclass
class World:
    """The organization, its stacks and the log.

    Attributes:
        engine_ahead: how far the engine's clock is ahead of Mixpanel's.
        eager: whether the log is updated after each step, and not only where a life says so.
        running: whether a stack runs.
        lag: how late the audit log shows an event.
        lines: the log.
        truth: what the organization held from an instant on, the oldest first.
        updates: when the log was updated.
        addresses: the key of each earlier address -> the one that the person has now.
        reused: since when such an address is somebody else's.
    """

    server: EmulatorServer
    client: Client
    clock: Frozen
    engine_ahead: timedelta = timedelta()
    eager: bool = False
    running: bool = False
    lag: timedelta = timedelta()
    states: dict[str, State] = field(default_factory=dict)
    history: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    lines: list[LogLine] = field(default_factory=list)
    truth: list[tuple[datetime, Held]] = field(default_factory=list)
    updates: list[datetime] = field(default_factory=list)
    addresses: dict[str, str] = field(default_factory=dict)
    reused: dict[str, datetime] = field(default_factory=dict)

    # Time

    def later(self, **span: float) -> None:
        """Let time pass; a minute, unless said otherwise."""
        self.write_down()
        if self.eager and not self.running:
            self.update()
        self.clock.at += timedelta(**(span or {"minutes": 1}))

    @property
    def engine_time(self) -> str:
        """The engine's clock."""
        return written(self.clock.at + self.engine_ahead)

    def write_down(self) -> None:
        """Note what the organization holds at this instant, after all that happened in it."""
        self.truth = [*(one for one in self.truth if one[0] != self.clock.at), (self.clock.at, self.held())]

    def held(self) -> Held:
        """What the organization holds, by its store; who is deactivated holds nothing."""
        store, found = self.server.store, Held()
        there = {member.key: member for member in store.members() if member.active}
        for key, member in there.items():
            found[Access(ORG, None, key, None)] = member.role
            for row in store.projects_of(key):
                found[Access(None, row["id"], key, None)] = row["role"]
        for team in store.teams():
            for row in store.team_members(team.id):
                if same_key(row["email"]) in there:
                    found[Access(None, None, same_key(row["email"]), team.id)] = ""
            for row in store.team_projects(team.id):
                found[Access(None, row["id"], "", team.id)] = row["role"]
        return found

    # What happens

    def by_hand(self, path: str, body: dict[str, Any], method: str = "POST", actor: str = ANA) -> None:
        """A change in the product."""
        self.client.control(method, path, body if method == "DELETE" else {"actor": actor, **body})

    def give(self, email: str, role: str | None, project: int = P) -> None:
        """Somebody gives, changes or (None) takes away a grant in the product."""
        self.by_hand("grants", {"email": email, "project": project, "role": role})

    def move(self, email: str, to: str) -> None:
        """Somebody changes their address in the product; no event says so."""
        old, new = same_key(email), same_key(to)
        self.client.control("POST", "addresses", {"email": email, "address": to})
        self.addresses = {first: new if now == old else now for first, now in self.addresses.items()} | {old: new}
        self.addresses.pop(new, None)

    def remove(self, email: str) -> None:
        """Somebody removes a person in the product."""
        self.client.control("DELETE", f"members/{email}")

    @contextmanager
    def run(
        self,
        stack: str,
        author: str = "merger@example.com",
        kind: str = "update",
        deletes: int = 1,
        *,
        dirty: bool = False,
    ) -> Iterator[None]:
        """A run of a stack, in which its account works; a minute long, and what happens is in its middle."""
        run: dict[str, Any] = {
            "kind": kind,
            "startTime": self.engine_time,
            "environment": {"git.author.email": author, "git.dirty": str(dirty).lower()},
            "resourceChanges": {"delete": deletes},
        }
        self.running = True
        self.later(seconds=30)
        yield
        self.later(seconds=30)
        self.running = False
        self.history.setdefault(stack, []).insert(0, {**run, "endTime": self.engine_time})
        self.later(minutes=3)  # more than the clocks differ

    def has(self, stack: str, *resources: StateResource) -> None:
        """The state of a stack, from now on."""
        found: dict[str, Any] = {}
        for one in resources:
            key: Any = same_key(one.email)
            name = {"Member": "members", "ProjectGrant": "grants", "TeamMember": "team_members"}.get(
                one.kind.name, "team_grants"
            )
            if name != "members":
                key = (one.project or one.team, key if one.email else one.team)
            found.setdefault(name, {})[key] = one
        self.states[stack] = state_of_resources(**found)

    def times(self) -> dict[str, Any]:
        """When the engine creates a resource, as the state has it."""
        return {"created": self.engine_time, "modified": self.engine_time}

    # The log

    def directory(self) -> Directory:
        """A fresh look at the organization."""
        make = partial(Transport, transport=InProcess(self.server))
        return Directory(Api.connect(self.accounts[0], make=make), ORG)

    @property
    def accounts(self) -> list[Settings]:
        """The accounts of the stacks."""
        return [Settings(ORG, self.server.url, name, Secret("s:ecret"), now=self.clock.at) for name in (BOT, OTHER_BOT)]

    def update(self, *, all_stacks: bool = True) -> list[LogLine]:
        """What `tracker update` adds."""
        self.write_down()
        self.clock.at += timedelta(seconds=1)
        self.write_down()
        now = self.clock.at
        newest = max((instant(line.date) for line in self.lines), default=now)
        whole = State()
        for state in self.states.values():
            whole = whole | state
        said: list[str] = []
        span = (min(newest, now - LOOK_BACK), now)
        facts = read_in_mixpanel(self.directory(), self.accounts, whole, span, said.append)
        events = [event for event in facts.events if event.at <= now - self.lag]
        facts = replace(facts, events=events, all_stacks=all_stacks)
        stacks = {
            name: stack_reading(name, self.accounts[0], state, runs_of(self.history.get(name, ())))
            for name, state in self.states.items()
        }
        new = additions(self.lines, [facts], stacks, [*self.states], now)
        self.lines += new
        self.updates.append(now)
        return new

    def truth_by_present_addresses(self) -> Iterator[tuple[datetime, Held]]:
        """What the organization held from an instant on, by the addresses that people have now."""
        for at, held in self.truth:
            now = {old: new for old, new in self.addresses.items() if old not in self.reused or at < self.reused[old]}
            yield at, {one._replace(person=now.get(one.person, one.person)): role for one, role in held.items()}

    def faults(self, *, at_updates: bool = False, roleless: bool = False) -> list[str]:
        """Where the log, replayed, disagrees with the truth at an instant; `at_updates`: only at those.

        `roleless`: the log need not name every role.

        Before the first update, the log need not have what was there before it began, and ended before that update.
        """
        log, found = replay(self.lines, dict.fromkeys(self.states, ORG)), []
        early: Held = self.truth[0][1]
        for at, held in self.truth_by_present_addresses():
            if at_updates and at not in self.updates:
                continue
            shown = {access: one.role for access, one in log.at(at).items()}
            for access in sorted(shown.keys() | held.keys(), key=str):
                ended_early = at < self.updates[0] and access in early and access not in shown
                if roleless and access in held and shown.get(access) == "":
                    continue
                if shown.get(access) != held.get(access) and not ended_early:
                    true = held.get(access)
                    found.append(f"{at:%d %H:%M:%S} {access}: the log shows {shown.get(access)}, and there is {true}")
        return found


@contextmanager
def world(**options: Any) -> Iterator[World]:
    """An organization at the beginning of its life."""
    dialect = Dialect(audit=options.pop("route", "both"))
    with emulating(document(), dialect=dialect) as server, Client(server, auth=(BOT, "s:ecret")) as client:
        clock = Frozen(START)
        server.store.clock = clock
        yield World(server, client, clock, **options)


def member(email: str, role: str | None = "member", **more: Any) -> StateResource:
    """A `Member` in a state."""
    return held_member(email, role, **more)


def grant(email: str, role: str = "analyst", project: int = P, **more: Any) -> StateResource:
    """A `ProjectGrant` in a state."""
    return held_grant(project, email, role, **more)


def place(email: str, team: int = TEAM, **more: Any) -> StateResource:
    """A `TeamMember` in a state."""
    return held_team_member(team, email, **more)


def team_grant(role: str = "analyst", project: int = P, team: int = TEAM, **more: Any) -> StateResource:
    """A `TeamGrant` in a state."""
    return held_team_grant(project, team, role, **more)


def audit_of(world: World, actor: str = ANA, service: str = "webapp") -> Audit:
    """The audit log as a person writes it; nobody by SCIM."""
    store = world.server.store
    if service == "scim":
        return Audit(store, Actor(), service)
    somebody = store.member(actor)
    assert somebody is not None
    return Audit(store, person(somebody))


def put_in_team(world: World, email: str, *, member: bool, service: str = "webapp") -> None:
    """Somebody, or an identity provider, adds a person to the team or takes them out."""
    store = world.server.store
    team, row = store.team(TEAM), store.member(email)
    assert team is not None
    assert row is not None
    (store.join_team if member else store.leave_team)(TEAM, email)
    audit_of(world, service=service).team_member("user_added" if member else "user_removed", team, row)
