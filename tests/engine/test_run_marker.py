"""What the provider's process knows of the engine's run, with every verb of the real engine."""

from __future__ import annotations

import pytest

from tests.engine.conftest import Workspace

pytestmark = pytest.mark.engine

PROGRAM = """
import pulumi
from pulumi.dynamic import CheckResult, CreateResult, ReadResult, Resource, ResourceProvider
from mixpanel_access.provider import RemovalBrake

class Probe(ResourceProvider):
    def tell(self, verb):
        import os
        from mixpanel_access.provider.run import EngineRun, engine_address
        run = EngineRun(engine_address())
        with open(os.environ["PROBE"], "a") as probe:
            print(f"{verb}: fresh={run.fresh()} stack={run.stack()}", file=probe)

    def check(self, olds, news):
        self.tell("check")
        return CheckResult(news, [])

    def create(self, props):
        self.tell("create")
        return CreateResult("1", props)

    def read(self, id, props):
        self.tell("read")
        return ReadResult(id, props)

    def delete(self, id, props):
        self.tell("delete")

class Probed(Resource, module="test", name="Probed"):
    pass

brake = RemovalBrake("ours", people=[])
Probed(Probe(), "probe", {}, pulumi.ResourceOptions(depends_on=[brake]))
"""

FRESH = "fresh=True stack=production"
STALE = "fresh=False stack=None"


def test_a_program_of_ours_is_known_of_in_the_run_of_the_engine_that_runs_it(workspace: Workspace) -> None:
    """With each verb, the provider knows whether a program of this run has configured it, and of which stack."""
    workspace.program(PROGRAM)
    up, destroy = ["up", "--yes"], ["destroy", "--yes", "--skip-preview"]
    steps: list[tuple[list[str], list[str]]] = [
        ([*up, "--skip-preview"], [f"check: {FRESH}", f"create: {FRESH}"]),
        ([*up, "--refresh"], [f"read: {STALE}", f"check: {FRESH}"]),
        (["refresh", "--yes", "--skip-preview"], [f"read: {STALE}"]),
        (["refresh", "--yes", "--skip-preview", "--run-program"], [f"read: {FRESH}"]),
        (destroy, [f"delete: {STALE}"]),
        ([*up, "--skip-preview"], [f"check: {FRESH}", f"create: {FRESH}"]),
        ([*destroy, "--run-program"], [f"delete: {FRESH}"]),
    ]
    for command, told in steps:
        probe = workspace.folder / "probe"
        workspace.run(*command, "--stack", "production", PROBE=str(probe))
        assert set(probe.read_text().splitlines()) == set(told), command
        probe.unlink()
