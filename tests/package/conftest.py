"""The wheel, built by way of the sdist, in a clean virtualenv without extras; once for all workers."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Installed:
    """A virtualenv with nothing in it but the wheel and what that requires.

    Attributes:
        folder: holds `dist` and `venv`, and nothing of the clone.
    """

    folder: Path

    @property
    def sdist(self) -> Path:
        return next((self.folder / "dist").glob("*.tar.gz"))

    @property
    def wheel(self) -> Path:
        return next((self.folder / "dist").glob("*.whl"))

    @property
    def python(self) -> Path:
        return self.folder / "venv" / "bin" / "python"

    def run(
        self, *args: str, command: str = "mixpanel-access", env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of the virtualenv, as one who has not activated it."""
        return subprocess.run(
            [self.python.with_name(command), *args],
            cwd=self.folder,
            env=env,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel, installed."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    made = Installed(shared / "package")
    with FileLock(shared / "package.lock"):
        if not made.folder.is_dir():
            _make(made)
    return made


def _make(made: Installed) -> None:
    made.folder.mkdir()
    dist = made.folder / "dist"
    run("-m", "hatchling", "build", "-t", "sdist", "-d", str(dist), cwd=ROOT)
    with tarfile.open(made.sdist) as archive:
        archive.extractall(made.folder / "source", filter="data")
    (source,) = (made.folder / "source").iterdir()
    run("-m", "hatchling", "build", "-t", "wheel", "-d", str(dist), cwd=source)
    run("-m", "uv", "venv", "-q", "--python", sys.executable, str(made.folder / "venv"), cwd=made.folder)
    pinned = ("--constraint", str(ROOT / "requirements.lock"))
    target = ("--python", str(made.python))
    run("-m", "uv", "pip", "install", "-q", *target, *pinned, str(made.wheel), cwd=made.folder)


def run(*args: str, cwd: Path) -> None:
    """Run our own Python, which succeeds."""
    done = subprocess.run([sys.executable, *args], cwd=cwd, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
