"""The settings of a search for an engine: the environment, the cache, the steps and their timeouts."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from platformdirs import user_cache_path

from mixpanel_access.model.errors import EngineError

ENGINE_VERSION: Final = "3.276.0"
"""The version to build: that of tools/engine/source/go.mod."""

RELEASES_VERSION: Final = "3.259.0"
"""The version to download: the newest whose digests `download` has."""

SOURCE_DIGEST: Final = "05520a5e56da"
"""The digest of `tools/engine/source`: an engine built from other sources is another one in the cache."""

MINIMUM: Final = (3, 254, 0)
"""The oldest engine on PATH that we use."""

STEPS: Final = ("path", "cache", "download", "build")
"""Where to look for an engine, in this order."""

CACHE_VARIABLE: Final = "MIXPANEL_ACCESS_CACHE"
STEPS_VARIABLE: Final = "MIXPANEL_ACCESS_ENGINE_STEPS"

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class EngineSettings:
    """The settings of one search.

    Attributes:
        environ: the environment of every child process; its PATH is searched.
        cache: the folder for downloads and builds.
        steps: which of `STEPS` to take; their order is always that of `STEPS`.
        python: the interpreter that runs the download and installs the Go toolchain.
        probe_timeout: seconds for one `pulumi version` or `go version`.
        download_timeout: seconds for the download of the engine, and for that of the Go toolchain.
        wait_timeout: seconds to wait for another run that makes the engine.
    """

    environ: Mapping[str, str]
    cache: Path
    steps: tuple[str, ...] = STEPS
    python: str = field(default=sys.executable)
    probe_timeout: float = 20
    download_timeout: float = 600
    wait_timeout: float = 3600


def read_settings(environ: Mapping[str, str] | None = None) -> EngineSettings:
    """Read the settings from the environment.

    Raises:
        EngineError: MIXPANEL_ACCESS_ENGINE_STEPS names a step that does not exist.
    """
    environ = os.environ if environ is None else environ
    own = environ.get(CACHE_VARIABLE, "").strip()
    cache = Path(own).expanduser().absolute() if own else user_cache_path("mixpanel-access", appauthor=False)
    return EngineSettings(environ=dict(environ), cache=cache, steps=_steps(environ.get(STEPS_VARIABLE, "")))


def _steps(text: str) -> tuple[str, ...]:
    named = {part.strip() for part in text.split(",") if part.strip()}
    if unknown := sorted(named - set(STEPS)):
        raise EngineError(
            "cannot find the Pulumi engine",
            why=f"{STEPS_VARIABLE} names {', '.join(unknown)}",
            next_step=f"Use a comma-separated choice of {', '.join(STEPS)}.",
        )
    return tuple(step for step in STEPS if step in named) or STEPS


def platform_name() -> str:
    """The operating system and the processor as in the names of Pulumi's releases, such as linux-amd64."""
    machine = platform.machine().lower()
    return f"{sys.platform}-{_ARCHITECTURES.get(machine, machine)}"
