"""The mini engine of the random lives does what the real engine does: one life of a stack, lived on both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from demo.sandbox import SECRET, USERNAME
from mixpanel_access.api.client import Api
from mixpanel_access.directory.directory import Directory
from mixpanel_access.emulator.server import EmulatorServer, demo_document
from mixpanel_access.engine import Completed
from mixpanel_access.model.brakes import Brake, Limits
from mixpanel_access.model.setting_values import Secret
from mixpanel_access.model.settings import Settings
from mixpanel_access.provider.session import Session
from tests.engine.conftest import Workspace
from tests.faults.conftest import ORG, GivenRun
from tests.faults.mini_engine import MiniEngine, Name
from tests.faults.rosters import Stack

pytestmark = pytest.mark.engine

CREW = [f"p{n}@agency.example.org" for n in range(6)]
RELEASED = "mixpanel:releaseBrakes"
KINDS = {"Member": "member", "ProjectGrant": "grant", "RemovalBrake": "brake"}


class Both:
    """One roster, on the real engine and on the mini engine, each with an organization of its own."""

    def __init__(self, workspace: Workspace, server: EmulatorServer) -> None:
        self.workspace = workspace
        self.server = server
        self.apis: list[Api] = []
        self.stack = Stack("production", MiniEngine(self._session, Limits()))

    def _session(self, limits: Limits, fresh: bool) -> Session:
        settings = Settings(ORG, self.server.url, USERNAME, Secret(SECRET), environment="production", limits=limits)
        self.apis.append(Api.connect(settings))
        return Session(settings, Directory(self.apis[-1], ORG), lambda _: None, GivenRun(fresh))

    @property
    def program(self) -> Any:
        """What the mini engine's program declares."""
        return self.stack.program(datetime.now(UTC).date())

    def have(self, roles: dict[str, str]) -> None:
        """Have these people in the roster, with a role in the project each."""
        people: list[dict[str, Any]] = [{"email": one, "projects": {"shop": role}} for one, role in roles.items()]
        self.workspace.roster(people)
        self.stack.people = {one: {"projects": {"shop": role}} for one, role in roles.items()}

    def urn(self, name: Name) -> str:
        """The real engine's name of a resource."""
        kind = next(kind for kind, own in KINDS.items() if own == name[0])
        own = "removal-brake" if name[0] == "brake" else name[1]
        parent = "mixpanel:index:RosterAccess"
        return f"urn:pulumi:production::mixpanel-access::{parent}$pulumi-python:dynamic/mixpanel:{kind}::{own}"

    def options(self, option: str, *names: Name) -> list[str]:
        """An option of the command line, for each resource."""
        return [part for name in names for part in (option, self.urn(name))]

    def up(self, option: str = "", names: Iterable[Name] = (), **arguments: Any) -> None:
        """Bring both up."""
        more = ["--exclude-dependents"] if option == "--exclude" else []
        real = self.workspace.up("production", *self.options(option, *names), *more, check=False)
        self._same(real, self.stack.engine.up(self.program, **arguments))

    def destroy(self, *options: str, **arguments: Any) -> None:
        """Destroy both."""
        command = ("destroy", "--yes", "--skip-preview", "--stack", "production")
        real = self.workspace.run(*command, *options, check=False)
        self._same(real, self.stack.engine.destroy(**arguments))

    def _same(self, real: Completed, mini_ok: bool) -> None:
        """That both have come to the same: how it ended, what the state holds, and who has what."""
        ours = {f"{KINDS[r['type'].rpartition(':')[2]]} {r['urn'].rpartition('::')[2]}" for r in self._ours()}
        mini = {f"{kind} {'removal-brake' if kind == 'brake' else own}" for kind, own in self.stack.engine.state}
        assert ours ^ mini == set(), real.stdout + real.stderr
        assert (real.returncode == 0) == mini_ok, real.stdout + real.stderr
        assert _access(self.workspace.dump()) == _access(self.server.store.dump()), real.stdout + real.stderr

    def _ours(self) -> list[dict[str, Any]]:
        return [r for r in self.workspace.resources() if r["type"].rpartition(":")[2] in KINDS]


def _access(document: dict[str, Any]) -> Any:
    """Who is in, who has what, and how many e-mails went out."""
    members = sorted((row["email"], row["role"]) for row in document["members"])
    grants = sorted((row["project"], row["email"], row["role"]) for row in document["grants"])
    return members, grants, sorted(mail["email"] for mail in document["mails"])


@pytest.fixture
def both(workspace: Workspace) -> Iterator[Both]:
    """A life's beginning: everybody in the roster, and nobody in yet."""
    with EmulatorServer(demo_document()) as server:
        made = Both(workspace, server)
        made.have(dict.fromkeys(CREW[:5], "consumer"))
        yield made
        for api in made.apis:
            api.close()


def test_targets_excludes_and_a_destruction_are_the_same_on_both(both: Both) -> None:
    """`--target`, `--exclude`, `--replace` and the state's configuration mean what they mean to the real engine."""
    both.up()

    # A target that the program no longer declares; changes of which one is a target.
    both.have({**dict.fromkeys(CREW[:4], "consumer"), CREW[1]: "analyst", CREW[2]: "analyst"})
    for target in (("member", CREW[4]), ("grant", f"1234567:{CREW[4]}"), ("grant", f"1234567:{CREW[1]}")):
        both.up("--target", [target], targets={target})

    # Somebody new, on whom the brake depends, and who is no target.
    both.have({**dict.fromkeys(CREW, "consumer"), CREW[2]: "analyst"})
    for email in (CREW[1], CREW[5]):
        both.up("--target", [("grant", f"1234567:{email}")], targets={("grant", f"1234567:{email}")})

    # Somebody new is excluded; somebody who is to go is, too, and then not.
    both.have({**dict.fromkeys(CREW[:4], "consumer"), CREW[1]: "analyst", CREW[5]: "consumer"})
    new = {("member", CREW[5]), ("grant", f"1234567:{CREW[5]}")}
    for excludes in (new | {("member", CREW[4])}, new):
        both.up("--exclude", excludes, excludes=excludes)

    both.up()

    again = {("grant", f"1234567:{CREW[0]}")}
    both.up("--replace", again, replace=again)

    # One of them, with what depends on them; somebody new beside a target.
    one = ("member", CREW[0])
    both.destroy(*both.options("--target", one), "--target-dependents", targets={one})
    both.up("--target", [("member", CREW[1])], targets={("member", CREW[1])})
    both.up()

    # The state remembers a configuration that holds no more.
    both.workspace.run("config", "set", RELEASED, "removalShare", "--stack", "production")
    both.stack.engine.limits = Limits(released=frozenset({Brake.REMOVAL_SHARE}))
    both.up()
    both.workspace.run("config", "rm", RELEASED, "--stack", "production")
    both.stack.engine.limits = Limits()
    both.destroy("--run-program", run_program=True)
    both.destroy()
