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
STARTS: dict[str, tuple[str, dict[str, str], str]] = {
    "the one on PATH": (sys.executable, {}, ""),
    "a virtualenv in the folder": (BARE, {"PULUMI_RUNTIME_VIRTUALENV": "venv"}, ""),
    "that of uv": (BARE, {"PULUMI_RUNTIME_TOOLCHAIN": "uv"}, ""),
    "a virtualenv elsewhere": (BARE, {"PULUMI_RUNTIME_VIRTUALENV": str(OWN)}, ""),
    "the virtualenv that runs already": (sys.executable, {"PULUMI_RUNTIME_VIRTUALENV": str(OWN)}, ""),
    "no package": (BARE, {}, "No module named 'mixpanel_access'"),
    "no virtualenv": (
        BARE,
        {"PULUMI_RUNTIME_VIRTUALENV": "gone"},
        "No module named 'mixpanel_access' ({gone} has no Python)",
    ),
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
    (project / "stacks" / "older" / "mixpanel_access").mkdir(parents=True)
    (project / "stacks" / "older" / "mixpanel_access" / "__init__.py").touch()
    plain = {key: value for key, value in os.environ.items() if not key.startswith(("PULUMI_", "PYTHON"))}
    command = [python, "-u", str(project / "plugins" / "pulumi-python"), "127.0.0.1:1"]
    with subprocess.Popen(
        command, cwd=project / "stacks", env={**plain, **variables}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    ) as server:  # fmt: skip
        assert server.stdout is not None
        port, (_, said) = server.stdout.readline(), server.communicate()  # there is no engine, so it ends
    assert bool(port) == (not wrong)
    if wrong:
        wrong = wrong.format(gone=project / "gone")
        assert said == (
            f"{python} cannot serve the resources of this project: {wrong}. Activate the project's virtualenv, or set "
            f"`virtualenv` in Pulumi.yaml to it; if it is active, install the project's mixpanel-access into it.\n"
        )


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
    plain = {key: value for key, value in os.environ.items() if not key.startswith(("PULUMI_", "PYTHON"))}
    command = [BARE, "-u", str(tmp_path / "plugins" / "pulumi-python"), "127.0.0.1:1"]
    variables = {**plain, "PULUMI_RUNTIME_VIRTUALENV": "broken"}
    ended = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=20, check=False)
    assert ended.returncode == 1
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_new_project_has_it() -> None:
    """`mixpanel-access new` copies each file of the folder, and the stanza with Pulumi.yaml."""
    files = [path.relative_to(ROOT).as_posix() for path in (ROOT / "plugins").rglob("*") if path.is_file()]
    own = {file for file in files if "__pycache__" not in file}
    assert own == {file for file in COPIED if file.startswith("plugins/")}
    assert "path: plugins/pulumi-python\n" in (ROOT / "Pulumi.yaml").read_text()
