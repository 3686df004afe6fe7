"""The Dockerfile, as far as it can be proved without building the image: what it copies, runs and pins."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from mixpanel_access import __version__
from mixpanel_access.engine.settings import STEPS
from tests.package.conftest import ROOT

TEXT = (ROOT / "Dockerfile").read_text()
LINES = [shlex.split(line, comments=True) for line in TEXT.replace("\\\n", " ").splitlines()]
STAGES = [i for i, line in enumerate(LINES) if line[:1] == ["FROM"]]


def test_what_it_copies_is_enough_to_build(tmp_path: Path) -> None:
    """Everything is there, and the package builds from these files alone, whole."""
    for line in LINES:
        if line[:1] == ["COPY"] and not line[1].startswith("--from="):
            *sources, target = line[1:]
            for source in sources:
                if (ROOT / source).is_dir():
                    shutil.copytree(ROOT / source, tmp_path / target, dirs_exist_ok=True)
                else:
                    shutil.copy(ROOT / source, tmp_path / target)
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", "dist"]
    done = subprocess.run(build, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    names = zipfile.ZipFile(tmp_path / "dist" / f"mixpanel_access-{__version__}-py3-none-any.whl").namelist()
    assert {"mixpanel_access/py.typed", "mixpanel_access/templates/project/Pulumi.yaml"} <= set(names)


def test_what_a_later_stage_copies_was_made() -> None:
    """Each path is one that the stage before it writes to."""
    before = "\n".join(TEXT.splitlines()[: TEXT[: TEXT.rindex("\nFROM ")].count("\n")])
    copied = [line[2] for line in LINES if line[:2] == ["COPY", "--from=build"]]
    assert len(copied) == 3
    assert all(path in before for path in copied)


def test_it_is_run_by_a_user_without_rights() -> None:
    """The last stage changes to one that it makes, and adds nothing after that."""
    last = LINES[STAGES[-1] :]
    user = next(i for i, line in enumerate(last) if line[:1] == ["USER"])
    assert last[user] == ["USER", "access"]
    assert ["RUN", "useradd", "--create-home", "--uid", "1000", "access"] in last[:user]
    assert {line[0] for line in last[user + 1 :] if line} == {"WORKDIR", "CMD"}


def test_versions_are_exact() -> None:
    """The base image has a full version, requirements have hashes, and the steps for the engine are real ones."""
    (base,) = (line[1] for line in LINES if line[:1] == ["ARG"] and line[1].startswith("PYTHON="))
    assert re.fullmatch(r"PYTHON=python:3\.\d+\.\d+-slim-\w+", base)
    assert {LINES[stage][1] for stage in STAGES} == {"${PYTHON}"}
    installs = [line for line in LINES if {"pip", "install"} <= set(line)]
    assert len(installs) == 2
    assert all("--require-hashes" in line or "--constraint" in line for line in installs)
    (steps,) = (line[1] for line in LINES if line[:1] == ["ARG"] and line[1].startswith("ENGINE_STEPS="))
    assert set(steps.removeprefix("ENGINE_STEPS=").split(",")) <= set(STEPS)


def test_it_has_no_secret() -> None:
    """Credentials come when it is run, never when it is built."""
    assert not re.search(r"(ARG|ENV)[^\n]*(SECRET|TOKEN|PASSPHRASE|PASSWORD)", TEXT)
