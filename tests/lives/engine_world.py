"""The world of a life on an engine in processes: the real one, or the engine in Python."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any

import httpx

from mixpanel_access.engine import Pulumi
from mixpanel_access.model.dates import written
from mixpanel_access.operations.project import PulumiProject
from tests.engine.conftest import Workspace
from tests.lives.draft import STACKS
from tests.lives.organization import Organization
from tests.lives.world import World, credentials, settings_of


class EngineWorld(World):
    """A workspace with two stacks, which go by `mixpanel:now`.

    Args:
        workspace: the workspace, which has the stack production.
        organization: the organization in the beginning.
    """

    def __init__(self, workspace: Workspace, organization: Organization) -> None:
        self.words, self.teams = {}, {}
        self.workspace = workspace
        self.folder, self.stacks, self.said = workspace.folder, workspace.stacks, []
        self.client = httpx.Client(base_url=workspace.emulator.url, timeout=30)
        workspace.environ |= credentials(organization)
        workspace.add("staging")
        for stack in STACKS:
            values = settings_of(stack, workspace.emulator.url)
            pairs = (part for key, value in values.items() for part in ("--plaintext", f"mixpanel:{key}={value}"))
            workspace.run("config", "set-all", *pairs, "--stack", stack)

    @property
    def pulumi(self) -> Pulumi:  # type: ignore[override]
        """The engine, with the credentials."""
        pulumi = self.workspace.pulumi
        return Pulumi(pulumi.engine, pulumi.project, {**pulumi.environ, **self.workspace.environ})

    @property
    def project(self) -> PulumiProject:
        """The project, as a command opens it."""
        return PulumiProject(self.pulumi)

    @property
    def differing(self) -> Mapping[str, AbstractSet[str]]:
        return {}  # a life of these has no grouped roster

    def set_clock(self, now: datetime) -> None:
        self.workspace.emulator.control("POST", "clock", {"now": written(now)})
        for stack in STACKS:
            self.workspace.clock(written(now), stack)

    def dump(self) -> dict[str, Any]:
        return self.workspace.dump()
