"""actionlint, built from its Go module into the cache of the engine, with the toolchain and the lock of the engine."""

from __future__ import annotations

import hashlib
from pathlib import Path

from mixpanel_access.engine.cache import engines, locked, publish, staging
from mixpanel_access.engine.found import program
from mixpanel_access.engine.process import Outcome, run_child
from mixpanel_access.engine.settings import EngineSettings, platform_name, read_settings
from tools.engine import build
from tools.engine.toolchain import find_toolchain

SOURCE = Path(__file__).parent / "actionlint"
_COMMAND = "github.com/rhysd/actionlint/cmd/actionlint"


def find_actionlint() -> Path:
    """The program that go.mod and go.sum pin; it is built once, in some seconds."""
    settings = read_settings()
    digest = hashlib.sha256((SOURCE / "go.mod").read_bytes() + (SOURCE / "go.sum").read_bytes()).hexdigest()[:12]
    place = engines(settings) / f"actionlint-{platform_name()}-{digest}"
    command = place / program("actionlint")
    if not command.is_file():
        with locked(settings, print):
            if not command.is_file():  # another worker may have built it while this one waited
                _build(settings, place)
    return command


def _build(settings: EngineSettings, place: Path) -> None:
    go = find_toolchain(settings, build.SOURCE, print)
    with staging(settings) as staged:
        outcome = run_child(
            [str(go.command), "build", "-o", f"{staged}/", _COMMAND],
            cwd=SOURCE,
            env=build.go_environment(settings.environ, go),
            timeout=build.BUILD_SECONDS,
        )
        assert outcome.returncode == 0, outcome.stderr
        publish(staged, place)


_UNKNOWN = 'unexpected key "queue" for "concurrency" section'
"""A key that GitHub has since May 2026 and this version does not know; a rule of ours checks its value."""


def lint(actionlint: Path, workflow: Path) -> Outcome:
    """Lint one workflow, by actionlint alone: what else is on PATH differs from machine to machine."""
    command = [str(actionlint), "-shellcheck=", "-pyflakes=", "-no-color", "-ignore", _UNKNOWN, str(workflow)]
    return run_child(command, env=read_settings().environ, timeout=60)
