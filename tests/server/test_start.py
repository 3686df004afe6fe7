"""The start of the server by the file in `plugins/`: in the Python of the program, wherever that is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from demo.sandbox import ROOT
from mixpanel_access.operations.new_project import COPIED

BARE = str(getattr(sys, "_base_executable", sys.executable))
"""A Python without the package, as one on PATH may be."""
OWN = Path(sys.prefix)
VIRTUALENV = {"PULUMI_RUNTIME_VIRTUALENV": "venv"}
POETRY = f"#!/bin/sh\n[ \"$*\" = 'env info --path' ] && [ -f Pulumi.yaml ] && echo {OWN}\n"
"""Poetry, which answers in the project's folder alone."""
STARTS: dict[str, tuple[str, dict[str, str], str]] = {
    "the one on PATH": (sys.executable, {}, ""),
    "a virtualenv in the folder": (BARE, VIRTUALENV, ""),
    "that of uv": (BARE, {"PULUMI_RUNTIME_TOOLCHAIN": "uv"}, ""),
    "that of uv, of another name": (BARE, {"PULUMI_RUNTIME_TOOLCHAIN": "uv", "UV_PROJECT_ENVIRONMENT": "venv"}, ""),
    "that of poetry": (BARE, {"PULUMI_RUNTIME_TOOLCHAIN": "poetry"}, ""),
    "a virtualenv elsewhere": (BARE, {"PULUMI_RUNTIME_VIRTUALENV": str(OWN)}, ""),
    "the virtualenv that runs already": (sys.executable, {"PULUMI_RUNTIME_VIRTUALENV": str(OWN)}, ""),
    "no package": (BARE, {}, "No module named 'mixpanel_access'"),
    "an older package": (BARE, {"PYTHONPATH": "older"}, "No module named 'mixpanel_access.server'"),
}
"""The Python that the engine starts, the variables that it gives, and what is wrong."""


@pytest.mark.slow
@pytest.mark.parametrize("case", STARTS)
def test_it_starts_in_the_python_of_the_program(tmp_path: Path, case: str) -> None:
    """It prints its port, or one line that says which Python lacks what, and what to do."""
    python, variables, wrong = STARTS[case]
    project = tmp_path / "project"
    shutil.copytree(ROOT / "plugins", project / "plugins")
    for name in ("venv", ".venv"):
        (project / name).symlink_to(OWN)
    (project / "Pulumi.yaml").touch()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "poetry").write_text(POETRY)
    (tmp_path / "bin" / "poetry").chmod(0o755)
    (project / "stacks" / "older" / "mixpanel_access").mkdir(parents=True)
    (project / "stacks" / "older" / "mixpanel_access" / "__init__.py").touch()
    plain = {key: value for key, value in os.environ.items() if not key.startswith(("PULUMI_", "PYTHON"))}
    command = [python, "-u", str(project / "plugins" / "pulumi-python"), "127.0.0.1:1"]
    with subprocess.Popen(
        command, cwd=project / "stacks", env={**plain, "PATH": f"{tmp_path / 'bin'}:{plain['PATH']}", **variables},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as server:  # fmt: skip
        assert server.stdout is not None
        port, (_, said) = server.stdout.readline(), server.communicate()  # there is no engine, so it ends
    assert bool(port) == (not wrong)
    if wrong:
        assert said == (
            f"{python} cannot serve the resources of this project: {wrong}. Activate the project's virtualenv (`. "
            f".venv/bin/activate`), or set `virtualenv` in Pulumi.yaml to it, which holds for Python programs only; "
            f"if it is active, install the project's mixpanel-access into it.\n"
        )


def ended(folder: Path, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """The server's process, from a plugin folder and in the program's folder, once there is no engine."""
    plain = {key: value for key, value in os.environ.items() if not key.startswith(("PULUMI_", "PYTHON"))}
    command = [BARE, "-u", str(folder), "127.0.0.1:1"]
    return subprocess.run(
        command, cwd=cwd, env={**plain, **variables}, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.slow
@pytest.mark.parametrize("place", ["server", "tools/of/ours/server", "link"])
def test_the_folder_of_the_plugin_may_be_anywhere(tmp_path: Path, place: str) -> None:
    """At another depth, or a link to a folder that several projects share: the virtualenv is that of Pulumi.yaml."""
    project, shared = tmp_path / "project", tmp_path / "shared" / "pulumi-python"
    (project / "tools").mkdir(parents=True)
    (project / "Pulumi.yaml").touch()
    (project / "venv").symlink_to(OWN)
    shutil.copytree(ROOT / "plugins" / "pulumi-python", shared)
    if place == "link":
        (project / place).symlink_to(shared)
    else:
        shutil.copytree(shared, project / place)
    assert ended(project / place, project, **VIRTUALENV).stdout.strip().isdigit()


ABSENT: dict[str, tuple[dict[str, str], str]] = {
    "by name": ({"PULUMI_RUNTIME_VIRTUALENV": "gone"}, "its virtualenv {project}/gone, by the runtime options"),
    "of uv": ({"PULUMI_RUNTIME_TOOLCHAIN": "uv"}, "its virtualenv {project}/.venv, by the runtime options"),
    "of poetry": ({"PULUMI_RUNTIME_TOOLCHAIN": "poetry", "PATH": ""}, "Run `poetry install` in {project}."),
}


@pytest.mark.parametrize("case", ABSENT)
def test_a_virtualenv_that_is_not_there_is_one_line(tmp_path: Path, case: str) -> None:
    """The Python on PATH does not serve in its place, since the program would not run in it, either."""
    variables, words = ABSENT[case]
    shutil.copytree(ROOT / "plugins", tmp_path / "plugins")
    (tmp_path / "Pulumi.yaml").touch()
    done = ended(tmp_path / "plugins" / "pulumi-python", tmp_path, **variables)
    assert (done.returncode, done.stdout) == (1, "")
    assert words.format(project=tmp_path) in done.stderr
    assert done.stderr.count("\n") == 1


BROKEN = {
    "of another Python": (f'#!/bin/sh\nexec {BARE} "$@"\n', 0o755, "No module named 'mixpanel_access'"),
    "that cannot be started": ("", 0o644, "cannot start the Python of this project's virtualenv: [Errno 13]"),
    "that is no program": ("\0", 0o755, "cannot start the Python of this project's virtualenv: [Errno 8]"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_virtualenv_is_tried_once(tmp_path: Path, case: str) -> None:
    """Its file `python` may be a script, and never become the Python of that folder: one line says what is wrong."""
    text, mode, words = BROKEN[case]
    shutil.copytree(ROOT / "plugins", tmp_path / "plugins")
    python = tmp_path / "broken" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(text)
    python.chmod(mode)
    (tmp_path / "Pulumi.yaml").touch()
    done = ended(tmp_path / "plugins" / "pulumi-python", tmp_path, PULUMI_RUNTIME_VIRTUALENV="broken")
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_new_project_has_it() -> None:
    """`mixpanel-access new` copies each file of the folder, and the stanza with Pulumi.yaml."""
    files = [path.relative_to(ROOT).as_posix() for path in (ROOT / "plugins").rglob("*") if path.is_file()]
    own = {file for file in files if "__pycache__" not in file}
    assert own == {file for file in COPIED if file.startswith("plugins/")}
    assert "path: plugins/pulumi-python\n" in (ROOT / "Pulumi.yaml").read_text()
