"""The package: what is in it, and that it works in a clean virtualenv without the emulator's extra."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from mixpanel_access import __version__
from mixpanel_access.operations.new_project import CHANGED, COPIED
from tests.package.conftest import ROOT, Installed, run

pytestmark = pytest.mark.package


def test_nothing_is_left_out(installed: Installed) -> None:
    """Every file of the package is in the wheel, with what `new` copies, and the sdist has everything to build it."""
    package = ROOT / "mixpanel_access"
    own = {str(path.relative_to(ROOT)) for path in package.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    copied = {f"mixpanel_access/templates/project/{file}" for file in (*COPIED, *CHANGED)}
    found = set(zipfile.ZipFile(installed.wheel).namelist())
    dist_info = f"mixpanel_access-{__version__}.dist-info/"
    assert {name for name in found if not name.startswith(dist_info)} == own | copied
    assert f"{dist_info}licenses/LICENSE" in found
    with tarfile.open(installed.sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert own | {*COPIED, *CHANGED, "LICENSE", "CHANGELOG.md", "pyproject.toml"} <= names


def test_it_has_no_go(installed: Installed) -> None:
    """The sources that the engine is built from, and what builds it, stay in the repository."""
    names = zipfile.ZipFile(installed.wheel).namelist()
    assert not [name for name in names if name.endswith((".go", "go.mod", "go.sum")) or name.startswith("tools/")]


def test_it_installs_beside_a_provider_that_needs_a_newer_sdk(installed: Installed, tmp_path: Path) -> None:
    """One virtualenv has both, with an SDK that suits both."""
    (sdk,) = re.findall(r"^pulumi==(\S+) ", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    build = '[build-system]\nbuild-backend = "hatchling.build"\n'
    build += "[tool.hatch.build.targets.wheel]\nbypass-selection = true\n"
    project = f'[project]\nname = "pulumi-other"\nversion = "7.0.0"\ndependencies = ["pulumi>={sdk},<4.0.0"]\n'
    (tmp_path / "pyproject.toml").write_text(build + project)
    run("-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist"), cwd=tmp_path)
    (other,) = (tmp_path / "dist").iterdir()
    run("-m", "uv", "venv", "-q", "--python", sys.executable, str(tmp_path / "venv"), cwd=tmp_path)
    target = ("--python", str(tmp_path / "venv"))
    pinned = ("-c", str(ROOT / "requirements.lock"))
    run("-m", "uv", "pip", "install", "-q", *target, *pinned, str(installed.wheel), str(other), cwd=tmp_path)
    run("-m", "uv", "pip", "check", "-q", *target, cwd=tmp_path)


def test_there_is_one_version(installed: Installed) -> None:
    """The package's name on the index, the command and the module have the same."""
    assert installed.wheel.name == f"mixpanel_access-{__version__}-py3-none-any.whl"
    assert installed.run("--version").stdout == f"{__version__}\n"
    code = (
        "import importlib.metadata, mixpanel_access as m; print(m.__version__, importlib.metadata.version(m.__name__))"
    )
    assert installed.run("-c", code, command="python").stdout == f"{__version__} {__version__}\n"


def test_commands_start_without_the_extra(installed: Installed) -> None:
    """Help and a roster's help read; what needs the extra says which."""
    for args in (["--help"], ["roster", "--help"], ["policy", "list"]):
        done = installed.run(*args)
        assert (done.returncode, done.stderr) == (0, "")
    assert installed.run("-c", "import starlette", command="python").returncode == 1
    done = installed.run("emulator", "--demo")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == (
        "error: cannot start the emulator: the Python package uvicorn is not installed. "
        "Install the wheel's extra: pip install './mixpanel_access-VERSION-py3-none-any.whl[emulator]'\n"
    )


def test_its_types_are_seen(installed: Installed) -> None:
    """A type checker reads the annotations of the installed package, and finds a mistake by them."""
    program = installed.folder / "program.py"
    program.write_text("from mixpanel_access.model.dates import instant\n\nyear: str = instant('2026-05-01').year\n")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--python-executable", installed.python, program],
        cwd=installed.folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert 'expression has type "int", variable has type "str"' in done.stdout
    assert "Found 1 error in 1 file" in done.stdout
