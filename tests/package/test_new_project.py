"""A new project made by the installed package, through the real engine: no clone, no extra, no activated virtualenv."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.sandbox import Emulator
from mixpanel_access.emulator.server import EmulatorServer, demo_document
from mixpanel_access.engine import Pulumi, ensure_engine, local_backend
from tests.engine.conftest import PRODUCTION, WAREHOUSE, Workspace
from tests.package.conftest import Installed

pytestmark = [pytest.mark.package, pytest.mark.engine]

ROBIN, CY = "robin@agency.example.org", "cy@agency.example.org"


@pytest.fixture
def project(installed: Installed, tmp_path: Path) -> Iterator[Workspace]:
    """A project as a newcomer has it, on the demo organization."""
    folder = tmp_path / "access"
    done = installed.run("new", str(folder), "--name", "our-access", "--json")
    assert len(json.loads(done.stdout)["files"]) == len([path for path in folder.rglob("*") if path.is_file()])
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("MIXPANEL_", "PULUMI_", "VIRTUAL"))}
    with EmulatorServer(demo_document()) as server:
        emulator = Emulator(server.url)
        environ = {**clean, **local_backend(tmp_path, "demo"), **emulator.environment}
        environ["PULUMI_PYTHON_CMD"] = str(installed.python)
        yield Workspace(Pulumi(ensure_engine(lambda _: None), folder, environ), emulator, tmp_path)


def test_a_new_project_passes_its_own_policies(project: Workspace, installed: Installed) -> None:
    """Both stacks do; one is brought up and edited, and a command works in it."""
    for stack, run in (("staging", "preview"), ("production", "up")):
        project.run("stack", "init", stack)
        shown = project.run(run, *(("--yes", "--skip-preview") if run == "up" else ()), *options(stack))
        assert "[mandatory]" not in shown.stdout
        assert "[advisory]" not in shown.stdout
        assert "mixpanel-access@" in shown.stdout  # the pack was asked
    assert project.grants(ROBIN) == {PRODUCTION: "analyst", WAREHOUSE: "consumer"}

    roster = project.stacks / "production.yaml"
    roster.write_text(roster.read_text().replace("shop: analyst", "shop: consumer"))
    project.up()
    assert project.grants(ROBIN) == {PRODUCTION: "consumer", WAREHOUSE: "consumer"}

    environ = {key: value for key, value in project.pulumi.environ.items() if key != "PULUMI_PYTHON_CMD"}
    environ["PATH"] = f"{project.pulumi.engine.folder}:/usr/bin:/bin"  # where no Python has the package
    terms = ("--engagement", "funnel-review", "--project", "shop=admin", "--yes")
    done = installed.run("invite", CY, "--stack", "production", "-C", str(project.pulumi.project), *terms, env=environ)
    assert done.returncode == 1, done.stderr
    assert f"create 1234567:{CY}" in done.stdout
    assert "role-within-standard would stop it" in done.stdout


def test_a_new_project_installs_what_it_locks_and_nothing_else(installed: Installed, tmp_path: Path) -> None:
    """The wheel that it was made with, and every requirement; a changed wheel is refused."""
    folder = tmp_path / "access"
    done = installed.run("new", str(folder))
    assert done.returncode == 0, done.stderr
    wheel = folder / installed.wheel.name
    assert wheel.read_bytes() == installed.wheel.read_bytes()

    def uv(*args: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "uv", *args]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=240, check=False)

    assert uv("venv", "-q", "--python", sys.executable, ".venv").returncode == 0
    install = ("pip", "install", "-q", "--python", ".venv", "--require-hashes", "--no-deps", "-r", "requirements.txt")
    done = uv(*install)
    assert done.returncode == 0, done.stderr
    done = uv("pip", "check", "--python", ".venv")
    assert done.returncode == 0, done.stderr

    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("mixpanel_access/evil.py", "")
    done = uv(*install, "--reinstall")
    assert done.returncode != 0
    assert "hash" in done.stderr.lower()


def options(stack: str) -> tuple[str, ...]:
    """The options that a new project's page names."""
    return ("--stack", stack, "--policy-pack", "policies", "--policy-pack-config", f"policies/config/{stack}.json")
