"""What tests need beyond Python: `python -m tools.engine.languages`, which `make languages` runs.

- The language host of YAML programs. A release of the engine has it, and so may PATH. Otherwise it is built into the
  cache, where Go is: two minutes the first time. It does not build with the engine's modules, so it has a Go module of
  its own, with those of its release.
- The generator of TypeScript SDKs, which is built with it.
- The packages of the TypeScript program in `examples/typescript`, and axe-core of `tests/accessibility`, which checks
  whether everybody can use a page. npm installs both into the cache.
"""
# ruff: noqa: T201 - printing is this command's job

from __future__ import annotations

import hashlib
import re
import shutil
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from mixpanel_access.engine import Engine, ensure_engine
from mixpanel_access.engine.cache import engines, locked, publish, staging
from mixpanel_access.engine.found import StepFailed, last_lines, program
from mixpanel_access.engine.process import run_child
from mixpanel_access.engine.settings import EngineSettings, platform_name, read_settings
from mixpanel_access.model.errors import EngineError
from tools.engine.__main__ import show_on
from tools.engine.build import SOURCE, Build, source_digest
from tools.engine.toolchain import find_toolchain

LANGUAGES_SOURCE: Final = Path(__file__).parent / "languages_source"
"""The Go module of both programs."""
TYPESCRIPT: Final = Path(__file__).parents[2] / "examples" / "typescript"
"""The TypeScript program, with the lock of its packages."""
ACCESSIBILITY: Final = Path(__file__).parents[2] / "tests" / "accessibility"
"""The folder with the lock of axe-core."""
REQUIRED_VARIABLE: Final = "MIXPANEL_ACCESS_LANGUAGES"
"""Set to `required`, it makes what is missing a failure of the tests."""
YAML_HOST: Final = "pulumi-language-yaml"
GENERATOR: Final = "generate-sdk"
_MODULE: Final = "github.com/pulumi/pulumi-yaml"
_LOCKED: Final = ("package.json", "package-lock.json")
_PACKAGES: Final = 900
"""About how many Go packages the programs consist of."""


def yaml_version() -> str:
    """The version of the language host that is built."""
    found = re.search(rf"^\t{_MODULE} v(\S+)$", (LANGUAGES_SOURCE / "go.mod").read_text("utf-8"), re.MULTILINE)
    if not found:
        raise StepFailed(f"{LANGUAGES_SOURCE / 'go.mod'} names no {_MODULE}")
    return found[1]


def find_yaml_host(engine: Engine, settings: EngineSettings) -> Path | None:
    """The folder that has it: that of the engine, one on PATH, or one in the cache; None if there is none."""
    path = settings.environ.get("PATH", "")
    located = shutil.which(YAML_HOST, path=str(engine.folder)) or shutil.which(YAML_HOST, path=path)
    if located:
        return Path(located).parent
    return _programs(settings) if (_programs(settings) / program(YAML_HOST)).is_file() else None


def find_generator(settings: EngineSettings) -> Path | None:
    """The generator of TypeScript SDKs, or None if it was not built."""
    file = _programs(settings) / program(GENERATOR)
    return file if file.is_file() else None


def find_node_modules(settings: EngineSettings, source: Path = TYPESCRIPT) -> Path | None:
    """The packages that a folder locks, or None if they were not installed."""
    folder = _node_modules(settings, source)
    return folder if folder.is_dir() else None


def build_programs(settings: EngineSettings, progress: Callable[[str], None]) -> None:
    """Build the language host and the generator into the cache.

    Raises:
        StepFailed: there is no Go or no connection, or a checksum differs.
        EngineError: the cache cannot be used.
    """
    required = settings.environ.get(REQUIRED_VARIABLE) == "required"  # then a Go toolchain is installed too
    if not required and shutil.which("go", path=settings.environ.get("PATH", "")) is None:
        raise StepFailed("no go on PATH")
    with locked(settings, progress), staging(settings) as staged:
        go = Build(find_toolchain(settings, SOURCE, progress), LANGUAGES_SOURCE, settings, progress, _PACKAGES)
        progress(f"building the language host of YAML programs {yaml_version()}: 2 minutes the first time")
        link = f"-s -w -X {_MODULE}/pkg/version.Version=v{yaml_version()}"
        flags = ["-v", "-mod=readonly", "-trimpath", "-ldflags", link, "-o", f"{staged}/bin/"]
        outcome = go.go("build", *flags, f"{_MODULE}/cmd/{YAML_HOST}", f"./{GENERATOR}")
        publish(staged, _programs(settings).parent)
    progress(f"  built in {outcome.seconds:.0f} s")


def install_node_modules(settings: EngineSettings, progress: Callable[[str], None], source: Path = TYPESCRIPT) -> None:
    """Install the packages that a folder locks into the cache; none of their scripts runs.

    Raises:
        StepFailed: there is no npm or no connection, or a checksum differs.
        EngineError: the cache cannot be used.
    """
    npm = shutil.which("npm", path=settings.environ.get("PATH", ""))
    if npm is None:
        raise StepFailed("no npm on PATH")
    progress(f"installing the packages of {source.name}: half a minute the first time")
    with locked(settings, progress), staging(settings) as staged:
        for name in _LOCKED:
            shutil.copy(source / name, staged)
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        outcome = run_child(command, cwd=staged, env=settings.environ, timeout=settings.download_timeout)
        if outcome.timed_out or outcome.returncode != 0:
            raise StepFailed(f"npm ci failed: {last_lines(outcome.stderr, outcome.returncode)}")
        publish(staged, _node_modules(settings, source).parent)
    progress(f"  installed in {outcome.seconds:.0f} s")


def _programs(settings: EngineSettings) -> Path:
    return engines(settings) / f"languages-{platform_name()}-{source_digest(LANGUAGES_SOURCE)}" / "bin"


def _node_modules(settings: EngineSettings, source: Path) -> Path:
    digest = hashlib.sha256(b"\0".join((source / name).read_bytes() for name in _LOCKED)).hexdigest()[:12]
    return engines(settings) / f"{source.name}-{digest}" / "node_modules"


def main() -> int:
    """Run the command, which prints where everything is: 0, or 2 if something is missing."""
    settings, show, missing = read_settings(), show_on(sys.stderr), 0
    try:
        engine = ensure_engine(show, settings)
    except EngineError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    needed: tuple[tuple[str, Callable[[], Path | None], Callable[..., None]], ...] = (
        (
            f"folder of {YAML_HOST}",
            lambda: find_generator(settings) and find_yaml_host(engine, settings),
            build_programs,
        ),
        ("packages of the TypeScript program", lambda: find_node_modules(settings), install_node_modules),
        (
            "axe-core",
            lambda: find_node_modules(settings, ACCESSIBILITY),
            partial(install_node_modules, source=ACCESSIBILITY),
        ),
    )
    for what, find, make in needed:
        try:
            if find() is None:
                make(settings, show)
            print(f"{what}: {find()}", file=sys.stderr)
        except (EngineError, StepFailed) as error:
            print(f"no {what}: {error}. The tests that need it are skipped.", file=sys.stderr)
            missing = 2
    return missing


if __name__ == "__main__":
    sys.exit(main())
