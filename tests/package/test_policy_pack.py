"""The policy pack as a folder of its own, beside a project that knows nothing of the package."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mixpanel_access import __version__
from mixpanel_access.engine import Pulumi, ensure_engine, local_backend
from mixpanel_access.rules.entry import Entry, Type
from tests.cli.json_output import must_be_documented
from tests.package.conftest import Installed
from tests.rules.states import state

pytestmark = [pytest.mark.package, pytest.mark.engine]

NO_DOMAINS: dict[str, str] = {}
PROGRAM = 'import pulumi\npulumi.ComponentResource("our:own:Thing", "thing")\n'


@pytest.fixture
def foreign(tmp_path: Path) -> Pulumi:
    """A project without resources of ours, with a Python of its own that has the SDK and not this package."""
    folder = tmp_path / "foreign"
    folder.mkdir()
    venv = tmp_path / "foreign-venv"
    _uv("venv", "-q", "--python", sys.executable, str(venv))
    constraint = str(Path(__file__).parents[2] / "requirements.lock")
    _uv("pip", "install", "-q", "--python", str(venv), "-c", constraint, "pulumi")
    (folder / "Pulumi.yaml").write_text("name: foreign\nruntime: python\n")
    (folder / "__main__.py").write_text(PROGRAM)
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("MIXPANEL_", "PULUMI_", "VIRTUAL"))}
    environ = {**clean, **local_backend(tmp_path, "demo"), "PULUMI_PYTHON_CMD": str(venv / "bin" / "python")}
    return Pulumi(ensure_engine(lambda _: None), folder, environ)


def test_it_runs_beside_a_foreign_project_and_judges_what_is_ours(
    installed: Installed, foreign: Pulumi, tmp_path: Path
) -> None:
    """From its own virtualenv of hashed requirements; silent in a stack without our types, whatever its options."""
    pack = tmp_path / "pack"
    done = installed.run("policy", "pack", str(pack), "--wheel", str(installed.wheel), "--json")
    assert must_be_documented(("policy", "pack", "--json"), done.returncode, done.stdout), done.stderr
    _uv("venv", "-q", "--python", sys.executable, "venv", cwd=pack)
    _uv("pip", "install", "-q", "--python", "venv", "--require-hashes", "-r", "requirements.txt", cwd=pack)

    foreign.run("stack", "init", "theirs")
    config = ("--policy-pack", str(pack), "--policy-pack-config", str(pack / "config" / "production.json"))
    shown = foreign.run("preview", "--stack", "theirs", *config).stdout
    assert f"✅ mixpanel-access@v{__version__}" in shown
    assert "advisory" not in shown

    file = tmp_path / "state.json"
    member = Entry(Type.MEMBER, "kim", values={"email": "kim@gmail.com"})
    file.write_text(json.dumps(state([member], NO_DOMAINS)))
    analyzed = foreign.run("policy", "analyze", "--file", str(file), *config, check=False)
    assert analyzed.returncode != 0
    assert "no-consumer-mail" in analyzed.stdout


def test_another_wheel_is_refused(installed: Installed, tmp_path: Path) -> None:
    """With the name of the right one, and nothing is written."""
    other = tmp_path / "mixpanel_access-0.0.1-py3-none-any.whl"
    other.write_bytes(b"")
    done = installed.run("policy", "pack", str(tmp_path / "pack"), "--wheel", str(other))
    assert done.returncode == 2
    assert f"the wheel of this version is mixpanel_access-{__version__}-py3-none-any.whl" in done.stderr
    assert not (tmp_path / "pack").exists()


def _uv(*args: str, cwd: Path | None = None) -> None:
    subprocess.run([sys.executable, "-m", "uv", *args], cwd=cwd, check=True, timeout=200)
