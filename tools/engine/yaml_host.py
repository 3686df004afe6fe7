"""The language host of YAML programs, for the tests: `python -m tools.engine.yaml_host`, which `make languages` runs.

A release of the engine has it, and so may PATH. Otherwise it is built into the cache, where Go is: two minutes the
first time. It does not build with the engine's modules, so it is a Go module of its own, with those of its release.
"""
# ruff: noqa: T201 - printing is this command's job

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from mixpanel_access.engine import Engine, ensure_engine
from mixpanel_access.engine.cache import engines, locked, publish, staging
from mixpanel_access.engine.found import StepFailed, program
from mixpanel_access.engine.settings import EngineSettings, platform_name, read_settings
from mixpanel_access.model.errors import EngineError
from tools.engine.__main__ import show_on
from tools.engine.build import SOURCE, Build, source_digest
from tools.engine.toolchain import find_toolchain

YAML_SOURCE: Final = Path(__file__).parent / "yaml"
"""The Go module that pins it."""
YAML_HOST: Final = "pulumi-language-yaml"
_MODULE: Final = "github.com/pulumi/pulumi-yaml"
_PACKAGES: Final = 900
"""About how many Go packages it consists of."""


def version() -> str:
    """The version that is built."""
    found = re.search(rf"^require {_MODULE} v(\S+)$", (YAML_SOURCE / "go.mod").read_text("utf-8"), re.MULTILINE)
    if not found:
        raise StepFailed(f"{YAML_SOURCE / 'go.mod'} names no {_MODULE}")
    return found[1]


def find_yaml_host(engine: Engine, settings: EngineSettings) -> Path | None:
    """The folder that has it: that of the engine, one on PATH, or one in the cache; None if there is none."""
    located = shutil.which(YAML_HOST, path=str(engine.folder)) or shutil.which(
        YAML_HOST, path=settings.environ.get("PATH", "")
    )
    if located:
        return Path(located).parent
    return _home(settings) / "bin" if (_home(settings) / "bin" / program(YAML_HOST)).is_file() else None


def build_yaml_host(settings: EngineSettings, progress: Callable[[str], None]) -> Path:
    """Build it into the cache.

    Returns:
        The folder that has it.

    Raises:
        StepFailed: there is no Go or no connection, or a checksum differs.
        EngineError: the cache cannot be used.
    """
    if shutil.which("go", path=settings.environ.get("PATH", "")) is None:
        raise StepFailed("no go on PATH")
    with locked(settings, progress), staging(settings) as staged:
        go = Build(find_toolchain(settings, SOURCE, progress), YAML_SOURCE, settings, progress, _PACKAGES)
        progress(f"building the language host of YAML programs {version()}: 2 minutes the first time")
        link = f"-s -w -X {_MODULE}/pkg/version.Version=v{version()}"
        command = f"{_MODULE}/cmd/{YAML_HOST}"
        outcome = go.go("build", "-v", "-mod=readonly", "-trimpath", "-ldflags", link, "-o", f"{staged}/bin/", command)
        publish(staged, _home(settings))
    progress(f"  built in {outcome.seconds:.0f} s")
    return _home(settings) / "bin"


def _home(settings: EngineSettings) -> Path:
    return engines(settings) / f"yaml-{version()}-{platform_name()}-{source_digest(YAML_SOURCE)}"


def main() -> int:
    """Run the command: 0 there is one, 2 there is none."""
    settings, show = read_settings(), show_on(sys.stderr)
    try:
        engine = ensure_engine(show, settings)
        print(find_yaml_host(engine, settings) or build_yaml_host(settings, show))
    except (EngineError, StepFailed) as error:
        print(f"no language host for YAML programs: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
