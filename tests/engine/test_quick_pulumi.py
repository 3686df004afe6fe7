"""The quick `pulumi` of these tests answers as the engine does, and leaves to it what it does not know."""

from __future__ import annotations

import json
import subprocess

import pytest

from mixpanel_access.engine import Engine, Pulumi, local_states
from tests.engine.conftest import QuickEngine, Workspace

pytestmark = pytest.mark.engine

SECRET = ("config", "set", "--secret", "mixpanel:serviceAccountSecret", "hush", "--stack", "production")


def real_pulumi(workspace: Workspace, engine: QuickEngine, real_engine: Engine) -> Pulumi:
    """The real `pulumi` on the same stack, with the key to its secrets."""
    return Pulumi(real_engine, workspace.pulumi.project, engine.environment(workspace.pulumi.environ))


def test_it_answers_as_the_engine_does(workspace: Workspace, engine: QuickEngine, real_engine: Engine) -> None:
    """Version, stacks, configuration and state, before and after an update, and once there is a secret."""
    quick, real = workspace.pulumi, real_pulumi(workspace, engine, real_engine)
    workspace.add("staging")

    def same(*command: str) -> None:
        assert json.loads(quick.run(*command).stdout) == json.loads(real.run(*command).stdout)

    assert quick.run("version").stdout == real.run("version").stdout
    asked = [subprocess.check_output([one.engine.folder / "pulumi", "version"]) for one in (quick, real)]
    assert asked[0] == asked[1]
    for command in (("up", "--yes", "--skip-preview", "--stack", "production"), SECRET):
        quick.run(*command)
        same("stack", "export", "--stack", "production")
        same("stack", "history", "--json", "--full-dates", "--stack", "production")
        same("stack", "export", "--show-secrets", "--stack", "production")
        same("config", "--json", "--stack", "production")
        same("config", "--json", "--show-secrets", "--stack", "production")
    ours, theirs = (json.loads(pulumi.run("stack", "ls", "--json").stdout) for pulumi in (quick, real))
    assert ours == [{key: row[key] for key in row if key != "lastUpdate"} for row in theirs]


def test_a_state_in_a_folder_is_what_the_engine_exports(
    workspace: Workspace, engine: QuickEngine, real_engine: Engine
) -> None:
    """Stacks and state, read without the engine."""
    real, local = real_pulumi(workspace, engine, real_engine), local_states(workspace.pulumi)
    workspace.add("staging")
    workspace.run("up", "--yes", "--skip-preview", "--stack", "production")
    assert local
    exported = json.loads(real.run("stack", "export", "--stack", "production").stdout)
    assert local.export("production", lambda values: values) == exported
    assert len(exported["deployment"]["resources"]) > 1
    assert local.names() == [row["name"] for row in json.loads(real.run("stack", "ls", "--json").stdout)]
    workspace.run("refresh", "--yes", "--skip-preview", "--stack", "production")
    exported = json.loads(real.run("stack", "export", "--stack", "production").stdout)
    assert local.export("production", lambda values: values) == exported


def test_a_setting_that_it_writes_is_read_by_the_engine(workspace: Workspace, real_engine: Engine) -> None:
    """Set, changed and removed; a word of YAML's own stays text; what is not simple the engine writes itself."""
    workspace.as_a_user()
    real = Pulumi(real_engine, workspace.pulumi.project, workspace.pulumi.environ)
    values = {
        "mixpanel:now": "2026-05-04T12:00:00Z", "mixpanel:approvers": "ana@example.com,bo@example.com",
        "mixpanel:removalMinimum": "7", "mixpanel:releaseBrakes": "yes", "mixpanel:words": "a: \"b\" # c 'd'",
        "mixpanel:empty": "",
    }  # fmt: skip
    for value in ("first", ""):
        for key, last in values.items():
            workspace.run("config", "set", key, value or last, "--stack", "production")
    workspace.run("config", "rm", "mixpanel:environment", "--stack", "production")
    read = json.loads(real.run("config", "--json", "--stack", "production").stdout)
    assert {key: read[key]["value"] for key in values} == values
    assert "mixpanel:environment" not in read
    assert not any(row["secret"] for row in read.values())


NOT_SIMPLE = (
    ("config", "rm", "mixpanel:absent", "--stack", "production"),
    ("stack", "export", "--stack", "none"),
    ("config", "--json", "--stack", "none"),
    ("stack", "export", "--version", "1", "--stack", "production"),
)


@pytest.mark.parametrize("command", NOT_SIMPLE, ids=" ".join)
def test_what_it_does_not_know_the_engine_answers(
    workspace: Workspace, engine: QuickEngine, real_engine: Engine, command: tuple[str, ...]
) -> None:
    """With its own words and exit code."""
    real = real_pulumi(workspace, engine, real_engine)
    ours, theirs = workspace.run(*command, check=False), real.run(*command, check=False)
    assert (ours.returncode, ours.stdout, ours.stderr) == (theirs.returncode, theirs.stdout, theirs.stderr)
