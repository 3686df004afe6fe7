"""A program in TypeScript, by Automation API and the real engine, with the SDK that `pulumi package add` generates."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from demo.sandbox import ROOT, USERNAME, Emulator
from mixpanel_access.component_package.schema import schema
from mixpanel_access.emulator.server import EmulatorServer
from mixpanel_access.engine.settings import read_settings
from scripts.blocks import blocks, pages
from tests.engine.conftest import Workspace
from tests.engine.test_organizations import CANARY, second
from tests.languages import missing
from tools.engine.languages import find_generator, find_node_modules

pytestmark = pytest.mark.engine

EXAMPLE = ROOT / "examples" / "typescript"
RUNNER = Path(__file__).with_name("automation.js")
SDK = "@pulumi/mixpanel-access"
SETTINGS = {
    "extends": "./tsconfig.json",
    "compilerOptions": {"rootDir": ".", "paths": {SDK: ["./sdks/mixpanel-access"]}},
}
BLOCKS = [block for page in pages() for block in blocks(page) if block.language == "typescript"]
IMPORTS = """
import * as mixpanel from "@pulumi/mixpanel-access";
import * as pulumi from "@pulumi/pulumi";
"""
ROBIN, KIM = "robin@agency.example.org", "kim@agency.example.org"


@pytest.fixture
def node_workspace(workspace: Workspace) -> Workspace:
    """The stack of the example with the packages of npm, on a day on which its entries count."""
    modules = find_node_modules(read_settings())
    if modules is None or shutil.which("node") is None:
        missing("there is no node, or its packages are not there: make languages")
    project = workspace.pulumi.project
    text = (EXAMPLE / "Pulumi.yaml").read_text().replace("../../plugins", "plugins")
    (project / "Pulumi.yaml").write_text(f"{text}stackConfigDir: stacks\n")
    (project / "node_modules" / "@pulumi").mkdir(parents=True)
    for package in [*modules.glob("[!@]*"), *modules.glob("@pulumi/*")]:
        (project / "node_modules" / package.relative_to(modules)).symlink_to(package)
    (project / "bin").mkdir()
    workspace.clock("2026-05-01T08:00:00Z")
    return workspace


@pytest.fixture
def example(node_workspace: Workspace) -> Workspace:
    """The program of the example, compiled with its SDK, and with the blocks of the pages."""
    generator = find_generator(read_settings()) or missing("there is no generator of SDKs: make languages")
    project = node_workspace.pulumi.project
    for name in ("index.ts", "tsconfig.json", "production.yaml"):
        shutil.copy(EXAMPLE / name, project)
    sdk, compiled = project / "sdks" / "mixpanel-access", project / "bin" / "sdks" / "mixpanel-access"
    subprocess.run([generator, sdk], input=json.dumps(schema()), text=True, check=True)
    for number, block in enumerate(BLOCKS):
        (project / f"block{number}.ts").write_text(f"{IMPORTS}{block.text}")
    settings = {**SETTINGS, "include": ["*.ts"]}
    (project / "tsconfig.test.json").write_text(json.dumps(settings))
    command = ["node", "node_modules/typescript/bin/tsc", "-p", "tsconfig.test.json"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    shutil.copy(sdk / "package.json", compiled)
    (project / "node_modules" / SDK).symlink_to(compiled)
    return node_workspace


def run(workspace: Workspace, *names: str) -> list[Mapping[str, Any]]:
    """What came of each step, up to the first that fails."""
    environ = workspace.pulumi.engine.environment({**workspace.pulumi.environ, **workspace.environ})
    command = ["node", str(RUNNER), str(workspace.pulumi.project), "production", *names]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=250)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def steps(workspace: Workspace, *names: str) -> list[Mapping[str, Any]]:
    """What came of each step; all of them succeed."""
    found = run(workspace, *names)
    assert [step.get("error") for step in found] == [None] * len(names)
    return found


def failed(workspace: Workspace, step: str) -> str:
    """What the engine says of a step that fails."""
    (found,) = run(workspace, step)
    return str(found["error"])


def test_the_life_of_a_typescript_program(example: Workspace) -> None:
    """Preview writes nothing; up gives the access, with outputs; then nothing changes, and destroy takes it away."""
    (preview,) = steps(example, "preview")
    assert preview["changes"] == {"create": 11}
    assert [verb for verb in example.requests() if not verb.startswith("GET ")] == []
    up, again, refresh = steps(example, "up", "up", "refresh")
    assert up["changes"] == {"create": 11}
    outputs = {key: output["value"] for key, output in up["outputs"].items() if not output["secret"]}
    assert outputs == {"people": 1, "grants": 2, "status": "pending", "roles": {"shop": "analyst"}}
    tokens = up["outputs"]["serviceAccountTokens"]
    assert (list(tokens["value"]), tokens["secret"]) == (["nightly-export"], True)
    assert again["changes"] == refresh["changes"] == {"same": 11}
    assert example.grants(ROBIN) == {1234567: "analyst", 1234568: "consumer"}
    assert example.grants(KIM) == {1234567: "analyst"}
    (destroy,) = steps(example, "destroy")
    assert destroy["changes"] == {"delete": 11}
    assert example.grants(ROBIN) == example.grants(KIM) == {}


PROGRAM = """
const pulumi = require("@pulumi/pulumi");

