"""A program in YAML, by the real engine: it has the resources that a Python program with the same roster has."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from demo.sandbox import ROOT
from mixpanel_access import __version__
from mixpanel_access.engine import Engine
from mixpanel_access.engine.settings import read_settings
from mixpanel_access.model.resources import COMPONENT_TYPE
from tests.engine.conftest import Workspace
from tests.languages import missing
from tools.engine.languages import find_yaml_host

pytestmark = pytest.mark.engine

EXAMPLE = ROOT / "examples" / "yaml"
ROBIN = "robin@agency.example.org"


@pytest.fixture(scope="module")
def yaml_host(real_engine: Engine) -> Path:
    """The folder of the language host."""
    return find_yaml_host(real_engine, read_settings()) or missing("there is no pulumi-language-yaml: make languages")


@pytest.fixture
def yaml_workspace(workspace: Workspace, yaml_host: Path) -> Workspace:
    """The stack of the example, on a day on which its entries count."""
    workspace.environ["PATH"] = f"{yaml_host}{os.pathsep}{os.environ['PATH']}"
    for folder in (workspace.stacks, workspace.pulumi.project):
        shutil.copy(EXAMPLE / "production.yaml", folder)
    (workspace.stacks / "staging.yaml").unlink()
    workspace.clock("2026-05-01T08:00:00Z")
    return workspace


def in_yaml(workspace: Workspace) -> None:
    """Have the YAML program of the example instead of the Python program."""
    project = (EXAMPLE / "Pulumi.yaml").read_text().replace("../../plugins", "plugins")
    (workspace.pulumi.project / "Pulumi.yaml").write_text(f"{project}stackConfigDir: stacks\n")


def state(workspace: Workspace) -> dict[str, Any]:
    """The resources by URN, and the outputs of the component, from which policies and commands read the roster."""
    exported = json.loads(workspace.run("stack", "export", "--stack", "production").stdout)
    rows = exported["deployment"]["resources"]
    ours = [row for row in rows if "mixpanel:" in row["type"]]
    return {row["urn"]: row["outputs"] if row["type"] == COMPONENT_TYPE else {} for row in ours}


def in_python(workspace: Workspace) -> None:
    """Have the Python program again."""
    shutil.copy(ROOT / "Pulumi.yaml", workspace.pulumi.project)


def test_a_stack_moves_from_python_to_yaml_and_back(yaml_workspace: Workspace) -> None:
    """Nothing changes in either direction; the program has the counts and the tokens, and `revoke` works with it."""
    workspace = yaml_workspace
    workspace.up()
    before = state(workspace)
    in_yaml(workspace)
    workspace.unchanged()
    assert state(workspace) == before
    outputs = json.loads(workspace.run("stack", "output", "--json", "--stack", "production").stdout)
    assert outputs == {"people": 1, "grants": 2, "serviceAccountTokens": "[secret]"}
    in_python(workspace)
    workspace.run("preview", "--expect-no-changes", "--stack", "production")
    in_yaml(workspace)
    assert workspace.grants(ROBIN) == {1234567: "analyst", 1234568: "consumer"}
    workspace.clock("2026-07-14T08:00:00Z")
    assert "3 things taken away" in workspace.command("revoke", "--stack", "production", "--yes").stdout
    assert workspace.grants(ROBIN) == {}
    workspace.run("destroy", "--yes", "--skip-preview", "--stack", "production")
    assert workspace.resources() == []


PROVIDER = """
  main:
    type: pulumi:providers:pulumi-python
    properties:
      mixpanel:organizationId: "7654321"
      mixpanel:environment: production
      mixpanel:companyDomains: example.com
      mixpanel:approvers: ana@example.com
      mixpanel:now: 2026-05-01T08:00:00Z
      mixpanel:serviceAccountUsername: deploy-bot.1a2b3c.mp-service-account
      mixpanel:serviceAccountSecret: demo-secret
      mixpanel:apiUrl: URL
  roster:
    options: { providers: ["${main}"] }
"""


REFUSED = {
    "RosterAccess roster: the stack's configuration has mixpanel:environment and mixpanel:now, and the provider main": {
        "      mixpanel:environment: production\n": "",
        "      mixpanel:now: 2026-05-01T08:00:00Z\n": "",
    },
    "RosterAccess roster: organizationId is 8765432, which is not the mixpanel:organizationId of its provider main": {
        "organizationId: 7654321": "organizationId: 8765432"
    },
}


def test_a_preview_of_a_yaml_program_writes_nothing(yaml_workspace: Workspace) -> None:
    """It plans what an `up` would create, with an explicit provider too, or says why that is no `Organization`."""
    in_yaml(yaml_workspace)
    file = yaml_workspace.pulumi.project / "Pulumi.yaml"
    provider = PROVIDER.strip("\n").replace("URL", yaml_workspace.emulator.url)
    text = file.read_text().replace("  roster:", provider).replace("file:", "organizationId: 7654321\n      file:")
    file.write_text(text)
    said = yaml_workspace.run("preview", "--stack", "production").stdout
    assert "+ 9 to create" in said
    for words, changes in REFUSED.items():
        other = text
        for before, after in changes.items():
            other = other.replace(before, after)
        file.write_text(other)
        assert words in yaml_workspace.run("preview", "--stack", "production", check=False).stdout
    assert [verb for verb in yaml_workspace.requests() if not verb.startswith("GET ")] == []


def test_an_error_is_one_line(yaml_workspace: Workspace) -> None:
    """Of a roster that cannot be used, and of a project that does not name the server of the resources."""
    workspace = yaml_workspace
    in_yaml(workspace)
    roster = workspace.pulumi.project / "production.yaml"
    text = roster.read_text()
    roster.write_text(text.replace("shop: analyst", "shp: analyst"))
    problem = "error: mixpanel-access:index:RosterAccess resource 'roster' has a problem: "
    said = workspace.run("preview", "--stack", "production", check=False).stdout
    assert (
        f"{problem}cannot use the roster: production.yaml:26: robin@agency.example.org: 'shp' is not a project" in said
    )
    assert "Traceback" not in said
    roster.write_text(text)
    file = workspace.pulumi.project / "Pulumi.yaml"
    project = file.read_text()
    file.write_text(
        project.replace("    - name: pulumi-python # serves their resources\n      path: plugins/pulumi-python\n", "")
    )
    said = workspace.run("preview", "--stack", "production", check=False).stdout
    assert f"{problem}{file} does not name the server of the resources" in said


def test_the_engine_gives_the_schema(workspace: Workspace) -> None:
    """`pulumi package get-schema` takes the folder as the pages write it: without `./` it is a name in the registry."""
    pages = (ROOT / page for page in ("docs/resources.md", "examples/typescript/README.md"))
    folders = re.findall(
        r"pulumi package (?:get-schema|add) (\S*plugins[\w/-]+)", " ".join(page.read_text("utf-8") for page in pages)
    )
    assert len(folders) == 3
    (folder,) = set(folders)
    found = json.loads(workspace.run("package", "get-schema", folder).stdout)
    assert (found["name"], found["version"]) == ("mixpanel-access", __version__)
    assert set(found["resources"]) == {"mixpanel-access:index:RosterAccess", "mixpanel-access:index:CollaboratorAccess"}
