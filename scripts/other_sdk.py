"""Run tests with other SDKs and Pythons, each in a virtualenv of its own in the cache: `make test-sdk`.

The packages are those of requirements.lock, but for the SDK: the lowest or the newest version of the range in
pyproject.toml, or a version that is named, with what it needs. The tests are those of the code that works with the
SDK, and a sample of those on the real engine.
"""
# ruff: noqa: T201 - it prints: that is its job

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement

from mixpanel_access.engine.settings import read_settings

ROOT: Final = Path(__file__).resolve().parent.parent
LOCK: Final = ROOT / "requirements.lock"
SDK: Final = ("pulumi", "pulumi-policy")
LOWEST, NEWEST = "lowest", "newest"
_SAY: Final = """
import platform
from importlib.metadata import version
print("SDK", version("pulumi"), "on Python", platform.python_version())
"""
_ENGINE: Final = (
    "bad_input",
    "components",
    "import",
    "lifecycle",
    "own_server",
    "policies",
    "python_engine",
    "states_of_0_1_0",
    "targets",
)
TESTS: Final = (
    *(f"tests/{folder}" for folder in ("provider", "server", "component", "component_package")),
    *(f"tests/engine/test_{name}.py" for name in _ENGINE),
)
"""Programs, the resources and their servers; on the engine also states, messages, imports and policy packs."""


def main() -> int:
    """Run the tests with each SDK on each Python; the exit code is that of the first run that fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sdk", nargs="+", default=[LOWEST, NEWEST], help="lowest, newest, or versions of pulumi")
    parser.add_argument("--python", nargs="+", default=[sys.executable], help="versions or paths, as uv takes them")
    parser.add_argument("arguments", nargs="*", help="more arguments for pytest, after --")
    given = parser.parse_args()
    code = 0
    for python in given.python:
        for sdk in given.sdk:
            begun = time.monotonic()
            try:
                interpreter = make(python, sdk)
            except subprocess.CalledProcessError as error:
                print(f"error: cannot install the SDK {sdk} for Python {python}: see the lines above.", file=sys.stderr)
                code = code or error.returncode
                continue
            command = [interpreter, "-m", "pytest", "-m", "not package", *TESTS, *given.arguments]
            done = subprocess.run(command, cwd=ROOT, check=False)  # noqa: S603 - our own tests
            print(f"{'passed' if done.returncode == 0 else 'FAILED'} in {time.monotonic() - begun:.0f} s", flush=True)
            code = code or done.returncode
    return code


def make(python: str, sdk: str) -> Path:
    """Create or update the virtualenv, and return its interpreter.

    Raises:
        CalledProcessError: there is no such Python or SDK, or no connection.
    """
    key = hashlib.sha256("\0".join((str(ROOT), python)).encode()).hexdigest()[:8]
    folder = read_settings().cache / "sdk" / f"{sdk}-{key}"
    interpreter = folder / "bin" / "python"
    _uv("venv", "--allow-existing", "--no-python-downloads", "--python", python, str(folder))
    wanted, bounds = folder / "requirements.txt", folder / "bounds.txt"
    shutil.copyfile(LOCK, wanted)  # uv keeps the versions of the file that it writes
    bounds.write_text("".join(f"{line}\n" for line in bounds_of(sdk)), "utf-8")
    compiled = ("--all-extras", "--generate-hashes", "--no-header", "--no-emit-package", "mixpanel-access")
    other = [part for package in SDK for part in ("--upgrade-package", package)]
    target = ("--python", str(interpreter))
    _uv("pip", "compile", "pyproject.toml", *target, *compiled, *other, "-c", str(bounds), "-o", str(wanted))
    _uv("pip", "install", *target, "--require-hashes", "--no-deps", "-r", str(wanted))
    _uv("pip", "install", *target, "--no-deps", "--no-build-isolation", "-e", ".")
    subprocess.run([interpreter, "-c", _SAY], check=True)  # noqa: S603 - a fixed line
    return interpreter


def bounds_of(sdk: str) -> list[str]:
    """What the SDK's packages are held to, besides the range in pyproject.toml."""
    if sdk == NEWEST:
        return []
    if sdk != LOWEST:
        return [f"{SDK[0]}=={sdk}"]
    dependencies = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    ranges = [one for one in map(Requirement, dependencies) if one.name in SDK]
    return [f"{one.name}=={bound.version}" for one in ranges for bound in one.specifier if bound.operator == ">="]


def _uv(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "uv", "-q", *arguments], cwd=ROOT, check=True)  # noqa: S603 - our own tool


if __name__ == "__main__":
    sys.exit(main())
