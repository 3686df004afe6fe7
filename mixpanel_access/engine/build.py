"""The build of the engine from its Go module, for machines that reach no release archive."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from mixpanel_access.engine.cache import home, publish, staging
from mixpanel_access.engine.found import DYNAMIC, HOST, Engine, StepFailed, check_folder, last_lines
from mixpanel_access.engine.process import run_child
from mixpanel_access.engine.settings import ENGINE_VERSION, Settings
from mixpanel_access.engine.toolchain import Toolchain, find_toolchain
from mixpanel_access.model.words import counted

_COMMAND = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
_SDK = "github.com/pulumi/pulumi/sdk/v3"
_LINK = f"-s -w -X {_SDK}/go/common/version.Version=v{ENGINE_VERSION}"
_SCRIPTS = (f"python/cmd/{HOST}-exec", f"python/dist/{DYNAMIC}")
"""What a release carries besides the two programs; they lie in the SDK's Go module."""
_PACKAGES: Final = 1_700
"""Go packages that the two programs consist of, nearly: how far a build is."""
_PACKAGE: Final = re.compile(r"[\w.~/-]+")
"""A line of `go build -v`: a package that is being compiled."""


def build_engine(settings: Settings, progress: Callable[[str], None]) -> Engine:
    """Build the engine into the cache. The caller holds the lock.

    Nothing is written beside the sources: an installed package may be read-only.

    Raises:
        StepFailed: no toolchain, no connection, a checksum that differs, or what came does not work.
    """
    go = find_toolchain(settings, progress)
    env = go_environment(settings.environ, go)
    progress(f"building the Pulumi engine {ENGINE_VERSION} with Go {go.version}: 5 to 15 minutes the first time")
    with staging(settings) as staged:
        folder = staged / "bin"
        folder.mkdir()
        build = ["build", "-v", "-mod=readonly", "-trimpath", "-ldflags", _LINK]
        seconds = _run_go(go, [*build, "-o", f"{folder}/", _COMMAND, f"./{HOST}"], settings, env, progress)[1]
        module = Path(_run_go(go, ["list", "-mod=readonly", "-m", "-f", "{{.Dir}}", _SDK], settings, env, progress)[0])
        for script in _SCRIPTS:
            copy = folder / Path(script).name
            try:
                shutil.copyfile(module / script, copy)
            except OSError as error:
                raise StepFailed(f"the SDK's Go module has no {script}: {error.strerror or error}") from error
            copy.chmod(0o755)
        engine = check_folder(folder, settings, "build")
        publish(staged, home(settings))
    progress(f"  built in {seconds:.0f} s")
    return Engine(home(settings) / "bin", engine.version, "build")


def go_environment(environ: Mapping[str, str], go: Toolchain) -> dict[str, str]:
    """The environment of the build: the user's caches and proxy, but none of the settings that would change the result.

    GOFLAGS is set, not dropped, since `go env -w` may hold one, too: -mod=mod there would let go.sum be rewritten.
    """
    foreign = {"GOOS", "GOARCH", "GOEXPERIMENT", "GONOSUMCHECK", *(("GOROOT",) if go.own else ())}
    return {
        **{name: value for name, value in environ.items() if name not in foreign},
        "GOTOOLCHAIN": "local",
        "GOFLAGS": "-mod=readonly -trimpath -buildvcs=false",
        "GOWORK": "off",
        "GO111MODULE": "on",
        # No C compiler is needed then, and the programs run whatever C library the machine has.
        "CGO_ENABLED": "0",
    }


def _run_go(
    go: Toolchain,
    arguments: list[str],
    settings: Settings,
    env: Mapping[str, str],
    progress: Callable[[str], None],
) -> tuple[str, float]:
    fetched = compiled = 0

    def count(line: str) -> None:
        nonlocal fetched, compiled
        fetched += line.startswith("go: downloading ")
        compiled += _PACKAGE.fullmatch(line.strip()) is not None

    def report(seconds: float) -> None:
        done = [f"{counted(fetched, 'module')} downloaded"] if fetched else []
        done += [f"{compiled:,} of about {_PACKAGES:,} packages compiled"] if compiled else []
        shown = f" ({', '.join(done)})" if done else ""
        progress(f"  building the engine ... {seconds:.0f} s{shown}")

    outcome = run_child(
        [str(go.command), *arguments],
        cwd=settings.source,
        env=env,
        timeout=settings.build_timeout,
        on_line=count,
        on_wait=report,
    )
    if outcome.timed_out:
        raise StepFailed(f"the build was not done within {settings.build_timeout:g} s")
    if outcome.returncode != 0:
        raise StepFailed(f"the build failed: {_reason(outcome.stderr, outcome.returncode)}")
    return outcome.stdout.strip(), outcome.seconds


def _reason(stderr: str, returncode: int) -> str:
    lines = [
        line
        for line in stderr.splitlines()
        if not (line.startswith("go: downloading ") or _PACKAGE.fullmatch(line.strip()))
    ]
    # Go ends this one with a page of advice; the line that names the module is what matters.
    for line in lines:
        if "checksum mismatch" in line or "missing go.sum entry" in line:
            return f"{line.strip().removesuffix('; to add:')} (go.sum pins what the engine is built from)"
    return last_lines("\n".join(lines), returncode)
