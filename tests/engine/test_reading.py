"""`get`: a program reads what it does not manage, by the real engine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.sandbox import ROOT
from mixpanel_access.engine import Engine
from tests.engine.conftest import Workspace, workspace_on
from tests.server.kinds import LIVES, organization

pytestmark = pytest.mark.engine


@pytest.fixture
def workspace(engine: Engine, tmp_path: Path) -> Iterator[Workspace]:
    """A stack on an organization that has one of each kind."""
    with workspace_on(organization(), engine, tmp_path) as made:
        yield made


READING = "\n".join(
    [
        "import pulumi",
        "import mixpanel_access.provider as mixpanel",
        *(f"{kind} = mixpanel.{kind}.get('read-{kind}', {life.id!r})" for kind, life in LIVES.items()),
        "pulumi.export('read', [Member.organization_role, Team.name, ServiceAccount.username, CustomRole.permissions])",
    ]
)
KIM = "7654321:1234568:kim@example.com"
MANAGED = '\nmixpanel.ProjectGrant("kim", project_id=1234568, email=Member.email, role="analyst")'
RELINQUISHED = f'\nmixpanel.ProjectGrant.get("kim", "{KIM}")'
OTHERWISE = f"cannot read {KIM.replace('kim', 'Kim')}: the stack has it as {KIM}, and would delete that"


def test_a_program_reads_every_kind(workspace: Workspace) -> None:
    """No request is written, no command takes it for managed, and what a program reads is not taken away."""
    workspace.program(READING + MANAGED)
    options = ("--stack", "production", "--policy-pack", str(ROOT / "policies"))
    findings = workspace.run("preview", *options, check=False).stdout.partition("Policies:")[2]
    assert "mixpanel:ProjectGrant: kim" in findings
    assert "read-" not in findings
    workspace.up()
    assert sum(workspace.requests()[verb] for verb in workspace.requests() if not verb.startswith("GET ")) == 1
    outputs = json.loads(workspace.run("stack", "output", "--json", "--stack", "production").stdout)
    assert outputs == {"read": ["admin", "Data", "etl", ["export_reports_csv"]]}
    unmanaged = workspace.command("drift", "--stack", "production").stdout
    assert "unmanaged member  kim@example.com" in unmanaged
    assert "unmanaged grant   kim@example.com" not in unmanaged
    workspace.program(READING + RELINQUISHED.replace("kim@", "Kim@"))
    failed = workspace.run("preview", "--stack", "production", check=False)
    assert f"error: Preview failed: {OTHERWISE}" in failed.stdout
    workspace.program(READING + RELINQUISHED)
    workspace.up("production", "--refresh")
    there = workspace.members()
    workspace.run("destroy", "--yes", "--skip-preview", "--stack", "production")
    assert workspace.members() == there
    assert workspace.grants("kim@example.com") == {1234568: "analyst"}