class Access extends pulumi.ComponentResource {
    constructor(kind, name, args, opts) {
        super(`mixpanel-access:index:${kind}`, name, { status: undefined, ...args }, opts, true);
    }
}

const provider = new pulumi.ProviderResource("pulumi-python", "europe", SETTINGS);
const there = { providers: { "pulumi-python": provider } };
const days = { type: "audit", ticket: "OPS-1", approver: "ana@example.com", starts: "2026-04-15", ends: "2026-05-10" };
const kim = (name, projects, opts) => {
    const organizationId = opts && 8765432;
    const args = { email: "kim@agency.example.org", engagementName: name, engagement: days, projects, organizationId };
    return new Access("CollaboratorAccess", name, args, opts);
};
const first = kim("first", { shop: { id: 1234567 } });
kim("second", { KEY: { id: first.status.apply(() => 1234568) } });
kim("third", { shop: { id: 3456789 } }, there);
new Access("RosterAccess", "roster", { file: "../europe.yaml", organizationId: ID }, there);
"""
EUROPE = """
environment: production
projects: { shop: { id: 3456789, environment: production } }
people: [{ email: robin@agency.example.org, projects: { shop: analyst } }]
"""


@pytest.fixture
def europe() -> Iterator[Emulator]:
    """The second organization, on a server of its own."""
    with EmulatorServer(second()) as server:
        yield Emulator(server.url)


def test_components_of_one_program_know_each_other(node_workspace: Workspace, europe: Emulator) -> None:
    """Two engagements of a person are one member; ids may be outputs; an explicit provider is another organization."""
    (node_workspace.folder / "europe.yaml").write_text(EUROPE)
    file = node_workspace.pulumi.project / "bin" / "index.js"
    settings = {
        "mixpanel:organizationId": "8765432",
        "mixpanel:environment": "production",
        "mixpanel:companyDomains": "example.com",
        "mixpanel:approvers": "ana@example.com",
        "mixpanel:now": "2026-05-01T08:00:00Z",
        "mixpanel:apiUrl": europe.url,
        "mixpanel:serviceAccountUsername": USERNAME,
        "mixpanel:serviceAccountSecret": CANARY,
    }
    program = PROGRAM.replace("SETTINGS", json.dumps(settings))
    file.write_text(program.replace("KEY", "warehouse").replace("ID", "8765432"))
    steps(node_workspace, "up")
    assert node_workspace.grants(KIM) == {1234567: "consumer", 1234568: "consumer"}
    assert node_workspace.grants(ROBIN) == {}
    grants = {row["email"]: row["role"] for row in europe.control("GET", "dump")["grants"]}
    assert grants == {KIM: "consumer", ROBIN: "analyst"}
    names = {row["urn"].rpartition("::")[2] for row in node_workspace.resources()}
    assert {f"europe/{KIM}", f"europe/{ROBIN}", "europe/removal-brake", KIM} <= names
    refused = {
        ("shop", "8765432"): "CollaboratorAccess second: kim@agency.example.org has a role in the project 'shop' by",
        ("warehouse", "undefined"): "RosterAccess roster has a provider without its organizationId: ",
    }
    for (key, organization), words in refused.items():
        file.write_text(program.replace("KEY", key).replace("ID", organization))
        assert words in failed(node_workspace, "preview")
